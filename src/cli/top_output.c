/* SPDX-License-Identifier: MIT */
#include "top_output.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_LIMIT = 1 << 20,   /* bytes from which the file begins anew */
    KEPT_LIMIT = 256 << 10, /* bytes of its end that are kept then */
    STREAMS = 3,
};

struct error *top_output_init(struct top_output *output)
{
    *output = (struct top_output){.fd = memfd_create("output", MFD_CLOEXEC)};
    /* Appending, so that the program goes on at the new end when the file has been cut. */
    if (output->fd < 0 || fcntl(output->fd, F_SETFL, O_APPEND) != 0)
        return error_from_errno(errno, "cannot make a file for what the program writes");
    return NULL;
}

void top_output_deinit(struct top_output *output)
{
    cleanup_close_fd(&output->fd);
    buffer_deinit(&output->kept);
    output->fd = -1;
}

/* Gives us other standard streams, so that the program inherits them. */
static bool exchange_streams(const struct top_output *output)
{
    if (!output)
        return dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
    cleanup_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output->fd, STDOUT_FILENO) >= 0 &&
           (!isatty(STDERR_FILENO) || dup2(output->fd, STDERR_FILENO) >= 0);
}

struct error *top_output_launch(const struct top_output *output, char *const argv[], const sigset_t *signals,
                                pid_t *ret)
{
    int saved[STREAMS];
    for (int i = 0; i < STREAMS; i++)
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, STREAMS);
    struct error *error = exchange_streams(output) ? launch_program(argv, signals, ret)
                                                   : error_from_errno(errno, "cannot redirect what the program writes");
    for (int i = 0; i < STREAMS; i++) {
        if (saved[i] >= 0)
            dup2(saved[i], i);
        cleanup_close_fd(&saved[i]);
    }
    return error;
}

/* Puts the end of the file behind what is kept. */
static void take_end(const struct top_output *output, struct buffer *out)
{
    struct stat status;
    if (fstat(output->fd, &status) != 0 || status.st_size == 0)
        return;
    off_t from = status.st_size > KEPT_LIMIT ? status.st_size - KEPT_LIMIT : 0;
    if (from > 0)
        buffer_clear(out);
    char *bytes = buffer_reserve(out, KEPT_LIMIT);
    ssize_t len = bytes ? pread(output->fd, bytes, KEPT_LIMIT, from) : 0;
    out->len += len > 0 ? (size_t)len : 0;
}

static void cut(struct buffer *text)
{
    if (text->len <= KEPT_LIMIT)
        return;
    memmove(text->data, text->data + text->len - KEPT_LIMIT, KEPT_LIMIT);
    text->len = KEPT_LIMIT;
}

void top_output_trim(struct top_output *output)
{
    struct stat status;
    if (fstat(output->fd, &status) != 0 || status.st_size < FILE_LIMIT)
        return;
    take_end(output, &output->kept);
    cut(&output->kept);
    /* What is written just now is lost. */
    (void)!ftruncate(output->fd, 0);
}

void top_output_append(struct top_output *output, struct buffer *ret_text)
{
    cleanup_buffer struct buffer raw = {0};
    buffer_append(&raw, buffer_text(&output->kept), output->kept.len);
    take_end(output, &raw);
    cut(&raw);
    for (const char *at = buffer_text(&raw), *end = at + raw.len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);
        escape_visible(ret_text, at, len);
        buffer_append_char(ret_text, '\n');
        at += len + 1;
    }
}

void top_output_leave(struct top_output *output, pid_t program)
{
    pid_t child = fork();
    if (child != 0)
        return;
    /* The terminal and its session are not ours any more. */
    setsid();
    cleanup_fd int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; nothing >= 0 && i < STREAMS; i++)
        dup2(nothing, i);
    while (kill(program, 0) == 0) {
        top_output_trim(output);
        sleep(1);
    }
    _exit(0);
}
