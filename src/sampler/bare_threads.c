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

/* Numbers of threads in procfs, in ascending order: there can be tens of thousands. */
struct id_set {
    pid_t *ids;
    uint32_t count;
};

static void id_set_deinit(struct id_set *set)
{
    free(set->ids);
}

#define cleanup_id_set __attribute__((cleanup(id_set_deinit)))

static int compare_ids(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a, second = *(const pid_t *)b;
    return (first > second) - (first < second);
}

static void sort(struct id_set *set)
{
    if (set->count > 0)
        qsort(set->ids, set->count, sizeof(*set->ids), compare_ids);
}

static bool contains(const struct id_set *set, pid_t tid)
{
    return set->count > 0 && bsearch(&tid, set->ids, set->count, sizeof(*set->ids), compare_ids);
}

/* Makes the set that of a list's threads. False without memory. */
static bool take_ids(struct id_set *set, const struct thread_list *list)
{
    set->ids = malloc((list->count + (size_t)1) * sizeof(*set->ids));
    if (!set->ids)
        return false;
    for (uint32_t i = 0; i < list->count; i++)
        set->ids[set->count++] = list->threads[i].task.tid;
    sort(set);
    return true;
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
static void remove_gone(struct bare_threads *bare, const struct id_set *known, const struct id_set *there)
{
    struct thread_list *list = &bare->list;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct sampled_thread *thread = &list->threads[i];
        if (contains(there, thread->task.tid) && !contains(known, thread->task.tid))
            list->threads[kept++] = *thread;
        else
            task_deinit(&thread->task);
    }
    list->count = kept;
}

static bool list_threads(struct bare_threads *bare, const struct process *process, struct thread_list *known)
{
    cleanup_id_set struct id_set there = {0}, with_python = {0}, without = {0};
    bool has_memory = true;
    cleanup_error struct error *error = process_thread_ids(process, &there.ids, &there.count);
    if (error)
        return true;
    sort(&there);
    if (!take_ids(&with_python, known))
        return false;
    remove_gone(bare, &with_python, &there);
    if (!take_ids(&without, &bare->list))
        return false;
    for (uint32_t i = 0; has_memory && i < there.count; i++) {
        if (!contains(&with_python, there.ids[i]) && !contains(&without, there.ids[i]))
            has_memory = add(bare, process, there.ids[i], known);
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
        thread->is_active = task_read_activity(&thread->task, &thread->futex) == TASK_RUNS;
    }
    return has_memory;
}

bool bare_threads_copy(struct sampled_thread *thread, struct c_stacks *c_stacks)
{
    struct stop stop;
    struct registers registers;
    struct task_state state;
    if (!thread->is_active && c_stacks_keep(c_stacks, thread))
        return true;
    if (!task_read_state(&thread->task, &state) || state.is_deaf)
        return true;
    if (!stop_begin(&stop, &thread->task))
        return true;
    stop_wait(&stop, 1);
    if (stop_read_registers(&stop, &registers))
        c_stacks_copy(c_stacks, &registers, thread);
    return stop_end(&stop);
}
