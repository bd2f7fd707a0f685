/* SPDX-License-Identifier: MIT */
#include "socket_line.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

enum {
    WORD_DIGITS = 8, /* of 32 bits */
    ADDRESS_WORDS = 4,
    /* Fields of a line, from 0: Linux net/ipv4/tcp_ipv4.c: get_tcp4_sock(), and net/unix/af_unix.c: unix_seq_show(). */
    FIELD_LOCAL = 1,
    FIELD_REMOTE = 2,
    FIELD_STATE = 3,
    FIELD_INODE = 9,
    UNIX_FIELD_INODE = 6,
    UNIX_FIELD_PATH = 7,
};

/* Linux include/net/tcp_states.h */
static const char *const states[] = {
    [2] = "connecting", [3] = "syn received", [4] = "fin wait 1", [5] = "fin wait 2", [6] = "time wait",
    [7] = "closed",     [8] = "close wait",   [9] = "last ack",   [10] = "listening", [11] = "closing",
};

enum { STATE_ESTABLISHED = 1, STATE_LISTENING = 10 };

/* The start of a field; NULL when there are not so many. */
static const char *find_field(const char *line, int number)
{
    while (*line == ' ')
        line++;
    while (number-- > 0) {
        line += strcspn(line, " ");
        while (*line == ' ')
            line++;
    }
    return *line == '\0' || *line == '\n' ? NULL : line;
}

bool socket_line_inode(enum socket_kind kind, const char *line, uint64_t *ret)
{
    char *end;
    const char *field = find_field(line, kind == SOCKET_UNIX ? UNIX_FIELD_INODE : FIELD_INODE);
    if (!field || !isdigit((unsigned char)*field))
        return false;
    uint64_t inode = strtoull(field, &end, 10);
    if (inode == 0 || (*end != ' ' && *end != '\n' && *end != '\0'))
        return false;
    *ret = inode;
    return true;
}

static bool parse_hex(const char *text, size_t digits, uint32_t *ret)
{
    char copy[WORD_DIGITS + 1] = {0};
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
        copy[i] = text[i];
    }
    *ret = (uint32_t)strtoul(copy, NULL, 16);
    return true;
}

/* "0100007F:1F40": words of the address as they are in the machine's memory, and the port. */
static bool append_address(const char *field, bool is_long, struct buffer *buffer)
{
    uint32_t words[ADDRESS_WORDS] = {0}, port;
    char text[INET6_ADDRSTRLEN];
    size_t count = is_long ? ADDRESS_WORDS : 1;
    for (size_t i = 0; i < count; i++) {
        if (!parse_hex(field + i * WORD_DIGITS, WORD_DIGITS, &words[i]))
            return false;
    }
    const char *end = field + count * WORD_DIGITS;
    if (*end != ':' || !parse_hex(end + 1, 4, &port) ||
        !inet_ntop(is_long ? AF_INET6 : AF_INET, words, text, sizeof(text)))
        return false;
    buffer_format(buffer, is_long ? "[%s]:%u" : "%s:%u", text, port);
    return true;
}

static bool append_internet(enum socket_kind kind, const char *line, struct buffer *buffer)
{
    const char *local = find_field(line, FIELD_LOCAL), *remote = find_field(line, FIELD_REMOTE);
    const char *state_field = find_field(line, FIELD_STATE);
    bool is_long = kind == SOCKET_TCP6 || kind == SOCKET_UDP6, is_tcp = kind == SOCKET_TCP || kind == SOCKET_TCP6;
    uint32_t state;
    if (!local || !remote || !state_field || !parse_hex(state_field, 2, &state))
        return false;
    buffer_append_text(buffer, is_tcp ? "socket " : "udp socket ");
    if (!append_address(local, is_long, buffer))
        return false;
    /* Of UDP, only a connected one has a state that says so. */
    bool has_remote = is_tcp ? state != STATE_LISTENING : state == STATE_ESTABLISHED;
    if (has_remote) {
        buffer_append_text(buffer, " -> ");
        if (!append_address(remote, is_long, buffer))
            return false;
    }
    if (is_tcp && state < array_size(states) && states[state])
        buffer_format(buffer, ", %s", states[state]);
    return true;
}

static void append_unix(const char *line, struct buffer *buffer)
{
    const char *path = find_field(line, UNIX_FIELD_PATH);
    buffer_append_text(buffer, "unix socket");
    if (!path)
        return;
    buffer_append_char(buffer, ' ');
    buffer_append(buffer, path, strcspn(path, "\n"));
}

void socket_line_describe(enum socket_kind kind, const char *line, struct buffer *buffer)
{
    cleanup_buffer struct buffer text = {0};
    if (kind == SOCKET_UNIX)
        append_unix(line, &text);
    else if (!append_internet(kind, line, &text))
        return;
    buffer_append(buffer, buffer_text(&text), text.len);
}
