/* SPDX-License-Identifier: MIT */
#include "target/thread_ids.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/table.h"
#include "pid_namespace.h"
#include "target/process.h"

#include <stdlib.h>

void thread_ids_deinit(struct thread_ids *ids)
{
    free(ids->ids);
    *ids = (struct thread_ids){0};
}

void thread_ids_begin(struct thread_ids *ids)
{
    ids->is_fresh = false;
}

/* By what number a thread knows itself; 0 when it has ended. */
static pid_t read_inner(const struct process *process, pid_t tid)
{
    char name[64];
    struct pid_numbers numbers;
    snprintf(name, sizeof(name), "task/%d/status", tid);
    pid_numbers_read(process->directory, name, tid, &numbers);
    return numbers.count > 0 ? numbers.numbers[numbers.count - 1] : 0;
}

static int compare_numbers(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a, second = *(const pid_t *)b;
    return (first > second) - (first < second);
}

/* Makes the list that of the threads that there are now, and reads the inner numbers of those that are new in it. */
static void refresh(struct thread_ids *ids, const struct process *process)
{
    cleanup_free pid_t *tids = NULL;
    struct thread_ids now = {.is_fresh = true};
    uint32_t tid_count = 0, known = 0;
    cleanup_error struct error *error = process_thread_ids(process, &tids, &tid_count);
    ids->is_fresh = true;
    if (error || tid_count == 0)
        return;
    qsort(tids, tid_count, sizeof(*tids), compare_numbers);
    for (uint32_t i = 0; i < tid_count; i++) {
        while (known < ids->count && ids->ids[known].tid < tids[i])
            known++;
        bool is_known = known < ids->count && ids->ids[known].tid == tids[i];
        pid_t inner = is_known ? ids->ids[known].inner : read_inner(process, tids[i]);
        if (inner == 0)
            continue;
        if (!array_grow(&now.ids, now.count, &now.capacity, sizeof(*now.ids)))
            break;
        now.ids[now.count++] = (struct thread_id){tids[i], inner};
    }
    thread_ids_deinit(ids);
    *ids = now;
}

static pid_t find_listed(const struct thread_ids *ids, pid_t inner)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        if (ids->ids[i].inner == inner)
            return ids->ids[i].tid;
    }
    return 0;
}

pid_t thread_ids_find(struct thread_ids *ids, const struct process *process, pid_t inner)
{
    if (!process->has_inner_ids)
        return inner;
    pid_t tid = find_listed(ids, inner);
    /* The numbers of a thread that has ended go to others, each by itself. */
    if (tid != 0 && read_inner(process, tid) == inner)
        return tid;
    if (tid != 0)
        ids->count = 0;
    if (ids->is_fresh)
        return 0;
    refresh(ids, process);
    return find_listed(ids, inner);
}
