/* SPDX-License-Identifier: MIT */
#include "target/denial.h"

#include "base/cleanup.h"
#include "credentials.h"
#include "target/privileges.h"
#include "target/process.h"
#include "target/process_memory.h"
#include "target/standing.h"

#include <inttypes.h>
#include <linux/capability.h>

/* The lines are to be copied as they are. */
#define CONTAINER_LINES                                                                                                \
    "start the container with 'docker run --cap-add=SYS_PTRACE', in compose 'cap_add: [SYS_PTRACE]', in Kubernetes "   \
    "'securityContext: {capabilities: {add: [SYS_PTRACE]}}'"

static bool has(uint64_t capabilities, int number)
{
    return capabilities >> number & 1;
}

/* How to come by CAP_SYS_PTRACE, which we do not have. What is nearest at hand comes first. */
static const char *way_to_capability(const struct own_standing *own)
{
    if (has(own->permitted, CAP_SYS_PTRACE))
        return "pyspyc has CAP_SYS_PTRACE in its permitted set, but it is the effective one that counts: give its file "
               "both with 'setcap cap_sys_ptrace+ep'";
    if (!has(own->bounding, CAP_SYS_PTRACE) && own->user == 0)
        return "not even root has CAP_SYS_PTRACE here, as in a container: " CONTAINER_LINES;
    if (!has(own->bounding, CAP_SYS_PTRACE))
        return "not even root has CAP_SYS_PTRACE here, as in a container: be root in it, and " CONTAINER_LINES;
    if (own->has_no_new_privileges && own->user != 0)
        return "sudo has no effect here (no_new_privs is set, as in a sandbox): run pyspyc as root from outside of it";
    if (own->user == 0)
        return "root has CAP_SYS_PTRACE here, but pyspyc was started without it: start it without what takes that away "
               "(setpriv, capsh, a service's settings)";
    return "use sudo";
}

/* A refusal that CAP_SYS_PTRACE would lift. */
static struct error *describe_with_way(const struct own_standing *own, struct error *error)
{
    struct error *whole = error_create(ERROR_PERMISSION, "%s: %s", error->sentence, way_to_capability(own));
    error_destroy(error);
    return whole;
}

static struct error *describe_module(const struct own_standing *own, pid_t pid)
{
    const char *option = own->module[0] == 'A' ? "apparmor=unconfined" : "label=disable";
    if (*own->module != '\0')
        return error_create(ERROR_PERMISSION,
                            "process %d: the security module %s forbids it to what runs as '%s': run pyspyc outside of "
                            "that (of a container: with '--security-opt %s')",
                            pid, own->module, own->label, option);
    if (*own->active_modules != '\0')
        return error_create(ERROR_PERMISSION,
                            "process %d: no rule of users and capabilities forbids it, so one of the kernel's security "
                            "modules does (%s): look into the kernel's log for what it says",
                            pid, own->active_modules);
    return error_create(ERROR_PERMISSION,
                        "process %d: no rule of users and capabilities forbids it, so a security module (AppArmor, "
                        "SELinux, Landlock) does: run pyspyc as root, outside of any container or sandbox",
                        pid);
}

/* Who we are not, if the process is somebody else's. */
static struct error *describe_owner(const struct standing *standing, pid_t pid)
{
    const struct own_standing *own = &standing->own;
    const struct credentials_difference difference = {
        .is_user = standing->their_user != own->user,
        .theirs = standing->their_user != own->user ? standing->their_user : standing->their_group,
        .ours = standing->their_user != own->user ? own->user : own->group,
    };
    return describe_with_way(own, credentials_describe(&difference, pid));
}

/* What forbids it to somebody without CAP_SYS_PTRACE, in the order in which the kernel looks; NULL: nothing known. */
static struct error *describe_without_capability(const struct standing *standing, pid_t pid)
{
    const struct own_standing *own = &standing->own;
    if (standing->their_user != own->user || standing->their_group != own->group)
        return describe_owner(standing, pid);
    struct error *error = NULL;
    if (standing->is_protected)
        error = error_create(ERROR_PERMISSION,
                             "process %d forbids reading its memory (it is not dumpable, as programs are that changed "
                             "their user, have privileges of their own or hold secrets)",
                             pid);
    else if (standing->user_namespace != NAMESPACE_OURS)
        error = error_create(ERROR_PERMISSION, "process %d is in another user namespace", pid);
    else if (standing->their_permitted & ~own->permitted)
        error = error_create(ERROR_PERMISSION, "process %d has capabilities that pyspyc has not (0x%" PRIx64 ")", pid,
                             standing->their_permitted & ~own->permitted);
    else if (own->ptrace_scope == SCOPE_ADMIN_ONLY)
        error =
            error_create(ERROR_PERMISSION,
                         "process %d: only root may read other processes here (kernel.yama.ptrace_scope is 2)", pid);
    else if (own->ptrace_scope == SCOPE_RESTRICTED && !standing->is_child)
        error = error_create(ERROR_PERMISSION,
                             "process %d: a process may only read those that it has started here, as 'pyspyc record -- "
                             "PROGRAM' does (kernel.yama.ptrace_scope is 1)",
                             pid);
    return error ? describe_with_way(own, error) : NULL;
}

struct error *denial_describe(const struct standing *standing, pid_t pid)
{
    const struct own_standing *own = &standing->own;
    struct error *error = NULL;
    if (own->ptrace_scope >= SCOPE_NO_ATTACH)
        return error_create(ERROR_PERMISSION,
                            "process %d: reading other processes is switched off until the next boot "
                            "(kernel.yama.ptrace_scope is %d): set it to 1 where it is set, in /etc/sysctl.d, and "
                            "restart the machine",
                            pid, own->ptrace_scope);
    if (!own_standing_has_ptrace(own))
        error = describe_without_capability(standing, pid);
    else if (standing->user_namespace == NAMESPACE_OUTSIDE)
        error = error_create(ERROR_PERMISSION,
                             "process %d is in a user namespace outside of ours, where our CAP_SYS_PTRACE does not "
                             "count: run pyspyc outside of the container, as root",
                             pid);
    return error ? error : describe_module(own, pid);
}

/* What is true of a process that we cannot read without CAP_SYS_PTRACE, in the order of the kernel's rules. */
static const char *words_without_capability(const struct standing *standing)
{
    const struct own_standing *own = &standing->own;
    if (own->user == 0)
        return "CAP_SYS_PTRACE is missing";
    if (standing->their_user != own->user || standing->their_group != own->group)
        return "another user's: use sudo";
    if (standing->is_protected)
        return "it forbids it (not dumpable): use sudo";
    if (standing->user_namespace != NAMESPACE_OURS)
        return "in another user namespace: use sudo";
    if (standing->their_permitted & ~own->permitted)
        return "it has capabilities: use sudo";
    if (own->ptrace_scope == SCOPE_ADMIN_ONLY)
        return "only root may (ptrace_scope is 2): use sudo";
    if (own->ptrace_scope == SCOPE_RESTRICTED && !standing->is_child)
        return "only its parent may (ptrace_scope is 1): use sudo";
    return "a security module forbids it";
}

const char *denial_words(const struct process *process)
{
    struct standing standing;
    cleanup_error struct error *error = privileges_check(process->directory, process->pid);
    if (error) /* what we were lent is for the caller's own processes */
        return "not yours: use sudo";
    standing_read(process, NULL, &standing);
    if (standing.own.ptrace_scope >= SCOPE_NO_ATTACH)
        return "nobody may (ptrace_scope is 3)";
    return own_standing_has_ptrace(&standing.own) ? "a container or security module forbids it"
                                                  : words_without_capability(&standing);
}

/* Whether we may read the process after all: then it is something else that was refused. */
static bool is_readable(const struct process *process)
{
    cleanup_process_memory struct memory *memory = NULL;
    cleanup_error struct error *error = process_memory_create(process, &memory);
    return !error;
}

struct error *denial_explain(struct error *error, const struct process *process)
{
    struct standing standing;
    if (error->kind != ERROR_PERMISSION)
        return error;
    /* Who has ended cannot be traced, for which the kernel has the same word (Linux kernel/ptrace.c: ptrace_attach()).
     */
    if (!process_is_running(process)) {
        error_destroy(error);
        return error_create(ERROR_TARGET_GONE, "process %d has ended", process->pid);
    }
    if (is_readable(process))
        return error;
    error_destroy(error);
    error = privileges_check(process->directory, process->pid);
    if (!error) {
        standing_read(process, NULL, &standing);
        error = denial_describe(&standing, process->pid);
    }
    return error_wrap(error, "no permission");
}
