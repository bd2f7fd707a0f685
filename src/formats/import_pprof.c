/* SPDX-License-Identifier: MIT */
/*
 * Reads a file of google's pprof, whoever wrote it. What pprof.c writes comes back as it was, apart from when each
 * sample was taken.
 *
 * The whole message is unpacked at once, as samples can come before what they refer to, and so into memory that is
 * limited.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "import_source.h"
#include "imported.h"
#include "number.h"
#include "pprof_facts.h"
#include "pprof_message.h"
#include "profile/members.h"
#include "profile/native_file.h"

#include <inttypes.h>
#include <string.h>

enum { PIECE_LEN = 1 << 20 };

/* What a value of a sample counts. */
struct value_type {
    size_t index;
    uint64_t unit_ns; /* 0: it is no time */
};

/* The frames of a location, innermost first. */
struct location {
    uint32_t first, count; /* in reader->frames */
};

struct reader {
    struct imported *imported;
    struct pprof_message *message;
    const Pprof__Profile *profile; /* of the message */
    uint32_t *strings;       /* by string of the message: the one of the profile, PROFILE_NONE while there is none */
    struct location *places; /* by location of the message */
    uint32_t *frames;
    uint32_t frame_count, frame_capacity;
    struct value_type shown;
    struct value_type cpu; /* the time on a CPU, when both are told; else unit_ns is 0 */
    bool is_ours;          /* pprof.c wrote it */
};

static void reader_deinit(struct reader *reader)
{
    free(reader->strings);
    free(reader->places);
    free(reader->frames);
}

/* The profile's string for one of the message; PROFILE_NONE for an empty one, and without memory. */
static uint32_t find_string(struct reader *reader, int64_t string)
{
    const char *text = pprof_message_text(reader->message, string);
    if (*text == '\0')
        return PROFILE_NONE;
    if (reader->strings[string] == PROFILE_NONE)
        reader->strings[string] = imported_string(reader->imported, text, strlen(text));
    return reader->strings[string];
}

/* Nanoseconds of a unit of time; 0 for other units. */
static uint64_t unit_of(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"nanoseconds", 1},        {"ns", 1},       {"microseconds", 1000},  {"us", 1000},
        {"milliseconds", 1000000}, {"ms", 1000000}, {"seconds", 1000000000}, {"s", 1000000000},
    };
    for (size_t i = 0; i < array_size(units); i++) {
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ns;
    }
    return 0;
}

static struct value_type describe_value(struct reader *reader, size_t index)
{
    return (struct value_type){index,
                               unit_of(pprof_message_text(reader->message, reader->profile->sample_type[index]->unit))};
}

/* The value with this name, if it is a time; else its unit is 0. */
static struct value_type find_time(struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->profile->n_sample_type; i++) {
        struct value_type type = describe_value(reader, i);
        if (type.unit_ns > 0 &&
            strcmp(pprof_message_text(reader->message, reader->profile->sample_type[i]->type), name) == 0)
            return type;
    }
    return (struct value_type){0};
}

/* The value that pprof would show: the one that the file names, or the last one. */
static struct value_type find_default(struct reader *reader)
{
    const Pprof__Profile *profile = reader->profile;
    const char *name = pprof_message_text(reader->message, profile->default_sample_type);
    for (size_t i = 0; *name && i < profile->n_sample_type; i++) {
        if (strcmp(pprof_message_text(reader->message, profile->sample_type[i]->type), name) == 0)
            return describe_value(reader, i);
    }
    return describe_value(reader, profile->n_sample_type - 1);
}

static struct error *choose_values(struct reader *reader)
{
    if (reader->profile->n_sample_type == 0)
        return error_create(ERROR_BAD_DATA, "%s is no pprof file: it does not say what its samples count",
                            reader->imported->name);
    struct value_type wall = find_time(reader, "wall"), cpu = find_time(reader, "cpu");
    if (wall.unit_ns > 0) {
        reader->shown = wall;
        reader->cpu = cpu;
    } else {
        reader->shown = cpu.unit_ns > 0 ? cpu : find_default(reader);
    }
    return NULL;
}

/* The value of a sample, in nanoseconds if it is a time. Negative ones, as a difference has, are 0. */
static struct error *read_value(struct reader *reader, const Pprof__Sample *sample, struct value_type type,
                                uint64_t *ret)
{
    if (sample->n_value != reader->profile->n_sample_type)
        return pprof_message_refuse(reader->message, "a sample has not as many values as there should be");
    int64_t value = sample->value[type.index];
    uint64_t unit = type.unit_ns > 0 ? type.unit_ns : 1;
    if (value > 0 && (uint64_t)value > INT64_MAX / unit)
        return error_create(ERROR_BAD_DATA, "%s has larger times than can be read", reader->imported->name);
    *ret = value > 0 ? (uint64_t)value * unit : 0;
    return NULL;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* What all samples' values have in common. */
struct values {
    uint64_t sum, divisor;
    uint64_t negative; /* samples */
};

static struct error *sum_up(struct reader *reader, struct values *ret)
{
    const Pprof__Profile *profile = reader->profile;
    for (size_t i = 0; i < profile->n_sample; i++) {
        uint64_t value = 0;
        struct error *error = read_value(reader, profile->sample[i], reader->shown, &value);
        if (error)
            return error;
        ret->divisor = greatest_divisor(ret->divisor, value);
        ret->negative += profile->sample[i]->value[reader->shown.index] < 0;
        if (__builtin_add_overflow(ret->sum, value, &ret->sum))
            return error_create(ERROR_BAD_DATA, "%s has larger values than can be read", reader->imported->name);
    }
    return NULL;
}

/* Time between two samples, as the file tells; 0: it does not. */
static uint64_t period_of(struct reader *reader)
{
    const Pprof__Profile *profile = reader->profile;
    uint64_t unit_ns =
        profile->period_type ? unit_of(pprof_message_text(reader->message, profile->period_type->unit)) : 0;
    bool is_known = unit_ns > 0 && profile->period > 0 && (uint64_t)profile->period <= INT64_MAX / unit_ns;
    return is_known ? (uint64_t)profile->period * unit_ns : 0;
}

/* Says what is shown when it is no time: "inuse_space in bytes". */
static void note_type(struct reader *reader)
{
    const Pprof__ValueType *type = reader->profile->sample_type[reader->shown.index];
    const char *const texts[] = {reader->imported->name, pprof_message_text(reader->message, type->type),
                                 pprof_message_text(reader->message, type->unit)};
    static const char *const before[] = {"what is counted of ", " as samples is '", "' in '"};
    for (size_t i = 0; i < array_size(texts); i++) {
        buffer_append_text(reader->imported->notes, before[i]);
        escape_visible(reader->imported->notes, texts[i], strlen(texts[i]));
    }
    buffer_append_text(reader->imported->notes, "'\n");
}

/*
 * Decides what time a sample stands for. Times that were not sampled with the period that the file tells, or that are
 * sums of unlike ones, are counted in the largest interval that divides all of them: so nothing is rounded.
 */
static struct error *choose_interval(struct reader *reader)
{
    struct values values = {0};
    struct error *error = sum_up(reader, &values);
    if (error)
        return error;
    uint64_t period_ns = period_of(reader);
    bool is_time = reader->shown.unit_ns > 0;
    if (values.negative > 0)
        buffer_format(reader->imported->notes, "samples with a negative value, which were left out: %" PRIu64 "\n",
                      values.negative);
    if (!is_time)
        note_type(reader);
    if (period_ns > 0 && (!is_time || values.divisor % period_ns == 0))
        profile_info(reader->imported->profile)->interval_ns = period_ns;
    else if (is_time && values.divisor > 0)
        profile_info(reader->imported->profile)->interval_ns = values.divisor;
    else
        imported_assume_interval(reader->imported, values.sum);
    return NULL;
}

/* What a frame without a name is called. */
static uint32_t name_address(struct reader *reader, uint64_t address)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "0x%" PRIx64, address);
    return imported_string(reader->imported, text, (size_t)len);
}

static int32_t line_of(int64_t line)
{
    return line < INT32_MIN || line > INT32_MAX ? 0 : (int32_t)line;
}

/* The name of the file in the folder that a mapping of ours names; see find_folder() in pprof.c. */
static void shorten(struct reader *reader, uint32_t file, uint64_t mapping)
{
    size_t len, folder_len;
    uint32_t found = pprof_message_mapping(reader->message, mapping);
    if (file == PROFILE_NONE || found == TABLE_NONE)
        return;
    uint32_t folder = find_string(reader, reader->profile->mapping[found]->filename);
    const char *folder_text = profile_string(reader->imported->profile, folder, &folder_len);
    const char *text = profile_string(reader->imported->profile, file, &len);
    if (folder_len == 0 || folder_len >= len || folder_text[folder_len - 1] != '/' ||
        memcmp(text, folder_text, folder_len) != 0)
        return;
    cleanup_free char *short_text = strdup(text + folder_len);
    uint32_t short_file = short_text ? imported_string(reader->imported, short_text, len - folder_len) : PROFILE_NONE;
    if (short_file != PROFILE_NONE)
        profile_set_short_file(reader->imported->profile, file, short_file);
}

/* The path of a location's mapping, as text; empty for none. */
static const char *mapping_of(struct reader *reader, const Pprof__Location *location)
{
    uint32_t found = pprof_message_mapping(reader->message, location->mapping_id);
    return found == TABLE_NONE ? "" : pprof_message_text(reader->message, reader->profile->mapping[found]->filename);
}

static void name_library(struct reader *reader, struct profile_frame *frame, const char *path)
{
    struct profile *profile = reader->imported->profile;
    size_t len;
    frame->file = imported_string(reader->imported, path, strlen(path));
    const char *text = profile_string(profile, frame->file, &len);
    size_t base = native_file_base(text, len);
    cleanup_free char *name = base < len ? strdup(text + base) : NULL;
    if (name && base > 0)
        profile_set_short_file(profile, frame->file, profile_intern(profile, name, len - base));
}

static void name_system_call(struct reader *reader, struct profile_frame *frame)
{
    size_t len, ending_len = strlen(pprof_kernel_ending);
    const char *name = profile_string(reader->imported->profile, frame->name, &len);
    if (len <= ending_len || strcmp(name + len - ending_len, pprof_kernel_ending) != 0)
        return;
    cleanup_free char *bare = strndup(name, len - ending_len);
    frame->name = bare ? profile_intern(reader->imported->profile, bare, len - ending_len) : PROFILE_NONE;
    frame->kind = FRAME_KERNEL;
}

/* In a file of ours: what find_place() in pprof.c made of native code and of system calls. */
static void recognize_native(struct reader *reader, const Pprof__Location *location, struct profile_frame *frame)
{
    size_t len;
    const char *file = profile_string(reader->imported->profile, frame->file, &len);
    const char *mapping = mapping_of(reader, location);
    if (len > 0 && frame->line != 0 && native_file_is_source(file, len)) {
        frame->kind = FRAME_NATIVE;
    } else if (len == 0 && strcmp(mapping, pprof_kernel_mapping) == 0) {
        name_system_call(reader, frame);
    } else if (len == 0 && *mapping) {
        frame->kind = FRAME_NATIVE;
        name_library(reader, frame, mapping);
    }
}

/* Makes the frame of a function at a line. PROFILE_NONE without memory. */
static uint32_t make_frame(struct reader *reader, const Pprof__Location *location, const Pprof__Function *function,
                           int64_t line)
{
    struct profile_frame frame = {.name = PROFILE_NONE, .file = PROFILE_NONE, .line = line_of(line)};
    if (function) {
        bool has_name = *pprof_message_text(reader->message, function->name) != '\0';
        frame.name = find_string(reader, has_name ? function->name : function->system_name);
        frame.file = find_string(reader, function->filename);
        frame.first_line = line_of(function->start_line);
    }
    if (frame.name == PROFILE_NONE)
        frame.name = name_address(reader, location->address);
    shorten(reader, frame.file, location->mapping_id);
    if (reader->is_ours)
        recognize_native(reader, location, &frame);
    return imported_frame(reader->imported, frame);
}

static struct error *add_frame(struct reader *reader, uint32_t frame)
{
    if (frame == PROFILE_NONE ||
        !array_grow(&reader->frames, reader->frame_count, &reader->frame_capacity, sizeof(*reader->frames)))
        return error_no_memory();
    reader->frames[reader->frame_count++] = frame;
    return NULL;
}

static struct error *read_location(struct reader *reader, const Pprof__Location *location, struct location *place)
{
    place->first = reader->frame_count;
    struct error *error = NULL;
    for (size_t i = 0; !error && i < location->n_line; i++) {
        const Pprof__Line *line = location->line[i];
        uint32_t function = pprof_message_function(reader->message, line->function_id);
        if (function == TABLE_NONE && line->function_id != 0)
            return pprof_message_refuse(reader->message, "a location is in a function that is not there");
        error = add_frame(reader,
                          make_frame(reader, location,
                                     function == TABLE_NONE ? NULL : reader->profile->function[function], line->line));
    }
    if (!error && location->n_line == 0)
        error = add_frame(reader, make_frame(reader, location, NULL, 0));
    place->count = reader->frame_count - place->first;
    return error;
}

static struct error *read_locations(struct reader *reader)
{
    struct error *error = NULL;
    for (size_t i = 0; !error && i < reader->profile->n_location; i++)
        error = read_location(reader, reader->profile->location[i], &reader->places[i]);
    return error;
}

/* Goes from the root to where a sample was taken. */
static struct error *read_stack(struct reader *reader, const Pprof__Sample *sample, uint32_t *ret)
{
    uint32_t node = PROFILE_ROOT;
    for (size_t i = sample->n_location_id; i-- > 0;) {
        uint32_t found = pprof_message_location(reader->message, sample->location_id[i]);
        if (found == TABLE_NONE)
            return pprof_message_refuse(reader->message, "a sample has a location that is not there");
        const struct location *place = &reader->places[found];
        for (uint32_t line = place->count; line-- > 0;) {
            struct error *error = imported_step(reader->imported, reader->frames[place->first + line], &node);
            if (error)
                return error;
        }
    }
    *ret = node;
    return NULL;
}

/* What labels say whom a sample is of: ours, and those of others that mean the same. */
enum meaning {
    MEANS_NOTHING,
    MEANS_THREAD_NAME,
    MEANS_THREAD_OS_ID,
    MEANS_THREAD_ID,
    MEANS_PID,
    MEANS_COMMAND,
    MEANS_PYTHON,
};

static enum meaning meaning_of(const char *key)
{
    static const struct {
        const char *key;
        enum meaning meaning;
    } keys[] = {
        {"thread", MEANS_THREAD_NAME},     {"thread name", MEANS_THREAD_NAME},
        {"thread_id", MEANS_THREAD_OS_ID}, {"thread native id", MEANS_THREAD_OS_ID},
        {"tid", MEANS_THREAD_OS_ID},       {"thread_ident", MEANS_THREAD_ID},
        {"thread id", MEANS_THREAD_ID},    {"pid", MEANS_PID},
        {"process_id", MEANS_PID},         {"process", MEANS_COMMAND},
        {"python", MEANS_PYTHON},
    };
    for (size_t i = 0; i < array_size(keys); i++) {
        if (strcmp(key, keys[i].key) == 0)
            return keys[i].meaning;
    }
    return MEANS_NOTHING;
}

/* The number of a label, which may be a text. 0: it is none. */
static int64_t number_of(struct reader *reader, const Pprof__Label *label)
{
    uint64_t number = 0;
    const char *text = pprof_message_text(reader->message, label->str);
    if (label->num != 0)
        return label->num;
    return number_parse(text, strlen(text), 10, &number) && number <= INT64_MAX ? (int64_t)number : 0;
}

static void take_label(struct reader *reader, const Pprof__Label *label, struct profile_process *process,
                       struct profile_thread *thread)
{
    switch (meaning_of(pprof_message_text(reader->message, label->key))) {
    case MEANS_THREAD_NAME:
        thread->name = find_string(reader, label->str);
        break;
    case MEANS_THREAD_OS_ID:
        thread->os_id = number_of(reader, label);
        break;
    case MEANS_THREAD_ID:
        thread->id = (uint64_t)number_of(reader, label);
        break;
    case MEANS_PID:
        process->pid = number_of(reader, label);
        break;
    case MEANS_COMMAND:
        process->command_line = find_string(reader, label->str);
        break;
    case MEANS_PYTHON:
        process->python_version = find_string(reader, label->str);
        break;
    case MEANS_NOTHING:
        break;
    }
}

static uint32_t read_thread(struct reader *reader, const Pprof__Sample *sample)
{
    struct profile_process process = {.command_line = PROFILE_NONE, .python_version = PROFILE_NONE};
    struct profile_thread thread = {.name = PROFILE_NONE};
    for (size_t i = 0; i < sample->n_label; i++)
        take_label(reader, sample->label[i], &process, &thread);
    thread.process = imported_process(reader->imported, &process);
    return imported_thread(reader->imported, &thread);
}

/* Adds a sample, of which a part may have been on a CPU. */
static struct error *read_sample(struct reader *reader, const Pprof__Sample *sample)
{
    uint64_t interval_ns = profile_info(reader->imported->profile)->interval_ns, value = 0, cpu_ns = 0;
    uint32_t node = PROFILE_ROOT, thread = read_thread(reader, sample);
    struct error *error = read_stack(reader, sample, &node);
    if (!error)
        error = read_value(reader, sample, reader->shown, &value);
    if (!error && reader->cpu.unit_ns > 0)
        error = read_value(reader, sample, reader->cpu, &cpu_ns);
    if (error)
        return error;
    uint64_t samples = reader->shown.unit_ns > 0 ? value / interval_ns : value;
    uint64_t active = reader->cpu.unit_ns > 0 ? cpu_ns / interval_ns : samples;
    active = active < samples ? active : samples;
    error = imported_add(reader->imported, thread, node, active, SAMPLE_ACTIVE);
    return error ? error : imported_add(reader->imported, thread, node, samples - active, 0);
}

static struct error *read_samples(struct reader *reader)
{
    struct error *error = NULL;
    for (size_t i = 0; !error && i < reader->profile->n_sample; i++)
        error = read_sample(reader, reader->profile->sample[i]);
    return error;
}

static uint64_t not_negative(int64_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static struct error *read_info(struct reader *reader)
{
    const Pprof__Profile *profile = reader->profile;
    struct profile *made = reader->imported->profile;
    struct profile_info *info = profile_info(made);
    info->start_unix_ns = not_negative(profile->time_nanos);
    info->duration_ns = not_negative(profile->duration_nanos);
    for (size_t i = 0; i < profile->n_comment; i++) {
        cleanup_buffer struct buffer comment = {0};
        const char *text = pprof_message_text(reader->message, profile->comment[i]);
        escape_visible(&comment, text, strlen(text));
        if (comment.failed || !pprof_facts_take(made, buffer_text(&comment)))
            return error_no_memory();
    }
    return NULL;
}

/* The command that our own comment tells; NULL in files of others. */
static const char *command_of(struct reader *reader)
{
    for (size_t i = 0; i < reader->profile->n_comment; i++) {
        const char *command = pprof_facts_command(pprof_message_text(reader->message, reader->profile->comment[i]));
        if (command)
            return command;
    }
    return NULL;
}

/* Begins the recording: the first mapping is the program, by its name in our files and by its path in others'. */
static struct error *begin_recording(struct reader *reader, int fd)
{
    const Pprof__Profile *profile = reader->profile;
    cleanup_buffer struct buffer root = {0}, title = {0};
    const char *command = command_of(reader);
    reader->is_ours = command != NULL;
    const char *program =
        profile->n_mapping > 0 ? pprof_message_text(reader->message, profile->mapping[0]->filename) : "";
    const char *slash = command ? NULL : strrchr(program, '/');
    program = slash ? slash + 1 : program;
    program = *program ? program : "all";
    escape_visible(&root, program, strlen(program));
    command = command ? command : reader->imported->name;
    escape_visible(&title, command, strlen(command));
    if (root.failed || title.failed)
        return error_no_memory();
    return imported_init(reader->imported, fd, buffer_text(&root), buffer_text(&title));
}

static struct error *create_tables(struct reader *reader)
{
    const Pprof__Profile *profile = reader->profile;
    reader->strings = malloc((profile->n_string_table + 1) * sizeof(*reader->strings));
    reader->places = calloc(profile->n_location + 1, sizeof(*reader->places));
    if (!reader->strings || !reader->places)
        return error_no_memory();
    memset(reader->strings, 0xff, (profile->n_string_table + 1) * sizeof(*reader->strings));
    return NULL;
}

static struct error *read_message(struct imported *imported, struct pprof_message *message, int fd)
{
    struct reader reader __attribute__((cleanup(reader_deinit))) = {
        .imported = imported, .message = message, .profile = message->profile};
    struct error *error = create_tables(&reader);
    if (!error)
        error = choose_values(&reader);
    if (!error)
        error = begin_recording(&reader, fd);
    if (!error)
        error = read_info(&reader);
    if (!error)
        error = choose_interval(&reader);
    if (!error)
        error = read_locations(&reader);
    if (!error)
        error = read_samples(&reader);
    if (!error && message->has_wrong_string)
        error = pprof_message_refuse(message, "it has not all strings that it needs");
    return error ? error : imported_finish(imported);
}

static struct error *read_all(const struct imported *imported, struct import_source *source, struct buffer *bytes)
{
    for (size_t len = 1; len > 0;) {
        char *piece = buffer_reserve(bytes, PIECE_LEN);
        if (!piece)
            return error_no_memory();
        struct error *error = import_source_read(source, piece, PIECE_LEN, &len);
        if (error)
            return error;
        bytes->len += len;
        if (bytes->len > imported->limits->pprof_len)
            return error_create(ERROR_BAD_DATA, "%s is too large to be read", imported->name);
    }
    return NULL;
}

struct error *import_pprof(struct imported *imported, struct import_source *source, struct buffer *begin, int fd)
{
    cleanup_pprof_message struct pprof_message message = {0};
    struct error *error = read_all(imported, source, begin);
    if (!error)
        error = pprof_message_init(&message, imported->name, begin->data, begin->len, imported->limits->memory);
    return error ? error : read_message(imported, &message, fd);
}
