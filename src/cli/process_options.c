/* SPDX-License-Identifier: MIT */
#include "process_options.h"

#include "option_list.h"
#include "options.h"
#include "process_table.h"

enum { KEY_NAME = 768 };

const struct argp_option process_argp_options[] = {
    {"pid", 'p', "PID", 0,
     "Look at this process\v: its number, decimal, or hexadecimal with 0x. Can be given several times", 1},
    {"name", KEY_NAME, "RE", OPTION_SELDOM,
     "Look at the one whose command line is like this\v. When there are several, they are listed; with "
     "--subprocesses, those that another of them has started do not count",
     1},
    {"subprocesses", 's', NULL, 0, "Look at the processes that it starts, too\v, and at those that they start", 1},
    {0},
};

/* Adds a process, unless it is there. */
static struct error *add_pid(struct process_options *options, pid_t pid)
{
    for (uint32_t i = 0; i < options->pid_count; i++) {
        if (options->pids[i] == pid)
            return NULL;
    }
    if (options->pid_count == PROCESS_LIMIT)
        return error_create(ERROR_USAGE, "there can be no more than %d processes", PROCESS_LIMIT);
    options->pids[options->pid_count++] = pid;
    return NULL;
}

static error_t take_pid(struct process_options *options, const char *value)
{
    pid_t pid = 0;
    struct error *error = options_take_pid(value, &pid);
    if (!error)
        error = add_pid(options, pid);
    return error ? options_note(options->line, error) : 0;
}

static error_t parse_process_option(int key, char *value, struct argp_state *state)
{
    struct process_options *options = state->input;
    switch (key) {
    case 'p':
        return take_pid(options, value);
    case KEY_NAME:
        options->name = value;
        return 0;
    case 's':
        options->with_children = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp process_argp = {.options = process_argp_options, .parser = parse_process_option};

bool process_options_are_given(const struct process_options *options)
{
    return options->pid_count > 0 || options->name;
}

struct error *process_options_find_named(struct process_options *options)
{
    pid_t pid = 0;
    if (!options->name)
        return NULL;
    struct error *error = process_by_name(options->name, options->with_children, &pid);
    options->name = NULL;
    return error ? error : add_pid(options, pid);
}
