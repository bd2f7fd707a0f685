/* SPDX-License-Identifier: MIT */
/*
 * The file in which a recording is kept while it is made. It has a name, so that what ends us does not end it, and
 * goes when the result is written.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include "base/error.h"

struct store {
    char *path;
    int fd;
};

/*
 * Makes the file: beside a result, "flame.svg.1234.pyspyc"; or where that is NULL, or its folder cannot be written to,
 * in the user's folder for such things ($XDG_STATE_HOME/pyspyc, ~/.local/state/pyspyc), or at last in $TMPDIR.
 */
struct error *store_open(const char *result, struct store *ret);

/* Leaves the file where it is. */
void store_keep(struct store *store);

/* The file goes with us, whatever ends us: it has no name from now on, and cannot be kept. */
void store_drop_name(struct store *store);

/* Removes the file, unless it was kept. Accepts a zeroed struct with fd -1. */
void store_deinit(struct store *store);

#define cleanup_store __attribute__((cleanup(store_deinit)))

#endif
