/* SPDX-License-Identifier: MIT */
#include "completion_values.h"

#include "option_list.h"
#include "verbs.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* What an option's value is called in the tables, and what it can be. */
static const struct {
    const char *value;
    enum completion_kind kind;
    const char *words;
} values[] = {
    {"FILE", COMPLETE_FILES, NULL},
    {"PID", COMPLETE_PROCESSES, NULL},
    {"HOW", COMPLETE_WORDS, "share none"},
    {"COLUMN", COMPLETE_WORDS, "own% total% own total name"},
};

static void append_formats(struct buffer *words, const struct verb *verb)
{
    const char *names[VERB_FORMAT_LIMIT] = {NULL};
    size_t count = verb_format_names(verb, names);
    for (size_t i = 0; i < count; i++)
        buffer_format(words, "%s%s", i > 0 ? " " : "", names[i]);
}

enum completion_kind completion_of_value(const struct verb *verb, const struct argp_option *option,
                                         struct buffer *words)
{
    if (strcmp(option->arg, "FORMAT") == 0) {
        append_formats(words, verb);
        return COMPLETE_WORDS;
    }
    for (size_t i = 0; i < array_size(values); i++) {
        if (strcmp(option->arg, values[i].value) != 0)
            continue;
        if (values[i].words)
            buffer_append_text(words, values[i].words);
        return values[i].kind;
    }
    return COMPLETE_NOTHING;
}

void completion_append_verbs(struct buffer *words)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].is_hidden)
            continue;
        buffer_format(words, "%s%s", separator, verbs[i].name);
        separator = " ";
    }
}

/* "bash|zsh" is a choice. */
static void append_choice(struct buffer *words, const char *choice)
{
    for (; *choice; choice++)
        buffer_append_char(words, *choice == '|' ? ' ' : *choice);
}

enum completion_kind completion_of_arguments(const struct verb *verb, struct buffer *words)
{
    const char *doc = verb->argp->args_doc;
    if (!doc)
        return COMPLETE_NOTHING;
    if (strstr(doc, "PROGRAM"))
        return COMPLETE_PROGRAM;
    if (*doc == '-')
        return COMPLETE_NOTHING; /* options alone */
    if (strcmp(doc, "[VERB]") == 0) {
        completion_append_verbs(words);
        return COMPLETE_WORDS;
    }
    if (!strchr(doc, '|'))
        return COMPLETE_FILES;
    append_choice(words, doc);
    return COMPLETE_WORDS;
}

void completion_print_quoted(const char *doc, const char *marks, const char *quote)
{
    cleanup_buffer struct buffer text = {0};
    doc_append_short(&text, doc);
    for (const char *c = buffer_text(&text); *c; c++) {
        if (*c == '\'')
            fputs(quote, stdout);
        else
            printf("%s%c", strchr(marks, *c) ? "\\" : "", *c);
    }
}
