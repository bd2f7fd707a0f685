/* SPDX-License-Identifier: MIT */
#include "target/proc_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Numbers of fields as proc(5) counts them, from 1. */
    FIELD_STATE = 3,
    FIELD_START_TIME = 22,
    FIELD_CODE_START = 26,
    FIELD_CPU = 39,
    NUMBER_LEN_LIMIT = 24, /* characters */
};

/* Reads the number at the start of [at, end), which need not be followed by a NUL. */
static bool parse_number(const char *at, const char *end, int base, uint64_t *ret)
{
    char digits[NUMBER_LEN_LIMIT + 1];
    size_t len = 0;
    while (at + len < end && len < NUMBER_LEN_LIMIT && (isxdigit((unsigned char)at[len]) || at[len] == '-'))
        len++;
    memcpy(digits, at, len);
    digits[len] = '\0';
    char *stop;
    uint64_t number = strtoull(digits, &stop, base);
    if (stop == digits)
        return false;
    *ret = number;
    return true;
}

bool proc_stat_parse(const char *text, size_t len, struct proc_stat *ret)
{
    const char *end = text + len;
    const char *at = memrchr(text, ')', len);
    if (!at || end - at < 3 || at[1] != ' ' || !isalpha((unsigned char)at[2]))
        return false;
    struct proc_stat stat = {.state = at[2]};
    at += 2;
    for (int field = FIELD_STATE + 1; field <= FIELD_CPU; field++) {
        at = memchr(at, ' ', (size_t)(end - at));
        uint64_t number;
        if (!at || !parse_number(++at, end, 10, &number))
            return false;
        if (field == FIELD_START_TIME)
            stat.start_time = number;
        else if (field == FIELD_CODE_START)
            stat.code_start = number;
        else if (field == FIELD_CPU)
            stat.cpu = (int32_t)number;
    }
    *ret = stat;
    return true;
}

bool proc_status_number(const char *text, size_t len, const char *field, int base, uint64_t *ret)
{
    size_t field_len = strlen(field);
    const char *end = text + len;
    for (const char *line = text; line && line < end; line = memchr(line, '\n', (size_t)(end - line))) {
        if (*line == '\n' && ++line == end)
            break;
        size_t left = (size_t)(end - line);
        if (left <= field_len || memcmp(line, field, field_len) != 0 || line[field_len] != ':')
            continue;
        const char *at = line + field_len + 1;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        return parse_number(at, end, base, ret);
    }
    return false;
}
