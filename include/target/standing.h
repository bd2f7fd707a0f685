/* SPDX-License-Identifier: MIT */
/*
 * The facts by which the kernel decides whether we may read a process: who we are, what holds us, who the process is.
 *
 * Linux kernel/ptrace.c: __ptrace_may_access(), with PTRACE_MODE_ATTACH_REALCREDS; security/commoncap.c:
 * cap_ptrace_access_check(); security/yama/yama_lsm.c: yama_ptrace_access_check(). What cannot be read is taken to be
 * as if it forbade nothing, so that no rule is blamed without a fact.
 */
#ifndef TARGET_STANDING_H
#define TARGET_STANDING_H

#include <stdbool.h>
#include <stdint.h>

struct process;

/* Linux Documentation/admin-guide/LSM/Yama.rst: the values of kernel.yama.ptrace_scope. */
enum {
    SCOPE_UNKNOWN = -1, /* this kernel has no Yama */
    SCOPE_FREE = 0,
    SCOPE_RESTRICTED = 1,
    SCOPE_ADMIN_ONLY = 2,
    SCOPE_NO_ATTACH = 3,
};

enum user_namespace {
    NAMESPACE_OURS,    /* or it cannot be told from ours */
    NAMESPACE_BELOW,   /* inside of ours: our capabilities count there */
    NAMESPACE_OUTSIDE, /* above or beside ours: they do not */
};

enum standing_limits { STANDING_NAME_LEN = 32, STANDING_LABEL_LEN = 128 };

/* What is true of us, whatever process it is about. */
struct own_standing {
    uint64_t user, group;                    /* the real ones, which count */
    uint64_t effective, permitted, bounding; /* capabilities, a bit each */
    bool has_no_new_privileges;              /* sudo and file capabilities have no effect */
    bool is_filtered;                        /* by seccomp */
    bool is_lent;                            /* the capabilities are: see target/privileges.h */
    int ptrace_scope;
    char module[STANDING_NAME_LEN];          /* the security module that confines us: "AppArmor"; "" for none */
    char label[STANDING_LABEL_LEN];          /* its profile or context */
    char active_modules[STANDING_LABEL_LEN]; /* all that this kernel has, "capability,yama,landlock"; "": not known */
};

struct standing {
    struct own_standing own;
    uint64_t their_user, their_group; /* one that is not ours, if there is any: real, effective or saved */
    uint64_t their_permitted;         /* capabilities */
    bool is_protected;                /* the process is not dumpable: its files in /proc belong to root */
    bool is_child;                    /* of ours, or of a child of ours, and so on */
    enum user_namespace user_namespace;
};

/* proc, sys: where procfs and sysfs are mounted, for tests; NULL: where they always are. */
void own_standing_read(const char *proc, const char *sys, struct own_standing *ret);
void standing_read(const struct process *process, const char *sys, struct standing *ret);

/* Whether we have CAP_SYS_PTRACE where it counts. */
bool own_standing_has_ptrace(const struct own_standing *own);

#endif
