/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "sampler/inspection.h"
#include "sampler/self_test.h"
#include "target/cpu.h"
#include "target/denial.h"
#include "target/departures.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/process_memory.h"
#include "target/standing.h"
#include "target/stop.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

enum {
    SECOND_NS = 1000000000,
    SELF_TEST_SECONDS = 10,
    SELF_TEST_LIMIT = 600,     /* seconds: the program that is recorded does not run forever */
    SEEN_LEAST_A_SECOND = 100, /* samples without which the self-test says nothing */
};

static const struct argp_option doctor_options[] = {
    {"pid", 'p', "PID", 0, "Say whether and how this process can be read, too", 1},
    {"duration", 'd', "SECONDS", 0, "How long the self-test takes (default: 10)\v; 0: there is none. At most 600", 1},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

/* How good or bad what is told is. */
enum verdict {
    VERDICT_FINE,
    VERDICT_NOTE, /* worse than it could be */
    VERDICT_BAD,  /* something does not work */
};

struct doctor {
    struct command_line line; /* must be first */
    pid_t pid;                /* 0: none was given */
    uint64_t duration_ns;
    bool is_bad; /* some verdict was */
};

static error_t parse_doctor_option(int key, char *value, struct argp_state *state)
{
    struct doctor *doctor = state->input;
    struct error *error = NULL;
    switch (key) {
    case 'p':
        error = options_take_pid(value, &doctor->pid);
        break;
    case 'd':
        error = options_take_time(value, &doctor->duration_ns);
        if (!error && doctor->duration_ns > (uint64_t)SELF_TEST_LIMIT * SECOND_NS)
            error = error_create(ERROR_USAGE, "the self-test takes no longer than %d seconds", SELF_TEST_LIMIT);
        break;
    case ARGP_KEY_ARG:
        error = error_create(ERROR_USAGE, "doctor takes no '%s': --pid says which process is meant", value);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

const struct argp doctor_argp = {
    .options = doctor_options,
    .parser = parse_doctor_option,
    .doc = "Says what machine and user allow, and tests that no false stack is recorded.\v"
           "It says also how a recording will read the program. The test takes ten seconds. "
           "Exit status: 0, 1 when something does not work, 2 for mistakes of usage.",
};

/* Prints a line: the verdict, what it is about, and the sentence. */
static void tell(struct doctor *doctor, enum verdict verdict, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(struct doctor *doctor, enum verdict verdict, const char *subject, const char *format, ...)
{
    static const char *const marks[] = {"ok", "--", "NO"};
    cleanup_buffer struct buffer shown = {0};
    char sentence[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    escape_visible(&shown, sentence, strlen(sentence));
    printf("%s  %-18s %s\n", marks[verdict], subject, buffer_text(&shown));
    fflush(stdout);
    doctor->is_bad |= verdict == VERDICT_BAD;
}

/* Tells an error, and destroys it. */
static void tell_error(struct doctor *doctor, enum verdict verdict, const char *subject, struct error *error)
{
    tell(doctor, verdict, subject, "%s", error->sentence);
    error_destroy(error);
}

static void examine_user(struct doctor *doctor, const struct own_standing *own)
{
    bool has_ptrace = own_standing_has_ptrace(own);
    if (own->is_lent)
        tell(doctor, VERDICT_FINE, "user",
             has_ptrace ? "user %" PRIu64 ", who may read his own processes, with CAP_SYS_PTRACE from pyspyc's file"
                        : "user %" PRIu64 ", who may read his own processes; pyspyc's file gives no CAP_SYS_PTRACE",
             own->user);
    else
        tell(doctor, VERDICT_FINE, "user",
             has_ptrace ? "user %" PRIu64 " with CAP_SYS_PTRACE, who may read all processes"
                        : "user %" PRIu64 " without CAP_SYS_PTRACE, who may read his own processes",
             own->user);
}

static void examine_scope(struct doctor *doctor, const struct own_standing *own)
{
    bool has_ptrace = own_standing_has_ptrace(own);
    switch (own->ptrace_scope) {
    case SCOPE_UNKNOWN:
        tell(doctor, VERDICT_FINE, "ptrace_scope", "this kernel has none: it restricts nobody further");
        break;
    case SCOPE_FREE:
        tell(doctor, VERDICT_FINE, "ptrace_scope", "0: it restricts nobody further");
        break;
    case SCOPE_RESTRICTED:
        tell(doctor, has_ptrace ? VERDICT_FINE : VERDICT_NOTE, "ptrace_scope",
             has_ptrace ? "1, which does not concern who has CAP_SYS_PTRACE"
                        : "1: only processes that pyspyc starts itself can be read: use 'pyspyc record -- PROGRAM', or "
                          "sudo for others");
        break;
    case SCOPE_ADMIN_ONLY:
        tell(doctor, has_ptrace ? VERDICT_FINE : VERDICT_BAD, "ptrace_scope",
             has_ptrace ? "2, which does not concern who has CAP_SYS_PTRACE"
                        : "2: only who has CAP_SYS_PTRACE may read processes: use sudo");
        break;
    default:
        tell(doctor, VERDICT_BAD, "ptrace_scope", "%d: nobody may read processes until the next boot",
             own->ptrace_scope);
    }
}

static void examine_confinement(struct doctor *doctor, const struct own_standing *own)
{
    if (*own->module != '\0')
        tell(doctor, VERDICT_NOTE, "security module", "%s, we run as '%s', which may forbid it", own->module,
             own->label);
    else
        tell(doctor, VERDICT_FINE, "security module", "none is known to confine pyspyc%s%s%s",
             *own->active_modules ? " (active: " : "", own->active_modules, *own->active_modules ? ")" : "");
    const char *filter = own->is_filtered ? "a seccomp filter" : "no seccomp filter";
    if (process_memory_has_call())
        tell(doctor, VERDICT_FINE, "process_vm_readv", "may be called (%s)", filter);
    else
        tell(doctor, VERDICT_NOTE, "process_vm_readv", "is refused (%s): memory is read as a file, piece by piece",
             filter);
    if (stop_is_possible())
        tell(doctor, VERDICT_FINE, "ptrace", "may be called (%s)", filter);
    else
        tell(doctor, VERDICT_NOTE, "ptrace", "is refused (%s): --blocking and --native do not work", filter);
    if (departures_may_be_noted())
        tell(doctor, VERDICT_FINE, "perf events", "may be had: 'record --native' need not stop a thread that computes");
    else
        tell(doctor, VERDICT_NOTE, "perf events", "are refused: 'record --native' stops each thread that it samples");
}

static void tell_wake_ups(struct doctor *doctor, const struct cpu_survey *survey)
{
    if (survey->has_precedence)
        tell(doctor, VERDICT_FINE, "wake-ups", "pyspyc may take precedence, and so have a turn as soon as it is due");
    else if (survey->has_short_slices)
        tell(doctor, VERDICT_FINE, "wake-ups",
             "this kernel gives short slices: a turn comes as soon as it is due, but on a busy machine (CAP_SYS_NICE "
             "would help)");
    else
        tell(doctor, VERDICT_NOTE, "wake-ups",
             "this kernel gives no short slices (Linux 6.12 does), and pyspyc may not take precedence (CAP_SYS_NICE): "
             "a turn may come late, and shares of programs that sleep often be wrong; --blocking does not need it");
}

static void examine_cpus(struct doctor *doctor)
{
    struct cpu_survey survey;
    cpu_survey(&survey);
    bool may_run_everywhere = survey.allowed >= survey.present;
    if (!cpu_may_be_chosen())
        tell(doctor, VERDICT_BAD, "pinning",
             "threads of pyspyc cannot be bound to CPUs, as something forbids sched_setaffinity (a seccomp filter, a "
             "sandbox): run pyspyc outside of it");
    else if (survey.pinned < survey.allowed || survey.pinned == 0)
        tell(doctor, VERDICT_BAD, "pinning", "threads of pyspyc could be bound to %u of %u CPUs only", survey.pinned,
             survey.allowed);
    else
        tell(doctor, may_run_everywhere ? VERDICT_FINE : VERDICT_NOTE, "pinning",
             may_run_everywhere
                 ? "threads of pyspyc can be bound to all %u CPUs"
                 : "threads of pyspyc can be bound to %u of %u CPUs: a program on the others needs --blocking",
             survey.pinned, survey.present);
    tell_wake_ups(doctor, &survey);
    if (survey.has_number)
        tell(doctor, VERDICT_FINE, "rseq", "the kernel writes each thread's CPU into its memory");
    else
        tell(doctor, VERDICT_NOTE, "rseq",
             "no CPU numbers in threads' memory here (kernel 4.18 and glibc 2.35 have them): procfs is asked instead");
}

static void tell_mode(struct doctor *doctor, const struct inspection *inspection)
{
    tell(doctor, inspection->is_direct && inspection->has_cpu_number ? VERDICT_FINE : VERDICT_NOTE, "reading mode",
         "%s, on the program's own CPU, proved by the CPU's number in %s; the program is not stopped",
         inspection->is_direct ? "one copy a sample (process_vm_readv)" : "piece by piece, from the file of its memory",
         inspection->has_cpu_number ? "its memory (rseq)" : "procfs");
    if (inspection->is_urgent)
        tell(doctor, VERDICT_NOTE, "its priority",
             "the program has real-time priority and leaves its CPU to nobody: record it with --blocking");
    if (inspection->barred_cpus > 0)
        tell(doctor, VERDICT_NOTE, "its CPUs",
             "the program may run on %d CPUs where pyspyc may not: record it with --blocking", inspection->barred_cpus);
}

/* What can be done with the process that was named. */
static void examine_process(struct doctor *doctor)
{
    cleanup_process struct process *process = NULL;
    struct inspection inspection;
    char subject[32];
    snprintf(subject, sizeof(subject), "process %d", doctor->pid);
    struct error *error = process_open(NULL, doctor->pid, &process);
    if (!error)
        error = inspection_run(process, &inspection);
    if (error) {
        tell_error(doctor, VERDICT_BAD, subject, process ? denial_explain(error, process) : error);
        return;
    }
    tell(doctor, inspection.is_untested ? VERDICT_NOTE : VERDICT_FINE, subject, "can be read: Python %s%s",
         inspection.version, inspection.is_untested ? ", with which pyspyc was not tested: stacks may be wrong" : "");
    tell_mode(doctor, &inspection);
    error = stop_try(process);
    if (error)
        tell_error(doctor, VERDICT_NOTE, "its threads", error);
    else
        tell(doctor, VERDICT_FINE, "its threads", "can be stopped, for --blocking and --native");
}

static void tell_native(struct doctor *doctor, struct self_test_result *result)
{
    if (result->native_error)
        tell(doctor, VERDICT_NOTE, "native unwinding", "does not work here: %s", result->native_error->sentence);
    else
        tell(doctor, VERDICT_FINE, "native unwinding", "works: %" PRIu64 " C functions were found in one reading",
             result->native_frames);
}

static void tell_result(struct doctor *doctor, const struct self_test_result *result)
{
    const struct recording_progress *progress = &result->progress;
    double seconds = (double)doctor->duration_ns / 1e9;
    char counts[256];
    snprintf(counts, sizeof(counts),
             "%" PRIu64 " samples in %.1f s; of %" PRIu64 " intervals: %" PRIu64 " ok, %" PRIu64 " idle, %" PRIu64
             " torn, %" PRIu64 " unreadable, %" PRIu64 " missed",
             progress->samples, seconds, progress->intervals, result->ok, result->idle, progress->torn,
             progress->unreadable, progress->missed);
    if (result->impossible > 0)
        tell(doctor, VERDICT_BAD, "self-test",
             "%" PRIu64 " impossible stacks, such as %s, in %s: what is recorded on this machine may be false; please "
             "tell the makers of pyspyc",
             result->impossible, result->example, counts);
    else if ((double)result->seen < SEEN_LEAST_A_SECOND * seconds)
        tell(doctor, VERDICT_BAD, "self-test",
             "too few samples to say anything, in %s: let the machine be less busy, and try again", counts);
    else
        tell(doctor, VERDICT_FINE, "self-test", "0 impossible stacks in %s", counts);
}

static void run_self_test(struct doctor *doctor, const sigset_t *signals_for_program)
{
    cleanup_self_test_result struct self_test_result result = {0};
    struct error *error = self_test_run("python3", signals_for_program, doctor->duration_ns, &result);
    if (error && error->kind == ERROR_NOT_FOUND) {
        error_destroy(error);
        tell(doctor, VERDICT_BAD, "self-test", "not done, as there is no python3 on PATH to test with");
        return;
    }
    if (error) {
        tell_error(doctor, VERDICT_BAD, "self-test", error);
        return;
    }
    tell(doctor, VERDICT_FINE, "self-test with", "Python %s, started for it", result.inspection.version);
    if (doctor->pid == 0)
        tell_mode(doctor, &result.inspection);
    tell_native(doctor, &result);
    tell_result(doctor, &result);
}

int verb_doctor(int argc, char **argv)
{
    struct doctor doctor = {
        .line = {.verb = "doctor", .tables = {doctor_options}},
        .duration_ns = (uint64_t)SELF_TEST_SECONDS * SECOND_NS,
    };
    struct own_standing own;
    struct utsname system;
    sigset_t signals_for_program;
    struct error *error = options_parse(&doctor_argp, argc, argv, &doctor.line);
    if (error)
        return report_error(error);
    launch_prepare(&signals_for_program);
    uname(&system);
    tell(&doctor, VERDICT_FINE, "machine", "%s %s, %s, pyspyc %s", system.sysname, system.release, system.machine,
         PYSPYC_VERSION);
    own_standing_read(NULL, NULL, &own);
    examine_user(&doctor, &own);
    examine_scope(&doctor, &own);
    examine_confinement(&doctor, &own);
    examine_cpus(&doctor);
    if (doctor.pid != 0)
        examine_process(&doctor);
    if (doctor.duration_ns > 0)
        run_self_test(&doctor, &signals_for_program);
    return doctor.is_bad || ferror(stdout) ? STATUS_FAILURE : STATUS_SUCCESS;
}
