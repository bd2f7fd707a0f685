/* SPDX-License-Identifier: MIT */
/*
 * Privileges that our own file lends to whoever runs us.
 *
 * File capabilities (setcap cap_sys_ptrace+ep pyspyc) let an ordinary user read his own processes where Yama forbids
 * it. They must not let him read anybody else's: so what is lent is used for processes that are his in every respect,
 * and that the kernel would let him read but for Yama. A setuid file would lend everything, and is refused.
 */
#ifndef TARGET_PRIVILEGES_H
#define TARGET_PRIVILEGES_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * To be called before anything else, and before the first thread is made: gives up all that our file lends us but
 * CAP_SYS_PTRACE, which programs that we start do not inherit. ERROR_PERMISSION when we are installed setuid or setgid.
 */
struct error *privileges_settle(void);

/* Whether we have our privileges from our file, not from who called us. */
bool privileges_are_lent(void);

/*
 * Puts lent privileges aside, for what takes none, or takes them up again; meanwhile they are not lent. For the calling
 * thread only. Returns whether that changed anything.
 */
bool privileges_put_aside(bool is_wanted);

/*
 * Fails with ERROR_PERMISSION when our privileges are lent, and a process is not the caller's own now. folder:
 * /proc/PID, open. What was read of it may be used if this holds afterwards: a process can exec a setuid program at any
 * time.
 */
struct error *privileges_check(int folder, pid_t pid);

#endif
