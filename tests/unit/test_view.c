/* SPDX-License-Identifier: MIT */
#include "profile/view.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/calltree.h"
#include "profile/filter.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile_builder.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static uint32_t add(struct profile *profile, uint32_t parent, const char *name)
{
    return profile_child(profile, parent, build_frame(profile, name, "/app/a.py", 1));
}

static uint32_t add_thread(struct profile *profile, int64_t os_id, const char *name)
{
    const struct profile_thread thread = {
        .os_id = os_id, .name = profile_intern(profile, name, strlen(name)), .is_main = os_id == 10};
    return profile_add_thread(profile, &thread);
}

/*
 * Two threads: the main one has 3 samples in main;load;parse, 2 in main;work and one of them with the GIL; the other
 * one has 4 in run;work, at the end.
 */
static int record(void **state)
{
    cleanup_profile struct profile *profile = NULL;
    cleanup_recording_writer struct recording_writer *writer = NULL;
    int fd = memfd_create("recording", MFD_CLOEXEC);
    assert_null(profile_create("app", "python app.py", &profile));
    assert_null(recording_writer_create(fd, &writer));
    const struct profile_process process = {
        .pid = 10, .command_line = profile_intern(profile, "app.py", 6), .python_version = PROFILE_NONE};
    profile_add_process(profile, &process);
    uint32_t main_thread = add_thread(profile, 10, "MainThread"), other = add_thread(profile, 11, "other");
    uint32_t main_node = add(profile, PROFILE_ROOT, "main"), run = add(profile, PROFILE_ROOT, "run");
    uint32_t load = add(profile, main_node, "load");
    const struct sample samples[] = {
        {.time_ns = 100, .thread = main_thread, .node = add(profile, load, "parse"), .weight = 3},
        {.time_ns = 200, .thread = main_thread, .node = add(profile, main_node, "work"), .weight = 1},
        {.time_ns = 300,
         .thread = main_thread,
         .node = add(profile, main_node, "work"),
         .weight = 1,
         .states = SAMPLE_HAS_GIL},
        {.time_ns = 400, .thread = other, .node = add(profile, run, "work"), .weight = 4},
    };
    recording_writer_gather(writer, profile);
    recording_writer_append(writer, samples, array_size(samples));
    assert_null(recording_writer_finish(writer));
    struct recording_file *file;
    assert_null(recording_file_open(fd, "test", &file));
    *state = file;
    return 0;
}

static int close_recording(void **state)
{
    recording_file_close(*state);
    return 0;
}

static void append_path(struct buffer *out, const struct profile *profile, uint32_t node)
{
    uint32_t count;
    size_t len;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    if (node == PROFILE_ROOT)
        return;
    append_path(out, profile, nodes[node].parent);
    buffer_format(out, "/%s", profile_string(profile, profile_frame(profile, nodes[node].frame)->name, &len));
}

struct told {
    const struct view *view;
    struct buffer text;
};

static struct error *tell(void *context, const struct sample *sample)
{
    struct told *told = context;
    append_path(&told->text, view_profile(told->view), sample->node);
    buffer_format(&told->text, " %u\n", sample->weight);
    return NULL;
}

/* Compares the samples in view, one a line, and that the call tree has as many. */
static void check(struct recording_file *file, const struct view_options *options, const char *expected)
{
    cleanup_view struct view *view = NULL;
    assert_null(view_create(file, options, &view));
    struct told told = {.view = view};
    assert_null(view_each_sample(view, tell, &told));
    assert_string_equal(buffer_text(&told.text), expected);
    uint64_t weight = 0;
    for (const char *line = strchr(expected, '\n'); line; line = strchr(line + 1, '\n'))
        weight += (uint64_t)(line[-1] - '0');
    cleanup_calltree struct calltree tree = {0};
    assert_null(calltree_init(&tree, view_profile(view)));
    assert_int_equal(tree.nodes[0].total, weight);
    buffer_deinit(&told.text);
}

static void check_filtered(struct recording_file *file, const struct filter_options *options, const char *expected)
{
    cleanup_filter struct filter *filter = NULL;
    assert_null(filter_create(options, &filter));
    const struct view_options view_options = {.filter = filter};
    check(file, &view_options, expected);
}

#define MAIN  "/process 10: app.py/thread (10): MainThread"
#define OTHER "/process 10: app.py/thread (11): other"

static void everything_is_in_view_without_options(void **state)
{
    const struct view_options options = {0};
    check(*state, &options,
          MAIN "/main/load/parse 3\n" MAIN "/main/work 1\n" MAIN "/main/work 1\n" OTHER "/run/work 4\n");
}

static void stacks_are_chosen_by_their_frames(void **state)
{
    check_filtered(*state, &(struct filter_options){.focus = "^work"},
                   MAIN "/main/work 1\n" MAIN "/main/work 1\n" OTHER "/run/work 4\n");
    check_filtered(*state, &(struct filter_options){.ignore = "^work"}, MAIN "/main/load/parse 3\n");
    check_filtered(*state, &(struct filter_options){.focus = "^work", .ignore = "^main"}, OTHER "/run/work 4\n");
}

static void stacks_are_shown_from_a_frame_on(void **state)
{
    check_filtered(*state, &(struct filter_options){.show_from = "^load"}, MAIN "/load/parse 3\n");
}

static void hidden_frames_give_their_time_to_their_callers(void **state)
{
    check_filtered(*state, &(struct filter_options){.hide = "^(parse|work|main)"},
                   MAIN "/load 3\n" MAIN " 1\n" MAIN " 1\n" OTHER "/run 4\n");
}

static void threads_are_chosen_by_name_number_and_rank(void **state)
{
    check_filtered(*state, &(struct filter_options){.thread = "^oth"}, OTHER "/run/work 4\n");
    check_filtered(*state, &(struct filter_options){.thread = "^11$"}, OTHER "/run/work 4\n");
    check_filtered(*state, &(struct filter_options){.only_main_thread = true},
                   MAIN "/main/load/parse 3\n" MAIN "/main/work 1\n" MAIN "/main/work 1\n");
}

static void samples_are_chosen_by_the_gil_and_by_time(void **state)
{
    check(*state, &(struct view_options){.only_gil = true}, MAIN "/main/work 1\n");
    check(*state, &(struct view_options){.begin_ns = 200, .end_ns = 400}, MAIN "/main/work 1\n" MAIN "/main/work 1\n");
}

static void waiting_can_be_marked(void **state)
{
    check(*state, &(struct view_options){.mark_idle = true, .only_gil = true}, MAIN "/main/work/<idle> 1\n");
    assert_true(recording_file_has_idle(*state));
    check(*state, &(struct view_options){.mark_idle = true},
          MAIN "/main/load/parse/<idle> 3\n" MAIN "/main/work/<idle> 1\n" MAIN "/main/work/<idle> 1\n" OTHER
               "/run/work/<idle> 4\n");
}

static void what_is_not_shown_is_said(void **state)
{
    cleanup_view struct view *view = NULL;
    assert_null(view_create(*state, &(struct view_options){.only_gil = true}, &view));
    size_t len;
    const struct profile_info *info = profile_get_info(view_profile(view));
    assert_string_equal(profile_string(view_profile(view), info->selection, &len), "only with the GIL");
    assert_int_equal(info->all_samples, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_in_view_without_options, record, close_recording),
        cmocka_unit_test_setup_teardown(stacks_are_chosen_by_their_frames, record, close_recording),
        cmocka_unit_test_setup_teardown(stacks_are_shown_from_a_frame_on, record, close_recording),
        cmocka_unit_test_setup_teardown(hidden_frames_give_their_time_to_their_callers, record, close_recording),
        cmocka_unit_test_setup_teardown(threads_are_chosen_by_name_number_and_rank, record, close_recording),
        cmocka_unit_test_setup_teardown(samples_are_chosen_by_the_gil_and_by_time, record, close_recording),
        cmocka_unit_test_setup_teardown(waiting_can_be_marked, record, close_recording),
        cmocka_unit_test_setup_teardown(what_is_not_shown_is_said, record, close_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
