/* SPDX-License-Identifier: MIT */
/* Text of many lines over the whole screen, to be scrolled in both directions. */
#ifndef SCREEN_PAGER_H
#define SCREEN_PAGER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct terminal;

struct pager {
    struct buffer text; /* harmless; lines end with a newline */
    char title[80];
    uint32_t line_count;
    uint32_t first; /* line that is shown at the top, */
    uint32_t left;  /* and column at the left */
    bool is_open;
};

/* Accepts a zeroed struct. */
void pager_deinit(struct pager *pager);

/* Shows a text from its beginning on, or from its end. Takes the buffer over. */
void pager_open(struct pager *pager, const char *title, struct buffer *text, bool at_end);

void pager_draw(struct pager *pager, const struct terminal *terminal);

/* Does what a key says. False: it is none of the pager's. */
bool pager_take_key(struct pager *pager, int key);

#endif
