/* SPDX-License-Identifier: MIT */
#include "sampling_options.h"

#include "option_list.h"
#include "options.h"

enum {
    KEY_BLOCKING = 1024,
    KEY_NONBLOCKING,
    KEY_NATIVE_ALL,
    KEY_COMMAND_LINES,
    INTERVAL_NS = 10000000, /* py-spy's default: 100 samples a second */
};

const struct argp_option reading_argp_options[] = {
    {"native", 'n', NULL, 0, "Show C, C++, Cython and Rust functions, too\v. May stop threads for a moment for that",
     2},
    {"native-all", KEY_NATIVE_ALL, NULL, OPTION_SELDOM,
     "The same, with the interpreter's machinery\v, and threads that Python knows nothing of", 2},
    {"blocking", KEY_BLOCKING, NULL, OPTION_SELDOM, "Stop its running threads while they are read", 2},
    {"nonblocking", KEY_NONBLOCKING, NULL, OPTION_SELDOM, "Never stop the program (default)", 2},
    {0},
};

const struct argp_option sampling_argp_options[] = {
    {"rate", 'r', "RATE", 0, "Samples a second (default: 100)", 2},
    {"gil", 'g', NULL, OPTION_SELDOM, "Count only the thread that holds the GIL", 2},
    {"idle", 'i', NULL, 0, "Count idle threads too", 2},
    {"command-lines", KEY_COMMAND_LINES, NULL, OPTION_SELDOM,
     "Keep whole command lines, with arguments\v, which can be secret. Without it a profile says which program and "
     "script ran",
     2},
    {0},
};

static error_t note(const struct reading_options *options, struct error *error)
{
    return error ? options_note(options->line, error) : 0;
}

static struct error *check_stops(const struct reading_options *options)
{
    if (options->is_blocking && options->is_nonblocking)
        return error_create(ERROR_USAGE, "--blocking and --nonblocking exclude each other");
    if (options->with_native && options->is_nonblocking)
        return error_create(ERROR_USAGE,
                            "--native and --nonblocking exclude each other: a thread's C stack can at times only be "
                            "read while it is stopped for a moment");
    return NULL;
}

static error_t parse_reading_option(int key, char *value, struct argp_state *state)
{
    struct reading_options *options = state->input;
    (void)value;
    switch (key) {
    case KEY_NATIVE_ALL:
        options->with_all_native = true;
        __attribute__((fallthrough));
    case 'n':
        options->with_native = true;
        break;
    case KEY_BLOCKING:
        options->is_blocking = true;
        break;
    case KEY_NONBLOCKING:
        options->is_nonblocking = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return note(options, check_stops(options));
}

const struct argp reading_argp = {.options = reading_argp_options, .parser = parse_reading_option};

static error_t parse_sampling_option(int key, char *value, struct argp_state *state)
{
    struct sampling_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->reading;
        break;
    case 'r':
        return note(&options->reading, options_take_rate(value, &options->recording.interval_ns));
    case 'g':
        options->recording.only_gil = true;
        break;
    case 'i':
        options->recording.with_idle = true;
        break;
    case KEY_COMMAND_LINES:
        options->recording.with_arguments = true;
        break;
    case ARGP_KEY_ARG:
        /* What follows the program's name is the program's. */
        options->program = &state->argv[state->next - 1];
        state->next = state->argc;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_child sampling_children[] = {{&reading_argp, 0, NULL, 2}, {0}};

const struct argp sampling_argp = {
    .children = sampling_children,
    .options = sampling_argp_options,
    .parser = parse_sampling_option,
};

void sampling_options_init(struct sampling_options *options, struct command_line *line, uint64_t table_limit)
{
    *options = (struct sampling_options){
        .processes = {.line = line},
        .reading = {.line = line},
        .recording = {.interval_ns = INTERVAL_NS, .table_limit = table_limit},
    };
}

struct error *sampling_options_complete(struct sampling_options *options)
{
    const char *verb = options->reading.line->verb;
    bool is_attached = process_options_are_given(&options->processes);
    if (!is_attached && !options->program)
        return error_create(ERROR_USAGE,
                            "%s needs a process (--pid PID; 'pyspyc ps' lists them) or a program (-- PROGRAM ARGS...)",
                            verb);
    if (is_attached && options->program)
        return error_create(ERROR_USAGE, "%s takes either --pid or a program, not both", verb);
    options->recording.is_blocking = options->reading.is_blocking;
    options->recording.with_native = options->reading.with_native;
    options->recording.with_all_native = options->reading.with_all_native;
    return process_options_find_named(&options->processes);
}
