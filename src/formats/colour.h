/* SPDX-License-Identifier: MIT */
/*
 * The colour of a frame: a family that says whose code it is, and a shade that stays the same from run to run. The
 * colours themselves stand in flamegraph.css, for light and dark.
 */
#ifndef FORMATS_COLOUR_H
#define FORMATS_COLOUR_H

#include <stdint.h>

struct profile;

enum colour_family {
    COLOUR_OWN,     /* the program's own code */
    COLOUR_PACKAGE, /* installed packages: site-packages, dist-packages */
    COLOUR_STDLIB,  /* the standard library and what is frozen into the interpreter */
    COLOUR_IMPORT,  /* the import system: importlib, frozen or not */
    COLOUR_NATIVE,  /* what was compiled to machine code: C, C++, Rust, Cython; Python's own C code, too */
    COLOUR_KERNEL,  /* system calls */
    COLOUR_GC,      /* the garbage collector */
    COLOUR_IDLE,    /* waiting */
    COLOUR_ROOT,    /* processes, threads, and places without a function */
    COLOUR_FAMILIES,
};

enum { COLOUR_SHADES = 8 };

struct colour {
    enum colour_family family;
    uint32_t shade; /* below COLOUR_SHADES */
};

struct colour colour_of_frame(const struct profile *profile, uint32_t frame);

/* What the legend calls a family. */
const char *colour_family_title(enum colour_family family);

/* The letter that the classes of a family start with in the style sheet; a shade follows: "o3". */
char colour_family_letter(enum colour_family family);

#endif
