/* SPDX-License-Identifier: MIT */
/* The rows of a live view, and the ways in which they can be made. */
#ifndef SCREEN_ROWS_H
#define SCREEN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_FILTER_SIZE = 128, MODEL_NONE = UINT32_MAX };

enum model_view {
    MODEL_FLAT,
    MODEL_TREE,    /* from the outermost frames to what they call */
    MODEL_CALLERS, /* from what took time itself to its callers */
};

/* What is told apart. */
enum model_grouping {
    MODEL_MERGED,
    MODEL_THREADS,
    MODEL_PROCESSES,
};

/* Numbered as the keys that sort by them. */
enum model_column {
    MODEL_OWN_SHARE = 1, /* of the last step */
    MODEL_TOTAL_SHARE,
    MODEL_OWN_TIME, /* since the beginning */
    MODEL_TOTAL_TIME,
    MODEL_NAME,
    MODEL_COLUMNS,
};

struct model_settings {
    enum model_view view;
    enum model_grouping grouping;
    bool by_line; /* rows are lines, not functions */
    bool only_gil;
    bool with_idle;
    bool full_filenames;
    enum model_column column;
    bool is_reversed;               /* least first */
    char filter[MODEL_FILTER_SIZE]; /* only rows with this text, of a group those below it; "": all */
};

struct model_row {
    uint64_t id;    /* of the same thing, the same in each list that was made in the same way */
    uint32_t frame; /* of model_profile(); MODEL_NONE for the root of a group */
    uint32_t group; /* a thread or process; MODEL_NONE where they are put together */
    uint32_t depth; /* in a tree */
    bool has_children, is_open;
    uint64_t own_now, total_now, own_all, total_all;
};

#endif
