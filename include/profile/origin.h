/* SPDX-License-Identifier: MIT */
/*
 * Whose code a frame is, as far as its file tells. The program may say anything in there, so this is a guess for people
 * who look at a profile, and nothing may depend on it.
 *
 * Native code is told by its library, or where that is known by its source: a library in an installed package is the
 * package's; Python itself, executable, library and lib-dynload, is the standard library, and what in it only imports
 * is of the import system; the rest of the system's libraries, as libc, is nobody's; what is elsewhere is own.
 */
#ifndef PROFILE_ORIGIN_H
#define PROFILE_ORIGIN_H

#include <stdint.h>

struct profile;

enum frame_origin {
    ORIGIN_NONE,    /* no code: processes, threads and marks; the kernel, and libraries of the system */
    ORIGIN_OWN,     /* the program's own, and all that is not known to be something else */
    ORIGIN_PACKAGE, /* installed packages: site-packages, dist-packages */
    ORIGIN_STDLIB,  /* the standard library and what is frozen into the interpreter, */
    ORIGIN_IMPORT,  /* and the part of it that imports modules */
};

enum frame_origin profile_frame_origin(const struct profile *profile, uint32_t frame);

#endif
