/* SPDX-License-Identifier: MIT */
#include "profile/origin.h"

#include "base/cleanup.h"
#include "profile/native_file.h"
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

static bool begins_with_any(const char *text, const char *const *beginnings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}

/*
 * Whether a native file is nobody's in particular: a library of the system, of another tree that looks like it (a conda
 * environment's lib), or a source as a distribution or Rust's tools build it. A name that is no path from the root says
 * nothing.
 */
static bool is_of_system(const char *path, size_t len)
{
    static const char *const folders[] = {"/usr/", "/lib/", "/lib32/", "/lib64/",
                                          "/nix/", "/gnu/", "/build/", "/rustc/"};
    static const char *const libraries[] = {"/lib/", "/lib64/"};
    size_t base = native_file_base(path, len);
    if (*path != '/' || begins_with_any(path, folders, array_size(folders)))
        return true;
    for (size_t i = 0; i < array_size(libraries); i++) {
        if (ends_with(path, base, libraries[i]))
            return true;
    }
    return false;
}

/* The functions of CPython that only import: Python/import.c has all of them. Others in between serve everybody. */
static bool is_native_import(const char *name)
{
    static const char *const beginnings[] = {"PyImport_", "_PyImport_", "import_", "_imp_", "builtin___import__"};
    return begins_with_any(name, beginnings, array_size(beginnings));
}

static enum frame_origin native_origin(const char *name, const char *path, size_t len)
{
    if (native_file_is_python(path, len))
        return is_native_import(name) ? ORIGIN_IMPORT : ORIGIN_STDLIB;
    if (is_stdlib(path))
        return ORIGIN_STDLIB;
    return is_of_system(path, len) ? ORIGIN_NONE : ORIGIN_OWN;
}

enum frame_origin profile_frame_origin(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    if (seen->kind != FRAME_PYTHON && seen->kind != FRAME_NATIVE)
        return ORIGIN_NONE;
    size_t len, name_len;
    const char *path = profile_string(profile, seen->file, &len);
    if (strstr(path, "site-packages/") || strstr(path, "dist-packages/"))
        return ORIGIN_PACKAGE;
    if (seen->kind == FRAME_NATIVE)
        return native_origin(profile_string(profile, seen->name, &name_len), path, len);
    if (is_import(path, len))
        return ORIGIN_IMPORT;
    return is_stdlib(path) ? ORIGIN_STDLIB : ORIGIN_OWN;
}
