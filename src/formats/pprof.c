/* SPDX-License-Identifier: MIT */
/*
 * A profile for google's pprof: gzipped messages of pprof.proto.
 *
 * Parts of one message can follow each other in any order, and repeated fields of several messages in a row are read as
 * those of one. So each function, location and sample goes out as a Profile of its own, as soon as it is made, and the
 * file never stands in memory. The table of strings comes last.
 *
 * Each distinct stack is one sample with three values, of which pprof shows the last one by default:
 *     samples  how often it was seen, in intervals
 *     cpu      the time of those in which its thread was on a CPU or ready to run
 *     wall     the time of all
 * Threads and processes are labels, for pprof's -tagfocus and -tagroot, and no frames. Libraries of native code are
 * mappings, and so is the kernel.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/table.h"
#include "gzip_stream.h"
#include "label.h"
#include "pprof.pb-c.h"
#include "pprof_facts.h"
#include "profile/members.h"
#include "profile/native_file.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "writers.h"

#include <string.h>

enum {
    LABEL_LIMIT = 6,
    MAPPING_LIMIT = 1024, /* beyond it, files have no short names when they are read back */
};

/* A function, told from others by all of these. Its id is its place in the list, plus 1. */
struct pprof_function {
    uint32_t name, file;
    int32_t first_line;
};

struct pprof_writer {
    const struct profile *profile; /* that is shown */
    struct gzip_stream *stream;
    struct buffer packed; /* the message that goes out */
    struct buffer text;   /* the string that is made harmless */
    uint64_t *active;     /* by node: samples of threads that ran or were ready to */
    /*
     * Numbers strings and locations as the file does: its strings are the table of strings, the first of which is
     * empty, and its frames behind the root's, which are numbered from 1, are the locations.
     */
    struct profile *tables;
    uint32_t *locations; /* by frame of the profile: its id, 0 while it has none */
    struct pprof_function *functions;
    uint32_t function_count, function_capacity;
    struct table function_table;
    uint64_t *path;     /* ids of a sample's locations; as long as the profile has nodes */
    uint32_t *mappings; /* the strings that they are named by; their ids are their places in the list, plus 1 */
    uint32_t mapping_count, mapping_capacity;
    bool has_failed; /* memory ran out */
};

static void writer_deinit(struct pprof_writer *writer)
{
    gzip_stream_destroy(writer->stream);
    buffer_deinit(&writer->packed);
    buffer_deinit(&writer->text);
    free(writer->active);
    profile_destroy(writer->tables);
    free(writer->locations);
    free(writer->functions);
    table_deinit(&writer->function_table);
    free(writer->path);
    free(writer->mappings);
}

static struct error *writer_init(struct pprof_writer *writer, const struct profile *profile, FILE *out)
{
    uint32_t count;
    profile_nodes(profile, &count);
    *writer = (struct pprof_writer){.profile = profile};
    writer->active = calloc(count, sizeof(*writer->active));
    writer->path = calloc(count, sizeof(*writer->path));
    writer->locations = calloc(profile_frame_count(profile), sizeof(*writer->locations));
    if (!writer->active || !writer->path || !writer->locations)
        return error_no_memory();
    struct error *error = profile_create("", "", &writer->tables);
    return error ? error : gzip_stream_create(out, &writer->stream);
}

static void put(struct pprof_writer *writer, const Pprof__Profile *message)
{
    size_t len = pprof__profile__get_packed_size(message);
    buffer_clear(&writer->packed);
    char *bytes = buffer_reserve(&writer->packed, len);
    if (!bytes) {
        writer->has_failed = true;
        return;
    }
    pprof__profile__pack(message, (uint8_t *)bytes);
    gzip_stream_write(writer->stream, bytes, len);
}

/* The number of a string of ours. */
static uint32_t find_text(struct pprof_writer *writer, const char *text, size_t len)
{
    uint32_t string = profile_intern(writer->tables, text, len);
    writer->has_failed |= string == PROFILE_NONE;
    return string == PROFILE_NONE ? 0 : string;
}

static uint32_t find_word(struct pprof_writer *writer, const char *text)
{
    return find_text(writer, text, strlen(text));
}

/* The number of a string of the profile, which may hold anything: pprof prints it as it is. */
static uint32_t find_string(struct pprof_writer *writer, uint32_t string)
{
    size_t len;
    const char *text = profile_string(writer->profile, string, &len);
    buffer_clear(&writer->text);
    escape_visible(&writer->text, text, len);
    writer->has_failed |= writer->text.failed;
    return find_text(writer, buffer_text(&writer->text), writer->text.len);
}

static bool function_equals(const void *context, uint32_t index, const void *key)
{
    const struct pprof_function *function = &((const struct pprof_writer *)context)->functions[index];
    const struct pprof_function *wanted = key;
    return function->name == wanted->name && function->file == wanted->file &&
           function->first_line == wanted->first_line;
}

/*
 * Without a system name: where that is the same as the name, pprof takes it for a C++ name, and cuts "<module>" to
 * nothing (internal/symbolizer/symbolizer.go, Demangle).
 */
static void put_function(struct pprof_writer *writer, const struct pprof_function *function, uint64_t id)
{
    Pprof__Function message = PPROF__FUNCTION__INIT;
    message.id = id;
    message.name = function->name;
    message.filename = function->file;
    message.start_line = function->first_line;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_function = 1;
    profile.function = &(Pprof__Function *){&message};
    put(writer, &profile);
}

static uint64_t find_function(struct pprof_writer *writer, const struct profile_frame *location)
{
    const struct pprof_function wanted = {location->name, location->file, location->first_line};
    uint64_t hash = hash_pair((uint64_t)wanted.name << 32 | wanted.file, (uint32_t)wanted.first_line);
    uint32_t found = table_find(&writer->function_table, hash, function_equals, writer, &wanted);
    if (found != TABLE_NONE)
        return found + UINT64_C(1);
    if (!array_grow(&writer->functions, writer->function_count, &writer->function_capacity,
                    sizeof(*writer->functions)) ||
        !table_insert(&writer->function_table, hash, writer->function_count)) {
        writer->has_failed = true;
        return 1;
    }
    writer->functions[writer->function_count++] = wanted;
    put_function(writer, &wanted, writer->function_count);
    return writer->function_count;
}

/* Nothing of it is left to be looked up. */
static void put_mapping(struct pprof_writer *writer, uint32_t name, uint64_t id)
{
    Pprof__Mapping message = PPROF__MAPPING__INIT;
    message.id = id;
    message.filename = name;
    message.has_functions = message.has_filenames = message.has_line_numbers = true;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_mapping = 1;
    profile.mapping = &(Pprof__Mapping *){&message};
    put(writer, &profile);
}

/* The id of a mapping of this name; 0 when there are too many. */
static uint64_t find_mapping(struct pprof_writer *writer, uint32_t name)
{
    for (uint32_t i = 0; i < writer->mapping_count; i++) {
        if (writer->mappings[i] == name)
            return i + UINT64_C(1);
    }
    if (writer->mapping_count == MAPPING_LIMIT)
        return 0;
    if (!array_grow(&writer->mappings, writer->mapping_count, &writer->mapping_capacity, sizeof(*writer->mappings))) {
        writer->has_failed = true;
        return 0;
    }
    writer->mappings[writer->mapping_count++] = name;
    put_mapping(writer, name, writer->mapping_count);
    return writer->mapping_count;
}

/*
 * The folder that a source file's package is in, as a mapping: what the file's short name leaves out, which can so be
 * read back. 0: none.
 */
static uint64_t find_folder(struct pprof_writer *writer, uint32_t file)
{
    size_t len, short_len;
    const char *path = profile_string(writer->profile, file, &len);
    const char *short_path = profile_string(writer->profile, profile_short_file(writer->profile, file), &short_len);
    if (short_len >= len || memcmp(path + len - short_len, short_path, short_len) != 0)
        return 0;
    buffer_clear(&writer->text);
    escape_visible(&writer->text, path, len - short_len);
    writer->has_failed |= writer->text.failed;
    return find_mapping(writer, find_text(writer, buffer_text(&writer->text), writer->text.len));
}

/* Native code without a source is in its library, as pprof has it; 0: the frame is in nothing. */
static uint64_t find_place(struct pprof_writer *writer, const struct profile_frame *frame)
{
    if (frame->kind == FRAME_KERNEL)
        return find_mapping(writer, find_word(writer, pprof_kernel_mapping));
    if (native_frame_is_in_library(writer->profile, frame))
        return find_mapping(writer, find_string(writer, frame->file));
    return profile_frame_has_file(writer->profile, frame) ? find_folder(writer, frame->file) : 0;
}

/* A function's name. pprof takes functions of one name for one, and a system call is often called by its own. */
static uint32_t find_name(struct pprof_writer *writer, const struct profile_frame *frame)
{
    uint32_t name = find_string(writer, frame->name);
    if (writer->text.len == 0)
        return find_word(writer, LABEL_NO_NAME); /* pprof shows an address instead of an empty name */
    if (frame->kind != FRAME_KERNEL)
        return name;
    buffer_append_text(&writer->text, pprof_kernel_ending);
    writer->has_failed |= writer->text.failed;
    return find_text(writer, buffer_text(&writer->text), writer->text.len);
}

static void put_location(struct pprof_writer *writer, const struct profile_frame *location, uint64_t mapping,
                         uint64_t id)
{
    Pprof__Line line = PPROF__LINE__INIT;
    line.function_id = find_function(writer, location);
    line.line = location->line;
    Pprof__Location message = PPROF__LOCATION__INIT;
    message.id = id;
    message.mapping_id = mapping;
    message.n_line = 1;
    message.line = &(Pprof__Line *){&line};
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_location = 1;
    profile.location = &(Pprof__Location *){&message};
    put(writer, &profile);
}

/* The id of a frame's location, which goes out with its function when it is new. */
static uint64_t find_location(struct pprof_writer *writer, uint32_t frame)
{
    if (writer->locations[frame] != 0)
        return writer->locations[frame];
    const struct profile_frame *seen = profile_frame(writer->profile, frame);
    const struct profile_frame location = {
        .kind = FRAME_PYTHON,
        .name = find_name(writer, seen),
        .file = native_frame_is_in_library(writer->profile, seen) ? 0 : find_string(writer, seen->file),
        .line = seen->line,
        .first_line = seen->first_line,
        .member = (uint32_t)find_place(writer, seen), /* so that functions of two libraries stay apart */
    };
    uint32_t known = profile_frame_count(writer->tables);
    uint32_t id = profile_intern_frame(writer->tables, &location);
    if (id == PROFILE_NONE) {
        writer->has_failed = true;
        return 1;
    }
    writer->locations[frame] = id;
    if (id == known)
        put_location(writer, &location, location.member, id);
    return id;
}

/* The labels of a sample, and what they are put together from. */
struct label_list {
    Pprof__Label labels[LABEL_LIMIT];
    Pprof__Label *pointers[LABEL_LIMIT];
    size_t count;
};

/* Adds a label with a text or a number; without both, there is none. */
static void add_label(struct pprof_writer *writer, struct label_list *list, const char *key, uint32_t string,
                      int64_t number)
{
    if (list->count == LABEL_LIMIT)
        return;
    Pprof__Label *label = &list->labels[list->count];
    pprof__label__init(label);
    label->str = string == PROFILE_NONE ? 0 : find_string(writer, string);
    label->num = number;
    if (label->str == 0 && label->num == 0)
        return;
    label->key = find_word(writer, key);
    list->pointers[list->count++] = label;
}

static void add_process(struct pprof_writer *writer, struct label_list *list, uint32_t process)
{
    uint32_t count;
    const struct profile_process *seen = &profile_processes(writer->profile, &count)[process];
    add_label(writer, list, "pid", PROFILE_NONE, seen->pid);
    add_label(writer, list, "process", seen->command_line, 0);
    add_label(writer, list, "python", seen->python_version, 0);
}

static void add_thread(struct pprof_writer *writer, struct label_list *list, uint32_t thread)
{
    uint32_t count;
    const struct profile_thread *seen = &profile_threads(writer->profile, &count)[thread];
    add_label(writer, list, "thread", seen->name, 0);
    add_label(writer, list, "thread_id", PROFILE_NONE, seen->os_id);
    if (seen->os_id == 0)
        add_label(writer, list, "thread_ident", PROFILE_NONE, (int64_t)seen->id);
}

/* The product, or the largest number when that is larger. */
static int64_t multiply(uint64_t samples, uint64_t interval_ns)
{
    uint64_t product;
    if (__builtin_mul_overflow(samples, interval_ns, &product) || product > INT64_MAX)
        return INT64_MAX;
    return (int64_t)product;
}

/* Collects the frames of a stack and who it is of; returns how many frames there are. */
static size_t collect(struct pprof_writer *writer, const struct profile_node *nodes, uint32_t node,
                      struct label_list *labels)
{
    size_t depth = 0;
    for (; node != PROFILE_ROOT; node = nodes[node].parent) {
        const struct profile_frame *frame = profile_frame(writer->profile, nodes[node].frame);
        if (frame->kind == FRAME_THREAD)
            add_thread(writer, labels, frame->member);
        else if (frame->kind == FRAME_PROCESS)
            add_process(writer, labels, frame->member);
        else
            writer->path[depth++] = find_location(writer, nodes[node].frame);
    }
    return depth;
}

static void put_sample(struct pprof_writer *writer, const struct profile_node *nodes, uint32_t node)
{
    uint64_t interval_ns = profile_get_info(writer->profile)->interval_ns;
    struct label_list labels = {.count = 0};
    int64_t values[] = {
        multiply(nodes[node].self, 1),
        multiply(writer->active[node], interval_ns),
        multiply(nodes[node].self, interval_ns),
    };
    Pprof__Sample sample = PPROF__SAMPLE__INIT;
    sample.n_location_id = collect(writer, nodes, node, &labels);
    sample.location_id = writer->path;
    sample.n_value = array_size(values);
    sample.value = values;
    sample.n_label = labels.count;
    sample.label = labels.pointers;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_sample = 1;
    profile.sample = &(Pprof__Sample *){&sample};
    put(writer, &profile);
}

static void put_samples(struct pprof_writer *writer)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(writer->profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].self > 0)
            put_sample(writer, nodes, i);
    }
}

/*
 * The first mapping is the program: pprof names the profile by it. No location is in it, as -focus looks at the names
 * of mappings, too.
 */
static void put_program(struct pprof_writer *writer)
{
    uint32_t count;
    const struct profile_node *root = profile_nodes(writer->profile, &count);
    find_mapping(writer, find_string(writer, profile_frame(writer->profile, root->frame)->name));
}

static Pprof__ValueType value_type(struct pprof_writer *writer, const char *type, const char *unit)
{
    Pprof__ValueType ret = PPROF__VALUE_TYPE__INIT;
    ret.type = find_word(writer, type);
    ret.unit = find_word(writer, unit);
    return ret;
}

static void put_head(struct pprof_writer *writer)
{
    const struct profile_info *info = profile_get_info(writer->profile);
    Pprof__ValueType samples = value_type(writer, "samples", "count");
    Pprof__ValueType cpu = value_type(writer, "cpu", "nanoseconds");
    Pprof__ValueType wall = value_type(writer, "wall", "nanoseconds");
    Pprof__ValueType *types[] = {&samples, &cpu, &wall};
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_sample_type = array_size(types);
    profile.sample_type = types;
    profile.default_sample_type = wall.type;
    profile.period_type = &wall;
    profile.period = multiply(1, info->interval_ns);
    profile.time_nanos = multiply(1, info->start_unix_ns);
    profile.duration_nanos = multiply(1, info->duration_ns);
    put(writer, &profile);
}

static void put_comment(struct pprof_writer *writer, uint32_t string)
{
    int64_t comment = string;
    Pprof__Profile profile = PPROF__PROFILE__INIT;
    profile.n_comment = 1;
    profile.comment = &comment;
    put(writer, &profile);
}

static void put_comments(struct pprof_writer *writer)
{
    cleanup_buffer struct buffer facts = {0};
    pprof_facts_append(&facts, writer->profile);
    writer->has_failed |= facts.failed;
    for (size_t at = 0; at < facts.len; at += strlen(facts.data + at) + 1)
        put_comment(writer, find_word(writer, facts.data + at));
}

static void put_strings(struct pprof_writer *writer)
{
    uint32_t count = profile_string_count(writer->tables);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        char *string = (char *)profile_string(writer->tables, i, &len); /* protobuf-c's fields are not const */
        Pprof__Profile profile = PPROF__PROFILE__INIT;
        profile.n_string_table = 1;
        profile.string_table = &string;
        put(writer, &profile);
    }
}

static struct error *count_active(void *context, const struct sample *sample)
{
    struct pprof_writer *writer = context;
    if (sample->states & SAMPLE_ACTIVE)
        writer->active[sample->node] += sample->weight;
    return NULL;
}

struct error *pprof_write(const struct view *view, const struct format_options *options, FILE *out)
{
    (void)options; /* labels are pprof's own, and it can make them shorter itself */
    struct pprof_writer writer __attribute__((cleanup(writer_deinit))) = {0};
    struct error *error = writer_init(&writer, view_profile(view), out);
    if (!error)
        error = view_each_sample(view, count_active, &writer);
    if (error)
        return error;
    put_head(&writer);
    put_program(&writer);
    put_samples(&writer);
    put_comments(&writer);
    put_strings(&writer);
    gzip_stream_finish(writer.stream);
    return writer.has_failed ? error_no_memory() : NULL;
}
