/* SPDX-License-Identifier: MIT */
#include "native/modules.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "elf_writer.h"
#include "fake_memory.h"
#include "image/loaded_image.h"
#include "own_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An opener of files that exist only here. */
struct library {
    char *bytes;
    size_t len;
    unsigned opened, asked_for_debug;
    bool is_missing;
};

static struct error *open_library(void *context, const struct maps *maps, const struct mapping *mapping,
                                  struct loaded_image *ret)
{
    struct library *library = context;
    (void)maps;
    (void)mapping;
    library->opened++;
    if (library->is_missing)
        return error_create(ERROR_NOT_FOUND, "it is not there");
    ret->bias = 0xbad;
    return image_open_bytes(library->bytes, library->len, &ret->image);
}

static bool open_debug(void *context, struct loaded_image *loaded)
{
    struct library *library = context;
    library->asked_for_debug++;
    assert_null(image_open_bytes(library->bytes, library->len, &loaded->debug));
    return true;
}

static int open_jit_names(void *context)
{
    (void)context;
    return 77;
}

struct fixture {
    struct library library;
    struct module_opener opener;
    struct fake_memory memory;
    struct modules *modules;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const Elf64_Phdr code = {.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_X,
                                    .p_offset = 0x1000,
                                    .p_vaddr = 0x3000,
                                    .p_filesz = 64,
                                    .p_memsz = 64};
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &code);
    elf_writer_finish(&writer);
    fixture = (struct fixture){.library = {.len = writer.file.len}};
    fixture.library.bytes = malloc(writer.file.len);
    memcpy(fixture.library.bytes, writer.file.data, writer.file.len);
    elf_writer_deinit(&writer);
    fixture.opener = (struct module_opener){
        .context = &fixture.library, .open = open_library, .open_debug = open_debug, .open_jit_names = open_jit_names};
    fake_memory_init(&fixture.memory);
    assert_null(modules_create(&fixture.opener, &fixture.memory.memory, &fixture.modules));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    modules_destroy(fixture->modules);
    free(fixture->library.bytes);
    return 0;
}

static void update(struct fixture *fixture, const char *text)
{
    cleanup_maps struct maps maps;
    assert_null(maps_init(&maps, text, strlen(text)));
    assert_null(modules_update(fixture->modules, &maps));
}

static void a_module_is_what_is_mapped_of_a_file_from_code_to_code(void **state)
{
    struct fixture *fixture = *state;
    update(fixture, "10000-11000 r--p 0 0:0 7   /lib/a.so\n"
                    "11000-12000 r-xp 1000 0:0 7   /lib/a.so\n"
                    "12000-13000 r--p 2000 0:0 7   /lib/a.so\n"
                    "13000-14000 r-xp 3000 0:0 7   /lib/a.so\n"
                    "14000-15000 rw-p 4000 0:0 7   /lib/a.so\n"
                    "20000-21000 r-xp 0 0:0 8   /lib/b.so\n");
    const struct native_module *module = modules_find(fixture->modules, 0x11000);
    assert_non_null(module);
    assert_string_equal(module->path, "/lib/a.so");
    assert_int_equal(module->start, 0x11000);
    assert_int_equal(module->end, 0x14000);
    assert_int_equal(module->bias, 0x11000 - 0x3000);
    assert_non_null(module->image);
    assert_non_null(module->debug);
    assert_ptr_equal(modules_find(fixture->modules, 0x11fff), module);
    assert_null(modules_find(fixture->modules, 0x12000)); /* data */
    assert_null(modules_find(fixture->modules, 0x12fff));
    assert_ptr_equal(modules_find(fixture->modules, 0x13000), module);
    assert_ptr_equal(modules_find(fixture->modules, 0x13fff), module);
    assert_null(modules_find(fixture->modules, 0x10fff));
    assert_null(modules_find(fixture->modules, 0x14000));
    assert_null(modules_find(fixture->modules, 0));
    assert_null(modules_find(fixture->modules, UINT64_MAX));
    assert_string_equal(modules_find(fixture->modules, 0x20000)->path, "/lib/b.so");
    assert_int_equal(fixture->library.opened, 2);
    assert_int_equal(fixture->library.asked_for_debug, 2);
}

static void a_file_that_is_loaded_twice_is_two_modules(void **state)
{
    struct fixture *fixture = *state;
    update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n"
                    "11000-12000 rw-p 2000 0:0 7   /lib/a.so\n"
                    "12000-13000 r--p 0 0:0 7   /lib/a.so\n"
                    "13000-14000 r-xp 1000 0:0 7   /lib/a.so\n");
    const struct native_module *first = modules_find(fixture->modules, 0x10800);
    const struct native_module *second = modules_find(fixture->modules, 0x13800);
    assert_int_equal(first->bias, 0x10000 - 0x3000);
    assert_int_equal(second->bias, 0x13000 - 0x3000);
    assert_int_equal(first->end, 0x11000);
}

static void another_files_code_between_ends_a_module(void **state)
{
    struct fixture *fixture = *state;
    update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n"
                    "11000-12000 r-xp 1000 0:0 8   /lib/b.so\n"
                    "12000-13000 r-xp 2000 0:0 7   /lib/a.so\n");
    assert_string_equal(modules_find(fixture->modules, 0x11000)->path, "/lib/b.so");
    assert_string_equal(modules_find(fixture->modules, 0x12000)->path, "/lib/a.so");
    assert_int_not_equal(modules_find(fixture->modules, 0x12000)->number,
                         modules_find(fixture->modules, 0x10000)->number);
}

static void a_module_stays_what_it_was_while_it_is_there(void **state)
{
    struct fixture *fixture = *state;
    update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n");
    const struct native_module *module = modules_find(fixture->modules, 0x10000);
    uint32_t number = module->number;
    struct image *image = module->image;
    update(fixture, "5000-6000 r-xp 1000 0:0 9   /lib/new.so\n"
                    "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n"
                    "11000-12000 r-xp 2000 0:0 7   /lib/a.so\n");
    assert_ptr_equal(modules_find(fixture->modules, 0x10000), module);
    assert_int_equal(module->number, number);
    assert_ptr_equal(module->image, image);
    assert_int_equal(module->end, 0x12000);
    assert_int_equal(fixture->library.opened, 2);
}

static void another_file_in_the_same_place_has_another_number(void **state)
{
    static const char *const others[] = {
        "10000-11000 r-xp 1000 0:0 8   /lib/a.so\n",           /* another inode */
        "10000-11000 r-xp 1000 0:0 7   /lib/b.so\n",           /* another path */
        "10000-11000 r-xp 1000 0:0 7   /lib/a.so (deleted)\n", /* no longer there */
        "10000-11000 r-xp 2000 0:0 7   /lib/a.so\n",           /* another piece */
        "10000-11000 r-xp 0 0:0 0 \n",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < array_size(others); i++) {
        update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n");
        uint32_t number = modules_find(fixture->modules, 0x10000)->number;
        update(fixture, others[i]);
        assert_true(modules_find(fixture->modules, 0x10000)->number > number);
    }
    update(fixture, "");
    assert_null(modules_find(fixture->modules, 0x10000));
}

static void what_cannot_be_opened_is_a_module_without_an_image(void **state)
{
    struct fixture *fixture = *state;
    fixture->library.is_missing = true;
    update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n");
    assert_null(modules_find(fixture->modules, 0x10000)->image);
    update(fixture, "10000-11000 r-xp 1000 0:0 7   /lib/a.so\n");
    assert_int_equal(fixture->library.opened, 1); /* and is not tried again and again */
    assert_int_equal(fixture->library.asked_for_debug, 0);
}

static void anonymous_code_is_a_module_without_an_image(void **state)
{
    struct fixture *fixture = *state;
    update(fixture, "10000-11000 r-xp 0 0:0 0 \n"
                    "11000-12000 rw-p 0 0:0 0 \n"
                    "12000-13000 rwxp 0 0:0 0 \n");
    const struct native_module *module = modules_find(fixture->modules, 0x10000);
    assert_string_equal(module->path, "");
    assert_null(module->image);
    assert_int_equal(module->end, 0x11000);
    assert_null(modules_find(fixture->modules, 0x11000));
    assert_non_null(modules_find(fixture->modules, 0x12000));
    assert_int_equal(fixture->library.opened, 0);
}

static void the_kernels_library_is_read_out_of_memory(void **state)
{
    static const char vdso[] = "13000-14000 r-xp 1000 0:0 0   [vdso]\n";
    struct fixture *fixture = *state;
    unsigned char page[4096] = {0};
    fake_memory_map(&fixture->memory, 0x13000, page, sizeof(page));
    update(fixture, vdso);
    assert_null(modules_find(fixture->modules, 0x13000)->image); /* it is none */
    update(fixture, "");
    memcpy(page, fixture->library.bytes, fixture->library.len);
    update(fixture, vdso);
    const struct native_module *module = modules_find(fixture->modules, 0x13000);
    assert_string_equal(module->path, "[vdso]");
    assert_non_null(module->image);
    assert_int_equal(module->bias, 0x10000);
    update(fixture, "");
    fake_memory_unmap(&fixture->memory, 0x13000);
    update(fixture, vdso);
    assert_null(modules_find(fixture->modules, 0x13000)->image);
    update(fixture, "100000-10000000 r-xp 1000 0:0 0   [vdso]\n");
    assert_null(modules_find(fixture->modules, 0x100000)->image);
    assert_int_equal(fixture->library.opened, 0);
}

/* Maps of so many pages of code, each with a page between; each of a file of its own, or of none. */
static char *many_maps(unsigned count, bool are_files)
{
    struct buffer text = {0};
    for (unsigned i = 0; i < count; i++)
        buffer_format(&text, "%x-%x r-xp 1000 0:0 %u   %s%u\n", 0x100000 + i * 0x2000, 0x101000 + i * 0x2000,
                      are_files ? i + 1 : 0, are_files ? "/" : "[", i);
    assert_false(text.failed);
    return text.data;
}

static void there_is_an_end_to_modules(void **state)
{
    struct fixture *fixture = *state;
    cleanup_free char *text = many_maps(6000, false);
    update(fixture, text);
    assert_non_null(modules_find(fixture->modules, 0x100000 + 4095 * 0x2000));
    assert_null(modules_find(fixture->modules, 0x100000 + 4096 * 0x2000));
}

static void there_is_an_end_to_open_files(void **state)
{
    struct fixture *fixture = *state;
    fixture->opener.open_debug = NULL;
    cleanup_free char *text = many_maps(1100, true);
    for (int round = 0; round < 2; round++) {
        update(fixture, text);
        assert_int_equal(fixture->library.opened, 1024);
        assert_null(modules_find(fixture->modules, 0x100000 + 1024 * 0x2000)->image);
    }
}

static void names_of_just_in_time_code_come_from_the_opener(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(modules_open_jit_names(fixture->modules), 77);
    fixture->opener.open_jit_names = NULL;
    assert_int_equal(modules_open_jit_names(fixture->modules), -1);
}

static void this_process_is_understood(void **state)
{
    cleanup_maps struct maps maps;
    cleanup_modules struct modules *modules = NULL;
    struct image_range range;
    (void)state;
    own_maps_init(&maps);
    assert_null(modules_create(&own_opener, &own_memory, &modules));
    assert_null(modules_update(modules, &maps));
    for (uint32_t i = 0; i < maps.count; i++)
        assert_true(!maps.mappings[i].executable || modules_find(modules, maps.mappings[i].start));
    const struct native_module *c_library = modules_find(modules, (remote_addr)(uintptr_t)getpid);
    assert_non_null(c_library);
    assert_true(image_find_symbol(c_library->image, "getpid", &range));
    assert_int_equal(range.address + c_library->bias, (remote_addr)(uintptr_t)getpid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_module_is_what_is_mapped_of_a_file_from_code_to_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_loaded_twice_is_two_modules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_files_code_between_ends_a_module, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_module_stays_what_it_was_while_it_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_in_the_same_place_has_another_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_a_module_without_an_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anonymous_code_is_a_module_without_an_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_kernels_library_is_read_out_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_modules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_open_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_just_in_time_code_come_from_the_opener, set_up, tear_down),
        cmocka_unit_test(this_process_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
