/* SPDX-License-Identifier: MIT */
#include "native/code_reader.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "native_modules.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct image *open_code(const char *name)
{
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/%s", CODE_FOLDER, name);
    cleanup_fd int fd = open(buffer_text(&path), O_RDONLY | O_CLOEXEC);
    struct image *image = NULL;
    assert_null(image_open(fd, &image));
    return image;
}

static struct code_reader *make_reader(void)
{
    struct code_reader *reader = NULL;
    assert_null(code_reader_create(&reader));
    return reader;
}

/* Our only child. */
static pid_t child_of_ours(void)
{
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "/proc/self/task/%d/children", getpid());
    cleanup_file FILE *file = fopen(buffer_text(&path), "r");
    int pid = 0;
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    return pid;
}

static bool finds(struct code_reader *reader, const struct native_module *module, const char *symbol)
{
    struct code_description description;
    struct image_range range;
    assert_true(image_find_symbol(module->image, symbol, &range));
    return code_reader_find(reader, module, range.address, &description) && strcmp(description.symbol, symbol) == 0;
}

static void a_file_that_makes_processes_fail_costs_its_own_names(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    const struct native_module first = {.number = 1, .path = "a", .image = image};
    const struct native_module second = {.number = 2, .path = "b", .image = image};
    struct code_reader *reader = make_reader();
    assert_true(finds(reader, &first, "outermost"));
    assert_true(finds(reader, &second, "outermost"));
    assert_int_equal(kill(child_of_ours(), SIGKILL), 0);
    assert_true(finds(reader, &second, "outermost")); /* it may have been something else */
    assert_int_equal(kill(child_of_ours(), SIGKILL), 0);
    assert_false(finds(reader, &second, "outermost"));
    assert_true(finds(reader, &first, "outermost"));
    assert_false(finds(reader, &second, "outermost"));
    code_reader_destroy(reader);
}

static void processes_that_always_fail_are_not_started_for_ever(void **state)
{
    (void)state;
    enum { MANY = 100 };
    cleanup_image struct image *image = open_code("inlined.so");
    struct code_reader *reader = make_reader();
    unsigned found = 0;
    for (; found < MANY; found++) {
        const struct native_module module = {.number = found, .path = "a", .image = image};
        if (!finds(reader, &module, "outermost"))
            break;
        kill(child_of_ours(), SIGKILL);
    }
    assert_in_range(found, 10, MANY - 1);
    code_reader_destroy(reader);
}

static void what_is_still_there_is_kept_over_updates(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    struct native_module module = {.number = 1, .path = "a", .start = 0x1000, .end = 0x2000, .image = image};
    struct modules modules = {.items = &module, .count = 1, .jit_names = -1, .source = -1};
    struct code_reader *reader = make_reader();
    assert_true(finds(reader, &module, "outermost"));
    code_reader_update(reader, &modules);
    assert_true(finds(reader, &module, "outermost"));
    const pid_t process = child_of_ours();
    modules.count = 0;
    code_reader_update(reader, &modules);
    assert_true(finds(reader, &module, "outermost"));
    assert_int_equal(child_of_ours(), process);
    code_reader_destroy(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_makes_processes_fail_costs_its_own_names),
        cmocka_unit_test(processes_that_always_fail_are_not_started_for_ever),
        cmocka_unit_test(what_is_still_there_is_kept_over_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
