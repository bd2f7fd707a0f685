/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "output.h"
#include "progress.h"
#include "supervisor.h"
#include "title.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/formats.h"
#include "profile/profile.h"
#include "sampler/process_tree.h"
#include "sampler/recording.h"
#include "target/denial.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/task.h"

#include <signal.h>
#include <string.h>

enum {
    KEY_NOLINENO = 256,
    KEY_FULL_FILENAMES,
    KEY_BLOCKING,
    KEY_NONBLOCKING,
    FORMAT_COUNT_LIMIT = 32,
    PID_NAME_LEN = 16,
};

static const struct argp_option record_options[] = {
    {"pid", 'p', "PID", 0, "Attach to this process (decimal, or hexadecimal with 0x)", 1},
    {"output", 'o', "FILE", 0, "Write here; - is standard output (default: a name with the time in it)", 1},
    {"format", 'f', "FORMAT", 0, "flamegraph (default), or raw; without it, FILE's ending chooses", 1},
    {"duration", 'd', "SECONDS", 0, "Stop recording after this time (default: at the program's end)", 2},
    {"rate", 'r', "RATE", 0, "Samples a second (default: 100)", 2},
    {"subprocesses", 's', NULL, 0, "Record the processes that it starts, too", 1},
    {"gil", 'g', NULL, 0, "Count only the thread that holds the GIL", 2},
    {"idle", 'i', NULL, 0, "Count idle threads too", 2},
    {"function", 'F', NULL, 0, "Tell frames apart by the function's first line, not by the current line", 3},
    {"nolineno", KEY_NOLINENO, NULL, 0, "Leave line numbers out", 3},
    {"threads", 't', NULL, 0, "Give each thread a root frame of its own", 3},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, 0, "Show whole paths of source files", 3},
    {"blocking", KEY_BLOCKING, NULL, 0, "Stop the program's running threads for each sample", 4},
    {"nonblocking", KEY_NONBLOCKING, NULL, 0, "Never stop the program (default)", 4},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct record_arguments {
    struct command_line line; /* must be first */
    pid_t pid;                /* 0: a program is started */
    char **program;           /* NULL: attached */
    const char *output;
    const struct format *format;
    struct recording_options recording;
    struct format_options view;
};

static struct error *take_format(const char *word, const struct format **ret)
{
    *ret = format_by_name(word);
    if (*ret)
        return NULL;
    const char *names[FORMAT_COUNT_LIMIT];
    size_t count;
    const struct format *formats = formats_all(&count);
    for (size_t i = 0; i < count && i < FORMAT_COUNT_LIMIT; i++)
        names[i] = formats[i].name;
    const char *nearest = options_nearest(word, names, count);
    if (nearest)
        return error_create(ERROR_USAGE, "unknown format '%s': did you mean '%s'?", word, nearest);
    return error_create(ERROR_USAGE, "unknown format '%s' (see 'pyspyc record --help')", word);
}

/* The format that the output's ending asks for; a name without an ending asks for the default. */
static struct error *choose_format(const char *output, const struct format **ret)
{
    size_t count;
    *ret = &formats_all(&count)[0];
    if (!output || strcmp(output, "-") == 0)
        return NULL;
    const char *slash = strrchr(output, '/');
    const char *ending = strrchr(slash ? slash + 1 : output, '.');
    if (!ending)
        return NULL;
    const struct format *format = format_by_ending(output);
    if (!format)
        return error_create(ERROR_USAGE, "no format is known for files that end in '%s': choose one with --format",
                            ending);
    *ret = format;
    return NULL;
}

static struct error *complete(struct record_arguments *arguments)
{
    if (arguments->pid == 0 && !arguments->program)
        return error_create(ERROR_USAGE, "record needs a process (--pid PID) or a program (-- PROGRAM ARGS...)");
    if (arguments->pid != 0 && arguments->program)
        return error_create(ERROR_USAGE, "record takes either --pid or a program, not both");
    return arguments->format ? NULL : choose_format(arguments->output, &arguments->format);
}

static struct error *choose_lines(struct record_arguments *arguments, enum recording_lines lines)
{
    enum recording_lines chosen = arguments->recording.lines;
    if (chosen != RECORDING_CURRENT_LINE && chosen != lines)
        return error_create(ERROR_USAGE, "--function and --nolineno exclude each other");
    arguments->recording.lines = lines;
    return NULL;
}

static error_t parse_record_option(int key, char *value, struct argp_state *state)
{
    struct record_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case 'p':
        error = options_take_pid(value, &arguments->pid);
        break;
    case 'o':
        arguments->output = value;
        break;
    case 'f':
        error = take_format(value, &arguments->format);
        break;
    case 'd':
        error = options_take_seconds(value, &arguments->recording.duration_ns);
        break;
    case 'r':
        error = options_take_rate(value, &arguments->recording.interval_ns);
        break;
    case 's':
        arguments->recording.with_processes = true;
        break;
    case 'g':
        arguments->recording.only_gil = true;
        break;
    case 'i':
        arguments->recording.with_idle = true;
        break;
    case 'F':
        error = choose_lines(arguments, RECORDING_FUNCTION_LINE);
        break;
    case KEY_NOLINENO:
        error = choose_lines(arguments, RECORDING_NO_LINE);
        break;
    case 't':
        arguments->recording.with_threads = true;
        break;
    case KEY_FULL_FILENAMES:
        arguments->view.full_filenames = true;
        break;
    case KEY_BLOCKING:
        arguments->recording.is_blocking = true;
        error = options_take_blocking(&arguments->line, true);
        break;
    case KEY_NONBLOCKING:
        error = options_take_blocking(&arguments->line, false);
        break;
    case ARGP_KEY_ARG:
        /* What follows the program's name is the program's. */
        arguments->program = &state->argv[state->next - 1];
        state->next = state->argc;
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp record_argp = {
    .options = record_options,
    .parser = parse_record_option,
    .args_doc = "--pid PID\n-- PROGRAM ARGS...",
    .doc = "Samples a Python program and writes what it did.\v"
           "Without --blocking, the program is never stopped. With a program that was started, the exit status is the "
           "program's own "
           "(128 + the signal that ended it), 125 when pyspyc fails, 126 or 127 when the program cannot be started. "
           "Attached to a process: 0, or 1 on failure. 2 for mistakes of usage.",
};

/* The words of a process's command line, as a malloc'ed array that ends with NULL and points into the text. */
static struct error *read_words(const struct process *process, struct buffer *text, const char ***ret)
{
    struct error *error = process_read_file(process, "cmdline", text);
    if (error)
        return error;
    size_t count = 0;
    const char **words = calloc(text->len + 2, sizeof(*words));
    if (!words)
        return error_no_memory();
    const char *content = buffer_text(text);
    for (size_t at = 0; at < text->len; at += strlen(content + at) + 1)
        words[count++] = content + at;
    *ret = words;
    return NULL;
}

/* Makes the profile, with the program's name on it. */
static struct error *create_profile(const struct record_arguments *arguments, const struct process *process,
                                    struct profile **ret)
{
    cleanup_buffer struct buffer text = {0}, title = {0}, name = {0};
    cleanup_free const char **words = NULL;
    const char *const *program = (const char *const *)arguments->program;
    if (!program) {
        struct error *error = read_words(process, &text, &words);
        if (error)
            return error;
        program = words;
    }
    title_append_words(&title, program);
    title_append_short(&name, program);
    return profile_create(buffer_text(&name), buffer_text(&title), ret);
}

static struct error *open_output(const struct record_arguments *arguments, struct output *ret)
{
    cleanup_buffer struct buffer name = {0};
    char pid[PID_NAME_LEN];
    if (arguments->output)
        return output_open(arguments->output, ret);
    snprintf(pid, sizeof(pid), "%d", arguments->pid);
    title_append_file_name(&name, arguments->program ? arguments->program[0] : pid, arguments->format->extension);
    return output_open(buffer_text(&name), ret);
}

static struct error *write_result(const struct record_arguments *arguments, const struct process *process,
                                  const struct supervisor *supervisor, struct recording *recording,
                                  struct profile *profile, struct output *output)
{
    struct error *error = recording_finish(recording, process);
    supervisor_release_stops(supervisor);
    if (!output->temporary_path)
        supervisor_release_signals();
    if (!error)
        error = arguments->format->write(profile, &arguments->view, output->stream);
    if (!error)
        error = output_commit(output);
    if (error)
        return error;
    bool is_file = strcmp(output->path, "-") != 0;
    progress_report(recording, profile_get_info(profile), is_file ? output->path : NULL);
    return NULL;
}

static struct error *describe_attach_error(const struct record_arguments *arguments, const struct process *process,
                                           struct error *error)
{
    bool is_no_python =
        error->kind == ERROR_NOT_PYTHON || error->kind == ERROR_TARGET_GONE || error->kind == ERROR_NOT_READY;
    if (!is_no_python)
        return denial_explain(error, process);
    bool with_children = arguments->recording.with_processes;
    if (arguments->program) {
        error_destroy(error);
        return error_create(ERROR_NOT_PYTHON, "no Python interpreter came up in '%s' %s", arguments->program[0],
                            with_children ? "nor in the processes that it started"
                                          : "itself (--subprocesses follows those that it starts)");
    }
    if (error->kind == ERROR_NOT_PYTHON)
        return error_wrap(error, "process %d is not a Python process", process->pid);
    return error->kind == ERROR_NOT_READY ? error_wrap(error, "process %d", process->pid) : error;
}

/* Says who is missing in the recording, if anybody is. */
static void report_refusals(const struct process_tree *tree)
{
    uint32_t count;
    const struct error *error = process_tree_refusals(tree, &count);
    if (error)
        fprintf(stderr, "pyspyc: processes that are not in the recording: %u, of which the first one is %s\n", count,
                error->sentence);
}

/* Whether a program was a Python, and ended before that was up: there is nothing to record, and nothing wrong. */
static bool ended_while_starting(const struct supervisor *supervisor, const struct error *error)
{
    return supervisor->child > 0 && supervisor->has_ended && error->kind == ERROR_NOT_READY;
}

/* Records until it is over, and writes the result. The process runs on, or has ended. */
static struct error *record_process(const struct record_arguments *arguments, const struct process *process,
                                    struct supervisor *supervisor, struct output *output)
{
    bool with_children = arguments->recording.with_processes;
    cleanup_profile struct profile *profile = NULL;
    cleanup_process_tree struct process_tree *tree = NULL;
    cleanup_recording struct recording *recording = NULL;
    struct error *error = create_profile(arguments, process, &profile);
    if (!error)
        error = recording_create(&arguments->recording, profile, &recording);
    if (!error)
        error = process_tree_create(recording, process, with_children, &tree);
    if (error)
        return error;
    supervisor->recording = recording;
    supervisor->tree = tree;
    supervisor->with_children = with_children;
    error = supervisor_record(supervisor);
    supervisor->recording = NULL;
    supervisor->tree = NULL;
    if (error && ended_while_starting(supervisor, error)) {
        error_destroy(error);
        error = NULL;
    }
    if (error)
        return describe_attach_error(arguments, process, error);
    report_refusals(tree);
    bool is_cut = recording_state(recording) == RECORDING_FAILED;
    error = write_result(arguments, process, supervisor, recording, profile, output);
    return error || !is_cut
               ? error
               : error_create(ERROR_OS, "the recording is not complete: there was no memory, or no thread, to be had");
}

static int record_pid(const struct record_arguments *arguments)
{
    cleanup_output struct output output = {0};
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1};
    sigset_t unused;
    launch_prepare(&unused);
    struct error *error = process_open(NULL, arguments->pid, &process);
    if (!error)
        error = open_output(arguments, &output);
    if (!error)
        error = supervisor_init(&supervisor, arguments->recording.is_blocking);
    if (error)
        return report_error(error);
    task_allow_many();
    supervisor.process = process;
    supervisor.has_progress_line = progress_is_wanted();
    error = record_process(arguments, process, &supervisor, &output);
    return error ? report_error(error) : STATUS_SUCCESS;
}

static int report_start_error(struct error *error)
{
    enum error_kind kind = error->kind;
    report_error(error);
    return kind == ERROR_NOT_FOUND ? STATUS_NO_SUCH_PROGRAM : STATUS_NOT_EXECUTABLE;
}

static int report_wrapper_error(struct error *error)
{
    report_error(error);
    return STATUS_WRAPPER_FAILURE;
}

static int record_program(const struct record_arguments *arguments)
{
    cleanup_output struct output output = {0};
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1};
    sigset_t signals_for_program;
    launch_prepare(&signals_for_program);
    struct error *error = open_output(arguments, &output);
    if (!error)
        error = supervisor_init(&supervisor, arguments->recording.is_blocking);
    if (error)
        return report_wrapper_error(error);
    error = launch_program(arguments->program, &signals_for_program, &supervisor.child);
    if (error)
        return report_start_error(error);
    task_allow_many(); /* only now, as the program is to keep its own limit */
    error = process_open(NULL, process_number_of_child(NULL, supervisor.child), &process);
    if (!error) {
        supervisor.process = process;
        /* The program draws on the same terminal, unless its output goes elsewhere. */
        supervisor.has_progress_line = progress_is_wanted() && !isatty(STDOUT_FILENO);
        error = record_process(arguments, process, &supervisor, &output);
    }
    if (error)
        report_error(error);
    int status = supervisor_wait_for_child(&supervisor);
    return error ? STATUS_WRAPPER_FAILURE : status;
}

int verb_record(int argc, char **argv)
{
    struct record_arguments arguments = {
        .line = {.verb = "record", .options = record_options},
        .recording = {.interval_ns = 10000000},
    };
    struct error *error = options_parse(&record_argp, argc, argv, &arguments.line);
    if (error)
        return report_error(error);
    return arguments.program ? record_program(&arguments) : record_pid(&arguments);
}
