/* SPDX-License-Identifier: MIT */
/*
 * Heaps of interpreters of each version, put together, broken and read as the input says: threads, interpreters, calls,
 * generators, texts of each kind, GILs, collections of garbage. Byte 0 chooses the layout, byte 1 how it is read; the
 * rest are steps.
 *
 * For: src/python/walk.c src/python/threads.c src/python/text.c src/python/code_cache.c src/python/lines.c
 * For: src/python/locations.c src/python/frame_details.c src/python/last_walk.c src/python/cycle.h
 * For: src/memory/snapshot.c
 * Options: -max_len=2048
 */
#include "base/cleanup.h"
#include "fuzz_input.h"
#include "hostile_memory.h"
#include "memory/snapshot.h"
#include "python/frame_details.h"
#include "python/layout.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "python_heap.h"
#include "python_reading.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    HEAP_LEN = 160 * 1024,
    HEAP_ROOM = 24 * 1024, /* what one step takes at most */
    STEP_LIMIT = 200,
    THREAD_LIMIT = 8,
    STACK_ROOM = 24, /* calls of a thread */
    THING_LIMIT = 256,
    PIECE_LIMIT = 2000000,
    WORD_LEN = sizeof(uint64_t),
    FIELD_LIMIT = 512, /* bytes of a thing that are changed */
    TEXT_LIMIT = 64,
};

/* One input. */
struct scene {
    struct fuzz_input input;
    const struct layout *layout;
    struct python_heap *heap;
    struct hostile_memory hostile;
    struct snapshot *snapshot;
    struct python *python;
    remote_addr things[THING_LIMIT]; /* whatever was made */
    unsigned thing_count;
    remote_addr interpreters[THREAD_LIMIT], codes[THREAD_LIMIT];
    struct heap_thread threads[THREAD_LIMIT];
    unsigned calls[THREAD_LIMIT];
    unsigned interpreter_count, code_count, thread_count;
};

static remote_addr keep(struct scene *scene, remote_addr thing)
{
    if (scene->thing_count < THING_LIMIT)
        scene->things[scene->thing_count++] = thing;
    return thing;
}

static remote_addr choose_thing(struct scene *scene)
{
    return scene->things[fuzz_below(&scene->input, scene->thing_count)];
}

static bool has_room(const struct scene *scene)
{
    return scene->heap->used + HEAP_ROOM < scene->heap->len;
}

/* What is broken is not followed when more is made. */
static bool is_inside(const struct scene *scene, remote_addr address)
{
    return address >= scene->heap->runtime && address - scene->heap->runtime + WORD_LEN * WORD_LEN < scene->heap->used;
}

static bool has_copies(const struct scene *scene, remote_addr code)
{
    uint64_t copies;
    if (scene->layout->code.tlbc == LAYOUT_NONE)
        return false;
    memcpy(&copies, python_heap_bytes_at(scene->heap, code + scene->layout->code.tlbc), sizeof(copies));
    return is_inside(scene, copies);
}

/* --- making -------------------------------------------------------------------------------------------------- */

static void add_interpreter(struct scene *scene)
{
    if (scene->interpreter_count < THREAD_LIMIT)
        scene->interpreters[scene->interpreter_count++] = keep(scene, python_heap_interpreter(scene->heap));
}

static void add_thread(struct scene *scene)
{
    remote_addr interpreter = scene->interpreters[fuzz_below(&scene->input, scene->interpreter_count)];
    if (scene->thread_count == THREAD_LIMIT)
        return;
    struct heap_thread thread = python_heap_thread(scene->heap, interpreter, fuzz_byte(&scene->input));
    scene->threads[scene->thread_count++] = thread;
    keep(scene, thread.address);
    if (thread.cframe != thread.address + scene->layout->thread.frame)
        keep(scene, thread.cframe);
    if (thread.stack)
        keep(scene, thread.stack);
}

static void add_text(struct scene *scene, remote_addr field)
{
    static const unsigned kinds[] = {1, 1, 2, 4};
    unsigned char characters[TEXT_LIMIT * WORD_LEN / 2];
    uint8_t how = fuzz_byte(&scene->input);
    unsigned kind = kinds[how % 4];
    size_t count = fuzz_below(&scene->input, TEXT_LIMIT + 1);
    fuzz_fill(&scene->input, characters, count * kind);
    remote_addr text = how & 4 ? python_heap_bytes(scene->heap, characters, count)
                               : python_heap_str(scene->heap, characters, count, kind, how % 4 == 0);
    if (field)
        python_heap_put_u64(scene->heap, field, text);
    keep(scene, text);
}

/* A code object; one in two with texts and a line table of the input. */
static void add_code(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    const struct layout *layout = scene->layout;
    if (scene->code_count == THREAD_LIMIT)
        return;
    remote_addr code = python_heap_code(scene->heap, how & 2 ? "f" : "<module>", "a/b.py", fuzz_byte(&scene->input));
    scene->codes[scene->code_count++] = keep(scene, code);
    if (how & 4)
        add_text(scene, code + layout->code.filename);
    if (how & 8)
        add_text(scene, code + (layout->code.qualname != LAYOUT_NONE ? layout->code.qualname : layout->code.name));
    if (how & 16) {
        unsigned char table[TEXT_LIMIT];
        fuzz_fill(&scene->input, table, sizeof(table));
        python_heap_put_u64(scene->heap, code + layout->code.line_table,
                            keep(scene, python_heap_bytes(scene->heap, table, sizeof(table))));
    }
}

/* Calls, resumes, or puts a frame on top that has been there already. */
static void call(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    size_t index = fuzz_below(&scene->input, scene->thread_count);
    struct heap_thread *thread = &scene->threads[index];
    remote_addr code = scene->codes[fuzz_below(&scene->input, scene->code_count)];
    int instruction = (int8_t)fuzz_byte(&scene->input);
    if (scene->calls[index] == STACK_ROOM || scene->thread_count == 0 || scene->code_count == 0)
        return;
    if (how & 16)
        python_heap_enter(scene->heap, thread);
    thread->copy = has_copies(scene, code) ? how >> 5 & 1 : 0;
    switch (how % 4) {
    case 0:
        keep(scene, python_heap_resume(scene->heap, thread, code, instruction));
        break;
    case 1:
        python_heap_put_frame(scene->heap, thread, choose_thing(scene), code, instruction, how >> 6);
        break;
    default:
        keep(scene, python_heap_call(scene->heap, thread, code, instruction));
        scene->calls[index]++;
        break;
    }
}

static void change_state(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr interpreter = scene->interpreters[fuzz_below(&scene->input, scene->interpreter_count)];
    const struct heap_thread *thread = &scene->threads[fuzz_below(&scene->input, scene->thread_count)];
    if (how % 4 <= 1 && !is_inside(scene, python_heap_gil(scene->heap, interpreter)))
        return;
    switch (how % 4) {
    case 0:
        python_heap_attach(scene->heap, interpreter, thread);
        break;
    case 1:
        python_heap_set_gil(scene->heap, interpreter, thread->address, (int8_t)fuzz_byte(&scene->input));
        break;
    case 2:
        python_heap_set_state(scene->heap, thread, how >> 2);
        break;
    default:
        python_heap_collect(scene->heap, interpreter, how & 4 ? thread->innermost : choose_thing(scene));
        break;
    }
}

/* --- breaking ------------------------------------------------------------------------------------------------ */

static uint64_t choose_word(struct scene *scene, remote_addr own_address)
{
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr end = scene->heap->runtime - scene->heap->runtime % 4096 + scene->heap->len;
    switch (how % 8) {
    case 0:
        return own_address;
    case 1:
        return 0;
    case 2:
        return fuzz_edge(&scene->input);
    case 3:
        return fuzz_number(&scene->input, WORD_LEN);
    case 4:
        return end - fuzz_byte(&scene->input);
    case 5:
        return choose_thing(scene) + fuzz_byte(&scene->input);
    default:
        return choose_thing(scene);
    }
}

/* Where in things pointers and numbers lie that are read. */
static uint16_t choose_field(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    const uint16_t fields[] = {
        layout->interpreter.next,
        layout->interpreter.threads_head,
        layout->interpreter.gil_pointer,
        layout->thread.next,
        layout->thread.interpreter,
        layout->thread.frame,
        layout->thread.id,
        layout->thread.native_id,
        layout->thread.state,
        layout->thread.stack_chunk,
        layout->frame.code,
        layout->frame.previous,
        layout->frame.instruction,
        layout->frame.owner,
        layout->frame.tlbc_index,
        layout->frame.is_entry,
        layout->code.filename,
        layout->code.name,
        layout->code.qualname,
        layout->code.line_table,
        layout->code.first_line,
        layout->code.version,
        layout->code.tlbc,
        layout->code.first_traceable,
        layout->text.length,
        layout->text.state,
        layout->text.compact_data,
        layout->bytes.length,
        layout->object.type,
        layout->thread.cframe_frame,
        layout->thread.cframe_previous,
        layout->gil.last_holder,
        layout->gil.locked,
        layout->gil.enabled,
        layout->interpreter.collecting,
        layout->runtime.interpreters_head,
        layout->runtime.gil,
    };
    uint8_t choice = fuzz_byte(&scene->input);
    uint16_t field = fields[choice % (sizeof(fields) / sizeof(fields[0]))];
    return choice & 0x80 || field == LAYOUT_NONE ? (uint16_t)fuzz_below(&scene->input, FIELD_LIMIT) : field;
}

static void break_something(struct scene *scene)
{
    remote_addr thing = choose_thing(scene), address = thing + choose_field(scene);
    remote_addr start = scene->heap->runtime, end = start + scene->heap->used;
    uint8_t how = fuzz_byte(&scene->input);
    uint64_t word = choose_word(scene, how & 4 ? thing : address);
    static const size_t lens[] = {8, 8, 4, 1};
    if (address < start || end - address < WORD_LEN || address >= end)
        return;
    memcpy(python_heap_bytes_at(scene->heap, address), &word, lens[how % 4]);
}

static void change(void *context)
{
    struct scene *scene = context;
    break_something(scene);
    scene->hostile.change_at = scene->hostile.pieces + fuzz_byte(&scene->input);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static void open_python(struct scene *scene)
{
    python_destroy(scene->python);
    scene->python = python_heap_open(scene->heap);
    fuzz_require(scene->python, "memory");
    python_keep_tables(scene->python);
    python_keep_anchors(scene->python);
    python_limit_threads(scene->python, THREAD_LIMIT);
}

static void read_all(struct scene *scene, uint8_t how)
{
    struct memory *memory = &scene->hostile.memory;
    if (scene->snapshot) {
        struct snapshot_guard guard = {python_heap_gil(scene->heap, scene->interpreters[0]), WORD_LEN};
        snapshot_set_guards(scene->snapshot, &guard, how & 0x10 ? 1 : 0);
        snapshot_begin_interval(scene->snapshot);
        snapshot_take(scene->snapshot);
        memory = snapshot_memory(scene->snapshot);
    }
    python_allow_old_list(scene->python, how & 0x40);
    if (how & 0x80)
        python_take_as_it_is(scene->python);
    python_reading_run(scene->python, memory, how & (READING_NAMES | READING_DETAILS));
}

static void make_or_read(struct scene *scene, uint8_t step)
{
    if (!has_room(scene) && step < 6)
        return;
    switch (step) {
    case 0:
        add_interpreter(scene);
        break;
    case 1:
        add_thread(scene);
        break;
    case 2:
        add_code(scene);
        break;
    case 3:
    case 4:
    case 5:
        call(scene);
        break;
    case 6:
        change_state(scene);
        break;
    case 7:
        scene->hostile.change_at = scene->hostile.pieces + fuzz_byte(&scene->input);
        scene->hostile.change = change;
        break;
    case 8:
        scene->hostile.world = fuzz_byte(&scene->input) % WORLD_COUNT;
        break;
    case 9:
        open_python(scene);
        break;
    default:
        read_all(scene, fuzz_byte(&scene->input));
        break;
    }
}

static void scene_init(struct scene *scene, const uint8_t *bytes, size_t len)
{
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    *scene = (struct scene){.input = fuzz_begin(bytes, len)};
    uint8_t layout = fuzz_byte(&scene->input);
    scene->heap = python_heap_create(&layouts[layout % count], HEAP_LEN);
    scene->layout = scene->heap->layout;
    if (layout & 0x80 && scene->layout->container_format == CONTAINERS_2)
        scene->heap->layout->text.wide_len = 2;
    hostile_memory_init(&scene->hostile, &scene->heap->fake.memory);
    scene->hostile.context = scene;
    scene->hostile.piece_limit = PIECE_LIMIT;
    keep(scene, scene->heap->runtime);
    keep(scene, scene->heap->code_type);
    keep(scene, scene->heap->none);
    add_interpreter(scene);
    scene->threads[scene->thread_count++] = python_heap_thread(scene->heap, scene->interpreters[0], 1);
    keep(scene, scene->threads[0].address);
    scene->codes[scene->code_count++] = keep(scene, python_heap_code(scene->heap, "main", "a.py", 1));
    open_python(scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct scene scene;
    scene_init(&scene, bytes, len);
    uint8_t how = fuzz_byte(&scene.input);
    scene.hostile.has_views = how & 0x20;
    if (how & 1)
        fuzz_require(!snapshot_create(&scene.hostile.memory, &scene.snapshot), "memory");
    for (unsigned i = 0; i < STEP_LIMIT && fuzz_left(&scene.input) > 0; i++) {
        uint8_t step = fuzz_byte(&scene.input) % 16;
        if (step < 11)
            make_or_read(&scene, step);
        else
            break_something(&scene);
    }
    read_all(&scene, how);
    python_destroy(scene.python);
    snapshot_destroy(scene.snapshot);
    python_heap_destroy(scene.heap);
    return 0;
}
