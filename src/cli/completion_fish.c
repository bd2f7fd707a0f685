/* SPDX-License-Identifier: MIT */
#include "completion_values.h"
#include "option_list.h"
#include "verbs.h"

#include "base/cleanup.h"

#include <stdio.h>

static const char head[] =
    "# Whether a verb is the first word, and no other program's command line has begun.\n"
    "function __pyspyc_verb\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -gt 1; and test $words[2] = $argv[1]; and not contains -- -- $words\n"
    "end\n"
    "function __pyspyc_no_verb\n"
    "    test (count (commandline -opc)) -eq 1\n"
    "end\n"
    "\n"
    "# The other program's command line, as far as it is typed.\n"
    "function __pyspyc_program\n"
    "    set -l words (commandline -opc)\n"
    "    set -l at (contains -i -- -- $words); or return 1\n"
    "    set -l program $words[(math $at + 1)..] (commandline -ct)\n"
    "    test (count $argv) -eq 0; or complete -C \"$program\"\n"
    "end\n"
    "\n"
    "# Those that can be profiled: of the others, the reason stands in brackets.\n"
    "function __pyspyc_processes\n"
    "    pyspyc ps 2>/dev/null | string replace -rf '^ *(\\d+)  \\S+ +\\S+ +\\d+  \\S+ +([^[].*)$' '$1\\t$2'\n"
    "end\n";

static void print_value(const struct verb *verb, const struct argp_option *option)
{
    cleanup_buffer struct buffer words = {0};
    switch (completion_of_value(verb, option, &words)) {
    case COMPLETE_FILES:
        printf(" -r -F");
        break;
    case COMPLETE_PROCESSES:
        printf(" -x -a '(__pyspyc_processes)'");
        break;
    case COMPLETE_WORDS:
        printf(" -x -a '%s'", buffer_text(&words));
        break;
    case COMPLETE_NOTHING:
    case COMPLETE_PROGRAM:
        printf(" -x");
        break;
    }
}

static void print_option(const char *command, const struct verb *verb, const struct argp_option *option)
{
    printf("complete -c %s -n '__pyspyc_verb %s' -l %s", command, verb->name, option->name);
    if (option_has_letter(option))
        printf(" -s %c", option->key);
    if (option->arg)
        print_value(verb, option);
    printf(" -d '");
    completion_print_quoted(option->doc, "\\", "\\'");
    puts("'");
}

/* Files are what fish offers by itself. */
static void print_arguments(const char *command, const struct verb *verb)
{
    cleanup_buffer struct buffer words = {0};
    enum completion_kind kind = completion_of_arguments(verb, &words);
    if (kind == COMPLETE_NOTHING || kind == COMPLETE_WORDS)
        printf("complete -c %s -n '__pyspyc_verb %s' -f -a '%s'\n", command, verb->name, buffer_text(&words));
}

static void print_verb(const char *command, const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    if (!verb->is_hidden) {
        printf("complete -c %s -n __pyspyc_no_verb -f -a %s -d '", command, verb->name);
        completion_print_quoted(verb->help, "\\", "\\'");
        puts("'");
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!option_is_hidden(list.options[i].option))
            print_option(command, verb, list.options[i].option);
    }
    print_arguments(command, verb);
}

void completion_print_fish(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    static const char *const commands[] = {"pyspyc", "py-spy"};
    fputs(head, stdout);
    for (size_t i = 0; i < array_size(commands); i++) {
        printf("\ncomplete -c %s -n __pyspyc_no_verb -f -s h -l help -d 'print the help'\n", commands[i]);
        printf("complete -c %s -n __pyspyc_no_verb -f -s V -l version -d 'print the version'\n", commands[i]);
        printf("complete -c %s -n __pyspyc_program -f -a '(__pyspyc_program complete)'\n", commands[i]);
        for (size_t j = 0; j < count; j++)
            print_verb(commands[i], &verbs[j]);
    }
}
