/* SPDX-License-Identifier: MIT */
/* What a screen looks like. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "profile/profile.h"
#include "states.h"
#include "view_state.h"

#include <inttypes.h>
#include <string.h>

enum {
    NARROW = 70,     /* columns below which words are short */
    LOW = 12,        /* rows of a terminal below which the curve is left out */
    WIDE = 150,      /* columns from which states have bars */
    BAR = 6,         /* columns of one */
    NAME_ROOM = 22,  /* columns that names need at least */
    PLACE_ROOM = 14, /* and of them a place, as long as a name can be read */
    BOTTOM_ROWS = 1,
};

static bool has_curve(void)
{
    return LINES >= LOW;
}

static int list_row(void)
{
    return has_curve() ? 4 : 3;
}

uint32_t view_page_len(const struct screen *screen)
{
    (void)screen;
    int rows = LINES - list_row() - BOTTOM_ROWS;
    return rows > 0 ? (uint32_t)rows : 1;
}

/* Writes with a style; returns how many columns it took. */
static int put_styled(const struct screen *screen, int row, int column, int columns, enum terminal_style style,
                      const char *text)
{
    attrset(terminal_style(&screen->terminal, style));
    int taken = terminal_put(&screen->terminal, row, column, columns, text);
    attrset(A_NORMAL);
    return taken;
}

/* The command, or where there is no room for it the program's short name. */
static void append_title(const struct profile *profile, int room, struct buffer *out)
{
    size_t len, short_len;
    uint32_t count;
    const struct profile_node *root = profile_nodes(profile, &count);
    const char *text = profile_string(profile, profile_get_info(profile)->title, &len);
    const char *name = profile_string(profile, profile_frame(profile, root->frame)->name, &short_len);
    if ((int)utf8_text_columns(text, len) <= room)
        escape_visible(out, text, len);
    else
        escape_visible(out, name, short_len);
}

static void draw_title(const struct screen *screen)
{
    cleanup_buffer struct buffer title = {0};
    char right[96] = "";
    const struct profile *profile = model_profile(screen->model);
    uint64_t interval_ns = model_interval_ns(screen->model);
    if (profile)
        snprintf(right, sizeof(right), " %s%s%s%.0f s, %.0f/s", screen->state ? screen->state : "",
                 screen->state ? ", " : "", screen->is_paused ? "PAUSED, " : "",
                 (double)model_whole_ns(screen->model) / 1e9, interval_ns > 0 ? 1e9 / (double)interval_ns : 0);
    int width = (int)strlen(right);
    if (profile)
        append_title(profile, COLS - width, &title);
    put_styled(screen, 0, 0, COLS - width, STYLE_GROUP, profile ? buffer_text(&title) : "waiting for a first sample");
    put_styled(screen, 0, COLS - width, width, screen->is_paused || screen->state ? STYLE_BAD : STYLE_PLAIN, right);
}

static enum terminal_style style_of(const struct state_share *state)
{
    static const double worth_a_look = 0.02;
    if (state->tone == TONE_BAD && state->share >= worth_a_look)
        return STYLE_BAD;
    return state->tone == TONE_BUSY ? STYLE_BUSY : STYLE_PLAIN;
}

/* A bar that is full at 100 %. */
static int draw_bar(const struct screen *screen, int row, int column, const struct state_share *state)
{
    char bar[BAR + 3] = "[";
    double share = state->share > 1 ? 1 : state->share;
    int full = (int)(share * BAR + 0.5);
    for (int i = 0; i < BAR; i++)
        bar[i + 1] = i < full ? '|' : ' ';
    bar[BAR + 1] = ']';
    bar[BAR + 2] = '\0';
    return put_styled(screen, row, column, COLS - column, style_of(state), bar);
}

/* Whether a state is worth the room: where there is little, only what happens is shown. */
static bool is_state_shown(const struct state_share *state)
{
    return state->share >= 0 && (COLS >= NARROW || state->tone != TONE_BAD || state->share >= 0.005);
}

static void draw_states(const struct screen *screen)
{
    struct state_share states[STATE_COUNT];
    const struct model_load load = model_load(screen->model);
    int column = 0, gap = COLS < NARROW ? 1 : 2;
    states_list(&load, states);
    for (int i = 0; i < STATE_COUNT; i++) {
        char text[48];
        const struct state_share *state = &states[i];
        if (!is_state_shown(state))
            continue;
        snprintf(text, sizeof(text), "%s%s%.0f%%", COLS < NARROW ? state->short_name : state->name,
                 COLS < NARROW ? "" : " ", 100 * state->share);
        if (COLS >= WIDE)
            column += draw_bar(screen, 1, column, state);
        if (column + (int)strlen(text) > COLS)
            break;
        column += put_styled(screen, 1, column, COLS - column, style_of(state), text) + gap;
    }
}

/* How busy the program was, the newest step at the right. */
static void draw_curve(const struct screen *screen)
{
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {" ", ".", ".", ":", ":", "+", "+", "#", "#"};
    const char *const *steps = screen->terminal.use_ascii ? letters : blocks;
    char label[48];
    uint32_t count;
    const float *history = model_history(screen->model, &count);
    float most = 1;
    snprintf(label, sizeof(label), "Load ");
    uint32_t room = COLS > 20 ? (uint32_t)COLS - 16 : 4;
    uint32_t shown = count < room ? count : room;
    for (uint32_t i = count - shown; i < count; i++)
        most = history[i] > most ? history[i] : most;
    int column = terminal_put(&screen->terminal, 2, 0, COLS, label);
    attrset(terminal_style(&screen->terminal, STYLE_BUSY));
    for (uint32_t i = count - shown; i < count; i++)
        column +=
            terminal_put(&screen->terminal, 2, column, COLS - column, steps[(int)(history[i] / most * 8 + 0.49F)]);
    attrset(A_NORMAL);
    snprintf(label, sizeof(label), " top %.1f", (double)most);
    terminal_put(&screen->terminal, 2, column, COLS - column, label);
}

struct column_kind {
    const char *name, *format;
    int width;
};

static const struct column_kind column_kinds[MODEL_COLUMNS] = {
    [MODEL_OWN_SHARE] = {"%Own", "%.0f%%", 7},
    [MODEL_TOTAL_SHARE] = {"%Total", "%.0f%%", 8},
    [MODEL_OWN_TIME] = {"OwnTime", "%.2fs", 10},
    [MODEL_TOTAL_TIME] = {"TotalTime", "%.2fs", 11},
};

static bool is_shown_column(const struct screen *screen, int room, enum model_column column)
{
    static const enum model_column order[] = {MODEL_OWN_SHARE, MODEL_TOTAL_SHARE, MODEL_OWN_TIME, MODEL_TOTAL_TIME};
    enum model_column sorted = screen->settings->column;
    if (sorted != MODEL_NAME)
        room -= column_kinds[sorted].width;
    if (column == sorted)
        return true;
    for (size_t i = 0; i < array_size(order); i++) {
        if (order[i] == sorted)
            continue;
        room -= column_kinds[order[i]].width;
        if (order[i] == column)
            return room >= NAME_ROOM;
    }
    return false;
}

/* The columns of numbers that there is room for; that which is sorted by always is among them. */
static int choose_columns(struct screen *screen)
{
    int at = 0;
    screen->column_count = 0;
    for (enum model_column column = MODEL_OWN_SHARE; column <= MODEL_TOTAL_TIME; column++) {
        if (!is_shown_column(screen, COLS, column))
            continue;
        screen->columns[screen->column_count++] = (struct shown_column){column, at, column_kinds[column].width};
        at += column_kinds[column].width;
    }
    return at;
}

static void draw_head(const struct screen *screen, int name_column)
{
    static const char *const views[] = {"", ", tree of calls", ", tree of callers"};
    char text[256];
    int row = screen->head_row;
    const struct model_settings *settings = screen->settings;
    attrset(terminal_style(&screen->terminal, STYLE_HEAD));
    mvhline(row, 0, ' ', COLS);
    attrset(A_NORMAL);
    for (int i = 0; i < screen->column_count; i++) {
        const struct shown_column *column = &screen->columns[i];
        bool is_sorted = column->column == settings->column;
        snprintf(text, sizeof(text), "%*s", column->width, column_kinds[column->column].name);
        put_styled(screen, row, column->at, column->width, is_sorted ? STYLE_SORTED : STYLE_HEAD, text);
    }
    snprintf(text, sizeof(text), "  %s%s%s%s%s%s%s", settings->by_line ? "Line" : "Function", views[settings->view],
             settings->grouping == MODEL_THREADS     ? ", by thread"
             : settings->grouping == MODEL_PROCESSES ? ", by process"
                                                     : "",
             settings->only_gil ? ", with the GIL" : "", settings->with_idle ? ", with idle" : "",
             settings->filter[0] ? ", filter: " : "", settings->filter);
    put_styled(screen, row, name_column, COLS - name_column, settings->column == MODEL_NAME ? STYLE_SORTED : STYLE_HEAD,
               text);
}

static void draw_numbers(const struct screen *screen, int at, const struct model_row *row)
{
    for (int i = 0; i < screen->column_count; i++) {
        char number[32], text[48];
        const struct shown_column *column = &screen->columns[i];
        double value = column->column == MODEL_OWN_SHARE     ? model_percent(screen->model, row->own_now)
                       : column->column == MODEL_TOTAL_SHARE ? model_percent(screen->model, row->total_now)
                       : column->column == MODEL_OWN_TIME    ? model_seconds(screen->model, row->own_all)
                                                             : model_seconds(screen->model, row->total_all);
        snprintf(number, sizeof(number), column->column <= MODEL_TOTAL_SHARE ? "%.1f%%" : "%.2fs", value);
        snprintf(text, sizeof(text), "%*s", column->width, number);
        terminal_put(&screen->terminal, at, column->at, column->width, text);
    }
}

/* Indentation, and whether the row is unfolded. What is too far in says how far. */
static int draw_fold(const struct screen *screen, int at, int column, int room, const struct model_row *row)
{
    char text[160];
    bool use_ascii = screen->terminal.use_ascii;
    const char *mark = !row->has_children ? " "
                       : row->is_open     ? (use_ascii ? "-" : "\u25be")
                                          : (use_ascii ? "+" : "\u25b8");
    bool is_flat = screen->settings->view == MODEL_FLAT && screen->settings->grouping == MODEL_MERGED;
    int indent = row->depth < 1000 ? 2 * (int)row->depth : 2000;
    if (is_flat)
        return 0;
    if (indent > room / 2)
        snprintf(text, sizeof(text), "%*s%u %s ", room / 2 > 6 ? room / 2 - 6 : 0, "", row->depth, mark);
    else
        snprintf(text, sizeof(text), "%*s%s ", indent, "", mark);
    return terminal_put(&screen->terminal, at, column, room, text);
}

static void draw_name(const struct screen *screen, int at, int column, const struct model_row *row, attr_t attributes)
{
    cleanup_buffer struct buffer name = {0}, place = {0}, whole = {0};
    const struct terminal *terminal = &screen->terminal;
    bool is_match = screen->search[0] && model_matches(screen->model, row, screen->search);
    attr_t style = terminal_style(terminal, is_match                   ? STYLE_MATCH
                                            : row->frame == MODEL_NONE ? STYLE_GROUP
                                                                       : STYLE_PLAIN);
    model_append_name(screen->model, row, &name);
    model_append_place(screen->model, row, screen->settings->full_filenames, &place);
    if (place.len > 0)
        buffer_format(&whole, "(%s)", buffer_text(&place));
    int room = COLS - column;
    int wanted = (int)utf8_text_columns(buffer_text(&name), name.len);
    int left = room - wanted - 1;
    int for_place = left > PLACE_ROOM ? left : PLACE_ROOM;
    int place_len = (int)utf8_text_columns(buffer_text(&whole), whole.len);
    for_place = place_len < for_place ? place_len : for_place;
    for_place = room < 2 * PLACE_ROOM && wanted + 1 + for_place > room ? room - wanted - 1 : for_place;
    attrset(style | attributes);
    int name_room = for_place > 0 ? room - for_place - 1 : room;
    int taken = terminal_put(terminal, at, column, name_room, buffer_text(&name));
    attrset(terminal_style(terminal, STYLE_FAINT) | attributes);
    if (for_place > 0)
        terminal_put_end(terminal, at, column + taken + 1, for_place, buffer_text(&whole));
    attrset(A_NORMAL);
}

static void draw_row(const struct screen *screen, int at, int name_column, const struct model_row *row, bool is_cursor)
{
    attr_t attributes = is_cursor ? A_REVERSE : 0;
    attrset(attributes);
    if (is_cursor)
        mvhline(at, 0, ' ', COLS);
    draw_numbers(screen, at, row);
    int column = name_column + 2;
    attrset(attributes);
    column += draw_fold(screen, at, column, COLS - column, row);
    draw_name(screen, at, column, row, attributes);
}

static void draw_list(const struct screen *screen, int name_column)
{
    uint32_t count, page = view_page_len(screen);
    const struct model_row *rows = model_rows(screen->model, &count);
    for (uint32_t i = 0; i < page && screen->first + i < count; i++)
        draw_row(screen, screen->list_row + (int)i, name_column, &rows[screen->first + i],
                 screen->first + i == screen->cursor);
    if (count == 0 && model_profile(screen->model))
        terminal_put(&screen->terminal, screen->list_row, 2, COLS - 2,
                     screen->settings->filter[0] ? "no row has the filter's text" : "nothing was seen running yet");
}

/* The keys, as many as there is room for. */
static void draw_keys(const struct screen *screen)
{
    static const char *const keys[] = {"? help",    "q quit",    "/ search",    "s save",     "1-4 sort", "e tree",
                                       "c callers", "t threads", "l lines",     "d dump",     "p pause",  "\\ filter",
                                       "r reset",   "g GIL",     "f filenames", "y processes"};
    cleanup_buffer struct buffer text = {0};
    for (size_t i = 0; i < array_size(keys); i++) {
        const char *gap = i > 0 ? "  " : "";
        if (text.len + strlen(gap) + strlen(keys[i]) > (size_t)COLS - 1)
            break;
        buffer_format(&text, "%s%s", gap, keys[i]);
    }
    put_styled(screen, LINES - 1, 0, COLS - 1, STYLE_FAINT, buffer_text(&text));
}

static void draw_bottom(const struct screen *screen)
{
    if (screen->prompt.kind != PROMPT_NONE)
        prompt_draw(&screen->prompt, &screen->terminal);
    else if (screen->message[0])
        put_styled(screen, LINES - 1, 0, COLS - 1, STYLE_BAD, screen->message);
    else if (model_has_forgotten(screen->model))
        put_styled(screen, LINES - 1, 0, COLS - 1, STYLE_BAD,
                   "there were too many stacks to hold: times count from when they were forgotten (r: go on)");
    else
        draw_keys(screen);
}

void view_draw(struct screen *screen)
{
    erase();
    if (screen->pager.is_open) {
        pager_draw(&screen->pager, &screen->terminal);
    } else {
        screen->list_row = list_row();
        screen->head_row = screen->list_row - 1;
        int name_column = choose_columns(screen);
        draw_title(screen);
        draw_states(screen);
        if (has_curve())
            draw_curve(screen);
        draw_head(screen, name_column);
        draw_list(screen, name_column);
    }
    if (!screen->pager.is_open || screen->prompt.kind != PROMPT_NONE || screen->message[0])
        draw_bottom(screen);
    refresh();
}
