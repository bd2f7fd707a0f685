/* SPDX-License-Identifier: MIT */
#include "target/launch.h"

#include "base/cleanup.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

void launch_prepare(sigset_t *ret_for_program)
{
    static const int output_signals[] = {SIGPIPE, SIGXFSZ};
    sigemptyset(ret_for_program);
    const struct sigaction only_ends = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &only_ends, NULL);
    for (size_t i = 0; i < array_size(output_signals); i++) {
        if (signal(output_signals[i], SIG_IGN) == SIG_DFL)
            sigaddset(ret_for_program, output_signals[i]);
    }
}

struct error *launch_program(char *const argv[], const sigset_t *signals_for_program, pid_t *ret)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    int errno_value = posix_spawnattr_init(&attributes);
    if (errno_value == 0) {
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, signals_for_program);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
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

/* Whether a child has ended. It may be stopped by a thread of ours, which the kernel would tell us as well. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid &&
           info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED;
}

bool launch_collect(pid_t pid, int *ret)
{
    int status;
    if (!has_ended(pid))
        return false;
    pid_t collected;
    do
        collected = waitpid(pid, &status, WNOHANG);
    while (collected < 0 && errno == EINTR);
    if (collected != pid)
        return false;
    *ret = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

void launch_end(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
