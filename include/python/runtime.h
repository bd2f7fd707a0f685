/* SPDX-License-Identifier: MIT */
/*
 * Finding a CPython in a target: where its runtime is, which version it has, and how to read it.
 *
 * Nothing here knows whose memory it is: a live process, a copy or a test's bytes. What is found belongs to one program
 * in one target; after an exec it has to be looked for again.
 */
#ifndef PYTHON_RUNTIME_H
#define PYTHON_RUNTIME_H

#include "base/error.h"
#include "memory/maps.h"
#include "memory/memory.h"
#include "python/data.h"
#include "python/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout;
struct loaded_image;

struct python_runtime {
    struct python_version version;
    remote_addr address;        /* of _PyRuntime; to 3.6 of interp_head, which is all that there is of it */
    remote_addr current_thread; /* to 3.6, if known: of _PyThreadState_Current, which has the GIL; else 0 */
    remote_addr code_type;      /* of PyCode_Type; 0 when not known */
    uint8_t unicode_len;        /* 2.7: bytes of a character of a unicode object; else 0 */
    bool is_untested;           /* nobody has seen this version work: a pre-release, or newer than what is known */
    struct layout *layout;      /* owned */
};

/*
 * Looks for an interpreter in a file by its sections and symbols. Whether it is the one that runs,
 * python_runtime_is_ready() tells: a file may have one in it that another file's takes the place of. Errors:
 * ERROR_NOT_PYTHON, ERROR_UNSUPPORTED_VERSION when there is no layout for it, ERROR_NOT_READY while its version cannot
 * be told.
 */
struct error *python_runtime_find(const struct loaded_image *image, struct memory *memory, struct python_runtime *ret);

/* Whether the data of a file look as if a Python were in it, with or without symbols. */
bool python_is_in_data(const struct python_data *data, struct memory *memory);

/*
 * Looks for an interpreter in the data of a file that no symbols are known of. Reads all of the data, once or twice;
 * the errors are the same. ERROR_NOT_PYTHON is also said of an interpreter that is not up yet.
 */
struct error *python_runtime_scan(const struct python_data *data, const struct maps *maps, struct memory *memory,
                                  struct python_runtime *ret);

/*
 * Chooses how to read an interpreter of which everything else is known. python_runtime_find() has done it; this is for
 * who has the addresses from elsewhere. ERROR_UNSUPPORTED_VERSION as above, ERROR_BAD_DATA when the target's own debug
 * offsets contradict themselves; then the runtime has no layout, or one that python_runtime_deinit() takes away.
 */
struct error *python_runtime_set_layout(struct python_runtime *runtime, struct memory *memory);

/* Accepts a zeroed struct. */
void python_runtime_deinit(struct python_runtime *runtime);

/* Whether the interpreter is up, that is, has a thread. */
bool python_runtime_is_ready(const struct python_runtime *runtime, struct memory *memory);

#define cleanup_python_runtime __attribute__((cleanup(python_runtime_deinit)))

#endif
