/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include "base/table.h"
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

static uint64_t hash_string(const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    return hash_bytes(text, len);
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
    uint64_t hash = hash_pair(hash_string(profile, seen->name), hash_string(profile, seen->file));
    return (struct colour){
        .family = family_of_frame(profile, frame),
        .shade = (uint32_t)(hash % COLOUR_SHADES),
    };
}
