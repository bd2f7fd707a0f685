/* SPDX-License-Identifier: MIT */
/*
 * The guest that makes a live view of a recording: takes what is new, and shows it on a screen or writes it as text.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include "base/error.h"
#include "screen/model.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;
struct supervisor;

struct top_view {
    struct feed *feed;
    struct model *model;
    struct model_settings settings;
    uint64_t delay_ns;
    bool is_once, is_json;
    uint32_t rows;   /* of a table of text; 0: all */
    uint64_t due_ns; /* when the next refresh is; 0: as soon as there is something */
};

/* A turn of a view that writes text to standard output: see struct supervisor_guest. */
struct error *top_view_write(void *context, const struct supervisor *supervisor, bool *ret_is_finished);

/* Until the next refresh. */
int top_view_timeout_ms(void *context);

#endif
