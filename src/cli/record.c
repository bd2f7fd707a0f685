/* SPDX-License-Identifier: MIT */
#include "capture.h"
#include "file_name.h"
#include "options.h"
#include "outputs.h"
#include "picture_options.h"
#include "process_table.h"
#include "progress.h"
#include "render.h"
#include "store.h"
#include "supervisor.h"
#include "target.h"
#include "title.h"
#include "verbs.h"
#include "viewer.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/formats.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/view.h"
#include "sampler/process_tree.h"
#include "sampler/recording.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum {
    KEY_BLOCKING = 256,
    KEY_NONBLOCKING,
    KEY_NATIVE_ALL,
    KEY_START_PAUSED,
    KEY_READY_FD,
    KEY_HIDE_PROGRESS,
    KEY_CAPTURE,
    KEY_NAME,
    KEY_OPEN,
    KEY_EVERY,
    EVERY_MIN_NS = 100000000,
    PID_NAME_LEN = 16,
    PID_LIMIT = 1024,        /* processes that are named */
    TABLE_LIMIT = 256 << 20, /* bytes of strings, frames and stacks that are held while recording */
};

static const struct argp_option record_options[] = {
    {"pid", 'p', "PID", 0,
     "Attach to this process\v: its number, decimal, or hexadecimal with 0x. Can be given several times", 1},
    {"name", KEY_NAME, "RE", 0,
     "Attach to the one whose command line is like this\v. When there are several, they are listed; with "
     "--subprocesses, those that another of them has started do not count",
     1},
    {"output", 'o', "FILE", 0,
     "Write here; - is standard output\v (default: a name with the time in it; a tree goes to standard output). Can be "
     "given several times. In a name, %p is the process's number (ours, for a program that is started), %h the host, %t "
     "the time, %n the file's number with --every, and %% a percent sign",
     1},
    {"open", KEY_OPEN, NULL, 0, "Show the first file with xdg-open, unless as root", 1},
    {"format", 'f', "FORMAT", 0, "In this format (default: as FILE's ending says)\v. With neither, it is a flame graph",
     1},
    {"duration", 'd', "SECONDS", 0,
     "Stop after this time (default: at the program's end)\v, which 'unlimited' says, too. It is wall time", 2},
    {"every", KEY_EVERY, "SECONDS", 0,
     "Write a file after each such time, and go on\v. They are numbered: where %n is in a name, or else before its "
     "ending. Each has what was recorded since the one before; while nothing is recorded, none is written",
     2},
    {"rate", 'r', "RATE", 0, "Samples a second (default: 100)", 2},
    {"subprocesses", 's', NULL, 0, "Record the processes that it starts, too", 1},
    {"gil", 'g', NULL, 0, "Count only the thread that holds the GIL", 2},
    {"idle", 'i', NULL, 0, "Count idle threads too", 2},
    {"native", 'n', NULL, 0, "Show C, C++, Cython and Rust functions, too\v. Stops each thread for a moment for that",
     2},
    {"native-all", KEY_NATIVE_ALL, NULL, 0,
     "The same, with the interpreter's machinery\v, and threads that Python knows nothing of", 2},
    {"blocking", KEY_BLOCKING, NULL, 0, "Stop its running threads for each sample", 2},
    {"nonblocking", KEY_NONBLOCKING, NULL, 0, "Never stop the program (default)", 2},
    {"start-paused", KEY_START_PAUSED, NULL, 0,
     "Record nothing until SIGUSR1; SIGUSR2 pauses again\v. A program that was started finds the number to send them "
     "to in $PYSPYC_PID",
     2},
    {"ready-fd", KEY_READY_FD, "FD", 0,
     "Write a newline here once recording has begun\v, to this open descriptor, and close it", 2},
    {"hideprogress", KEY_HIDE_PROGRESS, NULL, OPTION_HIDDEN, "Show no progress\v, as with py-spy", 2},
    {"capture", KEY_CAPTURE, NULL, OPTION_HIDDEN,
     "Keep what the program prints to ourselves\v, and show it if the program fails, as with py-spy", 2},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct record_arguments {
    struct command_line line; /* must be first */
    pid_t pids[PID_LIMIT];    /* none: a program is started */
    uint32_t pid_count;
    const char *name; /* an expression for the command line of the process; NULL: not given */
    char **program;   /* NULL: attached */
    bool with_processes;
    uint64_t every_ns;    /* between files; 0: one at the end */
    uint32_t file_number; /* of the current one, from 1 */
    bool is_start_paused;
    bool hides_progress;
    bool is_opened; /* the result is shown */
    bool captures;  /* what the program prints */
    struct outputs outputs;
    struct store store; /* open with the outputs */
    int ready_fd;       /* -1: nobody waits for the beginning */
    struct recording_options recording;
    struct picture_options picture;
};

/* Whether threads of the program are in our hands at times. */
static bool stops_threads(const struct recording_options *options)
{
    return options->is_blocking || options->with_native;
}

/* Adds a process, unless it is there. */
static struct error *add_pid(struct record_arguments *arguments, pid_t pid)
{
    for (uint32_t i = 0; i < arguments->pid_count; i++) {
        if (arguments->pids[i] == pid)
            return NULL;
    }
    if (arguments->pid_count == PID_LIMIT)
        return error_create(ERROR_USAGE, "there can be no more than %d processes", PID_LIMIT);
    arguments->pids[arguments->pid_count++] = pid;
    return NULL;
}

static struct error *take_pid(struct record_arguments *arguments, const char *value)
{
    pid_t pid = 0;
    struct error *error = options_take_pid(value, &pid);
    return error ? error : add_pid(arguments, pid);
}

static struct error *take_named(struct record_arguments *arguments)
{
    pid_t pid = 0;
    struct error *error = process_by_name(arguments->name, arguments->with_processes, &pid);
    return error ? error : add_pid(arguments, pid);
}

static struct error *complete(struct record_arguments *arguments)
{
    bool is_attached = arguments->pid_count > 0 || arguments->name;
    if (!is_attached && !arguments->program)
        return error_create(ERROR_USAGE, "record needs a process (--pid PID) or a program (-- PROGRAM ARGS...)");
    if (is_attached && arguments->program)
        return error_create(ERROR_USAGE, "record takes either --pid or a program, not both");
    if (arguments->name) {
        struct error *error = take_named(arguments);
        if (error)
            return error;
    }
    arguments->picture.format.detail.with_processes |= arguments->pid_count > 1;
    return picture_options_complete(&arguments->picture);
}

/* py-spy says "unlimited" for what is the default. */
static struct error *take_duration(const char *value, uint64_t *ret_ns)
{
    if (strcmp(value, "unlimited") != 0)
        return options_take_seconds(value, ret_ns);
    *ret_ns = 0;
    return NULL;
}

/* How processes are read. False: the option says nothing of that. */
static bool take_reading_option(struct record_arguments *arguments, int key, const char *value, struct error **ret)
{
    switch (key) {
    case 'r':
        *ret = options_take_rate(value, &arguments->recording.interval_ns);
        break;
    case 'g':
        arguments->recording.only_gil = true;
        break;
    case 'i':
        arguments->recording.with_idle = true;
        break;
    case KEY_NATIVE_ALL:
        arguments->recording.with_all_native = true;
        __attribute__((fallthrough));
    case 'n':
        arguments->recording.with_native = true;
        *ret = options_take_native(&arguments->line);
        break;
    case KEY_BLOCKING:
        arguments->recording.is_blocking = true;
        *ret = options_take_blocking(&arguments->line, true);
        break;
    case KEY_NONBLOCKING:
        *ret = options_take_blocking(&arguments->line, false);
        break;
    default:
        return false;
    }
    return true;
}

static struct error *take_every(const char *value, uint64_t *ret_ns)
{
    uint64_t every_ns = 0;
    struct error *error = options_take_seconds(value, &every_ns);
    if (!error && every_ns < EVERY_MIN_NS)
        error = error_create(ERROR_USAGE, "--every takes 0.1 seconds or more, not '%s'", value);
    if (!error)
        *ret_ns = every_ns;
    return error;
}

static error_t parse_record_option(int key, char *value, struct argp_state *state)
{
    struct record_arguments *arguments = state->input;
    struct error *error = NULL;
    if (take_reading_option(arguments, key, value, &error))
        return error ? options_fail(state, error) : 0;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->picture;
        break;
    case 'p':
        error = take_pid(arguments, value);
        break;
    case KEY_NAME:
        arguments->name = value;
        break;
    case 'o':
        error = outputs_add(&arguments->outputs, value);
        break;
    case 'f':
        error = outputs_choose(&arguments->outputs, value);
        break;
    case 'd':
        error = take_duration(value, &arguments->recording.duration_ns);
        break;
    case 's':
        arguments->with_processes = arguments->picture.format.detail.with_processes = true;
        break;
    case KEY_EVERY:
        arguments->outputs.is_numbered = true;
        error = take_every(value, &arguments->every_ns);
        break;
    case KEY_START_PAUSED:
        arguments->is_start_paused = true;
        break;
    case KEY_READY_FD:
        error = options_take_descriptor(value, &arguments->ready_fd);
        break;
    case KEY_OPEN:
        arguments->is_opened = true;
        break;
    case KEY_HIDE_PROGRESS:
        arguments->hides_progress = true;
        break;
    case KEY_CAPTURE:
        arguments->captures = true;
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

static const struct argp_child record_children[] = {
    {&picture_argp, 0, "How it is shown:", 3},
    {&filter_argp, 0, "What is shown:", 4},
    {0},
};

const struct argp record_argp = {
    .children = record_children,
    .options = record_options,
    .parser = parse_record_option,
    .args_doc = "--pid PID | --name RE\n-- PROGRAM ARGS...",
    .doc = "Samples a Python program and writes what it did.\v"
           "Without --blocking and --native, the program is never stopped. With a program that was started, the exit "
           "status is the "
           "program's own "
           "(128 + the signal that ended it), 125 when pyspyc fails, 126 or 127 when the program cannot be started. "
           "Attached to a process: 0, or 1 on failure. 2 for mistakes of usage.",
};

/* Opens the files of the next number, and the one in which the recording is kept meanwhile. */
static struct error *open_next_outputs(struct record_arguments *arguments)
{
    struct outputs *outputs = &arguments->outputs;
    const struct file_name_facts facts = {
        .pid = arguments->program ? getpid() : arguments->pids[0],
        .number = ++arguments->file_number,
    };
    struct error *error = outputs_open(outputs, &facts);
    return error ? error : store_open(outputs_first_file(outputs), &arguments->store);
}

/* The output that nobody named: what is text goes to standard output; a file has the program's name, and the time. */
static struct error *add_output(struct record_arguments *arguments, struct buffer *name)
{
    struct outputs *outputs = &arguments->outputs;
    if (outputs_are_text(outputs))
        return outputs_add(outputs, "-");
    size_t count;
    char pid[PID_NAME_LEN];
    outputs->is_literal = true;
    const struct format *format = outputs->format ? outputs->format : &formats_all(&count)[0];
    snprintf(pid, sizeof(pid), "%d", arguments->pids[0]);
    title_append_file_name(name, arguments->program ? arguments->program[0] : pid, format->extension);
    return name->failed ? error_no_memory() : outputs_add(outputs, buffer_text(name));
}

static struct error *open_outputs(struct record_arguments *arguments, struct buffer *name)
{
    struct error *error = arguments->outputs.count == 0 ? add_output(arguments, name) : NULL;
    if (!error)
        error = outputs_complete(&arguments->outputs);
    return error ? error : open_next_outputs(arguments);
}

/* What there is while something is recorded, and where it goes. */
struct work {
    struct profile *profile;
    struct recording *recording;
    struct process_tree *tree;
    struct recording_writer *writer;
};

static void work_deinit(struct work *work)
{
    recording_destroy(work->recording);
    process_tree_destroy(work->tree);
    profile_destroy(work->profile);
    recording_writer_destroy(work->writer);
    *work = (struct work){0};
}

static struct error *work_init(struct work *work, const struct record_arguments *arguments,
                               const struct process *process)
{
    struct error *error = target_create_profile(arguments->program, process, arguments->pid_count, &work->profile);
    if (!error)
        error = recording_writer_create(arguments->store.fd, &work->writer);
    if (!error)
        error = recording_create(&arguments->recording, work->profile, &work->recording);
    if (!error)
        error = process_tree_create(work->recording, process, arguments->with_processes, &work->tree);
    return error;
}

/* Makes the results of the recording, which is complete. */
static struct error *make_results(struct record_arguments *arguments, int fd, enum render_end end)
{
    cleanup_recording_file struct recording_file *file = NULL;
    const struct view_options view = {0};
    int own_fd = dup(fd);
    if (own_fd < 0)
        return error_from_errno(errno, "cannot read the recording");
    struct error *error = recording_file_open(own_fd, "the recording", &file);
    if (error) {
        close(own_fd);
        return error;
    }
    return render(file, fd, &arguments->picture, &view, &arguments->outputs, end);
}

/* Says where the recording is that no result could be made of. */
static struct error *keep_recording(struct store *store, struct error *error)
{
    cleanup_buffer struct buffer shown = {0};
    if (!store->path || access(store->path, F_OK) != 0) /* that was said, or somebody has removed it */
        return error;
    escape_visible(&shown, store->path, strlen(store->path));
    fprintf(stderr, "pyspyc: what was recorded is in %s: 'pyspyc report' makes pictures of it\n", buffer_text(&shown));
    store_keep(store);
    return error;
}

/* What the end of a part takes. */
struct parts {
    struct record_arguments *arguments;
    const struct process *process;
    struct supervisor *supervisor;
    struct work *work;
};

/* Writes the results of a part that is over, and opens the files of the next one. */
static struct error *change_outputs(const struct parts *parts)
{
    struct record_arguments *arguments = parts->arguments;
    struct work *work = parts->work;
    struct error *error = recording_writer_finish(work->writer);
    if (!error)
        error = make_results(arguments, arguments->store.fd, RENDER_PLAIN);
    recording_writer_destroy(hand_over(&work->writer));
    if (error)
        return keep_recording(&arguments->store, error);
    outputs_close(&arguments->outputs);
    store_deinit(&arguments->store);
    error = open_next_outputs(arguments);
    if (!error)
        error = recording_writer_create(arguments->store.fd, &work->writer);
    return error;
}

static struct error *end_part(void *context)
{
    const struct parts *parts = context;
    bool is_begun = false;
    struct error *error = recording_begin_part(parts->work->recording, parts->process, parts->work->writer, &is_begun);
    if (error || !is_begun)
        return error;
    if (parts->supervisor->has_progress_line)
        progress_clear();
    error = change_outputs(parts);
    supervisor_begin_part(parts->supervisor, parts->work->writer);
    return error;
}

/* Ends the recording, writes the results and says what they are. save_error: why it was cut short, or NULL. */
static struct error *finish(struct record_arguments *arguments, const struct process *process,
                            const struct supervisor *supervisor, struct work *work, struct error *save_error)
{
    struct error *error = save_error;
    recording_stop(work->recording);
    supervisor_release_stops(supervisor);
    if (!error)
        error = recording_save(work->recording, process, work->writer);
    if (!error)
        error = recording_writer_finish(work->writer);
    const struct recording_progress progress = recording_progress(work->recording);
    const struct profile_info info = *profile_get_info(work->profile);
    bool is_cut = recording_state(work->recording) == RECORDING_FAILED;
    work_deinit(work);
    progress_report(&progress, &info);
    if (supervisor->is_paused && progress.samples == 0)
        fprintf(stderr, "pyspyc: nothing was recorded, as SIGUSR1 did not come to begin it\n");
    if (outputs_can_wait(&arguments->outputs))
        supervisor_release_signals();
    if (!error)
        error = make_results(arguments, arguments->store.fd, RENDER_WITH_SUMMARY);
    if (error)
        return keep_recording(&arguments->store, error);
    if (arguments->is_opened)
        viewer_open(&arguments->outputs);
    return is_cut
               ? error_create(ERROR_OS, "the recording is not complete: there was no memory, or no thread, to be had")
               : NULL;
}

/* Records until it is over, and writes the results. The process runs on, or has ended. */
static struct error *record_process(struct record_arguments *arguments, const struct process *process,
                                    struct supervisor *supervisor)
{
    struct work work __attribute__((cleanup(work_deinit))) = {0};
    struct error *error = work_init(&work, arguments, process);
    if (error)
        return error;
    bool is_recorded;
    supervisor->recording = work.recording;
    supervisor->tree = work.tree;
    supervisor->writer = work.writer;
    supervisor->with_children = arguments->with_processes;
    supervisor->is_paused |= arguments->is_start_paused;
    supervisor->ready_fd = arguments->ready_fd;
    supervisor->duration_ns = arguments->recording.duration_ns;
    struct parts parts = {arguments, process, supervisor, &work};
    const struct part_ender ender = {arguments->every_ns, end_part, &parts};
    error = supervisor_record(supervisor, &ender, &is_recorded);
    supervisor->recording = NULL;
    supervisor->tree = NULL;
    supervisor->writer = NULL;
    if (error && !is_recorded && target_ended_while_starting(supervisor, error)) {
        error_destroy(error);
        error = NULL;
    }
    if (error && !is_recorded)
        return target_describe_error(arguments->program, arguments->with_processes,
                                     supervisor->refusing ? supervisor->refusing : process, error);
    target_report_refusals(work.tree);
    return finish(arguments, process, supervisor, &work, error);
}

static bool shows_progress(const struct record_arguments *arguments)
{
    return progress_is_wanted() && !arguments->hides_progress;
}

/* The processes besides the first one. */
struct others {
    struct process *processes[PID_LIMIT]; /* NULL: it is somebody else's now */
    uint32_t count;
};

static void others_deinit(struct others *others)
{
    for (uint32_t i = 0; i < others->count; i++)
        process_destroy(others->processes[i]);
}

static struct error *others_init(struct others *others, const struct record_arguments *arguments)
{
    struct error *error = NULL;
    for (uint32_t i = 1; !error && i < arguments->pid_count; i++) {
        error = process_open(NULL, arguments->pids[i], &others->processes[i - 1]);
        others->count += !error;
    }
    return error;
}

static int record_pid(struct record_arguments *arguments)
{
    cleanup_buffer struct buffer name = {0};
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .ready_fd = -1};
    sigset_t unused;
    launch_prepare(&unused);
    supervisor_hold_pauses();
    struct others others __attribute__((cleanup(others_deinit))) = {0};
    struct error *error = process_open(NULL, arguments->pids[0], &process);
    if (!error)
        error = others_init(&others, arguments);
    if (!error)
        error = open_outputs(arguments, &name);
    if (!error)
        error = supervisor_init(&supervisor, stops_threads(&arguments->recording));
    if (error)
        return report_error(error);
    task_allow_many();
    supervisor.process = process;
    supervisor.others = others.processes;
    supervisor.other_count = others.count;
    supervisor.has_progress_line = shows_progress(arguments);
    error = record_process(arguments, process, &supervisor);
    return error ? report_error(error) : STATUS_SUCCESS;
}

/* Lets the program that is started know whom to send signals that start and pause the recording. */
static struct error *tell_program(void)
{
    char pid[PID_NAME_LEN];
    snprintf(pid, sizeof(pid), "%d", getpid());
    return setenv("PYSPYC_PID", pid, 1) == 0 ? NULL : error_no_memory();
}

static int record_program(struct record_arguments *arguments)
{
    cleanup_buffer struct buffer name = {0};
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .ready_fd = -1};
    cleanup_fd int captured = -1;
    sigset_t signals_for_program;
    launch_prepare(&signals_for_program);
    struct error *error = open_outputs(arguments, &name);
    if (!error)
        error = supervisor_init(&supervisor, stops_threads(&arguments->recording));
    if (error)
        return target_report_wrapper_error(error);
    error = tell_program();
    if (error)
        return target_report_wrapper_error(error);
    error = arguments->captures ? capture_launch(arguments->program, &signals_for_program, &supervisor.child, &captured)
                                : launch_program(arguments->program, &signals_for_program, &supervisor.child);
    if (error)
        return target_report_start_error(error, arguments->program);
    task_allow_many(); /* only now, as the program is to keep its own limit */
    error = process_open(NULL, process_number_of_child(NULL, supervisor.child), &process);
    if (!error) {
        supervisor.process = process;
        /* The program draws on the same terminal, unless its output goes elsewhere. */
        supervisor.has_progress_line = shows_progress(arguments) && (captured >= 0 || !isatty(STDOUT_FILENO));
        error = record_process(arguments, process, &supervisor);
    }
    if (error)
        report_error(error);
    int status = supervisor_wait_for_child(&supervisor);
    if (captured >= 0 && (error || status != 0))
        capture_show(captured);
    return error ? STATUS_WRAPPER_FAILURE : status;
}

int verb_record(int argc, char **argv)
{
    struct record_arguments arguments = {
        .line = {.verb = "record", .tables = {record_options, picture_argp_options, filter_argp_options}},
        .recording = {.interval_ns = 10000000, .table_limit = TABLE_LIMIT},
        .ready_fd = -1,
        .store = {.fd = -1},
    };
    arguments.picture.line = &arguments.line;
    arguments.picture.format.tree.min_percent = TREE_MIN_PERCENT;
    struct error *error = options_parse(&record_argp, argc, argv, &arguments.line);
    int status = 0;
    if (error)
        status = report_error(error);
    else
        status = arguments.program ? record_program(&arguments) : record_pid(&arguments);
    outputs_deinit(&arguments.outputs);
    store_deinit(&arguments.store);
    picture_options_deinit(&arguments.picture);
    return status;
}
