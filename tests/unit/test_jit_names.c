/* SPDX-License-Identifier: MIT */
#include "native/jit_names.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "elf_writer.h"
#include "native_modules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Reads names from this text. */
static void read_text(struct jit_names *names, const char *text, size_t len)
{
    cleanup_fd int fd = elf_writer_open(text, len);
    struct modules modules = {.jit_names = fd, .source = -1};
    names->next_look_ns = 0;
    jit_names_update(names, &modules);
}

static void check(const struct jit_names *names, remote_addr address, const char *expected)
{
    const struct jit_function *function = jit_names_find(names, address);
    assert_string_equal(function ? function->name : "nothing", expected);
}

static void functions_are_found_by_address(void **state)
{
    (void)state;
    static const char text[] = "7f0000002000 10 second with spaces\n7f0000001000 100 first\n0x7f0000003000 0x8 third\n";
    struct jit_names names = {0};
    read_text(&names, text, strlen(text));
    assert_int_equal(names.count, 3);
    check(&names, 0x7f0000001000, "first");
    check(&names, 0x7f00000010ff, "first");
    check(&names, 0x7f0000001100, "nothing");
    check(&names, 0x7f000000200f, "second with spaces");
    check(&names, 0x7f0000003007, "third");
    check(&names, 0x7f0000000fff, "nothing");
    jit_names_deinit(&names);
}

static void of_two_at_one_address_the_later_one_counts(void **state)
{
    (void)state;
    static const char text[] = "1000 10 old\n1000 10 new\n";
    struct jit_names names = {0};
    read_text(&names, text, strlen(text));
    check(&names, 0x1008, "new");
    jit_names_deinit(&names);
}

static void lines_that_make_no_sense_are_passed_over(void **state)
{
    (void)state;
    static const char text[] =
        "\nx\n1000\n1000 \n1000 10\nffffffffffffffff1 10 too long\nfffffffffffffff0 20 over the end\n"
        "1000 0 empty\n-1 10 minus\n1000 10 g\0od\n2000 10 \n3000 10 last";
    struct jit_names names = {0};
    read_text(&names, text, sizeof(text) - 1);
    assert_int_equal(names.count, 2);
    check(&names, 0x1000, "g");
    check(&names, 0x2000, "");
    jit_names_deinit(&names);
}

static void what_was_added_is_read_and_nothing_twice(void **state)
{
    (void)state;
    cleanup_fd int fd = elf_writer_open("1000 10 one\n2000 10 tw", 21);
    struct modules modules = {.jit_names = fd, .source = -1};
    struct jit_names names = {0};
    assert_true(jit_names_update(&names, &modules));
    assert_int_equal(names.count, 1);
    assert_false(jit_names_update(&names, &modules)); /* a moment ago */
    names.next_look_ns = 0;
    assert_false(jit_names_update(&names, &modules)); /* nothing new */
    assert_int_equal(pwrite(fd, "two\n", 4, 20), 4);
    names.next_look_ns = 0;
    assert_true(jit_names_update(&names, &modules));
    assert_int_equal(names.count, 2);
    check(&names, 0x1000, "one");
    check(&names, 0x2000, "two");
    jit_names_deinit(&names);
}

static void another_file_replaces_all_names(void **state)
{
    (void)state;
    struct jit_names names = {0};
    read_text(&names, "1000 10 before\n", 15);
    uint32_t generation = names.generation;
    read_text(&names, "2000 10 after\n", 14);
    check(&names, 0x1000, "nothing");
    check(&names, 0x2000, "after");
    assert_int_not_equal(names.generation, generation);
    jit_names_deinit(&names);
}

static void a_file_of_any_length_has_a_limited_number_of_names(void **state)
{
    (void)state;
    enum { LINE_COUNT = (1 << 20) + 1000 };
    cleanup_buffer struct buffer text = {0};
    for (int i = 0; i < LINE_COUNT; i++)
        buffer_append_text(&text, "1000 1 n\n");
    struct jit_names names = {0};
    read_text(&names, text.data, text.len);
    assert_int_equal(names.count, 1 << 20);
    check(&names, 0x1000, "n");
    jit_names_deinit(&names);
}

static void a_name_of_any_length_is_cut(void **state)
{
    (void)state;
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, "1000 10 ");
    for (int i = 0; i < 100000; i++)
        buffer_append_char(&text, 'n');
    buffer_append_char(&text, '\n');
    struct jit_names names = {0};
    read_text(&names, text.data, text.len);
    assert_int_equal(strlen(jit_names_find(&names, 0x1000)->name), 1023);
    jit_names_deinit(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_found_by_address),
        cmocka_unit_test(of_two_at_one_address_the_later_one_counts),
        cmocka_unit_test(lines_that_make_no_sense_are_passed_over),
        cmocka_unit_test(what_was_added_is_read_and_nothing_twice),
        cmocka_unit_test(another_file_replaces_all_names),
        cmocka_unit_test(a_file_of_any_length_has_a_limited_number_of_names),
        cmocka_unit_test(a_name_of_any_length_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
