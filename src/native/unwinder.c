/* SPDX-License-Identifier: MIT */
#include "native/unwinder.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "call_site.h"
#include "known_stacks.h"
#include "remote.h"
#include "rules.h"

#include <string.h>

enum {
    READ_LIMIT = 1 << 22,        /* words that libunwind may read for one stack; forty frames, all new, take 10,000 */
    SEARCH_READ_LIMIT = 1 << 16, /* the same for a search */
    SEARCH_LIMIT = 64,           /* words of the stack that are looked at for a caller */
    STACK_ALIGNMENT = 16, /* System V ABI, AMD64 supplement 1.0, section 3.2.2; AAPCS64 2023Q3, section 6.4.5.1 */
#if defined(__aarch64__)
    LINK_REGISTER = 30, /* where a call leaves the return address */
#endif
};

struct unwinder {
    struct modules *modules;
    struct page_cache *cache;
    unw_addr_space_t space;
    struct rules *rules;
    struct native_frame *frames;
    struct saved_registers *saved; /* in each frame */
    uint32_t count, capacity, saved_capacity;
    uint32_t sure_count;  /* those that stand even if the rest does not lead to the thread's first function; 0: all */
    struct remote remote; /* of the stack that is being unwound */
    unw_cursor_t cursor;  /* at its last frame */
    struct known_stacks known;
    uint32_t known_count; /* of the last frames: those that were known */
};

struct error *unwinder_create(struct modules *modules, struct unwinder **ret)
{
    cleanup_unwinder struct unwinder *unwinder = calloc(1, sizeof(*unwinder));
    if (!unwinder)
        return error_no_memory();
    unwinder->modules = modules;
    unwinder->cache = page_cache_create();
    unwinder->space = remote_space_create();
    unwinder->rules = unwinder->space ? rules_create(unwinder->space) : NULL;
    if (!unwinder->cache || !unwinder->rules)
        return error_no_memory();
    *ret = hand_over(&unwinder);
    return NULL;
}

void unwinder_destroy(struct unwinder *unwinder)
{
    if (!unwinder)
        return;
    rules_destroy(unwinder->rules);
    if (unwinder->space)
        unw_destroy_addr_space(unwinder->space);
    page_cache_destroy(unwinder->cache);
    known_stacks_deinit(&unwinder->known);
    free(unwinder->frames);
    free(unwinder->saved);
    free(unwinder);
}

/* A frame, as far as it is known before it is unwound. */
struct place {
    uint64_t pc, sp;
    uint64_t frame_pointer; /* for guesses only */
    bool is_call, is_guess; /* see native_frame */
};

/* How one step out came off. */
enum step {
    STEP_DONE,
    STEP_END,    /* there is no caller */
    STEP_FAILED, /* this way does not lead to one */
};

static bool append_frame(struct unwinder *unwinder, const struct native_frame *frame)
{
    if (!array_grow(&unwinder->frames, unwinder->count, &unwinder->capacity, sizeof(*frame)) ||
        !array_grow(&unwinder->saved, unwinder->count, &unwinder->saved_capacity, sizeof(*unwinder->saved)))
        return false;
    unwinder->frames[unwinder->count] = *frame;
    unwinder->saved[unwinder->count++].is_known = false;
    return true;
}

static bool append(struct unwinder *unwinder, const struct place *place)
{
    const struct native_frame frame = {
        .pc = place->pc, .sp = place->sp, .cfa = place->sp, .is_call = place->is_call, .is_guess = place->is_guess};
    return append_frame(unwinder, &frame);
}

/* A caller's frame lies further out, except on aarch64, where a function may have none. */
static bool lies_outwards(const struct unwinder *unwinder, const struct native_frame *frame, const struct place *caller)
{
#if defined(__aarch64__)
    if (caller->sp == frame->sp && unwinder->count == 1)
        return true;
#else
    (void)unwinder;
#endif
    return caller->sp > frame->sp;
}

static bool read_place(unw_cursor_t *cursor, struct place *place)
{
    return unw_get_reg(cursor, UNW_REG_IP, &place->pc) >= 0 && unw_get_reg(cursor, UNW_REG_SP, &place->sp) >= 0;
}

/* Steps by what the file says. The cursor is to be used further only when that is done. */
static enum step step_by_rule(struct unwinder *unwinder, struct native_frame *frame, struct place *ret)
{
    remote_addr address = frame->pc - frame->is_call;
    const struct native_module *module = modules_find(unwinder->modules, address);
    const struct rule *rule = module ? rules_find(unwinder->rules, &unwinder->remote, module, address) : NULL;
    if (!rule)
        return STEP_FAILED;
    int status = rules_apply(unwinder->rules, rule, &unwinder->remote, &unwinder->cursor);
    if (status == 0)
        return STEP_END;
    struct place caller = {.is_call = !rule->is_signal};
    if (status < 0 || !read_place(&unwinder->cursor, &caller))
        return STEP_FAILED;
    if (caller.pc == 0)
        return STEP_END;
    /* A signal handler may have a stack of its own. */
    bool is_outwards = rule->is_signal || lies_outwards(unwinder, frame, &caller);
    if (!is_outwards || !modules_find(unwinder->modules, caller.pc - caller.is_call))
        return STEP_FAILED;
    if (rule->is_signal)
        frame->is_call = false; /* it is where the handler returns to, but nobody called from there */
    *ret = caller;
    return STEP_DONE;
}

/* Whether a file says that a call stands before an address. */
static bool follows_call(struct unwinder *unwinder, remote_addr address)
{
    const struct native_module *module = modules_find(unwinder->modules, address - 1);
    return module && call_site_is(unwinder->cache, module, address);
}

/* Whether a function may go on at an address when one that it called has returned, as far as files tell. */
static bool may_return_to(struct unwinder *unwinder, remote_addr address)
{
    const struct native_module *module = modules_find(unwinder->modules, address - 1);
    return module && (!module->image || call_site_is(unwinder->cache, module, address));
}

/*
 * Steps out of a function that the file says nothing about and that has done nothing yet, or is no function: a stub,
 * or the address zero that was called.
 */
static enum step step_by_call(struct unwinder *unwinder, const struct native_frame *frame, const struct place *here,
                              struct place *ret)
{
    struct place caller = {.sp = frame->sp, .frame_pointer = here->frame_pointer, .is_call = true, .is_guess = true};
#if defined(__aarch64__)
    caller.pc = unwinder->remote.registers[LINK_REGISTER];
#else
    if (!remote_read_stack(&unwinder->remote, frame->sp, &caller.pc))
        return STEP_FAILED;
    caller.sp += sizeof(caller.pc);
#endif
    if (!follows_call(unwinder, caller.pc))
        return STEP_FAILED;
    *ret = caller;
    return STEP_DONE;
}

/*
 * Steps along the frame pointers, for code that the file says nothing about, as just-in-time compilers make it: on both
 * machines the pointer leads to the caller's one, and behind it is the return address.
 */
static enum step step_by_frame_pointer(struct unwinder *unwinder, const struct native_frame *frame,
                                       const struct place *here, struct place *ret)
{
    struct place caller = {.sp = here->frame_pointer + 2 * sizeof(uint64_t), .is_call = true, .is_guess = true};
    if (here->frame_pointer < frame->sp || here->frame_pointer % sizeof(uint64_t) != 0 ||
        !remote_read_stack(&unwinder->remote, here->frame_pointer, &caller.frame_pointer) ||
        !remote_read_stack(&unwinder->remote, here->frame_pointer + sizeof(uint64_t), &caller.pc))
        return STEP_FAILED;
    if (caller.pc == 0)
        return STEP_END;
    if (!may_return_to(unwinder, caller.pc))
        return STEP_FAILED;
    *ret = caller;
    return STEP_DONE;
}

/*
 * Steps out of code that is on the stack only to be seen there, as CPython 3.12 makes it for each function with -X perf
 * (Python/asm_trampoline.S: it takes eight bytes of the stack, and calls), later versions with a frame pointer. In
 * other code the word may be left over from an earlier call; then the rest hardly leads anywhere.
 */
static enum step step_by_trampoline(struct unwinder *unwinder, const struct native_frame *frame,
                                    const struct place *here, struct place *ret)
{
    struct place caller = {.sp = frame->sp + 2 * sizeof(uint64_t),
                           .frame_pointer = here->frame_pointer,
                           .is_call = true,
                           .is_guess = true};
    const struct native_module *module = modules_find(unwinder->modules, frame->pc - 1);
    bool has_frame_pointer = here->frame_pointer == frame->sp;
    if (!module || module->image || has_frame_pointer ||
        !remote_read_stack(&unwinder->remote, frame->sp + sizeof(uint64_t), &caller.pc) ||
        !follows_call(unwinder, caller.pc))
        return STEP_FAILED;
    if (unwinder->sure_count == 0)
        unwinder->sure_count = unwinder->count;
    *ret = caller;
    return STEP_DONE;
}

/* Begins at a frame of which only these registers are known. */
static bool restart(struct unwinder *unwinder, const struct place *place)
{
    struct remote *remote = &unwinder->remote;
    remote->registers[REGISTER_PC] = place->pc;
    remote->registers[REGISTER_SP] = place->sp;
    remote->registers[REGISTER_FRAME] = place->frame_pointer;
    remote->known = UINT64_C(1) << REGISTER_PC | UINT64_C(1) << REGISTER_SP | UINT64_C(1) << REGISTER_FRAME;
    return unw_init_remote(&unwinder->cursor, unwinder->space, remote) >= 0;
}

/* The ways out of a frame when the file leads to none. */
static enum step step_by_guess(struct unwinder *unwinder, const struct native_frame *frame, const struct place *here,
                               struct place *ret)
{
    enum step step = unwinder->count == 1 ? step_by_call(unwinder, frame, here, ret)
                                          : step_by_trampoline(unwinder, frame, here, ret);
    if (step == STEP_FAILED && here->frame_pointer != 0)
        step = step_by_frame_pointer(unwinder, frame, here, ret);
    return step == STEP_DONE && !restart(unwinder, ret) ? STEP_FAILED : step;
}

/* What is found is appended by the caller. */
static enum step step_out(struct unwinder *unwinder, struct place *ret)
{
    struct native_frame *frame = &unwinder->frames[unwinder->count - 1];
    /* Afterwards the cursor is somewhere else, or nowhere. A copy of it would have a kilobyte. */
    struct place here = {0};
    unw_get_reg(&unwinder->cursor, REGISTER_FRAME, &here.frame_pointer);
    unwinder->remote.is_beyond = false;
    enum step step = step_by_rule(unwinder, frame, ret);
    return step == STEP_FAILED ? step_by_guess(unwinder, frame, &here, ret) : step;
}

/* Takes the callers of the last frame from a stack that was unwound before, when they are sure to be the same. */
static bool take_known(struct unwinder *unwinder)
{
    const struct native_frame *frame = &unwinder->frames[unwinder->count - 1];
    struct saved_registers *saved = &unwinder->saved[unwinder->count - 1];
    const struct native_frame *known_frames;
    saved_registers_read(&unwinder->cursor, saved);
    uint32_t known_count = known_stacks_find(&unwinder->known, frame, saved, &known_frames);
    if (known_count == 0 || unwinder->count + known_count > NATIVE_FRAME_LIMIT)
        return false;
    uint32_t count = unwinder->count;
    for (uint32_t i = known_count - 1; i-- > 0;) {
        if (!append_frame(unwinder, &known_frames[i])) {
            unwinder->count = count;
            return false;
        }
    }
    unwinder->frames[count - 1].cfa = known_frames[known_count - 1].cfa;
    unwinder->known_count = known_count - 1;
    return true;
}

/* Steps out of the last frame, and on. In a search, only to where a call stands. */
static enum unwind_end walk(struct unwinder *unwinder, bool is_search)
{
    struct place caller;
    while (unwinder->count < NATIVE_FRAME_LIMIT) {
        if (!is_search && take_known(unwinder))
            return UNWIND_WHOLE;
        enum step step = step_out(unwinder, &caller);
        if (step == STEP_END)
            return UNWIND_WHOLE;
        if (step == STEP_FAILED || (is_search && caller.is_call && !may_return_to(unwinder, caller.pc)))
            return unwinder->remote.is_beyond ? UNWIND_CUT : UNWIND_LOST;
        unwinder->frames[unwinder->count - 1].cfa = caller.sp;
        if (!append(unwinder, &caller))
            return UNWIND_CUT;
    }
    return UNWIND_CUT;
}

static void drop_frames(struct unwinder *unwinder, uint32_t count)
{
    unwinder->count = count;
    unwinder->frames[count - 1].cfa = unwinder->frames[count - 1].sp;
}

/* Begins anew at a caller of the innermost frame, which is thought to have changed no other registers. */
static enum unwind_end walk_from(struct unwinder *unwinder, const struct native_stack *stack,
                                 const struct place *caller)
{
    struct remote *remote = &unwinder->remote;
    memcpy(remote->registers, stack->registers.values, sizeof(remote->registers));
    remote->registers[REGISTER_PC] = caller->pc;
    remote->registers[REGISTER_SP] = caller->sp;
    remote->known = UINT64_MAX;
    unwinder->count = 1;
    unwinder->sure_count = 0;
    unwinder->frames[0].cfa = caller->sp;
    if (!append(unwinder, caller) || unw_init_remote(&unwinder->cursor, unwinder->space, remote) < 0)
        return UNWIND_LOST;
    return walk(unwinder, true);
}

/*
 * Looks for the caller of the innermost frame among the words of the stack, for code that no file tells about and that
 * has no frame pointer, as the kernels that oneDNN makes for PyTorch. What is taken is the first address behind a call
 * from which the thread's first function can be reached, through nothing but calls. Where a call is made, the stack is
 * aligned to 16 bytes on both machines.
 */
static bool search(struct unwinder *unwinder, const struct native_stack *stack)
{
    struct place caller = {.sp = stack->registers.values[REGISTER_SP], .is_call = true, .is_guess = true};
    if (unwinder->remote.reads_left > SEARCH_READ_LIMIT)
        unwinder->remote.reads_left = SEARCH_READ_LIMIT;
    for (unsigned i = 0; i < SEARCH_LIMIT && remote_read_stack(&unwinder->remote, caller.sp, &caller.pc); i++) {
        caller.sp += sizeof(caller.pc);
        if (caller.sp % STACK_ALIGNMENT == 0 && follows_call(unwinder, caller.pc) &&
            walk_from(unwinder, stack, &caller) == UNWIND_WHOLE)
            return true;
    }
    drop_frames(unwinder, 1);
    return false;
}

void unwinder_update(struct unwinder *unwinder)
{
    known_stacks_forget(&unwinder->known);
}

enum unwind_end unwinder_run(struct unwinder *unwinder, const struct native_stack *stack,
                             const struct native_frame **ret_frames, uint32_t *ret_count)
{
    struct remote *remote = &unwinder->remote;
    const uint64_t *registers = stack->registers.values;
    *remote = (struct remote){.modules = unwinder->modules,
                              .cache = unwinder->cache,
                              .stack = stack->bytes,
                              .stack_start = stack->start,
                              .stack_len = stack->len,
                              .known = UINT64_MAX,
                              .reads_left = READ_LIMIT};
    memcpy(remote->registers, registers, sizeof(remote->registers));
    unwinder->count = 0;
    unwinder->sure_count = 0;
    unwinder->known_count = 0;
    known_stacks_begin(&unwinder->known, stack);
    const struct place first = {.pc = registers[REGISTER_PC], .sp = registers[REGISTER_SP]};
    enum unwind_end end = UNWIND_LOST;
    if (append(unwinder, &first) && unw_init_remote(&unwinder->cursor, unwinder->space, remote) >= 0)
        end = walk(unwinder, false);
    if (end == UNWIND_WHOLE && unwinder->sure_count == 0)
        known_stacks_keep(&unwinder->known, stack, unwinder->frames, unwinder->saved, unwinder->count,
                          unwinder->known_count);
    if (end != UNWIND_WHOLE && unwinder->sure_count > 0) {
        drop_frames(unwinder, unwinder->sure_count);
        end = UNWIND_LOST;
    }
    if (end != UNWIND_WHOLE && unwinder->count == 1 && search(unwinder, stack))
        end = UNWIND_WHOLE;
    *ret_frames = unwinder->frames;
    *ret_count = unwinder->count;
    return end;
}
