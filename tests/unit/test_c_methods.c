/* SPDX-License-Identifier: MIT */
#include "python/c_methods.h"

#include "base/cleanup.h"
#include "fake_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DATA = 0x100000, TEXTS = 0x200000, CODE = 0x300000, WORD_COUNT = 1 << 13, TEXT_LEN = 1 << 12 };

static const char maps_text[] = "00100000-00180000 rw-p 00000000 00:00 1 /usr/bin/python3\n"
                                "00200000-00201000 r--p 00100000 00:00 1 /usr/bin/python3\n"
                                "00300000-00310000 r-xp 00200000 00:00 1 /usr/bin/python3\n";

/* The data of a file, as it is being written. */
struct file {
    uint64_t words[WORD_COUNT];
    char texts[TEXT_LEN];
    size_t word_count, text_len;
};

static remote_addr add_text(struct file *file, const char *text)
{
    remote_addr address = TEXTS + file->text_len;
    memcpy(file->texts + file->text_len, text, strlen(text) + 1);
    file->text_len += strlen(text) + 1;
    return address;
}

static remote_addr add_words(struct file *file, const uint64_t *words, size_t count)
{
    remote_addr address = DATA + file->word_count * sizeof(uint64_t);
    memcpy(file->words + file->word_count, words, count * sizeof(uint64_t));
    file->word_count += count;
    return address;
}

/* A table of one method, and its end. */
static remote_addr add_method(struct file *file, const char *name, remote_addr function)
{
    const uint64_t words[] = {add_text(file, name), function, 1, 0, 0, 0, 0, 0};
    return add_words(file, words, array_size(words));
}

static uint64_t reads_of_last_look;

static struct c_methods *look(struct file *file)
{
    struct fake_memory fake;
    struct maps maps;
    struct python_data data = {.ranges = {{DATA, sizeof(file->words)}}, .count = 1};
    cleanup_error struct error *error = maps_init(&maps, maps_text, strlen(maps_text));
    assert_null(error);
    fake_memory_init(&fake);
    fake_memory_map(&fake, DATA, file->words, sizeof(file->words));
    fake_memory_map(&fake, TEXTS, file->texts, sizeof(file->texts));
    struct c_methods *methods = NULL;
    cleanup_error struct error *second_error = c_methods_create(&fake.memory, &maps, &data, &methods);
    assert_null(second_error);
    maps_deinit(&maps);
    reads_of_last_look = fake.memory.remote_reads;
    return methods;
}

static void check(struct file *file, remote_addr function, const char *expected)
{
    cleanup_c_methods struct c_methods *methods = look(file);
    const char *name = c_methods_find(methods, function);
    assert_string_equal(name ? name : "nothing", expected);
}

static void functions_of_a_module_have_its_name(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    remote_addr table = add_method(file, "sleep", CODE + 0x10);
    /* PyModuleDef: an object, three words of the import system, and what was written down. */
    const uint64_t module[] = {1, 0, 0, 0, 0, add_text(file, "time"), 0, 64, table, 0};
    add_words(file, module, array_size(module));
    check(file, CODE + 0x10, "time.sleep");
    check(file, CODE + 0x11, "nothing");
    check(file, 0, "nothing");
}

/* A type whose methods and properties are these; `extra` words more in front, as free-threaded builds have them. */
static void add_type(struct file *file, const char *name, remote_addr methods, remote_addr properties, size_t extra)
{
    uint64_t words[64] = {0};
    words[3 + extra] = add_text(file, name);
    words[4 + extra] = 40;
    words[29 + extra] = methods;
    words[31 + extra] = properties;
    add_words(file, words, array_size(words));
}

static void methods_of_a_type_have_its_name(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 3; extra++) {
        cleanup_free struct file *file = calloc(1, sizeof(*file));
        remote_addr methods = add_method(file, "sort", CODE + 0x20);
        const uint64_t properties[] = {add_text(file, "real"), CODE + 0x30, CODE + 0x38, 0, 0, 0, 0, 0, 0, 0};
        add_type(file, "list", methods, add_words(file, properties, array_size(properties)), extra);
        check(file, CODE + 0x20, "list.sort");
        check(file, CODE + 0x30, "list.real");
        check(file, CODE + 0x38, "list.real");
    }
}

static void methods_of_a_type_that_is_made_later_have_its_name(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    remote_addr methods = add_method(file, "compress", CODE + 0x40);
    const uint64_t slots[] = {52, CODE + 0x48, 64, methods, 0, 0};
    remote_addr first = add_words(file, slots, array_size(slots));
    const uint64_t specification[] = {add_text(file, "zlib.Compress"), 0x40, 0, first};
    add_words(file, specification, array_size(specification));
    check(file, CODE + 0x40, "zlib.Compress.compress");
}

static void a_method_without_an_owner_has_only_its_own_name(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    add_method(file, "sorted", CODE + 0x50);
    check(file, CODE + 0x50, "sorted");
}

static void what_is_no_table_has_no_names(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    remote_addr name = add_text(file, "name"), bad_name = add_text(file, "two words"), empty = add_text(file, "");
    const uint64_t rows[][8] = {
        {name, CODE + 0x10, 0, 0},        /* no flags */
        {name, CODE + 0x20, 0x100000, 0}, /* flags that nobody has */
        {name, DATA + 0x30, 1, 0},        /* no code */
        {bad_name, CODE + 0x40, 1, 0},      {empty, CODE + 0x50, 1, 0},
        {0x999999, CODE + 0x60, 1, 0},      /* a name in no memory */
        {name, CODE + 0x70, 1, 0x999999},   /* nor this text */
        {name, CODE + 0x80, 0, 0, 0, 0, 0}, /* a property without a type */
    };
    for (size_t i = 0; i < array_size(rows); i++)
        add_words(file, rows[i], array_size(rows[i]));
    cleanup_c_methods struct c_methods *methods = look(file);
    for (remote_addr function = CODE; function < CODE + 0x100; function += 0x10)
        assert_null(c_methods_find(methods, function));
}

static void a_name_has_to_end(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    memset(file->texts, 'n', sizeof(file->texts));
    const uint64_t words[] = {TEXTS, CODE + 0x10, 1, 0, TEXTS + TEXT_LEN - 4, CODE + 0x20, 1, 0, 0, 0, 0, 0};
    add_words(file, words, array_size(words));
    check(file, CODE + 0x10, "nothing");
    check(file, CODE + 0x20, "nothing");
}

/* Slots that never end, and a table that everything leads to. */
static void data_full_of_the_same_is_survived(void **state)
{
    (void)state;
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    remote_addr name = add_text(file, "name");
    const uint64_t rows[][4] = {{name, CODE + 0x10, 1, 0},
                                {64, DATA, 64, DATA},
                                {DATA, DATA, DATA, DATA},
                                {name, name, name, name},
                                {name, DATA, 73, DATA}};
    for (size_t row = 0; row < array_size(rows); row++) {
        file->word_count = 8;
        while (file->word_count + 4 <= WORD_COUNT)
            add_words(file, rows[row], 4);
        cleanup_c_methods struct c_methods *methods = look(file);
        c_methods_find(methods, CODE + 0x10);
        file->word_count = 0;
        add_words(file, rows[0], 4);
        cleanup_c_methods struct c_methods *again = look(file);
        assert_non_null(c_methods_find(again, CODE + 0x10));
    }
}

static void any_data_is_survived(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int round = 0; round < 20; round++) {
        cleanup_free struct file *file = calloc(1, sizeof(*file));
        const uint64_t values[] = {0,
                                   1,
                                   64,
                                   73,
                                   DATA,
                                   DATA + 64,
                                   DATA + 1024,
                                   add_text(file, "one"),
                                   add_text(file, "two"),
                                   CODE,
                                   CODE + 8,
                                   TEXTS + 7,
                                   UINT64_MAX};
        for (size_t i = 0; i < WORD_COUNT; i++) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            file->words[i] = values[(random >> 33) % array_size(values)];
        }
        cleanup_c_methods struct c_methods *methods = look(file);
        c_methods_find(methods, CODE);
    }
}

static void names_that_are_near_each_other_are_read_at_once(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    cleanup_free struct file *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    cleanup_c_methods struct c_methods *nothing = look(file);
    assert_int_equal(c_methods_count(nothing), 0);
    uint64_t reads_of_data = reads_of_last_look;
    for (remote_addr i = 0; i < COUNT; i++)
        add_method(file, "method", CODE + i);
    cleanup_c_methods struct c_methods *methods = look(file);
    assert_int_equal(c_methods_count(methods), COUNT);
    assert_in_range(reads_of_last_look, reads_of_data + 1, reads_of_data + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_near_each_other_are_read_at_once),
        cmocka_unit_test(functions_of_a_module_have_its_name),
        cmocka_unit_test(methods_of_a_type_have_its_name),
        cmocka_unit_test(methods_of_a_type_that_is_made_later_have_its_name),
        cmocka_unit_test(a_method_without_an_owner_has_only_its_own_name),
        cmocka_unit_test(what_is_no_table_has_no_names),
        cmocka_unit_test(a_name_has_to_end),
        cmocka_unit_test(data_full_of_the_same_is_survived),
        cmocka_unit_test(any_data_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
