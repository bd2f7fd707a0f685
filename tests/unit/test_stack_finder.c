/* SPDX-License-Identifier: MIT */
#include "sampler/stack_finder.h"

#include "native/function.h"
#include "profile/profile.h"
#include "sampler/stack_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FRAME_COUNT = 6, DEPTH_LIMIT = 12, ROUNDS = 20000, SYSTEM_CALL = 1 };

/* The same frames as Python's, as C's, and the kernel's; and what the profile calls them. */
struct scene {
    struct profile *profile;
    struct stack_finder finder;
    struct joined_python python[FRAME_COUNT];
    struct native_function functions[FRAME_COUNT];
    char names[FRAME_COUNT][4];
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_null(profile_create("all", "test", &scene->profile));
    scene->finder.profile = scene->profile;
    for (uint32_t i = 0; i < FRAME_COUNT; i++) {
        snprintf(scene->names[i], sizeof(scene->names[i]), "f%u", (unsigned)i % 10);
        const struct profile_frame frame = {.name = profile_intern(scene->profile, scene->names[i], 2),
                                            .file = PROFILE_NONE};
        scene->python[i].frame = profile_intern_frame(scene->profile, &frame);
        /* Two of them have one function, on two lines. */
        scene->functions[i] = (struct native_function){
            .serial = i / 2, .line = (int32_t)i, .name = scene->names[i], .file = "", .path = ""};
    }
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    stack_finder_deinit(&scene->finder);
    profile_destroy(scene->profile);
    free(scene);
    return 0;
}

static struct stack_frame random_frame(const struct scene *scene)
{
    uint32_t index = (uint32_t)rand() % FRAME_COUNT;
    switch (rand() % 5) {
    case 0:
        return (struct stack_frame){.kind = FRAME_KERNEL, .system_call = SYSTEM_CALL};
    case 1:
    case 2:
        return (struct stack_frame){
            .kind = FRAME_NATIVE, .function = &scene->functions[index], .name = scene->names[index]};
    default:
        return (struct stack_frame){.kind = FRAME_PYTHON, .index = index};
    }
}

/* The frames of a node, innermost first, have to be those of a stack. */
static void assert_is_stack(const struct scene *scene, uint32_t node, const struct stack_frame *frames, uint32_t count)
{
    uint32_t node_count;
    const struct profile_node *nodes = profile_nodes(scene->profile, &node_count);
    for (uint32_t i = 0; i < count; i++, node = nodes[node].parent) {
        assert_true(node < node_count && node != PROFILE_ROOT);
        const struct profile_frame *frame = profile_frame(scene->profile, nodes[node].frame);
        assert_int_equal(frame->kind, frames[i].kind);
        if (frames[i].kind == FRAME_PYTHON)
            assert_int_equal(nodes[node].frame, scene->python[frames[i].index].frame);
        if (frames[i].kind == FRAME_NATIVE)
            assert_int_equal(frame->line, frames[i].function->line);
    }
    assert_int_equal(node, PROFILE_ROOT);
}

/* Stacks that follow each other have most of their outer frames in common, and now and then nothing. */
static void joined_stacks_end_in_nodes_with_their_frames(void **state)
{
    struct scene *scene = *state;
    struct stack_frame outer_first[DEPTH_LIMIT], frames[DEPTH_LIMIT];
    uint32_t len = 0;
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t kept = len > 0 ? (uint32_t)rand() % (len + 1) : 0;
        len = 1 + (uint32_t)rand() % DEPTH_LIMIT;
        for (uint32_t i = kept; i < len; i++)
            outer_first[i] = random_frame(scene);
        for (uint32_t i = 0; i < len; i++)
            frames[i] = outer_first[len - 1 - i];
        uint32_t node = stack_finder_join(&scene->finder, frames, len, scene->python);
        assert_is_stack(scene, node, frames, len);
        assert_int_equal(stack_finder_join(&scene->finder, frames, len, scene->python), node);
    }
}

static void what_a_profile_has_forgotten_is_found_anew(void **state)
{
    struct scene *scene = *state;
    const struct stack_frame frames[] = {
        {.kind = FRAME_NATIVE, .function = &scene->functions[3], .name = "f3"},
        {.kind = FRAME_NATIVE, .function = &scene->functions[0], .name = "f0"},
    };
    uint32_t node_count;
    cleanup_profile struct profile *other = NULL;
    assert_null(profile_create("all", "test", &other));
    stack_finder_join(&scene->finder, frames, 2, scene->python);
    profile_swap(scene->profile, other);
    stack_finder_forget(&scene->finder);
    uint32_t node = stack_finder_join(&scene->finder, frames, 2, scene->python);
    profile_nodes(scene->profile, &node_count);
    assert_int_equal(node_count, 3);
    assert_is_stack(scene, node, frames, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joined_stacks_end_in_nodes_with_their_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_profile_has_forgotten_is_found_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
