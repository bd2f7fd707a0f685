/* SPDX-License-Identifier: MIT */
#include "target/process_images.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "target/process.h"

#include <string.h>

static bool is_same_file(const struct mapping *a, const struct mapping *b)
{
    return a->inode == b->inode && a->inode != 0 && strcmp(a->path, b->path) == 0;
}

/*
 * The mapping that tells where a file was loaded: its code. Data does not tell, as a file may also have been mapped to
 * be read.
 */
static const struct mapping *loaded_mapping_of(const struct maps *maps, const struct mapping *mapping)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].executable && is_same_file(&maps->mappings[i], mapping))
            return &maps->mappings[i];
    }
    return mapping;
}

static bool is_executable_of(const struct process *process, const struct mapping *mapping)
{
    cleanup_free char *path = NULL;
    cleanup_error struct error *error = process_executable_path(process, &path);
    return !error && strcmp(path, mapping->path) == 0;
}

/* The executable can also be opened when it was deleted and the kernel refuses map_files, as it does without root. */
static struct error *open_file(const struct process *process, const struct mapping *mapping, int *ret_fd)
{
    struct error *error = process_open_mapping(process, mapping, ret_fd);
    if (!error || !is_executable_of(process, mapping))
        return error;
    cleanup_error struct error *second_error = process_open_executable(process, ret_fd);
    if (second_error)
        return error;
    error_destroy(error);
    return NULL;
}

struct error *process_open_image(const struct process *process, const struct maps *maps, const struct mapping *mapping,
                                 struct loaded_image *ret)
{
    const struct mapping *code = loaded_mapping_of(maps, mapping);
    cleanup_fd int fd = -1;
    struct error *error = open_file(process, code, &fd);
    if (error)
        return error;
    struct loaded_image loaded = {.path = strdup(code->path)};
    error = loaded.path ? image_open(fd, &loaded.image) : error_no_memory();
    if (error)
        error = error_wrap(error, "cannot use '%s'", code->path);
    else if (!image_load_bias(loaded.image, code->start, code->offset, code->executable, &loaded.bias))
        error = error_create(ERROR_BAD_DATA, "'%s' is not mapped as its program headers say", code->path);
    if (error) {
        loaded_image_deinit(&loaded);
        return error;
    }
    *ret = loaded;
    return NULL;
}

const struct mapping *process_executable_mapping(const struct process *process, const struct maps *maps)
{
    cleanup_free char *path = NULL;
    cleanup_error struct error *error = process_executable_path(process, &path);
    if (error)
        return NULL;
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].inode != 0 && strcmp(maps->mappings[i].path, path) == 0)
            return &maps->mappings[i];
    }
    return NULL;
}

const struct mapping *process_library_mapping(const struct maps *maps, const char *prefix)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        if (mapping->inode != 0 && strncmp(mapping_name(mapping), prefix, strlen(prefix)) == 0)
            return mapping;
    }
    return NULL;
}

static bool is_listed(const struct program_files *files, const struct mapping *mapping)
{
    for (uint32_t i = 0; i < files->count; i++) {
        if (is_same_file(files->mappings[i], mapping))
            return true;
    }
    return false;
}

static struct error *list_file(struct program_files *files, const struct mapping *mapping)
{
    if (files->count >= PROGRAM_FILE_LIMIT || is_listed(files, mapping))
        return NULL;
    if (!array_grow(&files->mappings, files->count, &files->capacity, sizeof(const struct mapping *)))
        return error_no_memory();
    files->mappings[files->count++] = mapping;
    return NULL;
}

/* Lists the files with code in them whose name begins so. */
static struct error *list_files_named(struct program_files *files, const struct maps *maps, const char *prefix)
{
    struct error *error = NULL;
    for (uint32_t i = 0; i < maps->count && !error; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        if (mapping->executable && mapping->inode != 0 && strncmp(mapping_name(mapping), prefix, strlen(prefix)) == 0)
            error = list_file(files, mapping);
    }
    return error;
}

struct error *program_files_init(struct program_files *files, const struct process *process, const struct maps *maps)
{
    *files = (struct program_files){0};
    const struct mapping *executable = process_executable_mapping(process, maps);
    struct error *error = executable ? list_file(files, loaded_mapping_of(maps, executable)) : NULL;
    if (!error)
        error = list_files_named(files, maps, "libpython");
    /* An interpreter that was started as an argument of ld.so is not the process's executable. */
    if (!error)
        error = list_files_named(files, maps, "python");
    files->likely_count = files->count;
    if (!error)
        error = list_files_named(files, maps, "");
    if (error)
        program_files_deinit(files);
    return error;
}

void program_files_deinit(struct program_files *files)
{
    free(files->mappings);
    *files = (struct program_files){0};
}
