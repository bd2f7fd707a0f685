/* SPDX-License-Identifier: MIT */
#include "native/symbolizer.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "elf_writer.h"
#include "native_modules.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { BIAS = 0x7f0000000000 % 0x80000000 };

static struct image *open_code(const char *name)
{
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/%s", CODE_FOLDER, name);
    cleanup_fd int fd = open(buffer_text(&path), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct image *image = NULL;
    cleanup_error struct error *error = image_open(fd, &image);
    assert_null(error);
    return image;
}

static struct native_module make_module(uint32_t number, const char *path, uint64_t bias, struct image *image)
{
    return (struct native_module){
        .number = number, .path = path, .start = bias, .end = bias + 0x100000, .bias = bias, .image = image};
}

static struct symbolizer *make_symbolizer(struct modules *modules)
{
    struct symbolizer *symbolizer = NULL;
    cleanup_error struct error *error = symbolizer_create(modules, &symbolizer);
    assert_null(error);
    return symbolizer;
}

static uint64_t address_of(const struct image *image, const char *name)
{
    struct image_range range;
    assert_true(image_find_symbol(image, name, &range));
    return range.address;
}

/* The only function of an address. */
static const struct native_function *find_one(struct symbolizer *symbolizer, remote_addr pc)
{
    uint32_t count = 0;
    const struct native_function *functions = symbolizer_find(symbolizer, pc, false, &count);
    assert_int_equal(count, 1);
    return functions;
}

static void inlined_functions_come_first(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    struct native_module item = make_module(1, "/usr/lib/inlined.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    uint32_t count = 0;
    const struct native_function *functions =
        symbolizer_find(symbolizer, BIAS + address_of(image, "mark_innermost"), false, &count);
    static const struct {
        const char *name;
        int line;
    } expected[] = {{"innermost", 12}, {"middle", 19}, {"outermost", 35}};
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(functions[i].name, expected[i].name);
        assert_int_equal(functions[i].line, expected[i].line);
        assert_string_equal(functions[i].path, "/usr/lib/inlined.so");
        assert_int_equal(functions[i].is_inlined, i < 2);
        assert_int_equal(functions[i].start, i < 2 ? 0 : BIAS + address_of(image, "outermost"));
        assert_true(functions[i].is_named);
        assert_string_equal(functions[i].symbol, i < 2 ? "" : "outermost");
        assert_non_null(strstr(functions[i].file, "inlined.c"));
    }
}

static void a_call_belongs_to_the_instruction_before(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("stripped.so");
    cleanup_image struct image *whole = open_code("inlined.so");
    struct native_module item = make_module(1, "/usr/lib/stripped.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    struct image_range outermost;
    uint32_t count;
    assert_true(image_find_symbol(whole, "outermost", &outermost));
    remote_addr end = BIAS + outermost.address + outermost.len;
    const struct native_function *functions = symbolizer_find(symbolizer, end, true, &count);
    assert_string_equal(functions[0].name, "outermost");
    functions = symbolizer_find(symbolizer, end, false, &count);
    assert_string_not_equal(functions[0].name, "outermost");
}

static void a_stripped_function_has_one_name_for_all_its_addresses(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("stripped.so");
    cleanup_image struct image *whole = open_code("inlined.so");
    struct native_module items[] = {make_module(1, "/usr/lib/stripped.so", BIAS, image),
                                    make_module(2, "/usr/lib/stripped.so", BIAS + 0x1000000, image)};
    struct modules modules = {.items = items, .count = 2, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    struct image_range hidden;
    assert_true(image_find_symbol(whole, "hidden", &hidden));
    cleanup_buffer struct buffer expected = {0};
    buffer_format(&expected, "stripped.so+0x%llx", (unsigned long long)hidden.address);
    const struct native_function *first = find_one(symbolizer, BIAS + hidden.address);
    assert_string_equal(first->name, buffer_text(&expected));
    assert_false(first->is_named);
    for (uint64_t i = 0; i < hidden.len; i++) {
        const struct native_function *other = find_one(symbolizer, BIAS + hidden.address + i);
        assert_int_equal(other->serial, first->serial);
        assert_int_equal(other->start, BIAS + hidden.address);
    }
    assert_int_equal(find_one(symbolizer, BIAS + 0x1000000 + hidden.address)->serial, first->serial);
}

static void the_debug_file_has_names_and_lines(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("stripped.so");
    cleanup_image struct image *debug = open_code("stripped.debug");
    struct native_module item = make_module(1, "/usr/lib/stripped.so", BIAS, image);
    item.debug = debug;
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    const struct native_function *function = find_one(symbolizer, BIAS + address_of(debug, "mark_hidden"));
    assert_string_equal(function->name, "hidden");
    assert_int_equal(function->line, 25);
}

static void names_of_cpp_are_readable(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("templates.so");
    struct native_module item = make_module(1, "templates.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    uint32_t count;
    const struct native_function *functions =
        symbolizer_find(symbolizer, BIAS + address_of(image, "mark_get"), false, &count);
    assert_int_equal(count, 2);
    assert_string_equal(functions[0].name, "space::Box<int>::get");
    assert_string_equal(functions[1].name, "space::Box<int>::twice");
    assert_string_equal(functions[1].symbol, "_ZN5space3BoxIiE5twiceEi");
}

static void lines_of_cython_are_those_of_its_source(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("cythonized.so");
    struct native_module item = make_module(1, "mod.so", BIAS, image);
    cleanup_fd int fd = open(SOURCE_FOLDER "/cythonized.c", O_RDONLY | O_CLOEXEC);
    struct modules modules = {
        .items = &item, .count = 1, .jit_names = -1, .source = fd, .source_path = SOURCE_FOLDER "/cythonized.c"};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    const struct native_function *function = find_one(symbolizer, BIAS + address_of(image, "mark_six"));
    assert_string_equal(function->name, "pkg.mod.work");
    assert_string_equal(function->file, "pkg/mod.pyx");
    assert_int_equal(function->line, 6);
    uint32_t count;
    function = symbolizer_find(symbolizer, BIAS + address_of(image, "mark_helper"), false, &count);
    assert_int_equal(count, 2);
    assert_string_equal(function[0].name, "__Pyx_helper"); /* which nobody wrote in Python */
    assert_non_null(strstr(function[0].file, "cythonized.c"));
    assert_string_equal(function[1].file, "pkg/mod.pyx");
    assert_int_equal(function[1].line, 7);
}

static void without_the_source_lines_of_cython_are_those_of_c(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("cythonized.so");
    struct native_module item = make_module(1, "mod.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    const struct native_function *function = find_one(symbolizer, BIAS + address_of(image, "mark_six"));
    assert_string_equal(function->name, "pkg.mod.work");
    assert_non_null(strstr(function->file, "cythonized.c"));
    assert_true(function->line > 20);
}

static void what_was_found_is_kept_over_updates(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    struct native_module item = make_module(7, "inlined.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    remote_addr pc = BIAS + address_of(image, "mark_hidden");
    const struct native_function *function = find_one(symbolizer, pc);
    uint32_t serial = function->serial;
    symbolizer_update(symbolizer);
    assert_ptr_equal(find_one(symbolizer, pc), function);
    /* The module goes, and another one comes to where it was: nothing of the image may be touched any more. */
    cleanup_image struct image *other = open_code("templates.so");
    item = make_module(8, "templates.so", BIAS, other);
    symbolizer_update(symbolizer);
    uint32_t count;
    const struct native_function *others =
        symbolizer_find(symbolizer, BIAS + address_of(other, "mark_twice"), false, &count);
    assert_string_equal(others[0].name, "space::Box<int>::twice");
    assert_int_not_equal(others[0].serial, serial);
    /* It comes back at another address, under another number: the same function has the same serial. */
    item = make_module(9, "inlined.so", BIAS + 0x1000, image);
    symbolizer_update(symbolizer);
    assert_int_equal(find_one(symbolizer, pc + 0x1000)->serial, serial);
}

static void code_without_a_file_is_named_after_its_memory(void **state)
{
    (void)state;
    struct native_module items[] = {make_module(1, "", 0x10000000, NULL), make_module(2, "[heap]", 0x20000000, NULL),
                                    make_module(3, "/gone/lib.so", 0x30000000, NULL),
                                    make_module(4, "[vsyscall]", 0xffffffffff600000, NULL)};
    struct modules modules = {.items = items, .count = 4, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    static const struct {
        remote_addr pc;
        const char *name, *path;
        bool is_named;
    } rows[] = {
        {0x10000004, "[anonymous]", "", false},
        {0x20000010, "[heap]", "[heap]", false},
        {0x30000999, "lib.so", "/gone/lib.so", false},
        {0xffffffffff600404, "time", "[vsyscall]", true},
        {0x5, "[unknown]", "", false},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        const struct native_function *function = find_one(symbolizer, rows[i].pc);
        assert_string_equal(function->name, rows[i].name);
        assert_string_equal(function->path, rows[i].path);
        assert_int_equal(function->is_named, rows[i].is_named);
    }
}

static int make_file(const char *text)
{
    return elf_writer_open(text, strlen(text));
}

static void code_of_a_compiler_has_the_names_that_it_wrote(void **state)
{
    (void)state;
    struct native_module item = make_module(1, "", 0x10000000, NULL);
    cleanup_fd int fd = make_file("10000010 20 py::work:/home/me/app.py\n10000040 8 lazy function\n");
    struct modules modules = {.items = &item, .count = 1, .jit_names = fd, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    const struct native_function *function = find_one(symbolizer, 0x1000002f);
    assert_string_equal(function->name, "py::work");
    assert_string_equal(function->file, "/home/me/app.py");
    assert_string_equal(function->symbol, "py::work:/home/me/app.py");
    assert_true(function->is_named);
    assert_int_equal(function->start, 0x10000010);
    assert_string_equal(find_one(symbolizer, 0x10000040)->name, "lazy function");
    assert_string_equal(find_one(symbolizer, 0x10000030)->name, "[anonymous]");
}

static void code_that_is_named_later_gets_its_name_then(void **state)
{
    (void)state;
    static const char begun[] = "10000000 10 first\n10000010 10 no end of li", added[] = "ne\n10000000 10 again\n";
    struct native_module item = make_module(1, "", 0x10000000, NULL);
    cleanup_fd int fd = make_file(begun);
    struct modules modules = {.items = &item, .count = 1, .jit_names = fd, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    assert_string_equal(find_one(symbolizer, 0x10000000)->name, "first");
    assert_string_equal(find_one(symbolizer, 0x10000018)->name, "[anonymous]");
    int looks = modules.jit_count;
    for (int i = 0; i < 100; i++) /* within a moment the file is not opened again */
        find_one(symbolizer, 0x10000018);
    assert_true(modules.jit_count <= looks + 1);
    assert_int_equal(pwrite(fd, added, strlen(added), (off_t)strlen(begun)), strlen(added));
    for (int i = 0; i < 5000 && strcmp(find_one(symbolizer, 0x10000018)->name, "no end of line") != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_string_equal(find_one(symbolizer, 0x10000018)->name, "no end of line");
    assert_string_equal(find_one(symbolizer, 0x10000000)->name, "again");
}

static void addresses_that_were_asked_for_cost_a_look(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    struct native_module item = make_module(1, "inlined.so", BIAS, image);
    struct modules modules = {.items = &item, .count = 1, .jit_names = -1, .source = -1};
    cleanup_symbolizer struct symbolizer *symbolizer = make_symbolizer(&modules);
    remote_addr pc = BIAS + address_of(image, "mark_innermost");
    uint32_t count, again;
    const struct native_function *functions = symbolizer_find(symbolizer, pc, false, &count);
    for (remote_addr other = BIAS; other < BIAS + 0x2000; other++)
        symbolizer_find(symbolizer, other, false, &again);
    assert_ptr_equal(symbolizer_find(symbolizer, pc, false, &again), functions);
    assert_int_equal(again, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inlined_functions_come_first),
        cmocka_unit_test(a_call_belongs_to_the_instruction_before),
        cmocka_unit_test(a_stripped_function_has_one_name_for_all_its_addresses),
        cmocka_unit_test(the_debug_file_has_names_and_lines),
        cmocka_unit_test(names_of_cpp_are_readable),
        cmocka_unit_test(lines_of_cython_are_those_of_its_source),
        cmocka_unit_test(without_the_source_lines_of_cython_are_those_of_c),
        cmocka_unit_test(what_was_found_is_kept_over_updates),
        cmocka_unit_test(code_without_a_file_is_named_after_its_memory),
        cmocka_unit_test(code_of_a_compiler_has_the_names_that_it_wrote),
        cmocka_unit_test(code_that_is_named_later_gets_its_name_then),
        cmocka_unit_test(addresses_that_were_asked_for_cost_a_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
