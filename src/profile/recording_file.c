/* SPDX-License-Identifier: MIT */
#include "profile/recording_file.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "recording_blocks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What the numbers of a file are in the profile. */
struct number_map {
    uint32_t *numbers;
    uint32_t count, capacity;
};

struct recording_file {
    int fd;
    struct profile *profile;
    struct number_map strings, frames; /* since the tables were begun anew; only while the file is loaded */
    struct number_map *stacks;         /* one each time that they were begun */
    uint32_t stacks_count, stacks_capacity;
    off_t good_end; /* of the last block that can be used */
    off_t len;
    uint32_t version;
    bool has_idle;
    bool is_finished;
    uint32_t unknown_section; /* 0: each is known */
};

bool recording_file_is_one(const void *begin, size_t len)
{
    return len >= RECORDING_MAGIC_LEN && memcmp(begin, recording_magic, RECORDING_MAGIC_LEN) == 0;
}

void recording_file_close(struct recording_file *file)
{
    if (!file)
        return;
    cleanup_close_fd(&file->fd);
    profile_destroy(file->profile);
    free(file->strings.numbers);
    free(file->frames.numbers);
    for (uint32_t i = 0; i < file->stacks_count; i++)
        free(file->stacks[i].numbers);
    free(file->stacks);
    free(file);
}

static bool map_add(struct number_map *map, uint32_t number)
{
    if (number == PROFILE_NONE || !array_grow(&map->numbers, map->count, &map->capacity, sizeof(*map->numbers)))
        return false;
    map->numbers[map->count++] = number;
    return true;
}

static uint32_t decode_mapped(struct decoder *data, const struct number_map *map)
{
    uint64_t number = decode_number(data);
    if (number < map->count)
        return map->numbers[number];
    data->has_failed = true;
    return PROFILE_NONE;
}

/* A string that can be missing. */
static uint32_t decode_optional(struct decoder *data, const struct number_map *strings)
{
    uint64_t number = decode_number(data);
    if (number == 0)
        return PROFILE_NONE;
    if (number <= strings->count)
        return strings->numbers[number - 1];
    data->has_failed = true;
    return PROFILE_NONE;
}

static int32_t decode_line(struct decoder *data)
{
    int64_t line = decode_signed(data);
    return line < INT32_MIN || line > INT32_MAX ? 0 : (int32_t)line;
}

/* Begins the stacks, whose numbers begin with the root's. */
static bool begin_stacks(struct recording_file *file)
{
    file->strings.count = file->frames.count = 0;
    if (!array_grow(&file->stacks, file->stacks_count, &file->stacks_capacity, sizeof(*file->stacks)))
        return false;
    file->stacks[file->stacks_count++] = (struct number_map){0};
    return map_add(&file->stacks[file->stacks_count - 1], PROFILE_ROOT);
}

/* Each of these reads a section into the profile, and returns false without memory; nonsense fails the decoder. */

static bool load_losses(struct recording_file *file, struct decoder *data)
{
    uint32_t known = 0;
    while (data->at < data->end && !data->has_failed) {
        size_t len;
        const char *cause = decode_bytes(data, &len);
        uint64_t count = decode_number(data);
        profile_losses(file->profile, &known);
        data->has_failed |= known >= RECORDING_LOSS_LIMIT;
        if (!data->has_failed && !profile_set_loss(file->profile, cause, len, count))
            return false;
    }
    return true;
}

static bool load_info(struct recording_file *file, struct decoder *data)
{
    size_t root_len, title_len, recorder_len;
    const char *root = decode_bytes(data, &root_len);
    const char *title = decode_bytes(data, &title_len);
    const char *recorder = decode_bytes(data, &recorder_len);
    if (!file->profile) {
        cleanup_free char *root_text = strndup(root, root_len);
        cleanup_free char *title_text = strndup(title, title_len);
        cleanup_error struct error *error = NULL;
        if (!root_text || !title_text)
            return false;
        error = profile_create(root_text, title_text, &file->profile);
        if (error || !begin_stacks(file))
            return false;
    }
    struct profile_info *info = profile_info(file->profile);
    uint64_t *const numbers[] = {&info->interval_ns,    &info->start_unix_ns,        &info->duration_ns,
                                 &info->cpu_ns,         &info->intervals.ok,         &info->intervals.idle,
                                 &info->intervals.torn, &info->intervals.unreadable, &info->intervals.missed};
    for (size_t i = 0; i < array_size(numbers); i++)
        *numbers[i] = decode_number(data);
    if (recorder_len > 0 && !data->has_failed)
        info->recorder = profile_intern(file->profile, recorder, recorder_len);
    return load_losses(file, data);
}

static bool load_string(struct recording_file *file, struct decoder *data)
{
    size_t len;
    const char *text = decode_bytes(data, &len);
    if (len > RECORDING_TEXT_LIMIT)
        data->has_failed = true;
    return data->has_failed || map_add(&file->strings, profile_intern(file->profile, text, len));
}

/* A native frame says what file its code is from; a system call is nothing but its name. */
static bool is_whole_frame(const struct profile_frame *frame)
{
    switch (frame->kind) {
    case FRAME_NATIVE:
        return frame->file != PROFILE_NONE;
    case FRAME_KERNEL:
        return frame->file == PROFILE_NONE && frame->line == 0 && frame->first_line == 0;
    case FRAME_PYTHON:
    case FRAME_THREAD:
    case FRAME_PROCESS:
    case FRAME_MARK:
    case FRAME_KINDS:
        break;
    }
    return true;
}

static bool load_frame(struct recording_file *file, struct decoder *data)
{
    enum frame_kind last = file->version == RECORDING_FIRST_VERSION ? FRAME_MARK : FRAME_KERNEL;
    struct profile_frame frame = {.kind = (enum frame_kind)decode_up_to(data, last)};
    frame.name = decode_mapped(data, &file->strings);
    frame.file = decode_optional(data, &file->strings);
    frame.line = decode_line(data);
    frame.first_line = decode_line(data);
    data->has_failed |= !is_whole_frame(&frame);
    return data->has_failed || map_add(&file->frames, profile_intern_frame(file->profile, &frame));
}

static bool load_short_file(struct recording_file *file, struct decoder *data)
{
    uint32_t long_name = decode_mapped(data, &file->strings);
    uint32_t short_name = decode_mapped(data, &file->strings);
    if (!data->has_failed)
        profile_set_short_file(file->profile, long_name, short_name);
    return true;
}

/* Roots of threads and processes are made when a recording is looked at; in one, they would be taken for such. */
static bool is_of_a_stack(const struct profile_frame *frame)
{
    return frame->kind != FRAME_THREAD && frame->kind != FRAME_PROCESS;
}

static bool load_stack(struct recording_file *file, struct decoder *data)
{
    struct number_map *stacks = &file->stacks[file->stacks_count - 1];
    uint64_t back = decode_up_to(data, stacks->count - 1);
    uint32_t frame = decode_mapped(data, &file->frames);
    if (!data->has_failed)
        data->has_failed = !is_of_a_stack(profile_frame(file->profile, frame));
    if (data->has_failed)
        return true;
    uint32_t parent = back == 0 ? PROFILE_ROOT : stacks->numbers[stacks->count - back];
    return map_add(stacks, profile_child(file->profile, parent, frame));
}

static bool load_process(struct recording_file *file, struct decoder *data)
{
    struct profile_process process = {.pid = (int64_t)decode_number(data)};
    process.command_line = decode_optional(data, &file->strings);
    process.python_version = decode_optional(data, &file->strings);
    return data->has_failed || profile_add_process(file->profile, &process) != PROFILE_NONE;
}

static bool load_thread(struct recording_file *file, struct decoder *data)
{
    uint32_t process_count;
    profile_processes(file->profile, &process_count);
    struct profile_thread thread = {.process = (uint32_t)decode_up_to(data, UINT32_MAX)};
    data->has_failed |= thread.process >= process_count;
    thread.os_id = (int64_t)decode_number(data);
    thread.id = decode_number(data);
    thread.name = decode_optional(data, &file->strings);
    thread.is_main = decode_number(data) == 1;
    return data->has_failed || profile_add_thread(file->profile, &thread) != PROFILE_NONE;
}

static uint32_t count_threads(const struct recording_file *file)
{
    uint32_t count;
    profile_threads(file->profile, &count);
    return count;
}

static bool load_thread_name(struct recording_file *file, struct decoder *data)
{
    uint64_t thread = decode_number(data);
    uint32_t name = decode_optional(data, &file->strings);
    data->has_failed |= thread >= count_threads(file);
    if (!data->has_failed)
        profile_name_thread(file->profile, (uint32_t)thread, name);
    return true;
}

/* Reads one sample; the stacks are those that it can be of. */
static struct sample decode_sample(const struct recording_file *file, const struct number_map *stacks,
                                   struct decoder *data, uint64_t last_ns)
{
    struct sample sample = {.time_ns = last_ns + (uint64_t)decode_signed(data)};
    sample.thread = (uint32_t)decode_up_to(data, UINT32_MAX);
    sample.node = decode_mapped(data, stacks);
    sample.weight = (uint32_t)decode_up_to(data, UINT32_MAX);
    sample.states = (uint32_t)decode_up_to(data, UINT32_MAX);
    data->has_failed |= sample.thread >= count_threads(file);
    return sample;
}

/* Adds up the samples of a section, once all of them are known to be good. */
static bool load_samples(struct recording_file *file, struct decoder *data)
{
    uint64_t last_ns = 0, weight = 0;
    bool has_idle = false;
    while (data->at < data->end && !data->has_failed) {
        struct sample sample = decode_sample(file, &file->stacks[file->stacks_count - 1], data, last_ns);
        last_ns = sample.time_ns;
        weight += sample.weight;
        has_idle |= !(sample.states & SAMPLE_ACTIVE);
    }
    file->has_idle |= has_idle && !data->has_failed;
    if (!data->has_failed)
        profile_info(file->profile)->all_samples += weight;
    return true;
}

typedef bool (*section_loader)(struct recording_file *file, struct decoder *data);

static bool is_full(const struct recording_file *file)
{
    return file->strings.count >= RECORDING_ENTRY_LIMIT || file->frames.count >= RECORDING_ENTRY_LIMIT ||
           file->stacks[file->stacks_count - 1].count >= RECORDING_ENTRY_LIMIT ||
           file->stacks_count >= RECORDING_ENTRY_LIMIT;
}

/* Loads one section, entry by entry. False without memory. */
static bool load_section(struct recording_file *file, enum recording_section section, struct decoder *data)
{
    static const section_loader loaders[] = {
        [SECTION_INFO] = load_info,       [SECTION_STRINGS] = load_string,
        [SECTION_FRAMES] = load_frame,    [SECTION_SHORT_FILES] = load_short_file,
        [SECTION_STACKS] = load_stack,    [SECTION_PROCESSES] = load_process,
        [SECTION_THREADS] = load_thread,  [SECTION_THREAD_NAMES] = load_thread_name,
        [SECTION_SAMPLES] = load_samples,
    };
    if (section > SECTION_END)
        file->unknown_section = section;
    if (section > SECTION_END || (!file->profile && section != SECTION_INFO)) {
        data->has_failed = true;
        return true;
    }
    if (section == SECTION_ANEW)
        return file->strings.count == 0 || begin_stacks(file);
    file->is_finished |= section == SECTION_END;
    while (section != SECTION_END && data->at < data->end && !data->has_failed) {
        if (!loaders[section](file, data))
            return false;
        data->has_failed |= is_full(file);
    }
    return true;
}

/*
 * Loads a block. *ret is false when it does not hold together; what was read of it until then are frames and stacks
 * that nothing refers to.
 */
static struct error *load_block(struct recording_file *file, const struct recording_blocks *blocks, bool *ret)
{
    struct decoder content = recording_blocks_content(blocks), data = {0};
    enum recording_section section;
    const struct profile_info before = file->profile ? *profile_get_info(file->profile) : (struct profile_info){0};
    bool was_finished = file->is_finished;
    *ret = true;
    while (*ret && recording_next_section(&content, &section, &data)) {
        if (!load_section(file, section, &data))
            return error_no_memory();
        *ret = !data.has_failed;
    }
    *ret = *ret && !content.has_failed;
    if (*ret)
        return NULL;
    file->is_finished = was_finished;
    if (file->profile && before.interval_ns != 0)
        *profile_info(file->profile) = before;
    return NULL;
}

static struct error *load(struct recording_file *file)
{
    cleanup_recording_blocks struct recording_blocks blocks = {
        .fd = file->fd, .at = RECORDING_HEAD_LEN, .end = file->len};
    bool is_good = true;
    struct error *error = NULL;
    file->good_end = blocks.at;
    while (!error && is_good && !file->is_finished) {
        error = recording_blocks_next(&blocks, &is_good);
        if (!error && is_good)
            error = load_block(file, &blocks, &is_good);
        if (!error && is_good)
            file->good_end = blocks.at;
    }
    return error;
}

/* Reads the head, which tells the version. */
static struct error *load_head(struct recording_file *file, const char *name)
{
    unsigned char head[RECORDING_HEAD_LEN];
    ssize_t got = pread(file->fd, head, sizeof(head), 0);
    if (got < 0)
        return error_from_errno(errno, "cannot read %s", name);
    if (got < RECORDING_HEAD_LEN || !recording_file_is_one(head, RECORDING_HEAD_LEN))
        return error_create(ERROR_BAD_DATA, "%s is not a recording of pyspyc", name);
    uint32_t version = 0;
    for (int i = 3; i >= 0; i--)
        version = version << 8 | head[RECORDING_MAGIC_LEN + i];
    if (version < RECORDING_FIRST_VERSION || version > RECORDING_VERSION)
        return error_create(
            ERROR_BAD_DATA,
            "%s is a recording of form %u, and this pyspyc knows only forms %d to %d: use the pyspyc that made it",
            name, version, RECORDING_FIRST_VERSION, RECORDING_VERSION);
    file->version = version;
    return NULL;
}

struct error *recording_file_open(int fd, const char *name, struct recording_file **ret)
{
    struct stat status;
    cleanup_recording_file struct recording_file *file = calloc(1, sizeof(*file));
    if (!file)
        return error_no_memory();
    file->fd = fd;
    struct error *error = load_head(file, name);
    if (!error && fstat(fd, &status) != 0)
        error = error_from_errno(errno, "cannot read %s", name);
    if (!error) {
        file->len = status.st_size;
        error = load(file);
    }
    if (!error && file->unknown_section != 0)
        error =
            error_create(ERROR_BAD_DATA,
                         "%s holds something that this pyspyc does not know (section %u): use the pyspyc that made it",
                         name, file->unknown_section);
    if (!error && !file->profile)
        error = file->len <= RECORDING_HEAD_LEN
                    ? error_create(ERROR_BAD_DATA, "nothing was saved in %s yet", name)
                    : error_create(ERROR_BAD_DATA, "%s holds nothing: its first block is not whole", name);
    if (error) {
        file->fd = -1; /* the caller's still */
        return error;
    }
    profile_seal(file->profile);
    *ret = hand_over(&file);
    return NULL;
}

const struct profile *recording_file_profile(const struct recording_file *file)
{
    return file->profile;
}

bool recording_file_has_idle(const struct recording_file *file)
{
    return file->has_idle;
}

bool recording_file_is_finished(const struct recording_file *file)
{
    return file->is_finished;
}

uint64_t recording_file_good_len(const struct recording_file *file)
{
    return (uint64_t)file->good_end;
}

uint64_t recording_file_lost_bytes(const struct recording_file *file)
{
    return (uint64_t)(file->len - file->good_end);
}

static struct error *visit_section(const struct recording_file *file, const struct number_map *stacks,
                                   struct decoder *data, sample_visitor visit, void *context)
{
    uint64_t last_ns = 0;
    while (data->at < data->end) {
        struct sample sample = decode_sample(file, stacks, data, last_ns);
        if (data->has_failed)
            return error_create(ERROR_BAD_DATA, "the recording was changed while it was read");
        last_ns = sample.time_ns;
        struct error *error = visit(context, &sample);
        if (error)
            return error;
    }
    return NULL;
}

struct error *recording_file_each_sample(struct recording_file *file, sample_visitor visit, void *context)
{
    cleanup_recording_blocks struct recording_blocks blocks = {
        .fd = file->fd, .at = RECORDING_HEAD_LEN, .end = file->good_end};
    uint32_t stacks = 0;
    bool is_good = true;
    struct error *error = recording_blocks_next(&blocks, &is_good);
    while (!error && is_good) {
        struct decoder content = recording_blocks_content(&blocks), data;
        enum recording_section section;
        while (!error && recording_next_section(&content, &section, &data)) {
            stacks += section == SECTION_ANEW && stacks + 1 < file->stacks_count;
            if (section == SECTION_SAMPLES)
                error = visit_section(file, &file->stacks[stacks], &data, visit, context);
        }
        if (!error)
            error = recording_blocks_next(&blocks, &is_good);
    }
    return error;
}
