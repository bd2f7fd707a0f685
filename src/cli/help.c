/* SPDX-License-Identifier: MIT */
#include "help.h"

#include "option_list.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_COLUMNS = 27, /* for an option's names */
    OPTION_NAME_LEN = 32,
    COLUMNS = 80,
};

static const char *const examples[] = {
    "pyspyc record -o flame.svg -- python3 program.py",
    "pyspyc top --pid 1234",
    "pyspyc dump --pid 1234",
    NULL,
};

static void print_examples(const char *const *lines, FILE *out)
{
    for (; *lines; lines++)
        fprintf(out, "  %s\n", *lines);
    fputc('\n', out);
}

void help_print(FILE *out)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    print_examples(examples, out);
    fputs("pyspyc, a sampling profiler for running Python programs. It does not change,\n"
          "restart or stop them.\n\n",
          out);
    for (size_t i = 0; i < count; i++) {
        if (!verbs[i].is_hidden)
            fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].help);
    }
    fprintf(out, "  %-12s %s\n", "--help", "this text; 'pyspyc VERB --help' and 'pyspyc help VERB' tell more");
    fprintf(out, "  %-12s %s\n", "--version", "the version of pyspyc");
    fputs("\nThe manual, pyspyc(1), says more of all of them.\n", out);
}

/* "-o, --output FILE" */
static void append_names(struct buffer *out, const struct argp_option *option)
{
    if (option_has_letter(option))
        buffer_format(out, "  -%c, --%s", option->key, option->name);
    else
        buffer_format(out, "      --%s", option->name);
    if (option->arg)
        buffer_format(out, " %s", option->arg);
}

static void print_option(const struct argp_option *option)
{
    cleanup_buffer struct buffer names = {0}, text = {0};
    append_names(&names, option);
    doc_append_short(&text, option->doc);
    printf("%-*s %s\n", NAME_COLUMNS, buffer_text(&names), buffer_text(&text));
}

static void print_options(const struct option_list *list, bool is_short)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct listed_option *listed = &list->options[i];
        if (option_is_hidden(listed->option) || (is_short && option_is_seldom(listed->option)))
            continue;
        if (listed->head && *listed->head)
            printf("%s\n", listed->head);
        print_option(listed->option);
    }
}

/* Words in lines of a screen's width, behind a head. */
static void print_words(const char *head, const char *separator, const char *const *words, size_t count)
{
    size_t column = strlen(head);
    fputs(head, stdout);
    for (size_t i = 0; i < count; i++) {
        const char *after = i + 1 < count ? separator : "";
        size_t len = strlen(" ") + strlen(words[i]) + strlen(after);
        if (column + len > COLUMNS) {
            printf("\n ");
            column = 1;
        }
        printf(" %s%s", words[i], after);
        column += len;
    }
    putchar('\n');
}

static void print_formats(const struct verb *verb)
{
    const char *names[VERB_FORMAT_LIMIT];
    size_t count = verb_format_names(verb, names);
    if (count > 0)
        print_words("Formats:", ",", names, count);
}

/* The names of the options about which nothing was said. */
static void print_seldom(const struct verb *verb, const struct option_list *list)
{
    char words[OPTION_LIST_LIMIT][OPTION_NAME_LEN];
    const char *names[OPTION_LIST_LIMIT];
    char head[80];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct argp_option *option = list->options[i].option;
        if (option_is_hidden(option) || !option_is_seldom(option))
            continue;
        snprintf(words[count], sizeof(words[count]), "--%s", option->name);
        names[count] = words[count];
        count++;
    }
    if (count == 0)
        return;
    snprintf(head, sizeof(head), "More ('pyspyc help %s' explains them):", verb->name);
    print_words(head, "", names, count);
}

/* args_doc has a line for each way to call the verb. */
static void print_usage(const struct verb *verb)
{
    const char *line = verb->argp->args_doc ? verb->argp->args_doc : "";
    const char *head = "Usage:";
    for (;;) {
        size_t len = strcspn(line, "\n");
        printf("%-6s pyspyc %s [OPTION...]%s%.*s\n", head, verb->name, len > 0 ? " " : "", (int)len, line);
        if (line[len] == '\0')
            return;
        line += len + 1;
        head = "";
    }
}

static void print_head(const struct verb *verb)
{
    cleanup_buffer struct buffer text = {0};
    print_examples(verb->examples, stdout);
    print_usage(verb);
    doc_append_short(&text, verb->argp->doc);
    puts(buffer_text(&text));
}

void help_print_verb(const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    print_head(verb);
    print_options(&list, true);
    print_formats(verb);
    print_seldom(verb, &list);
}

void help_print_whole_verb(const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    print_head(verb);
    print_options(&list, false);
    print_formats(verb);
    puts("The manual, pyspyc(1), says more.");
}
