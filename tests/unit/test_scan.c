/* SPDX-License-Identifier: MIT */
#include "python/scan.h"

#include "base/cleanup.h"
#include "fake_memory.h"
#include "python/layout.h"
#include "python/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    LEN = 0x28000, /* more than two chunks */
    RUNTIME = 0x11000,
    INTERPRETER = 0x14000,
    OTHER_INTERPRETER = 0x18000,
    THREAD = 0x1c000,
    MODULES = 0x1d000,
    DICT_TYPE = 0x1d100,
    NAME = 0x1d200,
    TYPE_TYPE = 0x1d300,
    TEXT = 0x200,
    DECOY = 0x400,
    FURTHER = 0x22000,
};

static const remote_addr BASE = 0x7f0000000000;
static const char version_text[] = "3.8.18 (default, Jan 1 2024, 10:00:00) \n[GCC 12.2.0]";

/* A file's data with a CPython in it, of which nothing is known. */
struct fixture {
    struct fake_memory fake;
    struct maps maps;
    struct python_data data;
    const struct layout *layout;
    unsigned char bytes[LEN];
};

static struct fixture fixture; /* too large for a stack */

static void put(uint64_t offset, uint64_t value)
{
    memcpy(fixture.bytes + offset, &value, sizeof(value));
}

static void put_interpreter(uint64_t offset, uint64_t thread, remote_addr next)
{
    const struct layout *layout = fixture.layout;
    put(offset + layout->interpreter.next, next);
    put(offset + layout->interpreter.threads_head, BASE + thread);
    put(offset + layout->interpreter.modules, BASE + MODULES);
    put(thread + layout->thread.interpreter, BASE + offset);
}

/* Makes an interpreter of a version that can be found. */
static void init(unsigned major, unsigned minor)
{
    maps_deinit(&fixture.maps);
    memset(&fixture, 0, sizeof(fixture));
    const struct layout *layout = fixture.layout = layout_of_version(major, minor, false);
    fake_memory_init(&fixture.fake);
    fake_memory_map(&fixture.fake, BASE, fixture.bytes, LEN);
    char line[128];
    snprintf(line, sizeof(line), "%lx-%lx rw-p 00000000 fd:00 1 /opt/app\n", (unsigned long)BASE,
             (unsigned long)(BASE + LEN));
    assert_null(maps_init(&fixture.maps, line, strlen(line)));
    python_data_of_mapping(&fixture.maps, &fixture.maps.mappings[0], &fixture.data);
    put_interpreter(INTERPRETER, THREAD, 0);
    put(MODULES + layout->object.type, BASE + DICT_TYPE);
    put(DICT_TYPE + layout->object.type + 16, BASE + NAME);
    memcpy(fixture.bytes + NAME, "dict", 5);
    put(RUNTIME + layout->runtime.interpreters_head, BASE + INTERPRETER);
    if (layout->runtime.interpreters_head != 0)
        put(RUNTIME + layout->runtime.interpreters_head + 8, BASE + INTERPRETER);
}

static remote_addr scan(void)
{
    return scan_for_runtime(&fixture.data, &fixture.maps, fixture.layout, &fixture.fake.memory);
}

static const struct {
    unsigned major, minor;
} versions[] = {{2, 7}, {3, 6}, {3, 7}, {3, 8}, {3, 9}, {3, 10}, {3, 11}, {3, 12}, {3, 13}};

static void a_runtime_is_found_by_what_it_points_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_size(versions); i++) {
        init(versions[i].major, versions[i].minor);
        assert_int_equal(scan(), BASE + RUNTIME);
    }
}

static void a_newer_interpreter_may_stand_before_the_main_one(void **state)
{
    (void)state;
    init(3, 8);
    put_interpreter(OTHER_INTERPRETER, THREAD + 0x400, BASE + INTERPRETER);
    put(RUNTIME + fixture.layout->runtime.interpreters_head, BASE + OTHER_INTERPRETER);
    assert_int_equal(scan(), BASE + RUNTIME);
}

static void what_only_resembles_an_interpreter_is_passed_over(void **state)
{
    (void)state;
    const struct layout *layout = layout_of_version(3, 8, false);
    const struct {
        uint64_t offset, value;
    } rows[] = {
        {INTERPRETER + layout->interpreter.threads_head, 0},
        {INTERPRETER + layout->interpreter.threads_head, UINT64_MAX},
        {THREAD + layout->thread.interpreter, BASE + OTHER_INTERPRETER},
        {INTERPRETER + layout->interpreter.modules, 0},
        {MODULES + layout->object.type, 0},
        {DICT_TYPE + layout->object.type + 16, 0},
        {NAME, 0},
        {DICT_TYPE + layout->object.type + 16, BASE + LEN}, /* the name is not there, and the type is none */
        {INTERPRETER + layout->interpreter.next, UINT64_MAX},
        {INTERPRETER + layout->interpreter.next, BASE + INTERPRETER}, /* without end */
        {RUNTIME + layout->runtime.interpreters_head, BASE + INTERPRETER + 1},
        {RUNTIME + layout->runtime.interpreters_head, BASE + LEN},
        {RUNTIME + layout->runtime.interpreters_head + 8, BASE + OTHER_INTERPRETER},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        init(3, 8);
        put(rows[i].offset, rows[i].value);
        assert_int_equal(scan(), 0);
    }
}

/* A core file lacks what was never written to. */
static void a_type_without_its_name_is_told_by_its_own_type(void **state)
{
    (void)state;
    init(3, 8);
    put(DICT_TYPE + fixture.layout->object.type + 16, BASE + LEN);
    put(DICT_TYPE + fixture.layout->object.type, BASE + TYPE_TYPE);
    assert_int_equal(scan(), 0);
    put(TYPE_TYPE + fixture.layout->object.type, BASE + TYPE_TYPE);
    assert_int_equal(scan(), BASE + RUNTIME);
}

/* Were there no limit, each of these words would cost a walk over a list without end. */
static void many_interpreters_that_lead_nowhere_end_the_scan(void **state)
{
    (void)state;
    init(3, 8);
    put(INTERPRETER + fixture.layout->interpreter.next, BASE + INTERPRETER);
    for (uint64_t offset = 0; offset < 0x10000; offset += 8)
        put(offset, BASE + INTERPRETER);
    assert_int_equal(scan(), 0);
    assert_true(fixture.fake.memory.remote_reads < 2000000);
}

static void the_thread_with_the_gil_lies_beside_the_interpreters(void **state)
{
    (void)state;
    struct memory *memory = &fixture.fake.memory;
    init(3, 6);
    assert_int_equal(scan_for_current_thread(fixture.layout, memory, BASE + RUNTIME), 0);
    put(RUNTIME + 16, BASE + THREAD);
    assert_int_equal(scan_for_current_thread(fixture.layout, memory, BASE + RUNTIME), BASE + RUNTIME + 16);
    put(RUNTIME + 16, 0);
    put(RUNTIME - 8, BASE + THREAD);
    assert_int_equal(scan_for_current_thread(fixture.layout, memory, BASE + RUNTIME), BASE + RUNTIME - 8);
    put(RUNTIME - 8, 0);
    put(RUNTIME + 128, BASE + THREAD);
    assert_int_equal(scan_for_current_thread(fixture.layout, memory, BASE + RUNTIME), 0);
}

static struct error *scan_all(struct python_runtime *ret)
{
    return python_runtime_scan(&fixture.data, &fixture.maps, &fixture.fake.memory, ret);
}

static void the_version_is_told_by_the_whole_text(void **state)
{
    (void)state;
    init(3, 8);
    assert_false(python_is_in_data(&fixture.data, &fixture.fake.memory));
    memcpy(fixture.bytes + TEXT, version_text, sizeof(version_text));
    assert_true(python_is_in_data(&fixture.data, &fixture.fake.memory));
    cleanup_python_runtime struct python_runtime runtime = {0};
    assert_null(scan_all(&runtime));
    assert_int_equal(runtime.address, BASE + RUNTIME);
    assert_int_equal(runtime.version.minor, 8);
    assert_int_equal(runtime.version.micro, 18);
    assert_int_equal(runtime.layout->version, 3 << 8 | 8);
}

static void numbers_of_other_programs_are_no_version_of_python(void **state)
{
    (void)state;
    static const char *const texts[] = {"3.8.18 (", "3.8.18 (stable)", "2.30.1 (Debian) x", "3.8.18 (a b [c"};
    for (size_t i = 0; i < array_size(texts); i++) {
        init(3, 8);
        memcpy(fixture.bytes + TEXT, texts[i], strlen(texts[i]));
        struct python_runtime runtime = {.address = 42};
        cleanup_error struct error *error = scan_all(&runtime);
        assert_int_equal(error->kind, ERROR_NOT_PYTHON);
        assert_int_equal(runtime.address, 42);
    }
}

static void a_version_without_layout_is_named(void **state)
{
    (void)state;
    init(3, 8);
    static const char text[] = "3.5.2 (default, Jan 1 2016, 10:00:00) \n[GCC 5.4.0]";
    memcpy(fixture.bytes + TEXT, text, sizeof(text));
    struct python_runtime runtime;
    cleanup_error struct error *error = scan_all(&runtime);
    assert_int_equal(error->kind, ERROR_UNSUPPORTED_VERSION);
    assert_non_null(strstr(error->sentence, "Python 3.5.2"));
}

static void debug_offsets_are_found_from_an_address_on(void **state)
{
    (void)state;
    init(3, 8);
    remote_addr address = 0;
    assert_false(scan_for_debug_offsets(&fixture.data, &fixture.fake.memory, &address));
    memcpy(fixture.bytes + DECOY, "xdebugpy", 8);
    memcpy(fixture.bytes + DECOY + 0x104, "xdebugpy", 8); /* not where a word begins */
    memcpy(fixture.bytes + FURTHER, "xdebugpy", 8);
    assert_true(scan_for_debug_offsets(&fixture.data, &fixture.fake.memory, &address));
    assert_int_equal(address, BASE + DECOY);
    address++;
    assert_true(scan_for_debug_offsets(&fixture.data, &fixture.fake.memory, &address));
    assert_int_equal(address, BASE + FURTHER);
    address++;
    assert_false(scan_for_debug_offsets(&fixture.data, &fixture.fake.memory, &address));
}

static void debug_offsets_that_lead_to_no_interpreter_are_passed_over(void **state)
{
    (void)state;
    init(3, 8);
    memcpy(fixture.bytes + DECOY, "xdebugpy", 8);
    put(DECOY + 8, 0x030d00f0);
    memcpy(fixture.bytes + TEXT, version_text, sizeof(version_text));
    struct python_runtime runtime = {.address = 42};
    cleanup_error struct error *error = scan_all(&runtime);
    assert_non_null(error);
    assert_int_equal(runtime.address, 42);
}

/* The kernel puts .bss behind the file's own data as anonymous memory. */
static void the_data_of_a_mapping_go_on_in_anonymous_memory(void **state)
{
    (void)state;
    static const char text[] = "1000-2000 r-xp 00000000 fd:00 1 /opt/app\n"
                               "2000-3000 rw-p 00001000 fd:00 1 /opt/app\n"
                               "3000-5000 rw-p 00000000 00:00 0 \n"
                               "6000-7000 rw-p 00000000 00:00 0 \n"
                               "7000-8000 rw-p 00001000 fd:00 2 /opt/other\n"
                               "9000-a000 rw-p 00001000 fd:00 1 /opt/app\n"
                               "a000-b000 r--p 00000000 00:00 0 \n";
    cleanup_maps struct maps maps = {0};
    struct python_data data;
    assert_null(maps_init(&maps, text, strlen(text)));
    python_data_of_mapping(&maps, &maps.mappings[0], &data);
    assert_int_equal(data.count, 2);
    assert_int_equal(data.ranges[0].address, 0x2000);
    assert_int_equal(data.ranges[0].len, 0x3000);
    assert_int_equal(data.ranges[1].address, 0x9000);
    assert_int_equal(data.ranges[1].len, 0x1000);
}

static int tear_down(void **state)
{
    (void)state;
    maps_deinit(&fixture.maps);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_runtime_is_found_by_what_it_points_to),
    cmocka_unit_test(a_newer_interpreter_may_stand_before_the_main_one),
    cmocka_unit_test(what_only_resembles_an_interpreter_is_passed_over),
    cmocka_unit_test(a_type_without_its_name_is_told_by_its_own_type),
    cmocka_unit_test(many_interpreters_that_lead_nowhere_end_the_scan),
    cmocka_unit_test(the_thread_with_the_gil_lies_beside_the_interpreters),
    cmocka_unit_test(the_version_is_told_by_the_whole_text),
    cmocka_unit_test(numbers_of_other_programs_are_no_version_of_python),
    cmocka_unit_test(a_version_without_layout_is_named),
    cmocka_unit_test(debug_offsets_are_found_from_an_address_on),
    cmocka_unit_test(debug_offsets_that_lead_to_no_interpreter_are_passed_over),
    cmocka_unit_test(the_data_of_a_mapping_go_on_in_anonymous_memory),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
