/* SPDX-License-Identifier: MIT */
/*
 * How reading Python's structures can end. Failure is normal while the target runs: it is counted, not described.
 */
#ifndef PYTHON_STATUS_H
#define PYTHON_STATUS_H

enum python_status {
    PYTHON_OK,
    PYTHON_GONE,       /* the target has ended, or may no longer be read */
    PYTHON_BAD_MEMORY, /* a pointer leads to memory that is not mapped */
    PYTHON_BAD_THREAD, /* the list of thread states is broken */
    PYTHON_BAD_FRAME,  /* a chain of frames is broken */
    PYTHON_BAD_CODE,   /* a frame's code is not a code object, or cannot be read */
    PYTHON_IN_MOTION,  /* the interpreter was caught in the middle of a call or return: read again a little later */
    PYTHON_NO_MEMORY,  /* we ran out of our own memory */
    PYTHON_STATUS_COUNT,
};

/* A few words for a person: "memory not mapped". Never NULL. */
const char *python_status_text(enum python_status status);

#endif
