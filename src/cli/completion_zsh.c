/* SPDX-License-Identifier: MIT */
#include "completion_values.h"
#include "option_list.h"
#include "verbs.h"

#include "base/cleanup.h"

#include <stdio.h>

static const char head[] =
    "#compdef pyspyc py-spy\n"
    "\n"
    "# The processes that can be profiled stand before an empty line.\n"
    "_pyspyc_processes() {\n"
    "    local pid user version threads state command\n"
    "    local -a processes\n"
    "    pyspyc ps 2>/dev/null | while read -r pid user version threads state command && [[ -n $pid ]]; do\n"
    "        [[ $pid == *[^0-9]* ]] || processes+=(\"$pid:${command//:/\\\\:}\")\n"
    "    done\n"
    "    _describe process processes\n"
    "}\n"
    "\n"
    "local context state line\n"
    "local -a verbs\n"
    "verbs=(";

static const char middle[] =
    ")\n"
    "if ((CURRENT == 2)); then\n"
    "    _arguments '(-h --help)'{-h,--help}'[print the help]' '(-V --version)'{-V,--version}'[print the version]' \\\n"
    "        '1:verb:->verb'\n"
    "    [[ $state != verb ]] || _describe verb verbs\n"
    "    return\n"
    "fi\n"
    "# The verb stands for the command.\n"
    "shift words\n"
    "((CURRENT--))\n"
    "local curcontext=${curcontext%:*:*}:pyspyc-$words[1]:\n"
    "case $words[1] in";

/* _arguments takes a -- for an argument, when it comes right behind the verb. */
static const char program[] = "        local -i end=${words[(ie)--]}\n"
                              "        if ((end < CURRENT)); then\n"
                              "            shift end words\n"
                              "            ((CURRENT -= end))\n"
                              "            _normal\n"
                              "            return\n"
                              "        fi\n";

/* Of an option's value or an argument, behind its name. */
static void print_action(enum completion_kind kind, const struct buffer *words)
{
    if (kind == COMPLETE_FILES)
        printf("_files");
    else if (kind == COMPLETE_PROCESSES)
        printf("_pyspyc_processes");
    else if (kind == COMPLETE_PROGRAM)
        printf("_normal");
    else if (kind == COMPLETE_WORDS)
        printf("(%s)", buffer_text(words));
}

static void print_option(const struct verb *verb, const struct argp_option *option)
{
    const char *equals = option->arg ? "=" : "";
    cleanup_buffer struct buffer words = {0};
    printf("            '*'");
    if (option_has_letter(option))
        printf("{-%c%s,--%s%s}'[", option->key, option->arg ? "+" : "", option->name, equals);
    else
        printf("'--%s%s[", option->name, equals);
    completion_print_quoted(option->doc, "[]:\\", "'\\''");
    printf("]");
    if (option->arg) {
        printf(":%s:", option->arg);
        print_action(completion_of_value(verb, option, &words), &words);
    }
    puts("' \\");
}

static void print_arguments(const struct verb *verb)
{
    cleanup_buffer struct buffer words = {0};
    enum completion_kind kind = completion_of_arguments(verb, &words);
    printf("            '*:%s:", kind == COMPLETE_PROGRAM ? ":program" : "argument");
    print_action(kind, &words);
    puts("' ;;");
}

/* Behind a program's name, options are the program's. */
static void print_verb(const struct verb *verb)
{
    struct option_list list;
    cleanup_buffer struct buffer words = {0};
    bool takes_program = completion_of_arguments(verb, &words) == COMPLETE_PROGRAM;
    option_list_init(&list, verb->argp);
    printf("    %s)\n%s        _arguments -s -S %s\\\n", verb->name, takes_program ? program : "",
           takes_program ? "-A '-*' " : "");
    for (size_t i = 0; i < list.count; i++) {
        if (!option_is_hidden(list.options[i].option))
            print_option(verb, list.options[i].option);
    }
    print_arguments(verb);
}

void completion_print_zsh(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    puts(head);
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].is_hidden)
            continue;
        printf("    '%s:", verbs[i].name);
        completion_print_quoted(verbs[i].help, ":\\", "'\\''");
        puts("'");
    }
    puts(middle);
    for (size_t i = 0; i < count; i++)
        print_verb(&verbs[i]);
    puts("esac");
}
