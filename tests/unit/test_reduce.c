/* SPDX-License-Identifier: MIT */
#include "profile/reduce.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint32_t add_function(struct profile *profile, uint32_t parent, const char *name, int32_t line, uint64_t samples)
{
    const struct profile_frame frame = {
        .kind = FRAME_PYTHON,
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, "/app/a.py", 9),
        .line = line,
        .first_line = 10,
    };
    return build_child(profile, parent, profile_intern_frame(profile, &frame), samples);
}

/* Two threads of one process, in one function at two lines each. */
static struct profile *create_source(void)
{
    struct profile *profile;
    assert_null(profile_create("app", "python app.py", &profile));
    profile_info(profile)->interval_ns = 1000;
    profile_set_short_file(profile, profile_intern(profile, "/app/a.py", 9), profile_intern(profile, "a.py", 4));
    uint32_t process = build_child(profile, PROFILE_ROOT, build_process(profile, "process 1"), 0);
    for (int i = 0; i < 2; i++) {
        uint32_t thread = build_child(profile, process, build_thread(profile, i ? "second" : "first"), 0);
        uint32_t caller = add_function(profile, thread, "f", 11 + i, 1);
        add_function(profile, caller, "g", 20, 5);
    }
    const struct profile_process member = {.pid = 1, .command_line = profile_intern(profile, "app", 3)};
    const struct profile_thread thread = {.name = PROFILE_NONE, .is_main = true};
    assert_int_equal(profile_add_process(profile, &member), 0);
    assert_int_equal(profile_add_thread(profile, &thread), 0);
    return profile;
}

static struct profile *reduce(const struct profile_detail *detail)
{
    cleanup_profile struct profile *source = create_source();
    struct profile *reduced;
    assert_null(profile_reduce(source, detail, &reduced));
    return reduced;
}

static uint32_t count_nodes(const struct profile *profile, enum frame_kind kind, uint64_t *ret_samples)
{
    uint32_t count, found = 0;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    *ret_samples = 0;
    for (uint32_t i = 0; i < count; i++) {
        found += profile_frame(profile, nodes[i].frame)->kind == kind;
        *ret_samples += nodes[i].self;
    }
    return found;
}

static void full_detail_is_a_copy(void **state)
{
    (void)state;
    const struct profile_detail detail = {.with_threads = true, .with_processes = true};
    cleanup_profile struct profile *reduced = reduce(&detail);
    uint64_t samples;
    assert_int_equal(count_nodes(reduced, FRAME_PYTHON, &samples), 4);
    assert_int_equal(count_nodes(reduced, FRAME_THREAD, &samples), 2);
    assert_int_equal(count_nodes(reduced, FRAME_PROCESS, &samples), 2);
    assert_int_equal(samples, 12);
    assert_int_equal(profile_get_info(reduced)->interval_ns, 1000);
    size_t len;
    uint32_t file = profile_intern(reduced, "/app/a.py", 9);
    assert_string_equal(profile_string(reduced, profile_short_file(reduced, file), &len), "a.py");
    assert_string_equal(profile_string(reduced, profile_get_info(reduced)->title, &len), "python app.py");
}

static void threads_are_put_together_and_lines_kept(void **state)
{
    (void)state;
    const struct profile_detail detail = {.lines = PROFILE_CURRENT_LINE};
    cleanup_profile struct profile *reduced = reduce(&detail);
    uint64_t samples;
    assert_int_equal(count_nodes(reduced, FRAME_PYTHON, &samples), 4);
    assert_int_equal(count_nodes(reduced, FRAME_THREAD, &samples), 0);
    assert_int_equal(count_nodes(reduced, FRAME_PROCESS, &samples), 1);
    assert_int_equal(samples, 12);
}

static void functions_are_told_apart_by_their_first_line(void **state)
{
    (void)state;
    const struct profile_detail detail = {.lines = PROFILE_FUNCTION_LINE};
    cleanup_profile struct profile *reduced = reduce(&detail);
    uint64_t samples;
    uint32_t count;
    assert_int_equal(count_nodes(reduced, FRAME_PYTHON, &samples), 2);
    const struct profile_node *nodes = profile_nodes(reduced, &count);
    assert_int_equal(profile_frame(reduced, nodes[1].frame)->line, 10);
    assert_int_equal(nodes[1].self, 2);
    assert_int_equal(nodes[2].self, 10);
}

static void each_node_of_the_source_has_its_place(void **state)
{
    (void)state;
    const struct profile_detail detail = {.lines = PROFILE_NO_LINE};
    cleanup_profile struct profile *source = create_source();
    cleanup_profile struct profile *reduced = NULL;
    cleanup_free uint32_t *places = NULL;
    assert_null(profile_reduce_mapped(source, &detail, &reduced, &places));
    const uint32_t expected[] = {0, 0, 0, 1, 2, 0, 1, 2};
    uint32_t count;
    profile_nodes(source, &count);
    assert_int_equal(count, array_size(expected));
    assert_memory_equal(places, expected, sizeof(expected));
}

static void members_come_along(void **state)
{
    (void)state;
    const struct profile_detail detail = {.lines = PROFILE_NO_LINE};
    cleanup_profile struct profile *reduced = reduce(&detail);
    uint32_t count;
    size_t len;
    const struct profile_process *processes = profile_processes(reduced, &count);
    assert_int_equal(count, 1);
    assert_string_equal(profile_string(reduced, processes[0].command_line, &len), "app");
    const struct profile_thread *threads = profile_threads(reduced, &count);
    assert_int_equal(count, 1);
    assert_true(threads[0].is_main);
}

/* Short names of short names, a million deep. */
static void a_chain_of_short_names_is_followed_one_step(void **state)
{
    enum { LINKS = 1000000 };
    (void)state;
    cleanup_profile struct profile *source = create_source(), *reduced = NULL;
    uint32_t last = profile_intern(source, "/app/a.py", 9);
    for (int i = 0; i < LINKS; i++) {
        char name[32];
        int len = snprintf(name, sizeof(name), "%d.py", i);
        uint32_t next = profile_intern(source, name, (size_t)len);
        profile_set_short_file(source, last, next);
        last = next;
    }
    assert_null(profile_reduce(source, &(struct profile_detail){0}, &reduced));
    size_t len;
    uint32_t file = profile_intern(reduced, "/app/a.py", 9);
    assert_string_equal(profile_string(reduced, profile_short_file(reduced, file), &len), "0.py");
}

/* Their debugging information may not say where a function begins. */
static void native_functions_are_put_together_without_a_first_line(void **state)
{
    (void)state;
    const struct profile_detail detail = {.lines = PROFILE_FUNCTION_LINE}, fine = {.lines = PROFILE_CURRENT_LINE};
    cleanup_profile struct profile *source = NULL, *reduced = NULL, *same = NULL;
    uint64_t samples;
    uint32_t count;
    assert_null(profile_create("app", "python app.py", &source));
    for (int32_t line = 1; line < 4; line++)
        build_child(source, PROFILE_ROOT, build_native(source, "work", "/src/work.c", line), 1);
    uint32_t call = build_child(source, PROFILE_ROOT, build_native(source, "read", "/lib/libc.so.6", 0), 1);
    build_child(source, call, build_kernel(source, "read"), 2);
    assert_null(profile_reduce(source, &detail, &reduced));
    assert_int_equal(count_nodes(reduced, FRAME_NATIVE, &samples), 2);
    assert_int_equal(count_nodes(reduced, FRAME_KERNEL, &samples), 1);
    assert_int_equal(samples, 6);
    assert_int_equal(profile_frame(reduced, profile_nodes(reduced, &count)[1].frame)->line, 0);
    assert_null(profile_reduce(source, &fine, &same));
    assert_int_equal(count_nodes(same, FRAME_NATIVE, &samples), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_detail_is_a_copy),
        cmocka_unit_test(threads_are_put_together_and_lines_kept),
        cmocka_unit_test(functions_are_told_apart_by_their_first_line),
        cmocka_unit_test(native_functions_are_put_together_without_a_first_line),
        cmocka_unit_test(each_node_of_the_source_has_its_place),
        cmocka_unit_test(members_come_along),
        cmocka_unit_test(a_chain_of_short_names_is_followed_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
