/* SPDX-License-Identifier: MIT */
#include "imported.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_writer.h"

#include <inttypes.h>
#include <string.h>

enum {
    BATCH_LIMIT = 4096,
    BLOCK_LEN = 1 << 20, /* bytes that are gathered before they are written */
};

const struct import_limits import_limits = {
    .text_len = UINT64_C(4) << 30,
    .pprof_len = UINT64_C(1) << 30,
    .memory = (size_t)3 << 30,
    .frames = UINT64_C(1) << 31,
    .nodes = UINT32_C(1) << 24,
    .samples = UINT64_C(1) << 53,
};

struct error *imported_init(struct imported *imported, int fd, const char *root, const char *title)
{
    imported->batch = malloc(BATCH_LIMIT * sizeof(*imported->batch));
    if (!imported->batch)
        return error_no_memory();
    struct error *error = profile_create(root, title, &imported->profile);
    return error ? error : recording_writer_create(fd, &imported->writer);
}

void imported_deinit(struct imported *imported)
{
    profile_destroy(imported->profile);
    recording_writer_destroy(imported->writer);
    free(imported->batch);
    free(imported->ends_ns);
    table_deinit(&imported->process_table);
    table_deinit(&imported->thread_table);
}

void imported_assume_interval(struct imported *imported, uint64_t samples)
{
    bool fits = samples <= INT64_MAX / IMPORT_INTERVAL_NS;
    profile_info(imported->profile)->interval_ns = fits ? IMPORT_INTERVAL_NS : 1;
    cleanup_buffer struct buffer shown = {0};
    escape_visible(&shown, imported->name, strlen(imported->name));
    buffer_format(imported->notes,
                  "%s does not say what time a sample stands for: times are as if it were %s, and only shares can be "
                  "relied on\n",
                  buffer_text(&shown), fits ? "10 ms" : "1 ns");
}

static bool process_equals(const void *context, uint32_t index, const void *key)
{
    uint32_t count;
    const struct profile_process *process = &profile_processes(context, &count)[index];
    const struct profile_process *wanted = key;
    return process->pid == wanted->pid && process->command_line == wanted->command_line;
}

uint32_t imported_process(struct imported *imported, const struct profile_process *process)
{
    uint64_t hash = hash_pair((uint64_t)process->pid, process->command_line);
    uint32_t found = table_find(&imported->process_table, hash, process_equals, imported->profile, process);
    if (found != TABLE_NONE)
        return found;
    uint32_t added = profile_add_process(imported->profile, process);
    return added != PROFILE_NONE && table_insert(&imported->process_table, hash, added) ? added : PROFILE_NONE;
}

static bool thread_equals(const void *context, uint32_t index, const void *key)
{
    uint32_t count;
    const struct profile_thread *thread = &profile_threads(context, &count)[index];
    const struct profile_thread *wanted = key;
    return thread->process == wanted->process && thread->os_id == wanted->os_id && thread->id == wanted->id &&
           thread->name == wanted->name;
}

/* No file says which thread is the main one, but its number or name does. */
static bool is_main_thread(const struct profile *profile, const struct profile_thread *thread)
{
    uint32_t count;
    size_t len;
    int64_t pid = profile_processes(profile, &count)[thread->process].pid;
    const char *name = profile_string(profile, thread->name, &len);
    return (pid != 0 && thread->os_id == pid) || strcmp(name, "MainThread") == 0;
}

uint32_t imported_thread(struct imported *imported, const struct profile_thread *thread)
{
    uint64_t hash =
        hash_pair(hash_pair((uint64_t)thread->process << 32 | thread->name, (uint64_t)thread->os_id), thread->id);
    if (thread->process == PROFILE_NONE)
        return PROFILE_NONE;
    uint32_t found = table_find(&imported->thread_table, hash, thread_equals, imported->profile, thread);
    if (found != TABLE_NONE)
        return found;
    struct profile_thread added = *thread;
    added.is_main = is_main_thread(imported->profile, thread);
    if (!array_grow(&imported->ends_ns, imported->thread_count, &imported->thread_capacity, sizeof(*imported->ends_ns)))
        return PROFILE_NONE;
    uint32_t index = profile_add_thread(imported->profile, &added);
    if (index == PROFILE_NONE || !table_insert(&imported->thread_table, hash, index))
        return PROFILE_NONE;
    imported->ends_ns[imported->thread_count++] = 0;
    return index;
}

uint32_t imported_string(struct imported *imported, const char *text, size_t len)
{
    cleanup_buffer struct buffer shown = {0};
    escape_visible(&shown, text, len);
    imported->lacks_memory |= shown.failed;
    return shown.failed ? PROFILE_NONE : profile_intern(imported->profile, buffer_text(&shown), shown.len);
}

static bool is_mark(const struct profile *profile, const struct profile_frame *frame)
{
    size_t len;
    const char *name = profile_string(profile, frame->name, &len);
    return frame->file == PROFILE_NONE && len > 2 && name[0] == '<' && name[len - 1] == '>';
}

uint32_t imported_frame(struct imported *imported, struct profile_frame frame)
{
    if (frame.kind == FRAME_PYTHON && is_mark(imported->profile, &frame))
        frame.kind = FRAME_MARK;
    return profile_intern_frame(imported->profile, &frame);
}

static struct error *refuse(const struct imported *imported, const char *what)
{
    return error_create(ERROR_BAD_DATA, "%s has %s than can be read", imported->name, what);
}

struct error *imported_step(struct imported *imported, uint32_t frame, uint32_t *node)
{
    uint32_t count;
    if (++imported->frames > imported->limits->frames)
        return refuse(imported, "more frames");
    uint32_t child = frame == PROFILE_NONE ? PROFILE_NONE : profile_child(imported->profile, *node, frame);
    if (child == PROFILE_NONE)
        return error_no_memory();
    profile_nodes(imported->profile, &count);
    if (count > imported->limits->nodes)
        return refuse(imported, "more different stacks");
    *node = child;
    return NULL;
}

/* Gives the samples that are waiting to the writer. */
static struct error *pass_on(struct imported *imported)
{
    if (imported->lacks_memory || profile_lacks_memory(imported->profile))
        return error_no_memory();
    recording_writer_gather(imported->writer, imported->profile);
    recording_writer_append(imported->writer, imported->batch, imported->batch_count);
    imported->batch_count = 0;
    return recording_writer_pending(imported->writer) >= BLOCK_LEN ? recording_writer_write(imported->writer) : NULL;
}

static struct error *add_one(struct imported *imported, const struct sample *sample)
{
    imported->batch[imported->batch_count++] = *sample;
    return imported->batch_count == BATCH_LIMIT ? pass_on(imported) : NULL;
}

struct error *imported_add(struct imported *imported, uint32_t thread, uint32_t node, uint64_t samples, uint32_t states)
{
    uint64_t interval_ns = profile_info(imported->profile)->interval_ns, all_ns;
    if (thread == PROFILE_NONE)
        return error_no_memory();
    if (samples > imported->limits->samples - imported->samples)
        return refuse(imported, "larger counts");
    imported->samples += samples;
    if (__builtin_mul_overflow(imported->samples, interval_ns, &all_ns) || all_ns > INT64_MAX)
        return refuse(imported, "larger times");
    struct error *error = NULL;
    while (!error && samples > 0) {
        uint32_t weight = samples < UINT32_MAX ? (uint32_t)samples : UINT32_MAX;
        const struct sample sample = {
            .time_ns = imported->ends_ns[thread] + (weight - 1) * interval_ns, /* in the last of its intervals */
            .thread = thread,
            .node = node,
            .weight = weight,
            .states = states | SAMPLE_COUNTED,
        };
        imported->ends_ns[thread] += weight * interval_ns;
        samples -= weight;
        error = add_one(imported, &sample);
    }
    return error;
}

static void fill_in(const struct imported *imported)
{
    struct profile_info *info = profile_info(imported->profile);
    const struct profile_intervals *intervals = &info->intervals;
    uint64_t end_ns = 0;
    for (uint32_t i = 0; i < imported->thread_count; i++)
        end_ns = imported->ends_ns[i] > end_ns ? imported->ends_ns[i] : end_ns;
    if (info->duration_ns == 0)
        info->duration_ns = end_ns;
    if (intervals->ok == 0 && intervals->idle == 0 && intervals->torn == 0 && intervals->unreadable == 0 &&
        intervals->missed == 0 && info->interval_ns > 0)
        info->intervals.ok = end_ns / info->interval_ns;
}

struct error *imported_finish(struct imported *imported)
{
    fill_in(imported);
    struct error *error = pass_on(imported);
    return error ? error : recording_writer_finish(imported->writer);
}
