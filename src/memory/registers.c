/* SPDX-License-Identifier: MIT */
#include "memory/registers.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/user.h>
#include <ucontext.h>

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

/* Linux arch/arm64/kernel/signal.c: struct rt_sigframe begins with a siginfo_t, the context follows. */
enum { CONTEXT_AT = sizeof(siginfo_t) };

static void take_context(const mcontext_t *context, uint64_t values[REGISTER_COUNT])
{
    memcpy(values, context->regs, sizeof(context->regs));
    values[REGISTER_SP] = context->sp;
    values[REGISTER_PC] = context->pc;
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

/* Linux arch/x86/include/asm/sigframe.h: of struct rt_sigframe the handler's return has taken the first word. */
enum { CONTEXT_AT = 0 };

static void take_context(const mcontext_t *context, uint64_t values[REGISTER_COUNT])
{
    static const unsigned char numbers[REGISTER_COUNT] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
    };
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        values[i] = (uint64_t)context->gregs[numbers[i]];
}

/* rdi, rsi, rdx, r10, r8, r9: Linux arch/x86/entry/entry_64.S */
static const unsigned call_arguments[] = {5, 4, 1, 10, 8, 9};

static uint64_t call_number(const struct registers *registers)
{
    return (uint64_t)registers->system_call;
}

#endif

bool registers_read_interrupted(struct memory *memory, remote_addr sp, struct registers *ret)
{
    mcontext_t context;
    if (memory_read(memory, sp + CONTEXT_AT + offsetof(ucontext_t, uc_mcontext), &context, sizeof(context)) !=
        MEMORY_OK)
        return false;
    take_context(&context, ret->values);
    ret->system_call = -1;
    ret->thread_pointer = 0;
    return true;
}

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
