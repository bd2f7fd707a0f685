/* SPDX-License-Identifier: MIT */
#include "sampler/frame_merge.h"

#include "python/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Stacks are written as words, innermost first. C: "poll _PyEval_EvalFrameDefault main"; each frame has 16 bytes, from
 * STACK on. Python: "g. f" are two frames, of which g is an entry; "g@3." has its anchor in the C frame with number 3.
 */
enum { STACK = 0x10000, FRAME_LEN = 16, LIMIT = 32, NAME_LEN = 48 };

static struct python_version version = {.major = 3, .minor = 9};
static struct native_function functions[LIMIT];
static char function_names[LIMIT][NAME_LEN];
static char code_names[LIMIT][NAME_LEN];

static int asked; /* how often the symbolizer was */

/* Stand-ins for the rooms below. */
const struct native_function *symbolizer_find(struct symbolizer *symbolizer, remote_addr pc, bool is_call,
                                              uint32_t *ret_count)
{
    (void)symbolizer;
    (void)is_call;
    *ret_count = 1;
    asked++;
    return &functions[pc];
}

static void read_native(const char *text, struct native_frame *frames, uint32_t *ret_count)
{
    char words[256];
    uint32_t count = 0;
    snprintf(words, sizeof(words), "%s", text);
    for (char *rest = NULL, *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        bool is_unnamed = *word == '?' || *word == '[', is_in_file = *word != '[';
        snprintf(function_names[count], NAME_LEN, "%s", word);
        functions[count] = (struct native_function){.serial = 100 + count,
                                                    .name = function_names[count],
                                                    .symbol = is_unnamed ? "" : function_names[count],
                                                    .file = "",
                                                    .path = strstr(word, "lib") ? strstr(function_names[count], "lib")
                                                            : is_in_file        ? "python"
                                                                                : "",
                                                    .len = strcmp(word, "?emptyloop") == 0 ? 500 : 5000,
                                                    .is_named = !is_unnamed,
                                                    .is_in_file = is_in_file,
                                                    .is_made = strcmp(word, "[made]") == 0};
        frames[count] =
            (struct native_frame){.pc = count, .sp = STACK + count * FRAME_LEN, .cfa = STACK + (count + 1) * FRAME_LEN};
        count++;
    }
    *ret_count = count;
}

static void read_python(const char *text, struct merged_python *frames, uint32_t *ret_count)
{
    char words[256];
    uint32_t count = 0;
    snprintf(words, sizeof(words), "%s", text);
    for (char *rest = NULL, *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *dot = strchr(word, '.'), *at = strchr(word, '@');
        remote_addr anchor = at ? STACK + strtoull(at + 1, NULL, 10) * FRAME_LEN + 8 : 0;
        if (dot)
            *dot = '\0';
        if (at)
            *at = '\0';
        snprintf(code_names[count], NAME_LEN, "%s", word);
        frames[count] = (struct merged_python){.is_entry = dot != NULL, .anchor = anchor};
        count++;
    }
    *ret_count = count;
}

/* What comes out of two stacks, and whether they were matched. */
static void check_end(const char *native, const char *python, enum unwind_end end, bool with_all, const char *expected,
                      bool is_matched)
{
    struct frame_merge merge = {.with_all = with_all};
    struct native_frame native_frames[LIMIT];
    struct merged_python python_frames[LIMIT];
    struct frame_merge_input input = {.native_frames = native_frames,
                                      .python_frames = python_frames,
                                      .end = end,
                                      .stack_start = STACK,
                                      .version = &version,
                                      .system_call = -1};
    char text[512] = "";
    bool was_matched;
    read_native(native, native_frames, &input.native_count);
    read_python(python, python_frames, &input.python_count);
    input.stack_end = STACK + input.native_count * FRAME_LEN;
    assert_true(frame_merge_run(&merge, &input, &was_matched));
    for (uint32_t i = 0; i < merge.count; i++) {
        const struct stack_frame *frame = &merge.frames[i];
        const char *name = frame->kind == FRAME_NATIVE ? frame->function->name : code_names[frame->index];
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "", name);
    }
    assert_string_equal(text, expected);
    assert_int_equal(was_matched, is_matched);
    frame_merge_deinit(&merge);
}

static void check(const char *native, const char *python, const char *expected)
{
    check_end(native, python, UNWIND_WHOLE, false, expected, true);
}

#define EVAL "_PyEval_EvalFrameDefault"

static void groups_take_the_place_of_the_frames_that_they_are_anchored_in(void **state)
{
    (void)state;
    check("zlib_compress " EVAL " libwork " EVAL " main", "c b@1. a@3.", "zlib_compress c b libwork a");
    /* No symbol is needed. */
    check("zlib_compress ? libwork ? main", "c b@1. a@3.", "zlib_compress c b libwork a");
}

/* Two stacks that are changed before they are merged. */
struct scene {
    struct frame_merge merge;
    struct native_frame native[LIMIT];
    struct merged_python python[LIMIT];
    struct frame_merge_input input;
};

static void set_scene(struct scene *scene, const char *native, const char *python)
{
    *scene = (struct scene){.input = {.native_frames = scene->native,
                                      .python_frames = scene->python,
                                      .stack_start = STACK,
                                      .version = &version,
                                      .system_call = -1}};
    read_native(native, scene->native, &scene->input.native_count);
    read_python(python, scene->python, &scene->input.python_count);
    scene->input.stack_end = STACK + scene->input.native_count * FRAME_LEN;
}

/* Merges the stacks; there have to be four frames of these names. */
static void check_scene(struct scene *scene, const char *const expected[4])
{
    bool is_matched;
    assert_true(frame_merge_run(&scene->merge, &scene->input, &is_matched));
    assert_int_equal(scene->merge.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct stack_frame *frame = &scene->merge.frames[i];
        assert_string_equal(frame->kind == FRAME_NATIVE ? frame->function->name : code_names[frame->index],
                            expected[i]);
    }
    frame_merge_deinit(&scene->merge);
}

static void a_group_whose_c_frame_was_not_found_is_placed_by_its_address(void **state)
{
    (void)state;
    /* 16 bytes of a frame that the unwinder left out. */
    struct scene scene;
    set_scene(&scene, "zlib_compress skipped libwork main", "b@1. a@9.");
    scene.native[1] = scene.native[2];
    scene.native[2] = scene.native[3];
    scene.input.native_count = 3;
    check_scene(&scene, (const char *const[]){"zlib_compress", "b", "libwork", "a"});
}

/* How often the symbolizer is asked when the stacks are merged once more. */
static int count_asked(struct scene *scene)
{
    bool is_matched;
    asked = 0;
    assert_true(frame_merge_run(&scene->merge, &scene->input, &is_matched));
    return asked;
}

static void a_frame_that_is_there_again_is_not_asked_for(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "zlib_compress libwork [made] " EVAL " main", "b@3.");
    assert_true(count_asked(&scene) >= 5);
    int without_name = count_asked(&scene);
    assert_in_range(without_name, 1, 2); /* a compiler may have named it meanwhile */
    /* One call less further in, and the frames further out are there again. */
    scene.native[1].pc = 0;
    scene.input.native_frames = scene.native + 1;
    scene.input.native_count--;
    assert_int_equal(count_asked(&scene), without_name + 1);
    frame_merge_update(&scene.merge);
    assert_true(count_asked(&scene) >= 4);
    frame_merge_deinit(&scene.merge);
}

static void no_python_runs_on_the_stack_of_a_handler(void **state)
{
    (void)state;
    /* The first two frames are on another stack, which lies further out, and the anchors on the copy that follows. */
    struct scene scene;
    set_scene(&scene, "libraise libhandler libcrash " EVAL " main", "b@3.");
    scene.input.handler_count = 2;
    for (uint32_t i = 0; i < 2; i++) {
        scene.native[i].sp += 0x100000;
        scene.native[i].cfa += 0x100000;
    }
    check_scene(&scene, (const char *const[]){"libraise", "libhandler", "libcrash", "b"});
}

static void groups_beyond_the_copy_are_further_out(void **state)
{
    (void)state;
    check_end("zlib_compress " EVAL " libwork", "c@1. b@8. a@9.", UNWIND_CUT, false, "zlib_compress c libwork b a",
              true);
}

static void loops_are_counted_where_there_are_no_anchors(void **state)
{
    (void)state;
    check("zlib_compress " EVAL " libwork " EVAL ".constprop.0 main", "b. a.", "zlib_compress b libwork a");
}

static void one_loop_may_have_begun_or_not(void **state)
{
    (void)state;
    check(EVAL " libwork " EVAL, "a.", "libwork a");
    check("libwork " EVAL, "b. a.", "b libwork a");
}

static void what_does_not_fit_keeps_python_frames(void **state)
{
    (void)state;
    check_end("libz " EVAL " libwork " EVAL " " EVAL " " EVAL, "b. a.", UNWIND_WHOLE, false, "libz b a", false);
    check_end("libz main", "b. a.", UNWIND_WHOLE, false, "b a", false);
    check_end("libz", "b. a.", UNWIND_LOST, false, "libz b a", true);
    check_end("libz " EVAL, "c. b. a.", UNWIND_LOST, false, "libz c b a", true);
    check_end("", "b. a.", UNWIND_LOST, false, "b a", true);
}

static void machinery_is_only_shown_when_asked_for(void **state)
{
    (void)state;
    check("sleep _PyFunction_Vectorcall " EVAL " main", "a@2.", "sleep a");
    check_end("sleep _PyFunction_Vectorcall " EVAL " main", "a@2.", UNWIND_WHOLE, true,
              "sleep _PyFunction_Vectorcall a " EVAL " main", true);
}

static void what_the_loop_called_to_do_its_own_work_is_machinery(void **state)
{
    (void)state;
    check("time _TAIL_CALL_CALL_BUILTIN_FAST " EVAL " main", "a@2.", "time a");
    check("time ?called " EVAL, "a@2.", "time ?called a");
    check("time ?handler ?emptyloop", "a@2.", "time a");
    check("?call ?handler ?emptyloop", "a@2.", "?call a");
    check("?call ?other ?handler ?emptyloop", "a@3.", "?call a");
    check("?handler ?emptyloop ?emptyloop", "a@1. b@2.", "a b");
    check_end("time _TAIL_CALL_CALL " EVAL, "a@2.", UNWIND_WHOLE, true, "time _TAIL_CALL_CALL a " EVAL, true);
}

static void what_cpython_compiled_is_machinery(void **state)
{
    (void)state;
    check("time [made] " EVAL " main", "a@2.", "time [made] a");
    version.minor = 15;
    check("time [made] " EVAL " main", "a@2.", "time a");
    check("[made] _PyJIT_Entry " EVAL " libwork " EVAL, "b@2. a@4.", "b libwork a");
    check("[made] libnumba " EVAL, "a@2.", "[made] libnumba a");
    check("[unknown] " EVAL, "a@1.", "[unknown] a");
    check_end("[made]", "a@4.", UNWIND_LOST, false, "[made] a", true);
    version.minor = 9;
}

static void an_interpreter_without_symbols_shows_what_it_does_last(void **state)
{
    (void)state;
    check("libc ?time ?call ?eval ?call ?eval", "b@3. a@5.", "libc ?time b a");
}

static void what_begins_a_thread_is_not_shown(void **state)
{
    (void)state;
    check("libwork _PyEval_EvalFrameDefault start_thread ?libc.so", "a@1.", "libwork a");
    check("?libc.so", "", "?libc.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_take_the_place_of_the_frames_that_they_are_anchored_in),
        cmocka_unit_test(a_group_whose_c_frame_was_not_found_is_placed_by_its_address),
        cmocka_unit_test(a_frame_that_is_there_again_is_not_asked_for),
        cmocka_unit_test(no_python_runs_on_the_stack_of_a_handler),
        cmocka_unit_test(groups_beyond_the_copy_are_further_out),
        cmocka_unit_test(loops_are_counted_where_there_are_no_anchors),
        cmocka_unit_test(one_loop_may_have_begun_or_not),
        cmocka_unit_test(what_does_not_fit_keeps_python_frames),
        cmocka_unit_test(machinery_is_only_shown_when_asked_for),
        cmocka_unit_test(what_begins_a_thread_is_not_shown),
        cmocka_unit_test(what_the_loop_called_to_do_its_own_work_is_machinery),
        cmocka_unit_test(what_cpython_compiled_is_machinery),
        cmocka_unit_test(an_interpreter_without_symbols_shows_what_it_does_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
