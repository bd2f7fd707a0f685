/* SPDX-License-Identifier: MIT */
#include "profile/process_dump.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct dump_text text(const char *bytes)
{
    return dump_text_copy(bytes, strlen(bytes));
}

/* Frames are given innermost first. */
static void add_thread(struct process_dump *dump, uint64_t os_id, const char *name, const char *const *frames,
                       uint32_t count)
{
    struct dump_thread *thread = &dump->threads[dump->thread_count++];
    *thread = (struct dump_thread){.os_id = os_id, .name = text(name), .frame_count = count};
    thread->frames = calloc(count, sizeof(*thread->frames));
    for (uint32_t i = 0; i < count; i++) {
        thread->frames[i].name = text(frames[i]);
        thread->frames[i].filename = text("/app/a.py");
        thread->frames[i].line = 1;
    }
}

static void fill(struct process_dump *dump)
{
    static const char *const first[] = {"wait", "serve", "main"};
    static const char *const second[] = {"work", "serve", "run", "serve", "boot"};
    *dump = (struct process_dump){.pid = 10, .threads = calloc(2, sizeof(struct dump_thread))};
    add_thread(dump, 10, "MainThread", first, array_size(first));
    add_thread(dump, 11, "other", second, array_size(second));
}

/* Filters the two threads, and compares what is left: one thread a line, "name: frame frame ". */
static void check(const struct filter_options *options, const char *expected)
{
    cleanup_process_dump struct process_dump dump = {0};
    cleanup_filter struct filter *filter = NULL;
    cleanup_buffer struct buffer left = {0};
    fill(&dump);
    assert_null(filter_create(options, &filter));
    assert_null(process_dump_filter(&dump, filter));
    for (uint32_t i = 0; i < dump.thread_count; i++) {
        buffer_format(&left, "%s: ", dump.threads[i].name.bytes);
        for (uint32_t j = 0; j < dump.threads[i].frame_count; j++)
            buffer_format(&left, "%s ", dump.threads[i].frames[j].name.bytes);
        buffer_append_char(&left, '\n');
    }
    assert_string_equal(buffer_text(&left), expected);
    assert_int_equal(dump.thread_count + dump.hidden_thread_count, 2);
}

static void without_options_all_is_shown(void **state)
{
    (void)state;
    check(&(struct filter_options){0}, "MainThread: wait serve main \nother: work serve run serve boot \n");
}

static void threads_are_chosen(void **state)
{
    (void)state;
    check(&(struct filter_options){.thread = "^oth"}, "other: work serve run serve boot \n");
    check(&(struct filter_options){.only_main_thread = true}, "MainThread: wait serve main \n");
    check(&(struct filter_options){.focus = "^work"}, "other: work serve run serve boot \n");
    check(&(struct filter_options){.ignore = "^work"}, "MainThread: wait serve main \n");
    check(&(struct filter_options){.focus = "^nothing"}, "");
}

static void frames_are_chosen(void **state)
{
    (void)state;
    check(&(struct filter_options){.hide = "^serve"}, "MainThread: wait main \nother: work run boot \n");
    check(&(struct filter_options){.show_from = "^run"}, "other: work serve run \n");
    /* From the outermost one on. */
    check(&(struct filter_options){.show_from = "^serve"}, "MainThread: wait serve \nother: work serve run serve \n");
}

static void a_thread_that_could_not_be_read_is_shown_unless_a_start_is_asked_for(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct filter_options options = {.show_from = i == 2 ? "^serve" : NULL};
        cleanup_process_dump struct process_dump dump = {.threads = calloc(1, sizeof(struct dump_thread))};
        cleanup_filter struct filter *filter = NULL;
        add_thread(&dump, 10, "MainThread", NULL, 0);
        dump.threads[0].failure = i == 0 ? NULL : "memory not mapped";
        assert_null(filter_create(&options, &filter));
        assert_null(process_dump_filter(&dump, filter));
        assert_int_equal(dump.thread_count, i == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_all_is_shown),
        cmocka_unit_test(threads_are_chosen),
        cmocka_unit_test(frames_are_chosen),
        cmocka_unit_test(a_thread_that_could_not_be_read_is_shown_unless_a_start_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
