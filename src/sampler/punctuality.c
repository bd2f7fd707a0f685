/* SPDX-License-Identifier: MIT */
#include "punctuality.h"

static void begin_window(struct punctuality *punctuality)
{
    punctuality->wake_ups = punctuality->late = punctuality->long_works = 0;
}

static void begin_term(struct punctuality *punctuality, uint64_t now_ns, bool has_precedence)
{
    punctuality->has_precedence = has_precedence;
    punctuality->is_barred = !has_precedence;
    punctuality->term_end_ns = now_ns + PUNCTUALITY_TERM_NS;
    begin_window(punctuality);
}

static void end_term(struct punctuality *punctuality)
{
    punctuality->has_precedence = punctuality->is_barred = false;
    begin_window(punctuality);
}

void punctuality_note_sleep(struct punctuality *punctuality, uint64_t now_ns)
{
    if (!punctuality->has_precedence || now_ns - punctuality->woken_ns <= PUNCTUALITY_WORK_NS)
        return;
    if (++punctuality->long_works >= PUNCTUALITY_LONG_LIMIT)
        begin_term(punctuality, now_ns, false);
}

/* In a window, the wake-ups are counted. */
static void count_wake_up(struct punctuality *punctuality, uint64_t now_ns, uint64_t late_ns)
{
    punctuality->late += !punctuality->has_precedence && late_ns > PUNCTUALITY_LATE_NS;
    if (punctuality->late >= PUNCTUALITY_LATE_LIMIT)
        begin_term(punctuality, now_ns, true);
    else if (++punctuality->wake_ups == PUNCTUALITY_WINDOW)
        begin_window(punctuality);
}

void punctuality_note_wake_up(struct punctuality *punctuality, uint64_t now_ns, uint64_t late_ns)
{
    bool is_term = punctuality->has_precedence || punctuality->is_barred;
    punctuality->woken_ns = now_ns;
    if (is_term && now_ns >= punctuality->term_end_ns)
        end_term(punctuality);
    else if (!punctuality->is_barred)
        count_wake_up(punctuality, now_ns, late_ns);
}
