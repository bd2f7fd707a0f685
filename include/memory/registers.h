/* SPDX-License-Identifier: MIT */
/*
 * The registers of a thread at one instant, by the numbers that DWARF gives them. Where they come from (ptrace, a core
 * file) is the business of others.
 */
#ifndef MEMORY_REGISTERS_H
#define MEMORY_REGISTERS_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DWARF's numbers. x86-64: System V ABI, AMD64 supplement 1.0, figure 3.36 (16 is the return address, here the
 * instruction pointer). aarch64: DWARF for the Arm 64-bit architecture 2023Q3, section 4.1 (32 is the program counter).
 */
enum {
#if defined(__aarch64__)
    REGISTER_FRAME = 29,
    REGISTER_SP = 31,
    REGISTER_PC = 32,
#else
    REGISTER_FRAME = 6,
    REGISTER_SP = 7,
    REGISTER_PC = 16,
#endif
    REGISTER_COUNT = REGISTER_PC + 1,
};

struct registers {
    uint64_t values[REGISTER_COUNT];
    int64_t system_call;     /* in which it is; -1: none */
    uint64_t thread_pointer; /* what its libc has of the thread; with glibc, its pthread_t; 0: not known */
};

/*
 * Takes them out of the kernel's struct (elf_gregset_t, which PTRACE_GETREGSET and the note NT_PRSTATUS of a core file
 * both have). False, and *ret untouched, when that is not of the length that it has on this machine.
 */
bool registers_parse(const void *bytes, size_t len, struct registers *ret);

/*
 * Takes those of a function that a signal handler interrupted out of what the kernel left on the stack for when the
 * handler returns. sp: the stack pointer in the function that it returns to. False, and *ret untouched, when that
 * cannot be read.
 */
bool registers_read_interrupted(struct memory *memory, remote_addr sp, struct registers *ret);

/* Whether they are those of a thread in a system call with these arguments, made with this stack pointer and at this
 * pc. */
bool registers_are_in_call(const struct registers *registers, uint64_t number, const uint64_t arguments[6], uint64_t sp,
                           uint64_t pc);

#endif
