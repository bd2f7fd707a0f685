/* SPDX-License-Identifier: MIT */
/*
 * Through which folder of procfs one looks at what the threads of a process share.
 *
 * At its end a thread gives up memory, files and root. When that is the main thread, and others live on, /proc/PID
 * shows a zombie: maps is empty, exe, root and mem lead nowhere. /proc/TID of a living thread still shows them all.
 * Such a folder is not listed, but it is there (Linux fs/proc/base.c: proc_pid_lookup() takes any thread's number).
 */
#ifndef TARGET_LIVING_THREAD_H
#define TARGET_LIVING_THREAD_H

#include <sys/types.h>

/* The number of a thread that lives, the main one's if it can be; 0 when there is none. directory: /proc/PID. */
pid_t living_thread_find(pid_t pid, int directory);

/*
 * Opens the folder of the main thread, or that of another one when the main one has ended and another lives. The caller
 * closes it. -1 when there are no descriptors left.
 */
int living_thread_open_folder(const char *proc, pid_t pid, int directory);

#endif
