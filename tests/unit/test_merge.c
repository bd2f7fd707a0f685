/* SPDX-License-Identifier: MIT */
#include "profile/merge.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "built_recording.h"
#include "profile/losses.h"

#include <inttypes.h>

/* Merges recordings, and closes them. */
static struct error *try_merge(struct recording_file **files, uint32_t count, uint64_t table_limit,
                               struct recording_file **ret)
{
    cleanup_merge struct merge *merge = NULL;
    int fd = memfd_create("merged", MFD_CLOEXEC);
    struct error *error = merge_create(table_limit, &merge);
    static const char *const names[] = {"a.pyspyc", "b.pyspyc", "c.pyspyc"};
    for (uint32_t i = 0; !error && i < count; i++)
        error = merge_note(merge, files[i], names[i]);
    if (!error)
        error = merge_begin(merge, fd);
    for (uint32_t i = 0; !error && i < count; i++)
        error = merge_add(merge, files[i]);
    if (!error)
        error = merge_finish(merge);
    for (uint32_t i = 0; i < count; i++)
        recording_file_close(files[i]);
    if (error)
        close(fd);
    return error ? error : recording_file_open(fd, "merged", ret);
}

static struct recording_file *merge_files(struct recording_file **files, uint32_t count)
{
    struct recording_file *merged = NULL;
    assert_null(try_merge(files, count, 0, &merged));
    assert_true(recording_file_is_finished(merged));
    return merged;
}

struct told {
    const struct profile *profile;
    struct buffer text;
};

static void append_path(struct buffer *out, const struct profile *profile, uint32_t node)
{
    uint32_t count;
    size_t len;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    if (node == PROFILE_ROOT)
        return;
    append_path(out, profile, nodes[node].parent);
    buffer_format(out, ";%s", profile_string(profile, profile_frame(profile, nodes[node].frame)->name, &len));
}

/* "pid/thread at 20: ;main;work x 3" */
static struct error *tell(void *context, const struct sample *sample)
{
    struct told *told = context;
    uint32_t count;
    const struct profile_thread *thread = &profile_threads(told->profile, &count)[sample->thread];
    buffer_format(&told->text, "%" PRId64 "/%" PRId64 " at %" PRIu64 ": ",
                  profile_processes(told->profile, &count)[thread->process].pid, thread->os_id, sample->time_ns);
    append_path(&told->text, told->profile, sample->node);
    buffer_format(&told->text, " x %u\n", sample->weight);
    return NULL;
}

static void check_samples(struct recording_file *file, const char *expected)
{
    struct told told = {.profile = recording_file_profile(file)};
    assert_null(recording_file_each_sample(file, tell, &told));
    assert_string_equal(buffer_text(&told.text), expected);
    buffer_deinit(&told.text);
}

static const struct profile_info *info_of(const struct recording_file *file)
{
    return profile_get_info(recording_file_profile(file));
}

static struct recording_file *first_run(void)
{
    struct built_recording built = build_recording("python app.py", 10);
    built_sample(&built, "main;work", (struct sample){.time_ns = 20, .weight = 3});
    built_sample(&built, "main;rest", (struct sample){.time_ns = 40, .weight = 1});
    struct profile_info *info = profile_info(built.profile);
    info->duration_ns = 100;
    info->cpu_ns = 30;
    info->intervals = (struct profile_intervals){.ok = 4, .idle = 1, .torn = 2};
    profile_set_loss(built.profile, "bad luck", 8, 7);
    return built_open(&built, true);
}

static struct recording_file *second_run(void)
{
    struct built_recording built = build_recording("python app.py", 20);
    uint32_t other = built_thread(&built, 21, "other");
    built_sample(&built, "main;work", (struct sample){.time_ns = 10, .weight = 1});
    built_sample(&built, "run;work", (struct sample){.time_ns = 10, .weight = 2, .thread = other});
    struct profile_info *info = profile_info(built.profile);
    info->duration_ns = 50;
    info->cpu_ns = 20;
    info->intervals = (struct profile_intervals){.ok = 3, .unreadable = 1, .missed = 5};
    profile_set_loss(built.profile, "bad luck", 8, 1);
    profile_set_loss(built.profile, "worse luck", 10, 2);
    return built_open(&built, true);
}

static void the_sum_has_all_samples_of_its_parts(void **state)
{
    (void)state;
    struct recording_file *parts[] = {first_run(), second_run()};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 2);
    check_samples(merged, "10/10 at 20: ;main;work x 3\n10/10 at 40: ;main;rest x 1\n"
                          "20/20 at 10: ;main;work x 1\n20/21 at 10: ;run;work x 2\n");
    uint32_t count;
    const struct profile *profile = recording_file_profile(merged);
    profile_nodes(profile, &count);
    assert_int_equal(count, 6); /* the root, main, its work and rest, run and its work: each once */
    size_t len;
    assert_string_equal(profile_string(profile, profile_threads(profile, &count)[2].name, &len), "other");
}

static void all_that_is_counted_is_added(void **state)
{
    (void)state;
    struct recording_file *parts[] = {first_run(), second_run()};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 2);
    const struct profile_info *info = info_of(merged);
    const struct profile_intervals expected = {.ok = 7, .idle = 1, .torn = 2, .unreadable = 1, .missed = 5};
    assert_memory_equal(&info->intervals, &expected, sizeof(expected));
    assert_int_equal(info->all_samples, 7);
    assert_int_equal(info->duration_ns, 100);
    assert_int_equal(info->cpu_ns, 50);
    uint32_t count;
    const struct profile_loss *losses = profile_losses(recording_file_profile(merged), &count);
    assert_int_equal(count, 2);
    assert_int_equal(losses[0].count, 8);
    assert_int_equal(losses[1].count, 2);
}

static struct recording_file *titled(const char *title)
{
    struct built_recording built = build_recording(title, 10);
    return built_open(&built, true);
}

static void the_title_is_the_common_one_or_their_number(void **state)
{
    (void)state;
    size_t len;
    struct recording_file *same[] = {titled("python a.py"), titled("python a.py")};
    struct recording_file *different[] = {titled("python a.py"), titled("python a.py"), titled("python b.py")};
    cleanup_recording_file struct recording_file *one = merge_files(same, 2);
    cleanup_recording_file struct recording_file *other = merge_files(different, 3);
    assert_string_equal(profile_string(recording_file_profile(one), info_of(one)->title, &len), "python a.py");
    assert_string_equal(profile_string(recording_file_profile(other), info_of(other)->title, &len), "3 recordings");
}

/* One sample 5 ns after the begin. */
static struct recording_file *begun_at(int64_t pid, uint64_t start_unix_ns, uint64_t duration_ns)
{
    struct built_recording built = build_recording("python app.py", pid);
    built_sample(&built, "main", (struct sample){.time_ns = 5, .weight = 1});
    profile_info(built.profile)->start_unix_ns = start_unix_ns;
    profile_info(built.profile)->duration_ns = duration_ns;
    return built_open(&built, true);
}

static void what_went_on_together_keeps_its_distance(void **state)
{
    (void)state;
    struct recording_file *parts[] = {begun_at(1, 1070, 100), begun_at(2, 1000, 60), begun_at(3, 1050, 30)};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 3);
    check_samples(merged, "1/1 at 75: ;main x 1\n2/2 at 5: ;main x 1\n3/3 at 55: ;main x 1\n");
    assert_int_equal(info_of(merged)->start_unix_ns, 1000);
    assert_int_equal(info_of(merged)->duration_ns, 170);
}

static void what_came_after_another_begins_anew(void **state)
{
    (void)state;
    struct recording_file *parts[] = {begun_at(1, 1060, 100), begun_at(2, 1000, 60), begun_at(3, 1100, 30)};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 3);
    check_samples(merged, "1/1 at 5: ;main x 1\n2/2 at 5: ;main x 1\n3/3 at 45: ;main x 1\n");
    assert_int_equal(info_of(merged)->start_unix_ns, 0);
    assert_int_equal(info_of(merged)->duration_ns, 100);
}

static void a_begin_that_is_not_known_overlaps_nothing(void **state)
{
    (void)state;
    struct recording_file *parts[] = {begun_at(1, 0, 2000), begun_at(2, 1000, 60), begun_at(3, 0, 10)};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 3);
    check_samples(merged, "1/1 at 5: ;main x 1\n2/2 at 5: ;main x 1\n3/3 at 5: ;main x 1\n");
}

static struct recording_file *with_interval(uint64_t interval_ns)
{
    struct built_recording built = build_recording("python app.py", 10);
    built_sample(&built, "main", (struct sample){.time_ns = 5, .weight = 2});
    profile_info(built.profile)->interval_ns = interval_ns;
    profile_info(built.profile)->intervals.ok = 2;
    return built_open(&built, true);
}

static void slower_recordings_weigh_as_many_intervals_as_they_last(void **state)
{
    (void)state;
    struct recording_file *parts[] = {with_interval(10000000), with_interval(2000000), with_interval(4000000)};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 3);
    check_samples(merged, "10/10 at 5: ;main x 10\n10/10 at 5: ;main x 2\n10/10 at 5: ;main x 4\n");
    assert_int_equal(info_of(merged)->interval_ns, 2000000);
    assert_int_equal(info_of(merged)->intervals.ok, 16);
}

static void an_interval_may_have_been_rounded(void **state)
{
    (void)state;
    struct recording_file *parts[] = {with_interval(10000000), with_interval(1428571)}; /* 100 and 700 a second */
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 2);
    check_samples(merged, "10/10 at 5: ;main x 14\n10/10 at 5: ;main x 2\n");
}

static void rates_that_do_not_fit_are_refused_by_name(void **state)
{
    (void)state;
    struct recording_file *merged = NULL, *parts[] = {with_interval(10000000), with_interval(4000000)};
    cleanup_error struct error *error = try_merge(parts, 2, 0, &merged);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_USAGE);
    assert_non_null(strstr(error->sentence, "'b.pyspyc' has an interval of 4.000 ms and 'a.pyspyc' one of 10.000 ms"));
    struct recording_file *without[] = {with_interval(0), with_interval(4000000)};
    cleanup_error struct error *other = try_merge(without, 2, 0, &merged);
    assert_non_null(other);
}

static void weights_that_are_too_large_are_refused(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    built_sample(&built, "main", (struct sample){.time_ns = 5, .weight = UINT32_MAX});
    struct recording_file *merged = NULL, *parts[] = {built_open(&built, true), with_interval(5000000)};
    cleanup_error struct error *error = try_merge(parts, 2, 0, &merged);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
}

static void an_unfinished_part_is_counted_as_one(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    built_sample(&built, "main", (struct sample){.time_ns = 5, .weight = 1});
    struct recording_file *parts[] = {built_open(&built, false), second_run()};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 2);
    uint32_t count;
    size_t len;
    const struct profile *profile = recording_file_profile(merged);
    const struct profile_loss *losses = profile_losses(profile, &count);
    assert_int_equal(count, 3);
    assert_non_null(strstr(profile_string(profile, losses[0].cause, &len), "had not been finished"));
    assert_int_equal(losses[0].count, 1);
    assert_int_equal(info_of(merged)->cpu_ns, 0); /* that of one is not known */
}

/* Whatever is held in memory, the file is the same; here the stacks are forgotten after each sample. */
static void little_memory_changes_nothing(void **state)
{
    (void)state;
    struct recording_file *merged = NULL, *parts[] = {first_run(), second_run(), first_run()};
    assert_null(try_merge(parts, 3, 1, &merged));
    check_samples(merged, "10/10 at 20: ;main;work x 3\n10/10 at 40: ;main;rest x 1\n"
                          "20/20 at 10: ;main;work x 1\n20/21 at 10: ;run;work x 2\n"
                          "10/10 at 20: ;main;work x 3\n10/10 at 40: ;main;rest x 1\n");
    uint32_t count;
    size_t len;
    const struct profile *profile = recording_file_profile(merged);
    assert_string_equal(profile_string(profile, profile_threads(profile, &count)[2].name, &len), "other");
    assert_int_equal(count, 4);
    assert_int_equal(info_of(merged)->all_samples, 11);
    recording_file_close(merged);
}

static void hostile_times_do_not_wrap(void **state)
{
    (void)state;
    struct recording_file *parts[] = {begun_at(1, 1000, UINT64_MAX), begun_at(2, UINT64_MAX - 2, UINT64_MAX)};
    cleanup_recording_file struct recording_file *merged = merge_files(parts, 2);
    assert_true(info_of(merged)->duration_ns == UINT64_MAX);
    check_samples(merged, "1/1 at 5: ;main x 1\n2/2 at 18446744073709550618: ;main x 1\n");
}

static void nothing_can_be_merged_of_nothing(void **state)
{
    (void)state;
    struct recording_file *merged = NULL;
    cleanup_error struct error *error = try_merge(NULL, 0, 0, &merged);
    assert_non_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_has_all_samples_of_its_parts),
        cmocka_unit_test(all_that_is_counted_is_added),
        cmocka_unit_test(the_title_is_the_common_one_or_their_number),
        cmocka_unit_test(what_went_on_together_keeps_its_distance),
        cmocka_unit_test(what_came_after_another_begins_anew),
        cmocka_unit_test(a_begin_that_is_not_known_overlaps_nothing),
        cmocka_unit_test(slower_recordings_weigh_as_many_intervals_as_they_last),
        cmocka_unit_test(an_interval_may_have_been_rounded),
        cmocka_unit_test(rates_that_do_not_fit_are_refused_by_name),
        cmocka_unit_test(weights_that_are_too_large_are_refused),
        cmocka_unit_test(an_unfinished_part_is_counted_as_one),
        cmocka_unit_test(little_memory_changes_nothing),
        cmocka_unit_test(hostile_times_do_not_wrap),
        cmocka_unit_test(nothing_can_be_merged_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
