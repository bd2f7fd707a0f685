/* SPDX-License-Identifier: MIT */
/*
 * Scope guards: a local declared with one of these attributes is released when it leaves its scope.
 * A function that hands its local over to a caller returns hand_over(&local), which leaves NULL behind.
 * This header holds the guards of libc's own types; a type of ours declares its guard beside its destroy function.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define array_size(array) (sizeof(array) / sizeof((array)[0]))

static inline void cleanup_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define cleanup_free __attribute__((cleanup(cleanup_free_pointer)))
#define cleanup_fd   __attribute__((cleanup(cleanup_close_fd)))
#define cleanup_file __attribute__((cleanup(cleanup_close_file)))

/* Takes the pointer out of *pointer, so that its guard finds NULL. */
static inline void *hand_over_pointer(void *pointer)
{
    void *taken = *(void **)pointer;
    *(void **)pointer = NULL;
    return taken;
}

#define hand_over(pointer) ((__typeof__(*(pointer)))hand_over_pointer(pointer))

/* Takes the descriptor out of *fd, so that its guard finds -1. */
static inline int hand_over_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
