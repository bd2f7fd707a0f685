/* SPDX-License-Identifier: MIT */
#include "target.h"

#include "nearest.h"
#include "sampling_options.h"
#include "supervisor.h"
#include "title.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/profile.h"
#include "sampler/process_tree.h"
#include "target/command_words.h"
#include "target/denial.h"
#include "target/process.h"

#include <string.h>

struct error *target_create_profile(const struct sampling_options *sampling, const struct process *process,
                                    struct profile **ret)
{
    cleanup_buffer struct buffer text = {0}, title = {0}, name = {0};
    cleanup_free const char **words = NULL;
    uint32_t count = sampling->processes.pid_count;
    const char *const *program = (const char *const *)sampling->program;
    if (!program) {
        struct error *error = command_words_list(process, &text, &words);
        if (error)
            return error;
        program = words;
    }
    command_words_append(&title, program, sampling->recording.with_arguments);
    title_append_short(&name, program);
    if (count > 1)
        buffer_format(&title, " and %u more", count - 1);
    struct error *error = profile_create(buffer_text(&name), buffer_text(&title), ret);
    if (error)
        return error;
    static const char recorder[] = "pyspyc " PYSPYC_VERSION;
    profile_info(*ret)->recorder = profile_intern(*ret, recorder, sizeof(recorder) - 1);
    return NULL;
}

struct error *other_processes_open(const struct process_options *options, struct other_processes *others)
{
    struct error *error = NULL;
    for (uint32_t i = 1; !error && i < options->pid_count; i++) {
        error = process_open(NULL, options->pids[i], &others->processes[i - 1]);
        others->count += !error;
    }
    return error;
}

void other_processes_close(struct other_processes *others)
{
    for (uint32_t i = 0; i < others->count; i++)
        process_destroy(others->processes[i]);
}

struct error *target_describe_error(char **program, bool with_children, const struct process *process,
                                    struct error *error)
{
    bool is_no_python =
        error->kind == ERROR_NOT_PYTHON || error->kind == ERROR_TARGET_GONE || error->kind == ERROR_NOT_READY;
    if (!is_no_python)
        return denial_explain(error, process);
    if (program) {
        error_destroy(error);
        return error_create(ERROR_NOT_PYTHON, "no Python interpreter came up in '%s' %s", program[0],
                            with_children ? "nor in the processes that it started"
                                          : "itself (--subprocesses follows those that it starts)");
    }
    if (error->kind == ERROR_NOT_PYTHON)
        return error_wrap(error, "process %d is not a Python process", process->pid);
    return error->kind == ERROR_NOT_READY ? error_wrap(error, "process %d", process->pid) : error;
}

void target_report_refusals(struct process_tree *tree)
{
    uint32_t count;
    const struct error *error = process_tree_refusals(tree, &count);
    if (error)
        fprintf(stderr, "pyspyc: processes that are not in the recording: %u, of which the first one is %s\n", count,
                error->sentence);
}

struct error *target_allow_early_end(const struct supervisor *supervisor, struct error *error)
{
    bool is_too_early = error->kind == ERROR_NOT_READY || error->kind == ERROR_TARGET_GONE;
    if (supervisor->child <= 0 || !supervisor->has_ended || !is_too_early)
        return error;
    error_destroy(error);
    fprintf(stderr, "pyspyc: the program ended before a Python interpreter came up in it\n");
    return NULL;
}

/* A process and a script are easily taken for programs. */
static struct error *explain_start_error(struct error *error, const char *word)
{
    struct error *explained = NULL;
    if (word_is_number(word))
        explained = error_create(error->kind, "%s; --pid %s attaches to process %s", error->sentence, word, word);
    else if (word_is_script(word))
        explained = error_create(error->kind, "%s; a script is started by its interpreter: -- python3 %s",
                                 error->sentence, word);
    if (!explained)
        return error;
    error_destroy(error);
    return explained;
}

int target_report_start_error(struct error *error, char **program)
{
    enum error_kind kind = error->kind;
    report_error(explain_start_error(error, program[0]));
    return kind == ERROR_NOT_FOUND ? STATUS_NO_SUCH_PROGRAM : STATUS_NOT_EXECUTABLE;
}

int target_report_wrapper_error(struct error *error)
{
    return report_error(error) == STATUS_USAGE ? STATUS_USAGE : STATUS_WRAPPER_FAILURE;
}
