/* SPDX-License-Identifier: MIT */
#include "interpreter.h"

#include "base/cleanup.h"
#include "native/modules.h"
#include "python/runtime.h"
#include "target/process_images.h"

enum {
    DATA_LIMIT = 256 * 1024 * 1024
}; /* bytes of data of all files in which a Python without symbols is looked for */

/* A search in one target. */
struct search {
    const struct module_opener *opener;
    const struct maps *maps;
    struct memory *memory;
    struct program_files files;
    uint64_t data_left;
    struct error *failure; /* the most telling one so far */
    struct python_runtime *found;
};

/* How much an error tells: that a Python is there is more than that a file could not be opened, or has none. */
static int weight(const struct error *error)
{
    if (!error)
        return 0;
    switch (error->kind) {
    case ERROR_NOT_PYTHON:
        return 1;
    case ERROR_NOT_FOUND:
    case ERROR_BAD_DATA:
    case ERROR_PERMISSION:
    case ERROR_BUSY:
    case ERROR_OS:
        return 2;
    case ERROR_NOT_READY:
        return 3;
    case ERROR_NO_MEMORY:
    case ERROR_USAGE:
    case ERROR_TARGET_GONE:
    case ERROR_UNSUPPORTED_VERSION:
        break;
    }
    return 4;
}

/* Takes the outcome of one attempt. True: the interpreter is found. */
static bool is_over(struct search *search, struct error *error)
{
    if (!error)
        return true;
    bool tells_more = weight(error) > weight(search->failure);
    error_destroy(tells_more ? search->failure : error);
    if (tells_more)
        search->failure = error;
    return false;
}

/* Looks for the symbols of an interpreter that is up. */
static struct error *find_by_symbols(struct search *search, const struct loaded_image *image)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    struct error *error = python_runtime_find(image, search->memory, &runtime);
    if (error)
        return error;
    if (!python_runtime_is_ready(&runtime, search->memory))
        return error_create(ERROR_NOT_READY, "the Python interpreter is not up yet");
    *search->found = runtime;
    runtime = (struct python_runtime){0};
    return NULL;
}

static struct error *open_image(const struct search *search, const struct mapping *mapping, struct loaded_image *ret)
{
    return search->opener->open(search->opener->context, search->maps, mapping, ret);
}

static bool look_at_symbols_of(struct search *search, uint32_t index)
{
    cleanup_loaded_image struct loaded_image image = {0};
    struct error *error = open_image(search, search->files.mappings[index], &image);
    if (!error)
        return is_over(search, find_by_symbols(search, &image));
    /* That the interpreter cannot be opened is worth a message; that some library cannot be is not. */
    if (index < search->files.likely_count)
        return is_over(search, error);
    error_destroy(error);
    return false;
}

/* Looks into the files one after the other, as their tables of symbols may be large. */
static bool look_at_symbols(struct search *search)
{
    for (uint32_t i = 0; i < search->files.count; i++) {
        if (look_at_symbols_of(search, i))
            return true;
    }
    return false;
}

static bool may_look_at(struct search *search, const struct python_data *data)
{
    for (uint32_t i = 0; i < data->count; i++) {
        uint64_t len = data->ranges[i].len;
        len = len < PYTHON_DATA_LIMIT ? len : PYTHON_DATA_LIMIT;
        if (len > search->data_left)
            return false;
        search->data_left -= len;
    }
    return true;
}

/* Looks for an interpreter in a file that has no symbols, or cannot be opened. */
static bool look_at_data_of(struct search *search, const struct mapping *mapping)
{
    cleanup_loaded_image struct loaded_image image = {0};
    struct python_data data;
    cleanup_error struct error *closed = open_image(search, mapping, &image);
    if (closed)
        python_data_of_mapping(search->maps, mapping, &data);
    else
        python_data_of_image(&image, &data);
    if (!may_look_at(search, &data) || !python_is_in_data(&data, search->memory))
        return false;
    bool has_symbols = !closed && search->opener->open_debug(search->opener->context, &image);
    if (has_symbols && is_over(search, find_by_symbols(search, &image)))
        return true;
    return is_over(search, python_runtime_scan(&data, search->maps, search->memory, search->found));
}

static bool look_at_data(struct search *search)
{
    for (uint32_t i = 0; i < search->files.count; i++) {
        if (look_at_data_of(search, search->files.mappings[i]))
            return true;
    }
    return false;
}

/* What is already known to be a Python that we cannot read, or not yet, is not looked for any further. */
static bool may_hide_without_symbols(const struct search *search)
{
    return weight(search->failure) < 3;
}

struct error *interpreter_find(const struct module_opener *opener, const struct mapping *executable,
                               const struct maps *maps, struct memory *memory, struct python_runtime *ret)
{
    struct search search = {.opener = opener, .maps = maps, .memory = memory, .data_left = DATA_LIMIT, .found = ret};
    struct error *error = program_files_init(&search.files, executable, maps);
    if (error)
        return error;
    bool is_found = look_at_symbols(&search) || (may_hide_without_symbols(&search) && look_at_data(&search));
    program_files_deinit(&search.files);
    if (is_found) {
        error_destroy(search.failure);
        return NULL;
    }
    return search.failure ? search.failure : error_create(ERROR_NOT_PYTHON, "it runs no program with code in a file");
}
