/* SPDX-License-Identifier: MIT */
/*
 * Errors of the set-up and output paths: a kind and a sentence for the person at the terminal.
 *
 * A function that can fail returns `struct error *`; NULL is success. The error belongs to the caller, who passes it
 * up (perhaps wrapped), or destroys it. Only the command line prints one. The sample path does not use this: it returns
 * small enums that are counted.
 *
 * A sentence starts in lower case, says what failed and on what, and has no full stop.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/* What went wrong, as far as the exit status and the advice depend on it. */
enum error_kind {
    ERROR_NO_MEMORY,
    ERROR_USAGE,               /* the command line asks for what does not exist or does not fit together */
    ERROR_PERMISSION,          /* the kernel refuses to let us read the target */
    ERROR_NOT_PYTHON,          /* the target holds no CPython interpreter */
    ERROR_NOT_READY,           /* the target's interpreter is only just starting; a later try may succeed */
    ERROR_UNSUPPORTED_VERSION, /* the target holds a CPython that this program has no layout for */
    ERROR_TARGET_GONE,         /* the target does not exist, or ended while we were at it */
    ERROR_BAD_DATA,            /* a file or the target's memory is not what it claims to be */
    ERROR_NOT_FOUND,           /* a program or file that was to be used does not exist */
    ERROR_BUSY,                /* somebody else traces the target, and only one can */
    ERROR_OS,                  /* any other refusal of the operating system */
};

struct error {
    enum error_kind kind;
    char *sentence;
};

/* Makes an error with a printf-style sentence. Never returns NULL: without memory it is a static "out of memory". */
struct error *error_create(enum error_kind kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Makes an error from a failed system call: the sentence, a colon, and what errno_value means. The kind follows from
 * errno_value: EPERM and EACCES give ERROR_PERMISSION, ENOENT gives ERROR_NOT_FOUND, ESRCH gives ERROR_TARGET_GONE,
 * ENOMEM gives ERROR_NO_MEMORY, everything else ERROR_OS.
 */
struct error *error_from_errno(int errno_value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a printf-style context and a colon in front of the sentence. Takes the error over and returns the new one. */
struct error *error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The static error for exhausted memory; destroying it does nothing. */
struct error *error_no_memory(void);

/* Accepts NULL. */
void error_destroy(struct error *error);

static inline void cleanup_error_destroy(struct error **error)
{
    error_destroy(*error);
}

#define cleanup_error __attribute__((cleanup(cleanup_error_destroy)))

#endif
