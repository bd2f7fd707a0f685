/* SPDX-License-Identifier: MIT */
/*
 * Whom a profile is about: its processes, and their threads. Numbered in the order in which they were added.
 */
#ifndef PROFILE_MEMBERS_H
#define PROFILE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct profile;

struct profile_process {
    int64_t pid;             /* 0: not known */
    uint32_t command_line;   /* string */
    uint32_t python_version; /* string, as in "3.12.1"; PROFILE_NONE when it is not known */
};

struct profile_thread {
    uint32_t process;
    int64_t os_id; /* of the kernel, as our side sees it; 0: not known */
    uint64_t id;   /* threading.get_ident(); 0: not known */
    uint32_t name; /* string; PROFILE_NONE: it has none */
    bool is_main;  /* the first thread of the process */
};

/* Return the number of what was added, or PROFILE_NONE without memory. */
uint32_t profile_add_process(struct profile *profile, const struct profile_process *process);
uint32_t profile_add_thread(struct profile *profile, const struct profile_thread *thread);

/* Gives a thread another name. */
void profile_name_thread(struct profile *profile, uint32_t thread, uint32_t name);

const struct profile_process *profile_processes(const struct profile *profile, uint32_t *ret_count);
const struct profile_thread *profile_threads(const struct profile *profile, uint32_t *ret_count);

#endif
