/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include "base/table.h"
#include "profile/profile.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const struct family {
    char letter;
    const char *title;
} families[COLOUR_FAMILIES] = {
    [COLOUR_OWN] = {'o', "own code"},
    [COLOUR_PACKAGE] = {'p', "site-packages"},
    [COLOUR_STDLIB] = {'s', "standard library"},
    [COLOUR_ROOT] = {'r', "process, thread"},
};

const char *colour_family_title(enum colour_family family)
{
    return families[family].title;
}

char colour_family_letter(enum colour_family family)
{
    return families[family].letter;
}

/* "3.11/", "3.13t/" or "311.zip/", as they follow "python" in the library folders of CPython's own installations. */
static bool is_version_folder(const char *text)
{
    if (!isdigit((unsigned char)*text))
        return false;
    text += strspn(text, "0123456789.");
    if (*text == 't')
        text++;
    if (strncmp(text, "zip", 3) == 0)
        text += 3;
    return *text == '/';
}

static bool is_stdlib(const char *path)
{
    static const char *const folders[] = {"lib/python", "lib64/python"};
    if (strncmp(path, "<frozen ", 8) == 0)
        return true;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        const char *found = strstr(path, folders[i]);
        if (found && is_version_folder(found + strlen(folders[i])))
            return true;
    }
    return false;
}

static enum colour_family family_of_path(const char *path)
{
    if (strstr(path, "site-packages/") || strstr(path, "dist-packages/"))
        return COLOUR_PACKAGE;
    return is_stdlib(path) ? COLOUR_STDLIB : COLOUR_OWN;
}

static uint64_t hash_string(const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    return hash_bytes(text, len);
}

struct colour colour_of_frame(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    uint64_t hash = hash_pair(hash_string(profile, seen->name), hash_string(profile, seen->file));
    struct colour colour = {.family = COLOUR_ROOT, .shade = (uint32_t)(hash % COLOUR_SHADES)};
    size_t len;
    if (seen->kind == FRAME_PYTHON)
        colour.family = family_of_path(profile_string(profile, seen->file, &len));
    return colour;
}
