/* SPDX-License-Identifier: MIT */
/*
 * A live process: its identity, its files and what /proc says about it. Reading its memory is target/process_memory.h.
 *
 * The identity is the open folder /proc/PID (and a pidfd where the kernel has them): once the process has ended,
 * no file of a later process with the same number is ever opened through it. Nothing here stops, signals or changes the
 * process.
 *
 * A process lives as long as any of its threads. When the main one has ended before others, what the process's threads
 * share (memory, files, executable) is looked at through another thread's folder.
 */
#ifndef TARGET_PROCESS_H
#define TARGET_PROCESS_H

#include "base/error.h"
#include "memory/maps.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct buffer;

struct process {
    const char *proc;    /* where procfs is mounted */
    pid_t pid;           /* as procfs numbers it: what ps(1) shows */
    uint64_t start_time; /* clock ticks after boot; with pid, the identity that a person can compare */
    int directory;       /* /proc/PID */
    int pidfd;           /* readable when the process has ended; -1 on kernels before 5.3 */
    int root;            /* the root folder that the process sees, usable after its end; -1 when it may not be read */
    uint32_t
        own_place; /* of our own pid namespace in the kernel's lists of its numbers; 0: system calls cannot name it */
    bool has_cpu_clock; /* see process_read_cpu_time() */
    clockid_t cpu_clock;
    bool has_inner_ids; /* it runs in an inner pid namespace, so gettid() tells its threads other numbers than procfs */
};

/* What decides whether an exec replaced the program since it was looked at last. */
struct process_program {
    uint64_t device, inode; /* of the executable */
    remote_addr code_start; /* 0 when we may not know it */
    /*
     * Where the main thread's stack pointer was at the very start: the program's arguments and environment lie further
     * out. 0 or 1 when we may not know it.
     */
    remote_addr stack_start;
};

/*
 * Opens a process. proc is where procfs is mounted, for tests; NULL means /proc. It must outlive the process. A
 * thread's number is taken as its process's. ERROR_TARGET_GONE when there is no such process.
 */
struct error *process_open(const char *proc, pid_t pid, struct process **ret);

/*
 * The number that procfs has for a child of ours: another one than fork() says where procfs is that of an outer pid
 * namespace.
 */
pid_t process_number_of_child(const char *proc, pid_t child);

/* Accepts NULL. */
void process_destroy(struct process *process);

/* Whether a thread of the process still lives; a zombie that only waits to be collected does not. */
bool process_is_running(const struct process *process);

/*
 * The CPU time that all threads of the process have had, those that have ended too, in nanoseconds; of a thread that is
 * running, up to the last time that the kernel looked. One system call, some 20 ns a thread. False when it is not
 * known.
 */
bool process_read_cpu_time(const struct process *process, uint64_t *ret_ns);

/* Reads a whole file of /proc/PID ("maps", "cmdline", "task/7/comm") into a buffer, replacing what it held. */
struct error *process_read_file(const struct process *process, const char *name, struct buffer *buffer);

struct error *process_read_maps(const struct process *process, struct maps *ret);

/* What now runs in the process. */
struct error *process_read_program(const struct process *process, struct process_program *ret);
bool process_program_equals(const struct process_program *a, const struct process_program *b);

/* The path of the executable as the target sees it, deleted or not, as a malloc'ed string. */
struct error *process_executable_path(const struct process *process, char **ret);

/*
 * Opens the file behind a mapping for reading, also when it lies in another mount namespace or under another root. One
 * that was deleted can be had with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, and the executable without them.
 */
struct error *process_open_mapping(const struct process *process, const struct mapping *mapping, int *ret_fd);

/* Opens the executable for reading, also when it was deleted and the kernel shows us no mapped files. */
struct error *process_open_executable(const struct process *process, int *ret_fd);

/* Open a regular file for reading by its path as the target sees it, or as we do ourselves; -1 when there is none. */
int process_open_path(const struct process *process, const char *path);
int process_open_own_path(const char *path);

/* Whether one more file may be kept open; if not, the last descriptors are for what has to be opened again and again.
 */
bool process_may_keep_file(void);

/* Fails when so many more files may not be opened (at most 16), with what helps: then nobody could be watched. */
struct error *process_check_spare_files(int count);

/* Whether a path exists as the target sees it, or as we do (NULL). False when the target's root may not be read. */
bool process_has_file(const struct process *process, const char *path);

/* The command line with a space between the words; control characters are kept. "" for a kernel thread. */
struct error *process_command_line(const struct process *process, struct buffer *buffer);

/* The numbers of the process's threads, as a malloc'ed array. */
struct error *process_thread_ids(const struct process *process, pid_t **ret_ids, uint32_t *ret_count);

static inline void cleanup_process_destroy(struct process **process)
{
    process_destroy(*process);
}

#define cleanup_process __attribute__((cleanup(cleanup_process_destroy)))

#endif
