/* SPDX-License-Identifier: MIT */
#include "formats/formats.h"

#include "base/cleanup.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t interval_ns = 10000000;

static uint32_t intern(struct profile *profile, const char *text)
{
    return profile_intern(profile, text, strlen(text));
}

static int create_profile(void **state)
{
    struct profile *profile;
    if (profile_create("app", "python app.py --fast", &profile))
        return 1;
    profile_info(profile)->interval_ns = interval_ns;
    profile_info(profile)->duration_ns = 1230000000;
    profile_info(profile)->intervals.ok = 100;
    *state = profile;
    return 0;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

/* "name file:first:line" as a child of a node, with samples of its own; files of packages get their short name. */
static uint32_t call(struct profile *profile, uint32_t node, const char *text, uint64_t samples)
{
    cleanup_free char *copy = strdup(text);
    char *frozen = strstr(copy, " <frozen ");
    char *file = frozen ? frozen : strrchr(copy, ' ');
    *file++ = '\0';
    char *first = strchr(file, ':');
    *first++ = '\0';
    struct profile_frame frame = {
        .kind = FRAME_PYTHON,
        .name = intern(profile, copy),
        .file = intern(profile, file),
        .first_line = atoi(first),
        .line = atoi(strchr(first, ':') + 1),
    };
    const char *packages = strstr(file, "-packages/");
    if (*file == '/')
        profile_set_short_file(profile, frame.file,
                               intern(profile, packages ? packages + strlen("-packages/") : strrchr(file, '/') + 1));
    uint32_t child = profile_child(profile, node, profile_intern_frame(profile, &frame));
    profile_count(profile, child, samples);
    return child;
}

static uint32_t group(struct profile *profile, uint32_t node, enum frame_kind kind, const char *name, uint32_t member)
{
    const struct profile_frame frame = {
        .kind = kind, .name = intern(profile, name), .file = PROFILE_NONE, .member = member};
    return profile_child(profile, node, profile_intern_frame(profile, &frame));
}

static const char python[] = "/usr/bin/python3.11";

/* A C function of a library as a child of a node, with samples of its own. */
static uint32_t native(struct profile *profile, uint32_t node, const char *name, const char *library, uint64_t samples)
{
    const char *slash = strrchr(library, '/');
    uint32_t frame = build_native(profile, name, library, 0);
    profile_set_short_file(profile, profile_frame(profile, frame)->file, intern(profile, slash ? slash + 1 : library));
    return build_child(profile, node, frame, samples);
}

/* Frames of the import system, down to where a module's code begins. */
static uint32_t import(struct profile *profile, uint32_t node)
{
    node = call(profile, node, "_find_and_load <frozen importlib._bootstrap>:1167:1176", 0);
    node = call(profile, node, "exec_module <frozen importlib._bootstrap_external>:877:883", 0);
    return call(profile, node, "_call_with_frames_removed <frozen importlib._bootstrap>:233:241", 0);
}

/* The same as import(), with the C functions that Python 3.11 calls in between. */
static uint32_t native_import(struct profile *profile, uint32_t node)
{
    node = native(profile, node, "PyImport_ImportModuleLevelObject", python, 1);
    node = native(profile, node, "object_vacall", python, 0);
    node = import(profile, node);
    node = native(profile, node, "builtin_exec", python, 1);
    return native(profile, node, "PyEval_EvalCode", python, 0);
}

static char *write_tree(const struct profile *profile, const struct tree_options *tree)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    const struct format_options options = {.tree = *tree};
    assert_null(format_by_name("tree")->write(profile, &options, out));
    fclose(out);
    assert_int_equal(len, strlen(text));
    return text;
}

static void assert_tree(const struct profile *profile, const struct tree_options *options, const char *expected)
{
    cleanup_free char *text = write_tree(profile, options);
    assert_string_equal(text, expected);
}

/* Compares what stands between the head and the legend. */
static void assert_rows(const struct profile *profile, const struct tree_options *options, const char *expected)
{
    cleanup_free char *text = write_tree(profile, options);
    char *rows = strstr(text, "\n\n");
    assert_non_null(rows);
    rows += 2;
    char *legend = strstr(rows, "\n\n");
    if (legend)
        legend[1] = '\0';
    assert_string_equal(rows, expected);
}

static const struct tree_options usual = {.min_percent = TREE_MIN_PERCENT};

static void callers_stand_above_what_they_call(void **state)
{
    struct profile *profile = *state;
    struct profile_info *info = profile_info(profile);
    info->cpu_ns = 1110000000;
    info->intervals.idle = 20;
    info->intervals.torn = 2;
    info->intervals.missed = 1;
    uint32_t module = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:20", 0);
    uint32_t other = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:21", 0);
    call(profile, module, "work /src/app.py:3:4", 60);
    call(profile, module, "work /src/app.py:3:5", 4);
    call(profile, other, "work /src/app.py:3:5", 16);
    call(profile, other, "rest /src/app.py:8:8", 19);
    call(profile, other, "once /src/app.py:9:9", 1);
    assert_tree(profile, &(struct tree_options){.min_percent = 2},
                "python app.py --fast\n"
                "Duration  1.23s                   Samples   100 (100 a second)\n"
                "CPU time  1.11s (90%)             Lost      2 torn, 1 missed (2.4%)\n"
                "2.4 % of the intervals were lost, so shares may be off\n"
                "of 123 intervals: 100 ok, 20 idle, 2 torn, 0 unreadable, 1 missed\n"
                "100% is 1.00s, the sum of all samples; 0.20s idle not counted (-i does)\n"
                "\n"
                "1.00s  100%  <module>  app.py:1 → 20\n"
                "0.80s   80%  ├─ work   app.py:3 → 4\n"
                "0.19s   19%  └─ rest   app.py:8\n"
                "\n"
                "not shown: 1 row below 2% (--min-percent 0)\n"
                "file:12 → 34: begins at line 12, most time at line 34\n");
}

static void a_profile_without_samples_says_why(void **state)
{
    struct profile *profile = *state;
    profile_info(profile)->intervals.ok = 0;
    profile_info(profile)->intervals.idle = 5;
    assert_tree(profile, &usual,
                "python app.py --fast\n"
                "Duration  1.23s                   Samples   0 (100 a second)\n"
                "Lost      none\n"
                "of 5 intervals: 0 ok, 5 idle, 0 torn, 0 unreadable, 0 missed\n"
                "no samples\n"
                "5 of 5 samples were idle; -i shows them\n");
}

static void the_head_says_what_is_in_view(void **state)
{
    struct profile *profile = *state;
    profile_info(profile)->selection = intern(profile, "only with the GIL\033");
    profile_info(profile)->all_samples = 1234;
    call(profile, PROFILE_ROOT, "f /src/a.py:1:1", 100);
    cleanup_free char *text = write_tree(profile, &usual);
    assert_non_null(strstr(text, "; shown of 1,234 samples: only with the GIL\\x1b\n"));
}

static void time_without_an_interval_is_samples(void **state)
{
    struct profile *profile = *state;
    profile_info(profile)->interval_ns = 0;
    call(profile, PROFILE_ROOT, "f /src/a.py:0:0", 1500);
    assert_rows(profile, &usual, "1,500  100%  f  a.py\n");
}

static void own_time_beside_calls_has_a_row(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "f /src/a.py:1:2", 30);
    uint32_t g = call(profile, PROFILE_ROOT, "f /src/a.py:1:3", 10);
    call(profile, f, "g /src/a.py:5:6", 20);
    call(profile, g, "h /src/a.py:7:7", 40);
    assert_rows(profile, &usual,
                "1.00s  100%  f          a.py:1 → 2\n"
                "0.40s   40%  ├─ [self]  a.py:2\n"
                "0.40s   40%  ├─ h       a.py:7\n"
                "0.20s   20%  └─ g       a.py:5 → 6\n");
}

static void lines_whose_begin_is_not_known_stand_alone(void **state)
{
    struct profile *profile = *state;
    call(profile, PROFILE_ROOT, "f /src/a.py:0:7", 30);
    call(profile, PROFILE_ROOT, "f /src/a.py:0:9", 40);
    assert_rows(profile, &usual, "0.70s  100%  f  a.py:9\n");
}

static void recursion_is_one_row(void **state)
{
    struct profile *profile = *state;
    uint32_t node = call(profile, PROFILE_ROOT, "main /src/a.py:1:2", 0);
    for (int i = 0; i < 11; i++)
        node = call(profile, node, "fib /src/a.py:5:8", 1);
    call(profile, node, "fib /src/a.py:5:6", 50);
    call(profile, node, "leaf /src/a.py:10:10", 29);
    assert_rows(profile, &usual,
                "0.90s  100%  main             a.py:1 → 2\n"
                "0.90s  100%  └─ fib ×12 deep  a.py:5 → 6\n"
                "0.61s   68%     ├─ [self]     a.py:6\n"
                "0.29s   32%     └─ leaf       a.py:10\n");
}

static void recursion_through_a_comprehension_is_one_row(void **state)
{
    struct profile *profile = *state;
    uint32_t node = PROFILE_ROOT;
    for (int i = 0; i < 3; i++) {
        node = call(profile, node, "flat /src/a.py:1:2", 10);
        node = call(profile, node, "flat.<locals>.<listcomp> /src/a.py:2:2", 5);
    }
    assert_rows(profile, &usual,
                "0.45s  100%  flat ×3 deep   a.py:1 → 2\n"
                "0.30s   67%  ├─ [self]      a.py:2\n"
                "0.15s   33%  └─ <listcomp>  a.py:2\n");
}

static void recursion_of_several_functions_is_folded(void **state)
{
    struct profile *profile = *state;
    uint32_t node = PROFILE_ROOT;
    for (int i = 0; i < 50; i++) {
        node = call(profile, node, "even /src/a.py:1:2", 0);
        node = call(profile, node, "odd /src/a.py:5:6", 1);
    }
    assert_rows(profile, &usual,
                "0.50s  100%  even             a.py:1 → 2\n"
                "0.50s  100%  └─ odd ×50 deep  a.py:5 → 6\n");
}

static void imports_are_rows_of_packages(void **state)
{
    struct profile *profile = *state;
    uint32_t module = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:3", 0);
    uint32_t system = import(profile, module);
    /* Looking for the file, before a module's code runs, is the package's time as well. */
    call(profile, call(profile, module, "_find_and_load <frozen importlib._bootstrap>:1167:1170", 2),
         "_path_stat <frozen importlib._bootstrap_external>:140:142", 3);
    uint32_t torch = call(profile, system, "<module> /lib/site-packages/torch/__init__.py:1:200", 5);
    uint32_t nn = call(profile, import(profile, torch), "<module> /lib/site-packages/torch/nn/__init__.py:1:1", 20);
    call(profile, nn, "register /lib/site-packages/torch/library.py:30:31", 4);
    uint32_t numpy = call(profile, import(profile, nn), "<module> /lib/site-packages/numpy/__init__.py:1:140", 6);
    profile_count(profile, numpy, 0);
    uint32_t later = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:9", 0);
    call(profile, import(profile, later), "<module> /lib/site-packages/pandas/core/frame.py:1:2", 20);
    call(profile, later, "main /src/app.py:5:6", 40);
    assert_rows(profile, &usual,
                "1.00s  100%  <module>                        app.py:1 → 9\n"
                "0.40s   40%  ├─ importing torch              app.py:3\n"
                "0.06s    6%  │  ├─ importing numpy           torch/nn/__init__.py:1\n"
                "0.04s    4%  │  └─ register                  torch/library.py:30 → 31\n"
                "0.40s   40%  ├─ main                         app.py:5 → 6\n"
                "0.20s   20%  └─ importing pandas.core.frame  app.py:9\n");
}

static void python_2_imports_without_frames_of_its_own(void **state)
{
    struct profile *profile = *state;
    uint32_t module = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:3", 10);
    call(profile, module, "<module> /usr/lib/python2.7/json/__init__.py:1:100", 20);
    call(profile, module, "<module> /usr/lib/python2.7/cgi.py:1:9", 20);
    call(profile, module, "<module> <string>:1:9", 10);
    assert_rows(profile, &usual,
                "0.60s  100%  <module>     app.py:1 → 3\n"
                "0.20s   33%  ├─ <module>  cgi.py:1 → 9\n"
                "0.20s   33%  ├─ <module>  __init__.py:1 → 100\n"
                "0.10s   17%  ├─ [self]    app.py:3\n"
                "0.10s   17%  └─ <module>  <string>:1 → 9\n");
    const struct profile_process process = {.command_line = intern(profile, "python app.py"),
                                            .python_version = intern(profile, "2.7.18")};
    profile_add_process(profile, &process);
    assert_rows(profile, &usual,
                "0.60s  100%  <module>           app.py:1 → 3\n"
                "0.20s   33%  ├─ importing json  app.py:3\n"
                "0.20s   33%  ├─ importing cgi   app.py:3\n"
                "0.10s   17%  ├─ [self]          app.py:3\n"
                "0.10s   17%  └─ <module>        <string>:1 → 9\n");
}

static uint32_t in_package(struct profile *profile, uint32_t node, const char *function, uint64_t samples)
{
    cleanup_free char *text = NULL;
    assert_true(asprintf(&text, "%s /lib/site-packages/web/%s.py:1:1", function, function) > 0);
    return call(profile, node, text, samples);
}

/* A program that calls a library, which calls its function back. */
static void build_library(struct profile *profile)
{
    uint32_t main = call(profile, PROFILE_ROOT, "main /src/app.py:1:2", 0);
    uint32_t serve = in_package(profile, main, "serve", 0);
    uint32_t route = in_package(profile, serve, "route", 4);
    in_package(profile, route, "encode", 5);
    call(profile, route, "dumps /usr/lib/python3.11/json/__init__.py:1:1", 4);
    call(profile, in_package(profile, in_package(profile, serve, "wrap", 0), "handle", 0), "answer /src/app.py:8:9",
         50);
    in_package(profile, serve, "read", 37);
}

static void library_code_between_is_hidden(void **state)
{
    struct profile *profile = *state;
    build_library(profile);
    assert_rows(profile, &usual,
                "1.00s  100%  main             app.py:1 → 2\n"
                "1.00s  100%  └─ serve         web/serve.py:1\n"
                "                │  [4 frames hidden: web, json; --show-all shows them]\n"
                "0.50s   50%     ├─ handle     web/handle.py:1\n"
                "0.50s   50%     │  └─ answer  app.py:8 → 9\n"
                "0.37s   37%     └─ read       web/read.py:1\n");
}

static void everything_is_shown_when_wanted(void **state)
{
    struct profile *profile = *state;
    build_library(profile);
    assert_tree(profile, &(struct tree_options){.show_all = true},
                "python app.py --fast\n"
                "Duration  1.23s                   Samples   100 (100 a second)\n"
                "Lost      none\n"
                "of 100 intervals: 100 ok, 0 idle, 0 torn, 0 unreadable, 0 missed\n"
                "100% is 1.00s, the sum of all samples\n"
                "\n"
                "1.00s  100%  main                app.py:1 → 2\n"
                "1.00s  100%  └─ serve            web/serve.py:1\n"
                "0.50s   50%     ├─ wrap          web/wrap.py:1\n"
                "0.50s   50%     │  └─ handle     web/handle.py:1\n"
                "0.50s   50%     │     └─ answer  app.py:8 → 9\n"
                "0.37s   37%     ├─ read          web/read.py:1\n"
                "0.13s   13%     └─ route         web/route.py:1\n"
                "0.05s    5%        ├─ encode     web/encode.py:1\n"
                "0.04s    4%        ├─ [self]     web/route.py:1\n"
                "0.04s    4%        └─ dumps      __init__.py:1\n"
                "\n"
                "file:12 → 34: begins at line 12, most time at line 34\n");
}

static void a_program_of_libraries_alone_is_shown(void **state)
{
    struct profile *profile = *state;
    uint32_t node = PROFILE_ROOT;
    const char *functions[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < array_size(functions); i++)
        node = in_package(profile, node, functions[i], 1);
    assert_rows(profile, &(struct tree_options){.depth = 2},
                "0.04s  100%  a          web/a.py:1\n"
                "0.03s   75%  ├─ b       web/b.py:1\n"
                "0.01s   25%  └─ [self]  web/a.py:1\n");
}

static void the_legend_says_what_is_not_shown(void **state)
{
    struct profile *profile = *state;
    build_library(profile);
    cleanup_free char *text = write_tree(profile, &(struct tree_options){.min_percent = 4.5, .depth = 3});
    assert_non_null(strstr(text, "\n\nnot shown: 1 row below 4.5% (--min-percent 0), 1 deeper than 3 (--depth 0), "
                                 "3 of libraries (--show-all)\nfile:12"));
}

static void threads_are_rows_when_there_are_several(void **state)
{
    struct profile *profile = *state;
    const struct profile_process process = {.pid = 7, .command_line = intern(profile, "python app.py")};
    profile_add_process(profile, &process);
    profile_add_thread(profile, &(struct profile_thread){.name = intern(profile, "worker")});
    profile_add_thread(profile, &(struct profile_thread){.name = intern(profile, "MainThread"), .is_main = true});
    uint32_t app = group(profile, PROFILE_ROOT, FRAME_PROCESS, "process 7: python app.py", 0);
    uint32_t main = group(profile, app, FRAME_THREAD, "thread (7): MainThread", 1);
    call(profile, main, "<module> /src/app.py:1:9", 20);
    assert_rows(profile, &usual, "0.20s  100%  <module>  app.py:1 → 9\n");

    uint32_t worker = group(profile, app, FRAME_THREAD, "thread (8): worker", 0);
    uint32_t start = call(profile, worker, "Thread._bootstrap /usr/lib/python3.11/threading.py:990:995", 0);
    start = call(profile, start, "Thread._bootstrap_inner /usr/lib/python3.11/threading.py:1030:1038", 1);
    start = call(profile, start, "Thread.run /usr/lib/python3.11/threading.py:970:975", 0);
    call(profile, start, "work /src/app.py:3:4", 79);
    profile_count(profile, call(profile, main, "<module> /src/app.py:1:9", 0), 0);
    cleanup_free char *text = write_tree(profile, &usual);
    assert_non_null(strstr(text, "100% is 1.00s, the sum of all samples of 2 threads\n"));
    assert_rows(profile, &usual,
                "0.20s   20%  thread (7): MainThread\n"
                "0.20s   20%  └─ <module>             app.py:1 → 9\n"
                "0.80s   80%  thread (8): worker\n"
                "0.79s   79%  ├─ work                 app.py:3 → 4\n"
                "0.01s    1%  └─ [self]               threading.py:1038\n");

    uint32_t other = group(profile, PROFILE_ROOT, FRAME_PROCESS, "process 9: python other.py", 1);
    other = group(profile, other, FRAME_THREAD, "thread (9): MainThread", 2);
    call(profile, other, "<module> /src/other.py:1:2", 100);
    assert_rows(profile, &(struct tree_options){.depth = 2},
                "1.00s   50%  process 7: python app.py\n"
                "0.20s   10%  ├─ thread (7): MainThread\n"
                "0.80s   40%  └─ thread (8): worker\n"
                "1.00s   50%  process 9: python other.py\n"
                "1.00s   50%  └─ <module>                 other.py:1 → 2\n");
}

static void threads_of_little_time_are_shown_up_to_a_limit(void **state)
{
    struct profile *profile = *state;
    for (uint32_t i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof(name), "thread (%u): %c%c", i, 'a' + (char)(i % 26), 'a' + (char)(i / 26));
        call(profile, group(profile, PROFILE_ROOT, FRAME_THREAD, name, i), "f /src/a.py:1:1", 1);
    }
    cleanup_free char *text = write_tree(profile, &usual);
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "thread (")) != NULL; at++)
        count++;
    assert_int_equal(count, 20);
    assert_non_null(strstr(text, "not shown: 200 rows below 1%"));
}

/* A server with a thread for each of its requests. */
static struct profile *build_server(struct profile *profile, uint32_t requests, uint32_t *ret_process)
{
    const struct profile_process process = {.pid = 7, .command_line = intern(profile, "python app.py")};
    profile_add_process(profile, &process);
    profile_add_thread(profile, &(struct profile_thread){.name = intern(profile, "MainThread"), .is_main = true});
    *ret_process = group(profile, PROFILE_ROOT, FRAME_PROCESS, "process 7: python app.py", 0);
    for (uint32_t i = 0; i < requests; i++) {
        char name[64];
        snprintf(name, sizeof(name), "thread (%u): Thread-%u (work)", 100 + i, i);
        profile_add_thread(profile, &(struct profile_thread){.name = intern(profile, name)});
        call(profile, group(profile, *ret_process, FRAME_THREAD, name, i + 1), "work /src/app.py:3:4", 2);
    }
    return profile;
}

static void threads_alike_are_one_row_when_they_are_many(void **state)
{
    uint32_t process;
    struct profile *profile = build_server(*state, 40, &process);
    assert_rows(profile, &usual, "0.80s  100%  work  app.py:3 → 4\n");
    call(profile, group(profile, process, FRAME_THREAD, "thread (7): MainThread", 0), "<module> /src/app.py:1:9", 20);
    assert_rows(profile, &usual,
                "0.20s   20%  thread (7): MainThread\n"
                "0.20s   20%  └─ <module>                  app.py:1 → 9\n"
                "0.80s   80%  40 threads: Thread-# (work)\n"
                "0.80s   80%  └─ work                      app.py:3 → 4\n");
    cleanup_free char *text = write_tree(profile, &usual);
    assert_non_null(strstr(text, "the sum of all samples of 41 threads\n"));
}

static void few_threads_alike_are_a_row_each(void **state)
{
    uint32_t process;
    struct profile *profile = build_server(*state, 8, &process);
    cleanup_free char *text = write_tree(profile, &usual);
    assert_non_null(strstr(text, "thread (100): Thread-0 (work)\n"));
    assert_non_null(strstr(text, "thread (107): Thread-7 (work)\n"));
    assert_null(strstr(text, "threads: "));
}

static void marks_are_rows(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "f /src/a.py:1:2", 10);
    profile_count(profile, group(profile, f, FRAME_MARK, "<GC>", 0), 30);
    assert_rows(profile, &usual,
                "0.40s  100%  f          a.py:1 → 2\n"
                "0.30s   75%  ├─ <GC>\n"
                "0.10s   25%  └─ [self]  a.py:2\n");
}

static void hostile_names_stay_harmless(void **state)
{
    struct profile *profile = *state;
    call(profile, PROFILE_ROOT, "\033[31mred\nline\xc3\xa9 /src/\033]0;x\a.py:1:1", 10);
    assert_rows(profile, &usual, "0.10s  100%  \\x1b[31mred\\x0aline\xc3\xa9  \\x1b]0;x\\x07.py:1\n");
    cleanup_free char *text = write_tree(profile, &(struct tree_options){.use_ascii = true});
    assert_non_null(strstr(text, "\\x1b[31mred\\x0aline\\u{e9}  \\x1b]0;x\\x07.py:1\n"));
    profile_info(profile)->title = intern(profile, "python \033[2J");
    cleanup_free char *titled = write_tree(profile, &(struct tree_options){.only_self = true});
    assert_null(strchr(titled, '\033'));
}

static void plain_characters_do_when_they_have_to(void **state)
{
    struct profile *profile = *state;
    build_library(profile);
    assert_rows(profile, &(struct tree_options){.min_percent = 1, .use_ascii = true},
                "1.00s  100%  main             app.py:1 > 2\n"
                "1.00s  100%  `- serve         web/serve.py:1\n"
                "                |  [4 frames hidden: web, json; --show-all shows them]\n"
                "0.50s   50%     |- handle     web/handle.py:1\n"
                "0.50s   50%     |  `- answer  app.py:8 > 9\n"
                "0.37s   37%     `- read       web/read.py:1\n");
}

static void shares_have_colours(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "f /src/a.py:1:2", 0);
    in_package(profile, f, "g", 25);
    call(profile, f, "h /src/a.py:3:3", 67);
    call(profile, f, "i /src/a.py:4:4", 6);
    call(profile, f, "j /src/a.py:5:5", 2);
    assert_rows(profile, &(struct tree_options){.use_colour = true},
                "\033[1;31m1.00s  100%\033[0m  \033[1mf\033[0m     \033[2ma.py:1 → 2\033[0m\n"
                "\033[1;31m0.67s   67%\033[0m  \033[2m├─ \033[0m\033[1mh\033[0m  \033[2ma.py:3\033[0m\n"
                "\033[33m0.25s   25%\033[0m  \033[2m├─ \033[0mg  \033[2mweb/g.py:1\033[0m\n"
                "\033[32m0.06s    6%\033[0m  \033[2m├─ \033[0m\033[1mi\033[0m  \033[2ma.py:4\033[0m\n"
                "\033[2m0.02s    2%\033[0m  \033[2m└─ \033[0m\033[1mj\033[0m  \033[2ma.py:5\033[0m\n");
}

static void shares_alone_when_they_are_wanted(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "f /src/a.py:1:2", 9994);
    call(profile, f, "g /src/a.py:3:3", 5);
    call(profile, f, "h /src/a.py:4:4", 1);
    assert_rows(profile, &(struct tree_options){.with_percent = true},
                "100%  f          a.py:1 → 2\n"
                "100%  ├─ [self]  a.py:2\n"
                "<.1%  ├─ g       a.py:3\n"
                "<.1%  └─ h       a.py:4\n");
}

/* Columns of a text without characters that are wide, or that take none. */
static size_t columns(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

static void places_give_way_before_names(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "handle_request /lib/site-packages/web/server/handler.py:10:12", 0);
    call(profile, f, "Encoder.encode /lib/site-packages/web/server/encoding/encoder.py:1000:1200", 100);
    assert_rows(profile, &(struct tree_options){.width = 72},
                "1.00s  100%  handle_request     web/server/handler.py:10 → 12\n"
                "1.00s  100%  └─ Encoder.encode  …/server/encoding/encoder.py:1000 → 1200\n");
    assert_rows(profile, &(struct tree_options){.width = 52},
                "1.00s  100%  handle_request     …/handler.py:10 → 12\n"
                "1.00s  100%  └─ Encoder.encode  encoder.py:1000\n");
    assert_rows(profile, &(struct tree_options){.width = 40},
                "1.00s  100%  handle_request\n"
                "1.00s  100%  └─ Encoder.encode\n");
    assert_rows(profile, &(struct tree_options){.width = 28},
                "1.00s  100%  handle_request\n"
                "1.00s  100%  └─ Encoder.…ode\n");
}

static void no_line_is_wider_than_the_window(void **state)
{
    struct profile *profile = *state;
    build_library(profile);
    uint32_t node = call(profile, PROFILE_ROOT, "a_function_whose_name_is_quite_long_indeed /src/app.py:1:2", 0);
    for (int i = 0; i < 40; i++) {
        char text[96];
        snprintf(text, sizeof(text), "step_%d /src/folder/steps_that_lead_down.py:%d:%d", i, i + 1, i + 2);
        node = call(profile, node, text, 1);
    }
    for (uint32_t width = 28; width < 140; width++) {
        cleanup_free char *text = write_tree(profile, &(struct tree_options){.width = width, .depth = 30});
        char *at = strstr(text, "\n\n");
        while (*at != '\0') {
            size_t len = strcspn(at, "\n");
            if (columns(at, len) > width)
                fail_msg("in %u columns: %.*s", width, (int)len, at);
            at += len + (at[len] == '\n');
        }
    }
}

static void very_deep_stacks_do_no_harm(void **state)
{
    struct profile *profile = *state;
    uint32_t node = PROFILE_ROOT;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        snprintf(text, sizeof(text), "f%d /src/a.py:%d:%d", i, i + 1, i + 2);
        node = call(profile, node, text, 0);
    }
    profile_count(profile, node, 10);
    cleanup_free char *narrow = write_tree(profile, &(struct tree_options){.width = 80});
    assert_non_null(strstr(narrow, "f19999"));
    cleanup_free char *wide = write_tree(profile, &usual);
    assert_non_null(strstr(wide, "f19999"));
    assert_true(strlen(wide) < 20000 * 500);
}

static void chains_of_the_import_system_do_no_harm(void **state)
{
    struct profile *profile = *state;
    uint32_t node = call(profile, PROFILE_ROOT, "main /src/a.py:1:2", 0);
    for (int i = 0; i < 20000; i++)
        node = call(profile, node, "_handle_fromlist <frozen importlib._bootstrap>:1:2", 1);
    assert_rows(profile, &usual,
                "200.00s  100%  main              a.py:1 → 2\n"
                "200.00s  100%  └─ import system  a.py:2\n");
}

static void the_flat_table_is_sorted_by_self_time(void **state)
{
    struct profile *profile = *state;
    uint32_t f = call(profile, PROFILE_ROOT, "f /src/a.py:1:2", 10);
    uint32_t g = call(profile, f, "g /lib/site-packages/web/b.py:5:6", 20);
    uint32_t again = call(profile, g, "f /src/a.py:1:3", 25);
    call(profile, again, "g /lib/site-packages/web/b.py:5:7", 44);
    call(profile, again, "h /src/a.py:7:7", 1);
    assert_tree(profile, &(struct tree_options){.min_percent = 2, .only_self = true},
                "python app.py --fast\n"
                "Duration  1.23s                   Samples   100 (100 a second)\n"
                "Lost      none\n"
                "of 100 intervals: 100 ok, 0 idle, 0 torn, 0 unreadable, 0 missed\n"
                "100% is 1.00s, the sum of all samples\n"
                "\n"
                "       self        total  function\n"
                "0.64s   64%  0.90s   90%  g  web/b.py:5 → 7\n"
                "0.35s   35%  1.00s  100%  f  a.py:1 → 3\n"
                "\n"
                "not shown: 1 function below 2% self (--min-percent 0)\n");
}

static void the_same_profile_gives_the_same_text(void **state)
{
    struct profile *profile = *state;
    const char *names[] = {"c", "a", "b"};
    for (size_t i = 0; i < array_size(names); i++)
        call(profile, PROFILE_ROOT,
             strcmp(names[i], "a") == 0 ? "a /src/a.py:1:1"
             : names[i][0] == 'b'       ? "b /src/a.py:1:1"
                                        : "c /src/a.py:1:1",
             5);
    assert_rows(profile, &usual,
                "0.05s   33%  a  a.py:1\n"
                "0.05s   33%  b  a.py:1\n"
                "0.05s   33%  c  a.py:1\n");
}

#define with_profile(test) cmocka_unit_test_setup_teardown(test, create_profile, destroy_profile)

static void imports_through_native_code_are_rows_of_packages(void **state)
{
    struct profile *profile = *state;
    uint32_t module = call(profile, PROFILE_ROOT, "<module> /src/app.py:1:3", 0);
    uint32_t torch =
        call(profile, native_import(profile, module), "<module> /lib/site-packages/torch/__init__.py:1:9", 10);
    uint32_t nn =
        call(profile, native_import(profile, torch), "<module> /lib/site-packages/torch/nn/__init__.py:1:1", 20);
    uint32_t system = import(profile, native(profile, module, "object_vacall", python, 7));
    native(profile, native(profile, system, "marshal_loads", python, 4), "r_object", python, 5);
    build_child(profile, native(profile, system, "read", "/lib/libc.so.6", 0), build_kernel(profile, "read"), 3);
    uint32_t numpy =
        call(profile, native_import(profile, nn), "<module> /lib/site-packages/numpy/__init__.py:1:140", 6);
    native(profile, numpy, "PyArray_New", "/lib/site-packages/numpy/core/_umath.so", 4);
    call(profile, module, "main /src/app.py:9:9", 35);
    assert_rows(profile, &usual,
                "1.00s  100%  <module>               app.py:1 → 3\n"
                "0.58s   58%  ├─ importing torch     app.py:3\n"
                "0.12s   12%  │  └─ importing numpy  torch/nn/__init__.py:1\n"
                "0.04s    4%  │     └─ PyArray_New   _umath.so\n"
                "0.35s   35%  ├─ main                app.py:9\n"
                "0.07s    7%  └─ object_vacall       python3.11\n");
}

/* Before the program's own code, C code that everybody has is the thread; in it, libraries are what they are. */
static void native_code_and_the_kernel_are_rows(void **state)
{
    static const char libc[] = "/lib/libc.so.6";
    struct profile *profile = *state;
    uint32_t node = native(profile, native(profile, PROFILE_ROOT, "_start", python, 0), "Py_BytesMain", python, 1);
    node = call(profile, native(profile, node, "PyEval_EvalCode", python, 0), "<module> /src/app.py:1:3", 0);
    uint32_t own = native(profile, node, "fast", "/src/fast.cpython-311-x86_64-linux-gnu.so", 20);
    build_child(profile, own, build_native(profile, "inner", "/src/fast.c", 12), 10);
    node = native(profile, node, "os_read", python, 2);
    node = native(profile, native(profile, node, "_Py_read", python, 1), "read", libc, 1);
    build_child(profile, node, build_kernel(profile, "read"), 65);
    assert_rows(profile, &usual,
                "0.99s   99%  <module>      app.py:1 → 3\n"
                "0.69s   69%  ├─ os_read    python3.11\n"
                "             │  │  [2 frames hidden: python3.11, libc; --show-all shows them]\n"
                "0.65s   65%  │  ├─ read    kernel\n"
                "0.02s    2%  │  └─ [self]  python3.11\n"
                "0.30s   30%  └─ fast       fast.cpython-311-x86_64-linux-gnu.so\n"
                "0.20s   20%     ├─ [self]  fast.cpython-311-x86_64-linux-gnu.so\n"
                "0.10s   10%     └─ inner   /src/fast.c:12\n"
                "0.01s    1%  [self]        python3.11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_profile(callers_stand_above_what_they_call),
        with_profile(a_profile_without_samples_says_why),
        with_profile(the_head_says_what_is_in_view),
        with_profile(time_without_an_interval_is_samples),
        with_profile(own_time_beside_calls_has_a_row),
        with_profile(lines_whose_begin_is_not_known_stand_alone),
        with_profile(recursion_is_one_row),
        with_profile(recursion_through_a_comprehension_is_one_row),
        with_profile(recursion_of_several_functions_is_folded),
        with_profile(imports_are_rows_of_packages),
        with_profile(imports_through_native_code_are_rows_of_packages),
        with_profile(python_2_imports_without_frames_of_its_own),
        with_profile(library_code_between_is_hidden),
        with_profile(everything_is_shown_when_wanted),
        with_profile(a_program_of_libraries_alone_is_shown),
        with_profile(the_legend_says_what_is_not_shown),
        with_profile(threads_are_rows_when_there_are_several),
        with_profile(threads_of_little_time_are_shown_up_to_a_limit),
        with_profile(threads_alike_are_one_row_when_they_are_many),
        with_profile(few_threads_alike_are_a_row_each),
        with_profile(marks_are_rows),
        with_profile(native_code_and_the_kernel_are_rows),
        with_profile(hostile_names_stay_harmless),
        with_profile(plain_characters_do_when_they_have_to),
        with_profile(shares_have_colours),
        with_profile(shares_alone_when_they_are_wanted),
        with_profile(places_give_way_before_names),
        with_profile(no_line_is_wider_than_the_window),
        with_profile(very_deep_stacks_do_no_harm),
        with_profile(chains_of_the_import_system_do_no_harm),
        with_profile(the_flat_table_is_sorted_by_self_time),
        with_profile(the_same_profile_gives_the_same_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
