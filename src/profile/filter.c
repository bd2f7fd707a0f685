/* SPDX-License-Identifier: MIT */
#include "profile/filter.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/origin.h"
#include "profile/pattern.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <string.h>

enum {
    NUMBER_LEN_LIMIT = 24,
    LABEL_LEN_LIMIT = FILTER_NAME_LIMIT + FILTER_FILE_LIMIT + NUMBER_LEN_LIMIT + 32,
};

enum { FOCUS, IGNORE, SHOW_FROM, HIDE, THREAD, EXPRESSIONS };

static const char *const words[EXPRESSIONS] = {"focus", "ignore", "show-from", "hide", "thread"};

/*
 * A text to match, on the stack: what it takes from the program is cut at its limits. What PCRE2 compiled to machine
 * code looks at 16 bytes at a time, and so at those behind the text, which do not matter to it but should be set.
 */
struct label {
    size_t len;
    char text[LABEL_LEN_LIMIT];
};

struct filter {
    struct pattern *patterns[EXPRESSIONS]; /* NULL: not asked for */
    bool only_main_thread, hide_importlib, hide_stdlib;
};

void filter_destroy(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < EXPRESSIONS; i++)
        pattern_destroy(filter->patterns[i]);
    free(filter);
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
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        struct error *error = texts[i] ? pattern_create(words[i], texts[i], &filter->patterns[i]) : NULL;
        if (error)
            return error;
    }
    *ret = hand_over(&filter);
    return NULL;
}

/* False for an expression that is not there. */
static bool matches(const struct filter *filter, size_t expression, const struct label *label)
{
    struct pattern *pattern = filter->patterns[expression];
    return pattern && pattern_matches(pattern, label->text, label->len);
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
    if (!filter->patterns[THREAD])
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
    return filter->patterns[FOCUS];
}

bool filter_needs_start(const struct filter *filter)
{
    return filter->patterns[SHOW_FROM];
}

uint64_t filter_abandoned(const struct filter *filter)
{
    uint64_t count = 0;
    for (size_t i = 0; i < EXPRESSIONS; i++)
        count += filter->patterns[i] ? pattern_abandoned(filter->patterns[i]) : 0;
    return count;
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
        if (!filter->patterns[i])
            continue;
        append_separator(out, begin);
        buffer_format(out, "%s \"%s\"", words[i], pattern_expression(filter->patterns[i]));
    }
    describe_if(filter->only_main_thread, "main thread", out, begin);
    describe_if(filter->hide_stdlib, "without the standard library", out, begin);
    describe_if(filter->hide_importlib && !filter->hide_stdlib, "without the import system", out, begin);
}
