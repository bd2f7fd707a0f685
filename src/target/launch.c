/* SPDX-License-Identifier: MIT */
#include "target/launch.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

struct error *launch_program(char *const argv[], pid_t *ret)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    int errno_value = posix_spawnattr_init(&attributes);
    if (errno_value == 0) {
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        errno_value = posix_spawnp(ret, argv[0], NULL, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    if (errno_value == 0)
        return NULL;
    if (errno_value == ENOEXEC)
        return error_create(ERROR_PERMISSION, "cannot start '%s': it is neither a program nor a script with a #! line",
                            argv[0]);
    return error_from_errno(errno_value, "cannot start '%s'", argv[0]);
}

bool launch_collect(pid_t pid, bool wait, int *ret)
{
    int status;
    pid_t collected;
    do
        collected = waitpid(pid, &status, wait ? 0 : WNOHANG);
    while (collected < 0 && errno == EINTR);
    if (collected != pid)
        return false;
    *ret = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
