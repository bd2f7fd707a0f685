/* SPDX-License-Identifier: MIT */
#include "profile/pattern.h"

#include "base/cleanup.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

enum {
    /* PCRE2 counts these anew from each place in the text, so that with the limits of a label even an expression that
     * is just below this everywhere comes to its end. What people write takes some hundreds. */
    MATCH_STEPS_LIMIT = 100000,
    JIT_STACK_START = 32 << 10,
    JIT_STACK_LIMIT = 1 << 20,
    MESSAGE_LEN_LIMIT = 256,
};

/* A text is not made of lines, so the dot stands for any character. Its end may be cut in the middle of one. */
static const uint32_t compile_options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_UCP | PCRE2_DOTALL;

struct pattern {
    char *expression;
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where there is no JIT */
    pcre2_match_data *data;
    uint64_t abandoned;
};

/* The characters among the first `len` bytes of a text that may not be UTF-8. */
static size_t count_characters(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static struct error *describe_mistake(const char *word, const char *text, int code, size_t offset)
{
    char message[MESSAGE_LEN_LIMIT];
    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message)) < 0)
        snprintf(message, sizeof(message), "error %d of PCRE2", code);
    size_t len = strlen(text);
    if (offset >= len)
        return error_create(ERROR_USAGE, "%s: '%s' is not a regular expression: %s (at its end)", word, text, message);
    return error_create(ERROR_USAGE, "%s: '%s' is not a regular expression: %s (at character %zu)", word, text, message,
                        count_characters(text, offset) + 1);
}

static struct error *compile(struct pattern *pattern, const char *word)
{
    int code;
    size_t offset;
    pattern->code =
        pcre2_compile((PCRE2_SPTR)pattern->expression, PCRE2_ZERO_TERMINATED, compile_options, &code, &offset, NULL);
    if (!pattern->code)
        return describe_mistake(word, pattern->expression, code, offset);
    /* Where no memory may be executable this fails, and the expression is interpreted. */
    pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    return NULL;
}

/* What a match needs and changes. */
static struct error *prepare_matches(struct pattern *pattern)
{
    pattern->context = pcre2_match_context_create(NULL);
    pattern->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_LIMIT, NULL);
    pattern->data = pcre2_match_data_create(1, NULL);
    if (!pattern->context || !pattern->data)
        return error_no_memory();
    pcre2_set_match_limit(pattern->context, MATCH_STEPS_LIMIT);
    if (pattern->stack)
        pcre2_jit_stack_assign(pattern->context, NULL, pattern->stack);
    return NULL;
}

struct error *pattern_create(const char *word, const char *expression, struct pattern **ret)
{
    cleanup_pattern struct pattern *pattern = calloc(1, sizeof(*pattern));
    if (!pattern)
        return error_no_memory();
    pattern->expression = strdup(expression);
    if (!pattern->expression)
        return error_no_memory();
    struct error *error = compile(pattern, word);
    if (!error)
        error = prepare_matches(pattern);
    if (!error)
        *ret = hand_over(&pattern);
    return error;
}

void pattern_destroy(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_data_free(pattern->data);
    pcre2_jit_stack_free(pattern->stack);
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    free(pattern->expression);
    free(pattern);
}

bool pattern_matches(struct pattern *pattern, const char *text, size_t len)
{
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, 0, pattern->data, pattern->context);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        pattern->abandoned++;
    return result >= 0;
}

const char *pattern_expression(const struct pattern *pattern)
{
    return pattern->expression;
}

uint64_t pattern_abandoned(const struct pattern *pattern)
{
    return pattern->abandoned;
}
