/* SPDX-License-Identifier: MIT */
#include "known_stacks.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { COMPARED_LEN = 256 }; /* bytes that are compared at once */

#if defined(__aarch64__)
static unw_regnum_t saved_number(unsigned index)
{
    return SAVED_FIRST + index;
}
#else
static unw_regnum_t saved_number(unsigned index)
{
    static const unw_regnum_t numbers[SAVED_COUNT] = {3, 6, 12, 13, 14, 15}; /* rbx, rbp, r12 to r15 */
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
    for (unsigned i = 0; i < KNOWN_STACK_LIMIT; i++) {
        free(known->stacks[i].bytes);
        free(known->stacks[i].frames);
        free(known->stacks[i].saved);
    }
    *known = (struct known_stacks){0};
}

static void forget(struct known_stack *stack)
{
    stack->count = 0;
    stack->len = 0;
}

void known_stacks_forget(struct known_stacks *known)
{
    for (unsigned i = 0; i < KNOWN_STACK_LIMIT; i++)
        forget(&known->stacks[i]);
}

/* The stack with this end, or else the place of the one that was not looked for the longest. */
static struct known_stack *find_stack(struct known_stacks *known, remote_addr end)
{
    struct known_stack *oldest = &known->stacks[0];
    for (unsigned i = 0; i < KNOWN_STACK_LIMIT; i++) {
        struct known_stack *stack = &known->stacks[i];
        if (stack->end == end)
            return stack;
        if (stack->run < oldest->run)
            oldest = stack;
    }
    forget(oldest);
    oldest->end = end;
    return oldest;
}

/* How many of the last bytes of a stack are those that it had. */
static size_t same_len(const struct known_stack *known, const struct native_stack *stack)
{
    size_t limit = stack->len < known->len ? stack->len : known->len, len = 0;
    const unsigned char *end = stack->bytes + stack->len, *known_end = known->bytes + known->capacity;
    while (limit - len >= COMPARED_LEN &&
           memcmp(end - len - COMPARED_LEN, known_end - len - COMPARED_LEN, COMPARED_LEN) == 0)
        len += COMPARED_LEN;
    while (len < limit && *(end - len - 1) == *(known_end - len - 1))
        len++;
    return len;
}

void known_stacks_begin(struct known_stacks *known, const struct native_stack *stack)
{
    remote_addr end = stack->start + stack->len;
    struct known_stack *current = find_stack(known, end);
    current->run = ++known->run;
    known->current = current;
    known->next = current->count;
    known->same_from = end - same_len(current, stack);
}

uint32_t known_stacks_find(struct known_stacks *known, const struct native_frame *frame,
                           const struct saved_registers *saved)
{
    const struct known_stack *current = known->current;
    if (frame->sp < known->same_from || frame->sp >= current->end)
        return 0;
    while (known->next > 0 && current->frames[known->next - 1].sp < frame->sp)
        known->next--;
    if (known->next == 0)
        return 0;
    const struct native_frame *same = &current->frames[known->next - 1];
    bool is_same = same->sp == frame->sp && same->pc == frame->pc && same->is_call == frame->is_call &&
                   saved_registers_equal(&current->saved[known->next - 1], saved);
    return is_same ? known->next : 0;
}

/* Makes room for the bytes of a stack, and keeps those that are there. */
static bool grow_bytes(struct known_stack *known, size_t len)
{
    if (len <= known->capacity)
        return true;
    size_t capacity = 2 * known->capacity > len ? 2 * known->capacity : len;
    unsigned char *bytes = malloc(capacity);
    if (!bytes)
        return false;
    if (known->len > 0)
        memcpy(bytes + capacity - known->len, known->bytes + known->capacity - known->len, known->len);
    free(known->bytes);
    known->bytes = bytes;
    known->capacity = capacity;
    return true;
}

static bool add_frame(struct known_stack *known, const struct native_frame *frame, const struct saved_registers *saved)
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
    struct known_stack *current = known->current;
    size_t new_len = known->same_from - stack->start;
    if (!grow_bytes(current, stack->len)) {
        forget(current);
        return;
    }
    memcpy(current->bytes + current->capacity - stack->len, stack->bytes, new_len);
    current->len = stack->len;
    current->count = known_count;
    for (uint32_t i = count - known_count; i-- > 0;) {
        if (!add_frame(current, &frames[i], &saved[i])) {
            forget(current);
            return;
        }
    }
}
