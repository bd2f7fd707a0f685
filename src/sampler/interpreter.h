/* SPDX-License-Identifier: MIT */
/*
 * Finding the interpreter of a target, live or not: which files to open, in which order, and how far to go.
 */
#ifndef SAMPLER_INTERPRETER_H
#define SAMPLER_INTERPRETER_H

#include "base/error.h"

struct mapping;
struct maps;
struct memory;
struct module_opener;
struct python_runtime;

/*
 * Looks into the executable and what is named after Python; then into every other file with code in it; then for a
 * Python without symbols, whose symbols may be in a file of their own; and at last into the data. Errors: those of
 * python_runtime_find(), and those of opening the executable. executable: one of its mappings, or NULL where it is not
 * known.
 */
struct error *interpreter_find(const struct module_opener *opener, const struct mapping *executable,
                               const struct maps *maps, struct memory *memory, struct python_runtime *ret);

#endif
