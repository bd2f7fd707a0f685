/* SPDX-License-Identifier: MIT */
#include "target/process_images.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "image/debug_file.h"
#include "pid_namespace.h"
#include "target/process.h"

#include <stdio.h>
#include <string.h>

enum { JIT_NAMES_PATH_LEN = 32 };

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
    const struct mapping *code = maps_find_code(maps, mapping);
    cleanup_fd int fd = -1;
    struct error *error = open_file(process, code, &fd);
    return error ? error : loaded_image_open(fd, code->path, code->start, code->offset, code->executable, ret);
}

/* As the target sees it, and then as we do: the host may have what a container has not. */
static int open_debug_path(void *context, const char *path, int place)
{
    return place == 0 ? process_open_path(context, path) : process_open_own_path(path);
}

bool process_open_debug_image(const struct process *process, struct loaded_image *loaded)
{
    return debug_file_find(loaded, open_debug_path, (void *)process);
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
        if (mapping_is_same_file(files->mappings[i], mapping))
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

struct error *program_files_init(struct program_files *files, const struct mapping *executable, const struct maps *maps)
{
    *files = (struct program_files){0};
    struct error *error = executable ? list_file(files, maps_find_code(maps, executable)) : NULL;
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

int process_open_jit_names(const struct process *process)
{
    char path[JIT_NAMES_PATH_LEN];
    struct pid_numbers numbers;
    if (!pid_numbers_read(process->directory, "status", process->pid, &numbers) || numbers.count == 0)
        return -1;
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", numbers.numbers[numbers.count - 1]);
    return process_open_path(process, path);
}
