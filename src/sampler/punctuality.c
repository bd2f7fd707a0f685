/* SPDX-License-Identifier: MIT */
#include "punctuality.h"

static void begin_window(struct punctuality *punctuality)
{
    punctuality->wake_ups = punctuality->late = 0;
}

void punctuality_note_work(struct punctuality *punctuality, uint64_t worked_ns)
{
    if (!punctuality->has_precedence || worked_ns <= PUNCTUALITY_WORK_NS)
        return;
    *punctuality = (struct punctuality){.is_barred = true};
}

void punctuality_note_wake_up(struct punctuality *punctuality, uint64_t late_ns)
{
    bool is_term = punctuality->has_precedence || punctuality->is_barred;
    punctuality->wake_ups++;
    punctuality->late += late_ns > PUNCTUALITY_LATE_NS;
    if (!is_term && punctuality->late >= PUNCTUALITY_LATE_LIMIT) {
        punctuality->has_precedence = true;
        begin_window(punctuality);
    } else if (punctuality->wake_ups == (is_term ? PUNCTUALITY_TERM : PUNCTUALITY_WINDOW)) {
        punctuality->has_precedence = punctuality->is_barred = false;
        begin_window(punctuality);
    }
}
