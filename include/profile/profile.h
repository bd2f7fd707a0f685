/* SPDX-License-Identifier: MIT */
/*
 * What a recording learned: the frames that were seen, and a call tree that counts the samples ending in each of its
 * nodes. It knows nothing of formats, and of processes only what they are called.
 *
 * Everything is a small integer into an array of the profile: strings, frames and nodes are each stored once. Node 0 is
 * the root and stands for the whole program; a node's parent always has a smaller index than the node.
 *
 *     uint32_t frame = profile_intern_frame(profile, &(struct profile_frame){...});
 *     uint32_t node = profile_child(profile, PROFILE_ROOT, frame);
 *     profile_count(profile, node, 1);
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROFILE_ROOT = 0,
    PROFILE_NONE = UINT32_MAX, /* no such string, frame or node: also what is returned when memory runs out */
};

/* Stored in recordings by these numbers. */
enum frame_kind {
    FRAME_PYTHON = 0,  /* a Python function: name, file, line */
    FRAME_THREAD = 1,  /* the root of one thread's stacks: name only */
    FRAME_PROCESS = 2, /* the root of one process's stacks: name only */
    FRAME_MARK = 3,    /* a place in a stack that is no function: "<GC>", or frames that could not be read; name only */
    FRAME_NATIVE = 4,  /* a C function: name, file with its source or else of its code, line (0 without source) */
    FRAME_KERNEL = 5,  /* a system call, in which the thread was: name only */
    FRAME_KINDS,
};

/* One kind of frame; equal in all fields means the same frame. */
struct profile_frame {
    enum frame_kind kind;
    uint32_t name;      /* string */
    uint32_t file;      /* string: the path as the program knows it; PROFILE_NONE for a frame without a file */
    int32_t line;       /* that is executed, or by which the frame is told from others; 0: not known or not wanted */
    int32_t first_line; /* of the function; 0: not known */
    uint32_t member;    /* the thread or process that it is the root of, see members.h; else 0 */
};

struct profile_node {
    uint32_t frame;
    uint32_t parent; /* PROFILE_NONE for the root */
    uint64_t self;   /* samples that ended here */
};

/*
 * How the intervals of a recording ended; each interval is counted in exactly one of them. Part of every profile, so
 * that a picture can say what it does not show.
 */
struct profile_intervals {
    uint64_t ok;         /* at least one thread's stack was counted */
    uint64_t idle;       /* read, but no thread was to be counted */
    uint64_t torn;       /* no reading could be proved to be a snapshot */
    uint64_t unreadable; /* the memory was not what it has to be */
    uint64_t missed;     /* nobody looked: the sampler did not run in that interval */
};

/* What a picture says about itself. Strings are owned by the profile. */
struct profile_info {
    uint32_t title;         /* string: the command that ran */
    uint32_t recorder;      /* string: the program that recorded, and its version; PROFILE_NONE: not known */
    uint32_t selection;     /* string: which samples and frames are shown, in words; PROFILE_NONE: all of them */
    uint64_t interval_ns;   /* time that one sample stands for */
    uint64_t start_unix_ns; /* when the recording began, since 1970; 0: not known */
    uint64_t duration_ns;   /* wall time that was recorded */
    uint64_t cpu_ns;        /* CPU time that the processes had meanwhile; 0: not known */
    uint64_t all_samples;   /* that were recorded, also those that are not shown; 0: not known */
    struct profile_intervals intervals;

    /* Intervals in which a GIL was held, for each GIL, and in which threads waited for one, for each thread. Of a
     * recording while it goes on: files do not keep them. */
    uint64_t gil_held, gil_waits;
};

struct profile;

/* Makes an empty profile whose root is a FRAME_PROCESS of this name. Title and root name are copied. */
struct error *profile_create(const char *root_name, const char *title, struct profile **ret);

/* Accepts NULL. */
void profile_destroy(struct profile *profile);

struct profile_info *profile_info(struct profile *profile);
const struct profile_info *profile_get_info(const struct profile *profile);

/*
 * Returns the string's number; the text is copied when it is new. PROFILE_NONE without memory, and from then on no
 * frames and nodes are given out: a profile in which some string is missing is not taken for a whole one.
 */
uint32_t profile_intern(struct profile *profile, const char *text, size_t len);

/* The text of a string, valid UTF-8, NUL-terminated (a NUL inside is possible). Empty for PROFILE_NONE. */
const char *profile_string(const struct profile *profile, uint32_t string, size_t *ret_len);

/* Exchanges the content of two profiles. */
void profile_swap(struct profile *one, struct profile *other);

/* Gives back what it takes to add strings, frames and nodes: from now on that is only read. */
void profile_seal(struct profile *profile);

/* About how many bytes of memory it takes. */
uint64_t profile_size(const struct profile *profile);

/* Above the number of every string, and of every frame. */
uint32_t profile_string_count(const struct profile *profile);
uint32_t profile_frame_count(const struct profile *profile);

uint32_t profile_intern_frame(struct profile *profile, const struct profile_frame *frame);
const struct profile_frame *profile_frame(const struct profile *profile, uint32_t frame);

/* Whether it has a file to be shown: only frames of code do, and not all of these. */
bool profile_frame_has_file(const struct profile *profile, const struct profile_frame *frame);

/* The child of a node for a frame, made when it is new. PROFILE_NONE without memory, or when node is PROFILE_NONE. */
uint32_t profile_child(struct profile *profile, uint32_t node, uint32_t frame);

/* Whether some string could not be stored. */
bool profile_lacks_memory(const struct profile *profile);

/* Counts samples that ended at a node. */
void profile_count(struct profile *profile, uint32_t node, uint64_t samples);

const struct profile_node *profile_nodes(const struct profile *profile, uint32_t *ret_count);

/*
 * Gives a file a shorter name for labels ("torch/nn/functional.py" for a path deep in site-packages). Both are
 * strings of the profile.
 */
void profile_set_short_file(struct profile *profile, uint32_t file, uint32_t short_file);

/* The short name of a file, or the file itself when it was given none. */
uint32_t profile_short_file(const struct profile *profile, uint32_t file);

static inline void cleanup_profile_destroy(struct profile **profile)
{
    profile_destroy(*profile);
}

#define cleanup_profile __attribute__((cleanup(cleanup_profile_destroy)))

#endif
