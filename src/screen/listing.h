/* SPDX-License-Identifier: MIT */
/* The rows of a model: chosen, sorted, and of a tree those that are unfolded. */
#ifndef SCREEN_LISTING_H
#define SCREEN_LISTING_H

#include "base/table.h"
#include "screen/rows.h"

#include <stdbool.h>
#include <stdint.h>

struct shape;

/* A row of a tree that was opened or closed, by somebody or because it took so much of the time. */
struct listing_opening {
    uint64_t id;
    bool is_open;
};

struct listing {
    struct model_row *rows;
    uint32_t count, capacity;
    struct listing_opening *openings;
    uint32_t opening_count, opening_capacity;
    struct table opening_table;
};

/* Accepts a zeroed struct. */
void listing_deinit(struct listing *listing);

/* Forgets the rows. */
void listing_clear(struct listing *listing);

/* Makes the rows anew. False without memory. */
bool listing_make(struct listing *listing, const struct shape *shape, const struct model_settings *settings);

void listing_open(struct listing *listing, uint64_t id, bool is_open);

#endif
