/* SPDX-License-Identifier: MIT */
#include "c_stacks.h"

#include "target/proc_text.h"
#include "target/task.h"
#include "thread_list.h"

#include <stdlib.h>
#include <string.h>

enum {
    START_LEN = 64,               /* bytes: the number of arguments, and some pointers to them */
    UNKNOWN_LEN = 16 * 1024,      /* what is read of a stack of which nobody knows where it ends */
    THREAD_STACK_LIMIT = 1 << 30, /* between a stack pointer and the end of the stack that it is in */
    FORGET_AFTER = 1000,          /* samples without a copy, after which the place is another thread's */
};

/*
 * Where the main thread's frames end: at what the program finds when it begins, of which the first function may look at
 * a little. Behind that, arguments and environment take some kilobytes, which nobody needs to read.
 */
static remote_addr end_of_frames(const struct mapping *stack, remote_addr stack_start)
{
    remote_addr end = stack_start + START_LEN;
    return stack_start > stack->start && stack_start < stack->end && end < stack->end ? end : stack->end;
}

void c_stacks_init(struct c_stacks *stacks, struct memory *memory, const struct maps *maps, remote_addr stack_start,
                   size_t limit)
{
    *stacks = (struct c_stacks){.memory = memory, .limit = limit};
    for (uint32_t i = 0; i < maps->count; i++) {
        if (strcmp(maps->mappings[i].path, "[stack]") != 0)
            continue;
        stacks->main_stack_end = maps->mappings[i].end;
        stacks->main_frames_end = end_of_frames(&maps->mappings[i], stack_start);
    }
}

remote_addr c_stack_end(const struct c_stacks *stacks, remote_addr start)
{
    return start < stacks->main_frames_end ? stacks->main_frames_end : stacks->main_stack_end;
}

void c_stacks_deinit(struct c_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->count; i++)
        free(stacks->stacks[i].bytes);
    free(stacks->stacks);
    free(stacks->pieces);
    free(stacks->scratch);
    table_deinit(&stacks->by_serial);
    *stacks = (struct c_stacks){0};
}

void c_stacks_begin_sample(struct c_stacks *stacks)
{
    stacks->sample++;
    stacks->piece_count = 0;
}

static bool is_of_thread(const void *context, uint32_t index, const void *key)
{
    return ((const struct c_stacks *)context)->stacks[index].serial == *(const uint32_t *)key;
}

static struct c_stack *find(const struct c_stacks *stacks, uint32_t serial)
{
    uint32_t found = table_find(&stacks->by_serial, hash_number(serial), is_of_thread, stacks, &serial);
    return found == TABLE_NONE ? NULL : &stacks->stacks[found];
}

/* Makes the table anew, without what is not used any more. */
static bool forget_old(struct c_stacks *stacks)
{
    uint32_t kept = 0;
    table_clear(&stacks->by_serial);
    for (uint32_t i = 0; i < stacks->count; i++) {
        struct c_stack stack = stacks->stacks[i];
        if (stack.sample + FORGET_AFTER < stacks->sample && stack.ordered != stacks->sample) {
            stacks->total -= stack.capacity;
            free(stack.bytes);
            continue;
        }
        stacks->stacks[kept] = stack;
        if (!table_insert(&stacks->by_serial, hash_number(stack.serial), kept))
            return false;
        kept++;
    }
    stacks->count = kept;
    return true;
}

static struct c_stack *find_or_add(struct c_stacks *stacks, uint32_t serial)
{
    struct c_stack *found = find(stacks, serial);
    if (found)
        return found;
    if ((stacks->count == stacks->capacity && !forget_old(stacks)) ||
        !array_grow(&stacks->stacks, stacks->count, &stacks->capacity, sizeof(*stacks->stacks)) ||
        !table_insert(&stacks->by_serial, hash_number(serial), stacks->count))
        return NULL;
    stacks->stacks[stacks->count] = (struct c_stack){.serial = serial};
    return &stacks->stacks[stacks->count++];
}

/*
 * glibc and musl put what they know of a thread, which pthread_t points to, at the upper end of its stack; only that of
 * the main thread is the kernel's. A stack that is cut is cut in the same place while its start moves only a little, as
 * stacks are known by their ends.
 */
size_t c_stack_used_len(remote_addr start, uint64_t id, remote_addr end, size_t limit)
{
    size_t len = 0;
    if (id > start && id - start < THREAD_STACK_LIMIT)
        len = id - start;
    else if (end > start && end - start < THREAD_STACK_LIMIT)
        len = end - start;
    if (len > 0 && len <= limit)
        return len;
    size_t cut = len == 0 && UNKNOWN_LEN < limit ? UNKNOWN_LEN : limit, step = cut / 4 + 1;
    return cut - (start + cut) % step;
}

static bool grow(struct c_stacks *stacks, struct c_stack *stack, size_t len)
{
    if (stack->capacity >= len)
        return true;
    size_t capacity = 2 * stack->capacity > len ? 2 * stack->capacity : len;
    if (stacks->total - stack->capacity + capacity > C_STACKS_LIMIT)
        return false;
    unsigned char *bytes = realloc(stack->bytes, capacity);
    if (!bytes)
        return false;
    stacks->total += capacity - stack->capacity;
    stack->bytes = bytes;
    stack->capacity = capacity;
    return true;
}

/* Makes room for a copy, which is to be made. NULL without memory. */
static struct c_stack *begin_copy(struct c_stacks *stacks, const struct registers *registers,
                                  const struct sampled_thread *thread, struct memory_piece *ret)
{
    struct c_stack *stack = find_or_add(stacks, thread->serial);
    remote_addr start = registers->values[REGISTER_SP] - C_STACK_RED_ZONE_LEN;
    uint64_t id = registers->thread_pointer ? registers->thread_pointer : thread->id;
    size_t len = c_stack_used_len(start, id, c_stack_end(stacks, start), stacks->limit);
    if (!stack || !grow(stacks, stack, len))
        return NULL;
    stack->registers = *registers;
    stack->start = start;
    stack->len = 0;
    *ret = (struct memory_piece){start, stack->bytes, len};
    return stack;
}

static void end_copy(const struct c_stacks *stacks, struct c_stack *stack, size_t len)
{
    stack->len = len;
    stack->made = stack->sample = stacks->sample;
}

bool c_stacks_copy(struct c_stacks *stacks, const struct registers *registers, const struct sampled_thread *thread)
{
    struct memory_piece piece;
    struct c_stack *stack = begin_copy(stacks, registers, thread, &piece);
    if (!stack || memory_read(stacks->memory, piece.address, piece.destination, piece.len) != MEMORY_OK)
        return false;
    end_copy(stacks, stack, piece.len);
    return true;
}

void c_stacks_order(struct c_stacks *stacks, const struct registers *registers, const struct sampled_thread *thread)
{
    struct memory_piece piece;
    if (stacks->piece_count == SNAPSHOT_PIECE_LIMIT ||
        !array_grow(&stacks->pieces, stacks->piece_count, &stacks->piece_capacity, sizeof(*stacks->pieces))) {
        c_stacks_copy(stacks, registers, thread);
        return;
    }
    struct c_stack *stack = begin_copy(stacks, registers, thread, &piece);
    if (!stack)
        return;
    stack->ordered = stacks->sample;
    stack->piece = stacks->piece_count;
    stacks->pieces[stacks->piece_count++] = piece;
}

void c_stacks_receive(struct c_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->count && stacks->piece_count > 0; i++) {
        struct c_stack *stack = &stacks->stacks[i];
        if (stack->ordered == stacks->sample && stacks->pieces[stack->piece].len > 0)
            end_copy(stacks, stack, stacks->pieces[stack->piece].len);
    }
    stacks->piece_count = 0;
}

static bool grow_scratch(struct c_stacks *stacks, size_t len)
{
    if (stacks->scratch_len >= len)
        return true;
    unsigned char *scratch = realloc(stacks->scratch, len);
    if (!scratch)
        return false;
    stacks->scratch = scratch;
    stacks->scratch_len = len;
    return true;
}

/* Whether memory still has the bytes of a copy, but for the red zone, in which nobody calls anything. */
static bool is_unchanged(struct c_stacks *stacks, const struct c_stack *stack)
{
    /* Of a thread whose stack pointer is at the very end of its stack, or none, even less may have been copied. */
    if (stack->len <= C_STACK_RED_ZONE_LEN || !grow_scratch(stacks, stack->len))
        return false;
    size_t len = stack->len - C_STACK_RED_ZONE_LEN;
    return memory_read(stacks->memory, stack->start + C_STACK_RED_ZONE_LEN, stacks->scratch, len) == MEMORY_OK &&
           memcmp(stacks->scratch, stack->bytes + C_STACK_RED_ZONE_LEN, len) == 0;
}

bool c_stacks_keep(struct c_stacks *stacks, const struct sampled_thread *thread)
{
    struct c_stack *stack = find(stacks, thread->serial);
    struct proc_syscall call;
    if (!stack || !task_read_syscall(&thread->task, &call) ||
        !registers_are_in_call(&stack->registers, call.number, call.arguments, call.sp, call.pc) ||
        !is_unchanged(stacks, stack))
        return false;
    stack->sample = stacks->sample;
    return true;
}

const struct c_stack *c_stacks_find(const struct c_stacks *stacks, uint32_t serial)
{
    const struct c_stack *stack = find(stacks, serial);
    return stack && stack->sample == stacks->sample && stack->len > 0 ? stack : NULL;
}
