/* SPDX-License-Identifier: MIT */
#include "functions.h"

#include "alike.h"
#include "base/cleanup.h"
#include "module_name.h"
#include "profile/origin.h"
#include "profile/profile.h"

#include <string.h>

static bool function_equals(const void *context, uint32_t index, const void *key)
{
    const struct functions *functions = context;
    const struct profile_frame *frame = profile_frame(functions->profile, functions->functions[index].frame);
    const struct profile_frame *wanted = key;
    return frame->name == wanted->name && frame->file == wanted->file && frame->first_line == wanted->first_line &&
           frame->kind == wanted->kind && frame->member == wanted->member;
}

static bool ends_in(const char *text, size_t len, const char *end)
{
    size_t end_len = strlen(end);
    return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/* CPython: Lib/runpy.py for `python -m`, and Lib/threading.py, class Thread. */
static bool is_starter(const char *name, const char *file, size_t file_len)
{
    static const char *const of_thread[] = {"_bootstrap", "_bootstrap_inner", "run", "__bootstrap",
                                            "__bootstrap_inner"};
    if (strcmp(file, "<frozen runpy>") == 0 || ends_in(file, file_len, "/runpy.py"))
        return true;
    if (!ends_in(file, file_len, "/threading.py"))
        return false;
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < array_size(of_thread); i++) {
        if (strcmp(dot ? dot + 1 : name, of_thread[i]) == 0)
            return true;
    }
    return false;
}

/*
 * The C functions that call a program's or a thread's first Python code. CPython: Programs/python.c, Modules/main.c,
 * Python/pythonrun.c, and for threads Python/thread_pthread.h and Modules/_threadmodule.c; glibc: csu/libc-start.c and
 * nptl/pthread_create.c.
 */
static bool is_native_starter(const char *name)
{
    static const char *const of_start[] = {"_start",
                                           "main",
                                           "Py_BytesMain",
                                           "Py_RunMain",
                                           "Py_Main",
                                           "PyEval_EvalCode",
                                           "run_mod",
                                           "run_eval_code_obj",
                                           "clone",
                                           "clone3",
                                           "__clone",
                                           "__clone3",
                                           "start_thread",
                                           "t_bootstrap",
                                           "thread_run",
                                           "pythread_wrapper",
                                           "__libc_start_main",
                                           "__libc_start_call_main"};
    static const char *const beginnings[] = {"pymain_", "PyRun_", "_PyRun_", "pyrun_", "__libc_start_main"};
    for (size_t i = 0; i < array_size(of_start); i++) {
        if (strcmp(name, of_start[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < array_size(beginnings); i++) {
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}

/* Code without a file that somebody typed, or handed over; all other code without one was made by a library. */
static bool is_typed(const char *file)
{
    static const char *const typed[] = {"<string>",       "<stdin>",  "<console>",
                                        "<ipython-input", "<doctest", "<python-input"};
    for (size_t i = 0; i < array_size(typed); i++) {
        if (strncmp(file, typed[i], strlen(typed[i])) == 0)
            return true;
    }
    return false;
}

static enum function_class classify_native(const struct profile *profile, uint32_t frame)
{
    size_t len;
    const char *name = profile_string(profile, profile_frame(profile, frame)->name, &len);
    switch (profile_frame_origin(profile, frame)) {
    case ORIGIN_OWN:
        return FUNCTION_OWN;
    case ORIGIN_IMPORT:
        return FUNCTION_IMPORTER;
    case ORIGIN_NONE:
    case ORIGIN_STDLIB:
        return is_native_starter(name) ? FUNCTION_STARTER : FUNCTION_LIBRARY;
    case ORIGIN_PACKAGE:
        break;
    }
    return FUNCTION_LIBRARY;
}

static enum function_class classify_python(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    size_t len, file_len;
    const char *name = profile_string(profile, seen->name, &len);
    const char *file = profile_string(profile, seen->file, &file_len);
    switch (profile_frame_origin(profile, frame)) {
    case ORIGIN_IMPORT:
        return FUNCTION_IMPORTER;
    case ORIGIN_STDLIB:
        return is_starter(name, file, file_len) ? FUNCTION_STARTER : FUNCTION_LIBRARY;
    case ORIGIN_PACKAGE:
        return FUNCTION_LIBRARY;
    case ORIGIN_NONE:
    case ORIGIN_OWN:
        break;
    }
    return *file == '<' && !is_typed(file) ? FUNCTION_LIBRARY : FUNCTION_OWN;
}

static enum function_class classify(const struct profile *profile, uint32_t frame)
{
    switch (profile_frame(profile, frame)->kind) {
    case FRAME_PYTHON:
        return classify_python(profile, frame);
    case FRAME_NATIVE:
        return classify_native(profile, frame);
    case FRAME_KERNEL:
    case FRAME_MARK:
        return FUNCTION_MARK;
    case FRAME_THREAD:
    case FRAME_PROCESS:
    case FRAME_KINDS:
        break;
    }
    return FUNCTION_GROUP;
}

struct name_key {
    const char *text;
    size_t len;
};

static bool package_equals(const void *context, uint32_t index, const void *key)
{
    const struct functions *functions = context;
    const struct function_package *package = &functions->packages[index];
    const struct name_key *wanted = key;
    return package->len == wanted->len &&
           memcmp(buffer_text(&functions->text) + package->name, wanted->text, wanted->len) == 0;
}

/* The package of a name that stands in the text already. */
static uint32_t find_package(struct functions *functions, size_t name, size_t len, bool is_own)
{
    const struct name_key key = {buffer_text(&functions->text) + name, len};
    uint64_t hash = hash_bytes(key.text, len);
    uint32_t found = table_find(&functions->package_table, hash, package_equals, functions, &key);
    if (found != TABLE_NONE)
        return found;
    if (!array_grow(&functions->packages, functions->package_count, &functions->package_capacity,
                    sizeof(*functions->packages)) ||
        !table_insert(&functions->package_table, hash, functions->package_count))
        return PROFILE_NONE;
    functions->packages[functions->package_count] = (struct function_package){name, len, is_own};
    return functions->package_count++;
}

/* Whether a frame is a module's own code: not that of a text that was run, which has the same name. */
static bool is_module(const struct profile *profile, const struct profile_frame *frame)
{
    static const char frozen[] = "<frozen ";
    size_t len;
    const char *file = profile_string(profile, frame->file, &len);
    return frame->kind == FRAME_PYTHON && (*file != '<' || strncmp(file, frozen, strlen(frozen)) == 0) &&
           strcmp(profile_string(profile, frame->name, &len), "<module>") == 0;
}

/* Finds the module and the package when the function is a module's own code. Returns false without memory. */
static bool name_module(struct functions *functions, struct function *function)
{
    const struct profile_frame *frame = profile_frame(functions->profile, function->frame);
    function->package = PROFILE_NONE;
    if (!is_module(functions->profile, frame))
        return true;
    function->module_name = functions->text.len;
    module_name_append(&functions->text, functions->profile, frame->file);
    function->module_len = functions->text.len - function->module_name;
    if (functions->text.failed)
        return false;
    size_t top = module_name_top(functions->text.data + function->module_name, function->module_len);
    function->package = find_package(functions, function->module_name, top, function->class == FUNCTION_OWN);
    return function->package != PROFILE_NONE;
}

static uint32_t find_function(struct functions *functions, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(functions->profile, frame);
    uint64_t where = (uint64_t)seen->file << 32 | (uint32_t)seen->first_line;
    uint64_t hash = hash_pair(hash_pair((uint64_t)seen->name << 32 | seen->kind, where), seen->member);
    uint32_t found = table_find(&functions->table, hash, function_equals, functions, seen);
    if (found != TABLE_NONE)
        return found;
    struct function function = {.frame = frame, .class = classify(functions->profile, frame)};
    if (!name_module(functions, &function) ||
        !array_grow(&functions->functions, functions->count, &functions->capacity, sizeof(function)) ||
        !table_insert(&functions->table, hash, functions->count))
        return PROFILE_NONE;
    functions->functions[functions->count] = function;
    return functions->count++;
}

struct error *functions_init(struct functions *functions, const struct profile *profile, const struct alike *alike)
{
    *functions = (struct functions){.profile = profile};
    uint32_t count = profile_frame_count(profile);
    functions->of_frame = malloc(count * sizeof(*functions->of_frame));
    if (!functions->of_frame)
        return error_no_memory();
    for (uint32_t i = 0; i < count; i++) {
        functions->of_frame[i] = find_function(functions, alike ? alike->first[i] : i);
        if (functions->of_frame[i] == PROFILE_NONE)
            return error_no_memory();
    }
    return NULL;
}

void functions_deinit(struct functions *functions)
{
    free(functions->of_frame);
    free(functions->functions);
    free(functions->packages);
    table_deinit(&functions->table);
    table_deinit(&functions->package_table);
    buffer_deinit(&functions->text);
    *functions = (struct functions){0};
}

static int compare_strings(const struct profile *profile, uint32_t a, uint32_t b)
{
    size_t len_a, len_b;
    const char *text_a = profile_string(profile, a, &len_a);
    const char *text_b = profile_string(profile, b, &len_b);
    int order = memcmp(text_a, text_b, len_a < len_b ? len_a : len_b);
    return order != 0 ? order : (len_a > len_b) - (len_a < len_b);
}

int functions_compare(const struct functions *functions, uint32_t a, uint32_t b)
{
    const struct profile_frame *frame_a = profile_frame(functions->profile, functions->functions[a].frame);
    const struct profile_frame *frame_b = profile_frame(functions->profile, functions->functions[b].frame);
    int order = compare_strings(functions->profile, frame_a->name, frame_b->name);
    if (order == 0)
        order = compare_strings(functions->profile, frame_a->file, frame_b->file);
    if (order == 0)
        order = (frame_a->first_line > frame_b->first_line) - (frame_a->first_line < frame_b->first_line);
    if (order == 0)
        order = (int)frame_a->kind - (int)frame_b->kind;
    return order;
}

bool functions_is_part(const struct functions *functions, uint32_t outer, uint32_t inner)
{
    static const char *const parts[] = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"};
    static const char locals[] = ".<locals>.";
    const struct profile_frame *frame = profile_frame(functions->profile, functions->functions[inner].frame);
    const struct profile_frame *around = profile_frame(functions->profile, functions->functions[outer].frame);
    if (frame->file != around->file || frame->kind != FRAME_PYTHON)
        return false;
    size_t len, around_len;
    const char *name = profile_string(functions->profile, frame->name, &len);
    const char *around_name = profile_string(functions->profile, around->name, &around_len);
    /* From 3.11 on names are qualified: "outer.<locals>.<listcomp>". */
    if (len > around_len && memcmp(name, around_name, around_len) == 0 &&
        strncmp(name + around_len, locals, strlen(locals)) == 0)
        name += around_len + strlen(locals);
    for (size_t i = 0; i < array_size(parts); i++) {
        if (strcmp(name, parts[i]) == 0)
            return true;
    }
    return false;
}
