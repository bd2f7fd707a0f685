/* SPDX-License-Identifier: MIT */
#include "image/function_names.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/function_starts.h"

#include <fcntl.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct function_row {
    const char *name;
    uint64_t address, len;
    unsigned char info;
};

#define LOCAL  ELF64_ST_INFO(STB_LOCAL, STT_FUNC)
#define GLOBAL ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)
#define WEAK   ELF64_ST_INFO(STB_WEAK, STT_FUNC)

static const Elf64_Phdr code_segment = {
    .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0, .p_filesz = 0x2000, .p_memsz = 0x2000};

/* Adds a table of these symbols, and their names. */
static void write_table(struct elf_writer *writer, const char *name, const struct function_row *rows, size_t count)
{
    cleanup_buffer struct buffer table = {0}, names = {0};
    Elf64_Sym symbol = {0};
    buffer_append(&table, &symbol, sizeof(symbol));
    buffer_append_char(&names, '\0');
    for (size_t i = 0; i < count; i++) {
        symbol = (Elf64_Sym){.st_name = (uint32_t)names.len,
                             .st_info = rows[i].info,
                             .st_shndx = rows[i].address ? 1 : SHN_UNDEF,
                             .st_value = rows[i].address,
                             .st_size = rows[i].len};
        buffer_append(&table, &symbol, sizeof(symbol));
        buffer_append(&names, rows[i].name, strlen(rows[i].name) + 1);
    }
    bool is_dynamic = strcmp(name, ".dynsym") == 0;
    elf_writer_section(writer, is_dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, 0, names.data, names.len);
    Elf64_Shdr *section =
        elf_writer_section(writer, name, is_dynamic ? SHT_DYNSYM : SHT_SYMTAB, 0, table.data, table.len);
    section->sh_link = writer->header.e_shnum - 2U;
    section->sh_entsize = sizeof(Elf64_Sym);
    section->sh_addralign = sizeof(uint64_t);
}

static struct image *open_bytes(const void *bytes, size_t len)
{
    cleanup_fd int fd = elf_writer_open(bytes, len);
    struct image *image = NULL;
    cleanup_error struct error *error = image_open(fd, &image);
    assert_null(error);
    return image;
}

static struct image *finish(struct elf_writer *writer)
{
    elf_writer_finish(writer);
    struct image *image = open_bytes(writer->file.data, writer->file.len);
    elf_writer_deinit(writer);
    return image;
}

/* An image with .symtab. */
static struct image *make_image(const struct function_row *rows, size_t count)
{
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &code_segment);
    write_table(&writer, ".symtab", rows, count);
    return finish(&writer);
}

static struct function_names *read_names(const struct image *image, const struct image *debug)
{
    struct function_names *names = NULL;
    cleanup_error struct error *error = function_names_create(image, debug, &names);
    assert_null(error);
    return names;
}

static void check(const struct function_names *names, uint64_t address, const char *name, uint64_t start)
{
    cleanup_buffer struct buffer found = {0};
    struct image_range range = {0};
    assert_true(function_names_find(names, address, &range, &found));
    assert_string_equal(buffer_text(&found), name);
    assert_int_equal(range.address, start);
}

static void check_none(const struct function_names *names, uint64_t address)
{
    cleanup_buffer struct buffer found = {0};
    struct image_range range = {1, 2};
    assert_false(function_names_find(names, address, &range, &found));
    assert_int_equal(range.address, 1);
}

static void a_function_is_found_from_its_first_to_its_last_byte(void **state)
{
    (void)state;
    static const struct function_row rows[] = {{"second", 0x1100, 0x10, LOCAL}, {"first", 0x1000, 0x20, GLOBAL}};
    cleanup_image struct image *image = make_image(rows, array_size(rows));
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check(names, 0x1000, "first", 0x1000);
    check(names, 0x101f, "first", 0x1000);
    check_none(names, 0x1020);
    check_none(names, 0xfff);
    check(names, 0x110f, "second", 0x1100);
    check_none(names, 0x1110);
    assert_int_equal(function_names_count(names), 2);
}

static void what_is_no_function_has_no_name(void **state)
{
    (void)state;
    static const struct function_row rows[] = {{"data", 0x1000, 0x20, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)},
                                               {"imported", 0, 0x20, GLOBAL}};
    cleanup_image struct image *image = make_image(rows, array_size(rows));
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check_none(names, 0x1000);
    check_none(names, 0);
    assert_int_equal(function_names_count(names), 0);
}

static void of_several_names_the_most_readable_is_taken(void **state)
{
    (void)state;
    static const struct function_row rows[] = {
        {"__libc_read", 0x1000, 0x20, GLOBAL},
        {"read", 0x1000, 0x20, WEAK},
        {"__read", 0x1000, 0x20, GLOBAL},
        {"reader", 0x1000, 0x20, LOCAL},
        {"by_letters", 0x1100, 8, WEAK},
        {"by_letterr", 0x1100, 8, WEAK},
        {"by_len", 0x1200, 8, WEAK},
        {"by_length", 0x1200, 8, WEAK},
        {"weak", 0x1300, 8, WEAK},
        {"a_global_one", 0x1300, 8, GLOBAL},
        {"_ZN1a1bEv", 0x1400, 8, GLOBAL},
        {"_plain", 0x1400, 8, GLOBAL},
        {"with@@VERSION_1", 0x1500, 8, GLOBAL},
    };
    cleanup_image struct image *image = make_image(rows, array_size(rows));
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check(names, 0x1010, "read", 0x1000);
    check(names, 0x1100, "by_letterr", 0x1100);
    check(names, 0x1200, "by_len", 0x1200);
    check(names, 0x1300, "a_global_one", 0x1300);
    check(names, 0x1400, "_ZN1a1bEv", 0x1400);
    check(names, 0x1500, "with", 0x1500);
}

static void a_function_in_a_function_ends_before_it(void **state)
{
    (void)state;
    static const struct function_row rows[] = {{"around", 0x1000, 0x100, GLOBAL}, {"within", 0x1020, 0x10, LOCAL}};
    cleanup_image struct image *image = make_image(rows, array_size(rows));
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check(names, 0x1010, "around", 0x1000);
    check(names, 0x1020, "within", 0x1020);
    check(names, 0x1030, "around", 0x1000);
}

static void a_function_without_length_goes_up_to_the_next_one(void **state)
{
    (void)state;
    static const struct function_row rows[] = {{"endless", 0x1000, 0, GLOBAL}, {"next", 0x1100, 0x10, GLOBAL}};
    cleanup_image struct image *image = make_image(rows, array_size(rows));
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check(names, 0x1000, "endless", 0x1000);
    check(names, 0x10ff, "endless", 0x1000);
    check(names, 0x1100, "next", 0x1100);
    check_none(names, 0x1110);
}

static void names_of_the_debug_file_count(void **state)
{
    (void)state;
    static const struct function_row exported[] = {{"exported", 0x1000, 0x10, GLOBAL}};
    static const struct function_row all[] = {{"hidden", 0x1010, 0x10, LOCAL}};
    cleanup_image struct image *image = make_image(exported, 1);
    cleanup_image struct image *debug = make_image(all, 1);
    cleanup_function_names struct function_names *names = read_names(image, debug);
    check(names, 0x1000, "exported", 0x1000);
    check(names, 0x1010, "hidden", 0x1010);
}

/* Adds .gnu_debugdata with these bytes, compressed. */
static void write_packed(struct elf_writer *writer, const void *bytes, size_t len)
{
    size_t packed_len = 0, limit = lzma_stream_buffer_bound(len);
    cleanup_free unsigned char *packed = malloc(limit);
    assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, bytes, len, packed, &packed_len, limit),
                     LZMA_OK);
    elf_writer_section(writer, ".gnu_debugdata", SHT_PROGBITS, 0, packed, packed_len);
}

static struct image *make_image_with_packed(const void *bytes, size_t len)
{
    static const struct function_row exported[] = {{"exported", 0x1000, 0x10, GLOBAL}};
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &code_segment);
    write_table(&writer, ".dynsym", exported, 1);
    write_packed(&writer, bytes, len);
    return finish(&writer);
}

static void names_of_the_packed_file_count(void **state)
{
    (void)state;
    static const struct function_row rows[] = {{"packed", 0x1010, 0x10, LOCAL}};
    struct elf_writer inner;
    elf_writer_init(&inner, ET_DYN);
    write_table(&inner, ".symtab", rows, 1);
    elf_writer_finish(&inner);
    cleanup_image struct image *image = make_image_with_packed(inner.file.data, inner.file.len);
    elf_writer_deinit(&inner);
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    check(names, 0x1000, "exported", 0x1000);
    check(names, 0x1018, "packed", 0x1010);
}

static void a_packed_file_that_is_too_large_or_none_costs_its_names_only(void **state)
{
    (void)state;
    enum { TOO_LARGE = 65 << 20 };
    cleanup_free char *zeros = calloc(1, TOO_LARGE);
    static const size_t lens[] = {0, 1, 100, TOO_LARGE};
    for (size_t i = 0; i < array_size(lens); i++) {
        cleanup_image struct image *image = make_image_with_packed(zeros, lens[i]);
        cleanup_function_names struct function_names *names = read_names(image, NULL);
        check(names, 0x1000, "exported", 0x1000);
        assert_int_equal(function_names_count(names), 1);
    }
}

static void a_name_that_does_not_end_is_cut(void **state)
{
    (void)state;
    enum { LEN = 3 * FUNCTION_NAME_LIMIT };
    cleanup_free char *name = malloc(LEN + 1);
    memset(name, 'n', LEN);
    name[LEN] = '\0';
    const struct function_row rows[] = {{name, 0x1000, 0x10, GLOBAL}};
    cleanup_image struct image *image = make_image(rows, 1);
    cleanup_function_names struct function_names *names = read_names(image, NULL);
    cleanup_buffer struct buffer found = {0};
    struct image_range range;
    assert_true(function_names_find(names, 0x1000, &range, &found));
    assert_in_range(found.len, FUNCTION_NAME_LIMIT, FUNCTION_NAME_LIMIT + 128);
}

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

static uint64_t address_of(const struct image *image, const char *name)
{
    struct image_range range;
    assert_true(image_find_symbol(image, name, &range));
    return range.address;
}

/* The compiler's file with names is the truth for the one without. */
static void a_stripped_function_is_known_by_its_start(void **state)
{
    (void)state;
    cleanup_image struct image *whole = open_code("inlined.so");
    cleanup_image struct image *stripped = open_code("stripped.so");
    cleanup_function_names struct function_names *names = read_names(stripped, NULL);
    struct image_range hidden;
    assert_true(image_find_symbol(whole, "hidden", &hidden));
    assert_true(hidden.len > 4);
    for (uint64_t i = 0; i < hidden.len; i++)
        check(names, hidden.address + i, "", hidden.address);
    check(names, address_of(whole, "outermost"), "outermost", address_of(whole, "outermost"));
}

static void a_stripped_function_has_the_name_that_the_debug_file_knows(void **state)
{
    (void)state;
    cleanup_image struct image *whole = open_code("inlined.so");
    cleanup_image struct image *stripped = open_code("stripped.so");
    cleanup_image struct image *debug = open_code("stripped.debug");
    cleanup_function_names struct function_names *names = read_names(stripped, debug);
    check(names, address_of(whole, "hidden") + 1, "hidden", address_of(whole, "hidden"));
}

/* Reads all of a file of the code folder. */
static void read_code(const char *name, struct buffer *ret)
{
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/%s", CODE_FOLDER, name);
    cleanup_fd int fd = open(buffer_text(&path), O_RDONLY | O_CLOEXEC);
    for (ssize_t len = 1; len > 0; ret->len += (size_t)len) {
        char *end = buffer_reserve(ret, 4096);
        assert_non_null(end);
        len = read(fd, end, 4096);
        assert_true(len >= 0);
    }
}

/* Makes a program header of one type one that nobody knows. */
static void hide_segment(struct buffer *file, uint32_t type)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)file->data;
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file->data + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == type)
            segments[i].p_type = 0x65041580;
    }
}

static void without_a_table_all_of_the_unwind_information_is_read(void **state)
{
    (void)state;
    cleanup_image struct image *whole = open_code("inlined.so");
    cleanup_buffer struct buffer file = {0};
    read_code("stripped.so", &file);
    hide_segment(&file, PT_GNU_EH_FRAME);
    cleanup_image struct image *image = open_bytes(file.data, file.len);
    cleanup_image struct image *with_table = open_code("stripped.so");
    struct function_starts starts, of_table;
    function_starts_init(&starts, image);
    function_starts_init(&of_table, with_table);
    assert_int_equal(of_table.range_count, 0);
    assert_true(starts.range_count > 2);
    uint64_t first = address_of(whole, "hidden") - 64;
    for (uint64_t address = first; address < first + 512; address++) {
        struct image_range range = {0}, same = {0};
        assert_int_equal(function_starts_find(&starts, address, &range),
                         function_starts_find(&of_table, address, &same));
        assert_int_equal(range.address, same.address);
        assert_int_equal(range.len, same.len);
    }
    function_starts_deinit(&starts);
    function_starts_deinit(&of_table);
}

static void a_table_with_any_content_is_survived(void **state)
{
    (void)state;
    cleanup_buffer struct buffer file = {0};
    read_code("stripped.so", &file);
    uint64_t random = 1;
    for (int round = 0; round < 300; round++) {
        cleanup_buffer struct buffer changed = {0};
        buffer_append(&changed, file.data, file.len);
        for (int i = 0; i < 8; i++) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            changed.data[(random >> 33) % changed.len] = (char)(random >> 20);
        }
        cleanup_fd int fd = elf_writer_open(changed.data, changed.len);
        cleanup_image struct image *image = NULL;
        cleanup_error struct error *error = image_open(fd, &image);
        if (error)
            continue;
        cleanup_function_names struct function_names *names = read_names(image, NULL);
        for (uint64_t address = 0; address < 0x3000; address += 0x1d) {
            cleanup_buffer struct buffer name = {0};
            struct image_range range;
            function_names_find(names, address, &range, &name);
        }
    }
}

static void it_is_told_whether_local_functions_have_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        bool has_names;
    } cases[] = {{"inlined.so", true}, {"inlined_clang.so", true}, {"stripped.so", false}, {"stripped.debug", true}};
    for (size_t i = 0; i < array_size(cases); i++) {
        cleanup_image struct image *image = open_code(cases[i].code);
        assert_int_equal(image_has_local_functions(image), cases[i].has_names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_whether_local_functions_have_their_names),
        cmocka_unit_test(a_function_is_found_from_its_first_to_its_last_byte),
        cmocka_unit_test(what_is_no_function_has_no_name),
        cmocka_unit_test(of_several_names_the_most_readable_is_taken),
        cmocka_unit_test(a_function_in_a_function_ends_before_it),
        cmocka_unit_test(a_function_without_length_goes_up_to_the_next_one),
        cmocka_unit_test(names_of_the_debug_file_count),
        cmocka_unit_test(names_of_the_packed_file_count),
        cmocka_unit_test(a_packed_file_that_is_too_large_or_none_costs_its_names_only),
        cmocka_unit_test(a_name_that_does_not_end_is_cut),
        cmocka_unit_test(a_stripped_function_is_known_by_its_start),
        cmocka_unit_test(a_stripped_function_has_the_name_that_the_debug_file_knows),
        cmocka_unit_test(without_a_table_all_of_the_unwind_information_is_read),
        cmocka_unit_test(a_table_with_any_content_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
