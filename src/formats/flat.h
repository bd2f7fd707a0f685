/* SPDX-License-Identifier: MIT */
/*
 * The flat table: functions by the time that they took themselves.
 *
 * A function's total is the time in which it was anywhere on the stack, counted once when it is there more than once.
 */
#ifndef FORMATS_FLAT_H
#define FORMATS_FLAT_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

struct format_options;
struct functions;
struct profile;

struct flat_row {
    uint32_t function;
    uint32_t self_frame; /* whose line had most of the self time; PROFILE_NONE: there was none */
    uint64_t self, total;
};

struct flat {
    struct flat_row *rows; /* most self time first, then most total */
    uint32_t count;
    uint64_t whole; /* all samples */
};

/* functions is that of the profile. Processes and threads are no rows. */
struct error *flat_init(struct flat *flat, const struct profile *profile, const struct functions *functions);

/* Accepts a zeroed struct. */
void flat_deinit(struct flat *flat);

#define cleanup_flat __attribute__((cleanup(flat_deinit)))

/* The format "tree" with only_self. */
struct error *flat_write(const struct profile *profile, const struct format_options *options, FILE *out);

#endif
