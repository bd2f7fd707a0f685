/* SPDX-License-Identifier: MIT */
#include "dump_readings.h"
#include "option_list.h"
#include "options.h"
#include "picture_options.h"
#include "process_options.h"
#include "sampling_options.h"
#include "verbs.h"

#include <string.h>

enum {
    KEY_FULL_FILENAMES = 256,
    KEY_EXE,
    KEY_REPEAT,
    KEY_EVERY,
    REPEAT_LIMIT = 1000000000,
    EVERY_NS = 1000000000,
    VALUE_STEP = 128,      /* characters of each value for each --locals, as py-spy has it, */
    VALUE_LIMIT = 1 << 20, /* and how many there can be */
};

static const struct argp_option dump_options[] = {
    {"core", 'c', "FILE", 0, "Read a core file instead of a process", 1},
    {"exe", KEY_EXE, "FILE", OPTION_SELDOM, "Where the core file's executable is now\v, if not where it was", 1},
    {"json", 'j', NULL, 0, "Print JSON instead of text", 1},
    {"locals", 'l', NULL, 0,
     "Print arguments and local variables of each frame\v: 128 characters of each value, and as many more each time "
     "that it is given",
     1},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, OPTION_SELDOM, "Print whole paths of source files", 1},
    {"repeat", KEY_REPEAT, "N", 0,
     "Read N times, or 'forever'\v, and say which stacks are unchanged; 0 is for ever, too, which is until Ctrl-C", 1},
    {"every", KEY_EVERY, "SECONDS", OPTION_SELDOM, "Repeat after this time (default: 1)", 1},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct dump_arguments {
    struct command_line line; /* must be first */
    struct dump_plan plan;
    struct reading_options reading;
    struct picture_options picture; /* only the filter of it */
};

static struct error *check_target(const struct dump_arguments *arguments)
{
    const struct dump_plan *plan = &arguments->plan;
    if (!process_options_are_given(&plan->processes) && !plan->core)
        return error_create(ERROR_USAGE,
                            "dump needs a process (--pid PID; 'pyspyc ps' lists them) or a core file (--core FILE)");
    if (plan->executable && !plan->core)
        return error_create(ERROR_USAGE, "--exe goes with --core");
    /* py-spy takes --pid and --subprocesses with it, too, and reads the core file. */
    if (plan->core && (arguments->reading.is_blocking || plan->is_repeated))
        return error_create(ERROR_USAGE, "--blocking, --repeat and --every go with --pid: in a core file nothing runs");
    return NULL;
}

static struct error *take_repeat(const char *value, struct dump_plan *plan)
{
    plan->is_repeated = true;
    if (strcmp(value, "forever") == 0) {
        plan->repeat = 0;
        return NULL;
    }
    return options_take_count(value, 0, REPEAT_LIMIT, &plan->repeat);
}

static struct error *complete(struct dump_arguments *arguments)
{
    struct dump_plan *plan = &arguments->plan;
    struct error *error = check_target(arguments);
    if (!error && !plan->core)
        error = process_options_find_named(&plan->processes);
    plan->reading.is_blocking = arguments->reading.is_blocking;
    plan->reading.with_native = arguments->reading.with_native;
    plan->reading.with_all_native = arguments->reading.with_all_native;
    return error ? error : picture_options_complete(&arguments->picture);
}

static error_t parse_dump_option(int key, char *value, struct argp_state *state)
{
    struct dump_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->plan.processes;
        state->child_inputs[1] = &arguments->reading;
        state->child_inputs[2] = &arguments->picture;
        break;
    case 'c':
        arguments->plan.core = value;
        break;
    case KEY_EXE:
        arguments->plan.executable = value;
        break;
    case 'j':
        arguments->plan.is_json = true;
        break;
    case 'l':
        if (arguments->plan.reading.text_limit < VALUE_LIMIT)
            arguments->plan.reading.text_limit += VALUE_STEP;
        break;
    case KEY_FULL_FILENAMES:
        arguments->plan.format.full_filenames = true;
        break;
    case KEY_REPEAT:
        error = take_repeat(value, &arguments->plan);
        break;
    case KEY_EVERY:
        arguments->plan.is_repeated = true;
        error = options_take_seconds(value, &arguments->plan.every_ns);
        break;
    case ARGP_KEY_ARG:
        error = error_create(ERROR_USAGE, "dump takes no '%s': --pid or --core says what to read", value);
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child dump_children[] = {
    {&process_argp, 0, NULL, 0},
    {&reading_argp, 0, NULL, 2},
    {&filter_argp, 0, "What is shown:", 4},
    {0},
};

const struct argp dump_argp = {
    .children = dump_children,
    .options = dump_options,
    .parser = parse_dump_option,
    .args_doc = "--pid PID | --name RE\n--core FILE",
    .doc = "Prints every thread's stack once, with its source lines, and what it waits for.\v"
           "Without --blocking and --native, the program is not stopped. Exit status: 0, 1 on failure, 2 for mistakes "
           "of usage.",
};

int verb_dump(int argc, char **argv)
{
    struct dump_arguments arguments = {
        .line = {.verb = "dump",
                 .tables = {dump_options, process_argp_options, reading_argp_options, filter_argp_options}},
    };
    arguments.plan.processes.line = arguments.reading.line = &arguments.line;
    arguments.plan.every_ns = EVERY_NS;
    arguments.picture.line = &arguments.line;
    int status = STATUS_SUCCESS;
    struct error *error = options_parse(&dump_argp, argc, argv, &arguments.line);
    if (!error) {
        arguments.plan.filter = arguments.picture.filter;
        status = dump_readings_run(&arguments.plan);
    }
    picture_options_deinit(&arguments.picture);
    return error ? report_error(error) : status;
}
