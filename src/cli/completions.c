/* SPDX-License-Identifier: MIT */
#include "manual.h"
#include "nearest.h"
#include "option_list.h"
#include "options.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Text inside of single quotes, with a backslash before any of the marks. */
static void print_quoted(const char *doc, const char *marks, const char *quote)
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

static void print_words(const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i > 0 ? " " : "", words[i]);
}

static void print_formats(const struct verb *verb)
{
    const char *names[VERB_FORMAT_LIMIT] = {NULL};
    size_t count = verb_format_names(verb, names);
    print_words(names, count);
}

static bool takes(const struct argp_option *option, const char *kind)
{
    return option->arg && strcmp(option->arg, kind) == 0;
}

static void print_bash_value(const struct verb *verb, const struct argp_option *option)
{
    if (option_has_letter(option))
        printf("        -%c | ", option->key);
    else
        printf("        ");
    printf("--%s) ", option->name);
    if (takes(option, "FILE")) {
        printf("COMPREPLY=($(compgen -f -- \"$current\")); ");
    } else if (takes(option, "FORMAT")) {
        printf("COMPREPLY=($(compgen -W \"");
        print_formats(verb);
        printf("\" -- \"$current\")); ");
    }
    puts("return ;;");
}

static void print_bash_verb(const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    printf("    %s)\n        case $previous in\n", verb->name);
    for (size_t i = 0; i < list.count; i++) {
        const struct argp_option *option = list.options[i].option;
        if (option->arg && !option_is_hidden(option))
            print_bash_value(verb, option);
    }
    printf("        esac\n        words=\"");
    for (size_t i = 0; i < list.count; i++) {
        const struct argp_option *option = list.options[i].option;
        if (!option_is_hidden(option))
            printf("%s--%s", i > 0 ? " " : "", option->name);
    }
    puts("\" ;;");
}

static void print_verb_names(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (!verbs[i].is_hidden)
            printf("%s ", verbs[i].name);
    }
}

static void print_bash(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    puts("# What a word may be goes into COMPREPLY. Behind -- stands another program's command line.\n"
         "_pyspyc() {\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= i\n"
         "    COMPREPLY=()\n"
         "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
         "        if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
         "            if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); fi\n"
         "            return\n"
         "        fi\n"
         "    done\n"
         "    if ((COMP_CWORD == 1)); then");
    printf("        COMPREPLY=($(compgen -W \"");
    print_verb_names();
    puts("--help --version\" -- \"$current\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < count; i++) {
        if (!verbs[i].is_hidden)
            print_bash_verb(&verbs[i]);
    }
    puts("    esac\n"
         "    if [[ $current == -* ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "    else\n"
         "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "    fi\n"
         "}\n"
         "complete -o filenames -F _pyspyc pyspyc py-spy");
}

static void print_zsh_option(const struct verb *verb, const struct argp_option *option)
{
    const char *equals = option->arg ? "=" : "";
    printf("            '*'");
    if (option_has_letter(option))
        printf("{-%c%s,--%s%s}'[", option->key, option->arg ? "+" : "", option->name, equals);
    else
        printf("'--%s%s[", option->name, equals);
    print_quoted(option->doc, "[]:\\", "'\\''");
    printf("]");
    if (option->arg)
        printf(":%s:", option->arg);
    if (takes(option, "FILE"))
        printf("_files");
    if (takes(option, "FORMAT")) {
        printf("(");
        print_formats(verb);
        printf(")");
    }
    puts("' \\");
}

static void print_zsh_verb(const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    printf("    %s)\n        _arguments -s -S \\\n", verb->name);
    for (size_t i = 0; i < list.count; i++) {
        if (!option_is_hidden(list.options[i].option))
            print_zsh_option(verb, list.options[i].option);
    }
    puts("            '*:FILE:_files' ;;");
}

static void print_zsh(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    puts("#compdef pyspyc py-spy\n"
         "local context state line\n"
         "local -a verbs\n"
         "verbs=(");
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].is_hidden)
            continue;
        printf("    '%s:", verbs[i].name);
        print_quoted(verbs[i].help, ":\\", "'\\''");
        puts("'");
    }
    puts(")\n"
         "_arguments -C '(-h --help)'{-h,--help}'[print the help]' '(-V --version)'{-V,--version}'[print the version]' "
         "\\\n"
         "    '1:verb:->verb' '*::argument:->rest'\n"
         "if [[ $state == verb ]]; then\n"
         "    _describe verb verbs\n"
         "    return\n"
         "fi\n"
         "case $words[1] in");
    for (size_t i = 0; i < count; i++) {
        if (!verbs[i].is_hidden)
            print_zsh_verb(&verbs[i]);
    }
    puts("esac");
}

static void print_fish_option(const char *command, const struct verb *verb, const struct argp_option *option)
{
    printf("complete -c %s -n '__fish_seen_subcommand_from %s' -l %s", command, verb->name, option->name);
    if (option_has_letter(option))
        printf(" -s %c", option->key);
    if (takes(option, "FORMAT")) {
        printf(" -x -a '");
        print_formats(verb);
        printf("'");
    } else if (option->arg) {
        printf(takes(option, "FILE") ? " -r -F" : " -x");
    }
    printf(" -d '");
    print_quoted(option->doc, "\\", "\\'");
    puts("'");
}

static void print_fish_verb(const char *command, const struct verb *verb)
{
    struct option_list list;
    option_list_init(&list, verb->argp);
    printf("complete -c %s -n __fish_use_subcommand -f -a %s -d '", command, verb->name);
    print_quoted(verb->help, "\\", "\\'");
    puts("'");
    for (size_t i = 0; i < list.count; i++) {
        if (!option_is_hidden(list.options[i].option))
            print_fish_option(command, verb, list.options[i].option);
    }
}

static void print_fish(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    static const char *const commands[] = {"pyspyc", "py-spy"};
    for (size_t i = 0; i < array_size(commands); i++) {
        printf("complete -c %s -n __fish_use_subcommand -f -s h -l help -d 'print the help'\n", commands[i]);
        printf("complete -c %s -n __fish_use_subcommand -f -s V -l version -d 'print the version'\n", commands[i]);
        for (size_t j = 0; j < count; j++) {
            if (!verbs[j].is_hidden)
                print_fish_verb(commands[i], &verbs[j]);
        }
    }
}

static void print_manual(void)
{
    manual_write(stdout);
}

static const struct {
    const char *name;
    void (*print)(void);
} kinds[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}, {"man", print_manual}};

static const struct argp_option completions_options[] = {
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

struct completions_arguments {
    struct command_line line; /* must be first */
    const char *kind;
};

static error_t parse_completions_option(int key, char *value, struct argp_state *state)
{
    struct completions_arguments *arguments = state->input;
    if (key != ARGP_KEY_ARG)
        return options_default(key, state);
    arguments->kind = value;
    return 0;
}

const struct argp completions_argp = {
    .options = completions_options,
    .parser = parse_completions_option,
    .args_doc = "bash|zsh|fish|man",
    .doc = "Prints completions for a shell, or the manual, as they are installed.",
};

static struct error *print_kind(const char *kind)
{
    const char *names[array_size(kinds)];
    for (size_t i = 0; i < array_size(kinds); i++) {
        names[i] = kinds[i].name;
        if (kind && strcmp(kind, kinds[i].name) == 0) {
            kinds[i].print();
            return fflush(stdout) == 0 ? NULL : error_from_errno(errno, "cannot write to standard output");
        }
    }
    const char *nearest = kind ? nearest_word(kind, names, array_size(names)) : NULL;
    if (nearest)
        return error_create(ERROR_USAGE, "there are no completions for '%s': did you mean '%s'?", kind, nearest);
    return error_create(ERROR_USAGE, "there are completions for bash, zsh and fish: name one of them");
}

int verb_completions(int argc, char **argv)
{
    struct completions_arguments arguments = {.line = {.verb = "completions", .tables = {completions_options}}};
    struct error *error = options_parse(&completions_argp, argc, argv, &arguments.line);
    if (!error)
        error = print_kind(arguments.kind);
    return error ? report_error(error) : STATUS_SUCCESS;
}
