/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "target/privileges.h"

#include <fcntl.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"record", verb_record, "sample a program and write a flame graph"},
    {"top", verb_top, "watch a program live: what takes its time now"},
    {"report", verb_report, "make pictures of a recording that was kept"},
    {"diff", verb_diff, "compare two recordings: what takes more time than before, and what less"},
    {"merge", verb_merge, "put recordings of several runs, processes or ranks together"},
    {"dump", verb_dump, "print every thread's stack once"},
    {"doctor", verb_doctor, "say what this machine and user allow, and test that what is recorded is true"},
};

static const char usage[] =
    "Usage: pyspyc record -o flame.svg -- python3 program.py\n"
    "       pyspyc record --pid 1234 -d 10\n"
    "       pyspyc top --pid 1234\n"
    "       pyspyc dump --pid 1234\n"
    "       pyspyc dump --core core.1234\n"
    "\n"
    "A sampling profiler for running Python programs. It does not change, restart or stop them.\n"
    "\n";

static void print_help(void)
{
    fputs(usage, stdout);
    for (size_t i = 0; i < array_size(verbs); i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
    printf("  %-10s %s\n", "--help", "this text; 'pyspyc VERB --help' tells a verb's options");
    printf("  %-10s %s\n", "--version", "the version of pyspyc");
}

int report_error(struct error *error)
{
    cleanup_buffer struct buffer shown = {0};
    /* A sentence quotes what others chose: names of files and programs. */
    escape_visible(&shown, error->sentence, strlen(error->sentence));
    fprintf(stderr, "pyspyc: %s\n", buffer_text(&shown));
    int status = error->kind == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
    error_destroy(error);
    return status;
}

/* The verb of a name, or of the start of one; NULL when there is none or more than one. */
static const struct verb *find_verb(const char *word)
{
    const struct verb *found = NULL;
    for (size_t i = 0; i < array_size(verbs); i++) {
        if (strcmp(verbs[i].name, word) == 0)
            return &verbs[i];
        if (*word == '\0' || strncmp(verbs[i].name, word, strlen(word)) != 0)
            continue;
        if (found)
            return NULL;
        found = &verbs[i];
    }
    return found;
}

static struct error *describe_unknown_verb(const char *word)
{
    const char *names[array_size(verbs)];
    for (size_t i = 0; i < array_size(verbs); i++)
        names[i] = verbs[i].name;
    const char *nearest = options_nearest(word, names, array_size(verbs));
    if (nearest)
        return error_create(ERROR_USAGE, "unknown verb '%s': did you mean '%s'?", word, nearest);
    return error_create(ERROR_USAGE, "unknown verb '%s' (see 'pyspyc --help')", word);
}

/*
 * Makes sure that descriptors 0 to 2 are taken, so that no file of ours gets a number that means a standard stream.
 * What was closed cannot be read from or written to afterwards either.
 */
static void take_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int taken = fcntl(fd, F_GETFD) < 0 ? open("/dev/null", modes[fd]) : fd;
        if (taken < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    take_standard_descriptors();
    struct error *error = privileges_settle();
    if (error)
        return report_error(error);
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2)
        return report_error(error_create(ERROR_USAGE, "no verb given (see 'pyspyc --help')"));
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return STATUS_SUCCESS;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("pyspyc %s\n", PYSPYC_VERSION);
        return STATUS_SUCCESS;
    }
    const struct verb *verb = find_verb(word);
    if (!verb)
        return report_error(describe_unknown_verb(word));
    return verb->run(argc - 1, argv + 1);
}
