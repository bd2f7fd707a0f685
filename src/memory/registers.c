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
    ret->system_call = -1;   /* x8 does not tell whether it is in one */
    ret->thread_pointer = 0; /* in another set of registers */
    return true;
}

/* Linux arch/arm64/kernel/syscall.c: do_el0_svc() */
static const unsigned call_arguments[] = {0, 1, 2, 3, 4, 5};

static uint64_t call_number(const struct registers *registers)
{
    return registers->values[8];
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
    ret->thread_pointer = regs.fs_base;
    return true;
}

/* rdi, rsi, rdx, r10, r8, r9: Linux arch/x86/entry/entry_64.S */
static const unsigned call_arguments[] = {5, 4, 1, 10, 8, 9};

static uint64_t call_number(const struct registers *registers)
{
    return (uint64_t)registers->system_call;
}

#endif

bool registers_are_in_call(const struct registers *registers, uint64_t number, const uint64_t arguments[6], uint64_t sp,
                           uint64_t pc)
{
    for (int i = 0; i < 6; i++) {
        if (registers->values[call_arguments[i]] != arguments[i])
            return false;
    }
    return call_number(registers) == number && registers->values[REGISTER_SP] == sp &&
           registers->values[REGISTER_PC] == pc;
}
