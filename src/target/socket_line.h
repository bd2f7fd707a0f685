/* SPDX-License-Identifier: MIT */
/*
 * Parsers for the lines of the kernel's tables of sockets: /proc/PID/net/tcp and the like.
 */
#ifndef TARGET_SOCKET_LINE_H
#define TARGET_SOCKET_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum socket_kind { SOCKET_TCP, SOCKET_TCP6, SOCKET_UDP, SOCKET_UDP6, SOCKET_UNIX };

/* The number of the socket that a line (with a NUL behind it) is about; false for other lines, such as the first. */
bool socket_line_inode(enum socket_kind kind, const char *line, uint64_t *ret);

/* Appends what such a line says; nothing when it cannot be understood. */
void socket_line_describe(enum socket_kind kind, const char *line, struct buffer *buffer);

#endif
