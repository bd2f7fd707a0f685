/* SPDX-License-Identifier: MIT */
/*
 * Opening files as a process sees them.
 */
#ifndef TARGET_OPEN_IN_ROOT_H
#define TARGET_OPEN_IN_ROOT_H

struct process;

/*
 * Opens a path inside the target's root folder; symbolic links cannot lead out of it. Returns a descriptor, or -1 with
 * errno. Kernels before 5.6 cannot.
 */
int open_in_root(const struct process *process, const char *path, int flags);

#endif
