/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include "base/table.h"

#include <stdlib.h>
#include <time.h>

static uint64_t begin_of(const struct schedule *schedule, uint64_t interval)
{
    return schedule->start_ns + interval * schedule->interval_ns;
}

static uint64_t group_end(const struct schedule *schedule)
{
    return schedule->group_begin + schedule->group_len;
}

/* Of those that have begun by now the last one's number; that of the end behind it. */
static uint64_t running_interval(const struct schedule *schedule, uint64_t now_ns)
{
    uint64_t running = now_ns > schedule->start_ns ? (now_ns - schedule->start_ns) / schedule->interval_ns : 0;
    return running < schedule->interval_limit ? running : schedule->interval_limit;
}

/* How many intervals a group has that begins with the current one. One that the end cuts is a group of its own. */
static uint32_t choose_len(const struct schedule *schedule)
{
    uint64_t limit = SCHEDULE_GROUP_NS / schedule->interval_ns;
    uint64_t whole = (schedule->end_ns - schedule->start_ns) / schedule->interval_ns;
    uint64_t left = whole > schedule->interval ? whole - schedule->interval : 1;
    limit = limit < SCHEDULE_GROUP_LIMIT ? limit : SCHEDULE_GROUP_LIMIT;
    limit = limit < left ? limit : left;
    return limit > 0 ? (uint32_t)limit : 1;
}

static int compare_times(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static void begin_group(struct schedule *schedule)
{
    schedule->group_begin = schedule->interval;
    schedule->group_len = choose_len(schedule);
    uint64_t begin_ns = begin_of(schedule, schedule->interval), len_ns = schedule->group_len * schedule->interval_ns;
    for (uint32_t i = 0; i < schedule->group_len; i++) {
        schedule->random = hash_number(schedule->random + 0x9e3779b97f4a7c15U);
        schedule->deadlines[i] = begin_ns + (uint64_t)(((unsigned __int128)schedule->random * len_ns) >> 64);
    }
    qsort(schedule->deadlines, schedule->group_len, sizeof(schedule->deadlines[0]), compare_times);
    schedule->deadline_ns = schedule->deadlines[0];
}

/* Moves on to an interval of this group, or to the first one of the next. */
static void move_to(struct schedule *schedule, uint64_t interval)
{
    schedule->interval = interval;
    if (interval < group_end(schedule))
        schedule->deadline_ns = schedule->deadlines[interval - schedule->group_begin];
    else
        begin_group(schedule);
}

void schedule_init(struct schedule *schedule, uint64_t start_ns, uint64_t interval_ns, uint64_t duration_ns,
                   uint64_t seed)
{
    uint64_t limit = (duration_ns + interval_ns - 1) / interval_ns;
    *schedule = (struct schedule){
        .start_ns = start_ns,
        .origin_ns = start_ns,
        .interval_ns = interval_ns,
        .end_ns = duration_ns == 0 ? UINT64_MAX : start_ns + duration_ns,
        .interval_limit = duration_ns == 0 ? UINT64_MAX : limit,
        .random = seed,
    };
    begin_group(schedule);
}

bool schedule_is_over(const struct schedule *schedule)
{
    return schedule->interval >= schedule->interval_limit || schedule->deadline_ns >= schedule->end_ns;
}

uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns)
{
    uint64_t next = schedule->interval + 1, running = running_interval(schedule, now_ns);
    uint64_t interval = running > group_end(schedule) ? running : next;
    while (interval < group_end(schedule) &&
           schedule->deadlines[interval - schedule->group_begin] + schedule->interval_ns <= now_ns)
        interval++;
    move_to(schedule, interval);
    return interval - next;
}

uint64_t schedule_due(const struct schedule *schedule, uint64_t now_ns)
{
    uint64_t interval = schedule->interval, running = running_interval(schedule, now_ns);
    if (running >= group_end(schedule))
        return running;
    while (interval < group_end(schedule) && schedule->deadlines[interval - schedule->group_begin] < now_ns)
        interval++;
    return interval;
}

uint64_t schedule_begin_of(const struct schedule *schedule, uint64_t interval)
{
    uint64_t begin_ns = begin_of(schedule, interval);
    return begin_ns > schedule->origin_ns ? begin_ns - schedule->origin_ns : 0;
}

uint64_t schedule_time(const struct schedule *schedule)
{
    uint64_t time_ns = schedule->deadline_ns > schedule->origin_ns ? schedule->deadline_ns - schedule->origin_ns : 0;
    uint64_t begin_ns = schedule_begin_of(schedule, schedule->interval);
    uint64_t end_ns = schedule_begin_of(schedule, schedule->interval + 1);
    if (time_ns < begin_ns)
        return begin_ns;
    return time_ns < end_ns || end_ns == 0 ? time_ns : end_ns - 1;
}

void schedule_count_from(struct schedule *schedule, uint64_t now_ns)
{
    schedule->origin_ns = begin_of(schedule, running_interval(schedule, now_ns));
}

void schedule_leave(struct schedule *schedule, uint64_t now_ns)
{
    move_to(schedule, schedule_due(schedule, now_ns));
}

void schedule_put_off(struct schedule *schedule, uint64_t pause_ns)
{
    schedule->start_ns += pause_ns;
    schedule->origin_ns += pause_ns;
    schedule->deadline_ns += pause_ns;
    if (schedule->end_ns != UINT64_MAX)
        schedule->end_ns += pause_ns;
    for (uint32_t i = 0; i < schedule->group_len; i++)
        schedule->deadlines[i] += pause_ns;
}

uint64_t monotonic_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
