/* SPDX-License-Identifier: MIT */
#include "python_reading.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "fuzz_input.h"
#include "python/frame_details.h"
#include "python/lock.h"
#include "python/python.h"
#include "python/runtime.h"
#include "python/variables.h"
#include "python/walk.h"

#include <string.h>

enum {
    DETAILS_LIMIT = 16, /* frames of a stack that are looked at closely */
    LOCK_SLOTS = 6,     /* words of a frame that may be what is waited for */
    VALUE_LIMIT = 200,  /* characters of a value */
    NAME_LIMIT = 4 * 8192 + 8,
    VALUE_BYTES_LIMIT = 4 * VALUE_LIMIT,
    /* The whole of what may be looked at takes seconds. */
    ENTRY_LIMIT = 300, /* of dicts, for all names */
    STEP_LIMIT = 3000, /* frames */
    STATUS_LIMIT = PYTHON_STATUS_COUNT,
};

bool python_reading_is_text(const char *text, size_t len)
{
    for (const char *at = text, *end = text + len; at < end;) {
        if (utf8_next(&at, end) < 0)
            return false;
    }
    return true;
}

/* 2.7 has texts of an encoding that is not known. */
static void check_text(const struct python *python, const char *text, size_t len, size_t limit, const char *what)
{
    bool is_known = python_runtime(python)->version.major > 2;
    fuzz_require(text && text[len] == '\0' && len <= limit, what);
    fuzz_require(!is_known || python_reading_is_text(text, len), what);
}

static void check_frames(const struct python *python, const struct python_thread *thread)
{
    fuzz_require(thread->frame_count <= PYTHON_FRAME_LIMIT + 1, "number of frames of a stack");
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct python_code *code = python_code(python, python_frames(python)[thread->first_frame + i].code);
        check_text(python, code->name, code->name_len, NAME_LIMIT, "function's name");
        check_text(python, code->filename, code->filename_len, NAME_LIMIT, "file's name");
    }
}

static void read_name(struct python *python, struct memory *memory, const struct python_thread *thread)
{
    cleanup_buffer struct buffer name = {0};
    if (python_thread_name(python, memory, thread, &name))
        check_text(python, buffer_text(&name), name.len, NAME_LIMIT, "thread's name");
}

static void read_details(struct python *python, struct memory *memory, const struct python_frame *frame)
{
    cleanup_buffer struct buffer name = {0};
    struct python_position position;
    python_frame_position(python, memory, frame, &position);
    if (python_frame_method(python, memory, frame, &name))
        check_text(python, buffer_text(&name), name.len, 2 * NAME_LIMIT, "method's name");
}

static void read_variables(const struct python *python, struct python_variables *variables, struct memory *memory,
                           const struct python_frame *frame)
{
    uint32_t count;
    const struct python_variable *list = python_variables_read(variables, memory, frame, &count);
    fuzz_require(count <= PYTHON_VARIABLE_LIMIT, "number of variables");
    for (uint32_t i = 0; i < count; i++) {
        check_text(python, list[i].name, list[i].name_len, NAME_LIMIT, "variable's name");
        check_text(python, list[i].value, list[i].value_len, VALUE_BYTES_LIMIT, "variable's value");
    }
}

/* Waits for what the first words of a frame lead to, one after the other, and for what is parked beside them. */
static void read_locks(struct python *python, struct memory *memory, const struct python_frame *frame)
{
    remote_addr slot = frame->address + python->runtime.layout->locals.first;
    for (unsigned i = 0; i < 3 * LOCK_SLOTS; i++, slot += i % 3 == 0 ? sizeof(remote_addr) : 0) {
        struct python_lock lock;
        uint64_t object, futex;
        if (memory_read_u64(memory, slot, &object) != MEMORY_OK ||
            memory_read_u64(memory, object + 2 * sizeof(object), &futex) != MEMORY_OK)
            continue;
        const remote_addr futexes[] = {futex, object + 2 * sizeof(object), slot + sizeof(object)};
        if (!python_find_lock(python, memory, frame, futexes[i % 3], &lock))
            continue;
        fuzz_require(memchr(lock.type, '\0', sizeof(lock.type)), "lock's type");
    }
}

static void read_thread(struct python *python, struct memory *memory, struct python_thread *thread, unsigned what,
                        struct python_variables *variables)
{
    enum python_status status = python_walk_thread(python, memory, thread);
    fuzz_require((unsigned)status < STATUS_LIMIT, "status of a walk");
    check_frames(python, thread);
    if (what & READING_NAMES)
        read_name(python, memory, thread);
    for (uint32_t i = 0; i < thread->frame_count && i < DETAILS_LIMIT; i++) {
        struct python_frame frame = python_frames(python)[thread->first_frame + i];
        if (what & READING_DETAILS)
            read_details(python, memory, &frame);
        if (variables)
            read_variables(python, variables, memory, &frame);
    }
    if (what & READING_LOCKS && thread->frame_count > 0) {
        struct python_frame frame = python_frames(python)[thread->first_frame];
        read_locks(python, memory, &frame);
    }
}

static void check_threads(const struct python *python, const struct python_thread *threads, uint32_t count)
{
    uint32_t gil_count;
    python_gils(python, &gil_count);
    fuzz_require(count <= PYTHON_THREAD_LIMIT && gil_count <= PYTHON_INTERPRETER_LIMIT, "number of threads and GILs");
    for (uint32_t i = 0; i < count; i++)
        fuzz_require(threads[i].gil < gil_count || threads[i].gil == PYTHON_NO_GIL, "a thread's GIL");
}

void python_reading_run(struct python *python, struct memory *memory, unsigned what)
{
    cleanup_python_variables struct python_variables *variables = NULL;
    uint32_t count;
    python_begin_sample(python);
    python->lookups.entries = ENTRY_LIMIT;
    python->steps = 4 * PYTHON_FRAME_TOTAL_LIMIT - STEP_LIMIT; /* as STEP_TOTAL_LIMIT of walk.c has it */
    if (python_list_threads(python, memory) != PYTHON_OK)
        return;
    if (what & READING_VARIABLES)
        fuzz_require(!python_variables_create(python, VALUE_LIMIT, &variables), "memory");
    struct python_thread *threads = python_threads(python, &count);
    check_threads(python, threads, count);
    for (uint32_t i = 0; i < count; i++)
        read_thread(python, memory, &threads[i], what, variables);
}
