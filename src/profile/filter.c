/* SPDX-License-Identifier: MIT */
#include "profile/filter.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/origin.h"
#include "profile/profile.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <inttypes.h>
#include <string.h>

enum {
    /* PCRE2 counts these anew from each place in the text, so that with the label's limits even an expression that is
     * just below this everywhere comes to its end. What people write takes some hundreds. */
    MATCH_STEPS_LIMIT = 100000,
    JIT_STACK_START = 32 << 10,
    JIT_STACK_LIMIT = 1 << 20,
    MESSAGE_LEN_LIMIT = 256,
    NUMBER_LEN_LIMIT = 24,
    LABEL_LEN_LIMIT = FILTER_NAME_LIMIT + FILTER_FILE_LIMIT + NUMBER_LEN_LIMIT + 32,
};

/* A label is not made of lines, so the dot stands for any character. Its end may be cut in the middle of one. */
static const uint32_t compile_options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_UCP | PCRE2_DOTALL;

enum { FOCUS, IGNORE, SHOW_FROM, HIDE, THREAD, EXPRESSIONS };

static const char *const words[EXPRESSIONS] = {"focus", "ignore", "show-from", "hide", "thread"};

struct expression {
    char *text; /* NULL: not asked for */
    pcre2_code *code;
};

/* What a match needs and changes. */
struct matcher {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    pcre2_match_data *data;
    uint64_t abandoned;
};

/*
 * A text to match, on the stack: what it takes from the program is cut at its limits. What PCRE2 compiled to machine
 * code looks at 16 bytes at a time, and so at those behind the text, which do not matter to it but should be set.
 */
struct label {
    size_t len;
    char text[LABEL_LEN_LIMIT];
};

struct filter {
    struct expression expressions[EXPRESSIONS];
    bool only_main_thread, hide_importlib, hide_stdlib;
    struct matcher *matcher;
};

static void matcher_destroy(struct matcher *matcher)
{
    if (!matcher)
        return;
    pcre2_match_data_free(matcher->data);
    pcre2_jit_stack_free(matcher->stack);
    pcre2_match_context_free(matcher->context);
    free(matcher);
}

static struct matcher *matcher_create(void)
{
    struct matcher *matcher = calloc(1, sizeof(*matcher));
    if (!matcher)
        return NULL;
    matcher->context = pcre2_match_context_create(NULL);
    matcher->stack =
        pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_LIMIT, NULL); /* NULL also where there is no JIT */
    matcher->data = pcre2_match_data_create(1, NULL);
    if (!matcher->context || !matcher->data) {
        matcher_destroy(matcher);
        return NULL;
    }
    pcre2_set_match_limit(matcher->context, MATCH_STEPS_LIMIT);
    if (matcher->stack)
        pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher;
}

void filter_destroy(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        pcre2_code_free(filter->expressions[i].code);
        free(filter->expressions[i].text);
    }
    matcher_destroy(filter->matcher);
    free(filter);
}

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

static struct error *compile(struct expression *expression, const char *word, const char *text)
{
    if (!text)
        return NULL;
    int code;
    size_t offset;
    expression->text = strdup(text);
    if (!expression->text)
        return error_no_memory();
    expression->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, compile_options, &code, &offset, NULL);
    if (!expression->code)
        return describe_mistake(word, text, code, offset);
    /* Where no memory may be executable this fails, and the expression is interpreted. */
    pcre2_jit_compile(expression->code, PCRE2_JIT_COMPLETE);
    return NULL;
}

struct error *filter_create(const struct filter_options *options, struct filter **ret)
{
    const char *const texts[EXPRESSIONS] = {options->focus, options->ignore, options->show_from, options->hide,
                                            options->thread};
    cleanup_filter struct filter *filter = calloc(1, sizeof(*filter));
    if (!filter)
        return error_no_memory();
    filter->only_main_thread = options->only_main_thread;
    filter->hide_importlib = options->hide_importlib;
    filter->hide_stdlib = options->hide_stdlib;
    filter->matcher = matcher_create();
    if (!filter->matcher)
        return error_no_memory();
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        struct error *error = compile(&filter->expressions[i], words[i], texts[i]);
        if (error)
            return error;
    }
    *ret = hand_over(&filter);
    return NULL;
}

/* False for an expression that is not there. */
static bool matches(const struct filter *filter, size_t expression, const struct label *label)
{
    struct matcher *matcher = filter->matcher;
    const pcre2_code *code = filter->expressions[expression].code;
    if (!code)
        return false;
    int result = pcre2_match(code, (PCRE2_SPTR)label->text, label->len, 0, 0, matcher->data, matcher->context);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        matcher->abandoned++;
    return result >= 0;
}

static void append(struct label *label, const char *text, size_t len)
{
    memcpy(label->text + label->len, text, len);
    label->len += len;
}

static void append_beginning(struct label *label, const struct profile *profile, uint32_t string, size_t limit)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    append(label, text, len < limit ? len : limit);
}

bool filter_accepts_thread(const struct filter *filter, const struct profile *profile, uint32_t thread)
{
    struct label label = {0};
    char number[NUMBER_LEN_LIMIT] = "";
    uint32_t count;
    const struct profile_thread *seen = &profile_threads(profile, &count)[thread];
    if (filter->only_main_thread && !seen->is_main)
        return false;
    if (!filter->expressions[THREAD].code)
        return true;
    append_beginning(&label, profile, seen->name, FILTER_NAME_LIMIT);
    if (matches(filter, THREAD, &label))
        return true;
    uint64_t id = seen->os_id != 0 ? (uint64_t)seen->os_id : seen->id;
    if (id == 0)
        return false;
    label = (struct label){0};
    snprintf(number, sizeof(number), "%" PRIu64, id);
    append(&label, number, strlen(number));
    return matches(filter, THREAD, &label);
}

static void append_frame(struct label *label, const struct profile *profile, const struct profile_frame *frame)
{
    char line[NUMBER_LEN_LIMIT] = "";
    static const char kernel[] = " (kernel)";
    append_beginning(label, profile, frame->name, FILTER_NAME_LIMIT);
    if (frame->kind == FRAME_KERNEL)
        append(label, kernel, strlen(kernel));
    if (!profile_frame_has_file(profile, frame))
        return;
    append(label, " (", 2);
    append_beginning(label, profile, frame->file, FILTER_FILE_LIMIT);
    if (frame->line != 0)
        snprintf(line, sizeof(line), ":%" PRId32, frame->line);
    append(label, line, strlen(line));
    append(label, ")", 1);
}

static bool hides_origin(const struct filter *filter, const struct profile *profile, uint32_t frame)
{
    if (!filter->hide_importlib && !filter->hide_stdlib)
        return false;
    enum frame_origin origin = profile_frame_origin(profile, frame);
    return origin == ORIGIN_IMPORT || (filter->hide_stdlib && origin == ORIGIN_STDLIB);
}

struct filter_verdict filter_judge(const struct filter *filter, const struct profile *profile, uint32_t frame)
{
    struct label label = {0};
    const struct profile_frame *seen = profile_frame(profile, frame);
    if (seen->kind == FRAME_PROCESS || seen->kind == FRAME_THREAD)
        return (struct filter_verdict){0};
    append_frame(&label, profile, seen);
    bool is_hidden = hides_origin(filter, profile, frame) || matches(filter, HIDE, &label);
    return (struct filter_verdict){
        .is_focus = matches(filter, FOCUS, &label),
        .is_ignored = matches(filter, IGNORE, &label),
        .is_start = !is_hidden && matches(filter, SHOW_FROM, &label),
        .is_hidden = is_hidden,
    };
}

bool filter_needs_focus(const struct filter *filter)
{
    return filter->expressions[FOCUS].code;
}

bool filter_needs_start(const struct filter *filter)
{
    return filter->expressions[SHOW_FROM].code;
}

uint64_t filter_abandoned(const struct filter *filter)
{
    return filter->matcher->abandoned;
}

static void append_separator(struct buffer *out, size_t begin)
{
    if (out->len > begin)
        buffer_append_text(out, ", ");
}

static void describe_if(bool condition, const char *words_for_it, struct buffer *out, size_t begin)
{
    if (!condition)
        return;
    append_separator(out, begin);
    buffer_append_text(out, words_for_it);
}

void filter_describe(const struct filter *filter, struct buffer *out)
{
    size_t begin = out->len;
    if (!filter)
        return;
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        if (!filter->expressions[i].text)
            continue;
        append_separator(out, begin);
        buffer_format(out, "%s \"%s\"", words[i], filter->expressions[i].text);
    }
    describe_if(filter->only_main_thread, "main thread", out, begin);
    describe_if(filter->hide_stdlib, "without the standard library", out, begin);
    describe_if(filter->hide_importlib && !filter->hide_stdlib, "without the import system", out, begin);
}
