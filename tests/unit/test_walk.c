/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "python/layout.h"
#include "python/runtime.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    DEEP_HEAP_LEN = 16 * 1024 * 1024,
    MANY_THREADS_HEAP_LEN = 48 * 1024 * 1024,
    FRAME_LEN = 112, /* what any layout reads of one */
    THREAD_STEP = 512,
};

static const remote_addr UNMAPPED = 0x123456789000;

/* One interpreter with one thread that C code has called; tests go on from there. */
struct program {
    struct python_heap *heap;
    const struct layout *layout;
    struct python *python;
    remote_addr interpreter;
    struct heap_thread thread;
};

static void program_init(struct program *program, const struct layout *layout, size_t len)
{
    *program = (struct program){.heap = python_heap_create(layout, len), .layout = layout};
    program->interpreter = python_heap_interpreter(program->heap);
    program->thread = python_heap_thread(program->heap, program->interpreter, 1);
    python_heap_enter(program->heap, &program->thread);
    program->python = python_heap_open(program->heap);
}

static void program_deinit(struct program *program)
{
    python_destroy(program->python);
    python_heap_destroy(program->heap);
}

/* A test that runs on a fresh program of each version. */
struct each_version {
    void (*test)(struct program *program);
    size_t heap_len;
};

#define EACH_VERSION(test, heap_len)                                                                                   \
    {                                                                                                                  \
#test, run_on_each_version, NULL, NULL, &(struct each_version)                                                 \
        {                                                                                                              \
            test, heap_len                                                                                             \
        }                                                                                                              \
    }

static void run_on_each_version(void **state)
{
    const struct each_version *each = *state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    assert_true(count >= 6);
    for (uint32_t i = 0; i < count; i++) {
        struct program program;
        program_init(&program, &layouts[i], each->heap_len);
        each->test(&program);
        program_deinit(&program);
    }
}

static remote_addr call(struct program *program, const char *name, int instruction)
{
    return python_heap_call(program->heap, &program->thread, python_heap_code(program->heap, name, "a.py", 10),
                            instruction);
}

static struct memory *memory_of(struct program *program)
{
    return &program->heap->fake.memory;
}

static struct python_thread *list(struct program *program, uint32_t expected)
{
    uint32_t count;
    python_begin_sample(program->python);
    assert_int_equal(python_list_threads(program->python, memory_of(program)), PYTHON_OK);
    struct python_thread *threads = python_threads(program->python, &count);
    assert_int_equal(count, expected);
    return threads;
}

/* Takes a sample of the one thread and returns how its walk ended. */
static enum python_status sample(struct program *program)
{
    struct python_thread *thread = list(program, 1);
    enum python_status status = python_walk_thread(program->python, memory_of(program), thread);
    assert_int_equal(thread->status, status);
    if (status != PYTHON_OK)
        assert_int_equal(thread->frame_count, 0);
    return status;
}

/* Compares a thread's stack with "name:line name:line ...", innermost first; "!" marks an entry. */
static void check_stack(struct program *program, const struct python_thread *thread, const char *expected)
{
    char text[1024] = "";
    assert_int_equal(thread->status, PYTHON_OK);
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct python_frame *frame = &python_frames(program->python)[thread->first_frame + i];
        const struct python_code *code = python_code(program->python, frame->code);
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s%s:%d%s", i ? " " : "", code->name, frame->line,
                 frame->is_entry ? "!" : "");
    }
    assert_string_equal(text, expected);
}

static void check_sample(struct program *program, const char *expected)
{
    uint32_t count;
    assert_int_equal(sample(program), PYTHON_OK);
    check_stack(program, python_threads(program->python, &count), expected);
}

static bool is_every_call_an_entry(const struct program *program)
{
    return program->layout->entry_format == ENTRY_ALWAYS;
}

static void put_previous(struct program *program, remote_addr frame, remote_addr previous)
{
    python_heap_put_u64(program->heap, frame + program->layout->frame.previous, previous);
}

static void a_plain_stack_has_its_names_and_lines(struct program *program)
{
    call(program, "<module>", 0);
    call(program, "main", 3);
    call(program, "Class.method", 39);
    bool always = is_every_call_an_entry(program);
    check_sample(program, always ? "Class.method:49! main:13! <module>:10!" : "Class.method:49 main:13 <module>:10!");
    const struct python_code *code = python_code(program->python, python_frames(program->python)[0].code);
    assert_string_equal(code->filename, "a.py");
    assert_int_equal(code->filename_len, 4);
    assert_int_equal(code->name_len, strlen("Class.method"));
    assert_int_equal(code->first_line, 10);
    check_sample(program, always ? "Class.method:49! main:13! <module>:10!" : "Class.method:49 main:13 <module>:10!");
}

static void each_call_from_c_is_an_entry(struct program *program)
{
    call(program, "outer", 1);
    python_heap_enter(program->heap, &program->thread);
    call(program, "callback", 2);
    call(program, "inner", 3);
    check_sample(program, is_every_call_an_entry(program) ? "inner:13! callback:12! outer:11!"
                                                          : "inner:13 callback:12! outer:11!");
}

/* From 3.11 on the interpreter does not show a frame before its function has begun. */
static void a_call_that_has_not_begun_is_in_its_first_line_or_left_out(struct program *program)
{
    call(program, "main", 1);
    call(program, "fresh", -1);
    check_sample(program, is_every_call_an_entry(program) ? "fresh:10! main:11!" : "main:11!");
}

static void frames_of_generators_stand_where_they_were_resumed(struct program *program)
{
    call(program, "main", 1);
    remote_addr code = python_heap_code(program->heap, "generate", "g.py", 20);
    python_heap_resume(program->heap, &program->thread, code, 2);
    python_heap_resume(program->heap, &program->thread, code, 5);
    call(program, "leaf", 0);
    check_sample(program, is_every_call_an_entry(program) ? "leaf:10! generate:25! generate:22! main:11!"
                                                          : "leaf:10 generate:25 generate:22 main:11!");
}

static void the_innermost_frame_may_be_a_generators(struct program *program)
{
    call(program, "main", 1);
    python_heap_resume(program->heap, &program->thread, python_heap_code(program->heap, "generate", "g.py", 20), 2);
    check_sample(program, is_every_call_an_entry(program) ? "generate:22! main:11!" : "generate:22 main:11!");
}

static void a_thread_outside_of_python_has_no_frames(struct program *program)
{
    python_heap_put_u64(program->heap, program->thread.cframe, 0);
    check_sample(program, "");
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
        assert_int_equal(threads[i].holds_gil, i == 1);
        python_walk_thread(program->python, memory_of(program), &threads[i]);
    }
    assert_int_equal(threads[0].address, third.address);
    check_stack(program, &threads[0], "");
    check_stack(program, &threads[1], "work:6!");
    check_stack(program, &threads[2], "main:11!");
}

static void only_a_locked_gil_has_a_holder(struct program *program)
{
    static const int states[] = {0, 1, -1, 2};
    for (size_t i = 0; i < 4; i++) {
        python_heap_set_gil(program->heap, program->interpreter, program->thread.address, states[i]);
        assert_int_equal(list(program, 1)->holds_gil, states[i] == 1);
        struct python_gil gil;
        assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_OK);
        unsigned char bytes[64];
        assert_true(gil.len <= sizeof(bytes));
        assert_int_equal(memory_read(memory_of(program), gil.address, bytes, gil.len), MEMORY_OK);
        bool is_locked;
        assert_int_equal(python_last_gil_holder(program->python, bytes, &is_locked), program->thread.address);
        assert_int_equal(is_locked, states[i] == 1);
    }
}

static void an_interpreter_without_a_gil_is_told(struct program *program)
{
    struct python_gil gil;
    uint16_t pointer = program->layout->interpreter.gil_pointer;
    if (pointer != LAYOUT_NONE) {
        python_heap_put_u64(program->heap, program->interpreter + pointer, 0);
        assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_BAD_THREAD);
        assert_false(list(program, 1)->holds_gil);
        python_heap_put_u64(program->heap, program->interpreter + pointer, UNMAPPED);
        python_begin_sample(program->python);
        assert_int_equal(python_list_threads(program->python, memory_of(program)), PYTHON_BAD_MEMORY);
    }
    python_heap_put_u64(program->heap, program->heap->runtime + program->layout->runtime.interpreters_head, 0);
    assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_BAD_THREAD);
    list(program, 0);
}

static void all_interpreters_threads_are_listed_and_the_oldest_has_the_main_gil(struct program *program)
{
    remote_addr second = python_heap_interpreter(program->heap);
    struct heap_thread thread = python_heap_thread(program->heap, second, 2);
    python_heap_enter(program->heap, &thread);
    python_heap_call(program->heap, &thread, python_heap_code(program->heap, "isolated", "i.py", 1), 0);
    call(program, "main", 1);
    python_heap_set_gil(program->heap, program->interpreter, program->thread.address, 1);
    struct python_thread *threads = list(program, 2);
    assert_int_equal(threads[0].id, 2);
    assert_int_equal(threads[1].id, 1);
    assert_true(threads[1].holds_gil);
    for (unsigned i = 0; i < 2; i++)
        python_walk_thread(program->python, memory_of(program), &threads[i]);
    check_stack(program, &threads[0], "isolated:1!");
    check_stack(program, &threads[1], "main:11!");
    struct python_gil gil;
    assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_OK);
    assert_int_equal(gil.address,
                     python_heap_gil(program->heap, program->interpreter) + program->layout->gil.last_holder);
}

static void a_thread_that_was_not_started_yet_is_not_listed(struct program *program)
{
    uint16_t native_id = program->layout->thread.native_id;
    struct heap_thread second = python_heap_thread(program->heap, program->interpreter, 2);
    if (native_id != LAYOUT_NONE)
        python_heap_put_u64(program->heap, second.address + native_id, 0);
    list(program, native_id == LAYOUT_NONE ? 2 : 1);
}

static void a_cycle_of_frames_of_any_length_is_noticed(struct program *program)
{
    remote_addr frames[30];
    for (size_t i = 0; i < 30; i++)
        frames[i] = call(program, "f", 0);
    static const size_t targets[] = {29, 28, 27, 20, 1, 0};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        for (size_t from = 0; from <= targets[i]; from++) {
            remote_addr old;
            memcpy(&old, python_heap_bytes_at(program->heap, frames[from] + program->layout->frame.previous), 8);
            put_previous(program, frames[from], frames[targets[i]]);
            assert_int_equal(sample(program), PYTHON_BAD_FRAME);
            put_previous(program, frames[from], old);
        }
    }
    assert_int_equal(sample(program), PYTHON_OK);
}

/* Makes a chain of `count` frames of one code object, below which the thread's own stack goes on. */
static void put_deep_stack(struct program *program, uint32_t count)
{
    remote_addr code = python_heap_code(program->heap, "deep", "a.py", 10);
    remote_addr frames = python_heap_alloc(program->heap, (size_t)count * FRAME_LEN);
    for (uint32_t i = 0; i < count; i++)
        python_heap_put_frame(program->heap, &program->thread, frames + (uint64_t)i * FRAME_LEN, code, 0,
                              PYTHON_HEAP_OWNER_GENERATOR);
}

static void a_long_cycle_is_noticed_before_the_limit(struct program *program)
{
    remote_addr outermost = call(program, "f", 0);
    put_deep_stack(program, 5000);
    put_previous(program, outermost, program->thread.innermost);
    assert_int_equal(sample(program), PYTHON_BAD_FRAME);
}

static void a_stack_beyond_the_limit_is_cut(struct program *program)
{
    call(program, "main", 0);
    put_deep_stack(program, PYTHON_FRAME_LIMIT - 2);
    uint32_t count;
    assert_int_equal(sample(program), PYTHON_OK);
    const struct python_thread *thread = python_threads(program->python, &count);
    assert_false(thread->is_cut);
    assert_int_equal(thread->frame_count, PYTHON_FRAME_LIMIT - 1);

    remote_addr code = python_heap_code(program->heap, "leaf", "a.py", 10);
    python_heap_resume(program->heap, &program->thread, code, 0);
    python_heap_resume(program->heap, &program->thread, code, 1);
    python_heap_resume(program->heap, &program->thread, code, 2);
    assert_int_equal(sample(program), PYTHON_OK);
    thread = python_threads(program->python, &count);
    assert_true(thread->is_cut);
    assert_int_equal(thread->frame_count, PYTHON_FRAME_LIMIT);
    assert_int_equal(python_frames(program->python)[thread->first_frame].line, 12);
}

static void a_frame_that_leads_to_nowhere_is_a_broken_chain(struct program *program)
{
    call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1);
    static const remote_addr pointers[] = {0x123456789000, 8, UINT64_MAX - 7, 0x7fffffffff00, 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        put_previous(program, top, pointers[i]);
        assert_int_equal(sample(program), PYTHON_BAD_FRAME);
    }
}

static void a_misaligned_frame_is_a_broken_chain(struct program *program)
{
    remote_addr outer = call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1);
    for (unsigned i = 1; i < 8; i++) {
        put_previous(program, top, outer + i);
        assert_int_equal(sample(program), PYTHON_BAD_FRAME);
    }
}

static void a_first_frame_that_is_none_is_the_loop_being_entered_where_that_can_be(struct program *program)
{
    bool has_cframe = program->layout->thread.cframe_frame != LAYOUT_NONE;
    enum python_status expected = has_cframe ? PYTHON_IN_MOTION : PYTHON_BAD_FRAME;
    python_heap_put_u64(program->heap, program->thread.cframe, UNMAPPED);
    assert_int_equal(sample(program), expected);
    python_heap_put_u64(program->heap, program->thread.cframe, 3);
    assert_int_equal(sample(program), expected);
    if (!has_cframe)
        return;
    python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.frame, UNMAPPED);
    assert_int_equal(sample(program), PYTHON_BAD_MEMORY);
}

static void a_code_object_that_is_none_is_told(struct program *program)
{
    remote_addr frame = call(program, "main", 0);
    call(program, "leaf", 1);
    remote_addr wrong = python_heap_code(program->heap, "impostor", "a.py", 1);
    python_heap_put_u64(program->heap, wrong + program->layout->object.type, program->heap->other_type);
    const remote_addr codes[] = {wrong, 0, UNMAPPED, UINT64_MAX, UINT64_MAX - 100, program->heap->runtime};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        python_heap_put_u64(program->heap, frame + program->layout->frame.code, codes[i]);
        assert_int_equal(sample(program), PYTHON_BAD_CODE);
    }
}

/* Gives the field at `offset` of a frame's code object each of these pointers, and expects that the code is refused. */
static void check_code_pointer(struct program *program, remote_addr frame, uint16_t offset)
{
    static const remote_addr pointers[] = {0, 0x123456789000, UINT64_MAX - 10, UINT64_MAX};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        remote_addr code = python_heap_code(program->heap, "f", "a.py", 10);
        python_heap_put_u64(program->heap, code + offset, pointers[i]);
        python_heap_put_u64(program->heap, frame + program->layout->frame.code, code);
        assert_int_equal(sample(program), PYTHON_BAD_CODE);
    }
}

static void a_code_object_that_points_to_nowhere_is_told(struct program *program)
{
    remote_addr frame = call(program, "main", 0);
    call(program, "leaf", 0); /* an innermost frame that is none is taken for a loop being entered */
    check_code_pointer(program, frame, program->layout->code.filename);
    check_code_pointer(program, frame, program->layout->code.line_table);
    if (program->layout->code.qualname == LAYOUT_NONE)
        check_code_pointer(program, frame, program->layout->code.name);
    else
        check_code_pointer(program, frame, program->layout->code.qualname);
}

static void names_and_tables_of_absurd_length_do_no_harm(struct program *program)
{
    const struct layout *layout = program->layout;
    static const uint64_t lengths[] = {UINT64_C(1) << 62, UINT64_MAX, UINT64_MAX / 2, 1 << 30};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        remote_addr code = python_heap_code(program->heap, "main", "a.py", 10);
        remote_addr name = python_heap_text(program->heap, "a long name");
        python_heap_alloc(program->heap, 2 * 8192);
        python_heap_put_u64(program->heap, name + layout->text.length, lengths[i]);
        python_heap_put_u64(program->heap, code + layout->code.name, name);
        if (layout->code.qualname != LAYOUT_NONE)
            python_heap_put_u64(program->heap, code + layout->code.qualname, name);
        program->thread.innermost = 0;
        python_heap_enter(program->heap, &program->thread);
        python_heap_call(program->heap, &program->thread, code, 0);
        assert_int_equal(sample(program), PYTHON_OK);
        assert_int_equal(python_code(program->python, python_frames(program->python)[0].code)->name_len, 8192 + 3);

        remote_addr table = python_heap_bytes(program->heap, "x", 1);
        python_heap_put_u64(program->heap, table + layout->bytes.length, lengths[i]);
        python_heap_put_u64(program->heap, code + layout->code.line_table, table);
        call(program, "leaf", 0);
        assert_int_equal(sample(program), PYTHON_BAD_CODE);
    }
}

static void a_code_object_that_took_anothers_place_has_its_own_name(struct program *program)
{
    remote_addr frame = call(program, "main", 0);
    remote_addr code = python_heap_code(program->heap, "old", "a.py", 10);
    python_heap_put_frame(program->heap, &program->thread, frame, code, 0, PYTHON_HEAP_OWNER_GENERATOR);
    put_previous(program, frame, 0);
    python_heap_put_u64(program->heap, program->thread.cframe, 0);
    program->thread.innermost = 0;
    python_heap_enter(program->heap, &program->thread);
    python_heap_call(program->heap, &program->thread, code, 2);
    check_sample(program, "old:12!");
    uint32_t serial = python_code(program->python, python_frames(program->python)[0].code)->serial;
    check_sample(program, "old:12!");
    assert_int_equal(python_code(program->python, python_frames(program->python)[0].code)->serial, serial);

    remote_addr other = python_heap_code(program->heap, "new", "b.py", 20);
    memcpy(python_heap_bytes_at(program->heap, code), python_heap_bytes_at(program->heap, other),
           program->layout->code.size);
    check_sample(program, "new:22!");
    const struct python_code *found = python_code(program->python, python_frames(program->python)[0].code);
    assert_string_equal(found->filename, "b.py");
    assert_int_not_equal(found->serial, serial);
}

static void a_code_object_whose_parts_all_took_the_old_ones_places_has_its_own_name(struct program *program)
{
    const struct layout *layout = program->layout;
    remote_addr code = python_heap_code(program->heap, "first", "a.py", 10);
    remote_addr name;
    uint16_t field = layout->code.qualname == LAYOUT_NONE ? layout->code.name : layout->code.qualname;
    memcpy(&name, python_heap_bytes_at(program->heap, code + field), sizeof(name));
    python_heap_call(program->heap, &program->thread, code, 0);
    check_sample(program, "first:10!");
    memcpy(python_heap_bytes_at(program->heap, name + layout->text.ascii_data), "other", 5);
    memcpy(&name, python_heap_bytes_at(program->heap, code + layout->code.name), sizeof(name));
    python_heap_put_u64(program->heap, name + layout->text.hash, 77);
    if (layout->code.version != LAYOUT_NONE)
        python_heap_put_u32(program->heap, code + layout->code.version, 77);
    check_sample(program, "other:10!");
}

static void a_chain_that_ends_without_an_entry_is_in_motion(struct program *program)
{
    program->thread.innermost = 0;
    program->thread.is_entering = false;
    call(program, "main", 0);
    call(program, "leaf", 0);
    assert_int_equal(sample(program), is_every_call_an_entry(program) ? PYTHON_OK : PYTHON_IN_MOTION);
}

static void a_frame_above_the_used_part_of_the_stack_is_in_motion(struct program *program)
{
    if (program->layout->thread.stack_chunk == LAYOUT_NONE)
        return;
    remote_addr outer = call(program, "main", 0);
    remote_addr top = call(program, "leaf", 0);
    remote_addr bounds = program->thread.address + program->layout->thread.stack_chunk;
    assert_int_equal(sample(program), PYTHON_OK);
    python_heap_put_u64(program->heap, bounds + 8, top);
    assert_int_equal(sample(program), PYTHON_IN_MOTION);
    python_heap_put_u64(program->heap, bounds + 8, top + 8);
    assert_int_equal(sample(program), PYTHON_OK);
    python_heap_put_u64(program->heap, bounds, top);
    assert_int_equal(sample(program), PYTHON_OK);
    python_heap_put_u64(program->heap, bounds, top + 8);
    assert_int_equal(sample(program), PYTHON_IN_MOTION);
    python_heap_put_u64(program->heap, bounds, outer);
    python_heap_put_u64(program->heap, bounds + 8, 0);
    assert_int_equal(sample(program), PYTHON_IN_MOTION);
}

static enum python_status list_status(struct program *program)
{
    python_begin_sample(program->python);
    return python_list_threads(program->python, memory_of(program));
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

static void more_threads_than_the_limit_are_told(void **state)
{
    (void)state;
    struct program program;
    program_init(&program, layout_of_version(3, 12), MANY_THREADS_HEAP_LEN);
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
    struct python_gil gil;
    static const remote_addr pointers[] = {0x123456789000, UINT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        python_heap_put_u64(program->heap, program->interpreter + next, pointers[i]);
        assert_int_equal(list_status(program), PYTHON_BAD_MEMORY);
        assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_BAD_MEMORY);
    }
    python_heap_put_u64(program->heap, program->interpreter + next, program->interpreter);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
    assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_BAD_THREAD);
    python_heap_put_u64(program->heap, program->interpreter + next, second);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
    assert_int_equal(python_find_gil(program->python, memory_of(program), &gil), PYTHON_BAD_THREAD);
}

static void more_interpreters_than_the_limit_are_told(struct program *program)
{
    for (int i = 1; i < PYTHON_INTERPRETER_LIMIT; i++)
        python_heap_interpreter(program->heap);
    list(program, 1);
    python_heap_interpreter(program->heap);
    assert_int_equal(list_status(program), PYTHON_BAD_THREAD);
}

static void one_bad_thread_does_not_spoil_the_others(struct program *program)
{
    struct heap_thread bad = python_heap_thread(program->heap, program->interpreter, 2);
    struct heap_thread third = python_heap_thread(program->heap, program->interpreter, 3);
    remote_addr code = python_heap_code(program->heap, "work", "w.py", 5);
    python_heap_enter(program->heap, &bad);
    remote_addr outer = python_heap_call(program->heap, &bad, code, 0);
    python_heap_call(program->heap, &bad, code, 1);
    put_previous(program, outer, UNMAPPED);
    python_heap_enter(program->heap, &third);
    python_heap_call(program->heap, &third, code, 3);
    call(program, "main", 1);
    struct python_thread *threads = list(program, 3);
    for (unsigned i = 0; i < 3; i++)
        python_walk_thread(program->python, memory_of(program), &threads[i]);
    check_stack(program, &threads[0], "work:8!");
    assert_int_equal(threads[1].status, PYTHON_BAD_FRAME);
    assert_int_equal(threads[1].frame_count, 0);
    check_stack(program, &threads[2], "main:11!");
}

static enum memory_status refuse(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                 size_t *ret_done)
{
    (void)memory;
    (void)pieces;
    (void)count;
    *ret_done = 0;
    return MEMORY_GONE;
}

static void a_target_that_ended_is_told(struct program *program)
{
    static const struct memory_ops ops = {.read = refuse};
    struct memory gone = {.ops = &ops};
    struct python_gil gil;
    call(program, "main", 0);
    struct python_thread *thread = list(program, 1);
    assert_int_equal(python_walk_thread(program->python, &gone, thread), PYTHON_GONE);
    assert_int_equal(python_find_gil(program->python, &gone, &gil), PYTHON_GONE);
    python_begin_sample(program->python);
    assert_int_equal(python_list_threads(program->python, &gone), PYTHON_GONE);
}

static void every_status_has_words(void **state)
{
    (void)state;
    for (int status = 0; status <= PYTHON_STATUS_COUNT + 1; status++)
        assert_true(strlen(python_status_text((enum python_status)status)) > 0);
    assert_string_equal(python_status_text(PYTHON_BAD_FRAME), "broken frame chain");
    python_destroy(NULL);
}

static const struct CMUnitTest tests[] = {
    EACH_VERSION(a_plain_stack_has_its_names_and_lines, PYTHON_HEAP_LEN),
    EACH_VERSION(each_call_from_c_is_an_entry, PYTHON_HEAP_LEN),
    EACH_VERSION(a_call_that_has_not_begun_is_in_its_first_line_or_left_out, PYTHON_HEAP_LEN),
    EACH_VERSION(frames_of_generators_stand_where_they_were_resumed, PYTHON_HEAP_LEN),
    EACH_VERSION(the_innermost_frame_may_be_a_generators, PYTHON_HEAP_LEN),
    EACH_VERSION(a_thread_outside_of_python_has_no_frames, PYTHON_HEAP_LEN),
    EACH_VERSION(threads_are_listed_the_newest_first, PYTHON_HEAP_LEN),
    EACH_VERSION(only_a_locked_gil_has_a_holder, PYTHON_HEAP_LEN),
    EACH_VERSION(an_interpreter_without_a_gil_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(all_interpreters_threads_are_listed_and_the_oldest_has_the_main_gil, PYTHON_HEAP_LEN),
    EACH_VERSION(a_thread_that_was_not_started_yet_is_not_listed, PYTHON_HEAP_LEN),
    EACH_VERSION(a_cycle_of_frames_of_any_length_is_noticed, PYTHON_HEAP_LEN),
    EACH_VERSION(a_long_cycle_is_noticed_before_the_limit, DEEP_HEAP_LEN / 8),
    EACH_VERSION(a_stack_beyond_the_limit_is_cut, DEEP_HEAP_LEN),
    EACH_VERSION(a_frame_that_leads_to_nowhere_is_a_broken_chain, PYTHON_HEAP_LEN),
    EACH_VERSION(a_misaligned_frame_is_a_broken_chain, PYTHON_HEAP_LEN),
    EACH_VERSION(a_first_frame_that_is_none_is_the_loop_being_entered_where_that_can_be, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_is_none_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_points_to_nowhere_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(names_and_tables_of_absurd_length_do_no_harm, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_took_anothers_place_has_its_own_name, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_whose_parts_all_took_the_old_ones_places_has_its_own_name, PYTHON_HEAP_LEN),
    EACH_VERSION(a_chain_that_ends_without_an_entry_is_in_motion, PYTHON_HEAP_LEN),
    EACH_VERSION(a_frame_above_the_used_part_of_the_stack_is_in_motion, PYTHON_HEAP_LEN),
    EACH_VERSION(a_broken_list_of_threads_is_told, PYTHON_HEAP_LEN),
    cmocka_unit_test(more_threads_than_the_limit_are_told),
    EACH_VERSION(a_broken_list_of_interpreters_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(more_interpreters_than_the_limit_are_told, DEEP_HEAP_LEN / 4),
    EACH_VERSION(one_bad_thread_does_not_spoil_the_others, PYTHON_HEAP_LEN),
    EACH_VERSION(a_target_that_ended_is_told, PYTHON_HEAP_LEN),
    cmocka_unit_test(every_status_has_words),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
