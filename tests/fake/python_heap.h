/* SPDX-License-Identifier: MIT */
/*
 * The heap of a CPython that never ran: runtime, interpreters, threads, frames, code objects and what they point to,
 * put together field by field as one layout says. A test then breaks what it wants to see broken.
 *
 *     struct python_heap *heap = python_heap_create(layout, PYTHON_HEAP_LEN);
 *     remote_addr interpreter = python_heap_interpreter(heap);
 *     struct heap_thread thread = python_heap_thread(heap, interpreter, 1);
 *     python_heap_enter(heap, &thread);
 *     python_heap_call(heap, &thread, python_heap_code(heap, "main", "a.py", 10), 3);      in line 13
 *     struct python *python = python_heap_open(heap);
 */
#ifndef PYTHON_HEAP_H
#define PYTHON_HEAP_H

#include "fake_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout;
struct python;

enum {
    PYTHON_HEAP_LEN = 256 * 1024,
    PYTHON_HEAP_CODE_LINES = 40, /* lines of each code object; an instruction a line */
    PYTHON_HEAP_OWNER_THREAD = 0,
    PYTHON_HEAP_OWNER_GENERATOR = 1,
    PYTHON_HEAP_OWNER_C_STACK = 3,
};

struct python_heap {
    struct fake_memory fake;
    struct layout *layout; /* its own copy of the row */
    unsigned char *bytes;
    size_t len, used;
    remote_addr runtime;
    remote_addr current_thread; /* the variable that is the GIL to 3.6 */
    remote_addr code_type, other_type, int_type, str_type, unicode_type;
    remote_addr none;
    uint32_t next_version; /* co_version of the next code object */
    uint32_t interpreter_count;
};

/* A thread state, and what its calls change. */
struct heap_thread {
    remote_addr address;
    remote_addr cframe; /* where the thread keeps its innermost frame: the thread itself, or a _PyCFrame */
    remote_addr innermost;
    remote_addr stack, stack_top; /* the chunk of its stack of frames and the end of the used part; from 3.11 on */
    bool is_entering;             /* the next call comes from C code */
    uint32_t copy;                /* which copy of the instructions it executes; free-threaded, from 3.14 on */
};

struct python_heap *python_heap_create(const struct layout *layout, size_t len);

/* The same by the layout of a version in which each interpreter can have a GIL. */
struct python_heap *python_heap_create_with_gil(size_t len);

void python_heap_destroy(struct python_heap *heap);

/* An interpreter as python_create() makes it, with its own copy of the layout; the caller destroys it. */
struct python *python_heap_open(const struct python_heap *heap);

/* A zeroed block, aligned to 16 bytes. */
remote_addr python_heap_alloc(struct python_heap *heap, size_t len);

/* Where the bytes at an address are. */
unsigned char *python_heap_bytes_at(struct python_heap *heap, remote_addr address);
void python_heap_put_u64(struct python_heap *heap, remote_addr address, uint64_t value);
void python_heap_put_u32(struct python_heap *heap, remote_addr address, uint32_t value);
void python_heap_put_u8(struct python_heap *heap, remote_addr address, unsigned value);

/* A compact str of characters that are `kind` bytes wide each; ASCII when told so. */
remote_addr python_heap_str(struct python_heap *heap, const void *characters, size_t count, unsigned kind,
                            bool is_ascii);
remote_addr python_heap_text(struct python_heap *heap, const char *text);
remote_addr python_heap_bytes(struct python_heap *heap, const void *bytes, size_t len);
remote_addr python_heap_int(struct python_heap *heap, uint64_t number);

/* A code object whose i-th instruction belongs to the i-th line after first_line. */
remote_addr python_heap_code(struct python_heap *heap, const char *name, const char *filename, uint32_t first_line);

/* Adds an interpreter, or a thread, at the head of its list, where CPython puts the newest. Its native id is its id. */
remote_addr python_heap_interpreter(struct python_heap *heap);
struct heap_thread python_heap_thread(struct python_heap *heap, remote_addr interpreter, uint64_t id);

/* Says who has the GIL of an interpreter now; locked is 0, 1 or -1. */
void python_heap_set_gil(struct python_heap *heap, remote_addr interpreter, remote_addr thread, int locked);

/* Says how often it changed hands; from 3.7 on. */
void python_heap_set_switches(struct python_heap *heap, remote_addr interpreter, uint64_t switches);
remote_addr python_heap_gil(struct python_heap *heap, remote_addr interpreter);

/*
 * Lets a thread run Python code: with the GIL, or in free-threaded builds beside others, which have to be let go of
 * (`state` 0; or 2, stopped) for it to be the only one.
 */
void python_heap_attach(struct python_heap *heap, remote_addr interpreter, const struct heap_thread *thread);
void python_heap_set_state(struct python_heap *heap, const struct heap_thread *thread, uint32_t state);

/* Says that garbage is being collected, from 3.9 on; from 3.15 on also in which frame that began, or 0. */
void python_heap_collect(struct python_heap *heap, remote_addr interpreter, remote_addr frame);

/* C code calls Python: the next call begins an evaluation loop. */
void python_heap_enter(struct python_heap *heap, struct heap_thread *thread);

/* Pushes a frame that executes the instruction-th instruction of a code object, and returns its address. */
remote_addr python_heap_call(struct python_heap *heap, struct heap_thread *thread, remote_addr code, int instruction);

/* The same for a frame in a generator, which lies in the heap. */
remote_addr python_heap_resume(struct python_heap *heap, struct heap_thread *thread, remote_addr code, int instruction);

/* Puts a frame on top that lies at an address of the caller's choice. */
void python_heap_put_frame(struct python_heap *heap, struct heap_thread *thread, remote_addr frame, remote_addr code,
                           int instruction, unsigned owner);

#endif
