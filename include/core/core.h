/* SPDX-License-Identifier: MIT */
/*
 * A core file: what the kernel, or gdb's gcore, wrote of a process, as memory, threads and registers.
 *
 * A core file does not hold everything. What a process never changed of the files that it had mapped is left out, as a
 * rule all but their first pages. Here it is read from the files themselves, if those are the same builds; what cannot
 * be had is counted, and core_report() says it. No path is opened here: whoever opens a core says how.
 *
 *     core_open(fd, &files, &core);
 *     memory_read(core_memory(core), ...);
 *     core_report(core, say, context);        at the end
 *
 * Nothing that the file says is trusted. One that is cut off works for what is there.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/error.h"
#include "memory/maps.h"
#include "memory/memory.h"
#include "memory/registers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loaded_image;

#define CORE_UNPACKED_LIMIT (UINT64_C(256) << 30)

/* How files are opened. */
struct core_files {
    void *context;
    /* Opens one of our own regular files for reading; -1: there is none. */
    int (*open)(void *context, const char *path);
    /* Opens an empty file that goes away when it is closed, for what a compressed core holds; -1 with errno. */
    int (*open_scratch)(void *context);
    uint64_t unpacked_limit; /* bytes that a compressed core may unpack to; 0: CORE_UNPACKED_LIMIT */
    const char *executable;  /* where the program's executable is, if not where the core says; NULL: there */
};

struct core_thread {
    pid_t tid;               /* as the process itself knew it */
    int signal;              /* that ended the process, if this thread got it; else 0 */
    uint64_t thread_pointer; /* on x86-64 the thread's pthread_t; 0: not known */
    bool has_registers;
    struct registers registers;
};

/* What is known of the process, and of the file. */
struct core_process {
    pid_t pid;
    char *command_line; /* with a space between the words; "" when it is not known */
    char *executable;   /* its path; "" when it is not known */
    int64_t written_ns; /* when the core file was changed last, since 1970 */
    uid_t user;         /* whose the core file is */
    gid_t group;
};

struct core;

/*
 * Opens a core file of this kind of machine; the caller keeps the descriptor. A compressed one (gzip) is unpacked.
 * files must outlive the core. ERROR_BAD_DATA when it is no core file.
 */
struct error *core_open(int fd, const struct core_files *files, struct core **ret);

/* Accepts NULL. */
void core_destroy(struct core *core);

struct memory *core_memory(struct core *core);
const struct maps *core_maps(const struct core *core);
const struct core_process *core_process(const struct core *core);

/* The one that got the signal is first. */
const struct core_thread *core_threads(const struct core *core, uint32_t *ret_count);

/* A mapping of the program's executable; NULL when it is not known. */
const struct mapping *core_executable(const struct core *core);

/*
 * Opens the file of a mapping, if it is the build that the process had, and works out its load bias. ERROR_NOT_FOUND
 * when there is no such file, ERROR_BAD_DATA when it is another one, or cannot be shown to be the same.
 */
struct error *core_open_image(struct core *core, const struct mapping *mapping, struct loaded_image *ret);

/* Opens the separate file with an image's symbols as loaded->debug, if there is one that belongs to it. */
bool core_open_debug_image(const struct core *core, struct loaded_image *loaded);

/* Opens a file of our own that is no part of the core, such as one with source code; -1: there is none. */
int core_open_path(const struct core *core, const char *path);

/* Says, a sentence each, what could not be had so far. */
void core_report(const struct core *core, void (*say)(void *context, const char *sentence), void *context);

static inline void cleanup_core_destroy(struct core **core)
{
    core_destroy(*core);
}

#define cleanup_core __attribute__((cleanup(cleanup_core_destroy)))

#endif
