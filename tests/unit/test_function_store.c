/* SPDX-License-Identifier: MIT */
#include "native/function_store.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct native_function make_function(const char *name, const char *file, const char *path)
{
    return (struct native_function){.name = name, .symbol = name, .file = file, .path = path};
}

static uint32_t serial_of(struct function_store *store, const char *name, const char *file, const char *path)
{
    struct native_function function = make_function(name, file, path);
    assert_true(function_store_intern(store, &function));
    assert_string_equal(function.name, name);
    assert_string_equal(function.file, file);
    assert_string_equal(function.path, path);
    return function.serial;
}

static void a_serial_is_of_a_name_a_file_and_a_path(void **state)
{
    (void)state;
    struct function_store store = {0};
    uint32_t first = serial_of(&store, "work", "a.c", "/lib/a.so");
    assert_int_not_equal(first, 0);
    assert_int_not_equal(serial_of(&store, "other", "a.c", "/lib/a.so"), first);
    assert_int_not_equal(serial_of(&store, "work", "b.c", "/lib/a.so"), first);
    assert_int_not_equal(serial_of(&store, "work", "a.c", "/lib/b.so"), first);
    assert_int_not_equal(serial_of(&store, "a.c", "work", "/lib/a.so"), first);
    assert_int_equal(serial_of(&store, "work", "a.c", "/lib/a.so"), first);
    function_store_deinit(&store);
}

static void the_texts_may_go_away(void **state)
{
    (void)state;
    struct function_store store = {0};
    char name[] = "work";
    struct native_function function = make_function(name, "", "");
    assert_true(function_store_intern(&store, &function));
    memset(name, 'x', sizeof(name) - 1);
    assert_string_equal(function.name, "work");
    assert_string_equal(function.symbol, "work");
    function_store_deinit(&store);
}

static void there_is_a_limit_of_texts(void **state)
{
    (void)state;
    enum { LIMIT = 100 };
    struct function_store store = {.text_limit = LIMIT};
    uint32_t last = 0;
    for (int i = 0; i < 10 * LIMIT; i++) {
        struct buffer name = {0};
        buffer_format(&name, "function%d", i);
        struct native_function function = make_function(buffer_text(&name), "", "/lib/a.so");
        assert_true(function_store_intern(&store, &function));
        buffer_deinit(&name);
        if (i >= LIMIT)
            assert_string_equal(function.name, "[too many functions]");
        if (i > LIMIT)
            assert_int_equal(function.serial, last);
        last = function.serial;
    }
    assert_true(store.text_count <= LIMIT);
    function_store_deinit(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_is_of_a_name_a_file_and_a_path),
        cmocka_unit_test(the_texts_may_go_away),
        cmocka_unit_test(there_is_a_limit_of_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
