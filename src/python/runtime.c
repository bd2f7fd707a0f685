/* SPDX-License-Identifier: MIT */
#include "python/runtime.h"

#include "accessor.h"
#include "base/cleanup.h"
#include "debug_offsets.h"
#include "image/loaded_image.h"
#include "layout.h"
#include "scan.h"
#include "version_search.h"

enum {
    COOKIE_LIMIT = 16,       /* places of debug offsets in one file that are tried */
    DEFAULT_UNICODE_LEN = 4, /* of Linux distributions' 2.7 */
};

static struct error *unsupported(const struct python_version *version)
{
    char text[PYTHON_VERSION_TEXT_LEN];
    python_version_format(version, text);
    return error_create(ERROR_UNSUPPORTED_VERSION, "Python %s is not supported (%s are)", text, layout_versions());
}

static struct error *without_debug_offsets(const struct python_version *version)
{
    char text[PYTHON_VERSION_TEXT_LEN];
    python_version_format(version, text);
    return error_create(ERROR_UNSUPPORTED_VERSION,
                        "Python %s cannot be read: its debug offsets are not there, or were overwritten", text);
}

enum { FIRST_MINOR_WITH_DEBUG_OFFSETS = 13, NEWEST_MINOR = 15 };

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
    bool needs_debug_offsets = is_early || (version->major == 3 && version->minor >= FIRST_MINOR_WITH_DEBUG_OFFSETS);
    if (!known || runtime->address == 0)
        return unsupported(version);
    if (needs_debug_offsets && !has_debug_offsets)
        return is_early ? unsupported(version) : without_debug_offsets(version);
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

/* Takes a runtime out of a variable, so that its guard finds nothing. */
static struct python_runtime move(struct python_runtime *runtime)
{
    struct python_runtime moved = *runtime;
    *runtime = (struct python_runtime){0};
    return moved;
}

/* From 3.7 on. The section, from 3.10 on, survives strip; CPython 3.10 Python/pylifecycle.c. */
static remote_addr find_runtime(const struct loaded_image *image)
{
    struct image_range section;
    if (image_find_section(image->image, ".PyRuntime", &section))
        return section.address + image->bias;
    return loaded_image_find(image, "_PyRuntime");
}

/* To 3.6 there is a variable of its own, which is local to CPython's Python/pystate.c; a function returns it. */
static remote_addr find_interpreters(const struct loaded_image *image, struct memory *memory)
{
    remote_addr variable = loaded_image_find(image, "interp_head");
    return variable ? variable : accessor_find(image, "PyInterpreterState_Head", memory);
}

static uint8_t find_unicode_len(const struct loaded_image *image)
{
    /* CPython 2.7 Include/unicodeobject.h gives every function a name that tells. */
    static const char prefix[] = "PyUnicodeUCS2_";
    return image_has_symbol_prefix(image->image, prefix) ||
                   (image->debug && image_has_symbol_prefix(image->debug, prefix))
               ? 2
               : DEFAULT_UNICODE_LEN;
}

static void find_places(const struct loaded_image *image, struct memory *memory, struct python_runtime *runtime)
{
    runtime->code_type = loaded_image_find(image, "PyCode_Type");
    runtime->address = find_runtime(image);
    if (runtime->address)
        return;
    runtime->address = find_interpreters(image, memory);
    runtime->current_thread = loaded_image_find(image, "_PyThreadState_Current");
}

/* Every CPython exports this function; nothing else does. */
static bool is_python(const struct loaded_image *image)
{
    return loaded_image_find(image, "Py_GetVersion") != 0;
}

static struct error *not_python(void)
{
    return error_create(ERROR_NOT_PYTHON, "no Python interpreter was found");
}

struct error *python_runtime_find(const struct loaded_image *image, struct memory *memory, struct python_runtime *ret)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    find_places(image, memory, &runtime);
    if (runtime.address == 0 && !is_python(image))
        return not_python();
    if (!version_find(image, memory, runtime.address, &runtime.version))
        return error_create(ERROR_NOT_READY, "cannot find out which version of Python '%s' is", image->path);
    if (runtime.version.major == 2)
        runtime.unicode_len = find_unicode_len(image);
    if (runtime.address == 0 &&
        layout_of_version(runtime.version.major, runtime.version.minor, runtime.version.is_free_threaded))
        return not_python();
    struct error *error = python_runtime_set_layout(&runtime, memory);
    if (error)
        return error;
    *ret = move(&runtime);
    return NULL;
}

bool python_is_in_data(const struct python_data *data, struct memory *memory)
{
    struct python_version version;
    remote_addr address = 0;
    return version_find_in_data(data, memory, &version) || scan_for_debug_offsets(data, memory, &address);
}

/* Debug offsets are those of a runtime when they lead to an interpreter; modules of CPython have copies of them. */
static bool is_runtime(const struct python_runtime *runtime, struct memory *memory)
{
    const struct layout *layout = runtime->layout;
    remote_addr interpreter;
    return layout &&
           memory_read_u64(memory, runtime->address + layout->runtime.interpreters_head, &interpreter) == MEMORY_OK &&
           scan_is_interpreter(layout, memory, interpreter);
}

static struct error *scan_by_debug_offsets(const struct python_data *data, struct memory *memory,
                                           struct python_runtime *ret)
{
    struct error *error = not_python();
    remote_addr address = 0;
    for (int i = 0; i < COOKIE_LIMIT && error && scan_for_debug_offsets(data, memory, &address); i++, address++) {
        cleanup_python_runtime struct python_runtime runtime = {
            .address = address,
            .version = version_of_debug_offsets(memory, address),
        };
        error_destroy(error);
        error = python_runtime_set_layout(&runtime, memory);
        if (!error && !is_runtime(&runtime, memory))
            error = not_python();
        if (!error)
            *ret = move(&runtime);
    }
    return error;
}

struct error *python_runtime_scan(const struct python_data *data, const struct maps *maps, struct memory *memory,
                                  struct python_runtime *ret)
{
    struct error *error = scan_by_debug_offsets(data, memory, ret);
    if (!error || error->kind != ERROR_NOT_PYTHON)
        return error;
    cleanup_python_runtime struct python_runtime runtime = {0};
    if (!version_find_in_data(data, memory, &runtime.version))
        return error;
    error_destroy(error);
    const struct layout *layout =
        layout_of_version(runtime.version.major, runtime.version.minor, runtime.version.is_free_threaded);
    if (!layout)
        return unsupported(&runtime.version);
    runtime.address = scan_for_runtime(data, maps, layout, memory);
    if (runtime.address == 0)
        return not_python();
    if (runtime.version.major == 2)
        runtime.unicode_len = DEFAULT_UNICODE_LEN;
    if (layout->gil_format == GIL_CURRENT_THREAD)
        runtime.current_thread = scan_for_current_thread(layout, memory, runtime.address);
    error = python_runtime_set_layout(&runtime, memory);
    if (error)
        return error;
    *ret = move(&runtime);
    return NULL;
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
