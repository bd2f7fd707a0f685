/* SPDX-License-Identifier: MIT */
#include "target/privileges.h"

#include "credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct error *check_ids(void)
{
    uid_t user, effective_user, saved_user;
    gid_t group, effective_group, saved_group;
    getresuid(&user, &effective_user, &saved_user);
    getresgid(&group, &effective_group, &saved_group);
    if (user != effective_user)
        return error_create(ERROR_PERMISSION,
                            "pyspyc runs as user %u for user %u, as its file is setuid, and refuses to: so everybody "
                            "could read all processes of user %u: take that away with 'chmod u-s', and give the file "
                            "'setcap cap_sys_ptrace+ep'",
                            effective_user, user, effective_user);
    if (group != effective_group)
        return error_create(ERROR_PERMISSION,
                            "pyspyc runs as group %u for group %u, as its file is setgid, and refuses to: take that "
                            "away with 'chmod g-s'",
                            effective_group, group);
    return NULL;
}

/* glibc has no function for it, and libcap would be needed for nothing else. */
static bool set_capabilities(uint32_t first_word)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = first_word, .permitted = first_word},
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
    if (!set_capabilities(kept) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
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
    return getuid() != 0 && getauxval(AT_SECURE) != 0;
}

struct error *privileges_check(int folder, pid_t pid)
{
    struct credentials credentials = {0};
    if (!privileges_are_lent())
        return NULL;
    bool is_callers = credentials_read(folder, &credentials) && credentials_are_of(&credentials, getuid(), getgid());
    if (is_callers && !credentials.is_protected)
        return NULL;
    if (is_callers)
        return error_create(ERROR_PERMISSION,
                            "process %d forbids reading its memory (it is not dumpable, as programs are that changed "
                            "their user, have privileges of their own or hold secrets), and the capability that "
                            "pyspyc has from its file is not meant for such: use sudo",
                            pid);
    return error_create(ERROR_PERMISSION,
                        "process %d is not wholly that of user %u and group %u, and the capability that pyspyc has "
                        "from its file is only for processes of who calls it: use sudo",
                        pid, getuid(), getgid());
}
