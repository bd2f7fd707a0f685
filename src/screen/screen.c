/* SPDX-License-Identifier: MIT */
#include "screen/screen.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "view_state.h"

#include <string.h>

bool screen_set_letters(void)
{
    return terminal_set_letters();
}

struct error *screen_create(const struct screen_options *options, struct model *model, struct model_settings *settings,
                            struct screen **ret)
{
    cleanup_screen struct screen *screen = calloc(1, sizeof(*screen));
    if (!screen)
        return error_no_memory();
    screen->options = *options;
    screen->model = model;
    screen->settings = settings;
    struct error *error =
        terminal_init(&screen->terminal, options->in, options->out, options->use_colour, options->use_ascii);
    if (error)
        return error;
    *ret = hand_over(&screen);
    return NULL;
}

void screen_destroy(struct screen *screen)
{
    if (!screen)
        return;
    pager_deinit(&screen->pager);
    terminal_deinit(&screen->terminal);
    free(screen);
}

int screen_fd(const struct screen *screen)
{
    return fileno(screen->options.in);
}

bool screen_is_paused(const struct screen *screen)
{
    return screen->is_paused;
}

void screen_set_state(struct screen *screen, const char *state, bool has_ended)
{
    screen->state = state;
    screen->has_ended = has_ended;
}

const struct model_row *view_row(const struct screen *screen)
{
    uint32_t count;
    const struct model_row *rows = model_rows(screen->model, &count);
    return screen->cursor < count ? &rows[screen->cursor] : NULL;
}

void view_say_error(struct screen *screen, struct error *error)
{
    cleanup_buffer struct buffer shown = {0};
    if (!error)
        return;
    escape_visible(&shown, error->sentence, strlen(error->sentence));
    snprintf(screen->message, sizeof(screen->message), "%s", buffer_text(&shown));
    error_destroy(error);
}

/* Finds the row that the cursor was on. */
static void follow_row(struct screen *screen)
{
    uint32_t count;
    const struct model_row *rows = model_rows(screen->model, &count);
    for (uint32_t i = 0; screen->is_following && i < count; i++) {
        if (rows[i].id != screen->cursor_id)
            continue;
        screen->first += i > screen->cursor && screen->first > 0 ? i - screen->cursor : 0;
        screen->cursor = i;
        break;
    }
    if (screen->cursor >= count)
        screen->cursor = count > 0 ? count - 1 : 0;
    if (count > 0)
        screen->cursor_id = rows[screen->cursor].id;
}

static void keep_in_sight(struct screen *screen)
{
    uint32_t count, page = view_page_len(screen);
    model_rows(screen->model, &count);
    if (screen->cursor < screen->first)
        screen->first = screen->cursor;
    if (screen->cursor >= screen->first + page)
        screen->first = screen->cursor - page + 1;
    if (screen->first + page > count)
        screen->first = count > page ? count - page : 0;
}

void view_move_to(struct screen *screen, int64_t row)
{
    uint32_t count;
    const struct model_row *rows = model_rows(screen->model, &count);
    if (row >= (int64_t)count)
        row = (int64_t)count - 1;
    if (row < 0)
        row = 0;
    screen->cursor = (uint32_t)row;
    /* At the top one wants to see what is at the top. */
    screen->is_following = row > 0;
    screen->cursor_id = count > 0 ? rows[row].id : 0;
    keep_in_sight(screen);
}

void view_search(struct screen *screen, uint32_t from, int step)
{
    uint32_t count;
    const struct model_row *rows = model_rows(screen->model, &count);
    if (screen->search[0] == '\0')
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)((from + (int64_t)step * i + 2 * (int64_t)count) % count);
        if (model_matches(screen->model, &rows[at], screen->search)) {
            view_move_to(screen, at);
            return;
        }
    }
    snprintf(screen->message, sizeof(screen->message), "no row has this text");
}

void view_list(struct screen *screen)
{
    view_say_error(screen, model_list(screen->model, screen->settings));
    follow_row(screen);
    keep_in_sight(screen);
}

void screen_show(struct screen *screen)
{
    terminal_follow_size(&screen->terminal);
    view_list(screen);
    view_draw(screen);
}

enum screen_wish screen_take_keys(struct screen *screen)
{
    wint_t key;
    bool has_changed = false;
    int kind;
    terminal_follow_size(&screen->terminal);
    while (screen->wish == SCREEN_GO_ON && (kind = get_wch(&key)) != ERR) {
        bool is_code = kind == KEY_CODE_YES;
        has_changed = true;
        if (is_code && key == KEY_RESIZE)
            continue;
        screen->message[0] = '\0';
        if (screen->prompt.kind != PROMPT_NONE)
            view_take_prompt_key(screen, key, is_code);
        else if (!is_code && key > 0xff) /* a letter that no command has; it may have a code's number */
            continue;
        else if (!screen->pager.is_open || !pager_take_key(&screen->pager, (int)key))
            view_take_key(screen, (int)key);
    }
    if (has_changed && screen->wish == SCREEN_GO_ON)
        screen_show(screen);
    return screen->wish;
}

void screen_leave(struct screen *screen)
{
    terminal_leave(&screen->terminal);
}

void screen_come_back(struct screen *screen)
{
    terminal_come_back(&screen->terminal);
    screen_show(screen);
}
