/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include "profile/origin.h"
#include "profile/profile.h"

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
    [COLOUR_GC] = {'g', "garbage collector"},
    [COLOUR_ROOT] = {'r', "process, thread"},
};

static const char gc_mark[] = "<GC>"; /* the name of the FRAME_MARK of a collection */

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

static enum colour_family family_of_frame(const struct profile *profile, uint32_t frame)
{
    size_t len;
    const struct profile_frame *seen = profile_frame(profile, frame);
    bool is_gc = seen->kind == FRAME_MARK && strcmp(profile_string(profile, seen->name, &len), gc_mark) == 0;
    return is_gc ? COLOUR_GC : family_of_origin(profile_frame_origin(profile, frame));
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
