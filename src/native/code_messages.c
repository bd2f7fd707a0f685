/* SPDX-License-Identifier: MIT */
#include "code_messages.h"

#include <string.h>

/* An answer, while it is read from front to end. */
struct answer_text {
    const char *at, *end;
    bool is_bad;
};

static void take(struct answer_text *text, void *ret, size_t len)
{
    text->is_bad = text->is_bad || (size_t)(text->end - text->at) < len;
    if (text->is_bad)
        return;
    memcpy(ret, text->at, len);
    text->at += len;
}

static const char *take_text(struct answer_text *text)
{
    const char *taken = text->at;
    const char *end = text->is_bad ? NULL : memchr(taken, '\0', (size_t)(text->end - taken));
    text->is_bad = !end;
    if (!end)
        return "";
    text->at = end + 1;
    return taken;
}

static void take_place(struct answer_text *text, struct code_place *ret)
{
    char is_of_cython = 0;
    take(text, &ret->line, sizeof(ret->line));
    take(text, &is_of_cython, sizeof(is_of_cython));
    ret->is_of_cython = is_of_cython != 0;
    ret->name = take_text(text);
    ret->file = take_text(text);
}

bool code_answer_read(const char *bytes, size_t len, struct code_description *ret)
{
    struct code_answer head = {0};
    struct code_description description = {0};
    struct answer_text text = {.at = bytes, .end = bytes + len};
    take(&text, &head, sizeof(head));
    if (text.is_bad || head.count == 0 || head.count > DEBUG_PLACE_LIMIT)
        return false;
    description.function = (struct image_range){.address = head.start, .len = head.len};
    description.is_found = head.is_found != 0;
    description.count = head.count;
    description.symbol = take_text(&text);
    description.folder = take_text(&text);
    for (uint32_t i = 0; i < head.count; i++)
        take_place(&text, &description.places[i]);
    if (text.is_bad)
        return false;
    *ret = description;
    return true;
}
