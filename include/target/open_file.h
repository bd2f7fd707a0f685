/* SPDX-License-Identifier: MIT */
/*
 * What the open descriptors of a thread lead to. A process's threads share them, but for those that have made their
 * own copies.
 */
#ifndef TARGET_OPEN_FILE_H
#define TARGET_OPEN_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct task;

/*
 * Replaces the buffer's content by where a descriptor leads to, in the kernel's words: "/var/log/x", "pipe:[1234]",
 * "socket:[1234]", "eventfd". False when it is not open, or we may not know.
 */
bool open_file_read(const struct task *task, int32_t file, struct buffer *buffer);

/* The text of its fdinfo. */
bool open_file_read_info(const struct task *task, int32_t file, struct buffer *buffer);

/* Whether it stands for a process. *ret_number: by which number our procfs knows that; 0: none, as it has ended. */
bool open_file_is_pidfd(const struct task *task, int32_t file, int64_t *ret_number);

/* The number of a socket, of the text that open_file_read() gives for one. */
bool open_file_is_socket(const char *text, uint64_t *ret_inode);

#endif
