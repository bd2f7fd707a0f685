/* SPDX-License-Identifier: MIT */
#include "python/runtime.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "fake_memory.h"
#include "image/loaded_image.h"
#include "python/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    DATA = 0x4000, /* address of the writable segment in the file */
    DATA_LEN = 0x28000,
    RUNTIME = 0x5000,
    CODE_TYPE = 0x6000,
    VERSION = 0x6100,
    TEXT = 0x7000,
};

static const uint64_t BIAS = 0x7f0000000000;

/* One file that is mapped, with the bytes of its writable segment. */
struct fixture {
    struct fake_memory fake;
    struct loaded_image image;
    unsigned char data[DATA_LEN];
};

static unsigned char *at(struct fixture *fixture, uint64_t address)
{
    return fixture->data + (address - DATA);
}

static void put_u64(struct fixture *fixture, uint64_t address, uint64_t value)
{
    memcpy(at(fixture, address), &value, sizeof(value));
}

/* A file with these symbols and, when told so, a section .PyRuntime. */
static struct image *make_image(const struct elf_symbol *symbols, size_t count, bool has_section)
{
    struct elf_writer writer;
    const Elf64_Phdr data = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = DATA, .p_memsz = DATA_LEN};
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &data);
    elf_writer_section(&writer, has_section ? ".PyRuntime" : ".data", SHT_NOBITS, RUNTIME, NULL, 600);
    elf_writer_symbols(&writer, ".dynsym", symbols, count);
    elf_writer_finish(&writer);
    cleanup_fd int fd = elf_writer_open(writer.file.data, writer.file.len);
    struct image *image = NULL;
    assert_null(image_open(fd, &image));
    elf_writer_deinit(&writer);
    return image;
}

static const struct elf_symbol symbols[] = {
    {"_PyRuntime", RUNTIME, 600, 0},
    {"PyCode_Type", CODE_TYPE, 400, 0},
    {"Py_GetVersion", 0x1000, 16, 0},
    {"Py_Version", VERSION, 8, 0}, /* the last, as only 3.11 and later have it */
};

static void init_with(struct fixture *fixture, struct image *image, const char *path)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->image = (struct loaded_image){.image = image, .path = strdup(path), .bias = BIAS};
    fake_memory_init(&fixture->fake);
    fake_memory_map(&fixture->fake, BIAS + DATA, fixture->data, DATA_LEN);
}

static void init(struct fixture *fixture, const char *path, bool has_version_symbol)
{
    init_with(fixture, make_image(symbols, array_size(symbols) - !has_version_symbol, false), path);
}

/* Looks for the runtime, frees the file, and compares the version with "3.8.18"; NULL when nothing is to be found. */
static void check_version(struct fixture *fixture, const char *expected)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = python_runtime_find(&fixture->image, 1, &fixture->fake.memory, &runtime);
    loaded_image_deinit(&fixture->image);
    if (!expected) {
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_UNSUPPORTED_VERSION);
        assert_null(runtime.layout);
        return;
    }
    char text[PYTHON_VERSION_TEXT_LEN];
    if (error)
        fail_msg("%s", error->sentence);
    python_version_format(&runtime.version, text);
    assert_string_equal(text, expected);
    assert_int_equal(runtime.address, BIAS + RUNTIME);
    assert_int_equal(runtime.layout->version, runtime.version.major << 8 | runtime.version.minor);
}

/* Looks for a version that is not supported, and for its name in the error. */
static void check_unsupported(struct fixture *fixture, const char *name)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = python_runtime_find(&fixture->image, 1, &fixture->fake.memory, &runtime);
    loaded_image_deinit(&fixture->image);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_UNSUPPORTED_VERSION);
    if (!strstr(error->sentence, name))
        fail_msg("'%s' does not name '%s'", error->sentence, name);
}

static struct fixture fixture; /* too large for a stack */

static void a_version_is_read_from_the_text_in_the_data(void **state)
{
    (void)state;
    static const char *const texts[] = {"3.8.18 (default, Jan 1 2024", "3.9.2 (", "3.10.13 (main", "3.10.0rc1 (x",
                                        "3.8.255 ("};
    static const char *const versions[] = {"3.8.18", "3.9.2", "3.10.13", "3.10.0", "3.8.255"};
    for (size_t i = 0; i < array_size(texts); i++) {
        init(&fixture, "/usr/bin/app", false);
        memcpy(at(&fixture, TEXT), texts[i], strlen(texts[i]));
        check_version(&fixture, versions[i]);
    }
}

static void a_version_text_is_found_wherever_it_lies(void **state)
{
    (void)state;
    static const uint64_t places[] = {DATA,
                                      DATA + 1,
                                      DATA + 0x10000 - 1,
                                      DATA + 0x10000,
                                      DATA + 0x10000 - 5,
                                      DATA + 0x20000 - 8,
                                      DATA + DATA_LEN - 8};
    for (size_t i = 0; i < array_size(places); i++) {
        init(&fixture, "/usr/bin/app", false);
        memcpy(at(&fixture, places[i]), "3.8.18 (", 8);
        check_version(&fixture, "3.8.18");
    }
}

static void what_only_looks_like_a_version_is_passed_over(void **state)
{
    (void)state;
    static const char *const texts[] = {"3.8 (",     "3.8.18",    "3.8.18  (",   ".8.18 (", "1.8.18 (", "3.x.18 (",
                                        "3.8.256 (", "3.256.1 (", "3.8.18 [GCC", "3..18 (", "4.8.18 (", "3.8.1234 x"};
    for (size_t i = 0; i < array_size(texts); i++) {
        init(&fixture, "/usr/bin/app", false);
        memcpy(at(&fixture, TEXT), texts[i], strlen(texts[i]));
        check_version(&fixture, NULL);
    }
}

static void a_version_is_read_from_the_file_name_at_last(void **state)
{
    (void)state;
    static const struct {
        const char *path, *version;
    } rows[] = {
        {"/usr/bin/python3.8", "3.8"},
        {"/usr/lib/libpython3.10.so.1.0", "3.10"},
        {"/usr/lib/libpython3.9d.so", "3.9"},
        {"python3.11", "3.11"},
        {"/opt/python3.8/bin/python3", NULL},
        {"/usr/bin/python3", NULL},
        {"/usr/bin/python", NULL},
        {"/usr/bin/python.8", NULL},
        {"", NULL},
        {"/usr/bin/python3.", NULL},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        init(&fixture, rows[i].path, false);
        check_version(&fixture, rows[i].version);
    }
}

static void a_version_is_read_from_its_symbol(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.8", true);
    put_u64(&fixture, VERSION, 0x030b07f0);
    memcpy(at(&fixture, TEXT), "3.8.18 (", 8);
    check_version(&fixture, "3.11.7");
}

static void an_unsupported_version_is_named(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3", true);
    put_u64(&fixture, VERSION, 0x030f00f0);
    check_unsupported(&fixture, "Python 3.15.0 is not supported");
    init(&fixture, "/usr/bin/python2", false);
    memcpy(at(&fixture, TEXT), "2.7.18 (", 8);
    check_unsupported(&fixture, "Python 2.7.18");
    init(&fixture, "/usr/bin/python3.7", false);
    check_unsupported(&fixture, "Python 3.7 ");
    init(&fixture, "/usr/bin/python3", true);
    check_unsupported(&fixture, "Python 0.0.0");
}

/* Puts what stands at the start of _PyRuntime of a 3.13 that says that it is `version`. */
static void put_debug_offsets(struct fixture *self, uint64_t version, uint64_t is_free_threaded)
{
    memcpy(at(self, RUNTIME), "xdebugpy", 8);
    put_u64(self, RUNTIME + 8, version);
    put_u64(self, RUNTIME + 16, is_free_threaded);
}

static void debug_offsets_say_the_version_first(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.8", true);
    put_u64(&fixture, VERSION, 0x030b07f0);
    put_debug_offsets(&fixture, 0x030e00f0, 0);
    check_unsupported(&fixture, "Python 3.14.0 ");
    init(&fixture, "/usr/bin/python3.8", true);
    put_debug_offsets(&fixture, 0x030d00f0, 1);
    check_unsupported(&fixture, "Python 3.13.0 (free-threaded)");
}

static void debug_offsets_that_make_no_sense_are_bad_data(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.13", true);
    put_debug_offsets(&fixture, 0x030d00f0, 0);
    put_u64(&fixture, RUNTIME + 40, UINT64_MAX);
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = python_runtime_find(&fixture.image, 1, &fixture.fake.memory, &runtime);
    loaded_image_deinit(&fixture.image);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_null(runtime.layout);
}

static void a_stripped_interpreter_is_found_by_its_section(void **state)
{
    (void)state;
    init_with(&fixture, make_image(NULL, 0, true), "/usr/bin/python3.12");
    check_version(&fixture, "3.12");
}

static void the_type_of_code_objects_is_found(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.12", false);
    cleanup_python_runtime struct python_runtime runtime = {0};
    assert_null(python_runtime_find(&fixture.image, 1, &fixture.fake.memory, &runtime));
    loaded_image_deinit(&fixture.image);
    assert_int_equal(runtime.code_type, BIAS + CODE_TYPE);
    assert_int_equal(runtime.version.micro, -1);
}

static void an_interpreter_without_a_runtime_is_named(void **state)
{
    (void)state;
    init_with(&fixture, make_image(&symbols[2], 1, false), "/usr/bin/python3.6");
    check_unsupported(&fixture, "Python 3.6 ");
}

static void a_program_that_is_no_python_is_told(void **state)
{
    (void)state;
    static const struct elf_symbol other[] = {{"main", 0x1000, 1, 0}};
    init_with(&fixture, make_image(other, 1, false), "/usr/bin/python3.8");
    struct python_runtime runtime = {.address = 42};
    cleanup_error struct error *error = python_runtime_find(&fixture.image, 1, &fixture.fake.memory, &runtime);
    assert_int_equal(error->kind, ERROR_NOT_PYTHON);
    assert_int_equal(runtime.address, 42);
    cleanup_error struct error *no_files = python_runtime_find(NULL, 0, &fixture.fake.memory, &runtime);
    assert_int_equal(no_files->kind, ERROR_NOT_PYTHON);
    loaded_image_deinit(&fixture.image);
}

static void the_last_file_is_the_most_likely(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.8", false);
    struct loaded_image images[] = {
        fixture.image,
        {.image = make_image(symbols, 3, false), .path = strdup("/usr/lib/libpython3.9.so"), .bias = BIAS},
        {.image = make_image(NULL, 0, false), .path = strdup("/usr/lib/libc.so.6"), .bias = BIAS},
    };
    cleanup_python_runtime struct python_runtime runtime = {0};
    assert_null(python_runtime_find(images, array_size(images), &fixture.fake.memory, &runtime));
    assert_int_equal(runtime.version.minor, 9);
    for (size_t i = 0; i < array_size(images); i++)
        loaded_image_deinit(&images[i]);
}

static void a_file_whose_memory_is_not_mapped_is_known_by_its_name(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.12", true);
    fake_memory_unmap(&fixture.fake, BIAS + DATA);
    check_version(&fixture, "3.12");
}

static void a_runtime_is_ready_when_it_has_a_thread(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct layout layout = layouts[i];
        struct python_runtime runtime = {.address = BIAS + RUNTIME, .layout = &layout};
        memset(&fixture, 0, sizeof(fixture));
        fake_memory_init(&fixture.fake);
        assert_false(python_runtime_is_ready(&runtime, &fixture.fake.memory));
        fake_memory_map(&fixture.fake, BIAS + DATA, fixture.data, DATA_LEN);
        assert_false(python_runtime_is_ready(&runtime, &fixture.fake.memory));
        put_u64(&fixture, RUNTIME + layout.runtime.interpreters_head, BIAS + 0x8000);
        assert_false(python_runtime_is_ready(&runtime, &fixture.fake.memory));
        put_u64(&fixture, 0x8000 + layout.interpreter.threads_head, BIAS + 0x4000);
        assert_true(python_runtime_is_ready(&runtime, &fixture.fake.memory));
        put_u64(&fixture, RUNTIME + layout.runtime.interpreters_head, UINT64_MAX);
        assert_false(python_runtime_is_ready(&runtime, &fixture.fake.memory));
    }
}

static void the_longest_version_fits_its_text(void **state)
{
    (void)state;
    const struct python_version version = {.major = 255, .minor = 255, .micro = 255, .is_free_threaded = true};
    char text[PYTHON_VERSION_TEXT_LEN];
    python_version_format(&version, text);
    assert_string_equal(text, "255.255.255 (free-threaded)");
}

/* In 8 bits, both would be 3.8. */
static void a_number_in_a_file_name_that_is_too_large_is_no_version(void **state)
{
    (void)state;
    static const char *const paths[] = {"/usr/bin/python3.264", "/usr/bin/python259.8"};
    for (size_t i = 0; i < array_size(paths); i++) {
        init(&fixture, paths[i], false);
        check_version(&fixture, NULL);
    }
}

/* "12.2.0 (" of a compiler is not Python 2.2.0. */
static void the_end_of_a_larger_number_is_no_version(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/app", false);
    memcpy(at(&fixture, TEXT), "gcc 12.2.0 (Debian)", 19);
    memcpy(at(&fixture, TEXT + 0x100), "3.8.18 (", 8);
    check_version(&fixture, "3.8.18");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_version_is_read_from_the_text_in_the_data),
    cmocka_unit_test(a_version_text_is_found_wherever_it_lies),
    cmocka_unit_test(what_only_looks_like_a_version_is_passed_over),
    cmocka_unit_test(a_version_is_read_from_the_file_name_at_last),
    cmocka_unit_test(a_version_is_read_from_its_symbol),
    cmocka_unit_test(an_unsupported_version_is_named),
    cmocka_unit_test(debug_offsets_say_the_version_first),
    cmocka_unit_test(debug_offsets_that_make_no_sense_are_bad_data),
    cmocka_unit_test(a_stripped_interpreter_is_found_by_its_section),
    cmocka_unit_test(the_type_of_code_objects_is_found),
    cmocka_unit_test(an_interpreter_without_a_runtime_is_named),
    cmocka_unit_test(a_program_that_is_no_python_is_told),
    cmocka_unit_test(the_last_file_is_the_most_likely),
    cmocka_unit_test(a_file_whose_memory_is_not_mapped_is_known_by_its_name),
    cmocka_unit_test(a_runtime_is_ready_when_it_has_a_thread),
    cmocka_unit_test(the_longest_version_fits_its_text),
    cmocka_unit_test(a_number_in_a_file_name_that_is_too_large_is_no_version),
    cmocka_unit_test(the_end_of_a_larger_number_is_no_version),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
