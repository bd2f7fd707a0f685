/* SPDX-License-Identifier: MIT */
#include "jit_names.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    FILE_LIMIT = 64 << 20, /* bytes that are read of it */
    COUNT_LIMIT = 1 << 20, /* functions; a Python program with perf support has some ten thousand */
    NAME_LIMIT = 1024,     /* bytes; what is longer is cut */
    READ_STEP = 64 * 1024, /* bytes */
    OVERLAP_LIMIT = 16,    /* functions that begin between the one that an address is in, and the address */
    LOOK_INTERVAL_NS = 100000000,
};

void jit_names_deinit(struct jit_names *names)
{
    free(names->functions);
    arena_clear(&names->names);
    *names = (struct jit_names){0};
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Reads a hexadecimal number, and the space behind it, from a line that ends at `end`. */
static bool read_hex(const char **at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    const char *start = *at;
    if (end - *at > 2 && (*at)[0] == '0' && ((*at)[1] | 0x20) == 'x') /* some compilers write it */
        start = *at += 2;
    for (; *at < end && **at != ' '; (*at)++) {
        unsigned char c = (unsigned char)**at;
        unsigned char letter = c | 0x20;
        bool is_letter = letter >= 'a' && letter <= 'f';
        if ((!is_letter && (c < '0' || c > '9')) || value >> 60 != 0)
            return false;
        value = value << 4 | (uint64_t)(is_letter ? letter - 'a' + 10 : c - '0');
    }
    if (*at == start || *at == end)
        return false;
    (*at)++;
    *ret = value;
    return true;
}

/* Takes one line, without its end; one that is not understood is passed over. False without memory. */
static bool add_line(struct jit_names *names, const char *line, const char *end)
{
    struct jit_function function = {.order = names->count};
    char name[NAME_LIMIT];
    if (!read_hex(&line, end, &function.start) || !read_hex(&line, end, &function.len) || function.len == 0 ||
        function.start > UINT64_MAX - function.len)
        return true;
    size_t len = strnlen(line, (size_t)(end - line));
    len = len < sizeof(name) ? len : sizeof(name) - 1;
    memcpy(name, line, len);
    name[len] = '\0';
    function.name = arena_copy(&names->names, name);
    if (!function.name || !array_grow(&names->functions, names->count, &names->capacity, sizeof(*names->functions)))
        return false;
    names->functions[names->count++] = function;
    return true;
}

/* Takes whole lines; what is behind the last one is left for another time. Returns how many bytes were taken. */
static size_t add_lines(struct jit_names *names, const char *text, size_t len)
{
    size_t done = 0;
    const char *end;
    while (names->count < COUNT_LIMIT && (end = memchr(text + done, '\n', len - done))) {
        if (!add_line(names, text + done, end))
            break;
        done = (size_t)(end - text) + 1;
    }
    return done;
}

/* Reads what the file has more than it had. */
static void read_more(struct jit_names *names, int fd, uint64_t file_len)
{
    cleanup_buffer struct buffer text = {0};
    uint64_t limit = file_len < FILE_LIMIT ? file_len : FILE_LIMIT;
    for (uint64_t at = names->read_len; at < limit;) {
        size_t step = limit - at < READ_STEP ? (size_t)(limit - at) : READ_STEP;
        char *free_bytes = buffer_reserve(&text, step);
        ssize_t len = free_bytes ? pread(fd, free_bytes, step, (off_t)at) : -1;
        if (len < 0 && free_bytes && errno == EINTR)
            continue;
        if (len <= 0)
            break;
        text.len += (size_t)len;
        at += (uint64_t)len;
    }
    if (text.len > 0)
        names->read_len += add_lines(names, text.data, text.len);
}

static int compare_functions(const void *a, const void *b)
{
    const struct jit_function *first = a, *second = b;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return (first->order > second->order) - (first->order < second->order);
}

static void forget(struct jit_names *names)
{
    uint32_t generation = names->generation;
    jit_names_deinit(names);
    names->generation = generation;
}

bool jit_names_update(struct jit_names *names, const struct modules *modules)
{
    uint64_t now = now_ns();
    struct stat file;
    if (now < names->next_look_ns)
        return false;
    cleanup_fd int fd = modules_open_jit_names(modules);
    if (fd < 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size < 0) {
        names->next_look_ns = now + LOOK_INTERVAL_NS;
        return false;
    }
    if (file.st_ino != names->inode || (uint64_t)file.st_size < names->read_len)
        forget(names);
    names->next_look_ns = now + LOOK_INTERVAL_NS;
    names->inode = file.st_ino;
    uint32_t before = names->count;
    read_more(names, fd, (uint64_t)file.st_size);
    if (names->count == before)
        return false;
    qsort(names->functions, names->count, sizeof(*names->functions), compare_functions);
    names->generation++;
    return true;
}

const struct jit_function *jit_names_find(const struct jit_names *names, remote_addr address)
{
    uint32_t low = 0, high = names->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (names->functions[middle].start > address)
            high = middle;
        else
            low = middle + 1;
    }
    for (uint32_t i = 0; i < OVERLAP_LIMIT && i < low; i++) {
        const struct jit_function *function = &names->functions[low - 1 - i];
        if (address - function->start < function->len)
            return function;
    }
    return NULL;
}
