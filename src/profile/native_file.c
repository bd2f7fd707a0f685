/* SPDX-License-Identifier: MIT */
#include "profile/native_file.h"

#include "base/cleanup.h"
#include "profile/profile.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

size_t native_file_base(const char *path, size_t len)
{
    const char *slash = memrchr(path, '/', len);
    return slash ? (size_t)(slash + 1 - path) : 0;
}

bool native_file_is_source(const char *path, size_t len)
{
    /* As the languages' compilers know them; .y and .l are of C, too, by way of yacc and lex. */
    static const char *const endings[] = {"c",   "cc",  "cpp", "cxx", "c++", "h",   "hh",  "hpp", "hxx", "inc", "inl",
                                          "cu",  "s",   "asm", "rs",  "pyx", "pxd", "pxi", "f",   "for", "f77", "f90",
                                          "f95", "f03", "f08", "go",  "m",   "mm",  "zig", "d",   "y",   "l",   "tcc"};
    const char *dot = memrchr(path + native_file_base(path, len), '.', len - native_file_base(path, len));
    size_t ending_len = dot ? (size_t)(path + len - (dot + 1)) : 0;
    for (size_t i = 0; ending_len > 0 && i < array_size(endings); i++) {
        if (strlen(endings[i]) == ending_len && strncasecmp(dot + 1, endings[i], ending_len) == 0)
            return true;
    }
    return false;
}

/* The length of the digits and dots that a text begins with. */
static size_t version_len(const char *text, size_t len)
{
    size_t count = 0;
    while (count < len && (isdigit((unsigned char)text[count]) || text[count] == '.'))
        count++;
    return count;
}

/* "libc.so", "libc.so.6", "libpython3.11.so.1.0" */
static bool has_library_ending(const char *base, size_t len)
{
    static const char ending[] = ".so";
    size_t ending_len = strlen(ending);
    while (len > ending_len) {
        if (memcmp(base + len - ending_len, ending, ending_len) == 0)
            return true;
        if (!isdigit((unsigned char)base[len - 1]) && base[len - 1] != '.')
            return false;
        len--;
    }
    return false;
}

/* "python3.11", "python3.13t"; not "python_tools", nor "python", which is a name for much else */
static bool is_executable(const char *base, size_t len)
{
    static const char name[] = "python";
    size_t name_len = strlen(name);
    if (len < name_len || memcmp(base, name, name_len) != 0)
        return false;
    size_t left = len - name_len;
    size_t version = version_len(base + name_len, left);
    left -= version;
    const char *end = base + len - left;
    /* Flags of builds: debug, pymalloc, wide characters, free-threaded. */
    while (left > 0 && strchr("dmut", *end)) {
        end++;
        left--;
    }
    return version > 0 && left == 0;
}

bool native_file_is_library(const char *path, size_t len)
{
    size_t base = native_file_base(path, len);
    return has_library_ending(path + base, len - base) || is_executable(path + base, len - base);
}

/* A folder of CPython's sources, as they are unpacked: "/Python-3.11.7/". */
static bool is_in_sources(const char *path, size_t len)
{
    static const char folder[] = "/Python-";
    const char *found = memmem(path, len, folder, strlen(folder));
    return found && isdigit((unsigned char)found[strlen(folder)]);
}

bool native_frame_is_in_library(const struct profile *profile, const struct profile_frame *frame)
{
    size_t len;
    const char *file = profile_string(profile, frame->file, &len);
    return frame->kind == FRAME_NATIVE && len > 0 && frame->line == 0 && !native_file_is_source(file, len);
}

bool native_file_is_python(const char *path, size_t len)
{
    static const char library[] = "libpython";
    size_t base = native_file_base(path, len);
    bool is_library = len - base > strlen(library) && memcmp(path + base, library, strlen(library)) == 0 &&
                      has_library_ending(path + base, len - base);
    return is_library || is_executable(path + base, len - base) || is_in_sources(path, len);
}
