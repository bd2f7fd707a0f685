/* SPDX-License-Identifier: MIT */
#include "top_view.h"

#include "terminal.h"
#include "top_output.h"

#include "formats/tree_options.h"
#include "sampler/recording.h"
#include "screen/feed.h"
#include "screen/model.h"
#include "screen/screen.h"
#include "screen/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000000, WAITING_MS = 100 /* between looks for a first sample */ };

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Until the next refresh. */
static int timeout_ms(void *context)
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

/* Takes what is new. */
static struct error *update(struct top_view *view, const struct supervisor *supervisor, bool is_put_aside)
{
    struct error *error = recording_hand_over(supervisor->recording, supervisor->process, &feed_taker, view->feed);
    return error ? error : model_update(view->model, is_put_aside);
}

static struct error *write_step(const struct top_view *view)
{
    double time = (double)now_ns(CLOCK_REALTIME) / 1e9;
    struct error *error = model_list(view->model, &view->settings);
    if (!error)
        error = view->is_json ? text_write_json(view->model, view->rows, time, stdout)
                              : text_write_table(view->model, &view->settings, view->rows, stdout);
    if (error)
        return error;
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_from_errno(errno, "cannot write to standard output");
    return NULL;
}

/* Whether nobody reads any more what is written (top | head). */
static bool has_lost_reader(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

/* A turn of a view that writes text to standard output. */
static struct error *write_text(void *context, const struct supervisor *supervisor, bool *ret_is_finished)
{
    struct top_view *view = context;
    bool is_due = take_refresh(view, supervisor);
    bool is_last = supervisor->has_ended && view->due_ns != 0;
    if (!is_due && !is_last && !recording_is_full(supervisor->recording))
        return NULL;
    struct error *error = update(view, supervisor, !is_due && !is_last);
    if (!error && (is_due || is_last))
        error = write_step(view);
    *ret_is_finished = is_last || (is_due && view->is_once);
    if (!error || !has_lost_reader())
        return error;
    error_destroy(error);
    *ret_is_finished = true;
    return NULL;
}

static struct error *open_screen(struct top_view *view, bool has_program)
{
    const struct screen_options options = {
        .in = stdin,
        .out = stdout,
        .use_colour = terminal_has_colour(STDOUT_FILENO),
        .use_ascii = view->use_ascii,
        .has_program = has_program,
        .has_idle = view->with_idle,
        .save_path = view->save_path,
        .services = view->services,
    };
    struct error *error = screen_create(&options, view->model, &view->settings, &view->screen);
    if (!error)
        view->guest.fd = screen_fd(view->screen);
    return error;
}

static void set_state(const struct top_view *view, const struct supervisor *supervisor)
{
    const char *state = view->is_complete ? "ENDED" : supervisor->is_paused ? "SIGUSR2 paused it" : NULL;
    screen_set_state(view->screen, state, supervisor->has_ended);
}

/* Whether nobody can press a key any more. */
static bool has_lost_terminal(const struct top_view *view)
{
    struct pollfd keys = {.fd = view->guest.fd, .events = POLLIN};
    return poll(&keys, 1, 0) > 0 && (keys.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void take_keys(struct top_view *view, bool *ret_is_finished)
{
    enum screen_wish wish = screen_take_keys(view->screen);
    view->is_program_left = wish == SCREEN_LEAVE;
    view->is_program_ended = wish == SCREEN_END_PROGRAM;
    *ret_is_finished = wish != SCREEN_GO_ON || has_lost_terminal(view);
}

/* A turn of a view on a screen. */
static struct error *show_screen(void *context, const struct supervisor *supervisor, bool *ret_is_finished)
{
    struct top_view *view = context;
    struct error *error = NULL;
    bool is_due = take_refresh(view, supervisor);
    bool is_over = supervisor->has_ended && recording_state(supervisor->recording) != RECORDING_RUNNING;
    if (view->due_ns == 0)
        return NULL;
    if (!view->screen)
        error = open_screen(view, supervisor->child > 0);
    if (error)
        return error;
    if (view->output)
        top_output_trim(view->output);
    bool is_last = is_over && !view->is_complete;
    if (!view->is_complete && (is_due || is_last || recording_is_full(supervisor->recording)))
        error = update(view, supervisor, screen_is_paused(view->screen) || !(is_due || is_last));
    view->is_complete |= is_over;
    set_state(view, supervisor);
    if (!error && (is_due || is_last))
        screen_show(view->screen);
    take_keys(view, ret_is_finished);
    return error;
}

static void leave(void *context)
{
    struct top_view *view = context;
    if (view->screen)
        screen_leave(view->screen);
}

static void come_back(void *context)
{
    struct top_view *view = context;
    if (view->screen)
        screen_come_back(view->screen);
}

void top_view_choose_letters(struct top_view *view)
{
    struct tree_options layout = {0};
    terminal_describe(STDOUT_FILENO, &layout);
    view->use_ascii = layout.use_ascii || !screen_set_letters() || !terminal_has_blocks();
}

void top_view_prepare(struct top_view *view)
{
    view->guest = (struct supervisor_guest){
        .context = view,
        .fd = -1,
        .stays = view->has_screen,
        .timeout_ms = timeout_ms,
        .take_turn = view->has_screen ? show_screen : write_text,
        .leave = leave,
        .come_back = come_back,
    };
}

void top_view_close(struct top_view *view)
{
    screen_destroy(view->screen);
    view->screen = NULL;
    view->guest.fd = -1;
}

void top_view_deinit(struct top_view *view)
{
    top_view_close(view);
    model_destroy(view->model);
    feed_destroy(view->feed);
    free(view->save_path);
}
