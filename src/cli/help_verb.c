/* SPDX-License-Identifier: MIT */
#include "help.h"
#include "options.h"
#include "verbs.h"

#include <stddef.h>

static const struct argp_option help_options[] = {
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct help_arguments {
    struct command_line line; /* must be first */
    const struct verb *verb;
};

static error_t parse_help_option(int key, char *value, struct argp_state *state)
{
    struct help_arguments *arguments = state->input;
    if (key != ARGP_KEY_ARG)
        return options_default(key, state);
    arguments->verb = verbs_find(value);
    return arguments->verb ? 0 : options_fail(state, verbs_describe_unknown(value));
}

const struct argp help_argp = {
    .options = help_options,
    .parser = parse_help_option,
    .args_doc = "[VERB]",
    .doc = "Prints what pyspyc takes, or all that one of its verbs does.",
};

int verb_help(int argc, char **argv)
{
    struct help_arguments arguments = {.line = {.verb = "help", .tables = {help_options}}};
    struct error *error = options_parse(&help_argp, argc, argv, &arguments.line);
    if (error)
        return report_error(error);
    if (arguments.verb)
        help_print_whole_verb(arguments.verb);
    else
        help_print(stdout);
    return STATUS_SUCCESS;
}
