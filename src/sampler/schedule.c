/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include "base/table.h"

#include <time.h>

static void choose_deadline(struct schedule *schedule)
{
    schedule->random = hash_number(schedule->random + 0x9e3779b97f4a7c15U);
    uint64_t offset = (uint64_t)(((unsigned __int128)schedule->random * schedule->interval_ns) >> 64);
    schedule->deadline_ns = schedule->start_ns + schedule->interval * schedule->interval_ns + offset;
}

void schedule_init(struct schedule *schedule, uint64_t start_ns, uint64_t interval_ns, uint64_t duration_ns,
                   uint64_t seed)
{
    uint64_t limit = (duration_ns + interval_ns - 1) / interval_ns;
    *schedule = (struct schedule){
        .start_ns = start_ns,
        .interval_ns = interval_ns,
        .end_ns = duration_ns == 0 ? UINT64_MAX : start_ns + duration_ns,
        .interval_limit = duration_ns == 0 ? UINT64_MAX : limit,
        .random = seed,
    };
    choose_deadline(schedule);
}

bool schedule_is_over(const struct schedule *schedule)
{
    return schedule->interval >= schedule->interval_limit || schedule->deadline_ns >= schedule->end_ns;
}

uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns)
{
    uint64_t next = schedule->interval + 1;
    uint64_t running = (now_ns - schedule->start_ns) / schedule->interval_ns;
    if (running > schedule->interval_limit)
        running = schedule->interval_limit;
    uint64_t passed = running > next ? running - next : 0;
    schedule->interval = next + passed;
    choose_deadline(schedule);
    return passed;
}

void schedule_skip_to(struct schedule *schedule, uint64_t interval)
{
    if (interval <= schedule->interval)
        return;
    schedule->interval = interval;
    choose_deadline(schedule);
}

void schedule_resume(struct schedule *schedule, uint64_t since_ns, uint64_t now_ns)
{
    if (schedule->end_ns != UINT64_MAX) {
        schedule->end_ns += now_ns - since_ns;
        schedule->interval_limit =
            (schedule->end_ns - schedule->start_ns + schedule->interval_ns - 1) / schedule->interval_ns;
    }
    uint64_t passed = schedule_advance(schedule, now_ns);
    schedule->paused += passed;
}

uint64_t monotonic_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
