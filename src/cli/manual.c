/* SPDX-License-Identifier: MIT */
#include "manual.h"

#include "option_list.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/diff_formats.h"
#include "formats/formats.h"

#include <argp.h>
#include <string.h>

/* A line of a list: what it is about, and what is to be said of it. */
struct entry {
    const char *name, *text;
};

static const struct entry statuses[] = {
    {"the program's",
     "With a program that was started by record or top: its own, or 128 and the signal that ended it."},
    {"0", "Success."},
    {"1", "Failure, which standard error tells about."},
    {"2", "A mistake on the command line."},
    {"3", "diff --fail-over: a function takes more of the time than it may."},
    {"125", "A program was to be started, and pyspyc failed."},
    {"126", "The program cannot be executed."},
    {"127", "There is no such program."},
};

static const struct entry signals[] = {
    {"SIGUSR1, SIGUSR2", "The first begins a recording that --start-paused holds back, or goes on; the second pauses."},
    {"SIGINT, SIGTERM, SIGHUP",
     "Attached to a process: the recording ends, and what there is is written. With a "
     "program that was started, the first signal is the program's, a second one ends the "
     "recording at once, and a third one ends pyspyc without waiting for the program. top ends at the first one, which "
     "a program that it started gets, too."},
};

static const struct entry variables[] = {
    {"NO_COLOR", "If not empty: no colours and no progress line."},
    {"CLICOLOR_FORCE", "If not empty and not 0: text is coloured although it does not go to a terminal."},
    {"TERM", "\"dumb\" means the same as NO_COLOR."},
    {"LC_ALL, LC_CTYPE, LANG", "Whether a terminal has UTF-8; else text for it is ASCII."},
    {"XDG_STATE_HOME, HOME", "Where recordings are kept while they are made, when they cannot be beside the output."},
    {"TMPDIR", "Where temporary files are made; /tmp or /var/tmp without it."},
    {"PYSPYC_PID", "Set for a program that record starts: the number to send SIGUSR1 and SIGUSR2 to."},
};

static const struct entry files[] = {
    {"OUTPUT.PID.pyspyc", "The recording while it is made. It goes when the output is written, and stays when that "
                          "fails: report makes pictures of it."},
    {"~/.local/state/pyspyc/", "Where it is when there is no output beside which it could be."},
    {"/tmp/perf-PID.map", "Names of functions of just-in-time compilers, for --native."},
};

/* Text with nothing in it that roff takes for its own. */
static void append_escaped(struct buffer *out, const char *text)
{
    bool is_first = true;
    for (; *text; text++) {
        if (is_first && (*text == '.' || *text == '\''))
            buffer_append_text(out, "\\&");
        if (*text == '\\')
            buffer_append_text(out, "\\e");
        else if (*text == '-')
            buffer_append_text(out, "\\-");
        else
            buffer_append_char(out, *text);
        is_first = *text == '\n';
    }
}

static void put(struct buffer *out, const char *text)
{
    append_escaped(out, text);
    buffer_append_char(out, '\n');
}

static void put_entry(struct buffer *out, const char *name, const char *text)
{
    buffer_append_text(out, ".TP\n.B ");
    put(out, name);
    put(out, text);
}

static void put_entries(struct buffer *out, const char *head, const struct entry *entries, size_t count)
{
    buffer_format(out, ".SH %s\n", head);
    for (size_t i = 0; i < count; i++)
        put_entry(out, entries[i].name, entries[i].text);
}

/* A doc as a whole, without the \v in it. */
static void put_doc(struct buffer *out, const char *doc)
{
    cleanup_buffer struct buffer whole = {0};
    doc_append_whole(&whole, doc);
    put(out, buffer_text(&whole));
}

/* "-o, --output FILE" */
static void put_option(struct buffer *out, const struct argp_option *option)
{
    buffer_append_text(out, ".TP\n");
    if (option_has_letter(option))
        buffer_format(out, "\\fB\\-%c\\fR, ", option->key);
    buffer_append_text(out, "\\fB\\-\\-");
    append_escaped(out, option->name);
    buffer_append_text(out, "\\fR");
    if (option->arg)
        buffer_format(out, " \\fI%s\\fR", option->arg);
    buffer_append_char(out, '\n');
    put_doc(out, option->doc);
}

static void put_options(struct buffer *out, const struct argp *argp)
{
    struct option_list list;
    option_list_init(&list, argp);
    for (size_t i = 0; i < list.count; i++) {
        if (list.options[i].head && *list.options[i].head) {
            buffer_append_text(out, ".PP\n");
            put(out, list.options[i].head);
        }
        put_option(out, list.options[i].option);
    }
}

static void put_verb(struct buffer *out, const struct verb *verb)
{
    const char *rest = doc_rest(verb->argp->doc);
    buffer_format(out, ".SS %s\n", verb->name);
    cleanup_buffer struct buffer text = {0};
    doc_append_short(&text, verb->argp->doc);
    put(out, buffer_text(&text));
    if (*rest) {
        buffer_append_text(out, ".PP\n");
        put(out, rest);
    }
    put_options(out, verb->argp);
}

static void put_format(struct buffer *out, const char *name, const char *help, const char *const *endings)
{
    cleanup_buffer struct buffer text = {0};
    buffer_format(&text, "%s (%s", help, endings[0]);
    for (size_t i = 1; endings[i]; i++)
        buffer_format(&text, ", %s", endings[i]);
    buffer_append_text(&text, ")");
    put_entry(out, name, buffer_text(&text));
}

static void put_formats(struct buffer *out)
{
    size_t count;
    const struct format *formats = formats_all(&count);
    buffer_append_text(out, ".SH FORMATS\nWith the endings of files that choose them. Of record, report and merge:\n");
    for (size_t i = 0; i < count; i++)
        put_format(out, formats[i].name, formats[i].help, formats[i].endings);
    const struct diff_format *diffs = diff_formats_all(&count);
    buffer_append_text(out, ".PP\nOf diff:\n");
    for (size_t i = 0; i < count; i++)
        put_format(out, diffs[i].name, diffs[i].help, diffs[i].endings);
}

/* args_doc has a line for each way to call the verb. */
static void put_synopsis(struct buffer *out, const struct verb *verb)
{
    const char *line = verb->argp->args_doc ? verb->argp->args_doc : "";
    for (;;) {
        size_t len = strcspn(line, "\n");
        cleanup_buffer struct buffer text = {0};
        buffer_format(&text, "[OPTION...] %.*s", (int)len, line);
        buffer_format(out, ".B pyspyc %s\n", verb->name);
        put(out, buffer_text(&text));
        buffer_append_text(out, ".br\n");
        if (line[len] == '\0')
            return;
        line += len + 1;
    }
}

static void put_examples(struct buffer *out, const struct verb *verbs, size_t count)
{
    buffer_append_text(out, ".SH EXAMPLES\n.nf\n");
    for (size_t i = 0; i < count; i++) {
        for (const char *const *example = verbs[i].examples; *example; example++)
            put(out, *example);
    }
    buffer_append_text(out, ".fi\n");
}

void manual_write(FILE *out)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, ".TH PYSPYC 1 \"\" \"pyspyc " PYSPYC_VERSION "\" \"User Commands\"\n"
                              ".SH NAME\npyspyc \\- a sampling profiler for running Python programs\n.SH SYNOPSIS\n");
    for (size_t i = 0; i < count; i++)
        put_synopsis(&text, &verbs[i]);
    buffer_append_text(&text, ".SH DESCRIPTION\npyspyc watches programs from outside, by reading their memory. It does "
                              "not change or restart them, nor stop them unless it is asked to.\n"
                              "A verb, and a long option, can be abbreviated. Results go to standard output or into "
                              "files, everything else to standard error.\n.SH VERBS\n");
    for (size_t i = 0; i < count; i++)
        put_verb(&text, &verbs[i]);
    put_formats(&text);
    put_entries(&text, "FILES", files, array_size(files));
    put_entries(&text, "EXIT STATUS", statuses, array_size(statuses));
    put_entries(&text, "SIGNALS", signals, array_size(signals));
    put_entries(&text, "ENVIRONMENT", variables, array_size(variables));
    put_examples(&text, verbs, count);
    fwrite(buffer_text(&text), 1, text.len, out);
}
