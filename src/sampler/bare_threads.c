/* SPDX-License-Identifier: MIT */
#include "bare_threads.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "schedule.h"
#include "target/process.h"
#include "target/stop.h"

#include <stdlib.h>

enum { LIST_EACH_NS = 100000000 }; /* between listings of the process's threads */

void bare_threads_deinit(struct bare_threads *bare)
{
    thread_list_deinit(&bare->list);
}

/* The thread with this number in procfs; NULL when a list has none. */
static struct sampled_thread *find(const struct thread_list *list, pid_t tid)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->threads[i].task.tid == tid)
            return &list->threads[i];
    }
    return NULL;
}

/* What stands for Python's word about a thread. */
static struct python_thread *no_python(void)
{
    static struct python_thread none = {.gil = PYTHON_NO_GIL, .status = PYTHON_OK};
    return &none;
}

/* Adds a thread, unless it has ended. False without memory. */
static bool add(struct bare_threads *bare, const struct process *process, pid_t tid, struct thread_list *known)
{
    struct thread_list *list = &bare->list;
    struct sampled_thread thread = {.task = TASK_NONE, .turns = 1, .weight = 1, .python = no_python()};
    if (!array_grow(&list->threads, list->count, &list->capacity, sizeof(*list->threads)))
        return false;
    cleanup_error struct error *error = task_init(&thread.task, process, tid);
    if (error)
        return true;
    thread.serial = ++known->last_serial;
    list->threads[list->count++] = thread;
    return true;
}

/* Takes out the threads that are not to be in the list any more. */
static void remove_gone(struct bare_threads *bare, const struct thread_list *known, const pid_t *tids, uint32_t count)
{
    struct thread_list *list = &bare->list;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct sampled_thread *thread = &list->threads[i];
        bool is_there = false;
        for (uint32_t j = 0; !is_there && j < count; j++)
            is_there = tids[j] == thread->task.tid;
        if (is_there && !find(known, thread->task.tid))
            list->threads[kept++] = *thread;
        else
            task_deinit(&thread->task);
    }
    list->count = kept;
}

static bool list_threads(struct bare_threads *bare, const struct process *process, struct thread_list *known)
{
    cleanup_free pid_t *tids = NULL;
    uint32_t count = 0;
    bool has_memory = true;
    cleanup_error struct error *error = process_thread_ids(process, &tids, &count);
    if (error)
        return true;
    remove_gone(bare, known, tids, count);
    for (uint32_t i = 0; has_memory && i < count; i++) {
        if (!find(known, tids[i]) && !find(&bare->list, tids[i]))
            has_memory = add(bare, process, tids[i], known);
    }
    return has_memory;
}

bool bare_threads_look(struct bare_threads *bare, const struct process *process, struct thread_list *known)
{
    uint64_t now_ns = monotonic_now_ns();
    bool has_memory = true;
    if (now_ns >= bare->next_list_ns) {
        has_memory = list_threads(bare, process, known);
        bare->next_list_ns = now_ns + LIST_EACH_NS;
    }
    for (uint32_t i = 0; i < bare->list.count; i++) {
        struct sampled_thread *thread = &bare->list.threads[i];
        thread->is_active = task_read_activity(&thread->task) == TASK_RUNS;
    }
    return has_memory;
}

bool bare_threads_copy(struct sampled_thread *thread, struct c_stacks *c_stacks)
{
    struct stop stop;
    struct task_state state;
    if (!thread->is_active && c_stacks_keep(c_stacks, thread))
        return true;
    if (!task_read_state(&thread->task, &state) || state.is_deaf)
        return true;
    if (!stop_begin(&stop, &thread->task))
        return true;
    stop_wait(&stop, 1);
    c_stacks_copy(c_stacks, &stop, thread);
    return stop_end(&stop);
}
