/* SPDX-License-Identifier: MIT */
#include "target/denial.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

enum {
    STATUS_LEN_LIMIT = 1024 * 1024,
    CAPABILITY_PTRACE = 19, /* Linux include/uapi/linux/capability.h: CAP_SYS_PTRACE */
    SCOPE_UNKNOWN = -1,     /* this kernel has no Yama */
    /* Linux Documentation/admin-guide/LSM/Yama.rst */
    SCOPE_RESTRICTED = 1,
    SCOPE_ADMIN_ONLY = 2,
    SCOPE_NO_ATTACH = 3,
};

/* What the rules are about. */
struct standing {
    uint64_t our_user, their_user;
    bool has_capability; /* we have CAP_SYS_PTRACE */
    int ptrace_scope;
    bool is_protected; /* the process is not dumpable: its files in /proc belong to root */
};

static bool read_status_of(const char *proc, const char *pid, struct buffer *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s/status", proc, pid);
    cleanup_file FILE *file = fopen(path, "re");
    /* CapEff stands behind Groups, which has up to 65,536 numbers. */
    char *end = file ? buffer_reserve(text, STATUS_LEN_LIMIT) : NULL;
    if (!end)
        return false;
    text->len = fread(end, 1, STATUS_LEN_LIMIT, file);
    return true;
}

static int read_ptrace_scope(const char *proc)
{
    char path[PATH_MAX];
    int scope = SCOPE_UNKNOWN;
    snprintf(path, sizeof(path), "%s/sys/kernel/yama/ptrace_scope", proc);
    cleanup_file FILE *file = fopen(path, "re");
    int c = file ? fgetc(file) : EOF;
    if (c >= '0' && c <= '9')
        scope = c - '0';
    return scope;
}

static void find_standing(const struct process *process, struct standing *ret)
{
    const char *proc = process->proc;
    cleanup_buffer struct buffer ours = {0}, theirs = {0};
    char pid[16];
    uint64_t capabilities = 0;
    struct stat files;
    snprintf(pid, sizeof(pid), "%d", process->pid);
    *ret = (struct standing){.ptrace_scope = read_ptrace_scope(proc)};
    if (read_status_of(proc, "self", &ours)) {
        proc_status_number(buffer_text(&ours), ours.len, "Uid", 10, &ret->our_user);
        proc_status_number(buffer_text(&ours), ours.len, "CapEff", 16, &capabilities);
    }
    ret->their_user = ret->our_user;
    if (read_status_of(proc, pid, &theirs))
        proc_status_number(buffer_text(&theirs), theirs.len, "Uid", 10, &ret->their_user);
    ret->has_capability = capabilities >> CAPABILITY_PTRACE & 1;
    if (fstatat(process->directory, "maps", &files, 0) == 0)
        ret->is_protected = files.st_uid != ret->their_user;
}

static struct error *describe_standing(const struct standing *standing, pid_t pid)
{
    if (standing->has_capability && standing->ptrace_scope == SCOPE_NO_ATTACH)
        return error_create(ERROR_PERMISSION,
                            "process %d: reading other processes is switched off until the next boot "
                            "(kernel.yama.ptrace_scope is 3)",
                            pid);
    if (standing->has_capability)
        return error_create(ERROR_PERMISSION,
                            "process %d: refused although we have CAP_SYS_PTRACE; the process is in another user "
                            "namespace, or a security module (AppArmor, SELinux) or seccomp filter forbids it: "
                            "run pyspyc outside of the container, as root of the host",
                            pid);
    if (standing->our_user != standing->their_user && standing->our_user != 0)
        return error_create(ERROR_PERMISSION,
                            "process %d belongs to user %" PRIu64 " and we are user %" PRIu64
                            ": run pyspyc as that user, or with sudo",
                            pid, standing->their_user, standing->our_user);
    if (standing->ptrace_scope >= SCOPE_ADMIN_ONLY)
        return error_create(ERROR_PERMISSION,
                            "process %d: only root may read other processes here (kernel.yama.ptrace_scope is %d): "
                            "use sudo",
                            pid, standing->ptrace_scope);
    if (standing->is_protected)
        return error_create(ERROR_PERMISSION,
                            "process %d forbids reading its memory (it is not dumpable, as programs are that changed "
                            "their user or hold secrets): use sudo",
                            pid);
    if (standing->ptrace_scope == SCOPE_RESTRICTED)
        return error_create(ERROR_PERMISSION,
                            "process %d: a process may only read its own children here (kernel.yama.ptrace_scope is "
                            "1): start the program with 'pyspyc record -- PROGRAM', or use sudo",
                            pid);
    return error_create(ERROR_PERMISSION,
                        "process %d: the capability CAP_SYS_PTRACE is missing: use sudo, or in a container start it "
                        "with --cap-add SYS_PTRACE",
                        pid);
}

struct error *denial_explain(struct error *error, const struct process *process)
{
    if (error->kind != ERROR_PERMISSION)
        return error;
    struct standing standing;
    find_standing(process, &standing);
    error_destroy(error);
    return error_wrap(describe_standing(&standing, process->pid), "no permission");
}
