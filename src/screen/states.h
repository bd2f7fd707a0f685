/* SPDX-License-Identifier: MIT */
/* What a program did in the last step, as names and shares, for all who show it. */
#ifndef SCREEN_STATES_H
#define SCREEN_STATES_H

#include "screen/model.h"

enum { STATE_COUNT = 7 };

enum state_tone {
    TONE_BUSY,
    TONE_QUIET,
    TONE_BAD, /* worth a look when it is not 0 */
};

struct state_share {
    const char *name;       /* for people */
    const char *short_name; /* where there is little room */
    enum state_tone tone;
    double share; /* below 0: not known */
};

void states_list(const struct model_load *load, struct state_share ret[STATE_COUNT]);

#endif
