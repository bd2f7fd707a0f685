/* SPDX-License-Identifier: MIT */
/*
 * The file in which a recording is kept while it is made. It has a name, so that what ends us does not end it, and
 * goes when the result is written.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include "base/error.h"
#include "place.h"

#include <stdbool.h>
#include <stdint.h>

struct store {
    struct place place;
    int fd;
    uint32_t choice; /* which of the places it is */
    bool is_named;   /* the file is there under its name, and goes with us */
};

/*
 * Makes the file: beside a result, "flame.svg.1234.pyspyc"; or where that is NULL, or its folder cannot be written to,
 * in the user's folder for such things ($XDG_STATE_HOME/pyspyc, ~/.local/state/pyspyc), or at last in $TMPDIR.
 */
struct error *store_open(const struct place *result, struct store *ret);

/* Makes another file in the place that comes after a store's, when that one is full. */
struct error *store_open_next(const struct store *store, struct store *ret);

/* Whether the file is there under its name. */
bool store_is_there(const struct store *store);

/* Whether nothing was saved in it, but that it is a recording. */
bool store_is_empty(const struct store *store);

/* Leaves the file where it is. */
void store_keep(struct store *store);

/* The file goes with us, whatever ends us: it has no name from now on, and cannot be kept. */
void store_drop_name(struct store *store);

/* Removes the file, unless it was kept. Accepts a zeroed struct with descriptors -1. */
void store_deinit(struct store *store);

#define cleanup_store __attribute__((cleanup(store_deinit)))

/* For a store that is not open. */
#define STORE_NONE                                                                                                     \
    {                                                                                                                  \
        .place = {.folder = -1}, .fd = -1                                                                              \
    }

#endif
