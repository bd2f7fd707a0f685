/* SPDX-License-Identifier: MIT */
/* What a source file is called as a module. Raw text of the target, as all names are. */
#ifndef FORMATS_MODULE_NAME_H
#define FORMATS_MODULE_NAME_H

#include "base/buffer.h"

#include <stdint.h>

struct profile;

/*
 * Appends "torch.nn.functional" for torch/nn/functional.py, "torch" for torch/__init__.py, "os" for <frozen os>. Where
 * the package begins, the short file says; without one the folder of installed packages does; without that the
 * file's name alone is taken. Other names in angle brackets stay as they are. Never appends nothing.
 */
void module_name_append(struct buffer *out, const struct profile *profile, uint32_t file);

/*
 * Appends the name of a native frame's library: "numpy" for one in that installed package, also in its folder
 * numpy.libs; "libc" for libc.so.6; else the file's name alone. Nothing where only a source is known, but for Python's
 * own.
 */
void library_name_append(struct buffer *out, const struct profile *profile, uint32_t file);

/* The length of the outermost package in a module's name. */
size_t module_name_top(const char *name, size_t len);

#endif
