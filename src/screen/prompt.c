/* SPDX-License-Identifier: MIT */
#include "prompt.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "terminal.h"

#include <string.h>

enum { CTRL_U = 'U' & 0x1f, CTRL_H = 'H' & 0x1f, DELETE = 0x7f, ESCAPE = 033 };

void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *question, const char *text, size_t limit)
{
    *prompt = (struct prompt){.kind = kind, .is_line = text, .limit = limit < PROMPT_SIZE ? limit : PROMPT_SIZE};
    snprintf(prompt->question, sizeof(prompt->question), "%s", question);
    if (text)
        snprintf(prompt->text, prompt->limit, "%s", text);
}

/* A character in UTF-8. Returns its length. */
static size_t encode(unsigned code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(first[len] | code);
    return len;
}

static enum prompt_outcome add(struct prompt *prompt, unsigned code)
{
    char bytes[4];
    size_t len = strlen(prompt->text), added;
    if (code < ' ' || code == DELETE || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return PROMPT_IGNORED;
    added = encode(code, bytes);
    if (len + added >= prompt->limit)
        return PROMPT_IGNORED;
    memcpy(prompt->text + len, bytes, added);
    prompt->text[len + added] = '\0';
    return PROMPT_CHANGED;
}

static enum prompt_outcome remove_last(struct prompt *prompt)
{
    size_t len = strlen(prompt->text);
    while (len > 0 && ((unsigned char)prompt->text[len - 1] & 0xc0) == 0x80)
        len--;
    prompt->text[len > 0 ? len - 1 : 0] = '\0';
    return PROMPT_CHANGED;
}

enum prompt_outcome prompt_take_key(struct prompt *prompt, unsigned key, bool is_code)
{
    if (is_code) {
        if (key == KEY_BACKSPACE || key == KEY_DC)
            return remove_last(prompt);
        return key == KEY_ENTER ? PROMPT_ACCEPTED : PROMPT_IGNORED;
    }
    switch (key) {
    case ESCAPE:
        return PROMPT_CANCELLED;
    case '\r':
    case '\n':
        return PROMPT_ACCEPTED;
    case DELETE:
    case CTRL_H:
        return remove_last(prompt);
    case CTRL_U:
        prompt->text[0] = '\0';
        return PROMPT_CHANGED;
    default:
        return add(prompt, key);
    }
}

void prompt_draw(const struct prompt *prompt, const struct terminal *terminal)
{
    cleanup_buffer struct buffer shown = {0};
    int room = COLS - 1;
    int taken = terminal_put(terminal, LINES - 1, 0, prompt->is_line && room > 24 ? room - 12 : room, prompt->question);
    if (!prompt->is_line)
        return;
    /* What was typed may be a file's name, which is anybody's. */
    escape_visible(&shown, prompt->text, strlen(prompt->text));
    taken += terminal_put_end(terminal, LINES - 1, taken, room - taken - 1, buffer_text(&shown));
    attrset(A_REVERSE);
    mvaddch(LINES - 1, taken, ' ');
    attrset(A_NORMAL);
}
