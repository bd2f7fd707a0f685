/* SPDX-License-Identifier: MIT */
#include "profile/dump_history.h"

#include "profile/process_dump.h"

#include <stdlib.h>

/* What is kept of a thread: who it is, and where it was. */
struct dump_trace {
    int64_t pid, interpreter;
    uint64_t id, os_id;
    uint64_t stack; /* a hash */
    uint32_t unchanged;
};

static void deinit_traces(struct dump_traces *traces)
{
    free(traces->traces);
    table_deinit(&traces->by_thread);
    *traces = (struct dump_traces){0};
}

void dump_history_deinit(struct dump_history *history)
{
    deinit_traces(&history->before);
    deinit_traces(&history->now);
}

static uint64_t hash_stack(const struct dump_thread *thread)
{
    uint64_t hash = thread->frame_count;
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct dump_frame *frame = &thread->frames[i];
        hash = hash_pair(hash, hash_bytes(frame->name.bytes, frame->name.len));
        hash = hash_pair(hash, hash_bytes(frame->filename.bytes, frame->filename.len));
        hash = hash_pair(hash, hash_pair(hash_number((uint32_t)frame->line), hash_number((uint32_t)frame->column)));
    }
    return hash;
}

static uint64_t hash_thread(const struct dump_trace *trace)
{
    uint64_t process = hash_pair(hash_number((uint64_t)trace->pid), hash_number((uint64_t)trace->interpreter));
    return hash_pair(process, hash_pair(hash_number(trace->id), hash_number(trace->os_id)));
}

static bool is_thread(const void *context, uint32_t index, const void *key)
{
    const struct dump_trace *a = &((const struct dump_traces *)context)->traces[index], *b = key;
    return a->pid == b->pid && a->interpreter == b->interpreter && a->id == b->id && a->os_id == b->os_id;
}

/* One whose stack could not be read whole is never called unchanged. */
static bool compare_thread(struct dump_history *history, const struct process_dump *dump, struct dump_thread *thread)
{
    struct dump_traces *before = &history->before, *now = &history->now;
    struct dump_trace trace = {.pid = dump->pid,
                               .interpreter = thread->interpreter,
                               .id = thread->id,
                               .os_id = thread->os_id,
                               .stack = hash_stack(thread)};
    uint64_t hash = hash_thread(&trace);
    uint32_t index = table_find(&before->by_thread, hash, is_thread, before, &trace);
    if (index != TABLE_NONE && before->traces[index].stack == trace.stack && !thread->failure)
        trace.unchanged = before->traces[index].unchanged + 1;
    thread->unchanged = trace.unchanged;
    if (!array_grow(&now->traces, now->count, &now->capacity, sizeof(*now->traces)) ||
        !table_insert(&now->by_thread, hash, now->count))
        return false;
    now->traces[now->count++] = trace;
    return true;
}

bool dump_history_compare(struct dump_history *history, struct process_dump *dump)
{
    bool has_memory = true;
    for (uint32_t i = 0; has_memory && i < dump->thread_count; i++)
        has_memory = compare_thread(history, dump, &dump->threads[i]);
    return has_memory;
}

void dump_history_next(struct dump_history *history)
{
    struct dump_traces before = history->before;
    history->before = history->now;
    history->now = before;
    history->now.count = 0;
    table_clear(&history->now.by_thread);
}
