/* SPDX-License-Identifier: MIT */
/*
 * Strict readers for what is written: UTF-8 without characters that do something, and JSON (RFC 8259). They are simple,
 * and know nothing of how it was written.
 */
#ifndef TESTS_FUZZ_TEXTS_H
#define TESTS_FUZZ_TEXTS_H

#include "input.h"

enum { TEXTS_DEPTH_LIMIT = 128 };

/* The length of the character that a text begins with (RFC 3629, section 4), which has to be a good one; its code. */
static inline size_t texts_character(const uint8_t *at, const uint8_t *end, uint32_t *ret_code)
{
    static const uint32_t first_codes[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    check((*at < 0x80 || *at >= 0xc2) && *at < 0xf5 && (size_t)(end - at) >= len);
    uint32_t code = len == 1 ? *at : *at & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        check((at[i] & 0xc0) == 0x80);
        code = code << 6 | (at[i] & 0x3f);
    }
    check(code >= first_codes[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
    *ret_code = code;
    return len;
}

/* Checks a whole text: UTF-8, and no control characters but those of `allowed`. */
static inline void texts_check(const char *text, size_t len, const char *allowed)
{
    const uint8_t *end = (const uint8_t *)text + len;
    uint32_t code;
    for (const uint8_t *at = (const uint8_t *)text; at < end; at += texts_character(at, end, &code)) {
        texts_character(at, end, &code);
        bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        check(!is_control || (code > 0 && code < 0x20 && strchr(allowed, (int)code)));
    }
}

struct json {
    const char *at;
    const char *end;
    unsigned depth;
};

static inline char json_peek(const struct json *json)
{
    return json->at < json->end ? *json->at : '\0';
}

static inline void json_skip_space(struct json *json)
{
    while (json->at < json->end && strchr(" \t\r\n", *json->at) && *json->at)
        json->at++;
}

static inline void json_expect(struct json *json, const char *word)
{
    size_t len = strlen(word);
    check((size_t)(json->end - json->at) >= len && memcmp(json->at, word, len) == 0);
    json->at += len;
}

static inline size_t json_digits(struct json *json)
{
    const char *begin = json->at;
    while (json_peek(json) >= '0' && json_peek(json) <= '9')
        json->at++;
    return (size_t)(json->at - begin);
}

static inline void json_number(struct json *json)
{
    if (json_peek(json) == '-')
        json->at++;
    bool is_zero = json_peek(json) == '0';
    size_t digits = json_digits(json);
    check(digits > 0 && (!is_zero || digits == 1));
    if (json_peek(json) == '.') {
        json->at++;
        check(json_digits(json) > 0);
    }
    if (json_peek(json) == 'e' || json_peek(json) == 'E') {
        json->at++;
        if (json_peek(json) == '+' || json_peek(json) == '-')
            json->at++;
        check(json_digits(json) > 0);
    }
}

/* A string; what it means is appended to out, unless that is NULL, as UTF-8 without surrogates. */
static inline void json_string(struct json *json, char *out, size_t *out_len)
{
    json_expect(json, "\"");
    while (json_peek(json) != '"') {
        check(json->at < json->end && (unsigned char)*json->at >= 0x20);
        uint32_t code = (unsigned char)*json->at++;
        bool is_escape = code == '\\';
        if (is_escape) {
            code = (unsigned char)json_peek(json);
            check(json->at < json->end && strchr("\"\\/bfnrtu", (int)code) && code);
            json->at++;
        }
        if (is_escape && code == 'u') {
            code = 0;
            for (int i = 0; i < 4; i++, json->at++) {
                char digit = json_peek(json);
                check(digit && strchr("0123456789abcdefABCDEF", digit));
                code = code << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit & 0xdf) - 'A' + 10);
            }
            check(code < 0xd800 || code > 0xdfff);
            if (out && code >= 0x800)
                out[(*out_len)++] = (char)(0xe0 | code >> 12);
            if (out && code >= 0x80)
                out[(*out_len)++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f) : 0xc0 | code >> 6);
            code = code < 0x80 ? code : 0x80 | (code & 0x3f);
        }
        if (out)
            out[(*out_len)++] = (char)code;
    }
    json->at++;
}

static inline void json_value(struct json *json);

static inline void json_list(struct json *json, const char *begin, const char *end, bool has_names)
{
    json_expect(json, begin);
    json_skip_space(json);
    while (json_peek(json) != *end) {
        if (has_names) {
            json_skip_space(json);
            json_string(json, NULL, NULL);
            json_skip_space(json);
            json_expect(json, ":");
        }
        json_value(json);
        if (json_peek(json) == *end)
            break;
        json_expect(json, ",");
        json_skip_space(json);
        check(json_peek(json) != *end);
    }
    json->at++;
}

static inline void json_value(struct json *json)
{
    check(json->depth++ < TEXTS_DEPTH_LIMIT);
    json_skip_space(json);
    switch (json_peek(json)) {
    case '{':
        json_list(json, "{", "}", true);
        break;
    case '[':
        json_list(json, "[", "]", false);
        break;
    case '"':
        json_string(json, NULL, NULL);
        break;
    case 't':
        json_expect(json, "true");
        break;
    case 'f':
        json_expect(json, "false");
        break;
    case 'n':
        json_expect(json, "null");
        break;
    default:
        json_number(json);
    }
    json_skip_space(json);
    json->depth--;
}

/* Values, one behind the other; returns how many. */
static inline size_t json_check(const char *text, size_t len)
{
    struct json json = {text, text + len, 0};
    size_t count = 0;
    for (json_skip_space(&json); json.at < json.end; count++)
        json_value(&json);
    return count;
}

#endif
