/* SPDX-License-Identifier: MIT */
#include "known_stacks.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { LEN_LIMIT = 1 << 19 }; /* bytes of a stack; longer ones are seen in dumps only */

#if defined(__aarch64__)
static unw_regnum_t saved_number(unsigned index)
{
    return 19 + (unw_regnum_t)index;
}
#else
static unw_regnum_t saved_number(unsigned index)
{
    static const unw_regnum_t numbers[SAVED_COUNT] = {3, 6, 12, 13, 14, 15};
    return numbers[index];
}
#endif

void saved_registers_read(unw_cursor_t *cursor, struct saved_registers *ret)
{
    ret->is_known = true;
    for (unsigned i = 0; i < SAVED_COUNT; i++)
        ret->is_known &= unw_get_reg(cursor, saved_number(i), &ret->values[i]) >= 0;
}

static bool saved_registers_equal(const struct saved_registers *a, const struct saved_registers *b)
{
    return a->is_known && b->is_known && memcmp(a->values, b->values, sizeof(a->values)) == 0;
}

void known_stacks_deinit(struct known_stacks *known)
{
    kept_stacks_deinit(&known->kept);
    for (unsigned i = 0; i < KEPT_STACK_LIMIT; i++) {
        free(known->frames[i].frames);
        free(known->frames[i].saved);
    }
    *known = (struct known_stacks){0};
}

void known_stacks_forget(struct known_stacks *known)
{
    kept_stacks_forget(&known->kept);
}

void known_stacks_begin(struct known_stacks *known, const struct native_stack *stack)
{
    remote_addr end = stack->start + stack->len;
    known->current = kept_stacks_find(&known->kept, end);
    known->next = known->frames[known->current].count;
    known->same_from = end - kept_stack_same_len(&known->kept.stacks[known->current], stack->bytes, stack->len);
}

uint32_t known_stacks_find(struct known_stacks *known, const struct native_frame *frame,
                           const struct saved_registers *saved, const struct native_frame **ret_frames)
{
    const struct known_frames *current = &known->frames[known->current];
    if (!frame->is_call || frame->sp < known->same_from || frame->sp >= known->kept.stacks[known->current].end)
        return 0;
    while (known->next > 0 && current->frames[known->next - 1].sp < frame->sp)
        known->next--;
    if (known->next == 0)
        return 0;
    const struct native_frame *same = &current->frames[known->next - 1];
    bool is_same = same->sp == frame->sp && same->pc == frame->pc && same->is_call == frame->is_call &&
                   saved_registers_equal(&current->saved[known->next - 1], saved);
    *ret_frames = current->frames;
    return is_same ? known->next : 0;
}

static bool add_frame(struct known_frames *known, const struct native_frame *frame, const struct saved_registers *saved)
{
    if (!array_grow(&known->frames, known->count, &known->frame_capacity, sizeof(*frame)) ||
        !array_grow(&known->saved, known->count, &known->saved_capacity, sizeof(*saved)))
        return false;
    known->frames[known->count] = *frame;
    known->saved[known->count++] = *saved;
    return true;
}

void known_stacks_keep(struct known_stacks *known, const struct native_stack *stack, const struct native_frame *frames,
                       const struct saved_registers *saved, uint32_t count, uint32_t known_count)
{
    struct kept_stack *kept = &known->kept.stacks[known->current];
    struct known_frames *current = &known->frames[known->current];
    bool is_known = stack->len <= LEN_LIMIT;
    for (uint32_t i = 0; i + 1 < count && i < count - known_count; i++)
        is_known &= frames[i].sp <= frames[i + 1].sp;
    kept->len = is_known ? kept->len : 0;
    current->count = known_count;
    if (!is_known || !kept_stack_update(kept, stack->bytes, known->same_from - stack->start, stack->len))
        return;
    for (uint32_t i = count - known_count; i-- > 0;) {
        if (!add_frame(current, &frames[i], &saved[i])) {
            kept->len = 0;
            return;
        }
    }
}
