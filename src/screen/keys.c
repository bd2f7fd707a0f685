/* SPDX-License-Identifier: MIT */
/* What the keys do. */
#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "view_state.h"

#include <string.h>

enum { KEY_SPELLINGS = 4, WHEEL_STEP = 3 };

struct binding {
    int keys[KEY_SPELLINGS];
    const char *names; /* NULL, and no help: another line tells it */
    const char *help;
    void (*act)(struct screen *screen);
};

static void say(struct screen *screen, const char *text)
{
    snprintf(screen->message, sizeof(screen->message), "%s", text);
}

static void sort_by(struct screen *screen, enum model_column column)
{
    struct model_settings *settings = screen->settings;
    settings->is_reversed = settings->column == column && !settings->is_reversed;
    settings->column = column;
    view_move_to(screen, 0);
}

static void sort_by_own_share(struct screen *screen)
{
    sort_by(screen, MODEL_OWN_SHARE);
}

static void sort_by_total_share(struct screen *screen)
{
    sort_by(screen, MODEL_TOTAL_SHARE);
}

static void sort_by_own_time(struct screen *screen)
{
    sort_by(screen, MODEL_OWN_TIME);
}

static void sort_by_total_time(struct screen *screen)
{
    sort_by(screen, MODEL_TOTAL_TIME);
}

static void sort_by_name(struct screen *screen)
{
    sort_by(screen, MODEL_NAME);
}

static void toggle_lines(struct screen *screen)
{
    screen->settings->by_line = !screen->settings->by_line;
}

static void toggle_threads(struct screen *screen)
{
    screen->settings->grouping = screen->settings->grouping == MODEL_THREADS ? MODEL_MERGED : MODEL_THREADS;
}

static void toggle_processes(struct screen *screen)
{
    screen->settings->grouping = screen->settings->grouping == MODEL_PROCESSES ? MODEL_MERGED : MODEL_PROCESSES;
}

static void toggle_tree(struct screen *screen)
{
    screen->settings->view = screen->settings->view == MODEL_TREE ? MODEL_FLAT : MODEL_TREE;
    view_move_to(screen, 0);
}

static void toggle_callers(struct screen *screen)
{
    screen->settings->view = screen->settings->view == MODEL_CALLERS ? MODEL_FLAT : MODEL_CALLERS;
    view_move_to(screen, 0);
}

static void toggle_gil(struct screen *screen)
{
    screen->settings->only_gil = !screen->settings->only_gil;
}

static void toggle_idle(struct screen *screen)
{
    if (screen->options.has_idle)
        screen->settings->with_idle = !screen->settings->with_idle;
    else
        say(screen, "idle threads are not recorded: start top with -i");
}

static void toggle_full_names(struct screen *screen)
{
    screen->settings->full_filenames = !screen->settings->full_filenames;
}

static void toggle_pause(struct screen *screen)
{
    screen->is_paused = !screen->is_paused;
}

static void reset(struct screen *screen)
{
    model_reset(screen->model);
    say(screen, "times are counted from now on");
}

static void toggle_mouse(struct screen *screen)
{
    terminal_set_mouse(&screen->terminal, !screen->terminal.use_mouse);
    say(screen, screen->terminal.use_mouse ? "the mouse is ours" : "the mouse is the terminal's, to mark text");
}

static void open_row(struct screen *screen, bool is_open)
{
    const struct model_row *row = view_row(screen);
    if (row && row->has_children)
        model_open(screen->model, row, is_open);
}

static void toggle_row(struct screen *screen)
{
    const struct model_row *row = view_row(screen);
    if (row)
        open_row(screen, !row->is_open);
}

static void unfold(struct screen *screen)
{
    open_row(screen, true);
}

/* The row that the one under the cursor is below. */
static void go_outwards(struct screen *screen)
{
    uint32_t count, at = screen->cursor;
    const struct model_row *rows = model_rows(screen->model, &count), *row = view_row(screen);
    while (row && at > 0 && rows[at].depth >= row->depth)
        at--;
    view_move_to(screen, at);
}

static void fold(struct screen *screen)
{
    const struct model_row *row = view_row(screen);
    if (row && row->is_open)
        open_row(screen, false);
    else
        go_outwards(screen);
}

/* Unfolds everything below a row, as deep as it goes. */
static void unfold_all(struct screen *screen)
{
    enum { ROUNDS = 64 };
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t count, opened = 0;
        const struct model_row *rows = model_rows(screen->model, &count);
        uint32_t depth = screen->cursor < count ? rows[screen->cursor].depth : 0;
        for (uint32_t i = screen->cursor; i < count && (i == screen->cursor || rows[i].depth > depth); i++) {
            if (!rows[i].has_children || rows[i].is_open)
                continue;
            model_open(screen->model, &rows[i], true);
            opened++;
        }
        if (opened == 0)
            break;
        view_list(screen);
    }
}

static void go_up(struct screen *screen)
{
    view_move_to(screen, (int64_t)screen->cursor - 1);
}

static void go_down(struct screen *screen)
{
    view_move_to(screen, (int64_t)screen->cursor + 1);
}

static void go_page_up(struct screen *screen)
{
    view_move_to(screen, (int64_t)screen->cursor - view_page_len(screen));
}

static void go_page_down(struct screen *screen)
{
    view_move_to(screen, (int64_t)screen->cursor + view_page_len(screen));
}

static void go_to_first(struct screen *screen)
{
    view_move_to(screen, 0);
}

static void go_to_last(struct screen *screen)
{
    view_move_to(screen, UINT32_MAX);
}

static void begin_search(struct screen *screen)
{
    screen->search_from = screen->cursor;
    prompt_open(&screen->prompt, PROMPT_SEARCH, "Search: ", "", sizeof(screen->search));
}

static void search_next(struct screen *screen)
{
    view_search(screen, screen->cursor + 1, 1);
}

static void search_previous(struct screen *screen)
{
    uint32_t count;
    model_rows(screen->model, &count);
    view_search(screen, screen->cursor > 0 ? screen->cursor - 1 : count - 1, -1);
}

static void begin_filter(struct screen *screen)
{
    prompt_open(&screen->prompt, PROMPT_FILTER, "Only rows with: ", screen->settings->filter,
                sizeof(screen->settings->filter));
}

/* Ends what restricts or marks the rows. */
static void clear_texts(struct screen *screen)
{
    screen->search[0] = screen->settings->filter[0] = '\0';
}

static void begin_save(struct screen *screen)
{
    char question[160];
    const struct screen_services *services = &screen->options.services;
    snprintf(question, sizeof(question), "Save the last %.0f s (.svg .html .txt .json .pyspyc ...): ",
             (double)services->kept_ns(services->context) / 1e9);
    prompt_open(&screen->prompt, PROMPT_SAVE, question, screen->options.save_path, PROMPT_SIZE);
}

static void quit(struct screen *screen)
{
    if (screen->options.has_program && !screen->has_ended)
        prompt_open(&screen->prompt, PROMPT_QUIT, "The program still runs: k ends it, l leaves it running, Esc stays",
                    NULL, 0);
    else
        screen->wish = SCREEN_LEAVE;
}

/* Shows the stacks of a process of which thread is one, or of that thread alone. */
static void show_dump(struct screen *screen, uint32_t thread, bool is_alone)
{
    cleanup_buffer struct buffer text = {0};
    uint32_t count;
    const struct profile *profile = model_profile(screen->model);
    const struct profile_thread *seen = &profile_threads(profile, &count)[thread];
    const struct profile_process *process = &profile_processes(profile, &count)[seen->process];
    const struct screen_services *services = &screen->options.services;
    struct error *error =
        services->dump(services->context, process->pid, is_alone ? seen->os_id : 0, is_alone ? seen->id : 0, &text);
    if (error)
        view_say_error(screen, error);
    else
        pager_open(&screen->pager, is_alone ? "The thread now" : "All threads now", &text, false);
}

/* The thread of a row; that of a process is any of it. MODEL_NONE when there is none. */
static uint32_t thread_under_cursor(const struct screen *screen)
{
    const struct model_row *row = view_row(screen);
    return row ? model_thread_of(screen->model, row) : MODEL_NONE;
}

static void dump_thread(struct screen *screen)
{
    uint32_t thread = thread_under_cursor(screen);
    if (thread == MODEL_NONE)
        say(screen, "no thread was seen here");
    else
        show_dump(screen, thread, true);
}

static void dump_process(struct screen *screen)
{
    uint32_t thread = thread_under_cursor(screen);
    if (thread == MODEL_NONE)
        say(screen, "no thread was seen here");
    else
        show_dump(screen, thread, false);
}

static void show_output(struct screen *screen)
{
    cleanup_buffer struct buffer text = {0};
    const struct screen_services *services = &screen->options.services;
    if (!screen->options.has_program) {
        say(screen, "what a program writes is shown if top has started it");
        return;
    }
    services->append_output(services->context, &text);
    pager_open(&screen->pager, "What the program has written last", &text, true);
}

static void show_help(struct screen *screen);

static const struct binding bindings[] = {
    {{'1'}, "1", "sort by %Own: share of the last step, itself", sort_by_own_share},
    {{'2'}, "2", "sort by %Total: the same with what it calls", sort_by_total_share},
    {{'3'}, "3", "sort by OwnTime: since the beginning, itself", sort_by_own_time},
    {{'4'}, "4", "sort by TotalTime: the same with what it calls", sort_by_total_time},
    {{'5'}, "5", "sort by name; the same key again: backwards", sort_by_name},
    {{'l', 'L'}, "l", "lines or functions", toggle_lines},
    {{'t', 'T'}, "t", "by thread or together", toggle_threads},
    {{'y', 'Y'}, "y", "by process or together", toggle_processes},
    {{'e', 'E', KEY_F(5)}, "e", "tree of calls", toggle_tree},
    {{'c', 'C'}, "c", "what took time, and below it its callers", toggle_callers},
    {{'+', '=', KEY_RIGHT}, "+ right", "unfold", unfold},
    {{'-', '_', KEY_LEFT}, "- left", "fold, or go to the caller", fold},
    {{'\r', '\n', KEY_ENTER}, "Enter", "fold or unfold", toggle_row},
    {{'*'}, "*", "unfold everything below", unfold_all},
    {{'/', KEY_F(3)}, "/", "search as you type", begin_search},
    {{'n'}, "n", "next match", search_next},
    {{'N'}, "N", "the one before", search_previous},
    {{'\\', KEY_F(4)}, "\\", "only rows with a text, as you type", begin_filter},
    {{033}, "Esc", "no search and no filter", clear_texts},
    {{' ', 'p', 'P'}, "space p", "pause: what is shown stays, recording goes on", toggle_pause},
    {{'r', 'R'}, "r", "reset the times", reset},
    {{'g', 'G'}, "g", "only threads with the GIL", toggle_gil},
    {{'i', 'I'}, "i", "idle threads too (with -i)", toggle_idle},
    {{'f', 'F'}, "f", "whole file names", toggle_full_names},
    {{'d'}, "d", "dump the thread under the cursor, with locals", dump_thread},
    {{'D'}, "D", "dump all threads of its process", dump_process},
    {{'s', 'S'}, "s", "save the last seconds in any format", begin_save},
    {{'o', 'O'}, "o", "what the program has written", show_output},
    {{'m', 'M'}, "m", "mouse: ours, or the terminal's", toggle_mouse},
    {{KEY_UP, 'k'}, "arrows", "move; k and j, PgUp and PgDn, Home and End too", go_up},
    {{KEY_DOWN, 'j'}, NULL, NULL, go_down},
    {{KEY_PPAGE}, NULL, NULL, go_page_up},
    {{KEY_NPAGE}, NULL, NULL, go_page_down},
    {{KEY_HOME}, NULL, NULL, go_to_first},
    {{KEY_END}, NULL, NULL, go_to_last},
    {{'?', 'h', 'H', KEY_F(1)}, "? h", "this help", show_help},
    {{'q', 'Q', KEY_F(10)}, "q", "quit (Ctrl-C too)", quit},
};

static void show_help(struct screen *screen)
{
    static const char about[] = "\nShares are of the time between two refreshes: a thread that runs all of it\n"
                                "has 100%. Times are since the beginning, or the last reset.\n\n"
                                "Active: threads that ran or were ready to; CPU: what the kernel gave them;\n"
                                "GIL: somebody held it; GIL wait: threads that waited for it; GC: collecting;\n"
                                "Idle: nobody ran; Lost: no true stack could be had.\n\n"
                                "Mouse: the wheel scrolls, a click goes to a row or sorts by a column, and\n"
                                "on the row of the cursor folds and unfolds.\n";
    cleanup_buffer struct buffer text = {0};
    for (size_t i = 0; i < array_size(bindings); i++) {
        if (bindings[i].help)
            buffer_format(&text, "%-10s %s\n", bindings[i].names, bindings[i].help);
    }
    buffer_append_text(&text, about);
    pager_open(&screen->pager, "Keys", &text, false);
}

static void sort_by_column_at(struct screen *screen, int column)
{
    for (int i = 0; i < screen->column_count; i++) {
        const struct shown_column *shown = &screen->columns[i];
        if (column >= shown->at && column < shown->at + shown->width) {
            sort_by(screen, shown->column);
            return;
        }
    }
    sort_by(screen, MODEL_NAME);
}

static void click(struct screen *screen, int row, int column)
{
    uint32_t count;
    model_rows(screen->model, &count);
    if (row == screen->head_row) {
        sort_by_column_at(screen, column);
        return;
    }
    uint32_t clicked = screen->first + (uint32_t)(row - screen->list_row);
    if (row < screen->list_row || row >= LINES - 1 || clicked >= count)
        return;
    if (clicked == screen->cursor)
        toggle_row(screen);
    else
        view_move_to(screen, clicked);
}

static void take_mouse(struct screen *screen)
{
    MEVENT event;
    if (getmouse(&event) != OK)
        return;
    int step = event.bstate & BUTTON4_PRESSED ? -WHEEL_STEP : event.bstate & BUTTON5_PRESSED ? WHEEL_STEP : 0;
    if (screen->pager.is_open) {
        for (int i = 0; i < WHEEL_STEP && step != 0; i++)
            pager_take_key(&screen->pager, step < 0 ? KEY_UP : KEY_DOWN);
        return;
    }
    if (step != 0)
        view_move_to(screen, (int64_t)screen->cursor + step);
    else if (event.bstate & BUTTON1_PRESSED)
        click(screen, event.y, event.x);
}

void view_take_key(struct screen *screen, int key)
{
    if (key == KEY_MOUSE) {
        take_mouse(screen);
        return;
    }
    if (screen->pager.is_open)
        return;
    for (size_t i = 0; i < array_size(bindings); i++) {
        for (int k = 0; k < KEY_SPELLINGS; k++) {
            if (bindings[i].keys[k] == key && key != 0) {
                bindings[i].act(screen);
                view_list(screen);
                return;
            }
        }
    }
}
