/* SPDX-License-Identifier: MIT */
/*
 * What the texts in collapsed stacks mean: ours, and those of py-spy, Austin and CPython's own sampler. The pieces that
 * are found point into the text.
 */
#ifndef FORMATS_COLLAPSED_TEXT_H
#define FORMATS_COLLAPSED_TEXT_H

#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_piece {
    const char *text; /* NULL: not there */
    size_t len;
};

struct collapsed_frame {
    enum frame_kind kind; /* FRAME_PYTHON, also when that cannot be known, FRAME_NATIVE or FRAME_KERNEL */
    struct text_piece name, file;
    int32_t line; /* 0: not there */
};

struct collapsed_process {
    int64_t pid;
    struct text_piece command;
};

struct collapsed_thread {
    int64_t os_id; /* 0: not there */
    uint64_t id;   /* 0: not there */
    struct text_piece name;
};

/* Splits a line, without its end, into the stack and the count behind its last space. False when there are not both. */
bool collapsed_split(const char *line, size_t len, size_t *ret_stack_len, uint64_t *ret_count);

/*
 * Reads a frame: "name (file:line)", "name (file)" where that is a path or a library, "name (kernel)", or
 * "file.py:name:line". Everything else is a name.
 */
struct collapsed_frame collapsed_read_frame(const char *text, size_t len);

/* Reads "process 12: command", `process 12:"command"` or "process 12". False when it is nothing of these. */
bool collapsed_read_process(const char *text, size_t len, struct collapsed_process *ret);

/*
 * Reads "thread (12): name", where the number is the kernel's, or Python's when it begins with 0x; it or the name may
 * be missing. Or "tid:12". False when it is nothing of these.
 */
bool collapsed_read_thread(const char *text, size_t len, struct collapsed_thread *ret);

/*
 * The same in Austin's words, "P12" and "T12" or "T0:12", of an interpreter. Functions can have such names, so a file
 * is Austin's only if all of its stacks begin with both, which the last function tells of one.
 */
bool collapsed_read_short_process(const char *text, size_t len, struct collapsed_process *ret);
bool collapsed_read_short_thread(const char *text, size_t len, struct collapsed_thread *ret);
bool collapsed_is_austins(const char *stack, size_t len);

#endif
