/* SPDX-License-Identifier: MIT */
#include "memory/snapshot.h"
#include "python_program.h"

enum {
    DEEP_HEAP_LEN = 16 * 1024 * 1024,
    FRAME_LEN = 128, /* what any layout reads of one */
};

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

/* Samples the one thread and returns the outermost frame that is kept. */
static const struct python_frame *outermost(struct program *program, uint32_t expected_count)
{
    uint32_t count;
    assert_int_equal(sample(program), PYTHON_OK);
    const struct python_thread *thread = python_threads(program->python, &count);
    assert_int_equal(thread->frame_count, expected_count);
    return &python_frames(program->python)[thread->first_frame + expected_count - 1];
}

static void a_stack_beyond_the_limit_is_cut_and_marked(struct program *program)
{
    call(program, "main", 0);
    put_deep_stack(program, PYTHON_FRAME_LIMIT - 1);
    const struct python_frame *frame = outermost(program, PYTHON_FRAME_LIMIT);
    assert_string_equal(python_code(program->python, frame->code)->name, "main");
    assert_true(frame->is_entry);

    remote_addr code = python_heap_code(program->heap, "leaf", "a.py", 10);
    for (int i = 0; i < 3; i++) {
        python_heap_resume(program->heap, &program->thread, code, i);
        frame = outermost(program, PYTHON_FRAME_LIMIT + 1);
        assert_int_equal(frame->code, PYTHON_CODE_CUT);
        assert_int_equal(frame->line, 0);
        assert_string_equal(python_code(program->python, frame->code)->name, "<deeper frames>");
        assert_string_equal(python_code(program->python, frame->code)->filename, "");
        assert_int_equal(python_frames(program->python)[0].line, 10 + i);
    }
}

static void a_frame_that_leads_to_nowhere_is_a_broken_chain(struct program *program)
{
    call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1);
    static const remote_addr pointers[] = {0x123456789000, 8, UINT64_MAX - 7, 0x7fffffffff00, 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        put_previous(program, top, pointers[i]);
        check_broken_sample(program, PYTHON_BAD_FRAME, is_every_call_an_entry(program) ? "leaf:11! ?" : "leaf:11 ?");
    }
}

/* In 3.11 and 3.12: what lay in a loop's place before it began is never on the used part of the thread's stack. */
static void a_broken_chain_of_a_loop_that_has_begun_is_no_entering(struct program *program)
{
    const struct layout *layout = program->layout;
    if (layout->thread.cframe_frame == LAYOUT_NONE)
        return;
    call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1), cframe, outermost = python_heap_alloc(program->heap, 32);
    memcpy(&cframe, python_heap_bytes_at(program->heap, program->thread.address + layout->thread.cframe), 8);
    python_heap_put_u64(program->heap, cframe + layout->thread.cframe_previous, outermost);
    put_previous(program, top, UNMAPPED);
    check_broken_sample(program, PYTHON_BAD_FRAME, "leaf:11 ?");
    put_previous(program, top, top);
    check_broken_sample(program, PYTHON_BAD_FRAME, "leaf:11 ?");
    python_heap_put_u64(program->heap, program->thread.cframe, UNMAPPED);
    assert_int_equal(sample(program), PYTHON_IN_MOTION);
    /* Nor is one whose thread sleeps. */
    struct python_thread *thread = list(program, 1);
    thread->is_asleep = true;
    assert_int_equal(python_walk_thread(program->python, memory_of(program), thread), PYTHON_BAD_FRAME);
    assert_int_equal(thread->frame_count, 1);
    assert_int_equal(python_frames(program->python)[0].code, PYTHON_CODE_UNREADABLE);
}

static void a_misaligned_frame_is_a_broken_chain(struct program *program)
{
    remote_addr outer = call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1);
    for (unsigned i = 1; i < 8; i++) {
        put_previous(program, top, outer + i);
        check_broken_sample(program, PYTHON_BAD_FRAME, is_every_call_an_entry(program) ? "leaf:11! ?" : "leaf:11 ?");
    }
}

static void a_first_frame_that_is_none_is_the_loop_being_entered_where_that_can_be(struct program *program)
{
    bool has_cframe = program->layout->thread.cframe_frame != LAYOUT_NONE;
    enum python_status expected = has_cframe ? PYTHON_IN_MOTION : PYTHON_BAD_FRAME;
    python_heap_put_u64(program->heap, program->thread.cframe, UNMAPPED);
    check_broken_sample(program, expected, has_cframe ? "" : "?");
    python_heap_put_u64(program->heap, program->thread.cframe, 3);
    check_broken_sample(program, expected, has_cframe ? "" : "?");
    if (!has_cframe)
        return;
    python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.frame, UNMAPPED);
    assert_int_equal(sample(program), PYTHON_BAD_MEMORY);
}

/* Expects that a frame between two others has no code object that can be read. */
static void check_middle_unreadable(struct program *program)
{
    check_broken_sample(program, PYTHON_BAD_CODE,
                        is_every_call_an_entry(program) ? "leaf:11! ? main:10!" : "leaf:11 ? main:10!");
}

static remote_addr call_three(struct program *program)
{
    call(program, "main", 0);
    remote_addr middle = call(program, "middle", 0);
    call(program, "leaf", 1);
    return middle;
}

static void a_code_object_that_is_none_costs_its_frame_a_mark(struct program *program)
{
    remote_addr frame = call_three(program);
    remote_addr wrong = python_heap_code(program->heap, "impostor", "a.py", 1);
    python_heap_put_u64(program->heap, wrong + program->layout->object.type, program->heap->other_type);
    const remote_addr codes[] = {
        wrong, 0, UNMAPPED, UINT64_MAX, UINT64_MAX - 100, program->heap->runtime, program->heap->none};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        python_heap_put_u64(program->heap, frame + program->layout->frame.code, codes[i]);
        check_middle_unreadable(program);
        const struct python_frame *mark = &python_frames(program->python)[1];
        assert_string_equal(python_code(program->python, mark->code)->name, "<unreadable>");
        assert_string_equal(python_code(program->python, mark->code)->filename, "");
        assert_int_equal(mark->line, 0);
    }
}

/* From 3.11 to 3.12, an innermost frame without code is taken for a loop that is being entered. */
static void the_innermost_frame_may_be_unreadable(struct program *program)
{
    bool has_cframe = program->layout->thread.cframe_frame != LAYOUT_NONE;
    call(program, "main", 0);
    remote_addr top = call(program, "leaf", 1);
    python_heap_put_u64(program->heap, top + program->layout->frame.code, UNMAPPED);
    if (has_cframe)
        check_broken_sample(program, PYTHON_IN_MOTION, "");
    else
        check_broken_sample(program, PYTHON_BAD_CODE, "? main:10!");
}

static void more_unreadable_frames_than_the_limit_are_a_broken_chain(struct program *program)
{
    enum { UNREADABLE_LIMIT = 16 };
    remote_addr frames[UNREADABLE_LIMIT + 2];
    char expected[128] = "";
    bool always = is_every_call_an_entry(program);
    call(program, "main", 0);
    for (int i = 0; i < UNREADABLE_LIMIT + 2; i++)
        frames[i] = call(program, "middle", 0);
    call(program, "leaf", 1);
    for (int i = 2; i < UNREADABLE_LIMIT + 2; i++)
        python_heap_put_u64(program->heap, frames[i] + program->layout->frame.code, UNMAPPED);
    for (int i = 0; i < UNREADABLE_LIMIT; i++)
        strcat(expected, "? ");
    size_t len = strlen(expected);
    char text[256];
    snprintf(text, sizeof(text), "leaf:11%s %smiddle:10%s middle:10%s main:10!", always ? "!" : "", expected,
             always ? "!" : "", always ? "!" : "");
    check_broken_sample(program, PYTHON_BAD_CODE, text);
    python_heap_put_u64(program->heap, frames[0] + program->layout->frame.code, UNMAPPED);
    snprintf(text, sizeof(text), "leaf:11%s %.*s middle:10%s ?", always ? "!" : "", (int)len - 1, expected,
             always ? "!" : "");
    check_broken_sample(program, PYTHON_BAD_FRAME, text);
}

/* Gives the field at `offset` of a frame's code object each of these pointers, and expects that the code is refused. */
static void check_code_pointer(struct program *program, remote_addr frame, uint16_t offset)
{
    static const remote_addr pointers[] = {0, 0x123456789000, UINT64_MAX - 10, UINT64_MAX};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        remote_addr code = python_heap_code(program->heap, "f", "a.py", 10);
        python_heap_put_u64(program->heap, code + offset, pointers[i]);
        python_heap_put_u64(program->heap, frame + program->layout->frame.code, code);
        check_middle_unreadable(program);
    }
}

static void a_code_object_that_points_to_nowhere_is_told(struct program *program)
{
    remote_addr frame = call_three(program);
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
        call(program, "leaf", 1);
        check_broken_sample(program, PYTHON_BAD_CODE, is_every_call_an_entry(program) ? "leaf:11! ?" : "leaf:11 ?");
    }
}

static void a_code_object_that_took_anothers_place_has_its_own_name(struct program *program)
{
    remote_addr frame = call(program, "main", 0);
    remote_addr code = python_heap_code(program->heap, "old", "a.py", 10);
    python_heap_put_frame(program->heap, &program->thread, frame, code, 0, PYTHON_HEAP_OWNER_GENERATOR);
    put_previous(program, frame, 0);
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
    bool is_2 = layout->container_format == CONTAINERS_2;
    memcpy(python_heap_bytes_at(program->heap, name + (is_2 ? layout->bytes.data : layout->text.ascii_data)), "other",
           5);
    memcpy(&name, python_heap_bytes_at(program->heap, code + layout->code.name), sizeof(name));
    python_heap_put_u64(program->heap, name + layout->text.hash, 77);
    if (layout->code.version != LAYOUT_NONE)
        python_heap_put_u32(program->heap, code + layout->code.version, 77);
    check_sample(program, "other:10!");
}

/* What was known of a frame by its place is no longer true when another code or another line is there. */
static void a_frame_that_took_anothers_place_has_its_own_name_and_line(struct program *program)
{
    call(program, "main", 1);
    struct heap_thread main = program->thread, again = main;
    remote_addr frame = call(program, "first", 2);
    bool always = is_every_call_an_entry(program);
    check_sample(program, always ? "first:12! main:11!" : "first:12 main:11!");
    remote_addr code = python_heap_code(program->heap, "second", "a.py", 20);
    python_heap_put_frame(program->heap, &main, frame, code, 2, PYTHON_HEAP_OWNER_THREAD);
    check_sample(program, always ? "second:22! main:11!" : "second:22 main:11!");
    python_heap_put_frame(program->heap, &again, frame, code, 5, PYTHON_HEAP_OWNER_THREAD);
    check_sample(program, always ? "second:25! main:11!" : "second:25 main:11!");
    check_sample(program, always ? "second:25! main:11!" : "second:25 main:11!");
}

enum { SETTLED_COUNT = 8 };

/* Samples a stack of functions of these names (called first to last), each in the line of its place, twice. */
static void check_settled(struct program *program, const char *names)
{
    char expected[16 * SETTLED_COUNT] = "";
    size_t count = strlen(names);
    for (size_t i = count; i-- > 0;) {
        size_t len = strlen(expected);
        bool is_entry = i == 0 || is_every_call_an_entry(program);
        snprintf(expected + len, sizeof(expected) - len, "%s%c:%zu%s", i + 1 < count ? " " : "", names[i], 10 + i,
                 is_entry ? "!" : "");
    }
    check_sample(program, expected);
    check_sample(program, expected);
}

/* Most of a deep stack is as it was: what is not, anywhere in it, is seen. */
static void what_changed_in_the_middle_of_a_stack_is_seen(struct program *program)
{
    struct heap_thread callers[SETTLED_COUNT], caller;
    remote_addr frames[SETTLED_COUNT], innermost = 0;
    for (int i = 0; i < SETTLED_COUNT; i++) {
        callers[i] = program->thread;
        innermost = python_heap_code(program->heap, (const char[]){(char)('a' + i), '\0'}, "a.py", 10);
        frames[i] = python_heap_call(program->heap, &program->thread, innermost, i);
    }
    check_settled(program, "abcdefgh");
    remote_addr other = python_heap_code(program->heap, "x", "a.py", 10);
    caller = callers[4];
    python_heap_put_frame(program->heap, &caller, frames[4], other, 4, PYTHON_HEAP_OWNER_THREAD);
    caller = callers[7];
    python_heap_put_frame(program->heap, &caller, frames[7], innermost, 7, PYTHON_HEAP_OWNER_THREAD);
    check_settled(program, "abcdxfgh");
    caller = callers[6];
    python_heap_put_frame(program->heap, &caller, frames[6], other, 6, PYTHON_HEAP_OWNER_THREAD);
    check_settled(program, "abcdxfx");
}

/* Walks the one thread through a snapshot. Returns how often the target was read for that, besides the copy itself. */
static uint64_t count_reads(struct program *program, struct snapshot *snapshot, uint32_t expected_frames)
{
    uint32_t count;
    struct memory *memory = snapshot_memory(snapshot);
    assert_int_equal(snapshot_take(snapshot), MEMORY_OK);
    python_begin_sample(program->python);
    assert_int_equal(python_list_threads(program->python, memory), PYTHON_OK);
    struct python_thread *threads = python_threads(program->python, &count);
    uint64_t before = memory->remote_reads;
    assert_int_equal(python_walk_thread(program->python, memory, &threads[0]), PYTHON_OK);
    assert_int_equal(threads[0].frame_count, expected_frames);
    return memory->remote_reads - before;
}

/* Code objects, and then what else is read of them: not one after the other. */
static void what_is_new_on_a_stack_is_fetched_together(struct program *program)
{
    enum { NEW_COUNT = 12, FAR = 8192, MOST_READS = 6 };
    cleanup_snapshot struct snapshot *snapshot = NULL;
    cleanup_error struct error *error = snapshot_create(memory_of(program), &snapshot);
    assert_null(error);
    for (int i = 0; i < NEW_COUNT; i++) {
        python_heap_alloc(program->heap, FAR);
        call(program, "function", i);
    }
    /* To 3.10 each frame is an object of its own, too, and only tells where the next one is. */
    bool has_stack = program->layout->thread.stack_chunk != LAYOUT_NONE;
    assert_in_range(count_reads(program, snapshot, NEW_COUNT), 1, has_stack ? MOST_READS : NEW_COUNT + MOST_READS);
    assert_int_equal(count_reads(program, snapshot, NEW_COUNT), 0);
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

static void what_was_caught_in_motion_is_kept_where_nothing_moves(struct program *program)
{
    bool has_chunk = program->layout->thread.stack_chunk != LAYOUT_NONE;
    call(program, "main", 0);
    remote_addr top = call(program, "leaf", 0);
    python_take_as_it_is(program->python);
    if (has_chunk) {
        /* The innermost frame was popped: its caller is the innermost one. */
        python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.stack_chunk + 8, top);
        struct python_thread *popped = list(program, 1);
        assert_int_equal(python_walk_thread(program->python, memory_of(program), popped), PYTHON_OK);
        assert_int_equal(popped->frame_count, 1);
        python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.stack_chunk + 8, top + 8);
    }
    put_previous(program, top, 0);
    struct python_thread *thread = list(program, 1);
    assert_int_equal(python_walk_thread(program->python, memory_of(program), thread),
                     is_every_call_an_entry(program) ? PYTHON_OK : PYTHON_IN_MOTION);
    assert_int_equal(thread->frame_count, 1);
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
    static const char *const expected[] = {
        [ENTRY_ALWAYS] = "work:6! work:5! ?",
        [ENTRY_FLAG] = "work:6 work:5! ?",
        [ENTRY_SHIM] = "work:6 work:5 ?",
    };
    check_frames(program, &threads[1], expected[program->layout->entry_format]);
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
    call(program, "main", 0);
    struct python_thread *thread = list(program, 1);
    assert_int_equal(python_walk_thread(program->python, &gone, thread), PYTHON_GONE);
    assert_int_equal(thread->frame_count, 0);
    python_begin_sample(program->python);
    assert_int_equal(python_list_threads(program->python, &gone), PYTHON_GONE);
}

static bool has_popped_frames(const struct program *program)
{
    return program->layout->frame.code_tag != 0;
}

static void pop(struct program *program, remote_addr frame)
{
    python_heap_put_u64(program->heap, frame + program->layout->frame.code, 1);
}

static void a_popped_frame_takes_what_it_called_along(struct program *program)
{
    if (!has_popped_frames(program))
        return;
    call(program, "main", 0);
    call(program, "caller", 2);
    remote_addr popped = call(program, "popped", 0);
    call(program, "leaf", 1);
    pop(program, popped);
    check_sample(program, "caller:12 main:10!");
    pop(program, call(program, "later", 1));
    check_sample(program, "caller:12 main:10!");
}

static void nothing_is_said_of_what_was_unreadable_above_a_popped_frame(struct program *program)
{
    if (!has_popped_frames(program))
        return;
    call(program, "main", 0);
    remote_addr popped = call(program, "popped", 0);
    for (int i = 0; i < 16; i++)
        python_heap_put_u64(program->heap, call(program, "leaf", 1) + program->layout->frame.code, UNMAPPED);
    pop(program, popped);
    check_sample(program, "main:10!");
}

static void a_popped_frame_that_was_called_from_c_leaves_the_caller_of_c(struct program *program)
{
    if (!has_popped_frames(program))
        return;
    call(program, "main", 0);
    python_heap_enter(program->heap, &program->thread);
    pop(program, call(program, "popped", 0));
    call(program, "leaf", 1);
    check_sample(program, "main:10!");
    python_heap_put_u64(program->heap, program->thread.address + program->layout->thread.stack_chunk + 8,
                        program->thread.stack);
    assert_int_equal(sample(program), PYTHON_IN_MOTION);
}

static void a_code_object_is_found_whatever_its_tag(struct program *program)
{
    remote_addr frame = call(program, "main", 4), code;
    if (!has_popped_frames(program))
        return;
    memcpy(&code, python_heap_bytes_at(program->heap, frame + program->layout->frame.code), sizeof(code));
    for (unsigned tag = 0; tag < 4; tag++) {
        python_heap_put_u64(program->heap, frame + program->layout->frame.code, (code & ~UINT64_C(3)) | tag);
        check_sample(program, "main:14!");
    }
}

static void a_chain_of_shims_alone_has_no_frames(struct program *program)
{
    if (program->layout->entry_format != ENTRY_SHIM)
        return;
    python_heap_enter(program->heap, &program->thread);
    python_heap_enter(program->heap, &program->thread);
    check_sample(program, "");
    call(program, "main", 1);
    check_sample(program, "main:11!");
}

static void more_frames_than_are_looked_at_are_a_broken_chain(void **state)
{
    (void)state;
    enum { STEP_LIMIT = 4 * PYTHON_FRAME_LIMIT };
    struct program program;
    program_init(&program, layout_of_version(3, 14, false), (size_t)(STEP_LIMIT + 8192) * FRAME_LEN);
    program.thread.innermost = 0;
    remote_addr shims = python_heap_alloc(program.heap, (size_t)STEP_LIMIT * FRAME_LEN);
    for (uint64_t i = 0; i < STEP_LIMIT; i++)
        python_heap_put_frame(program.heap, &program.thread, shims + i * FRAME_LEN, program.heap->none, 0,
                              PYTHON_HEAP_OWNER_C_STACK);
    check_sample(&program, "");
    /* Of all stacks of a sample, so many frames are looked at as would be cut if they were shown, and three times as
     * many again; of what is left, a stack takes no more than half. */
    struct python_thread *thread = list(&program, 1);
    for (int left = 4 * PYTHON_FRAME_TOTAL_LIMIT; left / 2 >= STEP_LIMIT; left -= STEP_LIMIT)
        assert_int_equal(python_walk_thread(program.python, memory_of(&program), thread), PYTHON_OK);
    assert_int_equal(python_walk_thread(program.python, memory_of(&program), thread), PYTHON_BAD_FRAME);
    call(&program, "leaf", 1);
    check_broken_sample(&program, PYTHON_BAD_FRAME, "leaf:11! ?");
    program_deinit(&program);
}

static bool has_copies(const struct program *program)
{
    return program->layout->code.tlbc != LAYOUT_NONE;
}

static void a_thread_may_execute_a_copy_of_its_own(struct program *program)
{
    if (!has_copies(program))
        return;
    call(program, "main", 3);
    program->thread.copy = 1;
    call(program, "leaf", 7);
    check_sample(program, "leaf:17 main:13!");
    call(program, "fresh", -1);
    check_sample(program, "leaf:17 main:13!");
}

static void a_copy_that_cannot_be_found_leaves_the_first_line(struct program *program)
{
    if (!has_copies(program))
        return;
    const struct layout *layout = program->layout;
    remote_addr code = python_heap_code(program->heap, "main", "a.py", 10), copies;
    memcpy(&copies, python_heap_bytes_at(program->heap, code + layout->code.tlbc), sizeof(copies));
    program->thread.copy = 1;
    remote_addr frame = python_heap_call(program->heap, &program->thread, code, 5);
    check_sample(program, "main:15!");
    static const uint32_t indexes[] = {2, 3, 1 << 30, UINT32_MAX, INT32_MAX};
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        python_heap_put_u32(program->heap, frame + layout->frame.tlbc_index, indexes[i]);
        check_sample(program, "main:10!");
        python_heap_put_u64(program->heap, copies, UINT64_MAX); /* which ends where memory does */
        if (indexes[i] > 1 << 20)
            check_sample(program, "main:10!");
        python_heap_put_u64(program->heap, copies, 2);
    }
    python_heap_put_u32(program->heap, frame + layout->frame.tlbc_index, 1);
    python_heap_put_u64(program->heap, copies + 16, 0); /* it is only being made */
    check_sample(program, "main:10!");
    static const remote_addr pointers[] = {0, 8, 0x123456789000, UINT64_MAX - 7, UINT64_MAX};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        python_heap_put_u64(program->heap, code + layout->code.tlbc, pointers[i]);
        check_sample(program, "main:10!");
    }
    python_heap_put_u32(program->heap, frame + layout->frame.tlbc_index, 0);
    python_heap_put_u64(program->heap, frame + layout->frame.instruction, code + layout->code.instructions + 2 * 6);
    check_sample(program, "main:16!");
}

/* Expects the version's stack: without a mark, with the innermost frame marked, or with the one where it began. */
static void check_collection(struct program *program, const char *unmarked, const char *innermost, const char *exact)
{
    const char *expected = program->layout->interpreter.collecting_frame != LAYOUT_NONE ? exact : innermost;
    check_sample(program, program->layout->interpreter.collecting == LAYOUT_NONE ? unmarked : expected);
}

static void a_collection_of_garbage_is_marked(struct program *program)
{
    remote_addr frame = call(program, "main", 1);
    python_heap_attach(program->heap, program->interpreter, &program->thread);
    check_sample(program, "main:11!");
    python_heap_collect(program->heap, program->interpreter, frame);
    check_collection(program, "main:11!", "<GC>:0 main:11!", "<GC>:0 main:11!");
    python_heap_collect(program->heap, program->interpreter, 0);
    check_collection(program, "main:11!", "<GC>:0 main:11!", "<GC>:0 main:11!");
}

/* Before 3.15 nothing tells where among the frames it began. */
static void a_finalizer_is_called_by_the_collection_where_that_is_known(struct program *program)
{
    remote_addr frame = call(program, "main", 1);
    python_heap_enter(program->heap, &program->thread);
    call(program, "finalize", 2);
    python_heap_attach(program->heap, program->interpreter, &program->thread);
    python_heap_collect(program->heap, program->interpreter, frame);
    check_collection(program, "finalize:12! main:11!", "<GC>:0 finalize:12! main:11!", "finalize:12! <GC>:0 main:11!");
}

static void a_collection_that_began_in_another_thread_is_not_marked(struct program *program)
{
    call(program, "main", 1);
    python_heap_collect(program->heap, program->interpreter, program->heap->runtime);
    check_sample(program, "main:11!");
}

/* At an interpreter's end there is no frame that has begun it, or only the one that ends each chain. */
static void a_collection_without_frames_is_a_stack(struct program *program)
{
    remote_addr base = program->layout->version >= (3 << 8 | 15) ? program->thread.innermost : 0;
    python_heap_put_u64(program->heap, program->thread.cframe, base);
    python_heap_attach(program->heap, program->interpreter, &program->thread);
    python_heap_collect(program->heap, program->interpreter, base);
    check_collection(program, "", "<GC>:0", "<GC>:0!");
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
    EACH_VERSION(a_cycle_of_frames_of_any_length_is_noticed, PYTHON_HEAP_LEN),
    EACH_VERSION(a_long_cycle_is_noticed_before_the_limit, DEEP_HEAP_LEN / 8),
    EACH_VERSION(a_stack_beyond_the_limit_is_cut_and_marked, DEEP_HEAP_LEN),
    EACH_VERSION(a_frame_that_leads_to_nowhere_is_a_broken_chain, PYTHON_HEAP_LEN),
    EACH_VERSION(a_broken_chain_of_a_loop_that_has_begun_is_no_entering, PYTHON_HEAP_LEN),
    EACH_VERSION(a_misaligned_frame_is_a_broken_chain, PYTHON_HEAP_LEN),
    EACH_VERSION(a_first_frame_that_is_none_is_the_loop_being_entered_where_that_can_be, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_is_none_costs_its_frame_a_mark, PYTHON_HEAP_LEN),
    EACH_VERSION(the_innermost_frame_may_be_unreadable, PYTHON_HEAP_LEN),
    EACH_VERSION(more_unreadable_frames_than_the_limit_are_a_broken_chain, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_points_to_nowhere_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(names_and_tables_of_absurd_length_do_no_harm, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_that_took_anothers_place_has_its_own_name, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_whose_parts_all_took_the_old_ones_places_has_its_own_name, PYTHON_HEAP_LEN),
    EACH_VERSION(a_frame_that_took_anothers_place_has_its_own_name_and_line, PYTHON_HEAP_LEN),
    EACH_VERSION(what_changed_in_the_middle_of_a_stack_is_seen, PYTHON_HEAP_LEN),
    EACH_VERSION(what_is_new_on_a_stack_is_fetched_together, DEEP_HEAP_LEN / 8),
    EACH_VERSION(a_chain_that_ends_without_an_entry_is_in_motion, PYTHON_HEAP_LEN),
    EACH_VERSION(a_frame_above_the_used_part_of_the_stack_is_in_motion, PYTHON_HEAP_LEN),
    EACH_VERSION(what_was_caught_in_motion_is_kept_where_nothing_moves, PYTHON_HEAP_LEN),
    EACH_VERSION(one_bad_thread_does_not_spoil_the_others, PYTHON_HEAP_LEN),
    EACH_VERSION(a_target_that_ended_is_told, PYTHON_HEAP_LEN),
    EACH_VERSION(a_popped_frame_takes_what_it_called_along, PYTHON_HEAP_LEN),
    EACH_VERSION(nothing_is_said_of_what_was_unreadable_above_a_popped_frame, PYTHON_HEAP_LEN),
    EACH_VERSION(a_popped_frame_that_was_called_from_c_leaves_the_caller_of_c, PYTHON_HEAP_LEN),
    EACH_VERSION(a_code_object_is_found_whatever_its_tag, PYTHON_HEAP_LEN),
    EACH_VERSION(a_chain_of_shims_alone_has_no_frames, PYTHON_HEAP_LEN),
    cmocka_unit_test(more_frames_than_are_looked_at_are_a_broken_chain),
    EACH_VERSION(a_thread_may_execute_a_copy_of_its_own, PYTHON_HEAP_LEN),
    EACH_VERSION(a_copy_that_cannot_be_found_leaves_the_first_line, PYTHON_HEAP_LEN),
    EACH_VERSION(a_collection_of_garbage_is_marked, PYTHON_HEAP_LEN),
    EACH_VERSION(a_finalizer_is_called_by_the_collection_where_that_is_known, PYTHON_HEAP_LEN),
    EACH_VERSION(a_collection_that_began_in_another_thread_is_not_marked, PYTHON_HEAP_LEN),
    EACH_VERSION(a_collection_without_frames_is_a_stack, PYTHON_HEAP_LEN),
    cmocka_unit_test(every_status_has_words),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
