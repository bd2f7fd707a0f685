/* SPDX-License-Identifier: MIT */
#include "target/sockets.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/table.h"
#include "socket_line.h"
#include "target/process.h"

#include <string.h>

enum {
    SOCKET_LIMIT = 1 << 20, /* of all tables */
    LINE_LIMIT = 512,       /* bytes of a line that are kept: a unix socket's path has 108 */
};

struct socket_row {
    uint64_t inode;
    enum socket_kind kind;
    char *line;
};

static const struct {
    const char *file;
    enum socket_kind kind;
} tables[] = {
    {"net/tcp", SOCKET_TCP},   {"net/tcp6", SOCKET_TCP6}, {"net/udp", SOCKET_UDP},
    {"net/udp6", SOCKET_UDP6}, {"net/unix", SOCKET_UNIX},
};

void sockets_deinit(struct sockets *sockets)
{
    for (uint32_t i = 0; i < sockets->count; i++)
        free(sockets->rows[i].line);
    free(sockets->rows);
    *sockets = (struct sockets){0};
}

static void add_line(struct sockets *sockets, enum socket_kind kind, const char *line, size_t len)
{
    uint64_t inode;
    cleanup_free char *copy = strndup(line, len < LINE_LIMIT ? len : LINE_LIMIT);
    if (!copy || !socket_line_inode(kind, copy, &inode) || sockets->count >= SOCKET_LIMIT ||
        !array_grow(&sockets->rows, sockets->count, &sockets->capacity, sizeof(*sockets->rows)))
        return;
    sockets->rows[sockets->count++] = (struct socket_row){inode, kind, hand_over(&copy)};
}

static void read_table(struct sockets *sockets, const char *file, enum socket_kind kind)
{
    cleanup_buffer struct buffer text = {0};
    cleanup_error struct error *error = process_read_file(sockets->process, file, &text);
    const char *line = error ? NULL : buffer_text(&text), *end;
    for (; line && (end = strchr(line, '\n')); line = end + 1)
        add_line(sockets, kind, line, (size_t)(end - line));
}

static int compare_rows(const void *a, const void *b)
{
    const struct socket_row *first = a, *second = b;
    return (first->inode > second->inode) - (first->inode < second->inode);
}

static void read_tables(struct sockets *sockets)
{
    sockets->is_read = true;
    for (size_t i = 0; i < array_size(tables); i++)
        read_table(sockets, tables[i].file, tables[i].kind);
    if (sockets->count > 0)
        qsort(sockets->rows, sockets->count, sizeof(*sockets->rows), compare_rows);
}

bool sockets_describe(struct sockets *sockets, uint64_t inode, struct buffer *buffer)
{
    const struct socket_row key = {.inode = inode};
    if (!sockets->is_read)
        read_tables(sockets);
    buffer_clear(buffer);
    if (sockets->count == 0)
        return false;
    const struct socket_row *row = bsearch(&key, sockets->rows, sockets->count, sizeof(*sockets->rows), compare_rows);
    if (row)
        socket_line_describe(row->kind, row->line, buffer);
    return buffer->len > 0 && !buffer->failed;
}
