/* SPDX-License-Identifier: MIT */
#include "target/command_words.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "target/process.h"

#include <string.h>

const char *command_words_last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/*
 * A dynamic loader that is called by name says nothing of the program that it starts: its words begin behind the
 * loader's own. glibc 2.36 elf/rtld.c: these options have a value, the others none.
 */
const char *const *command_words_program(const char *const *words)
{
    static const char *const with_value[] = {
        "--argv0", "--library-path",         "--preload",          "--inhibit-rpath",
        "--audit", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"};
    const char *const *word = words;
    if (!*word || strncmp(command_words_last_component(*word), "ld-linux", strlen("ld-linux")) != 0)
        return words;
    for (word++; *word && strncmp(*word, "--", 2) == 0; word++) {
        for (size_t i = 0; i < array_size(with_value); i++) {
            if (word[1] && strcmp(*word, with_value[i]) == 0) {
                word++;
                break;
            }
        }
    }
    return *word ? word : words;
}

bool command_words_are_python(const char *program)
{
    return strncmp(command_words_last_component(program), "python", strlen("python")) == 0;
}

/* What is known of the words behind that of a Python. */
struct python_words {
    const char *const *source; /* the word that tells it; the NULL at the end: none does */
    const char *letter;        /* the 'c' or 'm' in that word; NULL: it is a script, or "-" */
};

/*
 * CPython Python/getopt.c: options of one letter may share a word. W and X take the rest of it or the next word as
 * their value, as do c and m, which are the last options.
 */
static struct python_words find_source(const char *const *arguments)
{
    const char *const *word = arguments;
    for (; *word && **word == '-' && (*word)[1] != '\0'; word++) {
        bool is_long = strncmp(*word, "--", 2) == 0;
        const char *letter = is_long ? NULL : strpbrk(*word, "cmWX");
        bool takes_next = letter ? letter[1] == '\0' : strcmp(*word, "--check-hash-based-pycs") == 0;
        if (letter && (*letter == 'c' || *letter == 'm'))
            return (struct python_words){word, letter};
        if (takes_next && word[1])
            word++;
    }
    return (struct python_words){word, NULL};
}

void command_words_append_script(struct buffer *out, const char *const *arguments)
{
    const struct python_words words = find_source(arguments);
    if (!*words.source)
        return;
    if (!words.letter)
        buffer_format(out, " %s", command_words_last_component(*words.source));
    else if (*words.letter == 'c')
        buffer_append_text(out, " -c");
    else if (words.letter[1] != '\0' || words.source[1])
        buffer_format(out, " -m %s", words.letter[1] != '\0' ? words.letter + 1 : words.source[1]);
}

/* What is left of the words when the arguments are left out. */
struct kept_words {
    const char *const *end; /* behind the last one */
    size_t last_len;        /* bytes of that */
};

static struct kept_words without_arguments(const char *const *words)
{
    const char *const *program = command_words_program(words);
    if (!*program)
        return (struct kept_words){program, 0};
    const char *const *last = program;
    if (command_words_are_python(*program)) {
        const struct python_words python = find_source(program + 1);
        if (python.letter && *python.letter == 'c')
            return (struct kept_words){python.source + 1, (size_t)(python.letter + 1 - *python.source)};
        last = *python.source ? python.source : python.source - 1;
        last += python.letter && python.letter[1] == '\0' && last[1] ? 1 : 0;
    }
    return (struct kept_words){last + 1, strlen(*last)};
}

void command_words_append(struct buffer *out, const char *const *words, bool with_arguments)
{
    struct kept_words kept = {0};
    if (!with_arguments)
        kept = without_arguments(words);
    for (const char *const *word = words; *word && word != kept.end; word++) {
        buffer_append_text(out, word > words ? " " : "");
        buffer_append(out, *word, word + 1 == kept.end ? kept.last_len : strlen(*word));
    }
    bool is_cut = kept.end > words && strlen(kept.end[-1]) > kept.last_len;
    if (kept.end && (*kept.end || is_cut))
        buffer_append_text(out, " …");
}

struct error *command_words_list(const struct process *process, struct buffer *text, const char ***ret)
{
    struct error *error = process_read_file(process, "cmdline", text);
    if (error)
        return error;
    while (text->len > 0 && text->data[text->len - 1] == '\0') /* what a program has made of them can be shorter */
        text->len--;
    const char **words = calloc(text->len + 2, sizeof(*words));
    if (!words)
        return error_no_memory();
    size_t count = 0;
    const char *content = buffer_text(text);
    for (size_t at = 0; at < text->len; at += strlen(content + at) + 1)
        words[count++] = content + at;
    *ret = words;
    return NULL;
}

struct error *command_words_read(const struct process *process, bool with_arguments, struct buffer *out)
{
    cleanup_buffer struct buffer text = {0};
    cleanup_free const char **words = NULL;
    struct error *error = command_words_list(process, &text, &words);
    if (!error)
        command_words_append(out, words, with_arguments);
    return error;
}
