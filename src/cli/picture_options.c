/* SPDX-License-Identifier: MIT */
#include "picture_options.h"

#include "option_list.h"
#include "options.h"

enum {
    KEY_FOCUS = 512,
    KEY_IGNORE,
    KEY_SHOW_FROM,
    KEY_HIDE,
    KEY_THREAD,
    KEY_MAIN_THREAD,
    KEY_HIDE_IMPORTLIB,
    KEY_HIDE_STDLIB,
    KEY_NOLINENO,
    KEY_FULL_FILENAMES,
    KEY_MIN_PERCENT,
    KEY_DEPTH,
    KEY_SHOW_ALL,
    KEY_SELF,
    KEY_PERCENT,
    DEPTH_LIMIT = 1000000,
};

const struct argp_option filter_argp_options[] = {
    {"focus", KEY_FOCUS, "RE", OPTION_SELDOM, "Show only stacks that have a frame like this\v: 'name (file:line)'", 5},
    {"ignore", KEY_IGNORE, "RE", OPTION_SELDOM, "Show no stacks that have a frame like this", 5},
    {"show-from", KEY_SHOW_FROM, "RE", OPTION_SELDOM,
     "Show only what follows from a frame like this on\v, in stacks that have one", 5},
    {"hide", KEY_HIDE, "RE", OPTION_SELDOM, "Leave out frames like this\v; their time goes to their callers", 5},
    {"hide-importlib", KEY_HIDE_IMPORTLIB, NULL, OPTION_SELDOM, "Leave out frames of the import system", 5},
    {"hide-stdlib", KEY_HIDE_STDLIB, NULL, OPTION_SELDOM, "Leave out frames of the standard library", 5},
    {"thread", KEY_THREAD, "RE", OPTION_SELDOM, "Show only threads with a name or number like this", 5},
    {"main-thread", KEY_MAIN_THREAD, NULL, OPTION_SELDOM, "Show only main threads", 5},
    {0},
};

const struct argp_option picture_argp_options[] = {
    {"function", 'F', NULL, OPTION_SELDOM,
     "One frame a function, with its first line\v, instead of one for each current line", 3},
    {"nolineno", KEY_NOLINENO, NULL, OPTION_SELDOM, "Leave line numbers out", 3},
    {"threads", 't', NULL, OPTION_SELDOM, "Give each thread a root frame of its own", 3},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, OPTION_SELDOM, "Show whole paths of source files", 3},
    {"self", KEY_SELF, NULL, OPTION_SELDOM, "tree: a flat table of functions instead\v, by their own time", 4},
    {"show-all", KEY_SHOW_ALL, NULL, OPTION_SELDOM, "tree: fold no frames of libraries and imports", 4},
    {"min-percent", KEY_MIN_PERCENT, "PERCENT", OPTION_SELDOM, "tree: leave out rows with less time (default: 1)", 4},
    {"depth", KEY_DEPTH, "ROWS", OPTION_SELDOM, "tree: leave out rows that are further in\v (default: 0, none)", 4},
    {"percent", KEY_PERCENT, NULL, OPTION_SELDOM, "tree: show shares without seconds", 4},
    {0},
};

struct error *picture_options_complete(struct picture_options *options)
{
    return filter_create(&options->filter_options, &options->filter);
}

void picture_options_deinit(struct picture_options *options)
{
    filter_destroy(options->filter);
}

static error_t parse_filter_option(int key, char *value, struct argp_state *state)
{
    struct filter_options *filter = &((struct picture_options *)state->input)->filter_options;
    switch (key) {
    case KEY_FOCUS:
        filter->focus = value;
        break;
    case KEY_IGNORE:
        filter->ignore = value;
        break;
    case KEY_SHOW_FROM:
        filter->show_from = value;
        break;
    case KEY_HIDE:
        filter->hide = value;
        break;
    case KEY_THREAD:
        filter->thread = value;
        break;
    case KEY_MAIN_THREAD:
        filter->only_main_thread = true;
        break;
    case KEY_HIDE_IMPORTLIB:
        filter->hide_importlib = true;
        break;
    case KEY_HIDE_STDLIB:
        filter->hide_stdlib = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp filter_argp = {.options = filter_argp_options, .parser = parse_filter_option};

static error_t choose_lines(const struct picture_options *options, struct profile_detail *detail,
                            enum profile_lines lines)
{
    if (detail->lines != PROFILE_CURRENT_LINE && detail->lines != lines)
        return options_note(options->line, error_create(ERROR_USAGE, "--function and --nolineno exclude each other"));
    detail->lines = lines;
    return 0;
}

static error_t note(const struct picture_options *options, struct error *error)
{
    return error ? options_note(options->line, error) : 0;
}

static error_t parse_picture_option(int key, char *value, struct argp_state *state)
{
    struct picture_options *options = state->input;
    struct format_options *format = &options->format;
    switch (key) {
    case 'F':
        return choose_lines(options, &format->detail, PROFILE_FUNCTION_LINE);
    case KEY_NOLINENO:
        return choose_lines(options, &format->detail, PROFILE_NO_LINE);
    case 't':
        format->detail.with_threads = true;
        break;
    case KEY_FULL_FILENAMES:
        format->full_filenames = true;
        break;
    case KEY_SELF:
        format->tree.only_self = true;
        break;
    case KEY_SHOW_ALL:
        format->tree.show_all = true;
        break;
    case KEY_PERCENT:
        format->tree.with_percent = true;
        break;
    case KEY_MIN_PERCENT:
        return note(options, options_take_percent(value, &format->tree.min_percent));
    case KEY_DEPTH:
        return note(options, options_take_count(value, 0, DEPTH_LIMIT, &format->tree.depth));
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp picture_argp = {.options = picture_argp_options, .parser = parse_picture_option};
