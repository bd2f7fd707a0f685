/* SPDX-License-Identifier: MIT */
#include "core_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "core/core.h"
#include "sampler/dumping.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static int open_own(void *context, const char *path)
{
    (void)context;
    return process_open_own_path(path);
}

/* /var/tmp, as /tmp may be in memory, and core files are large. */
static int open_scratch(void *context)
{
    const char *folder = getenv("TMPDIR");
    cleanup_buffer struct buffer path = {0};
    (void)context;
    signal(SIGXFSZ, SIG_IGN); /* to write beyond a limit is an error, no end */
    buffer_format(&path, "%s/pyspyc-core-XXXXXX", folder && *folder == '/' ? folder : "/var/tmp");
    if (path.failed) {
        errno = ENOMEM;
        return -1;
    }
    int fd = mkostemp(path.data, O_CLOEXEC);
    if (fd >= 0)
        unlink(path.data);
    return fd;
}

static void say(void *context, const char *sentence)
{
    cleanup_buffer struct buffer shown = {0};
    (void)context;
    escape_visible(&shown, sentence, strlen(sentence));
    fprintf(stderr, "pyspyc: %s\n", buffer_text(&shown));
}

static struct error *open_file(const char *path, int *ret_fd)
{
    struct stat file;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &file) != 0)
        return error_from_errno(errno, "cannot open '%s'", path);
    if (!S_ISREG(file.st_mode))
        return error_create(ERROR_BAD_DATA, "'%s' is no regular file", path);
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}

struct error *core_file_dump(const char *path, const char *executable, const struct dumping_options *options,
                             struct process_dump *ret)
{
    const struct core_files files = {.open = open_own, .open_scratch = open_scratch, .executable = executable};
    cleanup_core struct core *core = NULL;
    cleanup_fd int fd = -1;
    struct error *error = open_file(path, &fd);
    if (error)
        return error;
    error = core_open(fd, &files, &core);
    if (error)
        return error_wrap(error, "cannot use '%s'", path);
    error = dumping_run_core(core, path, options, ret);
    core_report(core, say, NULL);
    if (error && error->kind == ERROR_NOT_PYTHON)
        return error_wrap(error, "'%s' is not of a Python process", path);
    if (error && error->kind == ERROR_NOT_READY) {
        error_destroy(error);
        return error_create(ERROR_NOT_READY, "core file '%s': the Python interpreter was not up yet, or had ended",
                            path);
    }
    return error ? error_wrap(error, "core file '%s'", path) : NULL;
}
