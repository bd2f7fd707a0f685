/* SPDX-License-Identifier: MIT */
#include "screen/feed.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile_builder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static const uint64_t second_ns = 1000000000;

struct source {
    struct profile *profile;
    struct feed *feed;
    uint32_t node;
};

static void build(struct source *source, uint64_t keep_seconds)
{
    assert_null(profile_create("app", "python app.py", &source->profile));
    struct profile_info *info = profile_info(source->profile);
    info->interval_ns = second_ns / 100;
    info->start_unix_ns = 1000 * second_ns;
    const struct profile_process process = {.pid = 10, .command_line = PROFILE_NONE, .python_version = PROFILE_NONE};
    profile_add_process(source->profile, &process);
    const struct profile_thread thread = {.os_id = 10, .name = PROFILE_NONE};
    profile_add_thread(source->profile, &thread);
    source->node = build_child(source->profile, PROFILE_ROOT, build_frame(source->profile, "f", "a.py", 1), 0);
    assert_null(feed_create(keep_seconds * second_ns, &source->feed));
}

static void demolish(struct source *source)
{
    feed_destroy(source->feed);
    profile_destroy(source->profile);
}

/* A second with one sample in its middle. */
static void pass_second(const struct source *source, uint32_t weight)
{
    struct profile_info *info = profile_info(source->profile);
    const struct sample sample = {
        .time_ns = info->duration_ns + second_ns / 2, .node = source->node, .weight = weight, .states = SAMPLE_ACTIVE};
    info->duration_ns += second_ns;
    info->cpu_ns += second_ns / 4;
    info->intervals.ok += 100;
    feed_taker.gather(source->feed, source->profile);
    assert_null(feed_taker.take(source->feed, &sample, 1));
}

struct seen {
    uint32_t count, weight;
    uint64_t first_ns;
};

static struct error *see(void *context, const struct sample *sample)
{
    struct seen *seen = context;
    if (seen->count++ == 0)
        seen->first_ns = sample->time_ns;
    seen->weight += sample->weight;
    return NULL;
}

/* Writes what is kept, and reads it back. */
static struct recording_file *write_and_open(const struct source *source, struct seen *ret)
{
    int fd = memfd_create("recording", MFD_CLOEXEC);
    struct recording_file *file = NULL;
    assert_null(feed_write(source->feed, fd));
    assert_null(recording_file_open(fd, "test", &file));
    *ret = (struct seen){0};
    assert_null(recording_file_each_sample(file, see, ret));
    assert_true(recording_file_is_finished(file));
    return file;
}

static void hands_out_each_sample_once(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    build(&source, 60);
    pass_second(&source, 1);
    pass_second(&source, 2);
    const struct sample *samples = feed_take_new(source.feed, &count);
    assert_int_equal(count, 2);
    assert_int_equal(samples[1].weight, 2);
    feed_take_new(source.feed, &count);
    assert_int_equal(count, 0);
    pass_second(&source, 3);
    samples = feed_take_new(source.feed, &count);
    assert_int_equal(count, 1);
    assert_int_equal(samples[0].weight, 3);
    demolish(&source);
}

static void writes_all_while_it_is_short(void **state)
{
    (void)state;
    struct source source = {0};
    struct seen seen;
    build(&source, 60);
    for (uint32_t i = 0; i < 5; i++)
        pass_second(&source, 1);
    assert_int_equal(feed_kept_ns(source.feed), 5 * second_ns);
    cleanup_recording_file struct recording_file *file = write_and_open(&source, &seen);
    const struct profile_info *info = profile_get_info(recording_file_profile(file));
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.first_ns, second_ns / 2);
    assert_int_equal(info->duration_ns, 5 * second_ns);
    assert_int_equal(info->intervals.ok, 500);
    assert_int_equal(info->start_unix_ns, 1000 * second_ns);
    /* The feed's own info is what it was. */
    assert_int_equal(profile_get_info(feed_profile(source.feed))->duration_ns, 5 * second_ns);
    demolish(&source);
}

static void forgets_what_is_old(void **state)
{
    (void)state;
    struct source source = {0};
    struct seen seen;
    uint32_t count;
    build(&source, 10);
    for (uint32_t i = 0; i < 100; i++) {
        pass_second(&source, i);
        feed_take_new(source.feed, &count);
        assert_int_equal(count, 1);
    }
    assert_int_equal(feed_kept_ns(source.feed), 10 * second_ns);
    cleanup_recording_file struct recording_file *file = write_and_open(&source, &seen);
    const struct profile_info *info = profile_get_info(recording_file_profile(file));
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.weight, 90 + 91 + 92 + 93 + 94 + 95 + 96 + 97 + 98 + 99);
    assert_int_equal(seen.first_ns, second_ns / 2);
    assert_int_equal(info->duration_ns, 10 * second_ns);
    assert_int_equal(info->intervals.ok, 1000);
    assert_int_equal(info->cpu_ns, 10 * second_ns / 4);
    assert_int_equal(info->start_unix_ns, 1090 * second_ns);
    demolish(&source);
}

static void begins_anew_with_the_recording(void **state)
{
    (void)state;
    struct source source = {0};
    struct seen seen;
    uint32_t count;
    build(&source, 60);
    pass_second(&source, 1);
    feed_take_new(source.feed, &count);
    assert_int_equal(feed_era(source.feed), 0);
    feed_taker.begin_anew(source.feed, source.profile);
    assert_int_equal(feed_era(source.feed), 1);
    feed_take_new(source.feed, &count);
    assert_int_equal(count, 0);
    pass_second(&source, 7);
    cleanup_recording_file struct recording_file *file = write_and_open(&source, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.weight, 7);
    assert_int_equal(profile_get_info(recording_file_profile(file))->duration_ns, second_ns);
    demolish(&source);
}

static void follows_names_and_members_that_come_later(void **state)
{
    (void)state;
    struct source source = {0};
    uint32_t count;
    size_t len;
    build(&source, 60);
    pass_second(&source, 1);
    profile_name_thread(source.profile, 0, profile_intern(source.profile, "renamed", 7));
    const struct profile_thread thread = {.os_id = 11, .name = profile_intern(source.profile, "later", 5)};
    profile_add_thread(source.profile, &thread);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%d", i);
        source.node = build_child(source.profile, source.node, build_frame(source.profile, name, "b.py", i), 0);
    }
    pass_second(&source, 1);
    const struct profile *profile = feed_profile(source.feed);
    const struct profile_thread *threads = profile_threads(profile, &count);
    assert_int_equal(count, 2);
    assert_string_equal(profile_string(profile, threads[0].name, &len), "renamed");
    assert_string_equal(profile_string(profile, threads[1].name, &len), "later");
    const struct sample *samples = feed_take_new(source.feed, &count);
    assert_int_equal(count, 2);
    const struct profile_node *nodes = profile_nodes(profile, &count);
    const struct profile_frame *last = profile_frame(profile, nodes[samples[1].node].frame);
    assert_string_equal(profile_string(profile, last->name, &len), "f999");
    demolish(&source);
}

static void has_nothing_to_write_at_first(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, 60);
    cleanup_fd int fd = memfd_create("recording", MFD_CLOEXEC);
    cleanup_error struct error *error = feed_write(source.feed, fd);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_NOT_FOUND);
    assert_int_equal(feed_kept_ns(source.feed), 0);
    demolish(&source);
}

static void says_when_it_cannot_be_written(void **state)
{
    (void)state;
    struct source source = {0};
    build(&source, 60);
    pass_second(&source, 1);
    cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cleanup_error struct error *error = feed_write(source.feed, fd);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_OS);
    demolish(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_each_sample_once),
        cmocka_unit_test(writes_all_while_it_is_short),
        cmocka_unit_test(forgets_what_is_old),
        cmocka_unit_test(begins_anew_with_the_recording),
        cmocka_unit_test(follows_names_and_members_that_come_later),
        cmocka_unit_test(has_nothing_to_write_at_first),
        cmocka_unit_test(says_when_it_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
