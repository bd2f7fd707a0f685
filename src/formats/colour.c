/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include "base/cleanup.h"
#include "profile/origin.h"
#include "profile/profile.h"
#include "profile/view.h"

#include <stdbool.h>
#include <string.h>

static const struct family {
    char letter;
    const char *title;
} families[COLOUR_FAMILIES] = {
    [COLOUR_OWN] = {'o', "own code"},
    [COLOUR_PACKAGE] = {'p', "site-packages"},
    [COLOUR_STDLIB] = {'s', "standard library"},
    [COLOUR_IMPORT] = {'i', "import system"},
    [COLOUR_NATIVE] = {'n', "native (C, C++, Rust)"},
    [COLOUR_KERNEL] = {'k', "kernel"},
    [COLOUR_GC] = {'g', "garbage collector"},
    [COLOUR_IDLE] = {'w', "idle"},
    [COLOUR_ROOT] = {'r', "process, thread"},
};

/* The names of marks that have a colour of their own. */
static const char gc_mark[] = "<GC>";
static const char idle_mark[] = VIEW_IDLE_MARK;

const char *colour_family_title(enum colour_family family)
{
    return families[family].title;
}

char colour_family_letter(enum colour_family family)
{
    return families[family].letter;
}

static enum colour_family family_of_origin(enum frame_origin origin)
{
    switch (origin) {
    case ORIGIN_NONE:
        break;
    case ORIGIN_OWN:
        return COLOUR_OWN;
    case ORIGIN_PACKAGE:
        return COLOUR_PACKAGE;
    case ORIGIN_STDLIB:
        return COLOUR_STDLIB;
    case ORIGIN_IMPORT:
        return COLOUR_IMPORT;
    }
    return COLOUR_ROOT;
}

/* FNV-1a (Fowler, Noll, Vo), as it has to be the same in each run. Goes on from another text's hash. */
static uint64_t hash_string(const struct profile *profile, uint32_t string, uint64_t hash)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
    return hash;
}

static enum colour_family family_of_mark(const char *mark)
{
    if (strcmp(mark, gc_mark) == 0)
        return COLOUR_GC;
    return strcmp(mark, idle_mark) == 0 ? COLOUR_IDLE : COLOUR_ROOT;
}

/* Cython compiles its functions, and makes frames of Python for some of them all the same. */
static bool is_compiled(const struct profile *profile, const struct profile_frame *frame)
{
    static const char *const endings[] = {".pyx", ".pxd", ".pxi"};
    size_t len;
    const char *file = profile_string(profile, frame->file, &len);
    for (size_t i = 0; i < array_size(endings); i++) {
        size_t ending_len = strlen(endings[i]);
        if (len > ending_len && memcmp(file + len - ending_len, endings[i], ending_len) == 0)
            return true;
    }
    return false;
}

static enum colour_family family_of_frame(const struct profile *profile, uint32_t frame)
{
    size_t len;
    const struct profile_frame *seen = profile_frame(profile, frame);
    switch (seen->kind) {
    case FRAME_PYTHON:
        return is_compiled(profile, seen) ? COLOUR_NATIVE : family_of_origin(profile_frame_origin(profile, frame));
    case FRAME_NATIVE:
        return COLOUR_NATIVE;
    case FRAME_KERNEL:
        return COLOUR_KERNEL;
    case FRAME_MARK:
        return family_of_mark(profile_string(profile, seen->name, &len));
    case FRAME_THREAD:
    case FRAME_PROCESS:
    case FRAME_KINDS:
        break;
    }
    return COLOUR_ROOT;
}

struct colour colour_of_frame(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    uint64_t hash = hash_string(profile, seen->file, hash_string(profile, seen->name, 0xcbf29ce484222325U));
    return (struct colour){
        .family = family_of_frame(profile, frame),
        .shade = (uint32_t)((hash >> 32) % COLOUR_SHADES), /* its low bits are mixed least */
    };
}
