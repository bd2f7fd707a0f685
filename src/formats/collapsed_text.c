/* SPDX-License-Identifier: MIT */
#include "collapsed_text.h"

#include "number.h"
#include "profile/native_file.h"

#include <string.h>

static const char kernel[] = "kernel";

/* The text, as far as it can still be read. */
struct cursor {
    const char *at;
    size_t left;
};

static void pass(struct cursor *cursor, size_t len)
{
    cursor->at += len;
    cursor->left -= len;
}

/* Passes a word if it comes next. */
static bool pass_word(struct cursor *cursor, const char *word)
{
    size_t len = strlen(word);
    if (cursor->left < len || memcmp(cursor->at, word, len) != 0)
        return false;
    pass(cursor, len);
    return true;
}

/* Passes a number that one of these characters or the end follows. */
static bool pass_number(struct cursor *cursor, const char *followers, unsigned base, uint64_t *ret)
{
    size_t len = 0;
    while (len < cursor->left && !strchr(followers, cursor->at[len]))
        len++;
    if (!number_parse(cursor->at, len, base, ret))
        return false;
    pass(cursor, len);
    return true;
}

/* The same for a number that fits into a signed one and is not 0. */
static bool pass_id(struct cursor *cursor, const char *followers, int64_t *ret)
{
    uint64_t number;
    if (!pass_number(cursor, followers, 10, &number) || number == 0 || number > INT64_MAX)
        return false;
    *ret = (int64_t)number;
    return true;
}

static struct text_piece rest_of(const struct cursor *cursor)
{
    return (struct text_piece){cursor->left > 0 ? cursor->at : NULL, cursor->left};
}

bool collapsed_split(const char *line, size_t len, size_t *ret_stack_len, uint64_t *ret_count)
{
    const char *space = memrchr(line, ' ', len);
    if (!space || space == line || !number_parse(space + 1, len - (size_t)(space + 1 - line), 10, ret_count))
        return false;
    *ret_stack_len = (size_t)(space - line);
    return true;
}

static bool ends_in_py(const char *text, size_t len)
{
    return len > 3 && memcmp(text + len - 3, ".py", 3) == 0;
}

static bool is_native(const char *text, size_t len)
{
    return native_file_is_library(text, len) || native_file_is_source(text, len);
}

static bool is_path(const char *text, size_t len)
{
    return len > 0 && (text[0] == '<' || memchr(text, '/', len) || ends_in_py(text, len) || is_native(text, len));
}

/* Cuts ":12" off a text. False, and nothing is cut, when it does not end so. */
static bool cut_line(struct text_piece *piece, int32_t *ret)
{
    uint64_t line;
    const char *colon = memrchr(piece->text, ':', piece->len);
    if (!colon || !number_parse(colon + 1, piece->len - (size_t)(colon + 1 - piece->text), 10, &line) ||
        line > INT32_MAX)
        return false;
    piece->len = (size_t)(colon - piece->text);
    *ret = (int32_t)line;
    return true;
}

/* Where the parenthesis opens that the last character closes; NULL when there is none with a name and a space before.
 */
static const char *find_opening(const char *text, size_t len)
{
    size_t open = 0;
    if (len == 0 || text[len - 1] != ')')
        return NULL;
    for (size_t i = len; i-- > 2;) {
        open += text[i] == ')';
        open -= text[i] == '(' && open > 0;
        if (open == 0)
            return text[i - 1] == ' ' ? &text[i] : NULL;
    }
    return NULL;
}

/* "name (file:line)", "name (kernel)" */
static bool read_place_behind(const char *text, size_t len, struct collapsed_frame *ret)
{
    const char *opening = find_opening(text, len);
    if (!opening)
        return false;
    struct collapsed_frame frame = {
        .name = {text, (size_t)(opening - 1 - text)},
        .file = {opening + 1, len - (size_t)(opening + 1 - text) - 1},
    };
    if (frame.file.len == strlen(kernel) && memcmp(frame.file.text, kernel, strlen(kernel)) == 0) {
        *ret = (struct collapsed_frame){.kind = FRAME_KERNEL, .name = frame.name};
        return true;
    }
    bool has_line = cut_line(&frame.file, &frame.line);
    if (frame.file.len == 0 || (!has_line && !is_path(frame.file.text, frame.file.len)))
        return false;
    frame.kind = is_native(frame.file.text, frame.file.len) ? FRAME_NATIVE : FRAME_PYTHON;
    *ret = frame;
    return true;
}

/* "file.py:name:line", as Austin 3 and CPython 3.15's profiling.sampling write them */
static bool read_place_around(const char *text, size_t len, struct collapsed_frame *ret)
{
    struct collapsed_frame frame = {.file = {text, len}};
    if (!cut_line(&frame.file, &frame.line))
        return false;
    const char *colon = memrchr(text, ':', frame.file.len);
    if (!colon)
        return false;
    frame.name = (struct text_piece){colon + 1, frame.file.len - (size_t)(colon + 1 - text)};
    frame.file.len = (size_t)(colon - text);
    bool is_python = text[0] == '/' || text[0] == '<' || ends_in_py(text, frame.file.len);
    if (!is_python || frame.file.len == 0 || frame.name.len == 0)
        return false;
    *ret = frame;
    return true;
}

struct collapsed_frame collapsed_read_frame(const char *text, size_t len)
{
    struct collapsed_frame frame;
    if (read_place_behind(text, len, &frame) || read_place_around(text, len, &frame))
        return frame;
    return (struct collapsed_frame){.name = {text, len}};
}

bool collapsed_read_process(const char *text, size_t len, struct collapsed_process *ret)
{
    struct cursor cursor = {text, len};
    int64_t pid;
    /* The underscore is what escape_collapsed() makes of a space before a last number. */
    if (!pass_word(&cursor, "process ") && !pass_word(&cursor, "process_"))
        return false;
    if (!pass_id(&cursor, ":", &pid))
        return false;
    if (pass_word(&cursor, ":\"")) /* py-spy */
        cursor.left -= cursor.left > 0 && cursor.at[cursor.left - 1] == '"';
    else if (!pass_word(&cursor, ": ") && cursor.left > 0)
        return false;
    *ret = (struct collapsed_process){.pid = pid, .command = rest_of(&cursor)};
    return true;
}

/* "(12)" or "(0x7f12)" */
static bool pass_thread_number(struct cursor *cursor, struct collapsed_thread *ret)
{
    if (!pass_word(cursor, "("))
        return false;
    bool is_ident = pass_word(cursor, "0x") || pass_word(cursor, "0X");
    bool is_known = is_ident ? pass_number(cursor, ")", 16, &ret->id) : pass_id(cursor, ")", &ret->os_id);
    return is_known && pass_word(cursor, ")");
}

bool collapsed_read_thread(const char *text, size_t len, struct collapsed_thread *ret)
{
    struct cursor cursor = {text, len};
    struct collapsed_thread thread = {0};
    bool has_number = pass_word(&cursor, "tid:");
    if (has_number && !pass_id(&cursor, "", &thread.os_id))
        return false;
    if (!has_number && !pass_word(&cursor, "thread"))
        return false;
    if (!has_number && pass_word(&cursor, " ")) {
        has_number = pass_thread_number(&cursor, &thread);
        if (!has_number)
            return false;
    }
    bool has_name = pass_word(&cursor, ": ");
    if (has_name)
        thread.name = rest_of(&cursor);
    if (!has_name && (!has_number || cursor.left > 0))
        return false;
    *ret = thread;
    return true;
}

bool collapsed_read_short_process(const char *text, size_t len, struct collapsed_process *ret)
{
    struct cursor cursor = {text, len};
    struct collapsed_process process = {0};
    if (!pass_word(&cursor, "P") || !pass_id(&cursor, "", &process.pid))
        return false;
    *ret = process;
    return true;
}

bool collapsed_read_short_thread(const char *text, size_t len, struct collapsed_thread *ret)
{
    struct cursor cursor = {text, len};
    struct collapsed_thread thread = {0};
    uint64_t interpreter;
    if (!pass_word(&cursor, "T"))
        return false;
    struct cursor number = cursor;
    if (pass_number(&cursor, ":", 10, &interpreter) && pass_word(&cursor, ":"))
        number = cursor;
    if (!pass_id(&number, "", &thread.os_id))
        return false;
    *ret = thread;
    return true;
}

bool collapsed_is_austins(const char *stack, size_t len)
{
    struct collapsed_process process;
    struct collapsed_thread thread;
    const char *end = stack + len;
    const char *first = memchr(stack, ';', len);
    if (!first || !collapsed_read_short_process(stack, (size_t)(first - stack), &process))
        return false;
    const char *second = memchr(first + 1, ';', (size_t)(end - first - 1));
    return collapsed_read_short_thread(first + 1, (size_t)((second ? second : end) - first - 1), &thread);
}
