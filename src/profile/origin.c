/* SPDX-License-Identifier: MIT */
#include "profile/origin.h"

#include "base/cleanup.h"
#include "profile/profile.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

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
    for (size_t i = 0; i < array_size(folders); i++) {
        const char *found = strstr(path, folders[i]);
        if (found && is_version_folder(found + strlen(folders[i])))
            return true;
    }
    return false;
}

static bool ends_with(const char *text, size_t len, const char *ending)
{
    size_t ending_len = strlen(ending);
    return len >= ending_len && memcmp(text + len - ending_len, ending, ending_len) == 0;
}

/*
 * The two modules are frozen from 3.3 on. Their frames have a path of their own where they are run from the file all
 * the same, as an interpreter does that was told so (-X frozen_modules=off, CPython 3.11), or a test of importlib.
 */
static bool is_import(const char *path, size_t len)
{
    static const char *const endings[] = {"/importlib/_bootstrap.py", "/importlib/_bootstrap_external.py",
                                          "/importlib/__init__.py"};
    static const char frozen[] = "<frozen importlib";
    if (strncmp(path, frozen, strlen(frozen)) == 0)
        return true;
    bool is_compiled = ends_with(path, len, ".pyc");
    for (size_t i = 0; i < array_size(endings); i++) {
        if (ends_with(path, len - is_compiled, endings[i]))
            return true;
    }
    return false;
}

enum frame_origin profile_frame_origin(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    if (seen->kind != FRAME_PYTHON)
        return ORIGIN_NONE;
    size_t len;
    const char *path = profile_string(profile, seen->file, &len);
    if (strstr(path, "site-packages/") || strstr(path, "dist-packages/"))
        return ORIGIN_PACKAGE;
    if (is_import(path, len))
        return ORIGIN_IMPORT;
    return is_stdlib(path) ? ORIGIN_STDLIB : ORIGIN_OWN;
}
