/* SPDX-License-Identifier: MIT */
#include "completion_values.h"
#include "manual.h"
#include "nearest.h"
#include "options.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_manual(void)
{
    manual_write(stdout);
}

static const struct {
    const char *name;
    void (*print)(void);
} kinds[] = {{"bash", completion_print_bash},
             {"zsh", completion_print_zsh},
             {"fish", completion_print_fish},
             {"man", print_manual}};

static const struct argp_option completions_options[] = {
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct completions_arguments {
    struct command_line line; /* must be first */
    const char *kind;
};

static error_t parse_completions_option(int key, char *value, struct argp_state *state)
{
    struct completions_arguments *arguments = state->input;
    if (key != ARGP_KEY_ARG)
        return options_default(key, state);
    arguments->kind = value;
    return 0;
}

const struct argp completions_argp = {
    .options = completions_options,
    .parser = parse_completions_option,
    .args_doc = "bash|zsh|fish|man",
    .doc = "Prints completions for a shell, or the manual, as they are installed.",
};

static struct error *print_kind(const char *kind)
{
    const char *names[array_size(kinds)];
    for (size_t i = 0; i < array_size(kinds); i++) {
        names[i] = kinds[i].name;
        if (kind && strcmp(kind, kinds[i].name) == 0) {
            kinds[i].print();
            return fflush(stdout) == 0 ? NULL : error_from_errno(errno, "cannot write to standard output");
        }
    }
    const char *nearest = kind ? nearest_word(kind, names, array_size(names)) : NULL;
    if (nearest)
        return error_create(ERROR_USAGE, "there are no completions for '%s': did you mean '%s'?", kind, nearest);
    return error_create(ERROR_USAGE, "there are completions for bash, zsh and fish: name one of them");
}

int verb_completions(int argc, char **argv)
{
    struct completions_arguments arguments = {.line = {.verb = "completions", .tables = {completions_options}}};
    struct error *error = options_parse(&completions_argp, argc, argv, &arguments.line);
    if (!error)
        error = print_kind(arguments.kind);
    return error ? report_error(error) : STATUS_SUCCESS;
}
