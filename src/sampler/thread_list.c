/* SPDX-License-Identifier: MIT */
#include "thread_list.h"

#include "base/table.h"
#include "memory/memory.h"
#include "target/thread_area.h"

#include <stdlib.h>

void thread_list_deinit(struct thread_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        task_deinit(&list->threads[i].task);
    free(list->threads);
    free(list->previous);
    thread_ids_deinit(&list->ids);
    *list = (struct thread_list){0};
}

/* The number that a thread's libc keeps of it; 0 when it has none, and -1 when that memory is gone. */
static pid_t libc_id(const struct python_thread *thread, struct memory *memory, const struct thread_area *area)
{
    uint32_t tid = 0;
    if (memory_read_u32(memory, thread->id + (uint64_t)area->tid_offset, &tid) == MEMORY_FAULT)
        return -1;
    return tid <= INT32_MAX ? (pid_t)tid : 0;
}

/* The number by which a thread knows itself; 0 when it cannot be found out, and -1 when its own memory is gone. */
static pid_t inner_id(const struct python_thread *thread, struct memory *memory, const struct thread_area *area)
{
    if (thread->native_id != 0)
        return thread->native_id <= INT32_MAX ? (pid_t)thread->native_id : 0;
    return libc_id(thread, memory, area);
}

/* Joins a thread with the kernel's one, by the number by which that one knows itself. */
static void join(struct thread_list *list, const struct process *process, struct sampled_thread *thread, pid_t inner)
{
    pid_t tid = inner > 0 ? thread_ids_find(&list->ids, process, inner) : 0;
    cleanup_error struct error *error = tid > 0 ? task_init(&thread->task, process, tid) : NULL;
    if (error)
        thread->task = TASK_NONE;
    thread->inner = inner;
    thread->has_ended = inner < 0 || (error && error->kind == ERROR_TARGET_GONE);
}

static struct sampled_thread meet_thread(struct thread_list *list, const struct process *process, struct memory *memory,
                                         const struct thread_area *area, struct python_thread *python)
{
    struct sampled_thread thread = {
        .address = python->address,
        .id = python->id,
        .native_id = python->native_id,
        .task = TASK_NONE,
        .serial = ++list->last_serial,
        .turns = 1,
        .weight = 1,
    };
    join(list, process, &thread, inner_id(python, memory, area));
    /* In a process that was forked behind Python's back, as uWSGI does, Python has the number that its parent had. */
    if (thread.task.tid == 0 && python->native_id != 0) {
        pid_t inner = libc_id(python, memory, area);
        if (inner > 0)
            join(list, process, &thread, inner);
    }
    return thread;
}

static bool is_same(const struct sampled_thread *thread, const struct python_thread *python)
{
    /* A new thread state holds its maker's numbers for a moment: the thread itself writes its own, one by one. */
    return thread->address == python->address && thread->id == python->id && thread->native_id == python->native_id;
}

/* Finds a thread among those of the last sample, from `first` on and then from the start: the order hardly changes. */
static struct sampled_thread *find_previous(struct sampled_thread *threads, uint32_t count, uint32_t first,
                                            const struct python_thread *wanted)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sampled_thread *thread = &threads[(first + i) % count];
        if (is_same(thread, wanted))
            return thread;
    }
    return NULL;
}

/* Lets the current array become the previous one, and makes room for `count` threads. */
static bool turn_over(struct thread_list *list, uint32_t count)
{
    while (list->previous_capacity < count) {
        if (!array_grow(&list->previous, list->previous_capacity, &list->previous_capacity, sizeof(*list->previous)))
            return false;
    }
    struct sampled_thread *threads = list->threads;
    uint32_t capacity = list->capacity;
    list->threads = list->previous;
    list->capacity = list->previous_capacity;
    list->previous = threads;
    list->previous_capacity = capacity;
    return true;
}

bool thread_list_update(struct thread_list *list, const struct process *process, struct memory *memory,
                        const struct thread_area *area, struct python *python)
{
    uint32_t count, old_count = list->count, next = 0;
    struct python_thread *python_threads_now = python_threads(python, &count);
    if (!turn_over(list, count))
        return false;
    thread_ids_begin(&list->ids);
    for (uint32_t i = 0; i < count; i++) {
        struct sampled_thread *known = find_previous(list->previous, old_count, next, &python_threads_now[i]);
        /* To 3.10, a new thread may have all the numbers of one that ended, but its own. */
        if (known && known->has_ended && known->native_id == 0 &&
            inner_id(&python_threads_now[i], memory, area) != known->inner)
            known = NULL;
        if (known) {
            next = (uint32_t)(known - list->previous) + 1;
            list->threads[i] = *known;
            known->task = TASK_NONE;
            known->address = 0;
        } else {
            list->threads[i] = meet_thread(list, process, memory, area, &python_threads_now[i]);
        }
        list->threads[i].python = &python_threads_now[i];
    }
    list->count = count;
    for (uint32_t i = 0; i < old_count; i++)
        task_deinit(&list->previous[i].task);
    return true;
}

struct sampled_thread *thread_list_find(const struct thread_list *list, remote_addr address)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->threads[i].address == address)
            return &list->threads[i];
    }
    return NULL;
}

uint32_t thread_list_count_ended(const struct thread_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        count += list->threads[i].has_ended;
    return count;
}
