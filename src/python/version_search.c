/* SPDX-License-Identifier: MIT */
#include "version_search.h"

#include "data_reader.h"
#include "debug_offsets.h"
#include "image/loaded_image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* How much of the text has to be there. */
enum text_form {
    TEXT_BEGINS,     /* "3.10.13 (" */
    TEXT_IS_COMPLETE /* with build and compiler */
};

static void set_hex_version(uint32_t hex, struct python_version *ret)
{
    /* CPython Include/patchlevel.h: PY_VERSION_HEX is major, minor, micro, level and serial, highest byte first. */
    ret->major = (uint8_t)(hex >> 24);
    ret->minor = (uint8_t)(hex >> 16);
    ret->micro = (uint8_t)(hex >> 8);
    unsigned level = hex >> 4 & 15;
    ret->level = level >= 10 && level <= 12 ? (char)('a' + (level - 10)) : 0;
    ret->serial = hex & 15;
}

/* Reads a decimal number of at most three digits and moves *text behind it; -1 when there is none. */
static int take_number(const char **text)
{
    int number = 0, digits = 0;
    while (isdigit((unsigned char)**text) && digits++ < 3)
        number = number * 10 + *(*text)++ - '0';
    return digits > 0 ? number : -1;
}

/*
 * Finds what stands in brackets behind a number: " (main, Aug 24 2023, 20:24:46) \n[GCC 12.2.0]". Distributors may name
 * themselves first: " | packaged by conda-forge | (default, ...".
 */
static bool has_build(const char *text, enum text_form form)
{
    if (strncmp(text, " |", 2) == 0) {
        text = strstr(text, "| (");
        if (!text)
            return false;
        text++;
    }
    if (strncmp(text, " (", 2) != 0)
        return false;
    if (form == TEXT_BEGINS)
        return true;
    text = strchr(text, ')');
    return text && text[1] == ' ' && text[2 + strspn(text + 2, " \n")] == '[';
}

/* Understands what Py_GetVersion() returns: "3.10.13 (main, ...", "3.13.0rc1 (...". CPython Python/getversion.c. */
static bool parse_version_text(const char *text, enum text_form form, struct python_version *ret)
{
    int major = take_number(&text);
    if ((major != 2 && major != 3) || *text++ != '.')
        return false;
    int minor = take_number(&text);
    if (minor < 0 || *text++ != '.')
        return false;
    int micro = take_number(&text);
    if (micro < 0 || micro > UINT8_MAX || minor > UINT8_MAX)
        return false;
    *ret = (struct python_version){.major = (uint8_t)major, .minor = (uint8_t)minor, .micro = micro};
    if (*text == 'a' || *text == 'b' || strncmp(text, "rc", 2) == 0) {
        ret->level = *text == 'r' ? 'c' : *text;
        ret->serial = (uint8_t)strtoul(text + strcspn(text, "0123456789 "), NULL, 10);
    }
    return has_build(text + strcspn(text, " "), form);
}

/* Looks for a version text that begins in a chunk. */
static bool find_version_text(const struct data_reader *chunk, enum text_form form, struct python_version *ret)
{
    /* The number's first digit stands before its first dot; that dot may be the first byte of what follows. */
    const char *end = chunk->bytes + chunk->len + 1;
    for (const char *at = chunk->bytes; (at = memchr(at, '.', (size_t)(end - at))); at++) {
        char text[DATA_LOOKAHEAD] = {0};
        bool is_end_of_number = at - chunk->bytes >= 2 && isdigit((unsigned char)at[-2]);
        if (at == chunk->bytes || is_end_of_number || (at[-1] != '2' && at[-1] != '3') ||
            !isdigit((unsigned char)at[1]))
            continue;
        memcpy(text, at - 1, sizeof(text) - 1);
        if (parse_version_text(text, form, ret))
            return true;
    }
    return false;
}

/* To 3.15, Py_GetVersion() leaves its text in a static buffer; it is called when the interpreter comes up. */
static bool find_text_in_data(const struct python_data *data, struct memory *memory, enum text_form form,
                              struct python_version *ret)
{
    cleanup_data_reader struct data_reader reader;
    data_reader_init(&reader, data, memory);
    while (data_reader_next(&reader)) {
        if (find_version_text(&reader, form, ret))
            return true;
    }
    return false;
}

bool version_find_in_data(const struct python_data *data, struct memory *memory, struct python_version *ret)
{
    return find_text_in_data(data, memory, TEXT_IS_COMPLETE, ret);
}

/* The last resort: "python3.8", "libpython3.8.so.1.0". */
static bool version_of_file_name(const char *path, struct python_version *ret)
{
    const char *slash = strrchr(path, '/');
    const char *text = strstr(slash ? slash : path, "python");
    if (!text)
        return false;
    text += strlen("python");
    int major = take_number(&text);
    if ((major != 2 && major != 3) || *text++ != '.')
        return false;
    int minor = take_number(&text);
    if (minor < 0 || minor > UINT8_MAX)
        return false;
    *ret = (struct python_version){.major = (uint8_t)major, .minor = (uint8_t)minor, .micro = -1};
    return true;
}

struct python_version version_of_debug_offsets(struct memory *memory, remote_addr runtime)
{
    struct debug_offsets offsets;
    struct python_version version = {0};
    if (runtime && debug_offsets_read(memory, runtime, &offsets)) {
        set_hex_version(offsets.version, &version);
        version.is_free_threaded = offsets.is_free_threaded;
    }
    return version;
}

bool version_find(const struct loaded_image *image, struct memory *memory, remote_addr runtime,
                  struct python_version *ret)
{
    uint32_t hex;
    struct python_data data;
    struct python_version version = version_of_debug_offsets(memory, runtime);
    remote_addr symbol = loaded_image_find(image, "Py_Version");
    python_data_of_image(image, &data);
    if (symbol && memory_read_u32(memory, symbol, &hex) == MEMORY_OK)
        set_hex_version(hex, &version);
    else if (version.major == 0 && !find_text_in_data(&data, memory, TEXT_BEGINS, &version) &&
             !version_of_file_name(image->path, &version))
        return false;
    *ret = version;
    return true;
}
