/* SPDX-License-Identifier: MIT */
#include "target/privileges.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "credentials.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local bool are_put_aside;

/* Where our file is, to be named in a command. */
static void append_own_path(struct buffer *out)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
    if (len > 0)
        escape_shell_word(out, path, (size_t)len);
    else
        buffer_append_text(out, "pyspyc");
}

static struct error *check_ids(void)
{
    uid_t user, effective_user, saved_user;
    gid_t group, effective_group, saved_group;
    cleanup_buffer struct buffer path = {0};
    getresuid(&user, &effective_user, &saved_user);
    getresgid(&group, &effective_group, &saved_group);
    append_own_path(&path);
    if (user != effective_user)
        return error_create(ERROR_PERMISSION,
                            "pyspyc refuses to run as user %u for user %u, as its file is setuid, since everybody "
                            "could read all processes of user %u with it: run 'sudo chmod u-s %s && sudo setcap "
                            "cap_sys_ptrace+ep %s'",
                            effective_user, user, effective_user, buffer_text(&path), buffer_text(&path));
    if (group != effective_group)
        return error_create(ERROR_PERMISSION,
                            "pyspyc refuses to run as group %u for group %u, as its file is setgid: run 'sudo chmod "
                            "g-s %s'",
                            effective_group, group, buffer_text(&path));
    return NULL;
}

/* glibc has no function for it, and libcap would be needed for nothing else. */
static bool set_capabilities(uint32_t effective, uint32_t permitted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = effective, .permitted = permitted},
    };
    return syscall(SYS_capset, &header, words) == 0;
}

static uint32_t permitted_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &header, words) == 0 ? words[0].permitted : 0;
}

struct error *privileges_settle(void)
{
    struct error *error = check_ids();
    if (error || !privileges_are_lent())
        return error;
    const uint32_t kept = permitted_capabilities() & 1U << CAP_SYS_PTRACE;
    if (!set_capabilities(kept, kept) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return error_from_errno(errno, "cannot give up privileges");
    return NULL;
}

/*
 * Linux security/commoncap.c: cap_bprm_creds_from_file(): a program is started "secure" when its file made its ids or
 * its capabilities more than the caller's. A real root has all privileges of his own. (Another security module can ask
 * for it, too, and then we are more careful than we need to be.)
 */
bool privileges_are_lent(void)
{
    return !are_put_aside && getuid() != 0 && getauxval(AT_SECURE) != 0;
}

bool privileges_put_aside(bool is_wanted)
{
    const uint32_t kept = permitted_capabilities();
    if (is_wanted == are_put_aside || (is_wanted && !privileges_are_lent()))
        return false;
    if (!set_capabilities(is_wanted ? 0 : kept, kept))
        return false;
    are_put_aside = is_wanted;
    return true;
}

struct error *privileges_check(int folder, pid_t pid)
{
    struct credentials credentials = {0};
    struct credentials_difference difference = {0};
    if (!privileges_are_lent())
        return NULL;
    bool is_known = credentials_read(folder, &credentials);
    bool is_callers = is_known && credentials_are_of(&credentials, getuid(), getgid(), &difference);
    if (is_callers && !credentials.is_protected)
        return NULL;
    if (is_callers)
        return error_create(ERROR_PERMISSION,
                            "process %d forbids reading its memory (it is not dumpable, as programs are that changed "
                            "their user, have privileges of their own or hold secrets), and the capability that "
                            "pyspyc has from its file is not meant for such: use sudo",
                            pid);
    if (!is_known)
        return error_create(ERROR_PERMISSION, "it cannot be read whose process %d is: use sudo", pid);
    cleanup_error struct error *owner = credentials_describe(&difference, pid);
    return error_create(
        ERROR_PERMISSION,
        "%s, and the capability that pyspyc has from its file is for one's own processes only: use sudo",
        owner->sentence);
}
