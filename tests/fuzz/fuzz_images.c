/* SPDX-License-Identifier: MIT */
/*
 * Recorded memories of real interpreters (tests/images) that the input breaks while they are read, by a reader that met
 * them whole or broken, directly or through a snapshot. Byte 0 chooses the image, byte 1 how it is read; the rest are
 * steps.
 *
 * For: src/python/walk.c src/python/threads.c src/python/text.c src/python/code_cache.c src/python/lines.c
 * For: src/python/locations.c src/python/debug_offsets.c src/python/thread_name.c src/python/frame_details.c
 * For: src/python/last_walk.c src/python/runtime.c src/memory/snapshot.c
 * Options: -max_len=2048
 */
#include "base/cleanup.h"
#include "fuzz_input.h"
#include "hostile_memory.h"
#include "memory/snapshot.h"
#include "python/frame_details.h"
#include "python/walk.h"
#include "python_image.h"
#include "python_reading.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    IMAGE_LIMIT = 32,
    STEP_LIMIT = 48,
    /* Of all steps; one sample is allowed 3000 frames and 300 entries of dicts here. */
    PIECE_LIMIT = 300000,
    WORD_LEN = sizeof(uint64_t),
};

/* An image, and what it takes to mend it. */
struct subject {
    struct python_image image, whole;
    bool *is_changed; /* of each block */
    bool is_loaded;
};

static struct {
    glob_t paths;
    struct subject subjects[IMAGE_LIMIT];
} all;

/* One input. */
struct scene {
    struct fuzz_input input;
    struct subject *subject;
    struct hostile_memory hostile;
    struct snapshot *snapshot;
    struct python *python;
};

static void load(const char *path, struct python_image *ret)
{
    cleanup_file FILE *file = fopen(path, "re");
    fuzz_require(file, path);
    fuzz_require(!python_image_load(file, ret), path);
}

/* The image of this number, loaded when it is wanted first, as each takes a while. */
static struct subject *choose_subject(unsigned number)
{
    if (!all.paths.gl_pathc)
        fuzz_require(glob(IMAGES_FOLDER "/*.image", 0, NULL, &all.paths) == 0, "images");
    unsigned index = number % (all.paths.gl_pathc < IMAGE_LIMIT ? (unsigned)all.paths.gl_pathc : IMAGE_LIMIT);
    struct subject *subject = &all.subjects[index];
    if (!subject->is_loaded) {
        load(all.paths.gl_pathv[index], &subject->image);
        load(all.paths.gl_pathv[index], &subject->whole);
        subject->is_changed = calloc(subject->whole.memory.count, sizeof(bool));
        subject->is_loaded = true;
    }
    return subject;
}

static void mend(struct subject *subject)
{
    for (uint32_t i = 0; i < subject->whole.memory.count; i++) {
        const struct recorded_block *whole = &subject->whole.memory.blocks[i];
        if (!subject->is_changed[i])
            continue;
        subject->image.memory.blocks[i].len = whole->len;
        memcpy(subject->image.memory.blocks[i].bytes, whole->bytes, whole->len);
        subject->is_changed[i] = false;
    }
}

/* --- breaking ------------------------------------------------------------------------------------------------ */

static struct recorded_block *choose_block(struct scene *scene)
{
    struct recorded_memory *memory = &scene->subject->image.memory;
    size_t index = fuzz_below(&scene->input, memory->count);
    scene->subject->is_changed[index] = true;
    return &memory->blocks[index];
}

/* Some address: of another block, in one, or behind the end of one. */
static uint64_t choose_address(struct scene *scene)
{
    const struct recorded_memory *memory = &scene->subject->image.memory;
    const struct recorded_block *block = &memory->blocks[fuzz_below(&scene->input, memory->count)];
    uint8_t how = fuzz_byte(&scene->input);
    uint64_t offset = fuzz_below(&scene->input, block->len) & -(uint64_t)WORD_LEN;
    return how & 0x80 ? block->address + block->len - how % 64 : block->address + offset + (how & 0x40 ? how % 8 : 0);
}

static uint64_t choose_word(struct scene *scene, uint64_t own_address, uint64_t before)
{
    switch (fuzz_byte(&scene->input) % 6) {
    case 0:
        return own_address;
    case 1:
        return before + (uint64_t)(int64_t)(int8_t)fuzz_byte(&scene->input);
    case 2:
        return fuzz_number(&scene->input, WORD_LEN);
    case 3:
        return fuzz_edge(&scene->input);
    default:
        return choose_address(scene);
    }
}

static void change_word(struct scene *scene, struct recorded_block *block)
{
    uint64_t word = 0;
    size_t offset = fuzz_below(&scene->input, block->len);
    offset = block->len % WORD_LEN == 0 ? offset & -(size_t)WORD_LEN : offset;
    size_t room = block->len - offset < WORD_LEN ? block->len - offset : WORD_LEN;
    memcpy(&word, block->bytes + offset, room);
    word = choose_word(scene, block->address + offset, word);
    memcpy(block->bytes + offset, &word, room > 4 && fuzz_byte(&scene->input) & 1 ? 4 : room);
}

/* Copies some bytes of another block. */
static void copy_bytes(struct scene *scene, struct recorded_block *block)
{
    const struct recorded_memory *memory = &scene->subject->image.memory;
    const struct recorded_block *from = &memory->blocks[fuzz_below(&scene->input, memory->count)];
    size_t len = fuzz_below(&scene->input, (block->len < from->len ? block->len : from->len) + 1);
    memmove(block->bytes, from->bytes, len);
}

static void break_something(struct scene *scene)
{
    struct recorded_block *block = choose_block(scene);
    uint8_t how = fuzz_byte(&scene->input);
    if (block->len == 0)
        return;
    size_t offset = fuzz_below(&scene->input, block->len);
    switch (how % 8) {
    case 0:
        block->bytes[offset] = fuzz_byte(&scene->input);
        break;
    case 1:
        fuzz_fill(&scene->input, block->bytes + offset, block->len - offset < 16 ? block->len - offset : 16);
        break;
    case 2:
        block->len = offset;
        break;
    case 3:
        copy_bytes(scene, block);
        break;
    default:
        change_word(scene, block);
        break;
    }
}

/* In the middle of reading. */
static void change(void *context)
{
    struct scene *scene = context;
    if (fuzz_byte(&scene->input) & 1)
        mend(scene->subject);
    else
        break_something(scene);
    scene->hostile.change_at = scene->hostile.pieces + fuzz_byte(&scene->input);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static void open_python(struct scene *scene)
{
    cleanup_python_runtime struct python_runtime runtime = scene->subject->image.runtime;
    runtime.layout = NULL;
    cleanup_error struct error *error = python_runtime_set_layout(&runtime, &scene->hostile.memory);
    if (error)
        return;
    fuzz_require(!python_create(&runtime, &scene->python), "memory");
    python_keep_tables(scene->python);
    python_keep_anchors(scene->python);
}

static void guard_and_take(struct scene *scene)
{
    uint32_t count;
    const struct python_gil *gils = python_gils(scene->python, &count);
    struct snapshot_guard guard = {.len = 8};
    if (count > 0)
        guard = (struct snapshot_guard){gils[0].address, gils[0].len};
    bool is_guard = count > 0 && guard.len > 0 && guard.len <= SNAPSHOT_GUARD_LEN_LIMIT;
    snapshot_set_guards(scene->snapshot, &guard, is_guard ? 1 : 0);
    if (fuzz_byte(&scene->input) & 1)
        snapshot_begin_interval(scene->snapshot);
    if (snapshot_take(scene->snapshot) == MEMORY_OK && is_guard)
        snapshot_is_unchanged(scene->snapshot, 0);
}

static void read_all(struct scene *scene, uint8_t how)
{
    struct memory *memory = &scene->hostile.memory;
    if (!scene->python)
        return;
    if (scene->snapshot) {
        guard_and_take(scene);
        memory = snapshot_memory(scene->snapshot);
    }
    python_allow_old_list(scene->python, how & 0x40);
    if (how & 0x80)
        python_take_as_it_is(scene->python);
    python_reading_run(scene->python, memory, how & (READING_NAMES | READING_DETAILS));
}

static void do_step(struct scene *scene, uint8_t step)
{
    switch (step % 16) {
    case 0:
    case 1:
        read_all(scene, fuzz_byte(&scene->input));
        break;
    case 2:
        mend(scene->subject);
        break;
    case 3:
        scene->hostile.change_at = scene->hostile.pieces + fuzz_byte(&scene->input);
        scene->hostile.change = change;
        break;
    case 4:
        scene->hostile.world = fuzz_byte(&scene->input) % WORLD_COUNT;
        break;
    case 5:
        python_destroy(scene->python);
        scene->python = NULL;
        open_python(scene);
        break;
    default:
        break_something(scene);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct scene scene = {.input = fuzz_begin(bytes, len)};
    scene.subject = choose_subject(fuzz_byte(&scene.input));
    uint8_t how = fuzz_byte(&scene.input);
    hostile_memory_init(&scene.hostile, &scene.subject->image.memory.memory);
    scene.hostile.context = &scene;
    scene.hostile.piece_limit = PIECE_LIMIT;
    if (how & 1)
        fuzz_require(!snapshot_create(&scene.hostile.memory, &scene.snapshot), "memory");
    if (how & 2)
        open_python(&scene);
    if (how & 4)
        read_all(&scene, how);
    for (unsigned i = 0; i < STEP_LIMIT && fuzz_left(&scene.input) > 0; i++)
        do_step(&scene, fuzz_byte(&scene.input));
    if (!scene.python)
        open_python(&scene);
    read_all(&scene, how);
    python_destroy(scene.python);
    snapshot_destroy(scene.snapshot);
    mend(scene.subject);
    return 0;
}
