/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include "profile/calltree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t add_frame(struct profile *profile, const char *name, const char *file, int32_t line)
{
    const struct profile_frame frame = {
        .kind = FRAME_PYTHON,
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, file, strlen(file)),
        .line = line,
    };
    return profile_intern_frame(profile, &frame);
}

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static void strings_are_stored_once(void **state)
{
    struct profile *profile = *state;
    uint32_t first = profile_intern(profile, "alpha", 5);
    assert_int_not_equal(first, profile_intern(profile, "beta", 4));
    assert_int_equal(first, profile_intern(profile, "alpha", 5));
    assert_int_not_equal(first, profile_intern(profile, "alph", 4));
    size_t len;
    assert_string_equal(profile_string(profile, first, &len), "alpha");
    assert_int_equal(len, 5);
}

static void a_nul_inside_a_string_is_kept(void **state)
{
    struct profile *profile = *state;
    uint32_t string = profile_intern(profile, "a\0b", 3);
    assert_int_not_equal(string, profile_intern(profile, "a", 1));
    size_t len;
    assert_memory_equal(profile_string(profile, string, &len), "a\0b", 4);
    assert_int_equal(len, 3);
}

static void frames_differ_by_line(void **state)
{
    struct profile *profile = *state;
    uint32_t one = add_frame(profile, "f", "a.py", 1);
    assert_int_equal(one, add_frame(profile, "f", "a.py", 1));
    assert_int_not_equal(one, add_frame(profile, "f", "a.py", 2));
    assert_int_not_equal(one, add_frame(profile, "f", "b.py", 1));
}

static void thousands_of_strings_frames_and_nodes_stay_distinct(void **state)
{
    struct profile *profile = *state;
    enum { COUNT = 5000 };
    uint32_t node = PROFILE_ROOT;
    for (int i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%d", i);
        node = profile_child(profile, node, add_frame(profile, name, "a.py", i));
        assert_int_equal(node, i + 1);
    }
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    assert_int_equal(count, COUNT + 1);
    assert_int_equal(nodes[COUNT].parent, COUNT - 1);
}

/* With one, a few and many children, in any order, a node is found again by its parent and its frame. */
static void children_are_found_again(void **state)
{
    struct profile *profile = *state;
    enum { CALLS = 20000, FRAMES = 40, NODES = 3000 };
    struct {
        uint32_t parent, frame;
    } seen[NODES + 1] = {{0}};
    uint32_t seen_count = 1;
    uint32_t frames[FRAMES];
    for (int i = 0; i < FRAMES; i++)
        frames[i] = add_frame(profile, "f", "a.py", i);
    srand(5);
    for (int call = 0; call < CALLS; call++) {
        uint32_t parent = (uint32_t)rand() % (rand() % 2 ? seen_count : (seen_count + 9) / 10);
        uint32_t frame = frames[rand() % (rand() % 3 ? FRAMES : 2)];
        uint32_t expected = 1;
        while (expected < seen_count && (seen[expected].parent != parent || seen[expected].frame != frame))
            expected++;
        if (expected == NODES)
            continue;
        assert_int_equal(profile_child(profile, parent, frame), expected);
        seen[expected].parent = parent;
        seen[expected].frame = frame;
        seen_count += expected == seen_count;
    }
    assert_true(seen_count > NODES / 2);
}

static void a_child_of_nothing_is_nothing(void **state)
{
    struct profile *profile = *state;
    assert_int_equal(profile_child(profile, PROFILE_NONE, 0), PROFILE_NONE);
    assert_int_equal(profile_child(profile, PROFILE_ROOT, PROFILE_NONE), PROFILE_NONE);
}

static void the_call_tree_sums_up_and_sorts(void **state)
{
    struct profile *profile = *state;
    uint32_t main_node = profile_child(profile, PROFILE_ROOT, add_frame(profile, "main", "a.py", 1));
    uint32_t zeta = profile_child(profile, main_node, add_frame(profile, "zeta", "a.py", 2));
    uint32_t alpha = profile_child(profile, main_node, add_frame(profile, "alpha", "a.py", 3));
    profile_count(profile, zeta, 3);
    profile_count(profile, alpha, 4);
    profile_count(profile, main_node, 2);

    cleanup_calltree struct calltree tree;
    assert_null(calltree_init(&tree, profile));
    assert_int_equal(tree.count, 4);
    assert_int_equal(tree.depth, 2);
    assert_int_equal(tree.nodes[0].total, 9);
    assert_int_equal(tree.nodes[1].total, 9);
    assert_int_equal(tree.nodes[1].self, 2);
    assert_int_equal(tree.nodes[1].child_count, 2);
    const struct calltree_node *first = &tree.nodes[tree.nodes[1].first_child];
    size_t len;
    assert_string_equal(profile_string(profile, profile_frame(profile, first->frame)->name, &len), "alpha");
    assert_int_equal(first->total, 4);
}

static void a_file_can_be_given_a_short_name(void **state)
{
    struct profile *profile = *state;
    add_frame(profile, "f", "/lib/a.py", 1);
    uint32_t file = profile_intern(profile, "/lib/a.py", 9);
    assert_int_equal(profile_short_file(profile, file), file);
    profile_set_short_file(profile, file, profile_intern(profile, "x", 1));
    size_t len;
    assert_string_equal(profile_string(profile, profile_short_file(profile, file), &len), "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strings_are_stored_once, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_nul_inside_a_string_is_kept, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(frames_differ_by_line, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(thousands_of_strings_frames_and_nodes_stay_distinct, create_profile,
                                        destroy_profile),
        cmocka_unit_test_setup_teardown(children_are_found_again, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_child_of_nothing_is_nothing, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_call_tree_sums_up_and_sorts, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_file_can_be_given_a_short_name, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
