/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors the calls that wait for several of them are about. What cannot be read is left out.
 */
#ifndef TARGET_WATCHED_FILES_H
#define TARGET_WATCHED_FILES_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct task;
struct waiting;

/*
 * Each notes the files; the first two also whether all of them are to be read, or all to be written, and return false
 * when the memory cannot be read.
 */
bool watched_files_of_poll(struct memory *memory, remote_addr array, uint64_t count, struct waiting *waiting);
bool watched_files_of_select(struct memory *memory, uint64_t count, const uint64_t sets[3], struct waiting *waiting);
void watched_files_of_epoll(const struct task *task, int32_t epoll, struct waiting *waiting);

#endif
