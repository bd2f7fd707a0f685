/* SPDX-License-Identifier: MIT */
/*
 * The Python object that a thread waits for, when it sleeps at a futex: a lock, or something else that has one inside.
 */
#ifndef PYTHON_LOCK_H
#define PYTHON_LOCK_H

#include "memory/memory.h"
#include "python/stack.h"

#include <stdbool.h>
#include <stdint.h>

struct python;

enum { PYTHON_LOCK_TYPE_LEN = 64 };

struct python_lock {
    remote_addr object;
    char type[PYTHON_LOCK_TYPE_LEN]; /* "_thread.lock", "_thread.RLock", "_queue.SimpleQueue" */
    bool is_lock;                    /* one of the first two */
    bool is_thread;                  /* it is given free when the owner ends, and not before */
    uint64_t owner;                  /* threading.get_ident() of who has it; 0: nobody, or it is not known */
};

/*
 * Looks for the object to which a futex belongs: from 3.13 on by what the waiting thread has written beside the futex,
 * else among the values that its innermost frame holds (NULL: there is none). A plain lock knows no owner; that of a
 * lock that Python code has made of one is found when the frame is in its acquire(). False when there is none.
 */
bool python_find_lock(const struct python *python, struct memory *memory, const struct python_frame *frame,
                      remote_addr futex, struct python_lock *ret);

#endif
