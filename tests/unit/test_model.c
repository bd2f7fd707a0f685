/* SPDX-License-Identifier: MIT */
#include "screen/model.h"

#include "base/cleanup.h"
#include "profile/filter.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile_builder.h"
#include "screen/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL_NS = 10000000, SECOND_NS = 1000000000 };

/* A recording that is written by hand: main calls work and wait; work calls leaf in two lines, and itself once. */
struct source {
    struct profile *profile;
    struct feed *feed;
    struct model *model;
    uint32_t threads[2];
    uint32_t work, leaf_two, leaf_three, again, wait;
};

static uint32_t add(struct profile *profile, uint32_t parent, const char *name, int32_t line, int32_t first_line)
{
    struct profile_frame frame = *profile_frame(profile, build_frame(profile, name, "/app/a.py", line));
    frame.first_line = first_line;
    return profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

static uint32_t add_thread(struct profile *profile, int64_t os_id, const char *name)
{
    const struct profile_thread thread = {
        .os_id = os_id, .name = profile_intern(profile, name, strlen(name)), .is_main = os_id == 10};
    return profile_add_thread(profile, &thread);
}

static void build(struct source *source, const struct filter *filter)
{
    struct profile *profile;
    assert_null(profile_create("app", "python app.py", &profile));
    source->profile = profile;
    profile_info(profile)->interval_ns = INTERVAL_NS;
    const struct profile_process process = {
        .pid = 10, .command_line = profile_intern(profile, "app.py", 6), .python_version = PROFILE_NONE};
    profile_add_process(profile, &process);
    source->threads[0] = add_thread(profile, 10, "MainThread");
    source->threads[1] = add_thread(profile, 11, "other");
    uint32_t main_node = add(profile, PROFILE_ROOT, "main", 1, 1);
    source->work = add(profile, main_node, "work", 10, 9);
    source->leaf_two = add(profile, source->work, "leaf", 2, 1);
    source->leaf_three = add(profile, source->work, "leaf", 3, 1);
    source->again = add(profile, source->work, "work", 11, 9);
    source->wait = add(profile, main_node, "wait", 20, 20);
    assert_null(feed_create(UINT64_C(60) * SECOND_NS, &source->feed));
    assert_null(model_create(source->feed, filter, &source->model));
}

static void demolish(struct source *source)
{
    model_destroy(source->model);
    feed_destroy(source->feed);
    profile_destroy(source->profile);
}

/* Hands samples over that were taken in a second, of which each is one interval. */
static void pass_second(const struct source *source, const struct sample *samples, uint32_t count)
{
    struct profile_info *info = profile_info(source->profile);
    info->duration_ns += SECOND_NS;
    info->cpu_ns += SECOND_NS / 2;
    info->intervals.ok += 90;
    info->intervals.idle += 6;
    info->intervals.torn += 4;
    info->gil_held += 30;
    info->gil_waits += 160; /* of more threads than one */
    feed_taker.gather(source->feed, source->profile);
    assert_null(feed_taker.take(source->feed, samples, count));
}

static struct sample sample_of(const struct source *source, int thread, uint32_t node, uint32_t weight, uint32_t states)
{
    return (struct sample){.time_ns = profile_get_info(source->profile)->duration_ns + 1,
                           .thread = source->threads[thread],
                           .node = node,
                           .weight = weight,
                           .states = states};
}

/* One second: 30 + 20 in two lines of leaf, 10 in work called by work; the other thread sleeps. */
static void pass_usual_second(const struct source *source)
{
    const struct sample samples[] = {
        sample_of(source, 0, source->leaf_two, 30, SAMPLE_ACTIVE | SAMPLE_HAS_GIL),
        sample_of(source, 0, source->leaf_three, 20, SAMPLE_ACTIVE),
        sample_of(source, 0, source->again, 10, SAMPLE_ACTIVE | SAMPLE_GIL_WAIT),
        sample_of(source, 1, source->wait, 100, 0),
    };
    pass_second(source, samples, array_size(samples));
    assert_null(model_update(source->model, false));
}

/* The rows, one a line: depth, name, place, and samples own and total since the beginning and in the last step. */
static void check_rows(const struct source *source, const struct model_settings *settings, const char *expected)
{
    cleanup_buffer struct buffer text = {0};
    uint32_t count;
    assert_null(model_list(source->model, settings));
    const struct model_row *rows = model_rows(source->model, &count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_format(&text, "%*s%s", (int)(2 * rows[i].depth), "",
                      !rows[i].has_children ? "" : (rows[i].is_open ? "- " : "+ "));
        model_append_name(source->model, &rows[i], &text);
        buffer_append_char(&text, ' ');
        model_append_place(source->model, &rows[i], false, &text);
        buffer_format(&text, " %d/%d %d/%d\n", (int)rows[i].own_all, (int)rows[i].total_all, (int)rows[i].own_now,
                      (int)rows[i].total_now);
    }
    assert_string_equal(buffer_text(&text), expected);
}

static const struct model_settings by_own_time = {.column = MODEL_OWN_TIME};

static void counts_functions(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 50/50 50/50\n"
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n");
    pass_usual_second(&source);
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 100/100 50/50\n"
               "work /app/a.py:9 20/120 10/60\n"
               "main /app/a.py:1 0/120 0/60\n");
    demolish(&source);
}

/* What one thread does all the time is 100 %, however many processes there are. */
static void shares_are_of_time_and_not_of_processes(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    profile_add_process(source.profile, &(struct profile_process){.pid = 20, .command_line = PROFILE_NONE});
    profile_info(source.profile)->intervals.ok += 50; /* of the other process, in the same second */
    profile_info(source.profile)->intervals.idle += 50;
    pass_usual_second(&source);
    struct model_load load = model_load(source.model);
    assert_int_equal((int)(100 * load.active + 0.5), 60);
    assert_int_equal((int)(100 * load.nobody + 0.5), 28); /* 56 of 200 */
    assert_int_equal((int)(100 * load.lost + 0.5), 2);
    assert_int_equal((int)(model_percent(source.model, 50) + 0.5), 50);
    demolish(&source);
}

static void counts_lines(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    const struct model_settings settings = {.column = MODEL_OWN_TIME, .by_line = true};
    check_rows(&source, &settings,
               "leaf /app/a.py:2 30/30 30/30\n"
               "leaf /app/a.py:3 20/20 20/20\n"
               "work /app/a.py:11 10/10 10/10\n"
               "main /app/a.py:1 0/60 0/60\n"
               "work /app/a.py:10 0/60 0/60\n");
    demolish(&source);
}

static void sorts_by_any_column(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    struct model_settings settings = {.column = MODEL_TOTAL_TIME};
    check_rows(&source, &settings,
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n"
               "leaf /app/a.py:1 50/50 50/50\n");
    settings.column = MODEL_NAME;
    settings.is_reversed = true;
    check_rows(&source, &settings,
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n"
               "leaf /app/a.py:1 50/50 50/50\n");
    settings.is_reversed = false;
    check_rows(&source, &settings,
               "leaf /app/a.py:1 50/50 50/50\n"
               "main /app/a.py:1 0/60 0/60\n"
               "work /app/a.py:9 10/60 10/60\n");
    demolish(&source);
}

static void selects_by_state(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    struct model_settings settings = {.column = MODEL_OWN_TIME, .with_idle = true};
    check_rows(&source, &settings,
               "wait /app/a.py:20 100/100 100/100\n"
               "leaf /app/a.py:1 50/50 50/50\n"
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/160 0/160\n");
    settings.only_gil = true;
    check_rows(&source, &settings,
               "leaf /app/a.py:1 30/30 30/30\n"
               "main /app/a.py:1 0/30 0/30\n"
               "work /app/a.py:9 0/30 0/30\n");
    demolish(&source);
}

static void keeps_threads_apart(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    struct model_settings settings = {.column = MODEL_TOTAL_TIME, .with_idle = true, .grouping = MODEL_THREADS};
    check_rows(&source, &settings,
               "- thread 11 other  0/100 0/100\n"
               "  wait /app/a.py:20 100/100 100/100\n"
               "  main /app/a.py:1 0/100 0/100\n"
               "- thread 10 MainThread  0/60 0/60\n"
               "  work /app/a.py:9 10/60 10/60\n"
               "  main /app/a.py:1 0/60 0/60\n"
               "  leaf /app/a.py:1 50/50 50/50\n");
    settings.grouping = MODEL_PROCESSES;
    settings.with_idle = false;
    check_rows(&source, &settings,
               "- process 10 app.py  0/60 0/60\n"
               "  work /app/a.py:9 10/60 10/60\n"
               "  main /app/a.py:1 0/60 0/60\n"
               "  leaf /app/a.py:1 50/50 50/50\n");
    demolish(&source);
}

static void unfolds_trees(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    build(&source, NULL);
    pass_usual_second(&source);
    const struct model_settings settings = {.column = MODEL_TOTAL_TIME, .view = MODEL_TREE};
    check_rows(&source, &settings,
               "- main /app/a.py:1 0/60 0/60\n"
               "  - work /app/a.py:9 0/60 0/60\n"
               "    leaf /app/a.py:1 50/50 50/50\n"
               "    work /app/a.py:9 10/10 10/10\n");
    model_open(source.model, &model_rows(source.model, &count)[1], false);
    check_rows(&source, &settings,
               "- main /app/a.py:1 0/60 0/60\n"
               "  + work /app/a.py:9 0/60 0/60\n");
    pass_usual_second(&source);
    check_rows(&source, &settings,
               "- main /app/a.py:1 0/120 0/60\n"
               "  + work /app/a.py:9 0/120 0/60\n");
    demolish(&source);
}

static void unfolds_callers(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    build(&source, NULL);
    pass_usual_second(&source);
    const struct model_settings settings = {.column = MODEL_OWN_TIME, .view = MODEL_CALLERS};
    check_rows(&source, &settings,
               "+ leaf /app/a.py:1 50/50 50/50\n"
               "+ work /app/a.py:9 10/10 10/10\n");
    model_open(source.model, &model_rows(source.model, &count)[1], true);
    check_rows(&source, &settings,
               "+ leaf /app/a.py:1 50/50 50/50\n"
               "- work /app/a.py:9 10/10 10/10\n"
               "  + work /app/a.py:9 10/10 10/10\n");
    model_open(source.model, &model_rows(source.model, &count)[2], true);
    check_rows(&source, &settings,
               "+ leaf /app/a.py:1 50/50 50/50\n"
               "- work /app/a.py:9 10/10 10/10\n"
               "  - work /app/a.py:9 10/10 10/10\n"
               "    main /app/a.py:1 10/10 10/10\n");
    demolish(&source);
}

static void filters_rows_by_text(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    struct model_settings settings = {.column = MODEL_OWN_TIME, .filter = "LEAF"};
    check_rows(&source, &settings, "leaf /app/a.py:1 50/50 50/50\n");
    settings.view = MODEL_TREE;
    check_rows(&source, &settings,
               "- main /app/a.py:1 0/60 0/60\n"
               "  - work /app/a.py:9 0/60 0/60\n"
               "    leaf /app/a.py:1 50/50 50/50\n");
    snprintf(settings.filter, sizeof(settings.filter), "nothing");
    check_rows(&source, &settings, "");
    demolish(&source);
}

static void shows_what_a_filter_shows(void **state)
{
    (void)state;
    struct source source = {0};
    cleanup_filter struct filter *filter = NULL;
    const struct filter_options options = {.hide = "^leaf", .focus = "^work"};
    assert_null(filter_create(&options, &filter));
    build(&source, filter);
    pass_usual_second(&source);
    const struct model_settings settings = {.column = MODEL_OWN_TIME, .with_idle = true};
    check_rows(&source, &settings,
               "work /app/a.py:9 60/60 60/60\n"
               "main /app/a.py:1 0/60 0/60\n");
    demolish(&source);
}

static void puts_samples_aside_while_paused(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    const struct sample more = sample_of(&source, 0, source.leaf_two, 7, SAMPLE_ACTIVE);
    pass_second(&source, &more, 1);
    assert_null(model_update(source.model, true));
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 50/50 50/50\n"
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n");
    assert_null(model_update(source.model, false));
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 57/57 7/7\n"
               "work /app/a.py:9 10/67 0/7\n"
               "main /app/a.py:1 0/67 0/7\n");
    demolish(&source);
}

static void begins_anew_when_reset(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    model_reset(source.model);
    check_rows(&source, &by_own_time, "");
    assert_int_equal(model_whole_ns(source.model), 0);
    pass_usual_second(&source);
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 50/50 50/50\n"
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n");
    demolish(&source);
}

static int percent(double share)
{
    return (int)(share * 100 + 0.5);
}

static void tells_the_load(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    build(&source, NULL);
    pass_usual_second(&source);
    const struct model_load load = model_load(source.model);
    assert_int_equal(percent(load.active), 60);
    assert_int_equal(percent(load.gil), 30);
    assert_int_equal(percent(load.gil_wait), 160);
    assert_int_equal(percent(load.idle), 100);
    assert_int_equal(percent(load.nobody), 6);
    assert_int_equal(percent(load.lost), 4);
    assert_int_equal(percent(load.cpu), 50);
    assert_int_equal(percent((double)model_history(source.model, &count)[0]), 60);
    assert_int_equal(count, 1);
    assert_int_equal(percent(model_percent(source.model, 25) / 100), 25);
    assert_int_equal(percent(model_seconds(source.model, 50)), 50);
    demolish(&source);
}

static void finds_the_thread_of_a_row(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    build(&source, NULL);
    pass_usual_second(&source);
    const struct model_settings settings = {.column = MODEL_OWN_TIME, .with_idle = true};
    assert_null(model_list(source.model, &settings));
    const struct model_row *rows = model_rows(source.model, &count);
    assert_int_equal(model_thread_of(source.model, &rows[0]), source.threads[1]); /* wait */
    assert_int_equal(model_thread_of(source.model, &rows[1]), source.threads[0]); /* leaf */
    demolish(&source);
}

static void survives_that_stacks_are_forgotten(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    pass_usual_second(&source);
    feed_taker.begin_anew(source.feed, source.profile);
    assert_null(model_update(source.model, false));
    assert_true(model_has_forgotten(source.model));
    pass_usual_second(&source);
    check_rows(&source, &by_own_time,
               "leaf /app/a.py:1 50/50 50/50\n"
               "work /app/a.py:9 10/60 10/60\n"
               "main /app/a.py:1 0/60 0/60\n");
    demolish(&source);
}

static void shows_hostile_names_harmlessly(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    uint32_t node =
        profile_child(source.profile, PROFILE_ROOT, build_frame_bytes(source.profile, "\033[2J\0\xff", 6, "/a\nb", 1));
    const struct sample sample = sample_of(&source, 0, node, 1, SAMPLE_ACTIVE);
    pass_second(&source, &sample, 1);
    assert_null(model_update(source.model, false));
    check_rows(&source, &by_own_time, "\\x1b[2J\\x00\\xff /a\\x0ab:1 1/1 1/1\n");
    demolish(&source);
}

static void is_empty_before_the_first_sample(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, NULL);
    assert_null(model_update(source.model, false));
    check_rows(&source, &by_own_time, "");
    assert_null(model_profile(source.model));
    assert_int_equal(model_interval_ns(source.model), 0);
    demolish(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_functions),
        cmocka_unit_test(shares_are_of_time_and_not_of_processes),
        cmocka_unit_test(counts_lines),
        cmocka_unit_test(sorts_by_any_column),
        cmocka_unit_test(selects_by_state),
        cmocka_unit_test(keeps_threads_apart),
        cmocka_unit_test(unfolds_trees),
        cmocka_unit_test(unfolds_callers),
        cmocka_unit_test(filters_rows_by_text),
        cmocka_unit_test(shows_what_a_filter_shows),
        cmocka_unit_test(puts_samples_aside_while_paused),
        cmocka_unit_test(begins_anew_when_reset),
        cmocka_unit_test(tells_the_load),
        cmocka_unit_test(finds_the_thread_of_a_row),
        cmocka_unit_test(survives_that_stacks_are_forgotten),
        cmocka_unit_test(shows_hostile_names_harmlessly),
        cmocka_unit_test(is_empty_before_the_first_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
