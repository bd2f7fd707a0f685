/* SPDX-License-Identifier: MIT */
#include "python/runtime.h"

#include "base/cleanup.h"
#include "debug_offsets.h"
#include "image/loaded_image.h"
#include "layout.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    SCAN_LIMIT = 16 * 1024 * 1024, /* bytes of .data and .bss looked through for the version text; CPython has < 1 MB */
    SCAN_STEP = 64 * 1024,
    VERSION_TEXT_LIMIT = 32, /* bytes of the version text that matter: "3.10.13 (" */
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

/* Understands the start of what Py_GetVersion() returns: "3.10.13 (main, ...", "3.13.0rc1 (...". */
static bool parse_version_text(const char *text, struct python_version *ret)
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
    text += strcspn(text, " ");
    return strncmp(text, " (", 2) == 0;
}

/* Looks for a version text in the bytes of a chunk that is followed by VERSION_TEXT_LIMIT more bytes. */
static bool find_version_text(const char *bytes, size_t len, struct python_version *ret)
{
    const char *end = bytes + len;
    for (const char *at = bytes; (at = memchr(at, '.', (size_t)(end - at))); at++) {
        char text[VERSION_TEXT_LIMIT + 1] = {0};
        bool is_end_of_number = at - bytes >= 2 && isdigit((unsigned char)at[-2]);
        if (at == bytes || is_end_of_number || !isdigit((unsigned char)at[1]))
            continue;
        memcpy(text, at - 1, VERSION_TEXT_LIMIT);
        if (parse_version_text(text, ret))
            return true;
    }
    return false;
}

/* To 3.10, Py_GetVersion() leaves its text in a static buffer; CPython 3.8 Python/getversion.c. */
static bool scan_for_version(const struct loaded_image *image, struct memory *memory, struct python_version *ret)
{
    cleanup_free char *chunk = malloc(SCAN_STEP + 2 * VERSION_TEXT_LIMIT);
    struct image_range segment;
    for (size_t i = 0; chunk && image_writable_segment(image->image, i, &segment); i++) {
        uint64_t len = segment.len < SCAN_LIMIT ? segment.len : SCAN_LIMIT;
        for (uint64_t at = 0; at < len; at += SCAN_STEP) {
            uint64_t left = len - at;
            size_t wanted = left < SCAN_STEP + VERSION_TEXT_LIMIT ? (size_t)left : SCAN_STEP + VERSION_TEXT_LIMIT;
            if (memory_read(memory, image->bias + segment.address + at, chunk, wanted) != MEMORY_OK)
                break;
            memset(chunk + wanted, 0, VERSION_TEXT_LIMIT);
            if (find_version_text(chunk, wanted, ret))
                return true;
        }
    }
    return false;
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

static bool find_version(const struct loaded_image *image, struct memory *memory, remote_addr runtime,
                         struct python_version *ret)
{
    uint32_t hex;
    struct debug_offsets offsets;
    struct python_version version = {0};
    remote_addr version_symbol = loaded_image_find(image, "Py_Version");
    if (runtime && debug_offsets_read(memory, runtime, &offsets)) {
        set_hex_version(offsets.version, &version);
        version.is_free_threaded = offsets.is_free_threaded;
    } else if (version_symbol && memory_read_u32(memory, version_symbol, &hex) == MEMORY_OK) {
        set_hex_version(hex, &version);
    } else if (!scan_for_version(image, memory, &version) && !version_of_file_name(image->path, &version)) {
        return false;
    }
    *ret = version;
    return true;
}

static remote_addr find_runtime(const struct loaded_image *image)
{
    struct image_range section;
    remote_addr runtime = loaded_image_find(image, "_PyRuntime");
    /* CPython 3.10 Python/pylifecycle.c puts _PyRuntime into a section of its own, which survives strip. */
    if (runtime == 0 && image_find_section(image->image, ".PyRuntime", &section))
        runtime = section.address + image->bias;
    /* To 3.6 there is only this variable of it. CPython 2.7 and 3.6 Python/pystate.c. */
    return runtime != 0 ? runtime : loaded_image_find(image, "interp_head");
}

/* 2.7: the width of Py_UNICODE is in the names of its functions. CPython 2.7 Include/unicodeobject.h. */
static uint8_t unicode_len(const struct loaded_image *image)
{
    return loaded_image_find(image, "PyUnicodeUCS2_GetSize") ? 2 : 4;
}

static struct error *unsupported(const struct python_version *version)
{
    char text[PYTHON_VERSION_TEXT_LEN];
    python_version_format(version, text);
    return error_create(ERROR_UNSUPPORTED_VERSION, "Python %s is not supported (%s are)", text, layout_versions());
}

enum { NEWEST_MINOR = 15 };

/* The row for a version; for one that is only just newer, whose debug offsets may have the same shape, the newest. */
static const struct layout *choose_layout(const struct python_version *version, bool has_debug_offsets)
{
    unsigned minor = version->minor;
    if (has_debug_offsets && version->major == 3 && minor == NEWEST_MINOR + 1)
        minor = NEWEST_MINOR;
    return layout_of_version(version->major, minor, version->is_free_threaded);
}

struct error *python_runtime_set_layout(struct python_runtime *runtime, struct memory *memory)
{
    const struct python_version *version = &runtime->version;
    struct debug_offsets offsets;
    bool has_debug_offsets = runtime->address != 0 && debug_offsets_read(memory, runtime->address, &offsets);
    const struct layout *known = choose_layout(version, has_debug_offsets);
    bool is_early = version->level == 'a' || version->level == 'b';
    if (!known || runtime->address == 0 || (is_early && !has_debug_offsets))
        return unsupported(version);
    runtime->is_untested = is_early || known->version != (version->major << 8 | version->minor);
    runtime->layout = malloc(sizeof(*runtime->layout));
    if (!runtime->layout)
        return error_no_memory();
    *runtime->layout = *known;
    runtime->layout->text.wide_len = runtime->unicode_len;
    layout_adjust_to_patch(runtime->layout, version->micro);
    struct error *error = has_debug_offsets ? debug_offsets_apply(runtime->layout, memory, runtime->address) : NULL;
    if (!error || !runtime->is_untested)
        return error;
    error_destroy(error);
    return unsupported(version);
}

/* Every CPython exports this function; nothing else does. */
static bool is_python(const struct loaded_image *image)
{
    return loaded_image_find(image, "Py_GetVersion") != 0;
}

struct error *python_runtime_find(const struct loaded_image *images, size_t count, struct memory *memory,
                                  struct python_runtime *ret)
{
    for (size_t i = count; i-- > 0;) {
        const struct loaded_image *image = &images[i];
        cleanup_python_runtime struct python_runtime runtime = {
            .address = find_runtime(image),
            .current_thread = loaded_image_find(image, "_PyThreadState_Current"),
            .unicode_len = unicode_len(image),
        };
        if (runtime.address == 0 && !is_python(image))
            continue;
        if (!find_version(image, memory, runtime.address, &runtime.version))
            return error_create(ERROR_UNSUPPORTED_VERSION, "cannot find out which version of Python '%s' is",
                                image->path);
        runtime.code_type = loaded_image_find(image, "PyCode_Type");
        struct error *error = python_runtime_set_layout(&runtime, memory);
        if (error)
            return error;
        *ret = runtime;
        runtime = (struct python_runtime){0};
        return NULL;
    }
    return error_create(ERROR_NOT_PYTHON, "no Python interpreter was found");
}

void python_runtime_deinit(struct python_runtime *runtime)
{
    free(runtime->layout);
    *runtime = (struct python_runtime){0};
}

bool python_runtime_is_ready(const struct python_runtime *runtime, struct memory *memory)
{
    const struct layout *layout = runtime->layout;
    remote_addr interpreter, thread;
    return memory_read_u64(memory, runtime->address + layout->runtime.interpreters_head, &interpreter) == MEMORY_OK &&
           interpreter != 0 &&
           memory_read_u64(memory, interpreter + layout->interpreter.threads_head, &thread) == MEMORY_OK && thread != 0;
}

void python_version_format(const struct python_version *version, char text[PYTHON_VERSION_TEXT_LEN])
{
    char micro[8] = "", serial[8] = "";
    const char level[] = {version->level, '\0'};
    if (version->micro >= 0)
        snprintf(micro, sizeof(micro), ".%u", version->micro & UINT8_MAX);
    if (version->level)
        snprintf(serial, sizeof(serial), "%s%u", *level == 'c' ? "rc" : level, version->serial);
    snprintf(text, PYTHON_VERSION_TEXT_LEN, "%d.%d%s%s%s", version->major, version->minor, micro, serial,
             version->is_free_threaded ? " (free-threaded)" : "");
}
