/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "base/cleanup.h"
#include "target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    STREAMS = 3,
    CHUNK_LEN = 4096,
};

static int open_file(void)
{
    const char *folder = getenv("TMPDIR");
    return open(folder && *folder == '/' ? folder : "/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

/* Puts descriptors in the place of our standard streams. */
static void put_streams(const int fds[STREAMS])
{
    for (int i = 0; i < STREAMS; i++) {
        if (fds[i] >= 0)
            dup2(fds[i], i);
    }
}

struct error *capture_launch(char *const argv[], const sigset_t *signals_for_program, pid_t *ret, int *ret_fd)
{
    cleanup_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cleanup_fd int file = open_file();
    if (nothing < 0 || file < 0)
        return error_from_errno(errno, "cannot make a file for what the program prints");
    cleanup_fd int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STREAMS);
    cleanup_fd int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STREAMS);
    cleanup_fd int errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STREAMS);
    put_streams((const int[STREAMS]){nothing, file, file});
    struct error *error = launch_program(argv, signals_for_program, ret);
    put_streams((const int[STREAMS]){input, output, errors});
    if (!error)
        *ret_fd = hand_over_fd(&file);
    return error;
}

void capture_show(int fd)
{
    char bytes[CHUNK_LEN];
    ssize_t len;
    for (off_t at = 0; (len = pread(fd, bytes, sizeof(bytes), at)) > 0; at += len)
        fwrite(bytes, 1, (size_t)len, stderr);
}
