/* SPDX-License-Identifier: MIT */
/*
 * What the sockets of a process are connected to, as the tables of its network namespace say.
 *
 *     struct sockets sockets = {.process = process};
 *     sockets_describe(&sockets, inode, &text);          as often as wanted
 *     sockets_deinit(&sockets);
 */
#ifndef TARGET_SOCKETS_H
#define TARGET_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct process;
struct socket_row;

struct sockets {
    const struct process *process;
    bool is_read; /* the tables are read once, when they are needed first */
    struct socket_row *rows;
    uint32_t count, capacity;
};

void sockets_deinit(struct sockets *sockets);

/*
 * Replaces the buffer's content by what a socket is, "socket 127.0.0.1:80 -> 127.0.0.1:1234", "socket [::]:80,
 * listening", "udp socket 0.0.0.0:53", "unix socket /run/x". False when it is in no table.
 */
bool sockets_describe(struct sockets *sockets, uint64_t inode, struct buffer *buffer);

#define cleanup_sockets __attribute__((cleanup(sockets_deinit)))

#endif
