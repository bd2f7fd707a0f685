/* SPDX-License-Identifier: MIT */
#include "profile/filter.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { HUGE_LEN = 1 << 20 };

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static struct filter *create(const struct filter_options *options)
{
    struct filter *filter = NULL;
    struct error *error = filter_create(options, &filter);
    if (error)
        print_error("%s\n", error->sentence);
    assert_null(error);
    return filter;
}

static bool is_focus(const struct profile *profile, uint32_t frame, const char *expression)
{
    const struct filter_options options = {.focus = expression};
    cleanup_filter struct filter *filter = create(&options);
    assert_true(filter_needs_focus(filter));
    assert_false(filter_needs_start(filter));
    return filter_judge(filter, profile, frame).is_focus;
}

static bool is_hidden(const struct profile *profile, const char *file, const struct filter_options *options)
{
    cleanup_filter struct filter *filter = create(options);
    struct profile *changed = (struct profile *)profile;
    return filter_judge(filter, profile, build_frame(changed, "f", file, 1)).is_hidden;
}

static void nothing_is_asked_for(void **state)
{
    struct profile *profile = *state;
    const struct filter_options options = {0};
    cleanup_filter struct filter *filter = create(&options);
    const struct profile_thread thread = {.name = PROFILE_NONE};
    uint32_t added = profile_add_thread(profile, &thread);
    struct filter_verdict verdict = filter_judge(filter, profile, build_frame(profile, "f", "a.py", 1));
    assert_false(verdict.is_focus || verdict.is_ignored || verdict.is_start || verdict.is_hidden);
    assert_false(filter_needs_focus(filter) || filter_needs_start(filter));
    assert_true(filter_accepts_thread(filter, profile, added));
    filter_destroy(NULL);
}

static void expressions_are_found_in_the_label(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame(profile, "Net.conv2d", "/srv/torch/nn.py", 42);
    static const char *const found[] = {"conv2d",  "^Net\\.", "torch/", "nn\\.py:42\\)$", "^Net.conv2d \\(/srv",
                                        "(?i)NET", ""};
    static const char *const not_found[] = {"^conv2d", "Conv2d", "nn\\.py:4\\)", "conv2d$", "\\n"};
    for (size_t i = 0; i < array_size(found); i++)
        assert_true(is_focus(profile, frame, found[i]));
    for (size_t i = 0; i < array_size(not_found); i++)
        assert_false(is_focus(profile, frame, not_found[i]));
    profile_set_short_file(profile, profile_frame(profile, frame)->file, profile_intern(profile, "short.py", 8));
    assert_true(is_focus(profile, frame, "\\(/srv/torch"));
    assert_false(is_focus(profile, frame, "short"));
}

static void a_label_says_no_more_than_is_known(void **state)
{
    struct profile *profile = *state;
    assert_true(is_focus(profile, build_frame(profile, "f", "a.py", 0), "^f \\(a\\.py\\)$"));
    assert_true(is_focus(profile, build_frame(profile, "f", "", 7), "^f$"));
    assert_true(is_focus(profile, build_frame(profile, "f", "a.py", INT32_MIN), "^f \\(a\\.py:-2147483648\\)$"));
    assert_true(is_focus(profile, build_group(profile, FRAME_MARK, "<GC>"), "^<GC>$"));
}

static void roots_of_threads_and_processes_are_not_judged(void **state)
{
    struct profile *profile = *state;
    const struct filter_options options = {.focus = ".", .ignore = ".", .show_from = ".", .hide = "."};
    cleanup_filter struct filter *filter = create(&options);
    const uint32_t roots[] = {0, build_thread(profile, "t"), build_process(profile, "p")};
    for (size_t i = 0; i < array_size(roots); i++) {
        struct filter_verdict verdict = filter_judge(filter, profile, roots[i]);
        assert_false(verdict.is_focus || verdict.is_ignored || verdict.is_start || verdict.is_hidden);
    }
}

static void each_expression_has_its_own_verdict(void **state)
{
    struct profile *profile = *state;
    const struct filter_options options = {.focus = "^f", .ignore = "^ig", .show_from = "^s", .hide = "h "};
    cleanup_filter struct filter *filter = create(&options);
    assert_true(filter_needs_start(filter));
    struct filter_verdict verdict = filter_judge(filter, profile, build_frame(profile, "focus", "a.py", 1));
    assert_true(verdict.is_focus && !verdict.is_ignored && !verdict.is_start && !verdict.is_hidden);
    verdict = filter_judge(filter, profile, build_frame(profile, "ignore", "a.py", 1));
    assert_true(!verdict.is_focus && verdict.is_ignored && !verdict.is_start && !verdict.is_hidden);
    verdict = filter_judge(filter, profile, build_frame(profile, "start", "a.py", 1));
    assert_true(!verdict.is_focus && !verdict.is_ignored && verdict.is_start && !verdict.is_hidden);
    verdict = filter_judge(filter, profile, build_frame(profile, "h", "a.py", 1));
    assert_true(!verdict.is_focus && !verdict.is_ignored && !verdict.is_start && verdict.is_hidden);
}

/* pprof hides before it looks for the start. */
static void what_is_hidden_is_no_start(void **state)
{
    struct profile *profile = *state;
    const struct filter_options options = {.focus = "f", .show_from = "f", .hide = "f"};
    cleanup_filter struct filter *filter = create(&options);
    struct filter_verdict verdict = filter_judge(filter, profile, build_frame(profile, "f", "a.py", 1));
    assert_true(verdict.is_focus && verdict.is_hidden && !verdict.is_start);
}

static void libraries_are_hidden_by_their_place(void **state)
{
    static const char import_system[] = "<frozen importlib._bootstrap>",
                      library[] = "/usr/lib/python3.11/json/decoder.py",
                      package[] = "/usr/lib/python3.11/site-packages/a.py", own[] = "/home/me/a.py";
    const struct filter_options importlib = {.hide_importlib = true}, stdlib = {.hide_stdlib = true};
    const struct filter_options both = {.hide_stdlib = true, .hide = "^f \\(/home"};
    assert_true(is_hidden(*state, import_system, &importlib));
    assert_false(is_hidden(*state, library, &importlib));
    assert_true(is_hidden(*state, import_system, &stdlib));
    assert_true(is_hidden(*state, library, &stdlib));
    assert_false(is_hidden(*state, package, &stdlib));
    assert_false(is_hidden(*state, own, &stdlib));
    assert_true(is_hidden(*state, own, &both));
    assert_true(is_hidden(*state, library, &both));
}

static uint32_t add_thread(struct profile *profile, const char *name, int64_t os_id, uint64_t id, bool is_main)
{
    const struct profile_thread thread = {
        .os_id = os_id,
        .id = id,
        .name = name ? profile_intern(profile, name, strlen(name)) : PROFILE_NONE,
        .is_main = is_main,
    };
    return profile_add_thread(profile, &thread);
}

static bool accepts(const struct profile *profile, uint32_t thread, const char *expression, bool only_main)
{
    const struct filter_options options = {.thread = expression, .only_main_thread = only_main};
    cleanup_filter struct filter *filter = create(&options);
    return filter_accepts_thread(filter, profile, thread);
}

static void threads_have_a_name_or_a_number(void **state)
{
    struct profile *profile = *state;
    uint32_t main_thread = add_thread(profile, "MainThread", 1234, 140000000000000, true);
    uint32_t worker = add_thread(profile, "worker-7", 1235, 140000000000001, false);
    uint32_t nameless = add_thread(profile, NULL, 0, 18446744073709551615U, false);
    assert_true(accepts(profile, main_thread, "Main", false));
    assert_false(accepts(profile, worker, "Main", false));
    assert_true(accepts(profile, worker, "-7$", false));
    assert_true(accepts(profile, worker, "^1235$", false));
    assert_false(accepts(profile, worker, "^1400", false));
    assert_true(accepts(profile, nameless, "^18446744073709551615$", false));
    assert_false(accepts(profile, nameless, "^0$", false));
    assert_true(accepts(profile, main_thread, NULL, true));
    assert_false(accepts(profile, worker, NULL, true));
    assert_true(accepts(profile, main_thread, "1234", true));
    assert_false(accepts(profile, main_thread, "worker", true));
}

static void a_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        struct filter_options options;
        const char *sentence;
    } cases[] = {
        {{.focus = "a(b"}, "focus: 'a(b' is not a regular expression: missing closing parenthesis (at its end)"},
        {{.ignore = "a)b"},
         "ignore: 'a)b' is not a regular expression: unmatched closing parenthesis (at character 2)"},
        {{.show_from = "\xC3\xA9\xC3\xA9[z-a]"},
         "show-from: '\xC3\xA9\xC3\xA9[z-a]' is not a regular expression: range out of order in character class (at "
         "character 6)"},
        {{.hide = "*"},
         "hide: '*' is not a regular expression: quantifier does not follow a repeatable item (at character 1)"},
        {{.thread = "\\"}, "thread: '\\' is not a regular expression: \\ at end of pattern (at its end)"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct filter *filter = NULL;
        cleanup_error struct error *error = filter_create(&cases[i].options, &filter);
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_USAGE);
        assert_string_equal(error->sentence, cases[i].sentence);
        assert_null(filter);
    }
    struct filter *filter = NULL;
    const struct filter_options no_utf8 = {.focus = "a\xFF"};
    cleanup_error struct error *error = filter_create(&no_utf8, &filter);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_USAGE);
    assert_non_null(strstr(error->sentence, "UTF-8"));
}

static void letters_are_those_of_all_alphabets(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame(profile,
                                 "gr\xC3\xB6\xC3\x9F"
                                 "e",
                                 "a.py", 1);
    assert_true(is_focus(profile, frame, "^\\w+ \\("));
    assert_true(is_focus(profile, frame,
                         "^gr.\xC3\x9F"
                         "e "));
    assert_true(is_focus(profile, frame, "(?i)GR\xC3\x96"));
}

static void hostile_names_are_text_like_any_other(void **state)
{
    struct profile *profile = *state;
    static const char with_nul[] = "a\0b\nc";
    uint32_t frame = build_frame_bytes(profile, with_nul, sizeof(with_nul) - 1, "x.py", 1);
    assert_true(is_focus(profile, frame, "^a\\x00b\\nc \\(x"));
    assert_true(is_focus(profile, frame, "^a.*c \\("));
    static const char broken[] = "a\xFF\xC3(b\xED\xA0\x80";
    frame = build_frame_bytes(profile, broken, sizeof(broken) - 1, "x.py", 1);
    assert_true(is_focus(profile, frame, "^a"));
    assert_true(is_focus(profile, frame, "\\(b"));
    assert_true(is_focus(profile, frame, "x\\.py"));
    assert_false(is_focus(profile, frame, "^a.*b"));
}

static char *repeat(char c, size_t len)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, c, len);
    text[len] = '\0';
    return text;
}

static void a_long_name_is_matched_in_its_beginning_and_its_place(void **state)
{
    struct profile *profile = *state;
    cleanup_free char *name = repeat('a', HUGE_LEN), *file = repeat('/', HUGE_LEN);
    uint32_t frame = build_frame(profile, name, "b.py", 3);
    assert_true(is_focus(profile, frame, "^a{1000} \\(b\\.py:3\\)$"));
    name[FILTER_NAME_LIMIT - 1] = '\xC3'; /* a character that the limit cuts */
    name[FILTER_NAME_LIMIT] = '\xA9';
    assert_true(is_focus(profile, build_frame(profile, name, "b.py", 3), "\\(b\\.py:3\\)$"));
    assert_true(is_focus(profile, build_frame(profile, "f", file, INT32_MIN), "^f \\(/{4096}:-2147483648\\)$"));
    assert_true(accepts(profile, add_thread(profile, name, 0, 0, false), "^a{999}", false));
}

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Without limits these take longer than anybody lives, or, the last two, hours. */
static void a_match_that_takes_too_long_is_given_up(void **state)
{
    struct profile *profile = *state;
    cleanup_free char *name = repeat('a', HUGE_LEN), *file = repeat('a', HUGE_LEN);
    uint32_t frame = build_frame(profile, name, file, 3);
    static const char *const expressions[] = {
        "(a|aa)+$", "^(a+)+[bc]", "(a*)*[bc]", "(a|b|ab)*[bc]d", "(?:a?){99}a{99}[!?]", "(.*)(.*)(.*)[!?]", ".*.*[!?]"};
    for (size_t i = 0; i < array_size(expressions); i++) {
        const struct filter_options options = {.focus = expressions[i]};
        cleanup_filter struct filter *filter = create(&options);
        double begin = cpu_seconds();
        assert_false(filter_judge(filter, profile, frame).is_focus);
        double taken = cpu_seconds() - begin;
        print_message("%s: %.3f s, %d given up\n", expressions[i], taken, (int)filter_abandoned(filter));
        assert_true(taken < 10); /* under valgrind and sanitizers; else some milliseconds */
    }
    const struct filter_options options = {.focus = "^(a|aa)+b", .hide = "b\\.py"};
    cleanup_filter struct filter *filter = create(&options);
    assert_int_equal(filter_abandoned(filter), 0);
    struct filter_verdict verdict = filter_judge(filter, profile, build_frame(profile, name, "b.py", 1));
    assert_true(!verdict.is_focus && verdict.is_hidden);
    assert_int_equal(filter_abandoned(filter), 1);
}

static void assert_description(const struct filter_options *options, const char *expected)
{
    cleanup_filter struct filter *filter = create(options);
    cleanup_buffer struct buffer out = {0};
    buffer_append_text(&out, "> ");
    filter_describe(filter, &out);
    assert_string_equal(buffer_text(&out) + 2, expected);
}

static void it_says_what_is_shown(void **state)
{
    (void)state;
    assert_description(&(struct filter_options){0}, "");
    assert_description(&(struct filter_options){.focus = "conv2d", .hide = "^<module>"},
                       "focus \"conv2d\", hide \"^<module>\"");
    assert_description(&(struct filter_options){.only_main_thread = true}, "main thread");
    assert_description(&(struct filter_options){.hide_importlib = true, .hide_stdlib = true},
                       "without the standard library");
    assert_description(
        &(struct filter_options){
            .ignore = "i", .show_from = "s", .thread = "\"t\"", .only_main_thread = true, .hide_importlib = true},
        "ignore \"i\", show-from \"s\", thread \"\"t\"\", main thread, without the import system");
    cleanup_buffer struct buffer out = {0};
    filter_describe(NULL, &out);
    assert_int_equal(out.len, 0);
}

static void native_frames_have_labels_and_places(void **state)
{
    struct profile *profile = *state;
    const char library[] = "/usr/lib/libc.so.6", python[] = "/usr/bin/python3.11";
    assert_true(is_focus(profile, build_native(profile, "read", library, 0), "^read \\(/usr/lib/libc\\.so\\.6\\)$"));
    assert_true(is_focus(profile, build_native(profile, "f", "/src/f.c", 12), "^f \\(/src/f\\.c:12\\)$"));
    assert_true(is_focus(profile, build_native(profile, "f", "", 0), "^f$"));
    assert_true(is_focus(profile, build_kernel(profile, "read"), "^read \\(kernel\\)$"));

    const struct filter_options without_stdlib = {.hide_stdlib = true}, without_import = {.hide_importlib = true};
    cleanup_filter struct filter *stdlib = create(&without_stdlib), *import = create(&without_import);
    assert_true(filter_judge(stdlib, profile, build_native(profile, "list_sort", python, 0)).is_hidden);
    assert_false(filter_judge(import, profile, build_native(profile, "list_sort", python, 0)).is_hidden);
    assert_true(filter_judge(import, profile, build_native(profile, "PyImport_Import", python, 0)).is_hidden);
    assert_false(filter_judge(stdlib, profile, build_native(profile, "read", library, 0)).is_hidden);
    assert_false(filter_judge(stdlib, profile, build_kernel(profile, "read")).is_hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_asked_for, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(expressions_are_found_in_the_label, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_label_says_no_more_than_is_known, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(roots_of_threads_and_processes_are_not_judged, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(each_expression_has_its_own_verdict, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(what_is_hidden_is_no_start, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(libraries_are_hidden_by_their_place, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(native_frames_have_labels_and_places, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(threads_have_a_name_or_a_number, create_profile, destroy_profile),
        cmocka_unit_test(a_mistake_is_named_with_its_place),
        cmocka_unit_test_setup_teardown(letters_are_those_of_all_alphabets, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(hostile_names_are_text_like_any_other, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_long_name_is_matched_in_its_beginning_and_its_place, create_profile,
                                        destroy_profile),
        cmocka_unit_test_setup_teardown(a_match_that_takes_too_long_is_given_up, create_profile, destroy_profile),
        cmocka_unit_test(it_says_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
