/* SPDX-License-Identifier: MIT */
/*
 * A pprof file as protobuf-c unpacked it, with what it takes to follow its numbers. It may be anything: what a number
 * leads to is looked up before it is used.
 */
#ifndef FORMATS_PPROF_MESSAGE_H
#define FORMATS_PPROF_MESSAGE_H

#include "base/error.h"
#include "base/table.h"
#include "pprof.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pprof_message {
    const char *name; /* of the file, for messages */
    Pprof__Profile *profile;
    struct table functions, locations, mappings; /* by id */
    bool has_wrong_string;                       /* a number of one that is not there has been met */
};

/* Unpacks bytes, into at most so much memory. Errors: ERROR_BAD_DATA when they are no pprof file. */
struct error *pprof_message_init(struct pprof_message *message, const char *name, const void *bytes, size_t len,
                                 size_t memory_limit);

/* Accepts a zeroed struct. */
void pprof_message_deinit(struct pprof_message *message);

/* The error for a file that does not hold together. */
struct error *pprof_message_refuse(const struct pprof_message *message, const char *why);

/* A string, as it is in the file; empty, and noted, for a number of none. */
const char *pprof_message_text(struct pprof_message *message, int64_t string);

/* The places of what has an id, in the lists of the profile; TABLE_NONE when nothing has it. */
uint32_t pprof_message_function(const struct pprof_message *message, uint64_t id);
uint32_t pprof_message_location(const struct pprof_message *message, uint64_t id);
uint32_t pprof_message_mapping(const struct pprof_message *message, uint64_t id);

#define cleanup_pprof_message __attribute__((cleanup(pprof_message_deinit)))

#endif
