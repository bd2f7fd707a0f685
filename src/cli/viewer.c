/* SPDX-License-Identifier: MIT */
#include "viewer.h"

#include "outputs.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int start(char *const argv[])
{
    extern char **environ;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO); /* results alone are for ours */
    int result = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

void viewer_open(const struct outputs *outputs)
{
    const char *name = outputs_first_name(outputs);
    cleanup_free char *path = name ? realpath(name, NULL) : NULL; /* begins with no dash, either */
    if (!path) {
        fprintf(stderr, "pyspyc: there is no file to open\n");
        return;
    }
    if (geteuid() == 0) {
        fprintf(stderr, "pyspyc: not opened, as that is not done as root\n");
        return;
    }
    int result = start((char *[]){(char[]){"xdg-open"}, path, NULL});
    if (result != 0)
        fprintf(stderr, "pyspyc: cannot start xdg-open: %s\n", strerror(result));
}
