/* SPDX-License-Identifier: MIT */
#include "memory/registers.h"

#include <string.h>
#include <sys/user.h>

#if defined(__aarch64__)

bool registers_parse(const void *bytes, size_t len, struct registers *ret)
{
    struct user_regs_struct regs;
    if (len != sizeof(regs))
        return false;
    memcpy(&regs, bytes, sizeof(regs));
    memcpy(ret->values, regs.regs, sizeof(regs.regs));
    ret->values[REGISTER_SP] = regs.sp;
    ret->values[REGISTER_PC] = regs.pc;
    ret->system_call = -1; /* the kernel has it in another set of registers */
    return true;
}

#else

bool registers_parse(const void *bytes, size_t len, struct registers *ret)
{
    struct user_regs_struct regs;
    if (len != sizeof(regs))
        return false;
    memcpy(&regs, bytes, sizeof(regs));
    const uint64_t values[REGISTER_COUNT] = {
        regs.rax, regs.rdx, regs.rcx, regs.rbx, regs.rsi, regs.rdi, regs.rbp, regs.rsp, regs.r8,
        regs.r9,  regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15, regs.rip,
    };
    memcpy(ret->values, values, sizeof(values));
    ret->system_call = (int64_t)regs.orig_rax;
    return true;
}

#endif
