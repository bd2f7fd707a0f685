/* SPDX-License-Identifier: MIT */
/*
 * What the file of a native frame is, as far as its name tells: where nothing else is known, as in a profile without
 * lines or in a file of another tool. A guess for people, on which nothing may depend.
 */
#ifndef PROFILE_NATIVE_FILE_H
#define PROFILE_NATIVE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct profile;
struct profile_frame;

/* A source file of C, C++, Rust, Cython, Fortran or another language that is compiled to machine code. */
bool native_file_is_source(const char *path, size_t len);

/* A shared library, as "libc.so.6", or Python's executable with a version, as "python3.11". */
bool native_file_is_library(const char *path, size_t len);

/* Python itself: its executable, its library, or a file of its sources. */
bool native_file_is_python(const char *path, size_t len);

/* Whether a frame is native and its file is the library with its code, not its source. */
bool native_frame_is_in_library(const struct profile *profile, const struct profile_frame *frame);

/* Where the last part of a path begins. */
size_t native_file_base(const char *path, size_t len);

#endif
