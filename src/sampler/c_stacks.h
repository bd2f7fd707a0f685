/* SPDX-License-Identifier: MIT */
/*
 * Copies of threads' C stacks and registers, made while they do not run and looked at afterwards.
 *
 * A copy is kept: a thread that sleeps, in the same system call and with the same bytes on its stack as when it was
 * copied, need not be stopped again. To stop it would end its system call, which some programs take note of.
 */
#ifndef SAMPLER_C_STACKS_H
#define SAMPLER_C_STACKS_H

#include "base/table.h"
#include "memory/maps.h"
#include "memory/memory.h"
#include "memory/registers.h"
#include "memory/snapshot.h"
#include "native/unwinder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sampled_thread;

enum {
    C_STACK_LIMIT = 256 * 1024,           /* bytes of one stack in a recording; what is further out is not copied, */
    C_STACK_DUMP_LIMIT = 8 * 1024 * 1024, /* and in a dump, which may take its time: ulimit -s */
    C_STACKS_LIMIT = 256 * 1024 * 1024,   /* of all stacks; threads beyond have none */
    C_STACK_RED_ZONE_LEN = 128, /* below the stack pointer: System V ABI, AMD64 supplement 1.0, section 3.2.2 */
};

struct c_stack {
    uint32_t serial;  /* of the thread */
    uint64_t sample;  /* that it is known to be true in */
    uint64_t made;    /* that it was made in */
    uint64_t ordered; /* that a copy was ordered in, */
    uint32_t piece;   /* and the number of that piece */
    struct registers registers;
    remote_addr start;
    unsigned char *bytes;
    size_t len, capacity; /* len 0: there is no copy, or not yet */
};

struct c_stacks {
    struct memory *memory;
    size_t limit;                                /* bytes of one stack */
    remote_addr main_frames_end, main_stack_end; /* see c_stack_end() */
    uint64_t sample;                             /* the current one */
    struct c_stack *stacks;
    uint32_t count, capacity;
    struct table by_serial;
    size_t total;                /* bytes of all stacks */
    struct memory_piece *pieces; /* what is ordered, and not received */
    uint32_t piece_count, piece_capacity;
    unsigned char *scratch;
    size_t scratch_len;
};

/*
 * The memory of the process must outlive the stacks; the maps are only looked at now. stack_start: of the main thread,
 * see struct process_program.
 */
void c_stacks_init(struct c_stacks *stacks, struct memory *memory, const struct maps *maps, remote_addr stack_start,
                   size_t limit);
void c_stacks_deinit(struct c_stacks *stacks);

/*
 * Where a main thread's stack of which the end is not known otherwise ends: with its frames, or, where they are said to
 * end further in, with its memory.
 */
remote_addr c_stack_end(const struct c_stacks *stacks, remote_addr start);

/* From here on no copy is known to be true. */
void c_stacks_begin_sample(struct c_stacks *stacks);

/* Copies the stack of a thread that does not run, and has these registers. False, and it has no copy, when it cannot be
 * read. */
bool c_stacks_copy(struct c_stacks *stacks, const struct registers *registers, const struct sampled_thread *thread);

/*
 * The same in two steps, for who reads the memory himself: stacks->pieces are to be read, and a piece of which that
 * fails gets a length of 0. Without memory for the order, the stack is copied at once.
 */
void c_stacks_order(struct c_stacks *stacks, const struct registers *registers, const struct sampled_thread *thread);
void c_stacks_receive(struct c_stacks *stacks);

/*
 * Whether the copy of a thread that sleeps is still true, as far as its system call and its stack tell. The kernel does
 * not tell the other registers of a thread that was not stopped.
 */
bool c_stacks_keep(struct c_stacks *stacks, const struct sampled_thread *thread);

/*
 * How much of a stack is in use from an address on, at most limit bytes. id: the thread's pthread_t; 0: not known. end:
 * where the kernel's mapping for the main thread's stack ends, or what is thought to be a stack; 0: not known.
 */
size_t c_stack_used_len(remote_addr start, uint64_t id, remote_addr end, size_t limit);

/* What an unwinder takes of a copy. */
static inline struct native_stack c_stack_view(const struct c_stack *stack)
{
    return (struct native_stack){stack->registers, stack->start, stack->bytes, stack->len};
}

/* The copy of a thread's stack; NULL when none is known to be true. Valid until the next copy. */
const struct c_stack *c_stacks_find(const struct c_stacks *stacks, uint32_t serial);

#endif
