/* SPDX-License-Identifier: MIT */
#include "title.h"

#include "file_name.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* CPython Python/getopt.c: these short options take a value, which may be the next word. */
static bool takes_next_word(const char *word)
{
    return strcmp(word, "-W") == 0 || strcmp(word, "-X") == 0 || strcmp(word, "--check-hash-based-pycs") == 0;
}

/* Appends what a Python runs: the script's name, or -m and the module, or -c. */
static void append_script(struct buffer *buffer, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(*words, "-m") == 0 && words[1]) {
            buffer_format(buffer, " -m %s", words[1]);
            return;
        }
        if (strcmp(*words, "-c") == 0) {
            buffer_append_text(buffer, " -c");
            return;
        }
        if (strcmp(*words, "-") == 0) {
            buffer_append_text(buffer, " -");
            return;
        }
        if (takes_next_word(*words) && words[1]) {
            words++;
        } else if (**words != '-') {
            buffer_format(buffer, " %s", last_component(*words));
            return;
        }
    }
}

/*
 * A dynamic loader that is called by name says nothing of the program that it starts: its words begin behind the
 * loader's own. glibc 2.36 elf/rtld.c: these options have a value, the others none.
 */
static const char *const *skip_loader(const char *const *words)
{
    static const char *const with_value[] = {
        "--argv0", "--library-path",         "--preload",          "--inhibit-rpath",
        "--audit", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"};
    const char *const *word = words;
    if (!*word || strncmp(last_component(*word), "ld-linux", strlen("ld-linux")) != 0)
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

void title_append_short(struct buffer *buffer, const char *const *words)
{
    words = skip_loader(words);
    const char *program = words[0] ? last_component(words[0]) : "?";
    buffer_append_text(buffer, program);
    if (strncmp(program, "python", strlen("python")) == 0)
        append_script(buffer, words + 1);
}

void title_append_words(struct buffer *buffer, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        buffer_append_text(buffer, i > 0 ? " " : "");
        buffer_append_text(buffer, words[i]);
    }
}

void title_append_file_name(struct buffer *buffer, const char *name, const char *extension)
{
    for (const char *c = last_component(name); *c; c++)
        buffer_append_char(buffer, iscntrl((unsigned char)*c) ? '_' : *c);
    buffer_append_char(buffer, '-');
    file_name_append_time(buffer);
    buffer_append_text(buffer, extension);
}
