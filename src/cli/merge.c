/* SPDX-License-Identifier: MIT */
#include "profile/merge.h"

#include "file_name.h"
#include "input.h"
#include "options.h"
#include "outputs.h"
#include "picture_options.h"
#include "render.h"
#include "store.h"
#include "verbs.h"

#include "base/cleanup.h"
#include "profile/recording_file.h"
#include "profile/view.h"
#include "target/task.h"

enum { TABLE_LIMIT = 128 << 20 }; /* bytes of strings, frames and stacks that are held besides those of one recording */

static const struct argp_option merge_options[] = {
    {"output", 'o', "FILE", 0, "Write here; - is standard output\v. Can be given several times", 1},
    {"format", 'f', "FORMAT", 0, "In this format (default: as FILE's ending says)", 1},
    {"subprocesses", 's', NULL, 0, "Give each process a root frame of its own", 3},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct merge_arguments {
    struct command_line line; /* must be first */
    const char **paths;       /* of the recordings, */
    int *fds;                 /* and the files; each is read twice, and only then */
    uint32_t path_count;
    struct outputs outputs;
    struct picture_options picture;
};

static struct error *complete(struct merge_arguments *arguments)
{
    static const char example[] = "pyspyc merge -o all.pyspyc first.pyspyc second.pyspyc";
    if (arguments->path_count == 0)
        return error_create(ERROR_USAGE, "merge needs recordings: %s", example);
    if (arguments->outputs.count == 0)
        return error_create(ERROR_USAGE, "merge needs a file to write, with -o: %s", example);
    struct error *error = outputs_complete(&arguments->outputs);
    return error ? error : picture_options_complete(&arguments->picture);
}

static error_t parse_merge_option(int key, char *value, struct argp_state *state)
{
    struct merge_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->picture;
        break;
    case 'o':
        error = outputs_add(&arguments->outputs, value);
        break;
    case 'f':
        error = outputs_choose(&arguments->outputs, value);
        break;
    case 's':
        arguments->picture.format.detail.with_processes = true;
        break;
    case ARGP_KEY_ARG:
        arguments->paths[arguments->path_count++] = value;
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child merge_children[] = {
    {&picture_argp, 0, "How it is shown:", 3},
    {&filter_argp, 0, "What is shown:", 4},
    {0},
};

const struct argp merge_argp = {
    .children = merge_children,
    .options = merge_options,
    .parser = parse_merge_option,
    .args_doc = "FILE...",
    .doc =
        "Puts recordings of several runs, processes or ranks together.\v"
        "What is written is a recording (-o all.pyspyc), of which 'pyspyc report' makes pictures, or such a picture "
        "itself (-o all.svg). "
        "Processes and threads stay apart (-s and -t show them). Recordings that went on at the same time keep their "
        "distance in time; others begin together. Rates may differ when one is a multiple of the other. Recordings "
        "may be unfinished. Exit status: 0, or 1 on failure; 2 for mistakes of usage.",
};

/* What the recordings say of themselves, and what is missing in them. */
static struct error *note_all(const struct merge_arguments *arguments, struct merge *merge)
{
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < arguments->path_count; i++) {
        cleanup_recording_file struct recording_file *file = NULL;
        const char *path = arguments->paths[i];
        error = input_open(path, &arguments->fds[i]);
        if (!error)
            error = input_read(arguments->fds[i], path, &file);
        if (error)
            break;
        input_report_gaps(path, file);
        error = merge_note(merge, file, path);
    }
    return error;
}

static struct error *add_all(const struct merge_arguments *arguments, struct merge *merge)
{
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < arguments->path_count; i++) {
        cleanup_recording_file struct recording_file *file = NULL;
        error = input_read(arguments->fds[i], arguments->paths[i], &file);
        if (!error)
            error = merge_add(merge, file);
    }
    return error ? error : merge_finish(merge);
}

/* Makes the results of the merged recording. */
static struct error *make_results(struct merge_arguments *arguments, int fd)
{
    cleanup_recording_file struct recording_file *file = NULL;
    const struct view_options view = {0};
    struct error *error = input_read(fd, "the merged recording", &file);
    return error ? error : render(file, fd, &arguments->picture, &view, &arguments->outputs, RENDER_PLAIN);
}

static struct error *merge_files(struct merge_arguments *arguments)
{
    cleanup_merge struct merge *merge = NULL;
    cleanup_store struct store store = STORE_NONE;
    struct error *error = merge_create(TABLE_LIMIT, &merge);
    if (!error)
        error = note_all(arguments, merge);
    if (!error)
        error = outputs_open(&arguments->outputs, &(struct file_name_facts){.pid = getpid(), .number = 1});
    if (!error)
        error = store_open(outputs_first_file(&arguments->outputs), &store);
    if (error)
        return error;
    store_drop_name(&store);
    error = merge_begin(merge, store.fd);
    if (!error)
        error = add_all(arguments, merge);
    return error ? error : make_results(arguments, store.fd);
}

static int run(struct merge_arguments *arguments, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        arguments->fds[i] = -1;
    struct error *error = options_parse(&merge_argp, argc, argv, &arguments->line);
    if (!error)
        error = merge_files(arguments);
    for (int i = 0; i < argc; i++)
        cleanup_close_fd(&arguments->fds[i]);
    outputs_deinit(&arguments->outputs);
    picture_options_deinit(&arguments->picture);
    return error ? report_error(error) : STATUS_SUCCESS;
}

int verb_merge(int argc, char **argv)
{
    cleanup_free const char **paths = calloc((size_t)argc, sizeof(*paths));
    cleanup_free int *fds = calloc((size_t)argc, sizeof(*fds));
    struct merge_arguments arguments = {
        .line = {.verb = "merge", .tables = {merge_options, picture_argp_options, filter_argp_options}},
        .paths = paths,
        .fds = fds,
    };
    if (!paths || !fds)
        return report_error(error_no_memory());
    arguments.picture.line = &arguments.line;
    arguments.picture.format.tree.min_percent = TREE_MIN_PERCENT;
    task_allow_many(); /* a job's ranks can be many */
    return run(&arguments, argc, argv);
}
