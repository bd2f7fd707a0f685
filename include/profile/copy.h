/* SPDX-License-Identifier: MIT */
/*
 * Making another profile out of one: what is the same in both is copied once.
 */
#ifndef PROFILE_COPY_H
#define PROFILE_COPY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct profile;
struct profile_frame;

struct profile_copy {
    const struct profile *source;
    struct profile *profile; /* the caller's as soon as he takes it out; destroyed with the copy otherwise */
    uint32_t *strings;       /* of the source -> of the copy; PROFILE_NONE while it was not needed */
    uint32_t string_count;   /* of the source, as far as it is followed */
    bool is_foreign;         /* the profile is the caller's from the start */
};

/* Makes a profile with the root, info and members of the source, and with no other frame, node or sample. */
struct error *profile_copy_init(struct profile_copy *copy, const struct profile *source);

/* Copies into a profile that is there, which stays the caller's and gets nothing by itself. */
struct error *profile_copy_init_into(struct profile_copy *copy, const struct profile *source, struct profile *profile);

/* The profile was exchanged for one that has nothing of the source: everything is copied again. */
void profile_copy_begin_anew(struct profile_copy *copy);

/* The source has got more strings since the copy was begun. False without memory. */
bool profile_copy_follow(struct profile_copy *copy);

/* Adds the source's processes and threads, with their names; numbers of processes begin with the profile's next. */
bool profile_copy_members(struct profile_copy *copy);

/* Accepts a zeroed struct. */
void profile_copy_deinit(struct profile_copy *copy);

/* A string or frame of the source, as the copy numbers it. PROFILE_NONE without memory. */
uint32_t profile_copy_string(struct profile_copy *copy, uint32_t string);
uint32_t profile_copy_frame(struct profile_copy *copy, const struct profile_frame *frame);

#define cleanup_profile_copy __attribute__((cleanup(profile_copy_deinit)))

#endif
