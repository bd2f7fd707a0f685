/* SPDX-License-Identifier: MIT */
#include "core_file.h"
#include "options.h"
#include "picture_options.h"
#include "progress.h"
#include "verbs.h"

#include "base/cleanup.h"
#include "formats/dump_formats.h"
#include "profile/process_dump.h"
#include "sampler/dumping.h"
#include "target/denial.h"
#include "target/process.h"
#include "target/task.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_FULL_FILENAMES = 256,
    KEY_BLOCKING,
    KEY_NONBLOCKING,
    KEY_EXE,
    READY_MS = 5000,   /* how long an interpreter that is only just starting is waited for */
    READY_STEP_MS = 5, /* between looks at it */
};

static const struct argp_option dump_options[] = {
    {"pid", 'p', "PID", 0, "The process to read (decimal, or hexadecimal with 0x)", 1},
    {"core", 'c', "FILE", 0, "Read a core file instead of a process", 1},
    {"exe", KEY_EXE, "FILE", 0, "Where the executable is that the core file is of, if not where it was", 1},
    {"json", 'j', NULL, 0, "Print JSON instead of text", 1},
    {"full-filenames", KEY_FULL_FILENAMES, NULL, 0, "Print whole paths of source files", 1},
    {"blocking", KEY_BLOCKING, NULL, 0, "Stop the process's running threads while they are read", 1},
    {"nonblocking", KEY_NONBLOCKING, NULL, 0, "Never stop the process (default)", 1},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct dump_arguments {
    struct command_line line; /* must be first */
    pid_t pid;
    const char *core, *executable; /* NULL: not given */
    bool is_json;
    struct dump_format_options format;
    struct picture_options picture; /* only the filter of it */
};

static struct error *check_target(const struct dump_arguments *arguments)
{
    if (arguments->pid != 0 && arguments->core)
        return error_create(ERROR_USAGE, "--pid and --core exclude each other");
    if (arguments->pid == 0 && !arguments->core)
        return error_create(ERROR_USAGE, "dump needs a process, --pid PID, or a core file, --core FILE");
    if (arguments->executable && !arguments->core)
        return error_create(ERROR_USAGE, "--exe goes with --core");
    if (arguments->line.is_blocking && arguments->core)
        return error_create(ERROR_USAGE, "--blocking goes with --pid: in a core file nothing runs");
    return NULL;
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
        error = options_take_pid(value, &arguments->pid);
        break;
    case 'c':
        arguments->core = value;
        break;
    case KEY_EXE:
        arguments->executable = value;
        break;
    case 'j':
        arguments->is_json = true;
        break;
    case KEY_FULL_FILENAMES:
        arguments->format.full_filenames = true;
        break;
    case KEY_BLOCKING:
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
        if (!error)
            error = picture_options_complete(&arguments->picture);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child dump_children[] = {{&filter_argp, 0, "What is shown:", 4}, {0}};

static const struct argp dump_argp = {
    .children = dump_children,
    .options = dump_options,
    .parser = parse_dump_option,
    .args_doc = "--pid PID\n--core FILE",
    .doc =
        "Prints every thread's stack of a running Python program, once, with the source lines that it is in; or of one "
        "that ended, from its core file.\v"
        "Without --blocking, the program is not stopped. Exit status: 0, 1 on failure, 2 for mistakes of usage.",
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct error *read_process(pid_t pid, bool is_blocking, struct process_dump *ret)
{
    cleanup_process struct process *process = NULL;
    struct error *error = process_open(NULL, pid, &process);
    if (error)
        return error;
    task_allow_many();
    error = dumping_run(process, is_blocking, ret);
    for (int64_t end_ms = now_ms() + READY_MS; error && error->kind == ERROR_NOT_READY && now_ms() < end_ms;) {
        error_destroy(error);
        usleep(READY_STEP_MS * 1000);
        error = dumping_run(process, is_blocking, ret);
    }
    if (error && error->kind == ERROR_NOT_READY)
        return error_wrap(error, "process %d", pid);
    if (error && error->kind == ERROR_NOT_PYTHON)
        return error_wrap(error, "process %d is not a Python process", pid);
    return error ? denial_explain(error, process) : NULL;
}

/* Reads a process with its threads stopped; what would stop us meanwhile (Ctrl-Z) does so afterwards. */
static struct error *read_blocking(pid_t pid, struct process_dump *ret)
{
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigaddset(&stops, SIGTTIN);
    sigaddset(&stops, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stops, &before);
    struct error *error = read_process(pid, true, ret);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

static struct error *read_target(const struct dump_arguments *arguments, struct process_dump *ret)
{
    if (arguments->core)
        return core_file_dump(arguments->core, arguments->executable, ret);
    return arguments->line.is_blocking ? read_blocking(arguments->pid, ret) : read_process(arguments->pid, false, ret);
}

static struct error *print_dump(const struct dump_arguments *arguments, const struct process_dump *dump)
{
    struct error *error =
        arguments->is_json ? dump_format_json(dump, stdout) : dump_format_text(dump, &arguments->format, stdout);
    if (error)
        return error;
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_from_errno(errno, "cannot write to standard output");
    return NULL;
}

int verb_dump(int argc, char **argv)
{
    struct dump_arguments arguments = {.line = {.verb = "dump", .tables = {dump_options, filter_argp_options}}};
    cleanup_process_dump struct process_dump dump = {0};
    arguments.picture.line = &arguments.line;
    struct error *error = options_parse(&dump_argp, argc, argv, &arguments.line);
    if (!error)
        error = read_target(&arguments, &dump);
    if (!error)
        error = process_dump_filter(&dump, arguments.picture.filter);
    if (!error)
        error = print_dump(&arguments, &dump);
    picture_options_deinit(&arguments.picture);
    if (error)
        return report_error(error);
    if (!dump.is_proved)
        fprintf(stderr, "pyspyc: the program changed in every reading: stacks may mix moments\n");
    if (dump.hidden_thread_count > 0)
        fprintf(stderr, "pyspyc: %u of %u threads are not shown, as the filter has it\n", dump.hidden_thread_count,
                dump.hidden_thread_count + dump.thread_count);
    if (dump.is_untested)
        report_untested();
    return STATUS_SUCCESS;
}
