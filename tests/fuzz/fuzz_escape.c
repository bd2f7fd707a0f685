/* SPDX-License-Identifier: MIT */
/*
 * The sanitizers, on one text. What each gives has to be inert where it goes, and, for a text that is good by itself,
 * to mean that text.
 *
 * For: src/base/escape.c src/base/utf8.c
 * Options: -max_len=256
 */
#include "base/escape.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "texts.h"

/* Whether a text is UTF-8 with nothing in it that XML forbids. */
static bool is_good(const char *text, size_t len)
{
    for (const char *at = text; at < text + len;) {
        int32_t code = utf8_next(&at, text + len);
        if (code == 0xfffe || code == 0xffff || utf8_is_surrogate(code))
            return false;
        if (code < 0x20 && code != '\t' && code != '\n' && code != '\r')
            return false;
    }
    return true;
}

static void check_equal(const char *text, size_t len, const char *other, size_t other_len)
{
    check(len == other_len && (len == 0 || memcmp(text, other, len) == 0));
}

static void check_visible(const char *text, size_t len, struct buffer *shown)
{
    escape_visible(shown, text, len);
    texts_check(buffer_text(shown), shown->len, "");
    /* Nothing is left to be escaped. */
    cleanup_buffer struct buffer again = {0};
    escape_visible(&again, buffer_text(shown), shown->len);
    check_equal(shown->data, shown->len, again.data, again.len);
    size_t columns = utf8_text_columns(buffer_text(shown), shown->len);
    check(columns <= 2 * shown->len);
    size_t part = utf8_prefix(buffer_text(shown), shown->len, 3);
    texts_check(buffer_text(shown), part, "");
    part = utf8_suffix(buffer_text(shown), shown->len, 3);
    texts_check(buffer_text(shown) + shown->len - part, part, "");
}

/* What a reader of XML makes of it, as far as the writer can have written it. */
static void read_xml(const char *text, size_t len, struct buffer *ret)
{
    static const struct {
        const char *reference;
        char means;
    } references[] = {{"&lt;", '<'},   {"&gt;", '>'},   {"&amp;", '&'},  {"&quot;", '"'},
                      {"&#39;", '\''}, {"&#x9;", '\t'}, {"&#xa;", '\n'}, {"&#xd;", '\r'}};
    for (size_t i = 0; i < len;) {
        check(text[i] != '<' && text[i] != '>' && text[i] != '"' && text[i] != '\'');
        size_t reference = 0;
        while (text[i] == '&' &&
               strncmp(text + i, references[reference].reference, strlen(references[reference].reference)))
            check(++reference < array_size(references));
        buffer_append_char(ret, text[i] == '&' ? references[reference].means : text[i]);
        i += text[i] == '&' ? strlen(references[reference].reference) : 1;
    }
}

static void check_xml(const char *text, size_t len)
{
    cleanup_buffer struct buffer out = {0}, meant = {0};
    escape_xml(&out, text, len);
    const char *written = buffer_text(&out);
    uint32_t code;
    const uint8_t *end = (const uint8_t *)written + out.len;
    for (const uint8_t *at = (const uint8_t *)written; at < end; at += texts_character(at, end, &code))
        check(*at >= 0x20);
    read_xml(written, out.len, &meant);
    if (is_good(text, len))
        check_equal(meant.data, meant.len, text, len);
}

static void check_json(const char *text, size_t len)
{
    cleanup_buffer struct buffer out = {0};
    escape_json(&out, text, len);
    texts_check(buffer_text(&out), out.len, "");
    check(!memchr(out.data, '<', out.len) && !memchr(out.data, '>', out.len) && !memchr(out.data, '&', out.len));
    cleanup_free char *meant = malloc(out.len + 4);
    check(meant != NULL);
    size_t meant_len = 0;
    struct json json = {out.data, out.data + out.len, 0};
    json_string(&json, meant, &meant_len);
    check(json.at == json.end);
    if (is_good(text, len))
        check_equal(meant, meant_len, text, len);
}

static void check_collapsed(const char *text, size_t len)
{
    cleanup_buffer struct buffer out = {0};
    escape_collapsed(&out, text, len);
    texts_check(buffer_text(&out), out.len, "");
    check(out.len > 0 && !memchr(out.data, ';', out.len) && out.data[0] != '#');
    check(out.data[0] != ' ' && out.data[out.len - 1] != ' ');
    const char *space = memrchr(out.data, ' ', out.len);
    check(!space || strspn(space + 1, "0123456789") < strlen(space + 1));
    cleanup_buffer struct buffer again = {0};
    escape_collapsed(&again, out.data, out.len);
    check_equal(out.data, out.len, again.data, again.len);
}

/* POSIX 2017, Shell Command Language 2.2: quotes, as far as they can have been written. */
static void check_shell_word(const char *text, size_t len, const struct buffer *shown)
{
    cleanup_buffer struct buffer out = {0}, meant = {0};
    escape_shell_word(&out, text, len);
    texts_check(buffer_text(&out), out.len, "");
    bool is_quoted = false;
    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] == '\'')
            is_quoted = !is_quoted;
        else if (!is_quoted && out.data[i] == '\\')
            buffer_append_char(&meant, out.data[++i]);
        else
            buffer_append_char(&meant, out.data[i]);
        check(is_quoted || !out.data[i] || !strchr(" \t\n$`\"*?[]{}()<>|&;!#~=^", out.data[i]));
    }
    check(!is_quoted && out.len > 0 && out.data[0] != '-');
    size_t begin = shown->len > 0 && shown->data[0] == '-' ? 2 : 0;
    check_equal(buffer_text(&meant) + begin, meant.len - begin, shown->data, shown->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    cleanup_buffer struct buffer shown = {0};
    cleanup_free char *text = input_string(bytes, len);
    check_visible(text, len, &shown);
    check_xml(text, len);
    check_json(text, len);
    check_collapsed(text, len);
    check_shell_word(text, len, &shown);
    return 0;
}
