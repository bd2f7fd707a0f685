/* SPDX-License-Identifier: MIT */
#include "top_view.h"

#include "sampler/recording.h"
#include "screen/feed.h"
#include "screen/text.h"
#include "supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { MS = 1000000, WAITING_MS = 100 /* between looks for a first sample */ };

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int top_view_timeout_ms(void *context)
{
    const struct top_view *view = context;
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (view->due_ns == 0)
        return WAITING_MS;
    return view->due_ns <= now ? 0 : (int)((view->due_ns - now + MS - 1) / MS);
}

/* Whether it is time for a refresh; then the next one is due a delay later. */
static bool take_refresh(struct top_view *view, const struct supervisor *supervisor)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (recording_state(supervisor->recording) == RECORDING_WAITING)
        return false;
    bool is_due = view->due_ns != 0 && now >= view->due_ns;
    if (view->due_ns == 0 || view->due_ns + view->delay_ns <= now)
        view->due_ns = now + view->delay_ns;
    else if (is_due)
        view->due_ns += view->delay_ns;
    return is_due;
}

static struct error *write_step(const struct top_view *view)
{
    struct error *error = view->is_json ? text_write_json(view->model, &view->settings, view->rows,
                                                          (double)now_ns(CLOCK_REALTIME) / 1e9, stdout)
                                        : text_write_table(view->model, &view->settings, view->rows, stdout);
    if (error)
        return error;
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_from_errno(errno, "cannot write to standard output");
    return NULL;
}

struct error *top_view_write(void *context, const struct supervisor *supervisor, bool *ret_is_finished)
{
    struct top_view *view = context;
    bool is_due = take_refresh(view, supervisor);
    bool is_last = supervisor->has_ended && view->due_ns != 0;
    if (!is_due && !is_last && !recording_is_full(supervisor->recording))
        return NULL;
    struct error *error = recording_hand_over(supervisor->recording, supervisor->process, &feed_taker, view->feed);
    if (!error)
        error = model_update(view->model, !is_due && !is_last);
    if (!error && (is_due || is_last))
        error = model_list(view->model, &view->settings);
    if (!error && (is_due || is_last))
        error = write_step(view);
    *ret_is_finished = is_last || (is_due && view->is_once);
    return error;
}
