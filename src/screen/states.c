/* SPDX-License-Identifier: MIT */
#include "states.h"

#include <string.h>

void states_list(const struct model_load *load, struct state_share ret[STATE_COUNT])
{
    const struct state_share states[STATE_COUNT] = {
        {"Active", "Act", TONE_BUSY, load->active}, {"CPU", "CPU", TONE_BUSY, load->cpu},
        {"GIL", "GIL", TONE_BUSY, load->gil},       {"GIL wait", "wait", TONE_BAD, load->gil_wait},
        {"GC", "GC", TONE_BAD, load->collecting},   {"Idle", "Idle", TONE_QUIET, load->nobody},
        {"Lost", "Lost", TONE_BAD, load->lost},
    };
    memcpy(ret, states, sizeof(states));
}
