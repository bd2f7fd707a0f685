/* SPDX-License-Identifier: MIT */
#include "title.h"

#include "file_name.h"

#include "base/buffer.h"
#include "target/command_words.h"

#include <ctype.h>
#include <string.h>

void title_append_short(struct buffer *buffer, const char *const *words)
{
    words = command_words_program(words);
    buffer_append_text(buffer, words[0] ? command_words_last_component(words[0]) : "?");
    if (words[0] && command_words_are_python(words[0]))
        command_words_append_script(buffer, words + 1);
}

void title_append_file_name(struct buffer *buffer, const char *name, const char *extension)
{
    for (const char *c = command_words_last_component(name); *c; c++)
        buffer_append_char(buffer, iscntrl((unsigned char)*c) ? '_' : *c);
    buffer_append_char(buffer, '-');
    file_name_append_time(buffer);
    buffer_append_text(buffer, extension);
}
