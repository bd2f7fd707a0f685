/* SPDX-License-Identifier: MIT */
#include "python/runtime.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "fake_memory.h"
#include "image/loaded_image.h"
#include "python/layout.h"
#include "python_debug_table.h"

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
    ACCESSOR = 0x6300,
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
    cleanup_error struct error *error = python_runtime_find(&fixture->image, &fixture->fake.memory, &runtime);
    loaded_image_deinit(&fixture->image);
    if (!expected) {
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_NOT_READY);
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
    cleanup_error struct error *error = python_runtime_find(&fixture->image, &fixture->fake.memory, &runtime);
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
    static const char *const texts[] = {"3.8.18 (default, Jan 1 2024",
                                        "3.9.2 (",
                                        "3.10.13 (main",
                                        "3.10.0rc1 (x",
                                        "3.8.255 (",
                                        "2.7.18 (default",
                                        "3.6.0 (",
                                        "3.7.0+ (",
                                        "3.8.10 | packaged by conda-forge | (default, May 11 2021"};
    static const char *const versions[] = {"3.8.18", "3.9.2", "3.10.13", "3.10.0rc1", "3.8.255",
                                           "2.7.18", "3.6.0", "3.7.0",   "3.8.10"};
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
    put_u64(&fixture, VERSION, 0x031000f0);
    check_unsupported(&fixture, "Python 3.16.0 is not supported (2.7, 3.6 to 3.15, and free-threaded");
    init(&fixture, "/usr/bin/python2", false);
    memcpy(at(&fixture, TEXT), "2.6.9 (", 7);
    check_unsupported(&fixture, "Python 2.6.9 ");
    init(&fixture, "/usr/bin/python3.5", false);
    check_unsupported(&fixture, "Python 3.5 ");
    init(&fixture, "/usr/bin/python3", true);
    check_unsupported(&fixture, "Python 0.0.0");
}

/* Puts what stands at the start of _PyRuntime of a build, which says that it is of another version. */
static void put_debug_table(struct fixture *self, enum debug_table_build build, uint64_t version)
{
    struct debug_table table;
    debug_table_init(&table, build);
    debug_table_put(&table, "version", version);
    memcpy(at(self, RUNTIME), table.bytes, table.len);
}

static struct error *find_with_table(enum debug_table_build build, uint64_t version, struct python_runtime *ret)
{
    init(&fixture, "/usr/bin/python3.8", false);
    memcpy(at(&fixture, TEXT), "3.8.18 (", 8);
    put_debug_table(&fixture, build, version);
    struct error *error = python_runtime_find(&fixture.image, &fixture.fake.memory, ret);
    loaded_image_deinit(&fixture.image);
    return error;
}

/* Expects that a build's table is taken for what it says it is: "3.15.0b2". */
static void check_table(enum debug_table_build build, uint64_t version, const char *text, bool is_untested)
{
    char found[PYTHON_VERSION_TEXT_LEN];
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = find_with_table(build, version, &runtime);
    if (error)
        fail_msg("%s: %s", text, error->sentence);
    python_version_format(&runtime.version, found);
    assert_string_equal(found, text);
    assert_int_equal(runtime.is_untested, is_untested);
    assert_int_equal(runtime.layout->is_free_threaded, runtime.version.is_free_threaded);
}

static void check_table_refused(enum debug_table_build build, uint64_t version, enum error_kind kind, const char *name)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = find_with_table(build, version, &runtime);
    if (!error)
        fail_msg("%s is accepted", name);
    assert_int_equal(error->kind, kind);
    if (!strstr(error->sentence, name))
        fail_msg("'%s' does not name '%s'", error->sentence, name);
    assert_null(runtime.layout);
}

static void debug_offsets_say_the_version_before_the_text(void **state)
{
    (void)state;
    check_table(DEBUG_TABLE_3_13_0, 0x030d00f0, "3.13.0", false);
    check_table(DEBUG_TABLE_3_13_5T, 0x030d05f0, "3.13.5 (free-threaded)", false);
    check_table(DEBUG_TABLE_3_14_4, 0x030e04f0, "3.14.4", false);
    check_table(DEBUG_TABLE_3_14_4T, 0x030e04f0, "3.14.4 (free-threaded)", false);
    check_table(DEBUG_TABLE_3_14_8, 0x030e08f0, "3.14.8", false);
    check_table(DEBUG_TABLE_3_15_0, 0x030f00f0, "3.15.0", false);
    check_table(DEBUG_TABLE_3_15_0T, 0x030f00f0, "3.15.0 (free-threaded)", false);
}

static void a_version_that_is_just_newer_is_tried(void **state)
{
    (void)state;
    check_table(DEBUG_TABLE_3_15_0, 0x031000f0, "3.16.0", true);
    check_table(DEBUG_TABLE_3_15_0, 0x031000a2, "3.16.0a2", true);
    check_table(DEBUG_TABLE_3_15_0T, 0x031003f0, "3.16.3 (free-threaded)", true);
}

static void a_newer_version_with_another_table_is_refused_by_name(void **state)
{
    (void)state;
    check_table_refused(DEBUG_TABLE_3_14_8, 0x031000f0, ERROR_UNSUPPORTED_VERSION, "Python 3.16.0 is not supported");
    check_table_refused(DEBUG_TABLE_3_14_4T, 0x031000f0, ERROR_UNSUPPORTED_VERSION, "3.16.0 (free-threaded)");
    check_table_refused(DEBUG_TABLE_3_15_0, 0x031100f0, ERROR_UNSUPPORTED_VERSION, "Python 3.17.0 ");
    check_table_refused(DEBUG_TABLE_3_15_0, 0x041000f0, ERROR_UNSUPPORTED_VERSION, "Python 4.16.0 ");
    check_table_refused(DEBUG_TABLE_3_15_0T, 0x030c00f0, ERROR_UNSUPPORTED_VERSION, "3.12.0 (free-threaded)");
}

static void pre_releases_are_tried_where_debug_offsets_tell(void **state)
{
    (void)state;
    check_table(DEBUG_TABLE_3_15_0, 0x030f00a7, "3.15.0a7", true);
    check_table(DEBUG_TABLE_3_15_0, 0x030f00b2, "3.15.0b2", true);
    check_table(DEBUG_TABLE_3_14_8, 0x030e00bf, "3.14.0b15", true);
    check_table(DEBUG_TABLE_3_15_0T, 0x030f00b1, "3.15.0b1 (free-threaded)", true);
    check_table(DEBUG_TABLE_3_15_0, 0x030f00c1, "3.15.0rc1", false);
    check_table_refused(DEBUG_TABLE_3_14_8, 0x030f00a1, ERROR_UNSUPPORTED_VERSION, "Python 3.15.0a1 is not supported");
    check_table_refused(DEBUG_TABLE_3_13_0, 0x030e00b1, ERROR_UNSUPPORTED_VERSION, "Python 3.14.0b1 is not supported");
}

static void what_needs_debug_offsets_and_has_none_is_refused(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3", true);
    put_u64(&fixture, VERSION, 0x030c00a1);
    check_unsupported(&fixture, "Python 3.12.0a1 ");
    init(&fixture, "/usr/bin/python3", true);
    put_u64(&fixture, VERSION, 0x030c00c2);
    check_version(&fixture, "3.12.0rc2");
    init(&fixture, "/usr/bin/python3", true);
    put_u64(&fixture, VERSION, 0x030d00f0);
    check_unsupported(&fixture, "Python 3.13.0 ");
    static const char *const texts[] = {"3.10.0b4 (x", "3.8.0a1 (", "3.9.0a12 ("};
    static const char *const names[] = {"Python 3.10.0b4 ", "Python 3.8.0a1 ", "Python 3.9.0a12 "};
    for (size_t i = 0; i < array_size(texts); i++) {
        init(&fixture, "/usr/bin/app", false);
        memcpy(at(&fixture, TEXT), texts[i], strlen(texts[i]));
        check_unsupported(&fixture, names[i]);
    }
}

static void debug_offsets_that_make_no_sense_are_bad_data(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.13", false);
    put_debug_table(&fixture, DEBUG_TABLE_3_13_0, 0x030d00f0);
    put_u64(&fixture, RUNTIME + 40, UINT64_MAX);
    cleanup_python_runtime struct python_runtime runtime = {0};
    cleanup_error struct error *error = python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime);
    loaded_image_deinit(&fixture.image);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_null(runtime.layout);
    check_table_refused(DEBUG_TABLE_3_14_8, 0x030f00f0, ERROR_BAD_DATA, "contradict");
}

static void the_patch_level_of_3_7_decides_where_the_gil_is(void **state)
{
    (void)state;
    static const char *const texts[] = {"3.7.3 (default", "3.7.4 (default"};
    static const uint16_t gils[] = {1264 - 88, 1264};
    for (size_t i = 0; i < array_size(texts); i++) {
        init(&fixture, "/usr/bin/python3", false);
        memcpy(at(&fixture, TEXT), texts[i], strlen(texts[i]));
        cleanup_python_runtime struct python_runtime runtime = {0};
        assert_null(python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime));
        loaded_image_deinit(&fixture.image);
        assert_int_equal(runtime.layout->runtime.gil, gils[i]);
        assert_false(runtime.is_untested);
    }
}

/* To 3.6 the runtime is two variables; the names of functions tell how wide 2.7's characters are. */
static void the_variables_of_old_versions_are_found(void **state)
{
    (void)state;
    static const char *const functions[] = {"PyUnicodeUCS4_GetSize", "PyUnicodeUCS2_GetSize"};
    static const char *const texts[] = {"2.7.18 (default", "3.6.15 (default"};
    for (size_t i = 0; i < 4; i++) {
        const struct elf_symbol old_symbols[] = {{"interp_head", RUNTIME, 8, 0},
                                                 {"_PyThreadState_Current", RUNTIME + 64, 8, 0},
                                                 {functions[i % 2], 0x1000, 16, 0}};
        init_with(&fixture, make_image(old_symbols, array_size(old_symbols), false), "/usr/bin/python");
        memcpy(at(&fixture, TEXT), texts[i / 2], strlen(texts[i / 2]));
        cleanup_python_runtime struct python_runtime runtime = {0};
        assert_null(python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime));
        loaded_image_deinit(&fixture.image);
        assert_int_equal(runtime.address, BIAS + RUNTIME);
        assert_int_equal(runtime.current_thread, BIAS + RUNTIME + 64);
        assert_int_equal(runtime.layout->runtime.interpreters_head, 0);
        if (runtime.version.major == 2)
            assert_int_equal(runtime.layout->text.wide_len, i % 2 ? 2 : 4);
    }
}

/* The word comes first, as it cannot be read wrongly. */
static void the_symbol_of_the_version_comes_before_debug_offsets(void **state)
{
    (void)state;
    init(&fixture, "/usr/bin/python3.8", true);
    put_debug_table(&fixture, DEBUG_TABLE_3_14_8, 0x030e08f0);
    put_u64(&fixture, VERSION, 0x031900f0);
    check_unsupported(&fixture, "Python 3.25.0 is");
}

/* To 3.6, where strip takes interp_head away, there is a function that returns it. */
static void init_stripped(struct fixture *self, const unsigned char *code, size_t len)
{
    static const struct elf_symbol exported[] = {{"PyInterpreterState_Head", ACCESSOR, 8, 0},
                                                 {"Py_GetVersion", 0x1000, 16, 0}};
    init_with(self, make_image(exported, array_size(exported), false), "/usr/bin/python3.6");
    memcpy(at(self, ACCESSOR), code, len);
}

static void a_stripped_old_interpreter_is_found_by_what_a_function_returns(void **state)
{
    (void)state;
    static const unsigned char marked[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xc3};
    for (size_t skipped = 0; skipped <= 4; skipped += 4) {
        unsigned char code[sizeof(marked)];
        const int32_t distance = RUNTIME - (ACCESSOR + (int32_t)(sizeof(marked) - skipped) - 1);
        memcpy(code, marked, sizeof(marked));
        memcpy(code + 7, &distance, sizeof(distance));
        init_stripped(&fixture, code + skipped, sizeof(code) - skipped);
        check_version(&fixture, "3.6");
    }
}

static void a_function_that_does_more_than_return_a_variable_says_nothing(void **state)
{
    (void)state;
    static const unsigned char codes[][12] = {
        {0x48, 0x8b, 0x05, 0, 0, 0, 0, 0x90},
        {0x48, 0x8b, 0x0d, 0, 0, 0, 0, 0xc3},
        {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8b, 0x05},
    };
    for (size_t i = 0; i < array_size(codes); i++) {
        init_stripped(&fixture, codes[i], sizeof(codes[i]));
        struct python_runtime runtime = {.address = 42};
        cleanup_error struct error *error = python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime);
        loaded_image_deinit(&fixture.image);
        assert_int_equal(error->kind, ERROR_NOT_PYTHON);
        assert_int_equal(runtime.address, 42);
    }
}

static void symbols_are_looked_for_in_the_debug_file_too(void **state)
{
    (void)state;
    init_with(&fixture, make_image(NULL, 0, false), "/usr/bin/app");
    fixture.image.debug = make_image(symbols, array_size(symbols), false);
    put_u64(&fixture, VERSION, 0x030807f0);
    check_version(&fixture, "3.8.7");
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
    assert_null(python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime));
    loaded_image_deinit(&fixture.image);
    assert_int_equal(runtime.code_type, BIAS + CODE_TYPE);
    assert_int_equal(runtime.version.micro, -1);
}

static void an_interpreter_without_a_runtime_is_named(void **state)
{
    (void)state;
    init_with(&fixture, make_image(&symbols[2], 1, false), "/usr/bin/python3.5");
    check_unsupported(&fixture, "Python 3.5 ");
}

static void a_program_that_is_no_python_is_told(void **state)
{
    (void)state;
    static const struct elf_symbol other[] = {{"main", 0x1000, 1, 0}};
    init_with(&fixture, make_image(other, 1, false), "/usr/bin/python3.8");
    struct python_runtime runtime = {.address = 42};
    cleanup_error struct error *error = python_runtime_find(&fixture.image, &fixture.fake.memory, &runtime);
    assert_int_equal(error->kind, ERROR_NOT_PYTHON);
    assert_int_equal(runtime.address, 42);
    loaded_image_deinit(&fixture.image);
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

static void versions_are_written_as_python_writes_them(void **state)
{
    (void)state;
    static const struct {
        struct python_version version;
        const char *text;
    } rows[] = {
        {{.major = 3, .minor = 8, .micro = -1}, "3.8"},
        {{.major = 2, .minor = 7, .micro = 18}, "2.7.18"},
        {{.major = 3, .minor = 14, .micro = 0, .is_free_threaded = true}, "3.14.0 (free-threaded)"},
        {{.major = 3, .minor = 15, .micro = 0, .level = 'b', .serial = 2}, "3.15.0b2"},
        {{.major = 3, .minor = 15, .micro = 0, .level = 'a', .serial = 0}, "3.15.0a0"},
        {{.major = 3, .minor = 15, .micro = 0, .level = 'c', .serial = 1}, "3.15.0rc1"},
        {{.major = 255, .minor = 255, .micro = 255, .level = 'c', .serial = 255, .is_free_threaded = true},
         "255.255.255rc255 (free-threaded)"},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        char text[PYTHON_VERSION_TEXT_LEN];
        python_version_format(&rows[i].version, text);
        assert_string_equal(text, rows[i].text);
    }
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
    cmocka_unit_test(debug_offsets_say_the_version_before_the_text),
    cmocka_unit_test(a_version_that_is_just_newer_is_tried),
    cmocka_unit_test(a_newer_version_with_another_table_is_refused_by_name),
    cmocka_unit_test(pre_releases_are_tried_where_debug_offsets_tell),
    cmocka_unit_test(what_needs_debug_offsets_and_has_none_is_refused),
    cmocka_unit_test(debug_offsets_that_make_no_sense_are_bad_data),
    cmocka_unit_test(the_patch_level_of_3_7_decides_where_the_gil_is),
    cmocka_unit_test(the_variables_of_old_versions_are_found),
    cmocka_unit_test(the_symbol_of_the_version_comes_before_debug_offsets),
    cmocka_unit_test(a_stripped_old_interpreter_is_found_by_what_a_function_returns),
    cmocka_unit_test(a_function_that_does_more_than_return_a_variable_says_nothing),
    cmocka_unit_test(symbols_are_looked_for_in_the_debug_file_too),
    cmocka_unit_test(a_stripped_interpreter_is_found_by_its_section),
    cmocka_unit_test(the_type_of_code_objects_is_found),
    cmocka_unit_test(an_interpreter_without_a_runtime_is_named),
    cmocka_unit_test(a_program_that_is_no_python_is_told),
    cmocka_unit_test(a_file_whose_memory_is_not_mapped_is_known_by_its_name),
    cmocka_unit_test(a_runtime_is_ready_when_it_has_a_thread),
    cmocka_unit_test(versions_are_written_as_python_writes_them),
    cmocka_unit_test(a_number_in_a_file_name_that_is_too_large_is_no_version),
    cmocka_unit_test(the_end_of_a_larger_number_is_no_version),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
