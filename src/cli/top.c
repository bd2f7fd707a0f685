/* SPDX-License-Identifier: MIT */
#include "nearest.h"
#include "option_list.h"
#include "options.h"
#include "picture_options.h"
#include "sampling_options.h"
#include "supervisor.h"
#include "target.h"
#include "title.h"
#include "top_output.h"
#include "top_services.h"
#include "top_view.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/profile.h"
#include "sampler/process_tree.h"
#include "sampler/recording.h"
#include "screen/feed.h"
#include "screen/model.h"
#include "screen/screen.h"
#include "target/guard.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/task.h"

#include <signal.h>
#include <string.h>

enum {
    KEY_FULL_FILENAMES = 256,
    KEY_ONCE,
    KEY_JSON,
    KEY_SORT,
    KEY_ROWS,
    KEY_KEEP,
    KEY_TREE,
    KEY_CALLERS,
    KEY_LINES,
    KEY_NAME,
    TABLE_LIMIT = 64 << 20, /* bytes of strings, frames and stacks that are held at once */
    ROW_LIMIT = 1000000,
    LAST_LINES = 20, /* of the program's that are shown at the end */
    TEXT_ROWS = 20,  /* of a table of text, unless it is asked for others */
};

static const struct argp_option top_options[] = {
    {"delay", 'd', "SECONDS", 0, "Refresh after this time (default: 1)", 2},
    {"keep", KEY_KEEP, "SECONDS", OPTION_SELDOM, "How much the key s can save (default: 60)", 2},
    {"lines", KEY_LINES, NULL, OPTION_SELDOM, "Tell lines apart, not functions (key l)", 3},
    {"threads", 't', NULL, 0, "Tell threads apart (key t)", 3},
    {"tree", KEY_TREE, NULL, 0, "Show a tree of calls (key e)", 3},
    {"callers", KEY_CALLERS, NULL, OPTION_SELDOM, "Show what took time, and who called it (key c)", 3},
    {"sort", KEY_SORT, "COLUMN", 0, "By own%, total%, own (default), total or name\v, which are the keys 1 to 5", 3},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, OPTION_SELDOM, "Show whole paths of source files (key f)", 3},
    {"once", KEY_ONCE, NULL, 0, "Write one table, after one delay, and end\v, also on a terminal", 4},
    {"json", KEY_JSON, NULL, 0, "Write a line of JSON after each delay", 4},
    {"rows", KEY_ROWS, "N", OPTION_SELDOM, "Write so many rows (default: 20)\v, of JSON all; 0 is all, too", 4},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct top_arguments {
    struct command_line line; /* must be first */
    struct sampling_options sampling;
    bool has_rows; /* somebody said how many */
    uint64_t keep_ns;
    struct picture_options picture; /* only the filter of it */
    struct top_view view;
    struct top_output output; /* of the program that is started, where there is a screen */
};

static struct error *complete(struct top_arguments *arguments)
{
    struct recording_options *recording = &arguments->sampling.recording;
    struct error *error = sampling_options_complete(&arguments->sampling);
    if (error)
        return error;
    if (!arguments->has_rows)
        arguments->view.rows = arguments->view.is_json ? 0 : TEXT_ROWS;
    /* Which of the samples are shown can be changed by keys. */
    arguments->view.settings.with_idle = recording->with_idle;
    arguments->view.settings.only_gil = recording->only_gil;
    recording->only_gil = false;
    return picture_options_complete(&arguments->picture);
}

static struct error *take_sort(const char *value, enum model_column *ret)
{
    static const char *const names[] = {"own%", "total%", "own", "total", "name"};
    for (size_t i = 0; i < array_size(names); i++) {
        bool is_number = value[0] == (char)('1' + i) && value[1] == '\0';
        if (strcmp(names[i], value) == 0 || is_number) {
            *ret = (enum model_column)(MODEL_OWN_SHARE + i);
            return NULL;
        }
    }
    const char *nearest = nearest_word(value, names, array_size(names));
    return error_create(ERROR_USAGE, "cannot sort by '%s': did you mean '%s'?", value, nearest ? nearest : names[2]);
}

static struct error *choose_view(struct model_settings *settings, enum model_view view)
{
    if (settings->view != MODEL_FLAT && settings->view != view)
        return error_create(ERROR_USAGE, "--tree and --callers exclude each other");
    settings->view = view;
    return NULL;
}

/* The options of how it is shown. False: it is none of them. */
static bool take_view_option(struct top_arguments *arguments, int key, const char *value, struct error **ret)
{
    struct top_view *view = &arguments->view;
    switch (key) {
    case KEY_LINES:
        view->settings.by_line = true;
        break;
    case 't':
        view->settings.grouping = MODEL_THREADS;
        break;
    case KEY_TREE:
        *ret = choose_view(&view->settings, MODEL_TREE);
        break;
    case KEY_CALLERS:
        *ret = choose_view(&view->settings, MODEL_CALLERS);
        break;
    case KEY_SORT:
        *ret = take_sort(value, &view->settings.column);
        break;
    case KEY_FULL_FILENAMES:
        view->settings.full_filenames = true;
        break;
    case KEY_ONCE:
        view->is_once = true;
        break;
    case KEY_JSON:
        view->is_json = true;
        break;
    case KEY_ROWS:
        arguments->has_rows = true;
        *ret = options_take_count(value, 0, ROW_LIMIT, &view->rows);
        break;
    case 'd':
        *ret = options_take_seconds(value, &view->delay_ns);
        break;
    case KEY_KEEP:
        *ret = options_take_seconds(value, &arguments->keep_ns);
        break;
    default:
        return false;
    }
    return true;
}

static error_t parse_top_option(int key, char *value, struct argp_state *state)
{
    struct top_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->sampling.processes;
        state->child_inputs[1] = &arguments->sampling;
        state->child_inputs[2] = &arguments->picture;
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        if (!take_view_option(arguments, key, value, &error))
            return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child top_children[] = {
    {&process_argp, 0, NULL, 0},
    {&sampling_argp, 0, NULL, 4},
    {&filter_argp, 0, "What is shown:", 5},
    {0},
};

const struct argp top_argp = {
    .children = top_children,
    .options = top_options,
    .parser = parse_top_option,
    .args_doc = "--pid PID | --name RE\n-- PROGRAM ARGS...",
    .doc = "Shows live what takes a Python program's time; the key ? tells the keys.\v"
           "Where standard output is no terminal, or one that terminfo does not know, a table is written after each "
           "delay. Without --blocking and "
           "--native, the program is never stopped. Exit status: as that of 'pyspyc record'.",
};

/* What there is while a program is watched. */
struct work {
    struct profile *profile;
    struct recording *recording;
    struct process_tree *tree;
};

static void work_deinit(struct work *work)
{
    recording_destroy(work->recording);
    process_tree_destroy(work->tree);
    profile_destroy(work->profile);
}

static struct error *work_init(struct work *work, struct top_arguments *arguments, const struct process *process)
{
    struct top_view *view = &arguments->view;
    struct error *error = target_create_profile(&arguments->sampling, process, &work->profile);
    if (!error)
        error = recording_create(&arguments->sampling.recording, work->profile, &work->recording);
    if (!error)
        error = process_tree_create(work->recording, process, arguments->sampling.processes.with_children, &work->tree);
    if (!error)
        error = feed_create(arguments->keep_ns, &view->feed);
    return error ? error : model_create(view->feed, arguments->picture.filter, &view->model);
}

/* Watches until it is over. The process runs on, or has ended. */
static struct error *watch(struct top_arguments *arguments, const struct process *process,
                           struct supervisor *supervisor)
{
    struct work work __attribute__((cleanup(work_deinit))) = {0};
    struct top_view *view = &arguments->view;
    struct error *error = work_init(&work, arguments, process);
    if (error)
        return error;
    bool is_recorded;
    top_services_fill(view, &view->services);
    top_view_prepare(view);
    view->recording = work.recording;
    supervisor->guest = &view->guest;
    supervisor->recording = work.recording;
    supervisor->tree = work.tree;
    supervisor->with_children = arguments->sampling.processes.with_children;
    const struct part_ender no_parts = {0};
    error = supervisor_record(supervisor, &no_parts, &is_recorded);
    top_view_close(view);
    supervisor->guest = NULL;
    supervisor->recording = NULL;
    supervisor->tree = NULL;
    if (error && !is_recorded)
        error = target_allow_early_end(supervisor, error);
    if (error && !is_recorded)
        return target_describe_error(arguments->sampling.program, arguments->sampling.processes.with_children,
                                     supervisor->refusing ? supervisor->refusing : process, error);
    target_report_refusals(work.tree);
    return error;
}

/* The name of a file that the key s proposes. */
static struct error *propose_name(struct top_arguments *arguments)
{
    char pid[16];
    cleanup_buffer struct buffer name = {0};
    snprintf(pid, sizeof(pid), "%d", arguments->sampling.processes.pids[0]);
    title_append_file_name(&name, arguments->sampling.program ? arguments->sampling.program[0] : pid, ".svg");
    arguments->view.save_path = strdup(buffer_text(&name));
    return arguments->view.save_path ? NULL : error_no_memory();
}

static int watch_pid(struct top_arguments *arguments)
{
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .ready_fd = -1};
    sigset_t unused;
    launch_prepare(&unused);
    cleanup_other_processes struct other_processes others = {0};
    struct error *error = process_open(NULL, arguments->sampling.processes.pids[0], &process);
    if (!error)
        error = other_processes_open(&arguments->sampling.processes, &others);
    if (!error)
        error = supervisor_init(&supervisor, true);
    if (error)
        return report_error(error);
    task_allow_many();
    supervisor.process = process;
    supervisor.others = others.processes;
    supervisor.other_count = others.count;
    error = watch(arguments, process, &supervisor);
    return error ? report_error(error) : STATUS_SUCCESS;
}

/* Shows the last lines that the program has written, as they went to no terminal. */
static void print_output(struct top_output *output)
{
    cleanup_buffer struct buffer text = {0};
    top_output_append(output, &text);
    const char *begin = buffer_text(&text), *at = begin + text.len;
    for (int lines = 0; at > begin; at--) {
        if (at[-1] == '\n' && ++lines > LAST_LINES)
            break;
    }
    fputs(at, stdout);
    fflush(stdout);
}

/* What becomes of the program when we go. Returns the exit status. */
static int leave_program(struct top_arguments *arguments, struct supervisor *supervisor)
{
    struct top_view *view = &arguments->view;
    if (view->is_program_left && !supervisor->has_ended) {
        top_output_leave(view->output, supervisor->child);
        return STATUS_SUCCESS;
    }
    if (view->is_program_ended && !supervisor->has_ended)
        kill(supervisor->child, SIGTERM);
    return supervisor_wait_for_child(supervisor);
}

static int watch_program(struct top_arguments *arguments)
{
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .ready_fd = -1};
    sigset_t signals_for_program;
    launch_prepare(&signals_for_program);
    struct error *error = supervisor_init(&supervisor, true);
    if (!error && arguments->view.has_screen) {
        arguments->view.output = &arguments->output;
        error = top_output_init(&arguments->output);
    }
    if (error)
        return target_report_wrapper_error(error);
    error =
        top_output_launch(arguments->view.output, arguments->sampling.program, &signals_for_program, &supervisor.child);
    if (error)
        return target_report_start_error(error, arguments->sampling.program);
    task_allow_many(); /* only now, as the program is to keep its own limit */
    error = process_open(NULL, process_number_of_child(NULL, supervisor.child), &process);
    if (!error) {
        supervisor.process = process;
        error = watch(arguments, process, &supervisor);
    }
    bool has_failed = error && error->kind != ERROR_TARGET_GONE;
    if (error)
        report_error(error);
    int status = leave_program(arguments, &supervisor);
    if (arguments->view.output)
        print_output(&arguments->output);
    return has_failed ? STATUS_WRAPPER_FAILURE : status;
}

/* Whether there is a terminal to draw on, and nobody asks for text. */
static bool wants_screen(const struct top_view *view)
{
    const char *term = getenv("TERM");
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !term || !*term || strcmp(term, "dumb") == 0 ||
        view->is_once || view->is_json)
        return false;
    if (screen_knows_terminal(STDOUT_FILENO))
        return true;
    fprintf(stderr, "pyspyc: terminfo does not know this terminal ($TERM): text is written instead\n");
    return false;
}

static int run(struct top_arguments *arguments)
{
    struct top_view *view = &arguments->view;
    view->has_screen = wants_screen(view);
    if (view->has_screen)
        top_view_choose_letters(view);
    view->picture = &arguments->picture;
    view->with_processes = arguments->sampling.processes.with_children || arguments->sampling.processes.pid_count > 1;
    view->with_native = arguments->sampling.recording.with_native;
    view->with_idle = arguments->sampling.recording.with_idle;
    struct error *error = propose_name(arguments);
    if (error)
        return report_error(error);
    if (recording_stops_threads(&arguments->sampling.recording))
        guard_start();
    return arguments->sampling.program ? watch_program(arguments) : watch_pid(arguments);
}

int verb_top(int argc, char **argv)
{
    struct top_arguments arguments = {
        .line = {.verb = "top",
                 .tables = {top_options, process_argp_options, sampling_argp_options, reading_argp_options,
                            filter_argp_options}},
        .keep_ns = UINT64_C(60000000000),
        .output = {.fd = -1},
        .view = {.delay_ns = UINT64_C(1000000000), .settings = {.column = MODEL_OWN_TIME}},
    };
    sampling_options_init(&arguments.sampling, &arguments.line, TABLE_LIMIT);
    arguments.picture.line = &arguments.line;
    struct error *error = options_parse(&top_argp, argc, argv, &arguments.line);
    int status = error ? report_error(error) : run(&arguments);
    guard_end();
    top_view_deinit(&arguments.view);
    top_output_deinit(&arguments.output);
    picture_options_deinit(&arguments.picture);
    return status;
}
