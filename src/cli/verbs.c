/* SPDX-License-Identifier: MIT */
#include "verbs.h"

#include "nearest.h"

#include "base/cleanup.h"
#include "formats/diff_formats.h"
#include "formats/formats.h"

#include <string.h>

enum { VERB_LIMIT = 32 };

static const char *const record_examples[] = {
    "pyspyc record -o flame.svg -- python3 program.py",
    "pyspyc record --pid 1234 -d 10 -o flame.svg -o -",
    "pyspyc record -s --native -o run.pyspyc -- gunicorn app:main",
    NULL,
};
static const char *const top_examples[] = {
    "pyspyc top --pid 1234",
    "pyspyc top --tree -- python3 program.py",
    "pyspyc top --pid 1234 --once --sort total",
    NULL,
};
static const char *const dump_examples[] = {
    "pyspyc dump --pid 1234",
    "pyspyc dump --pid 1234 --locals --native",
    "pyspyc dump --core core.1234",
    NULL,
};
static const char *const report_examples[] = {
    "pyspyc report run.pyspyc",
    "pyspyc report run.pyspyc -o threads.svg --threads",
    "pyspyc report stacks.txt -o flame.svg --focus 'parse'",
    NULL,
};
static const char *const diff_examples[] = {
    "pyspyc diff before.pyspyc after.pyspyc",
    "pyspyc diff before.pyspyc after.pyspyc -o change.svg",
    "pyspyc diff before.pyspyc after.pyspyc -o - --fail-over 5",
    NULL,
};
static const char *const merge_examples[] = {
    "pyspyc merge -o all.pyspyc monday.pyspyc tuesday.pyspyc",
    "pyspyc merge -o ranks.svg -s rank*.pyspyc",
    "pyspyc merge -f raw -o - first.pyspyc second.pyspyc",
    NULL,
};
static const char *const doctor_examples[] = {
    "pyspyc doctor",
    "pyspyc doctor --pid 1234",
    "pyspyc doctor --pid 1234 -d 0",
    NULL,
};
static const char *const ps_examples[] = {
    "pyspyc ps",
    "sudo pyspyc ps",
    "pyspyc ps | grep gunicorn",
    NULL,
};
static const char *const completions_examples[] = {
    "source <(pyspyc completions bash)",
    "pyspyc completions fish >~/.config/fish/completions/pyspyc.fish",
    "pyspyc completions man | man -l -",
    NULL,
};
static const char *const help_examples[] = {
    "pyspyc help",
    "pyspyc help record",
    "pyspyc help top | less",
    NULL,
};

static const struct verb verbs[] = {
    {"record", verb_record, "sample a program and write a flame graph", &record_argp, record_examples,
     FORMATS_OF_PICTURES, false},
    {"top", verb_top, "watch a program live: what takes its time now", &top_argp, top_examples, FORMATS_NONE, false},
    {"dump", verb_dump, "print every thread's stack once", &dump_argp, dump_examples, FORMATS_NONE, false},
    {"completions", verb_completions, "print completions for a shell", &completions_argp, completions_examples,
     FORMATS_NONE, true},
    {"help", verb_help, "print this, or what a verb takes", &help_argp, help_examples, FORMATS_NONE, false},
    {"ps", verb_ps, "list the Python processes that can be profiled", &ps_argp, ps_examples, FORMATS_NONE, false},
    {"report", verb_report, "make pictures of a recording that was kept", &report_argp, report_examples,
     FORMATS_OF_PICTURES, false},
    {"diff", verb_diff, "compare two recordings: what takes more time than before", &diff_argp, diff_examples,
     FORMATS_OF_DIFFS, false},
    {"merge", verb_merge, "put recordings of several runs or processes together", &merge_argp, merge_examples,
     FORMATS_OF_PICTURES, false},
    {"doctor", verb_doctor, "say what is allowed here, and test that what is recorded is true", &doctor_argp,
     doctor_examples, FORMATS_NONE, false},
};

const struct verb *verbs_all(size_t *ret_count)
{
    *ret_count = array_size(verbs);
    return verbs;
}

const struct verb *verbs_find(const char *word)
{
    for (size_t i = 0; *word != '\0' && i < array_size(verbs); i++) {
        if (strncmp(verbs[i].name, word, strlen(word)) == 0)
            return &verbs[i];
    }
    return NULL;
}

/* What stands where a verb should is often what a verb is to be given. */
static struct error *describe_target(const char *word)
{
    if (word_is_number(word))
        return error_create(ERROR_USAGE,
                            "unknown verb '%s': 'pyspyc record --pid %s' records that process, 'pyspyc dump --pid %s' "
                            "shows where it is",
                            word, word, word);
    if (word_is_script(word))
        return error_create(ERROR_USAGE, "unknown verb '%s': 'pyspyc record -- python3 %s' records a program", word,
                            word);
    return error_create(ERROR_USAGE, "unknown verb '%s' (see 'pyspyc --help')", word);
}

struct error *verbs_describe_unknown(const char *word)
{
    static const char *const others[] = {"--help", "--version"};
    const char *names[VERB_LIMIT + array_size(others)];
    size_t count = 0;
    for (size_t i = 0; i < array_size(others); i++)
        names[count++] = others[i];
    for (size_t i = 0; i < array_size(verbs); i++)
        names[count++] = verbs[i].name;
    const char *kind = *word == '-' ? "option" : "verb";
    const char *nearest = nearest_word(word, names, count);
    if (nearest)
        return error_create(ERROR_USAGE, "unknown %s '%s': did you mean '%s'?", kind, word, nearest);
    if (*word == '-')
        return error_create(ERROR_USAGE,
                            "unknown option '%s': a verb comes first, as in 'pyspyc top --pid 1234' (see 'pyspyc "
                            "--help')",
                            word);
    return describe_target(word);
}

size_t verb_format_names(const struct verb *verb, const char *ret[VERB_FORMAT_LIMIT])
{
    size_t count = 0, diff_count = 0, found = 0;
    const struct format *pictures = formats_all(&count);
    const struct diff_format *diffs = diff_formats_all(&diff_count);
    for (size_t i = 0; verb->formats == FORMATS_OF_PICTURES && i < count && found < VERB_FORMAT_LIMIT; i++)
        ret[found++] = pictures[i].name;
    for (size_t i = 0; verb->formats == FORMATS_OF_DIFFS && i < diff_count && found < VERB_FORMAT_LIMIT; i++)
        ret[found++] = diffs[i].name;
    return found;
}
