/* SPDX-License-Identifier: MIT */
/*
 * The memory of a live process, read with process_vm_readv, or through /proc/PID/mem where that call is refused (a
 * seccomp filter of a container may do so) or cannot name the process (procfs of another pid namespace). The process is
 * not stopped.
 *
 * The call names one thread. When that one ends before others, reading fails with MEMORY_GONE although the process runs
 * on: another memory of the same process then reads through another thread.
 */
#ifndef TARGET_PROCESS_MEMORY_H
#define TARGET_PROCESS_MEMORY_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>

struct process;

/* The process must outlive the memory. Fails with ERROR_PERMISSION when neither way to read is open to us. */
struct error *process_memory_create(const struct process *process, struct memory **ret);

/* Accepts NULL. */
void process_memory_destroy(struct memory *memory);

/* Whether many pieces are read by one system call, not each for itself through /proc/PID/mem. */
bool process_memory_is_direct(const struct memory *memory);

/* Whether process_vm_readv is at our disposal at all, tried on our own memory: a seccomp filter may refuse it. */
bool process_memory_has_call(void);

static inline void cleanup_process_memory_destroy(struct memory **memory)
{
    process_memory_destroy(*memory);
}

#define cleanup_process_memory __attribute__((cleanup(cleanup_process_memory_destroy)))

#endif
