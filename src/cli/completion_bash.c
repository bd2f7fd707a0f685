/* SPDX-License-Identifier: MIT */
#include "completion_values.h"
#include "option_list.h"
#include "verbs.h"

#include "base/cleanup.h"

#include <stdio.h>

static const char head[] =
    "# What a word may be goes into COMPREPLY.\n"
    "_pyspyc_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$current\")); }\n"
    "_pyspyc_files() { mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); }\n"
    "\n"
    "# The processes that can be profiled stand before an empty line.\n"
    "_pyspyc_processes() {\n"
    "    local pid rest numbers=\n"
    "    while read -r pid rest && [[ -n $pid ]]; do\n"
    "        [[ $pid == *[!0-9]* ]] || numbers+=\"$pid \"\n"
    "    done < <(\"${COMP_WORDS[0]}\" ps 2>/dev/null)\n"
    "    _pyspyc_words \"$numbers\"\n"
    "}\n"
    "\n"
    "# Another program's command line, from a word on.\n"
    "_pyspyc_program() {\n"
    "    if declare -F _command_offset >/dev/null; then\n"
    "        _command_offset \"$1\"\n"
    "    elif ((COMP_CWORD == $1)); then\n"
    "        COMPREPLY=($(compgen -c -- \"$current\"))\n"
    "    else\n"
    "        _pyspyc_files\n"
    "    fi\n"
    "}\n"
    "\n"
    "_pyspyc() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= i\n"
    "    COMPREPLY=()\n"
    "    # An equals sign is a word of its own.\n"
    "    if [[ $current == = ]]; then\n"
    "        current=\n"
    "    elif [[ $previous == = ]]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
    "            _pyspyc_program $((i + 1))\n"
    "            return\n"
    "        fi\n"
    "    done\n";

static const char tail[] = "    esac\n"
                           "}\n"
                           "complete -o filenames -F _pyspyc pyspyc py-spy\n";

/* What completes a word of a kind; nothing can be told of a program here, as no -- stands before it. */
static void print_call(enum completion_kind kind, const struct buffer *words)
{
    if (kind == COMPLETE_FILES || kind == COMPLETE_PROGRAM)
        printf("_pyspyc_files");
    else if (kind == COMPLETE_PROCESSES)
        printf("_pyspyc_processes");
    else
        printf("_pyspyc_words \"%s\"", buffer_text(words));
}

static void print_value(const struct verb *verb, const struct argp_option *option)
{
    cleanup_buffer struct buffer words = {0};
    enum completion_kind kind = completion_of_value(verb, option, &words);
    printf("        ");
    if (option_has_letter(option))
        printf("-%c | ", option->key);
    printf("--%s)\n            ", option->name);
    print_call(kind, &words);
    puts("\n            return ;;");
}

static void print_verb(const struct verb *verb)
{
    struct option_list list;
    cleanup_buffer struct buffer words = {0};
    enum completion_kind kind = completion_of_arguments(verb, &words);
    option_list_init(&list, verb->argp);
    printf("    %s)\n        case $previous in\n", verb->name);
    for (size_t i = 0; i < list.count; i++) {
        const struct argp_option *option = list.options[i].option;
        if (option->arg && !option_is_hidden(option))
            print_value(verb, option);
    }
    printf("        esac\n        if [[ $current == -* ]]; then\n            _pyspyc_words \"");
    for (size_t i = 0; i < list.count; i++) {
        const struct argp_option *option = list.options[i].option;
        if (!option_is_hidden(option))
            printf("%s--%s", i > 0 ? " " : "", option->name);
    }
    printf("\"\n        else\n            ");
    print_call(kind, &words);
    puts("\n        fi ;;");
}

void completion_print_bash(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    cleanup_buffer struct buffer names = {0};
    completion_append_verbs(&names);
    fputs(head, stdout);
    printf("    if ((COMP_CWORD == 1)); then\n        _pyspyc_words \"%s --help --version\"\n        return\n    fi\n",
           buffer_text(&names));
    puts("    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < count; i++)
        print_verb(&verbs[i]);
    fputs(tail, stdout);
}
