/* SPDX-License-Identifier: MIT */
/* Profiles written by hand, for tests of what reads them. */
#ifndef TESTS_PROFILE_BUILDER_H
#define TESTS_PROFILE_BUILDER_H

#include "profile/profile.h"

#include <string.h>

/* A frame whose name may hold any byte. */
static inline uint32_t build_frame_bytes(struct profile *profile, const char *name, size_t len, const char *file,
                                         int32_t line)
{
    const struct profile_frame frame = {
        .kind = FRAME_PYTHON,
        .name = profile_intern(profile, name, len),
        .file = profile_intern(profile, file, strlen(file)),
        .line = line,
    };
    return profile_intern_frame(profile, &frame);
}

static inline uint32_t build_frame(struct profile *profile, const char *name, const char *file, int32_t line)
{
    return build_frame_bytes(profile, name, strlen(name), file, line);
}

/* A C function: line 0 for a library, else the file is a source. */
static inline uint32_t build_native(struct profile *profile, const char *name, const char *file, int32_t line)
{
    const struct profile_frame frame = {
        .kind = FRAME_NATIVE,
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, file, strlen(file)),
        .line = line,
    };
    return profile_intern_frame(profile, &frame);
}

static inline uint32_t build_group(struct profile *profile, enum frame_kind kind, const char *name)
{
    const struct profile_frame frame = {
        .kind = kind,
        .name = profile_intern(profile, name, strlen(name)),
        .file = PROFILE_NONE,
    };
    return profile_intern_frame(profile, &frame);
}

static inline uint32_t build_kernel(struct profile *profile, const char *name)
{
    return build_group(profile, FRAME_KERNEL, name);
}

static inline uint32_t build_thread(struct profile *profile, const char *name)
{
    return build_group(profile, FRAME_THREAD, name);
}

static inline uint32_t build_process(struct profile *profile, const char *name)
{
    return build_group(profile, FRAME_PROCESS, name);
}

/* A child of a node that counts some samples. */
static inline uint32_t build_child(struct profile *profile, uint32_t node, uint32_t frame, uint64_t samples)
{
    uint32_t child = profile_child(profile, node, frame);
    profile_count(profile, child, samples);
    return child;
}

#endif
