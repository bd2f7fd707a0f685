/* SPDX-License-Identifier: MIT */
#include "profile/diff.h"

#include "base/cleanup.h"
#include "built_recording.h"
#include "profile/view.h"

#include <math.h>
#include <stdlib.h>

/* One of two recordings, and how it is looked at. */
struct run {
    struct recording_file *file;
    struct view *view;
    struct diff_source source;
};

static void look(struct run *run, struct built_recording *built)
{
    const struct view_options options = {0};
    run->file = built_open(built, true);
    assert_null(view_create(run->file, &options, &run->view));
    assert_null(diff_source_init(&run->source, run->view));
}

static void run_deinit(struct run *run)
{
    view_destroy(run->view);
    recording_file_close(run->file);
}

#define cleanup_run __attribute__((cleanup(run_deinit)))

/* Samples with a stack, each by itself. */
static void add_samples(struct built_recording *built, const char *functions, uint32_t count)
{
    struct sample sample = {.weight = 1, .node = built_stack(built, functions)};
    recording_writer_gather(built->writer, built->profile);
    for (uint32_t i = 0; i < count; i++)
        recording_writer_append(built->writer, &sample, 1);
}

static struct diff *compare(const struct run *before, const struct run *after, struct diff_options options)
{
    struct diff *diff = NULL;
    assert_null(diff_create(&before->source, &after->source, &options, &diff));
    return diff;
}

/* The one function of a name; the test fails when there are none or two. */
static const struct diff_function *find(const struct diff *diff, const char *name)
{
    size_t len;
    const struct diff_function *found = NULL;
    for (uint32_t i = 1; i < diff->frame_count; i++) {
        const struct profile *profile = diff->after.profile;
        if (strcmp(profile_string(profile, profile_frame(profile, i)->name, &len), name) == 0) {
            assert_null(found);
            found = &diff->functions[i];
        }
    }
    assert_non_null(found);
    return found;
}

static void assert_amount(struct diff_amount amount, uint64_t before, uint64_t after)
{
    assert_int_equal(amount.before, before);
    assert_int_equal(amount.after, after);
}

static void look_before(struct run *run)
{
    struct built_recording built = build_recording("python old.py", 10);
    add_samples(&built, "main;slow", 500);
    add_samples(&built, "main;same", 400);
    add_samples(&built, "main;old", 100);
    look(run, &built);
}

static void look_after(struct run *run)
{
    struct built_recording built = build_recording("python new.py", 20);
    add_samples(&built, "main;slow", 1200);
    add_samples(&built, "main;same", 800);
    add_samples(&built, "main;slow;new", 200);
    look(run, &built);
}

static void samples_of_both_sides_stand_beside_each_other(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_before(&before);
    look_after(&after);
    cleanup_diff struct diff *diff = compare(&before, &after, (struct diff_options){0});
    assert_int_equal(diff->before.all, 1000);
    assert_int_equal(diff->after.all, 2200);
    assert_amount(find(diff, "main")->self, 0, 0);
    assert_amount(find(diff, "main")->total, 1000, 2200);
    assert_amount(find(diff, "slow")->self, 500, 1200);
    assert_amount(find(diff, "slow")->total, 500, 1400);
    assert_amount(find(diff, "old")->self, 100, 0);
    assert_amount(find(diff, "new")->total, 0, 200);
}

static void both_profiles_have_the_same_numbers(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_before(&before);
    look_after(&after);
    cleanup_diff struct diff *diff = compare(&before, &after, (struct diff_options){0});
    uint32_t count, other;
    size_t len;
    const struct profile *one = diff->before.profile, *two = diff->after.profile;
    const struct profile_node *nodes = profile_nodes(one, &count), *others = profile_nodes(two, &other);
    assert_int_equal(count, 6);
    assert_int_equal(count, other);
    for (uint32_t i = 1; i < count; i++) {
        assert_int_equal(nodes[i].frame, others[i].frame);
        assert_int_equal(nodes[i].parent, others[i].parent);
        assert_string_equal(profile_string(one, profile_frame(one, nodes[i].frame)->name, &len),
                            profile_string(two, profile_frame(two, others[i].frame)->name, &len));
    }
    assert_string_equal(profile_string(one, profile_get_info(one)->title, &len), "python old.py");
    assert_string_equal(profile_string(two, profile_get_info(two)->title, &len), "python new.py");
}

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-9);
}

static void changes_are_told_in_seconds_and_points(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_before(&before);
    look_after(&after);
    cleanup_diff struct diff *diff = compare(&before, &after, (struct diff_options){0});
    const struct diff_amount *slow = &find(diff, "slow")->self, *same = &find(diff, "same")->self;
    assert_near(diff_seconds(&diff->after, slow->after), 12); /* an interval is 10 ms */
    assert_near(diff_more_seconds(diff, slow), 7);
    assert_near(diff_points(diff, slow), 100.0 * 1200 / 2200 - 50);
    assert_near(diff_change(diff, same), 100.0 * 800 / 2200 - 40);
    assert_false(diff_is_noise(diff, &find(diff, "old")->self));
    assert_false(diff_is_noise(diff, &find(diff, "new")->self));
    assert_true(diff_is_noise(diff, &find(diff, "slow")->self)); /* 4.5 of 50 points; an error is 1.9 */
    cleanup_diff struct diff *seconds = compare(&before, &after, (struct diff_options){.measure = DIFF_SECONDS});
    assert_near(diff_change(seconds, same), 4);
    assert_false(diff_is_noise(seconds, &find(seconds, "slow")->self));
}

/* A program of two functions, each of which stands on a line. */
static void look_at_lines(struct run *run, const char *file, const char *short_file, int32_t first, int32_t second)
{
    struct built_recording built = build_recording("python app.py", 10);
    struct sample sample = {.weight = 1};
    const int32_t lines[] = {first, second};
    for (size_t i = 0; i < array_size(lines); i++) {
        const struct profile_frame frame = {
            .name = profile_intern(built.profile, i == 0 ? "one" : "two", 3),
            .file = profile_intern(built.profile, file, strlen(file)),
            .line = lines[i] + 1,
            .first_line = lines[i],
        };
        sample.node = profile_child(built.profile, PROFILE_ROOT, profile_intern_frame(built.profile, &frame));
        profile_set_short_file(built.profile, frame.file,
                               profile_intern(built.profile, short_file, strlen(short_file)));
        recording_writer_gather(built.writer, built.profile);
        recording_writer_append(built.writer, &sample, 1);
    }
    look(run, &built);
}

static const struct profile_frame *frame_of(const struct diff *diff, const struct diff_function *function)
{
    return profile_frame(diff->after.profile, (uint32_t)(function - diff->functions));
}

static void functions_are_the_same_wherever_they_stand(void **state)
{
    (void)state;
    size_t len;
    cleanup_run struct run before = {0}, after = {0};
    look_at_lines(&before, "/old/app.py", "app.py", 3, 10);
    look_at_lines(&after, "/new/app.py", "app.py", 5, 20);
    cleanup_diff struct diff *diff = compare(&before, &after, (struct diff_options){0});
    assert_amount(find(diff, "one")->self, 1, 1);
    assert_amount(find(diff, "two")->self, 1, 1);
    const struct profile_frame *shown = frame_of(diff, find(diff, "two"));
    assert_int_equal(shown->line, 20);
    assert_string_equal(profile_string(diff->after.profile, shown->file, &len), "/new/app.py");
    uint32_t short_file = profile_short_file(diff->after.profile, shown->file);
    assert_string_equal(profile_string(diff->after.profile, short_file, &len), "app.py");
    cleanup_diff struct diff *without = compare(&before, &after, (struct diff_options){.without_lines = true});
    assert_int_equal(frame_of(without, find(without, "two"))->line, 0);
}

static uint32_t count_functions(const struct run *before, const struct run *after, struct diff_options options)
{
    cleanup_diff struct diff *diff = compare(before, after, options);
    return diff->frame_count - 1;
}

static void what_is_compared_can_be_narrower(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_at_lines(&before, "/old/app.py", "app.py", 3, 10);
    look_at_lines(&after, "/new/app.py", "app.py", 3, 20);
    assert_int_equal(count_functions(&before, &after, (struct diff_options){.lines = DIFF_FIRST_LINES}), 3);
    assert_int_equal(count_functions(&before, &after, (struct diff_options){.lines = DIFF_LINES}), 3);
    assert_int_equal(count_functions(&before, &after, (struct diff_options){.with_full_files = true}), 4);
}

static void functions_of_one_name_have_no_line(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    for (int32_t line = 1; line < 3; line++) {
        uint32_t frame = build_frame(built.profile, "<lambda>", "app.py", line);
        struct sample sample = {.weight = 1, .node = profile_child(built.profile, PROFILE_ROOT, frame)};
        recording_writer_gather(built.writer, built.profile);
        recording_writer_append(built.writer, &sample, 1);
    }
    cleanup_run struct run run = {0};
    look(&run, &built);
    cleanup_diff struct diff *diff = compare(&run, &run, (struct diff_options){0});
    assert_amount(find(diff, "<lambda>")->self, 2, 2);
    assert_int_equal(frame_of(diff, find(diff, "<lambda>"))->line, 0);
}

static void look_at_threads(struct run *run, int64_t pid)
{
    struct built_recording built = build_recording("python app.py", pid);
    uint32_t worker = built_thread(&built, pid + 1, "worker");
    built_sample(&built, "main", (struct sample){.weight = 1});
    built_sample(&built, "work", (struct sample){.weight = 2, .thread = worker});
    look(run, &built);
}

static void threads_and_processes_are_the_same_by_name(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_at_threads(&before, 10);
    look_at_threads(&after, 20);
    cleanup_diff struct diff *diff =
        compare(&before, &after, (struct diff_options){.with_threads = true, .with_processes = true});
    assert_amount(find(diff, "process: python app.py")->total, 3, 3);
    assert_amount(find(diff, "thread: MainThread")->total, 1, 1);
    assert_amount(find(diff, "thread: worker")->total, 2, 2);
    cleanup_diff struct diff *merged = compare(&before, &after, (struct diff_options){0});
    assert_int_equal(merged->frame_count, 3);
}

static void recursion_counts_once(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    add_samples(&built, "main;f;g;f", 3);
    add_samples(&built, "main;f", 2);
    add_samples(&built, "main;g;f", 1);
    add_samples(&built, "main", 4);
    cleanup_run struct run run = {0};
    look(&run, &built);
    cleanup_diff struct diff *diff = compare(&run, &run, (struct diff_options){0});
    assert_amount(find(diff, "f")->self, 6, 6);
    assert_amount(find(diff, "f")->total, 6, 6);
    assert_amount(find(diff, "g")->total, 4, 4);
    assert_amount(find(diff, "main")->total, 10, 10);
    assert_true(diff_is_noise(diff, &find(diff, "f")->self));
}

static void nothing_can_be_told_of_nothing(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    cleanup_run struct run empty = {0}, after = {0};
    look(&empty, &built);
    look_after(&after);
    cleanup_diff struct diff *diff = compare(&empty, &after, (struct diff_options){0});
    assert_near(diff_points(diff, &find(diff, "same")->self), 100.0 * 800 / 2200);
    assert_true(diff_is_noise(diff, &find(diff, "same")->self));
}

static void few_looks_that_weigh_much_tell_little(void **state)
{
    (void)state;
    struct built_recording built = build_recording("python app.py", 10);
    built_sample(&built, "main", (struct sample){.weight = 500});
    built_sample(&built, "rest", (struct sample){.weight = 500});
    cleanup_run struct run heavy = {0}, light = {0};
    look(&heavy, &built);
    assert_near(heavy.source.weight, 500);
    struct built_recording counted = build_recording("python app.py", 10);
    built_sample(&counted, "main", (struct sample){.weight = 500, .states = SAMPLE_COUNTED});
    cleanup_run struct run sum = {0};
    look(&sum, &counted);
    assert_near(sum.source.weight, 1);
    struct built_recording other = build_recording("python app.py", 10);
    add_samples(&other, "main", 900);
    add_samples(&other, "rest", 100);
    look(&light, &other);
    cleanup_diff struct diff *diff = compare(&heavy, &light, (struct diff_options){0});
    assert_true(diff_is_noise(diff, &find(diff, "main")->self));
}

static uint64_t width_in(const struct profile *profile, const char *name)
{
    uint32_t count;
    size_t len;
    uint64_t width = 0;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_frame *frame = profile_frame(profile, nodes[i].frame);
        width += strcmp(profile_string(profile, frame->name, &len), name) == 0 ? nodes[i].self : 0;
    }
    return width;
}

static void what_is_gone_is_as_wide_as_it_was(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_before(&before);
    look_after(&after);
    cleanup_diff struct diff *shares = compare(&before, &after, (struct diff_options){0});
    cleanup_diff struct diff *seconds = compare(&before, &after, (struct diff_options){.measure = DIFF_SECONDS});
    cleanup_profile struct profile *by_share = NULL, *by_seconds = NULL;
    assert_null(diff_make_widths(shares, &by_share));
    assert_null(diff_make_widths(seconds, &by_seconds));
    assert_int_equal(width_in(by_share, "slow"), 1200);
    assert_int_equal(width_in(by_share, "new"), 200);
    assert_int_equal(width_in(by_share, "old"), 220); /* a tenth */
    assert_int_equal(width_in(by_seconds, "old"), 100);
    assert_int_equal(width_in(by_share, "main"), 0);
}

/* One sample that a function's share of one million decides about. */
static uint64_t draw(uint32_t samples, double share)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < samples; i++)
        count += drand48() < share;
    return count;
}

/* How many of 1000 functions seem to have changed, when each share is drawn anew for both sides. */
static uint32_t count_changes(struct diff *diff, double before, double after)
{
    uint32_t changed = 0;
    for (int i = 0; i < 1000; i++) {
        const struct diff_amount amount = {draw((uint32_t)diff->before.all, before),
                                           draw((uint32_t)diff->after.all, after)};
        changed += !diff_is_noise(diff, &amount);
    }
    return changed;
}

static void what_is_drawn_from_one_share_is_noise(void **state)
{
    (void)state;
    cleanup_run struct run before = {0}, after = {0};
    look_before(&before);
    look_after(&after);
    for (int measure = DIFF_SHARES; measure <= DIFF_SECONDS; measure++) {
        cleanup_diff struct diff *diff =
            compare(&before, &after, (struct diff_options){.measure = (enum diff_measure)measure});
        diff->after.all = measure == DIFF_SECONDS ? diff->before.all : diff->after.all;
        static const double shares[] = {0.0001, 0.001, 0.01, 0.1, 0.5, 0.9};
        srand48(1);
        for (size_t i = 0; i < array_size(shares); i++)
            assert_true(count_changes(diff, shares[i], shares[i]) <= 10);
        assert_true(count_changes(diff, 0.1, 0.2) > 990);
        assert_true(count_changes(diff, 0.01, 0.05) > 980);
    }
}

/* A program that calls into a library, at two lines of its source or without it, and then into the kernel. */
static void look_at_library(struct run *run, const char *folder, int32_t line)
{
    struct built_recording built = build_recording("python app.py", 10);
    char library[64], source[64];
    snprintf(library, sizeof(library), "%s/libfoo.so.1", folder);
    snprintf(source, sizeof(source), "%s/src/foo.c", folder);
    const uint32_t frames[] = {
        build_native(built.profile, "first", library, 0),
        build_native(built.profile, "second", source, line),
        build_native(built.profile, "second", source, line + 1),
        build_kernel(built.profile, "read"),
    };
    const char *const short_files[] = {"libfoo.so.1", "src/foo.c"};
    struct sample sample = {.weight = 1, .node = PROFILE_ROOT};
    for (size_t i = 0; i < array_size(frames); i++) {
        sample.node = profile_child(built.profile, sample.node, frames[i]);
        if (i < array_size(short_files))
            profile_set_short_file(built.profile, profile_frame(built.profile, frames[i])->file,
                                   profile_intern(built.profile, short_files[i], strlen(short_files[i])));
        recording_writer_gather(built.writer, built.profile);
        recording_writer_append(built.writer, &sample, 1);
    }
    look(run, &built);
}

static void libraries_are_the_same_by_name(void **state)
{
    (void)state;
    size_t len;
    cleanup_run struct run before = {0}, after = {0};
    look_at_library(&before, "/old", 7);
    look_at_library(&after, "/new", 70);
    cleanup_diff struct diff *diff = compare(&before, &after, (struct diff_options){0});
    assert_amount(find(diff, "first")->self, 1, 1);
    assert_amount(find(diff, "second")->self, 2, 2);
    assert_amount(find(diff, "read")->self, 1, 1);
    const struct profile_frame *shown = frame_of(diff, find(diff, "first"));
    assert_int_equal(shown->kind, FRAME_NATIVE);
    assert_string_equal(profile_string(diff->after.profile, shown->file, &len), "/new/libfoo.so.1");
    assert_int_equal(frame_of(diff, find(diff, "second"))->line, 0);
    shown = frame_of(diff, find(diff, "read"));
    assert_int_equal(shown->kind, FRAME_KERNEL);
    assert_int_equal(shown->file, PROFILE_NONE);
    assert_int_equal(count_functions(&before, &after, (struct diff_options){.lines = DIFF_LINES}), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_both_sides_stand_beside_each_other),
        cmocka_unit_test(both_profiles_have_the_same_numbers),
        cmocka_unit_test(changes_are_told_in_seconds_and_points),
        cmocka_unit_test(functions_are_the_same_wherever_they_stand),
        cmocka_unit_test(what_is_compared_can_be_narrower),
        cmocka_unit_test(functions_of_one_name_have_no_line),
        cmocka_unit_test(libraries_are_the_same_by_name),
        cmocka_unit_test(threads_and_processes_are_the_same_by_name),
        cmocka_unit_test(recursion_counts_once),
        cmocka_unit_test(nothing_can_be_told_of_nothing),
        cmocka_unit_test(few_looks_that_weigh_much_tell_little),
        cmocka_unit_test(what_is_gone_is_as_wide_as_it_was),
        cmocka_unit_test(what_is_drawn_from_one_share_is_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
