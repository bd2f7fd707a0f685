/* SPDX-License-Identifier: MIT */
/*
 * The Python processes that there are: which may be profiled, and why the others may not.
 *
 * To be quick, it looks for an interpreter once in processes that have the same files with code in them, and takes the
 * rest for the same. So a process may be listed that is only about to become a Python, or not to be one any more.
 */
#ifndef SAMPLER_PROCESS_LISTING_H
#define SAMPLER_PROCESS_LISTING_H

#include "base/error.h"
#include "target/process_list.h"

#include <stdint.h>
#include <sys/types.h>

enum { LISTED_VERSION_LEN = 48 };

struct listed_process {
    pid_t pid;
    struct process_summary summary;
    char version[LISTED_VERSION_LEN]; /* "3.11.2"; "" when it is not known */
    char *command;                    /* its words with spaces between them, control characters and all */
    char *refusal;                    /* why it cannot be profiled, in a few words; NULL: it can be */
};

struct process_listing {
    struct listed_process *processes; /* by number */
    uint32_t count, capacity;
};

/*
 * Lists the processes that run a Python. Of those that may not be read, which are taken for one by their name, the
 * refusal says why.
 */
struct error *process_listing_init(struct process_listing *listing);

void listed_process_deinit(struct listed_process *process);

/* Accepts a zeroed struct. */
void process_listing_deinit(struct process_listing *listing);

#define cleanup_process_listing __attribute__((cleanup(process_listing_deinit)))

#endif
