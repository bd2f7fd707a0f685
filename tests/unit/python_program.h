/* SPDX-License-Identifier: MIT */
/*
 * A program of each version in a fake heap, for the tests of the python room's walks.
 */
#ifndef PYTHON_PROGRAM_H
#define PYTHON_PROGRAM_H

#include "python/layout.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const remote_addr UNMAPPED = 0x123456789000;

/* One interpreter with one thread that C code has called; tests go on from there. */
struct program {
    struct python_heap *heap;
    const struct layout *layout;
    struct python *python;
    remote_addr interpreter;
    struct heap_thread thread;
};

static inline void program_init(struct program *program, const struct layout *layout, size_t len)
{
    *program = (struct program){.heap = python_heap_create(layout, len), .layout = layout};
    program->interpreter = python_heap_interpreter(program->heap);
    program->thread = python_heap_thread(program->heap, program->interpreter, 1);
    python_heap_enter(program->heap, &program->thread);
    program->python = python_heap_open(program->heap);
}

static inline void program_deinit(struct program *program)
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

static inline void run_on_each_version(void **state)
{
    const struct each_version *each = *state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    assert_true(count >= 14);
    for (uint32_t i = 0; i < count; i++) {
        struct program program;
        program_init(&program, &layouts[i], each->heap_len);
        each->test(&program);
        program_deinit(&program);
    }
}

static inline remote_addr call(struct program *program, const char *name, int instruction)
{
    return python_heap_call(program->heap, &program->thread, python_heap_code(program->heap, name, "a.py", 10),
                            instruction);
}

static inline struct memory *memory_of(struct program *program)
{
    return &program->heap->fake.memory;
}

static inline struct python_thread *list(struct program *program, uint32_t expected)
{
    uint32_t count;
    python_begin_sample(program->python);
    assert_int_equal(python_list_threads(program->python, memory_of(program)), PYTHON_OK);
    struct python_thread *threads = python_threads(program->python, &count);
    assert_int_equal(count, expected);
    return threads;
}

/* Takes a sample of the one thread and returns how its walk ended. */
static inline enum python_status sample(struct program *program)
{
    struct python_thread *thread = list(program, 1);
    enum python_status status = python_walk_thread(program->python, memory_of(program), thread);
    assert_int_equal(thread->status, status);
    if (status != PYTHON_OK && status != PYTHON_BAD_CODE && status != PYTHON_BAD_FRAME)
        assert_int_equal(thread->frame_count, 0);
    return status;
}

/* Compares a thread's stack with "name:line name:line ...", innermost first; "!" marks an entry, "?" what is a mark. */
static inline void check_frames(struct program *program, const struct python_thread *thread, const char *expected)
{
    char text[1024] = "";
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct python_frame *frame = &python_frames(program->python)[thread->first_frame + i];
        const struct python_code *code = python_code(program->python, frame->code);
        size_t len = strlen(text);
        if (frame->code == PYTHON_CODE_UNREADABLE)
            snprintf(text + len, sizeof(text) - len, "%s?", i ? " " : "");
        else
            snprintf(text + len, sizeof(text) - len, "%s%s:%d%s", i ? " " : "", code->name, frame->line,
                     frame->is_entry ? "!" : "");
    }
    assert_string_equal(text, expected);
}

static inline void check_stack(struct program *program, const struct python_thread *thread, const char *expected)
{
    assert_int_equal(thread->status, PYTHON_OK);
    check_frames(program, thread, expected);
}

static inline void check_sample(struct program *program, const char *expected)
{
    uint32_t count;
    assert_int_equal(sample(program), PYTHON_OK);
    check_stack(program, python_threads(program->python, &count), expected);
}

/* Samples the one thread, whose stack cannot be read in full. */
static inline void check_broken_sample(struct program *program, enum python_status status, const char *expected)
{
    uint32_t count;
    assert_int_equal(sample(program), status);
    check_frames(program, python_threads(program->python, &count), expected);
}

static inline bool is_every_call_an_entry(const struct program *program)
{
    return program->layout->entry_format == ENTRY_ALWAYS;
}

static inline void put_previous(struct program *program, remote_addr frame, remote_addr previous)
{
    python_heap_put_u64(program->heap, frame + program->layout->frame.previous, previous);
}

#endif
