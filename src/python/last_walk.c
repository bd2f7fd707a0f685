/* SPDX-License-Identifier: MIT */
#include "last_walk.h"

#include "base/table.h"

#include <stdlib.h>

enum {
    THREAD_LIMIT = 256,  /* that are remembered, */
    FRAME_LIMIT = 16384, /* and frames of all of them */
    LOOK_AHEAD = 32,     /* frames that may be gone since, with those that are further out still there */
};

static void deinit_stacks(struct walked_stacks *stacks)
{
    free(stacks->frames);
    free(stacks->threads);
}

void last_walk_deinit(struct last_walk *last_walk)
{
    deinit_stacks(&last_walk->before);
    deinit_stacks(&last_walk->now);
    *last_walk = (struct last_walk){0};
}

/* Lets what was walked now be what is remembered. */
static void turn_over(struct last_walk *last_walk)
{
    struct walked_stacks before = last_walk->before;
    last_walk->before = last_walk->now;
    last_walk->now = before;
    last_walk->now.frame_count = last_walk->now.thread_count = 0;
    last_walk->next_thread = 0;
}

/* Its place among the threads, looked for from `first` on and then from the start; their count when it is none. */
static uint32_t find_thread(const struct walked_stacks *stacks, remote_addr thread, uint32_t first)
{
    for (uint32_t i = 0; i < stacks->thread_count; i++) {
        uint32_t place = (first + i) % stacks->thread_count;
        if (stacks->threads[place].address == thread)
            return place;
    }
    return stacks->thread_count;
}

/* Whether there is room for one more thread, and it is noted. */
static bool note_thread(struct walked_stacks *stacks, remote_addr thread)
{
    if (!array_grow(&stacks->threads, stacks->thread_count, &stacks->thread_capacity, sizeof(*stacks->threads)))
        return false;
    stacks->threads[stacks->thread_count++] = (struct walked_thread){thread, stacks->frame_count, stacks->frame_count};
    return true;
}

void last_walk_begin_thread(struct last_walk *last_walk, remote_addr thread)
{
    bool is_full = last_walk->now.thread_count >= THREAD_LIMIT || last_walk->now.frame_count >= FRAME_LIMIT;
    if (is_full || find_thread(&last_walk->now, thread, 0) < last_walk->now.thread_count)
        turn_over(last_walk);
    uint32_t place = find_thread(&last_walk->before, thread, last_walk->next_thread);
    bool is_known = place < last_walk->before.thread_count;
    last_walk->next = is_known ? last_walk->before.threads[place].first : 0;
    last_walk->end = is_known ? last_walk->before.threads[place].end : 0;
    if (is_known)
        last_walk->next_thread = place + 1;
    last_walk->is_remembering = note_thread(&last_walk->now, thread);
}

const struct walked_frame *last_walk_find(struct last_walk *last_walk, remote_addr frame)
{
    uint32_t end = last_walk->end - last_walk->next > LOOK_AHEAD ? last_walk->next + LOOK_AHEAD : last_walk->end;
    for (uint32_t i = last_walk->next; i < end; i++) {
        if (last_walk->before.frames[i].address != frame)
            continue;
        last_walk->next = i + 1;
        return &last_walk->before.frames[i];
    }
    return NULL;
}

void last_walk_add(struct last_walk *last_walk, const struct walked_frame *frame)
{
    struct walked_stacks *now = &last_walk->now;
    if (!last_walk->is_remembering || now->frame_count >= FRAME_LIMIT ||
        !array_grow(&now->frames, now->frame_count, &now->frame_capacity, sizeof(*now->frames)))
        return;
    now->frames[now->frame_count++] = *frame;
    now->threads[now->thread_count - 1].end = now->frame_count;
}

uint32_t last_walk_find_rest(struct last_walk *last_walk, remote_addr frame, const struct walked_frame **ret)
{
    const struct walked_frame *found = last_walk_find(last_walk, frame);
    if (!found)
        return 0;
    *ret = found;
    return last_walk->end - (uint32_t)(found - last_walk->before.frames);
}

void last_walk_add_rest(struct last_walk *last_walk, const struct walked_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        last_walk_add(last_walk, &frames[i]);
    last_walk->next = (uint32_t)(frames - last_walk->before.frames) + count;
}
