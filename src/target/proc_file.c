/* SPDX-License-Identifier: MIT */
#include "proc_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "target/proc_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

enum {
    READ_STEP = 16 * 1024,
    PROC_FILE_LIMIT = 256 * 1024 * 1024, /* bytes: a maps file of a million mappings is about 100 MB */
    NUMBER_LIMIT = 1 << 22,              /* the kernel's own limit of pid_max */
};

/* Reads a descriptor to its end. */
static struct error *read_all(int fd, struct buffer *buffer)
{
    buffer_clear(buffer);
    for (;;) {
        char *end = buffer_reserve(buffer, READ_STEP);
        if (!end)
            return error_no_memory();
        ssize_t len = read(fd, end, READ_STEP);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return error_from_errno(errno, "reading");
        if (len == 0) {
            *end = '\0';
            return NULL;
        }
        buffer->len += (size_t)len;
        if (buffer->len > PROC_FILE_LIMIT)
            return error_create(ERROR_BAD_DATA, "more than %d bytes", PROC_FILE_LIMIT);
    }
}

struct error *proc_file_read(int folder, const char *name, struct buffer *buffer)
{
    cleanup_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? error_from_errno(errno, "opening") : read_all(fd, buffer);
}

struct error *proc_file_read_stat(int folder, const char *name, struct proc_stat *ret)
{
    cleanup_buffer struct buffer text = {0};
    struct error *error = proc_file_read(folder, name, &text);
    if (!error && !proc_stat_parse(buffer_text(&text), text.len, ret))
        error = error_create(ERROR_BAD_DATA, "it is not of the form that is known");
    return error;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

struct error *proc_file_list_numbers(int folder, const char *name, pid_t **ret, uint32_t *ret_count)
{
    cleanup_fd int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "opening");
    __attribute__((cleanup(close_folder))) DIR *entries = fdopendir(fd);
    if (!entries)
        return error_no_memory();
    (void)hand_over_fd(&fd);
    cleanup_free pid_t *numbers = NULL;
    uint32_t count = 0, capacity = 0;
    const struct dirent *entry;
    while ((entry = readdir(entries)) && count < NUMBER_LIMIT) {
        long number = strtol(entry->d_name, NULL, 10);
        if (number <= 0 || number > INT32_MAX)
            continue;
        if (!array_grow(&numbers, count, &capacity, sizeof(*numbers)))
            return error_no_memory();
        numbers[count++] = (pid_t)number;
    }
    *ret = hand_over(&numbers);
    *ret_count = count;
    return NULL;
}
