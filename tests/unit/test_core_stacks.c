/* SPDX-License-Identifier: MIT */
#include "sampler/core_stacks.h"

#include "base/cleanup.h"
#include "core/core.h"
#include "fake_memory.h"
#include "memory/maps.h"
#include "sampler/native_stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

enum {
    PAGE = 4096,
    RED_ZONE = 128,
    GUARD = 0x10000, /* a page that cannot be read, */
    STACK = 0x11000, /* and a thread's stack of four pages above it; */
    STACK_END = STACK + 4 * PAGE,
    OWN_STACK = 0x90000, /* a signal handler's */
    OWN_STACK_END = OWN_STACK + PAGE,
    CONTEXT = OWN_STACK + 0x400, /* what the kernel left there for the handler's return */
    POINTER = STACK_END - 256,   /* the thread's pthread_t */
    FRAME_COUNT = NATIVE_FRAME_LIMIT,
    CALL_LIMIT = 8,
    /* Where functions are. */
    RAISE = 0x401000,
    HANDLER = 0x401100,
    RETURN = 0x401200,
    CRASHED = 0x401300,
    CALLER = 0x401400,
#if defined(__aarch64__)
    CONTEXT_AT = 128 + offsetof(ucontext_t, uc_mcontext),
#else
    CONTEXT_AT = offsetof(ucontext_t, uc_mcontext),
#endif
};

static const char maps_text[] = "10000-11000 ---p 0 0:0 0 \n"
                                "11000-15000 rw-p 0 0:0 0 \n"
                                "90000-91000 rw-p 0 0:0 0 \n";
static struct maps maps;
static struct fake_memory memory;
static unsigned char stack_bytes[STACK_END - STACK], own_bytes[PAGE];
static struct native_frame many[FRAME_COUNT];

/* What the unwinder was asked, and what it answers, one by one; the last answer is repeated. */
static struct native_stack asked[CALL_LIMIT];
static struct frame_merge_input answers[CALL_LIMIT];
static uint32_t asked_count, answer_count;

/* Stand-ins for the rooms below, and for the unwinder. */
struct memory *core_memory(struct core *core)
{
    (void)core;
    return &memory.memory;
}

const struct maps *core_maps(const struct core *core)
{
    (void)core;
    return &maps;
}

void native_stacks_unwind(struct native_stacks *stacks, const struct native_stack *c_stack,
                          struct frame_merge_input *ret)
{
    (void)stacks;
    asked[asked_count % CALL_LIMIT] = *c_stack;
    *ret = answers[asked_count < answer_count ? asked_count : answer_count - 1];
    ret->stack_start = c_stack->start;
    ret->stack_end = c_stack->start + c_stack->len;
    asked_count++;
}

static void answer(const struct native_frame *frames, uint32_t count, enum unwind_end end)
{
    answers[answer_count++] =
        (struct frame_merge_input){.native_frames = frames, .native_count = count, .end = end, .system_call = -1};
}

static int set_up(void **state)
{
    *state = NULL;
    fake_memory_init(&memory);
    fake_memory_map(&memory, STACK, stack_bytes, sizeof(stack_bytes));
    fake_memory_map(&memory, OWN_STACK, own_bytes, sizeof(own_bytes));
    memset(own_bytes, 0, sizeof(own_bytes));
    asked_count = answer_count = 0;
    return maps_init(&maps, maps_text, strlen(maps_text)) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    maps_deinit(&maps);
    return 0;
}

static struct core_thread thread_at(remote_addr sp, uint64_t pointer)
{
    struct core_thread thread = {.tid = 1, .thread_pointer = pointer, .has_registers = true};
    thread.registers.values[REGISTER_SP] = sp;
    thread.registers.system_call = 7;
    return thread;
}

/* Unwinds one stack and compares what the unwinder was given of it. */
static void check_copy(remote_addr sp, uint64_t pointer, remote_addr start, remote_addr end)
{
    static const struct native_frame frame = {.pc = CRASHED};
    cleanup_core_stacks struct core_stacks stacks;
    struct frame_merge_input unwound;
    const struct core_thread thread = thread_at(sp, pointer);
    for (size_t i = 0; i < sizeof(stack_bytes); i++)
        stack_bytes[i] = (unsigned char)(i * 7 / 5);
    asked_count = answer_count = 0;
    answer(&frame, 1, UNWIND_WHOLE);
    core_stacks_init(&stacks, NULL, NULL);
    assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
    assert_int_equal(asked_count, 1);
    assert_int_equal(asked[0].len, end - start);
    if (end > start) {
        assert_int_equal(asked[0].start, start);
        assert_memory_equal(asked[0].bytes, stack_bytes + (start - STACK), end - start);
    }
    assert_int_equal(asked[0].registers.values[REGISTER_SP], sp);
    assert_int_equal(unwound.native_count, 1);
    assert_int_equal(unwound.handler_count, 0);
    assert_int_equal(unwound.system_call, 7);
}

static void a_stack_is_copied_from_its_red_zone_on(void **state)
{
    (void)state;
    check_copy(STACK + 5000, POINTER, STACK + 5000 - RED_ZONE, POINTER);
    /* The main thread's pthread_t is elsewhere. */
    check_copy(STACK + 5000, OWN_STACK - (UINT64_C(1) << 31), STACK + 5000 - RED_ZONE, STACK_END);
    check_copy(STACK + 5000, 0, STACK + 5000 - RED_ZONE, STACK_END);
}

static void of_a_stack_that_overflowed_what_is_there_is_copied(void **state)
{
    (void)state;
    check_copy(STACK + 8, POINTER, STACK, POINTER);
    check_copy(GUARD + 8, POINTER, STACK, POINTER);
    check_copy(GUARD - 1024, POINTER, STACK, POINTER);
}

static void a_stack_pointer_that_leads_nowhere_leaves_the_innermost_frame(void **state)
{
    (void)state;
    check_copy(UINT64_C(1) << 40, POINTER, 0, 0);
    check_copy(0, 0, 0, 0);
    check_copy(UINT64_MAX, UINT64_MAX, 0, 0);
}

static void what_the_core_lacks_ends_the_copy(void **state)
{
    (void)state;
    fake_memory_unmap(&memory, STACK);
    fake_memory_map(&memory, STACK, stack_bytes, 2 * PAGE);
    check_copy(STACK + 5000, POINTER, STACK + 5000 - RED_ZONE, STACK + 2 * PAGE);
    fake_memory_unmap(&memory, STACK);
    check_copy(STACK + 5000, POINTER, STACK + 5000 - RED_ZONE, STACK + 5000 - RED_ZONE);
}

/* Writes what the kernel leaves for the return of a handler that interrupted a function. */
static void write_context(remote_addr pc, remote_addr sp, uint64_t frame_pointer)
{
    mcontext_t context = {0};
#if defined(__aarch64__)
    context.pc = pc;
    context.sp = sp;
    context.regs[REGISTER_FRAME] = frame_pointer;
#else
    context.gregs[REG_RIP] = (greg_t)pc;
    context.gregs[REG_RSP] = (greg_t)sp;
    context.gregs[REG_RBP] = (greg_t)frame_pointer;
#endif
    memcpy(own_bytes + (CONTEXT - OWN_STACK) + CONTEXT_AT, &context, sizeof(context));
}

/* What the unwinder finds on the handler's stack: the last frame is of the function that was interrupted. */
static const struct native_frame handler_frames[] = {
    {.pc = RAISE, .sp = OWN_STACK + 0x200, .cfa = OWN_STACK + 0x280},
    {.pc = HANDLER, .sp = OWN_STACK + 0x280, .cfa = CONTEXT, .is_call = true},
    {.pc = RETURN, .sp = CONTEXT, .cfa = STACK + 0x800},
    {.pc = CRASHED, .sp = STACK + 0x800, .cfa = STACK + 0x800},
};
static const struct native_frame interrupted_frames[] = {
    {.pc = CRASHED, .sp = STACK + 0x800, .cfa = STACK + 0x900},
    {.pc = CALLER, .sp = STACK + 0x900, .cfa = STACK + 0xa00, .is_call = true},
};

static void what_a_handler_interrupted_is_unwound_on_its_own_stack(void **state)
{
    static const remote_addr expected[] = {RAISE, HANDLER, RETURN, CRASHED, CALLER};
    cleanup_core_stacks struct core_stacks stacks;
    struct frame_merge_input unwound;
    const struct core_thread thread = thread_at(OWN_STACK + 0x200, POINTER);
    (void)state;
    write_context(CRASHED, STACK + 0x800, 0x1234);
    answer(handler_frames, array_size(handler_frames), UNWIND_CUT);
    answer(interrupted_frames, array_size(interrupted_frames), UNWIND_WHOLE);
    core_stacks_init(&stacks, NULL, NULL);
    assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
    assert_int_equal(asked_count, 2);
    assert_int_equal(asked[1].start, STACK + 0x800 - RED_ZONE);
    assert_int_equal(asked[1].start + asked[1].len, POINTER);
    assert_int_equal(asked[1].registers.values[REGISTER_PC], CRASHED);
    assert_int_equal(asked[1].registers.values[REGISTER_FRAME], 0x1234);
    assert_int_equal(unwound.native_count, array_size(expected));
    for (uint32_t i = 0; i < array_size(expected); i++)
        assert_int_equal(unwound.native_frames[i].pc, expected[i]);
    assert_int_equal(unwound.handler_count, 3);
    assert_int_equal(unwound.end, UNWIND_WHOLE);
    assert_int_equal(unwound.system_call, 7);
    assert_int_equal(unwound.stack_start, STACK + 0x800 - RED_ZONE);
}

static void no_other_stack_is_believed_than_the_kernel_left(void **state)
{
    cleanup_core_stacks struct core_stacks stacks;
    struct frame_merge_input unwound;
    const struct core_thread thread = thread_at(OWN_STACK + 0x200, POINTER);
    (void)state;
    write_context(CRASHED + 1, STACK + 0x800, 0);
    answer(handler_frames, array_size(handler_frames), UNWIND_CUT);
    core_stacks_init(&stacks, NULL, NULL);
    assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
    assert_int_equal(asked_count, 1);
    assert_int_equal(unwound.native_count, array_size(handler_frames));
    /* The context itself is missing. */
    fake_memory_unmap(&memory, OWN_STACK);
    assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
    assert_int_equal(asked_count, 2);
    assert_int_equal(unwound.handler_count, 0);
}

/* Each unwinding says that a handler interrupted something elsewhere. */
static void stacks_do_not_lead_to_stacks_without_end(void **state)
{
    static const struct native_frame circle[] = {
        {.pc = RETURN, .sp = CONTEXT, .cfa = CONTEXT},
        {.pc = CRASHED, .sp = UINT64_C(1) << 50},
    };
    cleanup_core_stacks struct core_stacks stacks;
    struct frame_merge_input unwound;
    const struct core_thread thread = thread_at(OWN_STACK + 0x200, POINTER);
    (void)state;
    write_context(CRASHED, UINT64_C(1) << 50, 0);
    answer(circle, array_size(circle), UNWIND_CUT);
    core_stacks_init(&stacks, NULL, NULL);
    assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
    assert_int_equal(asked_count, 4);
    assert_int_equal(unwound.native_count, 5);
    assert_int_equal(unwound.handler_count, 3);
}

static void all_stacks_together_have_a_limit(void **state)
{
    enum { THREADS = 300, ALL = 1 << 22, LATE = 16 };
    cleanup_core_stacks struct core_stacks stacks;
    struct frame_merge_input unwound;
    const struct core_thread thread = thread_at(STACK, POINTER);
    uint64_t total = 0;
    (void)state;
    answer(many, FRAME_COUNT, UNWIND_WHOLE);
    core_stacks_init(&stacks, NULL, NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_true(core_stacks_unwind(&stacks, &thread, &unwound));
        assert_int_equal(unwound.end, unwound.native_count == FRAME_COUNT ? UNWIND_WHOLE : UNWIND_CUT);
        total += unwound.native_count;
    }
    assert_int_equal(total, ALL + (THREADS - ALL / FRAME_COUNT) * LATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stack_is_copied_from_its_red_zone_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_stack_that_overflowed_what_is_there_is_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stack_pointer_that_leads_nowhere_leaves_the_innermost_frame, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_core_lacks_ends_the_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_handler_interrupted_is_unwound_on_its_own_stack, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_other_stack_is_believed_than_the_kernel_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stacks_do_not_lead_to_stacks_without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_stacks_together_have_a_limit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
