/* SPDX-License-Identifier: MIT */
#include "lateness.h"

/* Shares out intervals in which a thread ran unseen. */
static void owe(struct sampled_thread *thread, const struct look *look, uint32_t intervals)
{
    /* Of an odd number one side gets one more, in turn. */
    uint32_t before = (intervals + (uint32_t)(look->interval % 2)) / 2;
    thread->owed_before = before;
    thread->owed += intervals - before;
    if (thread->owed > OWED_INTERVALS_LIMIT)
        thread->owed = OWED_INTERVALS_LIMIT;
}

void lateness_judge(const struct look *look, struct sampled_thread *thread)
{
    bool is_late = look->late_ns > LATE_NS;
    thread->weight = thread->turns;
    thread->owed_before = thread->owed_now = 0;
    if (thread->is_active) {
        owe(thread, look, look->passed);
        thread->weight += thread->owed;
    } else if (thread->has_run) {
        thread->owed_now = look->passed + is_late;
        owe(thread, look, thread->owed_now);
        thread->is_done |= is_late;
    } else {
        thread->weight += look->passed;
    }
}

/* The current interval is one of those in which the thread ran unseen. */
static void judge_sleeper(const struct look *look, struct sampled_thread *thread)
{
    thread->is_active = false;
    thread->is_done = true;
    thread->owed_now = look->passed + 1;
    owe(thread, look, 1);
}

/*
 * The current interval counts for the stack with which it slept, where sleeping stacks count, and so do those that
 * passed, if it slept in them, too.
 */
static void judge_riser(const struct look *look, struct sampled_thread *thread)
{
    thread->owed_asleep = thread->is_active ? thread->turns : thread->weight;
    thread->owed_now = thread->is_active ? look->passed : thread->owed_now;
    thread->is_active = false;
    thread->is_done = true;
}

void lateness_judge_again(const struct look *look, struct thread_list *threads)
{
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (thread->fell_asleep)
            judge_sleeper(look, thread);
        else if (thread->was_asleep)
            judge_riser(look, thread);
        thread->fell_asleep = thread->was_asleep = false;
    }
}
