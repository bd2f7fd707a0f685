/* SPDX-License-Identifier: MIT */
#include "capture.h"
#include "file_name.h"
#include "kept_files.h"
#include "option_list.h"
#include "options.h"
#include "outputs.h"
#include "picture_options.h"
#include "progress.h"
#include "render.h"
#include "sampling_options.h"
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
#include "target/guard.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum {
    KEY_START_PAUSED = 256,
    KEY_READY_FD,
    KEY_HIDE_PROGRESS,
    KEY_CAPTURE,
    KEY_OPEN,
    KEY_EVERY,
    KEY_KEEP,
    EVERY_MIN_NS = 100000000,
    EVERY_MIN_LEN = 64 << 10,
    KEEP_LIMIT = 100000,
    PID_NAME_LEN = 16,
    /*
     * Bytes of strings, frames and stacks that are held while recording, beyond which they go to the file and are
     * forgotten. Most programs never have so many; of one whose stacks are new all the time, each is written once, as
     * without a limit. With what else has a limit (3 MiB of samples that were not saved yet, and for each process 4 MiB
     * of code objects and 2 MiB of known frames) it bounds the memory that a recording takes, but for some 100 bytes
     * for each thread and process that there ever was. Making results takes more: all stacks of the recording.
     */
    TABLE_LIMIT = 2 << 20,
};

static const struct argp_option record_options[] = {
    {"output", 'o', "FILE", 0,
     "Write here; - is standard output\v (default: a name with the time in it; a tree goes to standard output). Can be "
     "given several times. In a name, %p is the process's number (ours, for a program that is started), %h the host, "
     "%t "
     "the time, %n the file's number with --every, and %% a percent sign",
     1},
    {"open", KEY_OPEN, NULL, OPTION_SELDOM, "Show the first file with xdg-open, unless as root", 1},
    {"format", 'f', "FORMAT", 0, "In this format (default: as FILE's ending says)\v. With neither, it is a flame graph",
     1},
    {"duration", 'd', "SECONDS", 0,
     "Stop after this time (default: at the program's end)\v, which 'unlimited' says, too. It is wall time", 2},
    {"every", KEY_EVERY, "SECONDS|SIZE", OPTION_SELDOM,
     "Write a file after each such time, or so many bytes of recording (100M), and go on\v. They are numbered: where "
     "%n is in a name, or else before its ending. Each has what was recorded since the one before; while nothing is "
     "recorded, none is written. A size ends in K, M or G, and is that of a .pyspyc file, which can have a second "
     "more. With both, given one after the other, it is what comes first",
     2},
    {"keep", KEY_KEEP, "COUNT", OPTION_SELDOM,
     "With --every, keep only the newest so many files of each name\v, and remove those that were written before", 2},
    {"start-paused", KEY_START_PAUSED, NULL, OPTION_SELDOM,
     "Record nothing until SIGUSR1; SIGUSR2 pauses again\v. A program that was started finds the number to send them "
     "to in $PYSPYC_PID",
     2},
    {"ready-fd", KEY_READY_FD, "FD", OPTION_SELDOM,
     "Write a newline here once recording has begun\v, to this open descriptor, and close it", 2},
    {"hideprogress", KEY_HIDE_PROGRESS, NULL, OPTION_HIDDEN, "Show no progress\v, as with py-spy", 2},
    {"capture", KEY_CAPTURE, NULL, OPTION_HIDDEN,
     "Keep what the program prints to ourselves\v, and show it if the program fails, as with py-spy", 2},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct record_arguments {
    struct command_line line; /* must be first */
    struct sampling_options sampling;
    uint64_t every_ns;   /* between files; 0: time does not matter, */
    uint64_t every_len;  /* and 0: nor does size. With neither there is one at the end */
    uint32_t keep_count; /* files of each output that stay; 0: all */
    struct kept_files kept;
    uint32_t file_number; /* of the current one, from 1, */
    bool has_lost_part;   /* of which no results could be made: it was the last one */
    bool is_start_paused;
    bool hides_progress;
    bool is_opened; /* the result is shown */
    bool captures;  /* what the program prints */
    struct outputs outputs;
    struct store store; /* open with the outputs */
    struct store next;  /* another place for the recording, while it is tried */
    struct recording_refuge refuge;
    int ready_fd; /* -1: nobody waits for the beginning */
    struct picture_options picture;
};

static struct error *complete(struct record_arguments *arguments)
{
    const struct process_options *processes = &arguments->sampling.processes;
    struct error *error = sampling_options_complete(&arguments->sampling);
    if (!error && arguments->keep_count > 0 && !arguments->outputs.is_numbered)
        error = error_create(ERROR_USAGE, "--keep needs --every, which writes more than one file");
    if (error)
        return error;
    arguments->picture.format.detail.with_processes = processes->with_children || processes->pid_count > 1;
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

static struct error *take_every(struct record_arguments *arguments, const char *value)
{
    uint64_t every_ns = 0, every_len = 0;
    arguments->outputs.is_numbered = true;
    if (options_take_size(value, &every_len)) {
        arguments->every_len = every_len;
        return every_len >= EVERY_MIN_LEN
                   ? NULL
                   : error_create(ERROR_USAGE, "--every takes a size of 64K or more, not '%s'", value);
    }
    struct error *error = options_take_seconds(value, &every_ns);
    if (!error && every_ns < EVERY_MIN_NS)
        error = error_create(ERROR_USAGE, "--every takes 0.1 seconds or more, not '%s'", value);
    if (!error)
        arguments->every_ns = every_ns;
    return error;
}

static error_t parse_record_option(int key, char *value, struct argp_state *state)
{
    struct record_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->sampling.processes;
        state->child_inputs[1] = &arguments->sampling;
        state->child_inputs[2] = state->child_inputs[3] = &arguments->picture;
        break;
    case 'o':
        error = outputs_add(&arguments->outputs, value);
        break;
    case 'f':
        error = outputs_choose(&arguments->outputs, value);
        break;
    case 'd':
        error = take_duration(value, &arguments->sampling.recording.duration_ns);
        break;
    case KEY_EVERY:
        error = take_every(arguments, value);
        break;
    case KEY_KEEP:
        error = options_take_count(value, 1, KEEP_LIMIT, &arguments->keep_count);
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
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child record_children[] = {
    {&process_argp, 0, NULL, 0},
    {&sampling_argp, 0, NULL, 2},
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
        .pid = arguments->sampling.program ? getpid() : arguments->sampling.processes.pids[0],
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
    snprintf(pid, sizeof(pid), "%d", arguments->sampling.processes.pids[0]);
    title_append_file_name(name, arguments->sampling.program ? arguments->sampling.program[0] : pid, format->extension);
    return name->failed ? error_no_memory() : outputs_add(outputs, buffer_text(name));
}

static struct error *open_outputs(struct record_arguments *arguments, struct buffer *name)
{
    struct error *error = arguments->outputs.count == 0 ? add_output(arguments, name) : NULL;
    if (!error)
        error = outputs_complete(&arguments->outputs);
    if (!error)
        error = kept_files_init(&arguments->kept, arguments->keep_count, arguments->outputs.count);
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

/* --- when there is no room for the recording any more ---------------------------------------------------------------
 */

static int open_next_store(void *context)
{
    struct record_arguments *arguments = context;
    const struct store *last = arguments->next.fd >= 0 ? &arguments->next : &arguments->store;
    struct store store = STORE_NONE;
    struct error *error = store_open_next(last, &store);
    store_deinit(&arguments->next);
    arguments->next = store;
    error_destroy(error);
    return store.fd;
}

static void settle_store(void *context, bool is_used, const struct error *why)
{
    struct record_arguments *arguments = context;
    if (!is_used) /* it is closed when the one behind it has been found */
        return;
    cleanup_buffer struct buffer shown = {0};
    escape_visible(&shown, arguments->next.place.path, strlen(arguments->next.place.path));
    if (progress_is_wanted())
        progress_clear();
    fprintf(stderr, "pyspyc: %s; it is kept in %s now, with all that was recorded before\n", why->sentence,
            buffer_text(&shown));
    store_deinit(&arguments->store);
    arguments->store = arguments->next;
    arguments->next = (struct store)STORE_NONE;
}

static struct error *work_init(struct work *work, const struct record_arguments *arguments,
                               const struct process *process)
{
    struct error *error = target_create_profile(&arguments->sampling, process, &work->profile);
    if (!error)
        error = recording_writer_create_with_refuge(arguments->store.fd, &arguments->refuge, &work->writer);
    if (!error)
        error = recording_create(&arguments->sampling.recording, work->profile, &work->recording);
    if (!error)
        error = process_tree_create(work->recording, process, arguments->sampling.processes.with_children, &work->tree);
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
    if (!store_is_there(store)) /* that was said, or somebody has removed it */
        return error;
    if (store_is_empty(store)) {
        fprintf(stderr, "pyspyc: what was recorded could not be saved\n");
        return error;
    }
    escape_visible(&shown, store->place.path, strlen(store->place.path));
    fprintf(stderr, "pyspyc: what was recorded is in %s: 'pyspyc report' makes pictures of it\n",
            shown.failed ? "the .pyspyc file beside the output" : buffer_text(&shown));
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
    if (!error) {
        error = make_results(arguments, arguments->store.fd, RENDER_PLAIN);
        arguments->has_lost_part = error != NULL;
    }
    recording_writer_destroy(hand_over(&work->writer));
    if (error)
        return keep_recording(&arguments->store, error);
    kept_files_add(&arguments->kept, &arguments->outputs);
    outputs_close(&arguments->outputs);
    store_deinit(&arguments->store);
    error = open_next_outputs(arguments);
    if (!error)
        error = recording_writer_create_with_refuge(arguments->store.fd, &arguments->refuge, &work->writer);
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
    if (!error && is_cut && progress.samples == 0)
        return error_create(ERROR_OS, "nothing was recorded: there was no memory, or no thread, to be had");
    if (arguments->has_lost_part) /* its results were tried, and it is said where it is */
        return error;
    if (outputs_can_wait(&arguments->outputs))
        supervisor_release_signals();
    /* When the recording could not be written to its end, pictures of what there is may still find a place. */
    struct error *result_error =
        make_results(arguments, arguments->store.fd, error ? RENDER_PLAIN : RENDER_WITH_SUMMARY);
    if (error)
        error_destroy(result_error);
    else
        error = result_error;
    if (error)
        return keep_recording(&arguments->store, error);
    kept_files_add(&arguments->kept, &arguments->outputs);
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
    supervisor->with_children = arguments->sampling.processes.with_children;
    supervisor->is_paused |= arguments->is_start_paused;
    supervisor->ready_fd = arguments->ready_fd;
    supervisor->duration_ns = arguments->sampling.recording.duration_ns;
    struct parts parts = {arguments, process, supervisor, &work};
    const struct part_ender ender = {arguments->every_ns, arguments->every_len, end_part, &parts};
    error = supervisor_record(supervisor, &ender, &is_recorded);
    supervisor->recording = NULL;
    supervisor->tree = NULL;
    supervisor->writer = NULL;
    if (error && !is_recorded)
        error = target_allow_early_end(supervisor, error);
    if (error && !is_recorded)
        return target_describe_error(arguments->sampling.program, arguments->sampling.processes.with_children,
                                     supervisor->refusing ? supervisor->refusing : process, error);
    target_report_refusals(work.tree);
    return finish(arguments, process, supervisor, &work, error);
}

static bool shows_progress(const struct record_arguments *arguments)
{
    return progress_is_wanted() && !arguments->hides_progress;
}

static int record_pid(struct record_arguments *arguments)
{
    cleanup_buffer struct buffer name = {0};
    cleanup_process struct process *process = NULL;
    cleanup_supervisor struct supervisor supervisor = {.signals = -1, .ready_fd = -1};
    sigset_t unused;
    launch_prepare(&unused);
    supervisor_hold_pauses();
    cleanup_other_processes struct other_processes others = {0};
    struct error *error = process_open(NULL, arguments->sampling.processes.pids[0], &process);
    if (!error)
        error = other_processes_open(&arguments->sampling.processes, &others);
    if (!error)
        error = open_outputs(arguments, &name);
    if (!error)
        error = supervisor_init(&supervisor, recording_stops_threads(&arguments->sampling.recording));
    if (error)
        return report_error(error);
    task_allow_many();
    if (supervisor.stops_threads)
        guard_start();
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
        error = supervisor_init(&supervisor, recording_stops_threads(&arguments->sampling.recording));
    if (error)
        return target_report_wrapper_error(error);
    error = tell_program();
    if (error)
        return target_report_wrapper_error(error);
    if (supervisor.stops_threads)
        guard_start();
    error = arguments->captures
                ? capture_launch(arguments->sampling.program, &signals_for_program, &supervisor.child, &captured)
                : launch_program(arguments->sampling.program, &signals_for_program, &supervisor.child);
    if (error)
        return target_report_start_error(error, arguments->sampling.program);
    task_allow_many(); /* only now, as the program is to keep its own limit */
    error = process_open(NULL, process_number_of_child(NULL, supervisor.child), &process);
    if (!error) {
        supervisor.process = process;
        /* The program draws on the same terminal, unless its output goes elsewhere. */
        supervisor.has_progress_line = shows_progress(arguments) && (captured >= 0 || !isatty(STDOUT_FILENO));
        error = record_process(arguments, process, &supervisor);
    }
    bool has_failed = error && error->kind != ERROR_TARGET_GONE;
    if (error)
        report_error(error);
    int status = supervisor_wait_for_child(&supervisor);
    if (captured >= 0 && (error || status != 0))
        capture_show(captured);
    return has_failed ? STATUS_WRAPPER_FAILURE : status;
}

int verb_record(int argc, char **argv)
{
    struct record_arguments arguments = {
        .line = {.verb = "record",
                 .tables = {record_options, process_argp_options, sampling_argp_options, reading_argp_options,
                            picture_argp_options, filter_argp_options}},
        .ready_fd = -1,
        .store = STORE_NONE,
        .next = STORE_NONE,
        .refuge = {&arguments, open_next_store, settle_store},
    };
    sampling_options_init(&arguments.sampling, &arguments.line, TABLE_LIMIT);
    arguments.picture.line = &arguments.line;
    arguments.picture.format.tree.min_percent = TREE_MIN_PERCENT;
    struct error *error = options_parse(&record_argp, argc, argv, &arguments.line);
    int status = 0;
    if (error)
        status = report_error(error);
    else
        status = arguments.sampling.program ? record_program(&arguments) : record_pid(&arguments);
    guard_end();
    kept_files_deinit(&arguments.kept);
    outputs_deinit(&arguments.outputs);
    store_deinit(&arguments.store);
    store_deinit(&arguments.next);
    picture_options_deinit(&arguments.picture);
    return status;
}
