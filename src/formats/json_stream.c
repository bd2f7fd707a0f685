/* SPDX-License-Identifier: MIT */
#include "json_stream.h"

#include "base/escape.h"
#include "caption.h"
#include "profile/profile.h"

#include <string.h>

enum {
    DIGITS = 20,         /* of the greatest number */
    SHORT_COLUMNS = 200, /* of a string that is not written whole */
};

void json_stream_deinit(struct json_stream *json)
{
    buffer_deinit(&json->text);
}

void json_raw(struct json_stream *json, const char *text)
{
    fwrite_unlocked(text, 1, strlen(text), json->out);
}

/* Writes the digits, at least `least` of them, to the end of a place for DIGITS; returns how many. */
static size_t format_digits(char *place, uint64_t number, size_t least)
{
    size_t count = 0;
    while (number > 0 || count < least) {
        place[DIGITS - ++count] = (char)('0' + number % 10);
        number /= 10;
    }
    return count;
}

void json_number(struct json_stream *json, uint64_t number)
{
    char place[DIGITS];
    size_t count = format_digits(place, number, 1);
    fwrite_unlocked(place + DIGITS - count, 1, count, json->out);
}

void json_signed(struct json_stream *json, int64_t number)
{
    if (number < 0)
        json_raw(json, "-");
    json_number(json, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_decimal(struct json_stream *json, uint64_t number, unsigned decimals)
{
    char place[DIGITS];
    uint64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    json_number(json, number / unit);
    size_t count = format_digits(place, number % unit, decimals);
    const char *digits = place + DIGITS - count;
    while (count > 0 && digits[count - 1] == '0')
        count--;
    if (count == 0)
        return;
    fputc_unlocked('.', json->out);
    fwrite_unlocked(digits, 1, count, json->out);
}

void json_string(struct json_stream *json, const char *text, size_t len)
{
    buffer_clear(&json->text);
    escape_json(&json->text, text, len);
    fwrite_unlocked(buffer_text(&json->text), 1, json->text.len, json->out);
}

void json_profile_string(struct json_stream *json, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    if (string == PROFILE_NONE)
        json_raw(json, "null");
    else
        json_string(json, text, len);
}

void json_name(struct json_stream *json, const struct profile *profile, uint32_t string)
{
    size_t len;
    profile_string(profile, string, &len);
    if (len == 0)
        json_raw(json, "\"(no name)\"");
    else
        json_profile_string(json, profile, string);
}

void json_short_string(struct json_stream *json, const struct profile *profile, uint32_t string)
{
    size_t len;
    cleanup_buffer struct buffer cut = {0};
    const char *text = profile_string(profile, string, &len);
    caption_cut(&cut, text, len, SHORT_COLUMNS);
    json_string(json, buffer_text(&cut), cut.len);
    json->text.failed |= cut.failed;
}
