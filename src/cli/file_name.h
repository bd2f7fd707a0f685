/* SPDX-License-Identifier: MIT */
/*
 * File names with something in them that is only known later: %p, %h, %t and %n.
 */
#ifndef CLI_FILE_NAME_H
#define CLI_FILE_NAME_H

#include <stdint.h>
#include <sys/types.h>

struct buffer;

/* What the patterns stand for, but for %h, this host's name, and %t, the local time (2026-03-01T12-30-00). */
struct file_name_facts {
    pid_t pid;       /* %p */
    uint32_t number; /* %n: of a file among several that follow each other */
};

/* Appends the name that a pattern means. %% is a percent sign; any other one stays as it is. */
void file_name_append(struct buffer *out, const char *pattern, const struct file_name_facts *facts);

/* Appends a local time as in %t. */
void file_name_append_time(struct buffer *out);

#endif
