/* SPDX-License-Identifier: MIT */
#include "file_name.h"
#include "input.h"
#include "options.h"
#include "outputs.h"
#include "picture_options.h"
#include "render.h"
#include "verbs.h"
#include "viewer.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/recording_file.h"
#include "profile/view.h"

enum { KEY_BEGIN = 256, KEY_END, KEY_OPEN };

static const struct argp_option report_options[] = {
    {"output", 'o', "FILE", 0, "Write here; - is standard output (default)\v. Can be given several times", 1},
    {"format", 'f', "FORMAT", 0, "In this format (default: as FILE's ending says)\v. With neither, it is a tree", 1},
    {"open", KEY_OPEN, NULL, 0, "Show the first file with xdg-open, unless as root", 1},
    {"gil", 'g', NULL, 0, "Show only samples of the thread that has the GIL", 2},
    {"begin", KEY_BEGIN, "SECONDS", 0, "Show only samples from this time on\v of the recording", 2},
    {"end", KEY_END, "SECONDS", 0, "Show only samples before this time\v of the recording", 2},
    {"subprocesses", 's', NULL, 0, "Give each process a root frame of its own", 3},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct report_arguments {
    struct command_line line; /* must be first */
    const char *path;         /* of the recording */
    struct outputs outputs;
    bool is_opened; /* the result is shown */
    struct view_options view;
    struct picture_options picture;
};

/* Whether not all of the recording is to be shown. */
static bool is_selective(const struct report_arguments *arguments)
{
    cleanup_buffer struct buffer words = {0};
    filter_describe(arguments->picture.filter, &words);
    return words.len > 0 || arguments->view.only_gil || arguments->view.end_ns != 0;
}

static struct error *complete(struct report_arguments *arguments)
{
    struct view_options *view = &arguments->view;
    if (!arguments->path)
        return error_create(ERROR_USAGE, "report needs a recording: pyspyc report run.pyspyc");
    if (view->end_ns != 0 && view->end_ns <= view->begin_ns)
        return error_create(ERROR_USAGE, "--end is not after --begin");
    if (view->begin_ns != 0 && view->end_ns == 0)
        view->end_ns = UINT64_MAX;
    struct error *error = arguments->outputs.count == 0 ? outputs_add(&arguments->outputs, "-") : NULL;
    if (!error)
        error = outputs_complete(&arguments->outputs);
    if (!error)
        error = picture_options_complete(&arguments->picture);
    if (!error && outputs_have_recording(&arguments->outputs) && is_selective(arguments))
        error =
            error_create(ERROR_USAGE, "a recording is only copied as a whole: choose what to show when it is shown");
    return error;
}

static struct error *take_path(struct report_arguments *arguments, const char *path)
{
    if (arguments->path)
        return error_create(ERROR_USAGE, "report takes one recording; 'pyspyc merge' makes one of several");
    arguments->path = path;
    return NULL;
}

static error_t parse_report_option(int key, char *value, struct argp_state *state)
{
    struct report_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->picture;
        break;
    case KEY_OPEN:
        arguments->is_opened = true;
        break;
    case 'o':
        error = outputs_add(&arguments->outputs, value);
        break;
    case 'f':
        error = outputs_choose(&arguments->outputs, value);
        break;
    case 'g':
        arguments->view.only_gil = true;
        break;
    case 's':
        arguments->picture.format.detail.with_processes = true;
        break;
    case KEY_BEGIN:
        error = options_take_time(value, &arguments->view.begin_ns);
        break;
    case KEY_END:
        error = options_take_seconds(value, &arguments->view.end_ns);
        break;
    case ARGP_KEY_ARG:
        error = take_path(arguments, value);
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child report_children[] = {
    {&picture_argp, 0, "How it is shown:", 3},
    {&filter_argp, 0, "What is shown:", 4},
    {0},
};

const struct argp report_argp = {
    .children = report_children,
    .options = report_options,
    .parser = parse_report_option,
    .args_doc = "FILE",
    .doc = "Makes pictures of a recording, which 'pyspyc record -o FILE.pyspyc' keeps.\v"
           "The recording may be unfinished: of one that was cut off, what is there is shown. FILE can also be what "
           "another tool wrote: collapsed stacks or a pprof file. Any can be gzipped; - is standard input. "
           "Exit status: 0, or 1 on failure; 2 for mistakes of usage.",
};

static struct error *report(struct report_arguments *arguments)
{
    cleanup_recording_file struct recording_file *file = NULL;
    cleanup_fd int fd = -1;
    struct error *error = input_open(arguments->path, &fd);
    if (!error)
        error = input_read(fd, arguments->path, &file);
    if (error)
        return error;
    input_report_gaps(arguments->path, file);
    error = outputs_open(&arguments->outputs, &(struct file_name_facts){.pid = getpid(), .number = 1});
    return error ? error : render(file, fd, &arguments->picture, &arguments->view, &arguments->outputs, RENDER_PLAIN);
}

int verb_report(int argc, char **argv)
{
    struct report_arguments arguments = {
        .line = {.verb = "report", .tables = {report_options, picture_argp_options, filter_argp_options}},
    };
    arguments.picture.line = &arguments.line;
    arguments.picture.format.tree.min_percent = TREE_MIN_PERCENT;
    struct error *error = options_parse(&report_argp, argc, argv, &arguments.line);
    if (!error)
        error = report(&arguments);
    if (!error && arguments.is_opened)
        viewer_open(&arguments.outputs);
    outputs_deinit(&arguments.outputs);
    picture_options_deinit(&arguments.picture);
    return error ? report_error(error) : STATUS_SUCCESS;
}
