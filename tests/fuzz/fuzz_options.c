/* SPDX-License-Identifier: MIT */
/*
 * A command line: words with NULs between them, for the options that verbs share, and then each of them as a number, a
 * rate, a time, a percentage. What is accepted has to be within its limits; what is not, has a sentence that says why.
 *
 * For: src/cli/options.c src/cli/sampling_options.c src/cli/picture_options.c src/cli/process_options.c
 * For: src/cli/nearest.c src/cli/file_name.c
 * Options: -max_len=512 -close_fd_mask=2
 */
#include "cli/options.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "cli/file_name.h"
#include "cli/help.h"
#include "cli/option_list.h"
#include "cli/picture_options.h"
#include "cli/process_table.h"
#include "cli/sampling_options.h"
#include "cli/verbs.h"
#include "input.h"

#include <math.h>

enum { WORD_LIMIT = 16 };

struct arguments {
    struct command_line line; /* must be first */
    struct sampling_options sampling;
    struct picture_options picture;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    (void)value;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->sampling.processes;
        state->child_inputs[1] = &arguments->sampling;
        state->child_inputs[2] = state->child_inputs[3] = &arguments->picture;
        return 0;
    case ARGP_KEY_END:
        return 0;
    default:
        return options_default(key, state);
    }
}

static const struct argp_child children[] = {
    {&process_argp, 0, NULL, 0},
    {&sampling_argp, 0, NULL, 0},
    {&picture_argp, 0, NULL, 0},
    {&filter_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {.children = children, .parser = parse_option};

/* Who would look for processes, or print help, is not here: there is no option for the one, and the other is left out.
 */
struct error *process_by_name(const char *expression, bool with_children, pid_t *ret)
{
    (void)expression, (void)with_children;
    *ret = 1;
    return NULL;
}

void help_print_verb(const struct verb *verb)
{
    (void)verb;
}

const struct verb *verbs_find(const char *word)
{
    (void)word;
    return NULL;
}

static bool accepts(struct error *error)
{
    check(!error || (error->kind == ERROR_USAGE && *error->sentence));
    bool is_accepted = !error;
    error_destroy(error);
    return is_accepted;
}

static void check_arguments(struct arguments *arguments)
{
    const struct sampling_options *sampling = &arguments->sampling;
    check(sampling->recording.interval_ns >= 10000 && sampling->recording.interval_ns <= 1000000000);
    check(sampling->processes.pid_count <= PROCESS_LIMIT);
    check(!(sampling->reading.is_blocking && sampling->reading.is_nonblocking));
    check(arguments->picture.format.tree.min_percent >= 0 && arguments->picture.format.tree.min_percent <= 100);
    accepts(sampling_options_complete(&arguments->sampling));
    accepts(picture_options_complete(&arguments->picture));
    picture_options_deinit(&arguments->picture);
}

static void parse(int argc, char **argv)
{
    struct arguments arguments = {.line = {.verb = "record",
                                           .tables = {process_argp_options, sampling_argp_options, reading_argp_options,
                                                      picture_argp_options, filter_argp_options}}};
    sampling_options_init(&arguments.sampling, &arguments.line, 0);
    arguments.picture.line = &arguments.line;
    if (accepts(options_parse(&argp, argc, argv, &arguments.line)))
        check_arguments(&arguments);
}

static void take_values(const char *word)
{
    pid_t pid;
    uint64_t number;
    uint32_t count;
    double percent;
    cleanup_buffer struct buffer name = {0};
    if (accepts(options_take_pid(word, &pid)))
        check(pid > 0);
    int fd;
    if (accepts(options_take_descriptor(word, &fd)))
        check(fd >= 0);
    if (accepts(options_take_rate(word, &number)))
        check(number >= 10000 && number <= 1000000000);
    if (accepts(options_take_seconds(word, &number)))
        check(number >= 1000 && number <= UINT64_C(1000000000000000000));
    if (accepts(options_take_time(word, &number)))
        check(number <= UINT64_C(1000000000000000000));
    if (accepts(options_take_percent(word, &percent)))
        check(!isnan(percent) && percent >= 0 && percent <= 100);
    if (accepts(options_take_count(word, 3, 5, &count)))
        check(count >= 3 && count <= 5);
    file_name_append(&name, word, &(struct file_name_facts){.pid = 1, .number = 2});
    check(!name.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    cleanup_free char *text = input_string(bytes, len);
    char verb[] = "record";
    char *argv[WORD_LIMIT + 2] = {verb};
    int argc = 1;
    for (char *word = text; word <= text + len && argc <= WORD_LIMIT; word += strlen(word) + 1)
        argv[argc++] = word;
    for (int i = 1; i < argc; i++)
        take_values(argv[i]);
    parse(argc, argv);
    return 0;
}
