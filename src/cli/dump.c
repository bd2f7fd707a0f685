/* SPDX-License-Identifier: MIT */
#include "dump_readings.h"
#include "options.h"
#include "picture_options.h"
#include "process_table.h"
#include "verbs.h"

#include <string.h>

enum {
    KEY_FULL_FILENAMES = 256,
    KEY_BLOCKING,
    KEY_NONBLOCKING,
    KEY_NATIVE_ALL,
    KEY_EXE,
    KEY_REPEAT,
    KEY_NAME,
    KEY_EVERY,
    REPEAT_LIMIT = 1000000000,
    EVERY_NS = 1000000000,
    VALUE_STEP = 128,      /* characters of each value for each --locals, as py-spy has it, */
    VALUE_LIMIT = 1 << 20, /* and how many there can be */
};

static const struct argp_option dump_options[] = {
    {"pid", 'p', "PID", 0,
     "Read this process\v: its number, decimal, or hexadecimal with 0x. Can be given several times", 1},
    {"name", KEY_NAME, "RE", 0,
     "Read the one whose command line is like this\v. When there are several, they are listed; with "
     "--subprocesses, those that another of them has started do not count",
     1},
    {"subprocesses", 's', NULL, 0, "Read the processes that it has started, too\v, and theirs", 1},
    {"core", 'c', "FILE", 0, "Read a core file instead of a process", 1},
    {"exe", KEY_EXE, "FILE", 0, "Where the core file's executable is now\v, if not where it was", 1},
    {"json", 'j', NULL, 0, "Print JSON instead of text", 1},
    {"locals", 'l', NULL, 0,
     "Print arguments and local variables of each frame\v: 128 characters of each value, and as many more each time "
     "that it is given",
     1},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, 0, "Print whole paths of source files", 1},
    {"repeat", KEY_REPEAT, "N", 0,
     "Read N times, or 'forever'\v, and say which stacks are unchanged; 0 is for ever, too, which is until Ctrl-C", 1},
    {"every", KEY_EVERY, "SECONDS", 0, "Repeat after this time (default: 1)", 1},
    {"native", 'n', NULL, 0, "Show C, C++, Cython and Rust functions, too\v. Stops the process for a moment for that",
     1},
    {"native-all", KEY_NATIVE_ALL, NULL, 0,
     "The same, with the interpreter's machinery\v, and threads that Python knows nothing of", 1},
    {"blocking", KEY_BLOCKING, NULL, 0, "Stop its running threads while they are read", 1},
    {"nonblocking", KEY_NONBLOCKING, NULL, 0, "Never stop the process (default)", 1},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct dump_arguments {
    struct command_line line; /* must be first */
    struct dump_plan plan;
    const char *name;               /* an expression for the command line of the process; NULL: not given */
    struct picture_options picture; /* only the filter of it */
};

static struct error *check_target(const struct dump_arguments *arguments)
{
    const struct dump_plan *plan = &arguments->plan;
    if (plan->pid_count == 0 && !plan->core && !arguments->name)
        return error_create(ERROR_USAGE, "dump needs a process, --pid PID, or a core file, --core FILE");
    if (plan->executable && !plan->core)
        return error_create(ERROR_USAGE, "--exe goes with --core");
    /* py-spy takes --pid and --subprocesses with it, too, and reads the core file. */
    if (plan->core && (arguments->line.is_blocking || plan->is_repeated))
        return error_create(ERROR_USAGE, "--blocking, --repeat and --every go with --pid: in a core file nothing runs");
    return NULL;
}

static struct error *take_pid(const char *value, struct dump_plan *plan)
{
    if (plan->pid_count == DUMP_PID_LIMIT)
        return error_create(ERROR_USAGE, "there can be no more than %d processes", DUMP_PID_LIMIT);
    return options_take_pid(value, &plan->pids[plan->pid_count++]);
}

static struct error *take_named(const char *name, struct dump_plan *plan)
{
    if (plan->pid_count == DUMP_PID_LIMIT)
        return error_create(ERROR_USAGE, "there can be no more than %d processes", DUMP_PID_LIMIT);
    struct error *error = process_by_name(name, plan->with_children, &plan->pids[plan->pid_count]);
    plan->pid_count += !error;
    return error;
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

static error_t parse_dump_option(int key, char *value, struct argp_state *state)
{
    struct dump_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->picture;
        break;
    case 'p':
        error = take_pid(value, &arguments->plan);
        break;
    case KEY_NAME:
        arguments->name = value;
        break;
    case 's':
        arguments->plan.with_children = true;
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
    case KEY_NATIVE_ALL:
        arguments->plan.reading.with_all_native = true;
        __attribute__((fallthrough));
    case 'n':
        arguments->plan.reading.with_native = true;
        error = options_take_native(&arguments->line);
        break;
    case KEY_BLOCKING:
        arguments->plan.reading.is_blocking = true;
        error = options_take_blocking(&arguments->line, true);
        break;
    case KEY_NONBLOCKING:
        error = options_take_blocking(&arguments->line, false);
        break;
    case ARGP_KEY_ARG:
        error = error_create(ERROR_USAGE, "dump takes no '%s': --pid or --core says what to read", value);
        break;
    case ARGP_KEY_END:
        error = check_target(arguments);
        if (!error && arguments->name && !arguments->plan.core)
            error = take_named(arguments->name, &arguments->plan);
        if (!error)
            error = picture_options_complete(&arguments->picture);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child dump_children[] = {{&filter_argp, 0, "What is shown:", 4}, {0}};

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
    struct dump_arguments arguments = {.line = {.verb = "dump", .tables = {dump_options, filter_argp_options}}};
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
