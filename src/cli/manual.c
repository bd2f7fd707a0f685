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
    {"NO_COLOR", "If not empty: no colours."},
    {"CLICOLOR_FORCE", "If not empty and not 0: text is coloured although it does not go to a terminal."},
    {"TERM", "\"dumb\" means no colours, no progress line, and text in place of top's screen."},
    {"LC_ALL, LC_CTYPE, LANG", "Whether a terminal has UTF-8; else text for it is ASCII."},
    {"XDG_STATE_HOME, HOME", "Where recordings are kept while they are made, when they cannot be beside the output."},
    {"TMPDIR", "Where temporary files are made; /tmp or /var/tmp without it."},
    {"SUDO_UID, SUDO_GID", "Whose the files become that pyspyc makes as root: those of whoever called sudo."},
    {"PATH", "Where programs are looked for that record and top start, the python3 of doctor, and xdg-open."},
    {"PYSPYC", "The binary that the Python module pyspyc starts."},
    {"PYSPYC_PID", "Set for a program that record starts: the number to send SIGUSR1 and SIGUSR2 to."},
};

static const struct entry files[] = {
    {"PROGRAM-TIME.svg, PID-TIME.svg",
     "What record writes when no output is named; another format has another ending."},
    {"OUTPUT.PID.pyspyc", "The recording while it is made. It goes when the output is written, and stays when that "
                          "fails: report makes pictures of it."},
    {"~/.local/state/pyspyc/", "Where it is when there is no output beside which it could be."},
    {"/tmp/perf-PID.map", "Names of functions of just-in-time compilers, for --native."},
    {"/usr/lib/debug/.build-id/", "Where separate debug files are looked for."},
};

static const struct entry permissions[] = {
    {"A program that record or top starts", "Takes nothing, where ptrace_scope is 0 or 1."},
    {"One's own processes",
     "Take nothing where ptrace_scope (sysctl kernel.yama.ptrace_scope) is 0 or does not exist. Where it is 1 or 2: "
     "root, or a pyspyc with a capability "
     "of its own, which it uses for processes of who calls it only: 'sudo setcap cap_sys_ptrace+ep "
     "/usr/local/bin/pyspyc'."},
    {"Those of others, and those that forbid it", "Take root, in a container with the capability SYS_PTRACE."},
    {"Any, where ptrace_scope is 3", "Cannot be read by anybody until the next boot."},
};

/* Other manual pages, and their sections. */
static const struct entry others[] = {
    {"capabilities", "7"}, {"core", "5"}, {"gcore", "1"}, {"proc", "5"}, {"ptrace", "2"}, {"setcap", "8"},
};

enum { LINE_LEN = 72 /* of the source, as far as words allow */ };

/* One line, with nothing in it that roff takes for its own. */
static void append_escaped(struct buffer *out, const char *text, size_t len)
{
    if (len > 0 && (*text == '.' || *text == '\''))
        buffer_append_text(out, "\\&");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\')
            buffer_append_text(out, "\\e");
        else if (text[i] == '-')
            buffer_append_text(out, "\\-");
        else
            buffer_append_char(out, text[i]);
    }
}

/* How much of a text goes into one line: up to where a sentence ends, or a word before the line is too long. */
static size_t line_len(const char *text)
{
    size_t len = 0;
    for (size_t at = 0; text[at] != '\0'; at++) {
        if (text[at] != ' ')
            continue;
        if (at > LINE_LEN && len > 0)
            return len;
        len = at;
        if (at > 0 && strchr(".:", text[at - 1]))
            return len;
    }
    size_t whole = strlen(text);
    return whole > LINE_LEN && len > 0 ? len : whole;
}

/* Text that is filled: its lines are short, and each sentence begins one. */
static void put_text(struct buffer *out, const char *text)
{
    while (*text != '\0') {
        size_t len = line_len(text);
        append_escaped(out, text, len);
        buffer_append_char(out, '\n');
        text += len + (text[len] == ' ');
    }
}

/* Text that stays a line. */
static void put_line(struct buffer *out, const char *text)
{
    append_escaped(out, text, strlen(text));
    buffer_append_char(out, '\n');
}

static void put_entry(struct buffer *out, const char *name, const char *text)
{
    buffer_append_text(out, ".TP\n.B ");
    put_line(out, name);
    put_text(out, text);
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
    put_text(out, buffer_text(&whole));
}

/* "-o, --output FILE" */
static void put_option(struct buffer *out, const struct argp_option *option)
{
    buffer_append_text(out, ".TP\n");
    if (option_has_letter(option))
        buffer_format(out, "\\fB\\-%c\\fR, ", option->key);
    buffer_append_text(out, "\\fB\\-\\-");
    append_escaped(out, option->name, strlen(option->name));
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
            put_text(out, list.options[i].head);
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
    put_text(out, buffer_text(&text));
    if (*rest) {
        buffer_append_text(out, ".PP\n");
        put_text(out, rest);
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
    buffer_append_text(out, ".SH FORMATS\nWith the endings of files that choose them.\nOf record, report and merge:\n");
    for (size_t i = 0; i < count; i++)
        put_format(out, formats[i].name, formats[i].help, formats[i].endings);
    const struct diff_format *diffs = diff_formats_all(&count);
    buffer_append_text(out, ".PP\nOf diff:\n");
    for (size_t i = 0; i < count; i++)
        put_format(out, diffs[i].name, diffs[i].help, diffs[i].endings);
}

/* A line for each way to call a verb, as args_doc has them. */
static void put_synopsis(struct buffer *out, const struct verb *verb)
{
    const char *line = verb->argp->args_doc ? verb->argp->args_doc : "";
    for (;;) {
        size_t len = strcspn(line, "\n");
        buffer_format(out, "\\fBpyspyc %s\\fR [OPTION...]%s", verb->name, len > 0 ? " " : "");
        append_escaped(out, line, len);
        buffer_append_char(out, '\n');
        if (line[len] == '\0')
            return;
        line += len + 1;
    }
}

static void put_synopses(struct buffer *out, const struct verb *verbs, size_t count)
{
    buffer_append_text(out, ".SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; i < count; i++)
        put_synopsis(out, &verbs[i]);
    buffer_append_text(out, ".fi\n");
}

static void put_examples(struct buffer *out, const struct verb *verbs, size_t count)
{
    buffer_append_text(out, ".SH EXAMPLES\n");
    for (size_t i = 0; i < count; i++) {
        cleanup_buffer struct buffer head = {0};
        buffer_format(&head, "%s: %s", verbs[i].name, verbs[i].help);
        buffer_append_text(out, i > 0 ? ".PP\n" : "");
        put_text(out, buffer_text(&head));
        buffer_append_text(out, ".PP\n.nf\n.RS 4\n");
        for (const char *const *example = verbs[i].examples; *example; example++)
            put_line(out, *example);
        buffer_append_text(out, ".RE\n.fi\n");
    }
}

void manual_write(FILE *out)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, ".TH PYSPYC 1 " PYSPYC_DATE " \"pyspyc " PYSPYC_VERSION "\" \"User Commands\"\n"
                              ".SH NAME\npyspyc \\- a sampling profiler for running Python programs\n");
    put_synopses(&text, verbs, count);
    buffer_append_text(&text, ".SH DESCRIPTION\n");
    put_text(&text,
             "pyspyc watches programs from outside, by reading their memory. It does not change or restart them, "
             "nor stop them unless it is asked to.");
    buffer_append_text(&text, ".PP\n");
    put_text(&text, "A verb, and a long option, can be abbreviated. Results go to standard output or into files, "
                    "everything else to standard error.");
    buffer_append_text(&text, ".SH VERBS\n");
    for (size_t i = 0; i < count; i++)
        put_verb(&text, &verbs[i]);
    put_formats(&text);
    put_entries(&text, "FILES", files, array_size(files));
    put_entries(&text, "PERMISSIONS", permissions, array_size(permissions));
    put_entries(&text, "EXIT STATUS", statuses, array_size(statuses));
    put_entries(&text, "SIGNALS", signals, array_size(signals));
    put_entries(&text, "ENVIRONMENT", variables, array_size(variables));
    put_examples(&text, verbs, count);
    buffer_append_text(&text, ".SH SEE ALSO\n");
    for (size_t i = 0; i < array_size(others); i++)
        buffer_format(&text, ".BR %s (%s)%s\n", others[i].name, others[i].text, i + 1 < array_size(others) ? " ," : "");
    fwrite(buffer_text(&text), 1, text.len, out);
}
