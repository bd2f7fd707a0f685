/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the command line. Each takes its own arguments (argv[0] is the verb) and returns the exit status. What
 * its argp table and its row here say of it is all that help, manual and completions know.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
    STATUS_SUCCESS = 0,
    STATUS_FAILURE = 1,
    STATUS_USAGE = 2,
    STATUS_GROWN = 3, /* what diff --fail-over looks for */
    /* With a program that was started, or was to be: what a shell and env(1) use, so that no program's own status can
     * be mistaken for ours. */
    STATUS_WRAPPER_FAILURE = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NO_SUCH_PROGRAM = 127,
};

/* Which words --format takes. */
enum verb_formats {
    FORMATS_NONE,
    FORMATS_OF_PICTURES,
    FORMATS_OF_DIFFS,
};

struct argp;
struct error;

/*
 * argp's doc: what the verb does, and behind \v what else is to be known. An option's doc is a line for the help; what
 * follows a \v in it is for the manual only.
 */
struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* a line */
    const struct argp *argp;
    const char *const *examples; /* three command lines, and NULL */
    enum verb_formats formats;
    bool is_hidden; /* in the manual only */
};

/* All verbs, those of py-spy first. */
const struct verb *verbs_all(size_t *ret_count);

/* The verb of a name, or of the start of one: of the first such verb. NULL when there is none. */
const struct verb *verbs_find(const char *word);

struct error *verbs_describe_unknown(const char *word);

enum { VERB_FORMAT_LIMIT = 32 };

/* The names that --format takes. Returns how many. */
size_t verb_format_names(const struct verb *verb, const char *ret[VERB_FORMAT_LIMIT]);

int verb_record(int argc, char **argv);
int verb_top(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_merge(int argc, char **argv);
int verb_dump(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_completions(int argc, char **argv);
int verb_help(int argc, char **argv);
int verb_ps(int argc, char **argv);

extern const struct argp record_argp, report_argp, diff_argp, merge_argp, dump_argp, completions_argp, help_argp,
    top_argp, doctor_argp, ps_argp;

/* Prints an error for a person and destroys it. Returns STATUS_USAGE for mistakes of usage, else STATUS_FAILURE. */
int report_error(struct error *error);

#endif
