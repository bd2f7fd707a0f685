/* SPDX-License-Identifier: MIT */
/*
 * A line of one of the kernel's tables of sockets, in which programs choose the names of Unix sockets: the first byte
 * says of which table.
 *
 * For: src/target/socket_line.c
 * Options: -max_len=512
 */
#include "target/socket_line.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input input = {bytes, bytes + len};
    enum socket_kind kind = input_byte(&input) % (SOCKET_UNIX + 1);
    cleanup_free char *line = input_string(input.at, (size_t)(input.end - input.at));
    cleanup_buffer struct buffer said = {0};
    uint64_t inode;
    socket_line_inode(kind, line, &inode);
    socket_line_describe(kind, line, &said);
    check(!said.failed && said.len <= strlen(line) + 256);
    return 0;
}
