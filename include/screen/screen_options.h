/* SPDX-License-Identifier: MIT */
/* What a screen is to be like, and what it asks of those around it. */
#ifndef SCREEN_SCREEN_OPTIONS_H
#define SCREEN_SCREEN_OPTIONS_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a screen asks others to do. The errors are shown, and destroyed. */
struct screen_services {
    void *context;

    /* Writes what is kept of the recording to a file whose ending says how. Appends what was written where. */
    struct error *(*save)(void *context, const char *path, struct buffer *ret_message);

    /* Appends the stack of a thread (os_id, or else id; both 0: of all) as text of lines, with its variables. */
    struct error *(*dump)(void *context, int64_t pid, int64_t os_id, uint64_t id, struct buffer *ret_text);

    /* Appends the last lines that the program has written. */
    void (*append_output)(void *context, struct buffer *ret_text);

    /* How much a save would write. */
    uint64_t (*kept_ns)(void *context);
};

struct screen_options {
    FILE *in, *out; /* of the terminal; the caller's */
    bool use_colour;
    bool use_ascii;        /* nothing else */
    bool has_program;      /* we started it: who leaves says what becomes of it */
    bool has_idle;         /* threads that waited are in the samples */
    const char *save_path; /* that is proposed; the caller's */
    struct screen_services services;
};

/* What a person at the keys wants. */
enum screen_wish {
    SCREEN_GO_ON,
    SCREEN_LEAVE,       /* leave; a program that we started runs on */
    SCREEN_END_PROGRAM, /* leave, and end the program */
};

#endif
