/* SPDX-License-Identifier: MIT */
/*
 * The guest that makes a live view of a recording: takes what is new, and shows it on a screen or writes it as text.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include "base/error.h"
#include "screen/rows.h"
#include "screen/screen_options.h"
#include "supervisor.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;
struct model;
struct picture_options;
struct screen;
struct top_output;

struct top_view {
    struct feed *feed;
    struct model *model;
    struct model_settings settings;
    uint64_t delay_ns;
    bool is_once, is_json;
    uint32_t rows;   /* of a table of text; 0: all */
    uint64_t due_ns; /* when the next refresh is; 0: as soon as there is something */

    /* Of a screen. */
    bool use_ascii;        /* the terminal has nothing else */
    bool has_screen;       /* it is to be shown on one */
    struct screen *screen; /* from the first refresh on */
    struct recording *recording;
    const struct picture_options *picture;
    struct top_output *output; /* of the program that we started; NULL: there is none */
    bool with_processes, with_native, with_idle;
    bool is_complete;     /* the process has ended, and everything of it is shown */
    bool is_program_left; /* it is to run on, without us */
    bool is_program_ended;
    char *save_path;
    struct screen_services services; /* see top_services.h */
    struct supervisor_guest guest;
};

/* Finds out what letters the terminal has; before there is a second thread. */
void top_view_choose_letters(struct top_view *view);

/* Makes the guest. */
void top_view_prepare(struct top_view *view);

/* Gives the terminal back. */
void top_view_close(struct top_view *view);

/* Accepts a zeroed struct. */
void top_view_deinit(struct top_view *view);

#endif
