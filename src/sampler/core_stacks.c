/* SPDX-License-Identifier: MIT */
#include "core_stacks.h"

#include "base/table.h"
#include "c_stacks.h"
#include "core/core.h"
#include "native_stacks.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_LEN = 4096,     /* the least */
    GAP_LIMIT = 1 << 20, /* between the stack pointer after an overflow and the stack: the kernel's stack_guard_gap */
    LATE_LIMIT = 16384,  /* bytes of each stack, when too many were copied before */
    FRAME_TOTAL_LIMIT = 1 << 22, /* of all stacks; of those further on only the innermost ones are kept: */
    LATE_FRAME_LIMIT = 16,
    CHAIN_LIMIT = 4, /* stacks of one thread: its own one, and those of signal handlers */
};

void core_stacks_init(struct core_stacks *stacks, struct core *core, struct native_stacks *native)
{
    *stacks = (struct core_stacks){
        .native = native,
        .memory = core_memory(core),
        .maps = core_maps(core),
        .left = C_STACKS_LIMIT,
        .frames_left = FRAME_TOTAL_LIMIT,
    };
}

void core_stacks_deinit(struct core_stacks *stacks)
{
    free(stacks->bytes);
    free(stacks->frames);
    *stacks = (struct core_stacks){0};
}

/*
 * The mapping that a stack is in, which is used from an address on; NULL when there is none. In a stack that overflowed
 * the address may lie before it: in the guard pages, or in nothing.
 */
static const struct mapping *find_stack(const struct maps *maps, remote_addr start)
{
    uint32_t low = 0, high = maps->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (maps->mappings[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < maps->count; low++) {
        const struct mapping *mapping = &maps->mappings[low];
        if (mapping->start > start && mapping->start - start > GAP_LIMIT)
            break;
        if (mapping->readable)
            return mapping;
    }
    return NULL;
}

static bool reserve(struct core_stacks *stacks, size_t len)
{
    if (stacks->capacity >= len)
        return true;
    unsigned char *bytes = realloc(stacks->bytes, len);
    if (!bytes)
        return false;
    stacks->bytes = bytes;
    stacks->capacity = len;
    return true;
}

/* Reads up to the first page that the core lacks. */
static size_t read_part(struct core_stacks *stacks, remote_addr start, size_t len)
{
    size_t done = 0;
    if (memory_read(stacks->memory, start, stacks->bytes, len) == MEMORY_OK)
        return len;
    while (done < len) {
        size_t part = PAGE_LEN - (start + done) % PAGE_LEN;
        part = part < len - done ? part : len - done;
        if (memory_read(stacks->memory, start + done, stacks->bytes + done, part) != MEMORY_OK)
            break;
        done += part;
    }
    return done;
}

/* Copies the used part of a stack, as far as the core has it. False without memory. */
static bool copy(struct core_stacks *stacks, const struct registers *registers, uint64_t id, struct native_stack *ret)
{
    remote_addr start = registers->values[REGISTER_SP] - C_STACK_RED_ZONE_LEN;
    const struct mapping *mapping = find_stack(stacks->maps, start);
    *ret = (struct native_stack){.registers = *registers, .start = start, .bytes = stacks->bytes};
    if (!mapping)
        return true;
    ret->start = start > mapping->start ? start : mapping->start;
    size_t limit = stacks->left > LATE_LIMIT ? stacks->left : LATE_LIMIT;
    size_t len =
        c_stack_used_len(ret->start, id, mapping->end, limit < C_STACK_DUMP_LIMIT ? limit : C_STACK_DUMP_LIMIT);
    if (!reserve(stacks, len))
        return false;
    ret->len = read_part(stacks, ret->start, len);
    ret->bytes = stacks->bytes;
    stacks->left -= ret->len < stacks->left ? ret->len : stacks->left;
    return true;
}

/* Adds frames further out. */
static bool append(struct core_stacks *stacks, const struct native_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!array_grow(&stacks->frames, stacks->count, &stacks->frame_capacity, sizeof(*stacks->frames)))
            return false;
        stacks->frames[stacks->count++] = frames[i];
    }
    return true;
}

/*
 * Whether what was unwound ends in a function that a signal handler interrupted, and whose stack is another one. Then
 * *ret becomes its registers. That nobody called from where it stands (is_call) tells it from all others.
 */
static bool is_interrupted(const struct core_stacks *stacks, const struct frame_merge_input *unwound,
                           struct registers *ret)
{
    if (unwound->end == UNWIND_WHOLE || unwound->native_count < 2)
        return false;
    const struct native_frame *last = &unwound->native_frames[unwound->native_count - 1];
    bool is_elsewhere = last->sp < unwound->stack_start || last->sp >= unwound->stack_end;
    struct registers registers;
    if (last->is_call || !is_elsewhere || !registers_read_interrupted(stacks->memory, last[-1].sp, &registers) ||
        registers.values[REGISTER_PC] != last->pc || registers.values[REGISTER_SP] != last->sp)
        return false;
    *ret = registers;
    return true;
}

/* Cuts a thread's stack, if there were too many frames before. */
static void cut(struct core_stacks *stacks, struct frame_merge_input *unwound)
{
    if (stacks->count > stacks->frames_left && stacks->count > LATE_FRAME_LIMIT) {
        stacks->count = LATE_FRAME_LIMIT;
        unwound->end = UNWIND_CUT;
    }
    stacks->frames_left -= stacks->count < stacks->frames_left ? stacks->count : stacks->frames_left;
}

bool core_stacks_unwind(struct core_stacks *stacks, const struct core_thread *thread, struct frame_merge_input *ret)
{
    struct registers registers = thread->registers;
    uint64_t id = thread->thread_pointer ? thread->thread_pointer : registers.thread_pointer;
    uint32_t handler_count = 0;
    bool has_more = true;
    stacks->count = 0;
    for (unsigned i = 0; has_more && i < CHAIN_LIMIT; i++) {
        struct native_stack stack;
        if (!copy(stacks, &registers, id, &stack))
            return false;
        native_stacks_unwind(stacks->native, &stack, ret);
        has_more = i + 1 < CHAIN_LIMIT && is_interrupted(stacks, ret, &registers);
        handler_count = stacks->count;
        /* The function that was interrupted is the innermost frame of the next one. */
        if (!append(stacks, ret->native_frames, ret->native_count - has_more))
            return false;
    }
    cut(stacks, ret);
    ret->system_call = thread->registers.system_call;
    ret->native_frames = stacks->frames;
    ret->native_count = stacks->count;
    ret->handler_count = handler_count < stacks->count ? handler_count : stacks->count;
    return true;
}
