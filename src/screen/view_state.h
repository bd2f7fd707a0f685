/* SPDX-License-Identifier: MIT */
/* What a screen remembers between two keys, for its parts alone. */
#ifndef SCREEN_VIEW_STATE_H
#define SCREEN_VIEW_STATE_H

#include "pager.h"
#include "prompt.h"
#include "screen/model.h"
#include "screen/screen_options.h"
#include "terminal.h"

enum { MESSAGE_SIZE = 512, COLUMN_LIMIT = 4 };

/* A column of numbers that is shown now. */
struct shown_column {
    enum model_column column;
    int at, width;
};

struct screen {
    struct screen_options options;
    struct model *model;
    struct model_settings *settings; /* the caller's */
    struct terminal terminal;
    struct pager pager;
    struct prompt prompt;
    enum screen_wish wish;
    const char *state; /* of the process */
    bool has_ended;
    bool is_paused;

    uint32_t cursor;    /* index of a row, */
    uint64_t cursor_id; /* and which one that is */
    bool is_following;  /* the cursor was moved: it stays on its row, wherever that goes */
    uint32_t first;     /* row that is shown at the top */

    char search[MODEL_FILTER_SIZE];
    uint32_t search_from;       /* where the cursor was when the search began */
    char message[MESSAGE_SIZE]; /* until the next key */

    /* Where things were drawn, for the mouse. */
    int head_row, list_row;
    struct shown_column columns[COLUMN_LIMIT];
    int column_count;
};

/* How many rows of the list there is room for. */
uint32_t view_page_len(const struct screen *screen);

/* Draws everything. */
void view_draw(struct screen *screen);

/* Does what a key says that is no part of a prompt or pager. */
void view_take_key(struct screen *screen, int key);

/* The same for what is typed into a prompt. */
void view_take_prompt_key(struct screen *screen, unsigned key, bool is_code);

/* Moves the cursor to a row, and keeps it in sight. */
void view_move_to(struct screen *screen, int64_t row);

/* Finds the next row with the text that is searched for, from a row on, and goes there. */
void view_search(struct screen *screen, uint32_t from, int step);

/* The row under the cursor; NULL when there is none. */
const struct model_row *view_row(const struct screen *screen);

/* Makes the rows anew, as something else is to be shown. */
void view_list(struct screen *screen);

/* Shows an error in place of the keys, and destroys it. Accepts NULL. */
void view_say_error(struct screen *screen, struct error *error);

#endif
