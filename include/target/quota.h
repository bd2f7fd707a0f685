/* SPDX-License-Identifier: MIT */
/*
 * How much CPU time the control groups that we are in allow us: Linux Documentation/admin-guide/cgroup-v2.rst (cpu.max)
 * and scheduler/sched-bwc.rst (cpu.cfs_quota_us). Who has used it up stands still until the period is over, whatever he
 * holds meanwhile.
 */
#ifndef TARGET_QUOTA_H
#define TARGET_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
    uint64_t quota_ns;  /* of CPU time, of all CPUs together, */
    uint64_t period_ns; /* in each such period */
};

/*
 * Reads the smallest share that a group of ours or one around it allows. False when there is no limit, or none that we
 * can see. proc and groups are where procfs and the groups are mounted, for tests; NULL means the usual places.
 */
bool quota_read(const char *proc, const char *groups, struct quota *ret);

#endif
