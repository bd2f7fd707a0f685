/* SPDX-License-Identifier: MIT */
#include "python_program.h"

enum {
    MANY_INTERPRETERS_HEAP_LEN = 4 * 1024 * 1024,
    MANY_THREADS_HEAP_LEN = 48 * 1024 * 1024,
    THREAD_STEP = 512,
};

static enum python_status list_status(struct program *program)
{
    python_begin_sample(program->python);
    return python_list_threads(program->python, memory_of(program));
}

/* Free-threaded builds have one that is not enabled. */
static bool has_gil(const struct program *program)
{
    return program->layout->gil_format != GIL_OPTIONAL;
}

static void threads_are_listed_the_newest_first(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    struct heap_thread third = python_heap_thread(program->heap, program->interpreter, 3);
    python_heap_enter(program->heap, &second);
    remote_addr code = python_heap_code(program->heap, "work", "w.py", 5);
    python_heap_call(program->heap, &second, code, 1);
    call(program, "main", 1);
    python_heap_set_gil(program->heap, program->interpreter, second.address, 1);
    struct python_thread *threads = list(program, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(threads[i].id, 3 - i);
        assert_int_equal(threads[i].native_id, program->layout->thread.native_id == LAYOUT_NONE ? 0 : 3 - i);
        assert_int_equal(threads[i].holds_gil, has_gil(program) && i == 1);
        python_walk_thread(program->python, memory_of(program), &threads[i]);
    }
    assert_int_equal(threads[0].address, third.address);
    check_stack(program, &threads[0], "");
    check_stack(program, &threads[1], "work:6!");
    check_stack(program, &threads[2], "main:11!");
}

/* The sizes of PyThreadState begin with 168 bytes in 2.7, and in no version is more wanted of it than there is. */
static void the_last_thread_of_a_mapping_is_listed(struct program *program)
{
    enum { THREAD_STATE_LEN_2_7 = 168, THREAD_STATE_LEN_3_8 = 264 };
    size_t len = program->layout->version >> 8 == 2 ? THREAD_STATE_LEN_2_7 : THREAD_STATE_LEN_3_8;
    remote_addr last = python_heap_alloc(program->heap, len);
    memcpy(python_heap_bytes_at(program->heap, last), python_heap_bytes_at(program->heap, program->thread.address),
           len < LAYOUT_THREAD_LEN ? len : LAYOUT_THREAD_LEN);
    python_heap_put_u64(program->heap, program->interpreter + program->layout->interpreter.threads_head, last);
    program->heap->fake.ranges[0].len = last + len - program->heap->fake.ranges[0].address;
    assert_int_equal(list(program, 1)->id, 1);
}

/* From 3.10 to 3.12, a state of another interpreter is run by whoever's stack its evaluation loop is on. */
static void a_state_that_anybody_may_run_is_the_threads_that_runs_it(struct program *program)
{
    const struct layout *layout = program->layout;
    if (layout->thread.cframe == LAYOUT_NONE)
        return;
    remote_addr interpreter = python_heap_interpreter(program->heap);
    remote_addr lower = python_heap_alloc(program->heap, 4096), upper = python_heap_alloc(program->heap, 4096);
    python_heap_thread(program->heap, program->interpreter, upper + 4000);
    python_heap_thread(program->heap, program->interpreter, lower + 4000);
    struct heap_thread state = python_heap_thread(program->heap, interpreter, upper + 4000);
    python_heap_put_u64(program->heap, state.address + layout->thread.cframe, lower + 100);
    struct python_thread *threads = list(program, 4);
    assert_int_equal(threads[0].id, lower + 4000);
    assert_false(threads[0].is_for_anybody);
    python_heap_put_u64(program->heap, state.address + layout->thread.cframe, upper + 100);
    assert_int_equal(list(program, 4)->id, upper + 4000);
    python_heap_put_u64(program->heap, state.address + layout->thread.cframe, state.address + 264);
    threads = list(program, 4);
    assert_int_equal(threads[0].id, upper + 4000);
    assert_true(threads[0].is_for_anybody);
}

/* To 3.6 the GIL is a variable, which tells who has it and nothing else. */
static bool has_gil_struct(const struct program *program)
{
    return has_gil(program) && program->layout->gil_format != GIL_CURRENT_THREAD;
}

/* Expects that there is one GIL, in `state`, and that it is where a guard finds it. */
static void check_gil(struct program *program, const struct python_gil *gil, int state)
{
    assert_int_equal(gil->address,
                     python_heap_gil(program->heap, program->interpreter) + program->layout->gil.last_holder);
    assert_int_equal(gil->len, 24);
    assert_int_equal(gil->condition, gil->address + gil->len);
    assert_int_equal(gil->last_holder, program->thread.address);
    assert_int_equal(gil->is_locked, state == 1);
}

static void only_a_locked_gil_has_a_holder(struct program *program)
{
    static const int states[] = {0, 1, -1, 2};
    for (size_t i = 0; i < 4; i++) {
        uint32_t count;
        python_heap_set_gil(program->heap, program->interpreter, program->thread.address, states[i]);
        if (has_gil_struct(program))
            python_heap_set_switches(program->heap, program->interpreter, i);
        const struct python_thread *thread = list(program, 1);
        const struct python_gil *gils = python_gils(program->python, &count);
        assert_int_equal(thread->holds_gil, has_gil(program) && states[i] == 1);
        assert_int_equal(count, has_gil_struct(program));
        assert_int_equal(thread->gil, has_gil_struct(program) ? 0 : PYTHON_NO_GIL);
        if (has_gil_struct(program)) {
            check_gil(program, &gils[0], states[i]);
            assert_int_equal(gils[0].switches, i);
        }
    }
}

/* In free-threaded builds an extension module that is not ready for them enables the GIL. */
static void a_gil_that_can_be_switched_off_guards_nothing(struct program *program)
{
    if (program->layout->gil_format != GIL_OPTIONAL)
        return;
    remote_addr enabled = python_heap_gil(program->heap, program->interpreter) + program->layout->gil.enabled;
    for (uint32_t is_enabled = 0; is_enabled <= 1; is_enabled++) {
        for (int is_locked = 0; is_locked <= 1; is_locked++) {
            uint32_t count;
            python_heap_put_u32(program->heap, enabled, is_enabled);
            python_heap_set_gil(program->heap, program->interpreter, program->thread.address, is_locked);
            const struct python_thread *thread = list(program, 1);
            assert_int_equal(thread->holds_gil, is_enabled && is_locked);
            assert_int_equal(thread->gil, PYTHON_NO_GIL);
            python_gils(program->python, &count);
            assert_int_equal(count, 0);
        }
    }
}

static void an_interpreter_without_a_gil_is_listed(struct program *program)
{
    uint16_t pointer = program->layout->interpreter.gil_pointer;
    if (pointer == LAYOUT_NONE)
        return;
    uint32_t count;
    python_heap_put_u64(program->heap, program->interpreter + pointer, 0);
    const struct python_thread *thread = list(program, 1);
    assert_false(thread->holds_gil);
    assert_int_equal(thread->gil, PYTHON_NO_GIL);
    python_gils(program->python, &count);
    assert_int_equal(count, 0);
    python_heap_put_u64(program->heap, program->interpreter + pointer, UNMAPPED);
    assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
}

static void a_runtime_without_an_interpreter_has_no_threads(struct program *program)
{
    uint32_t count;
    python_heap_put_u64(program->heap, program->heap->runtime + program->layout->runtime.interpreters_head, 0);
    list(program, 0);
    python_gils(program->python, &count);
    assert_int_equal(count, 0);
}

/* To 3.6, the variable that is the GIL can also be one that was not found, or is not mapped any more. */
static void a_variable_that_is_not_mapped_is_told(struct program *program)
{
    if (program->layout->gil_format != GIL_CURRENT_THREAD)
        return;
    program->heap->current_thread = UNMAPPED;
    python_destroy(program->python);
    program->python = python_heap_open(program->heap);
    assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
}

/* A second interpreter with a thread of its own, whose id is 2. */
static struct heap_thread add_isolated_thread(struct program *program, remote_addr *ret_interpreter)
{
    *ret_interpreter = python_heap_interpreter(program->heap);
    struct heap_thread thread = python_heap_thread(program->heap, *ret_interpreter, 2);
    python_heap_enter(program->heap, &thread);
    python_heap_call(program->heap, &thread, python_heap_code(program->heap, "isolated", "i.py", 1), 0);
    return thread;
}

static void all_interpreters_threads_are_listed(struct program *program)
{
    remote_addr second;
    add_isolated_thread(program, &second);
    call(program, "main", 1);
    python_heap_set_gil(program->heap, program->interpreter, program->thread.address, 1);
    struct python_thread *threads = list(program, 2);
    /* Where a stack is known that lies above all ids, it is the first thread's. */
    assert_int_equal(threads[0].id, program->layout->thread.cframe_frame == LAYOUT_NONE ? 2 : 1);
    assert_int_equal(threads[1].id, 1);
    assert_int_equal(threads[0].interpreter_id, program->layout->interpreter.id == LAYOUT_NONE ? 0 : 1);
    assert_int_equal(threads[1].interpreter_id, 0);
    assert_false(threads[0].holds_gil);
    assert_int_equal(threads[1].holds_gil, has_gil(program));
    for (unsigned i = 0; i < 2; i++)
        python_walk_thread(program->python, memory_of(program), &threads[i]);
    check_stack(program, &threads[0], "isolated:1!");
    check_stack(program, &threads[1], "main:11!");
}

static void interpreters_have_a_gil_each_or_share_one(struct program *program)
{
    if (!has_gil_struct(program))
        return;
    remote_addr second;
    uint32_t count;
    uint16_t pointer = program->layout->interpreter.gil_pointer;
    struct heap_thread isolated = add_isolated_thread(program, &second);
    python_heap_set_gil(program->heap, program->interpreter, program->thread.address, 1);
    if (pointer != LAYOUT_NONE) {
        python_heap_set_gil(program->heap, second, isolated.address, 1);
        const struct python_thread *threads = list(program, 2);
        const struct python_gil *gils = python_gils(program->python, &count);
        assert_int_equal(count, 2);
        for (unsigned i = 0; i < 2; i++) {
            assert_true(threads[i].holds_gil);
            assert_int_equal(threads[i].gil, i);
            assert_int_equal(gils[i].last_holder, threads[i].address);
        }
        python_heap_put_u64(program->heap, second + pointer, python_heap_gil(program->heap, program->interpreter));
    }
    const struct python_thread *threads = list(program, 2);
    const struct python_gil *gils = python_gils(program->python, &count);
    assert_int_equal(count, 1);
    check_gil(program, &gils[0], 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(threads[i].gil, 0);
        assert_int_equal(threads[i].holds_gil, i == 1);
    }
}

static void a_thread_that_was_not_started_yet_is_not_listed(struct program *program)
{
    uint16_t native_id = program->layout->thread.native_id;
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    if (native_id != LAYOUT_NONE)
        python_heap_put_u64(program->heap, second.address + native_id, 0);
    list(program, native_id == LAYOUT_NONE ? 2 : 1);
}

static void a_broken_list_of_threads_is_told(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    struct heap_thread third = python_heap_thread(program->heap, program->interpreter, 3);
    uint16_t next = program->layout->thread.next;
    python_heap_put_u64(program->heap, program->thread.address + next, UNMAPPED);
    assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
    python_heap_put_u64(program->heap, program->thread.address + next, UINT64_MAX - 3);
    assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
    python_heap_put_u64(program->heap, program->thread.address + next, 0);
    python_heap_put_u64(program->heap, second.address + program->layout->thread.interpreter, program->heap->runtime);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
    python_heap_put_u64(program->heap, second.address + program->layout->thread.interpreter, program->interpreter);
    list(program, 3);
    python_heap_put_u64(program->heap, third.address + next, third.address);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
    python_heap_put_u64(program->heap, third.address + next, second.address);
    python_heap_put_u64(program->heap, program->thread.address + next, third.address);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
}

/* What a list that breaks off in each of many readings comes to. */
static const struct python_thread *list_broken(struct program *program, uint32_t expected_count,
                                               enum python_status expected)
{
    enum { READINGS = 17 };
    uint32_t count;
    int readings = 1;
    while (list_status(program) != PYTHON_OK) {
        assert_int_equal(python_list_status(program->python), PYTHON_OK);
        assert_true(++readings <= READINGS);
    }
    assert_true(expected == PYTHON_OK || readings == READINGS);
    assert_int_equal(python_list_status(program->python), expected);
    const struct python_thread *threads = python_threads(program->python, &count);
    assert_int_equal(count, expected_count);
    return threads;
}

static void a_list_of_threads_that_stays_broken_has_what_is_in_front(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    struct heap_thread third = python_heap_thread(program->heap, program->interpreter, 3);
    remote_addr last = program->thread.address, next = program->layout->thread.next;
    const remote_addr targets[] = {UNMAPPED, 3, UINT64_MAX - 7, last, second.address, third.address};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        python_heap_put_u64(program->heap, last + next, targets[i]);
        const struct python_thread *threads = list_broken(program, 3, i < 3 ? PYTHON_BAD_MEMORY : PYTHON_BAD_THREAD);
        for (unsigned j = 0; j < 3; j++)
            assert_int_equal(threads[j].id, 3 - j);
        python_heap_put_u64(program->heap, last + next, 0);
        list_broken(program, 3, PYTHON_OK);
    }
    python_heap_put_u64(program->heap, second.address + next, second.address);
    python_take_as_it_is(program->python);
    assert_int_equal(list_status(program), PYTHON_OK);
    assert_int_equal(python_list_status(program->python), PYTHON_BAD_THREAD);
    list(program, 2);
}

/* The place where a list breaks has to stay the same: one that changes is only caught in motion. */
static void a_list_of_threads_that_breaks_elsewhere_each_time_is_none(struct program *program)
{
    enum { READINGS = 100 };
    for (unsigned i = 0; i < READINGS; i++) {
        python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.next,
                            UNMAPPED + (remote_addr)(i % 7) * 4096);
        assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
    }
}

static void each_thread_of_a_cycle_is_listed_once(struct program *program)
{
    enum { COUNT = 24 };
    remote_addr threads[COUNT] = {program->thread.address};
    for (unsigned i = 1; i < COUNT; i++)
        threads[i] = python_heap_thread(program->heap, program->interpreter, i + 1).address;
    for (unsigned i = 0; i < COUNT; i++) {
        python_heap_put_u64(program->heap, threads[0] + program->layout->thread.next, threads[i]);
        const struct python_thread *listed = list_broken(program, COUNT, PYTHON_BAD_THREAD);
        for (unsigned j = 0; j < COUNT; j++)
            assert_int_equal(listed[j].address, threads[COUNT - 1 - j]);
        python_heap_put_u64(program->heap, threads[0] + program->layout->thread.next, 0);
        list_broken(program, COUNT, PYTHON_OK);
    }
}

/* A process has a few states for each of its threads at most, and those that are left over of threads that ended. */
static void far_more_threads_than_the_kernel_has_are_cut(struct program *program)
{
    enum { STALE = 1024, EACH = 4 };
    uint32_t count;
    python_limit_threads(program->python, 2);
    for (unsigned i = 1; i < STALE + 2 * EACH; i++)
        python_heap_thread(program->heap, program->interpreter, i + 1);
    list_broken(program, STALE + 2 * EACH, PYTHON_OK);
    python_heap_thread(program->heap, program->interpreter, STALE + 3 * EACH);
    list_broken(program, STALE + 2 * EACH, PYTHON_BAD_THREAD);
    python_limit_threads(program->python, 3);
    list_broken(program, STALE + 2 * EACH + 1, PYTHON_OK);
    python_limit_threads(program->python, UINT32_MAX);
    python_threads(program->python, &count);
    list_broken(program, count, PYTHON_OK);
}

static void more_threads_than_the_limit_are_told(void **state)
{
    (void)state;
    struct program program;
    program_init(&program, layout_of_version(3, 12, false), MANY_THREADS_HEAP_LEN);
    remote_addr threads = python_heap_alloc(program.heap, (size_t)PYTHON_THREAD_LIMIT * THREAD_STEP);
    remote_addr next = program.thread.address;
    for (uint32_t i = 1; i <= PYTHON_THREAD_LIMIT; i++) {
        remote_addr thread = threads + (i - 1) * (uint64_t)THREAD_STEP;
        python_heap_put_u64(program.heap, thread + program.layout->thread.next, next);
        python_heap_put_u64(program.heap, thread + program.layout->thread.interpreter, program.interpreter);
        python_heap_put_u64(program.heap, thread + program.layout->thread.native_id, i + 1);
        python_heap_put_u64(program.heap, program.interpreter + program.layout->interpreter.threads_head, thread);
        next = thread;
        if (i == PYTHON_THREAD_LIMIT - 1)
            list(&program, PYTHON_THREAD_LIMIT);
    }
    assert_int_equal(list_status(&program), PYTHON_BAD_THREAD);
    program_deinit(&program);
}

static void a_broken_list_of_interpreters_is_told(struct program *program)
{
    remote_addr second = python_heap_interpreter(program->heap);
    uint16_t next = program->layout->interpreter.next;
    static const remote_addr pointers[] = {0x123456789000, UINT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        python_heap_put_u64(program->heap, program->interpreter + next, pointers[i]);
        assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
    }
    python_heap_put_u64(program->heap, program->interpreter + next, program->interpreter);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
    python_heap_put_u64(program->heap, program->interpreter + next, second);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
}

static void a_list_of_interpreters_that_stays_broken_has_what_is_in_front(struct program *program)
{
    remote_addr second = python_heap_interpreter(program->heap), next = program->layout->interpreter.next;
    python_heap_thread(program->heap, second, 2);
    const remote_addr targets[] = {UNMAPPED, UINT64_MAX, program->interpreter, second};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        python_heap_put_u64(program->heap, program->interpreter + next, targets[i]);
        const struct python_thread *threads = list_broken(program, 2, i < 2 ? PYTHON_BAD_MEMORY : PYTHON_BAD_THREAD);
        assert_int_equal(threads[0].interpreter, second);
        assert_int_equal(threads[1].interpreter, program->interpreter);
        python_heap_put_u64(program->heap, program->interpreter + next, 0);
        list_broken(program, 2, PYTHON_OK);
    }
}

static void more_interpreters_than_the_limit_are_told(struct program *program)
{
    for (int i = 1; i < PYTHON_INTERPRETER_LIMIT; i++)
        python_heap_interpreter(program->heap);
    list(program, 1);
    python_heap_interpreter(program->heap);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
}

static bool shows_collections(const struct program *program)
{
    return program->layout->interpreter.collecting != LAYOUT_NONE;
}

static void the_thread_that_may_run_python_code_collects_garbage(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    python_heap_attach(program->heap, program->interpreter, &second);
    assert_false(list(program, 2)[0].is_collecting);
    python_heap_collect(program->heap, program->interpreter, 0);
    python_heap_set_state(program->heap, &program->thread, 2);
    assert_int_equal(list(program, 2)[0].is_collecting, shows_collections(program));
    assert_false(list(program, 2)[1].is_collecting);
}

/* While nobody has the GIL, or others run beside the one that collects, nothing tells who does. */
static void garbage_may_be_collected_by_nobody_in_particular(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    python_heap_collect(program->heap, program->interpreter, 0);
    if (program->layout->gil_format == GIL_OPTIONAL) {
        python_heap_attach(program->heap, program->interpreter, &program->thread);
        python_heap_attach(program->heap, program->interpreter, &second);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_false(list(program, 2)[i].is_collecting);
}

static void another_interpreters_garbage_is_not_collected(struct program *program)
{
    remote_addr other = python_heap_interpreter(program->heap);
    struct heap_thread thread = python_heap_thread(program->heap, other, 2);
    python_heap_attach(program->heap, other, &thread);
    python_heap_collect(program->heap, program->interpreter, 0);
    for (unsigned i = 0; i < 2; i++)
        assert_false(list(program, 2)[i].is_collecting);
    python_heap_collect(program->heap, other, 0);
    assert_int_equal(list(program, 2)[0].is_collecting, shows_collections(program));
}

/* Lists, with leave to use the last list again, and says whether that was done. */
static bool is_list_old(struct program *program, uint32_t expected)
{
    python_allow_old_list(program->python, true);
    list(program, expected);
    return python_is_list_old(program->python);
}

static void the_last_list_is_used_again_while_the_newest_thread_is_the_same(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    python_heap_enter(program->heap, &second);
    python_heap_call(program->heap, &second, python_heap_code(program->heap, "work", "w.py", 5), 1);
    assert_false(is_list_old(program, 2));
    assert_true(is_list_old(program, 2));
    python_heap_set_gil(program->heap, program->interpreter, second.address, 1);
    assert_true(is_list_old(program, 2));
    struct python_thread *threads = list(program, 2);
    assert_int_equal(threads[0].holds_gil, has_gil(program));
    assert_false(threads[1].holds_gil);
    python_walk_thread(program->python, memory_of(program), &threads[0]);
    check_stack(program, &threads[0], "work:6!");
    assert_true(is_list_old(program, 2));
    assert_int_equal(list(program, 2)->frame_count, 0);
    python_heap_thread(program->heap, program->interpreter, 3);
    assert_false(is_list_old(program, 3));
    python_allow_old_list(program->python, false);
    list(program, 3);
    assert_false(python_is_list_old(program->python));
}

static void a_thread_that_is_gone_from_an_old_list_is_noticed_when_it_is_walked(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    python_heap_thread(program->heap, program->interpreter, 3);
    is_list_old(program, 3);
    assert_true(is_list_old(program, 3));
    python_heap_put_u64(program->heap, second.address + program->layout->thread.id, 77);
    struct python_thread *threads = list(program, 3);
    assert_int_equal(python_walk_thread(program->python, memory_of(program), &threads[1]), PYTHON_IN_MOTION);
    assert_int_equal(python_walk_thread(program->python, memory_of(program), &threads[0]), PYTHON_OK);
    assert_false(is_list_old(program, 3));
    assert_true(is_list_old(program, 3));
}

static void a_list_that_lacks_a_thread_is_not_used_again(struct program *program)
{
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    if (program->layout->thread.native_id != LAYOUT_NONE) {
        python_heap_put_u64(program->heap, second.address + program->layout->thread.native_id, 0);
        is_list_old(program, 1);
        assert_false(is_list_old(program, 1));
        python_heap_put_u64(program->heap, second.address + program->layout->thread.native_id, 2);
    }
    is_list_old(program, 2);
    assert_true(is_list_old(program, 2));
    if (program->layout->gil_format == GIL_CURRENT_THREAD || !has_gil(program))
        return;
    /* The GIL has a holder that is not known. */
    python_heap_set_gil(program->heap, program->interpreter, program->interpreter, 1);
    assert_false(is_list_old(program, 2));
}

static void with_several_interpreters_each_list_is_new(struct program *program)
{
    is_list_old(program, 1);
    assert_true(is_list_old(program, 1));
    python_heap_thread(program->heap, python_heap_interpreter(program->heap), 2);
    assert_false(is_list_old(program, 2));
    assert_false(is_list_old(program, 2));
}

/* The list may be old, but which GIL there is, is read anew. */
static void an_old_lists_threads_have_the_gil_that_is_there_now(struct program *program)
{
    uint32_t count;
    if (program->layout->interpreter.gil_pointer == LAYOUT_NONE)
        return;
    is_list_old(program, 1);
    python_heap_put_u64(program->heap, program->interpreter + program->layout->interpreter.gil_pointer, 0);
    assert_true(is_list_old(program, 1));
    python_gils(program->python, &count);
    assert_int_equal(count, 0);
    assert_int_equal(list(program, 1)->gil, PYTHON_NO_GIL);
}

static const struct CMUnitTest tests[] = {
    EACH_VERSION(threads_are_listed_the_newest_first, PYTHON_HEAP_LEN),
    EACH_VERSION(the_last_thread_of_a_mapping_is_listed, PYTHON_HEAP_LEN),
    EACH_VERSION(a_state_that_anybody_may_run_is_the_threads_that_runs_it, PYTHON_HEAP_LEN),
    EACH_VERSION(only_a_locked_gil_has_a_holder, PYTHON_HEAP_LEN),
    EACH_VERSION(a_gil_that_can_be_switched_off_guards_nothing, PYTHON_HEAP_LEN),
    EACH_VERSION(an_interpreter_without_a_gil_is_listed, PYTHON_HEAP_LEN),
    EACH_VERSION(a_runtime_without_an_interpreter_has_no_threads, PYTHON_HEAP_LEN),
    EACH_VERSION(a_variable_that_is_not_mapped_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(all_interpreters_threads_are_listed, PYTHON_HEAP_LEN),
    EACH_VERSION(interpreters_have_a_gil_each_or_share_one, PYTHON_HEAP_LEN),
    EACH_VERSION(a_thread_that_was_not_started_yet_is_not_listed, PYTHON_HEAP_LEN),
    EACH_VERSION(the_last_list_is_used_again_while_the_newest_thread_is_the_same, PYTHON_HEAP_LEN),
    EACH_VERSION(a_thread_that_is_gone_from_an_old_list_is_noticed_when_it_is_walked, PYTHON_HEAP_LEN),
    EACH_VERSION(a_list_that_lacks_a_thread_is_not_used_again, PYTHON_HEAP_LEN),
    EACH_VERSION(with_several_interpreters_each_list_is_new, PYTHON_HEAP_LEN),
    EACH_VERSION(an_old_lists_threads_have_the_gil_that_is_there_now, PYTHON_HEAP_LEN),
    EACH_VERSION(a_broken_list_of_threads_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(a_list_of_threads_that_stays_broken_has_what_is_in_front, PYTHON_HEAP_LEN),
    EACH_VERSION(a_list_of_threads_that_breaks_elsewhere_each_time_is_none, PYTHON_HEAP_LEN),
    EACH_VERSION(each_thread_of_a_cycle_is_listed_once, PYTHON_HEAP_LEN),
    EACH_VERSION(far_more_threads_than_the_kernel_has_are_cut, MANY_THREADS_HEAP_LEN),
    EACH_VERSION(a_list_of_interpreters_that_stays_broken_has_what_is_in_front, PYTHON_HEAP_LEN),
    cmocka_unit_test(more_threads_than_the_limit_are_told),
    EACH_VERSION(a_broken_list_of_interpreters_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(more_interpreters_than_the_limit_are_told, MANY_INTERPRETERS_HEAP_LEN),
    EACH_VERSION(the_thread_that_may_run_python_code_collects_garbage, PYTHON_HEAP_LEN),
    EACH_VERSION(garbage_may_be_collected_by_nobody_in_particular, PYTHON_HEAP_LEN),
    EACH_VERSION(another_interpreters_garbage_is_not_collected, PYTHON_HEAP_LEN),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
