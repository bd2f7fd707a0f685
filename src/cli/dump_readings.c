/* SPDX-License-Identifier: MIT */
#include "dump_readings.h"

#include "core_file.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/dump_history.h"
#include "profile/process_dump.h"
#include "progress.h"
#include "sampler/dumping.h"
#include "target/children.h"
#include "target/denial.h"
#include "target/guard.h"
#include "target/process.h"
#include "target/task.h"
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>

enum {
    READY_MS = 5000,     /* how long an interpreter that is only just starting is waited for */
    READY_STEP_MS = 5,   /* between looks at it */
    MEMBER_LIMIT = 4096, /* processes of one reading */
    TIME_TEXT_LEN = 16,
};

/* A process of a reading. */
struct member {
    struct process *process;
    int64_t parent; /* 0: it was named */
    bool was_read;  /* at any time */
    bool is_gone;   /* or is not worth another try */
};

struct readings {
    const struct dump_plan *plan;
    struct member *members; /* those that were named, then those that the current reading has found */
    uint32_t count, capacity, named_count;
    struct process_dump *dumps; /* of the current reading */
    uint32_t dump_count, dump_capacity;
    struct dump_history history;
    uint32_t number; /* of the current reading, from 1 */
    pid_t *told;     /* children of which was said why they cannot be read */
    uint32_t told_count, told_capacity;
    bool has_failed; /* something that was named could not be read */
};

static volatile sig_atomic_t is_told_to_end;

static void note_signal(int number)
{
    (void)number;
    is_told_to_end = 1;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct error *read_process(const struct process *process, const struct dumping_options *options,
                                  int64_t patience_ms, struct process_dump *ret)
{
    int64_t end_ms = now_ms() + patience_ms;
    struct error *error = dumping_run(process, options, ret);
    while (error && error->kind == ERROR_NOT_READY && now_ms() < end_ms && !is_told_to_end) {
        error_destroy(error);
        usleep(READY_STEP_MS * 1000);
        error = dumping_run(process, options, ret);
    }
    if (error && error->kind == ERROR_NOT_READY)
        return error_wrap(error, "process %d", process->pid);
    if (error && error->kind == ERROR_NOT_PYTHON)
        return error_wrap(error, "process %d is not a Python process", process->pid);
    return error ? denial_explain(error, process) : NULL;
}

/* Reads a process with its threads stopped; what would stop us meanwhile (Ctrl-Z) does so afterwards. */
static struct error *read_stopping(const struct process *process, const struct dumping_options *options,
                                   int64_t patience_ms, struct process_dump *ret)
{
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigaddset(&stops, SIGTTIN);
    sigaddset(&stops, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stops, &before);
    struct error *error = read_process(process, options, patience_ms, ret);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* Adds a dump to the reading, which is taken over. */
static struct error *add_dump(struct readings *readings, struct process_dump *dump)
{
    struct error *error = process_dump_filter(dump, readings->plan->filter);
    if (error)
        return error;
    if (!array_grow(&readings->dumps, readings->dump_count, &readings->dump_capacity, sizeof(*readings->dumps)))
        return error_no_memory();
    readings->dumps[readings->dump_count++] = *dump;
    *dump = (struct process_dump){0};
    return NULL;
}

static struct error *read_core(struct readings *readings)
{
    cleanup_process_dump struct process_dump dump = {0};
    struct error *error =
        core_file_dump(readings->plan->core, readings->plan->executable, &readings->plan->reading, &dump);
    return error ? error : add_dump(readings, &dump);
}

static bool stops_threads(const struct dump_plan *plan)
{
    return !plan->core && (plan->reading.is_blocking || plan->reading.with_native);
}

/* Adds what a process looks like now to the reading. */
static struct error *read_member(struct readings *readings, struct member *member)
{
    cleanup_process_dump struct process_dump dump = {0};
    int64_t patience_ms = member->parent == 0 && !member->was_read ? READY_MS : 0;
    const struct dumping_options *options = &readings->plan->reading;
    struct error *error = stops_threads(readings->plan) ? read_stopping(member->process, options, patience_ms, &dump)
                                                        : read_process(member->process, options, patience_ms, &dump);
    if (error)
        return error;
    dump.parent = member->parent;
    member->was_read = true;
    error = add_dump(readings, &dump);
    if (error || !readings->plan->is_repeated)
        return error;
    bool has_memory = dump_history_compare(&readings->history, &readings->dumps[readings->dump_count - 1]);
    return has_memory ? NULL : error_no_memory();
}

static bool was_told(const struct readings *readings, pid_t pid)
{
    for (uint32_t i = 0; i < readings->told_count; i++) {
        if (readings->told[i] == pid)
            return true;
    }
    return false;
}

/* Prints an error about a process, unless one about it was printed before. Takes the error over. */
static void tell_once(struct readings *readings, pid_t pid, struct error *error)
{
    if (was_told(readings, pid) ||
        !array_grow(&readings->told, readings->told_count, &readings->told_capacity, sizeof(*readings->told))) {
        error_destroy(error);
        return;
    }
    readings->told[readings->told_count++] = pid;
    report_error(error);
}

/* A child that is no Python, or has ended, is nothing to speak of. Takes the error over. */
static void note_child_error(struct readings *readings, const struct member *member, struct error *error)
{
    bool is_usual = error->kind == ERROR_NOT_PYTHON || error->kind == ERROR_NOT_READY ||
                    error->kind == ERROR_TARGET_GONE || error->kind == ERROR_NOT_FOUND;
    if (is_usual)
        error_destroy(error);
    else
        tell_once(readings, member->process->pid, error_wrap(error, "process %d", member->process->pid));
}

/* One that was read before may have ended meanwhile, run something else now, or be just about to. */
static void note_later_error(struct readings *readings, struct member *member, struct error *error)
{
    member->is_gone = !process_is_running(member->process);
    if (member->is_gone)
        fprintf(stderr, "pyspyc: process %d has ended\n", member->process->pid);
    if (member->is_gone || error->kind == ERROR_NOT_READY || error->kind == ERROR_TARGET_GONE)
        error_destroy(error);
    else
        tell_once(readings, member->process->pid, error);
}

/*
 * A process that was named and cannot be read is a failure, unless it was read before; with its children, it need not
 * be a Python itself. Takes the error over.
 */
static void note_named_error(struct readings *readings, struct member *member, struct error *error)
{
    if (member->was_read) {
        note_later_error(readings, member, error);
        return;
    }
    if (error->kind == ERROR_NOT_PYTHON && readings->plan->processes.with_children) {
        member->is_gone = !process_is_running(member->process);
        error_destroy(error);
        return;
    }
    member->is_gone = true;
    readings->has_failed = true;
    report_error(error);
}

static bool is_member(const struct readings *readings, pid_t pid)
{
    for (uint32_t i = 0; i < readings->count; i++) {
        if (readings->members[i].process->pid == pid)
            return true;
    }
    return false;
}

/* Takes the process over, also on failure. */
static struct error *add_member(struct readings *readings, struct process *process, int64_t parent)
{
    if (!array_grow(&readings->members, readings->count, &readings->capacity, sizeof(*readings->members))) {
        process_destroy(process);
        return error_no_memory();
    }
    readings->members[readings->count++] = (struct member){.process = process, .parent = parent};
    return NULL;
}

/* Adds the children of a process behind all others. That nothing is known of them is said once. */
static struct error *add_children(struct readings *readings, const struct process *parent)
{
    cleanup_free pid_t *pids = NULL;
    uint32_t count = 0;
    struct error *error = children_list(parent, &pids, &count);
    if (error && readings->number == 1 && error->kind == ERROR_NOT_FOUND)
        report_error(hand_over(&error));
    error_destroy(error);
    error = NULL;
    for (uint32_t i = 0; !error && i < count && readings->count < MEMBER_LIMIT; i++) {
        struct process *child = NULL;
        /* One that has ended since is no matter. */
        if (!is_member(readings, pids[i]))
            error_destroy(process_open(NULL, pids[i], &child));
        if (child)
            error = add_member(readings, child, parent->pid);
    }
    return error;
}

static void forget_dumps(struct readings *readings)
{
    for (uint32_t i = 0; i < readings->dump_count; i++)
        process_dump_deinit(&readings->dumps[i]);
    readings->dump_count = 0;
}

/* Takes out who was found by the last reading, and of those who were named who has ended. */
static void forget_members(struct readings *readings)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < readings->count; i++) {
        struct member *member = &readings->members[i];
        if (i < readings->named_count && !member->is_gone)
            readings->members[kept++] = *member;
        else
            process_destroy(member->process);
    }
    readings->count = readings->named_count = kept;
}

/* Only running out of memory ends it. */
static struct error *read_all(struct readings *readings)
{
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < readings->count; i++) {
        struct member member = readings->members[i];
        if (readings->plan->processes.with_children)
            error = add_children(readings, member.process);
        struct error *failure = error ? NULL : read_member(readings, &member);
        if (failure && failure->kind == ERROR_NO_MEMORY)
            error = failure;
        else if (failure && member.parent == 0)
            note_named_error(readings, &member, failure);
        else if (failure)
            note_child_error(readings, &member, failure);
        readings->members[i] = member;
    }
    dump_history_next(&readings->history);
    return error;
}

static void print_head(const struct readings *readings, const struct timespec *time)
{
    char text[TIME_TEXT_LEN] = "";
    struct tm local;
    uint32_t threads = 0, unchanged = 0;
    for (uint32_t i = 0; i < readings->dump_count; i++) {
        threads += readings->dumps[i].thread_count;
        for (uint32_t j = 0; j < readings->dumps[i].thread_count; j++)
            unchanged += readings->dumps[i].threads[j].unchanged > 0;
    }
    if (localtime_r(&time->tv_sec, &local))
        strftime(text, sizeof(text), "%H:%M:%S", &local);
    printf("%s--- reading %" PRIu32 " at %s.%03ld: ", readings->number > 1 ? "\n" : "", readings->number, text,
           time->tv_nsec / 1000000);
    if (readings->number == 1)
        printf("%" PRIu32 " threads ---\n\n", threads);
    else
        printf("%" PRIu32 " of %" PRIu32 " threads are where they were ---\n\n", unchanged, threads);
}

static struct error *print_text(const struct readings *readings, const struct timespec *time)
{
    struct error *error = NULL;
    if (readings->plan->is_repeated)
        print_head(readings, time);
    for (uint32_t i = 0; !error && i < readings->dump_count; i++) {
        if (i > 0)
            putchar('\n');
        error = dump_format_text(&readings->dumps[i], &readings->plan->format, stdout);
    }
    return error;
}

static struct error *print_reading(const struct readings *readings)
{
    struct timespec time;
    struct error *error;
    clock_gettime(CLOCK_REALTIME, &time);
    if (!readings->plan->is_json)
        error = print_text(readings, &time);
    else if (readings->plan->is_repeated)
        error = dump_format_json_line(readings->dumps, readings->dump_count, readings->number,
                                      (double)time.tv_sec + (double)time.tv_nsec / 1e9, stdout);
    else
        error = dump_format_json_of_all(readings->dumps, readings->dump_count, stdout);
    if (error)
        return error;
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_from_errno(errno, "cannot write to standard output");
    return NULL;
}

/* What is to be known of the stacks that were printed. */
static void print_notes(const struct readings *readings)
{
    bool is_untested = false;
    for (uint32_t i = 0; i < readings->dump_count; i++) {
        const struct process_dump *dump = &readings->dumps[i];
        char process[32] = "";
        if (readings->dump_count > 1)
            snprintf(process, sizeof(process), "process %" PRId64 ": ", dump->pid);
        if (!dump->is_proved)
            fprintf(stderr, "pyspyc: %sthe program changed in every reading: stacks may mix moments\n", process);
        if (dump->list_failure)
            fprintf(stderr, "pyspyc: %sthere may be more threads, which cannot be listed: %s\n", process,
                    dump->list_failure);
        if (dump->hidden_thread_count > 0 && readings->number == 1)
            fprintf(stderr, "pyspyc: %s%u of %u threads are not shown, as the filter has it\n", process,
                    dump->hidden_thread_count, dump->hidden_thread_count + dump->thread_count);
        is_untested |= dump->is_untested;
    }
    if (is_untested && readings->number == 1)
        report_untested();
}

/* With their children, processes need not be Pythons themselves, but somebody has to be one. */
static void check_first_reading(struct readings *readings)
{
    if (readings->number > 1 || readings->dump_count > 0 || readings->has_failed)
        return;
    readings->has_failed = true;
    report_error(error_create(ERROR_NOT_PYTHON, "neither %s nor any process below is a Python process",
                              readings->named_count == 1 ? "the process" : "the processes"));
}

/* One reading, with all that comes of it. */
static struct error *take_reading(struct readings *readings)
{
    readings->number++;
    struct error *error = readings->plan->core ? read_core(readings) : read_all(readings);
    if (error)
        return error;
    check_first_reading(readings);
    if (readings->dump_count > 0)
        error = print_reading(readings);
    if (!error)
        print_notes(readings);
    forget_dumps(readings);
    forget_members(readings);
    return error;
}

/* Sleeps until the next reading is due; one that took longer than the time between two is followed by the next. */
static void wait_for_turn(const struct readings *readings, const struct timespec *start)
{
    uint64_t since_ns = readings->number * readings->plan->every_ns + (uint64_t)start->tv_nsec;
    const struct timespec due = {.tv_sec = start->tv_sec + (time_t)(since_ns / 1000000000),
                                 .tv_nsec = (long)(since_ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static struct error *take_readings(struct readings *readings)
{
    const struct dump_plan *plan = readings->plan;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct error *error = take_reading(readings);
    while (!error && plan->is_repeated && readings->count > 0 && !is_told_to_end &&
           (plan->repeat == 0 || readings->number < plan->repeat)) {
        wait_for_turn(readings, &start);
        if (!is_told_to_end)
            error = take_reading(readings);
    }
    return error;
}

/* A signal ends repeated readings behind the current one; a second one at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < array_size(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

static struct error *open_named(struct readings *readings)
{
    for (uint32_t i = 0; i < readings->plan->processes.pid_count; i++) {
        struct process *process = NULL;
        struct error *error = process_open(NULL, readings->plan->processes.pids[i], &process);
        if (error) {
            readings->has_failed = true;
            report_error(error);
            continue;
        }
        if (is_member(readings, process->pid)) {
            process_destroy(process);
            continue;
        }
        error = add_member(readings, process, 0);
        if (error)
            return error;
    }
    readings->named_count = readings->count;
    return NULL;
}

int dump_readings_run(const struct dump_plan *plan)
{
    struct readings readings = {.plan = plan};
    task_allow_many();
    if (plan->is_repeated)
        catch_signals();
    if (stops_threads(plan))
        guard_start();
    struct error *error = open_named(&readings);
    if (!error && (readings.count > 0 || plan->core))
        error = take_readings(&readings);
    guard_end();
    readings.named_count = 0;
    forget_dumps(&readings);
    forget_members(&readings);
    dump_history_deinit(&readings.history);
    free(readings.members);
    free(readings.dumps);
    free(readings.told);
    if (error)
        return report_error(error);
    return readings.has_failed ? STATUS_FAILURE : STATUS_SUCCESS;
}
