/* SPDX-License-Identifier: MIT */
/*
 * Opening the ELF files that a live process runs, and the separate files with their symbols.
 */
#ifndef TARGET_PROCESS_IMAGES_H
#define TARGET_PROCESS_IMAGES_H

#include "base/error.h"
#include "image/loaded_image.h"
#include "memory/maps.h"

#include <stdint.h>

struct process;

enum { PROGRAM_FILE_LIMIT = 1024 }; /* files with code in them in one process that are looked at; chromium has 150 */

/* The files with code in them that a process has mapped, each once, by one mapping. */
struct program_files {
    const struct mapping **mappings; /* they belong to the maps */
    uint32_t count, capacity;
    uint32_t likely_count; /* the first so many are the executable and what is named after Python */
};

/*
 * Lists the files, and opens none. executable: one of its mappings, or NULL where it is not known. The maps must
 * outlive the list.
 */
struct error *program_files_init(struct program_files *files, const struct mapping *executable,
                                 const struct maps *maps);

/* Accepts a zeroed struct. */
void program_files_deinit(struct program_files *files);

/* Opens the file of a mapping and works out its load bias from where its code is. */
struct error *process_open_image(const struct process *process, const struct maps *maps, const struct mapping *mapping,
                                 struct loaded_image *ret);

/*
 * Opens the separate file with an image's symbols as loaded->debug: by build id, in the target's file system and then
 * in ours, or by the image's debug link. What does not prove to belong to the image is not taken. Returns whether there
 * is one.
 */
bool process_open_debug_image(const struct process *process, struct loaded_image *loaded);

/*
 * Opens the file in which a just-in-time compiler in the process names its code for perf, /tmp/perf-PID.map with the
 * number that the process knows itself by (Linux tools/perf/Documentation/jit-interface.txt); -1: there is none.
 */
int process_open_jit_names(const struct process *process);

/* The first mapping of the process's executable, or NULL. */
const struct mapping *process_executable_mapping(const struct process *process, const struct maps *maps);

/* The first mapping of the first file whose name (without folders) begins with the prefix, or NULL. */
const struct mapping *process_library_mapping(const struct maps *maps, const char *prefix);

#define cleanup_program_files __attribute__((cleanup(program_files_deinit)))

#endif
