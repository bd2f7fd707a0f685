/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/loaded_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct elf_symbol dynamic_symbols[] = {
    {"Py_GetVersion", 0x1100, 16, 0},
    {"_PyRuntime", 0x5000, 1464, 0},
    {"imported", 0, 0, 1},
    {"twice", 0x10, 1, 0},
};
static const struct elf_symbol static_symbols[] = {
    {"twice", 0x20, 2, 0},
    {"local", 0x1200, 32, 0},
    {"imported", 0x1300, 8, 0},
};
static const unsigned char build_id[20] = {0xde, 0xad, 0xbe, 0xef, 5,  6,  7,  8,  9,  10,
                                           11,   12,   13,   14,   15, 16, 17, 18, 19, 20};

static const Elf64_Phdr code_segment = {
    .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0, .p_vaddr = 0, .p_filesz = 0x2000, .p_memsz = 0x2000};
static const Elf64_Phdr data_segment = {.p_type = PT_LOAD,
                                        .p_flags = PF_R | PF_W,
                                        .p_offset = 0x2d10, /* not at the start of a page */
                                        .p_vaddr = 0x4d10,
                                        .p_filesz = 0x100,
                                        .p_memsz = 0x3000};

/* A small shared library with everything that is looked for; not finished. */
static void write_library(struct elf_writer *writer)
{
    static const unsigned char data[64] = {1};
    elf_writer_init(writer, ET_DYN);
    elf_writer_segment(writer, &code_segment);
    elf_writer_segment(writer, &data_segment);
    elf_writer_section(writer, ".data", SHT_PROGBITS, 0x4d10, data, sizeof(data));
    elf_writer_section(writer, ".PyRuntime", SHT_NOBITS, 0x5000, NULL, 1464);
    elf_writer_symbols(writer, ".dynsym", dynamic_symbols, array_size(dynamic_symbols));
    elf_writer_symbols(writer, ".symtab", static_symbols, array_size(static_symbols));
    elf_writer_note(writer, "stapsdt", NT_GNU_BUILD_ID, "not this", 8);
    elf_writer_note(writer, "GNU", NT_GNU_ABI_TAG, "nor this", 8);
    elf_writer_note(writer, "GNU", NT_GNU_BUILD_ID, build_id, sizeof(build_id));
}

/* Opens what these bytes are; NULL when they are no ELF file, which must then be called bad data. */
static struct image *open_bytes(const void *bytes, size_t len)
{
    cleanup_fd int fd = elf_writer_open(bytes, len);
    assert_true(fd >= 0);
    struct image *image = NULL;
    cleanup_error struct error *error = image_open(fd, &image);
    if (error) {
        assert_null(image);
        assert_int_equal(error->kind, ERROR_BAD_DATA);
    }
    return image;
}

static struct image *finish(struct elf_writer *writer)
{
    elf_writer_finish(writer);
    struct image *image = open_bytes(writer->file.data, writer->file.len);
    elf_writer_deinit(writer);
    return image;
}

static struct image *make_library(void)
{
    struct elf_writer writer;
    write_library(&writer);
    return finish(&writer);
}

/* Asks for everything; whatever the file is, that ends and touches nothing that it should not. */
static void ask_everything(const struct image *image)
{
    static const char *const names[] = {"_PyRuntime", "local", "", "nowhere"};
    struct image_range range;
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    uint64_t bias;
    for (size_t i = 0; i < array_size(names); i++)
        image_find_symbol(image, names[i], &range);
    image_find_section(image, ".PyRuntime", &range);
    image_find_section(image, "", &range);
    for (size_t i = 0; i < 4; i++)
        image_writable_segment(image, i, &range);
    image_load_bias(image, 0x7f0000000000, 0x2000, false, &bias);
    assert_true(image_build_id(image, id) <= IMAGE_BUILD_ID_LIMIT);
    struct image_debug_link link;
    uint32_t checksum;
    image_debug_link(image, &link);
    image_checksum(image, &checksum);
    image_has_symbol_prefix(image, "PyUnicodeUCS2_");
    unsigned char bytes[64];
    if (image_unwind_table(image, &range))
        image_read(image, range.address, bytes, sizeof(bytes));
    image_read(image, 0x4d10, bytes, sizeof(bytes));
    image_read(image, UINT64_MAX - 1, bytes, sizeof(bytes));
}

static void ask_bytes(const void *bytes, size_t len)
{
    cleanup_image struct image *image = open_bytes(bytes, len);
    if (image)
        ask_everything(image);
}

static void check_symbol(const struct image *image, const char *name, uint64_t address, uint64_t len)
{
    struct image_range range;
    assert_true(image_find_symbol(image, name, &range));
    assert_int_equal(range.address, address);
    assert_int_equal(range.len, len);
}

static void symbols_are_found_in_both_tables(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    check_symbol(image, "_PyRuntime", 0x5000, 1464);
    check_symbol(image, "Py_GetVersion", 0x1100, 16);
    check_symbol(image, "local", 0x1200, 32);
}

static void the_dynamic_table_comes_first(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    check_symbol(image, "twice", 0x10, 1);
}

static void an_undefined_symbol_is_passed_over(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    check_symbol(image, "imported", 0x1300, 8);
}

static void only_the_whole_name_counts(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    static const char *const names[] = {"_PyRuntim", "_PyRuntime_", "PyRuntime", "loca", "localx", "nowhere", ""};
    for (size_t i = 0; i < array_size(names); i++) {
        struct image_range range = {1, 2};
        assert_false(image_find_symbol(image, names[i], &range));
        assert_int_equal(range.address, 1);
        assert_int_equal(range.len, 2);
    }
}

static void a_section_is_found_by_its_name(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    struct image_range range = {1, 2};
    assert_false(image_find_section(image, ".PyRuntim", &range));
    assert_int_equal(range.address, 1);
    assert_true(image_find_section(image, ".PyRuntime", &range));
    assert_int_equal(range.address, 0x5000);
    assert_int_equal(range.len, 1464);
}

static void writable_segments_are_counted(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    struct image_range range = {1, 2};
    assert_true(image_writable_segment(image, 0, &range));
    assert_int_equal(range.address, 0x4d10);
    assert_int_equal(range.len, 0x3000);
    assert_false(image_writable_segment(image, 1, &range));
    assert_false(image_writable_segment(image, SIZE_MAX, &range));
    assert_int_equal(range.address, 0x4d10);
}

static void the_load_bias_follows_from_the_first_mapping(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    uint64_t bias = 42;
    assert_true(image_load_bias(image, 0x7f0000000000, 0, true, &bias));
    assert_int_equal(bias, 0x7f0000000000);
}

static void the_load_bias_of_a_segment_that_begins_inside_a_page_is_right(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    uint64_t bias = 42;
    assert_true(image_load_bias(image, 0x7f0000004000, 0x2000, false, &bias));
    assert_int_equal(bias, 0x7f0000000000);
}

static void an_offset_where_no_segment_begins_has_no_load_bias(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    uint64_t bias = 42;
    assert_false(image_load_bias(image, 0x7f0000001000, 0x1000, false, &bias));
    assert_false(image_load_bias(image, 0x7f0000004000, 0x2d10, false, &bias));
    assert_int_equal(bias, 42);
}

static void the_load_bias_follows_from_any_page_of_code(void **state)
{
    (void)state;
    struct elf_writer writer;
    Elf64_Phdr code = code_segment;
    code.p_offset = 0x2100;
    code.p_vaddr = 0x5100;
    code.p_filesz = code.p_memsz = 0x1f01;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &code);
    cleanup_image struct image *image = finish(&writer);
    uint64_t bias = 42;
    assert_false(image_load_bias_of_code(image, 0x7f0000000000, 0x1000, &bias));
    assert_false(image_load_bias_of_code(image, 0x7f0000000000, 0x5000, &bias));
    assert_false(image_load_bias_of_code(image, 0x7f0000000000, UINT64_MAX, &bias));
    assert_int_equal(bias, 42);
    assert_true(image_load_bias_of_code(image, 0x7f0000000000, 0x2000, &bias));
    assert_int_equal(bias, 0x7f0000000000 - 0x5000);
    assert_true(image_load_bias_of_code(image, 0x7f0000000000, 0x4000, &bias));
    assert_int_equal(bias, 0x7f0000000000 - 0x7000);
}

static void a_program_at_a_fixed_address_has_no_load_bias(void **state)
{
    (void)state;
    struct elf_writer writer;
    Elf64_Phdr segment = code_segment;
    segment.p_vaddr = 0x400000;
    elf_writer_init(&writer, ET_EXEC);
    elf_writer_segment(&writer, &segment);
    cleanup_image struct image *image = finish(&writer);
    uint64_t bias = 42;
    assert_true(image_load_bias(image, 0x400000, 0, true, &bias));
    assert_int_equal(bias, 0);
}

/* A tiny first segment can share its page with the code: both are then mapped from the same offset. */
static void the_load_bias_of_code_is_that_of_the_code(void **state)
{
    (void)state;
    struct elf_writer writer;
    Elf64_Phdr head = code_segment, code = code_segment;
    head.p_flags = PF_R;
    head.p_filesz = head.p_memsz = 0x500;
    code.p_offset = 0x500;
    code.p_vaddr = 0x1500;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &head);
    elf_writer_segment(&writer, &code);
    cleanup_image struct image *image = finish(&writer);
    uint64_t bias = 42;
    assert_true(image_load_bias(image, 0x7f0000001000, 0, true, &bias));
    assert_int_equal(bias, 0x7f0000000000);
    assert_true(image_load_bias(image, 0x7f0000000000, 0, false, &bias));
    assert_int_equal(bias, 0x7f0000000000);
}

static void a_symbol_is_found_by_the_beginning_of_its_name(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    assert_true(image_has_symbol_prefix(image, "Py_Get"));
    assert_true(image_has_symbol_prefix(image, "loc"));
    assert_false(image_has_symbol_prefix(image, "y_Get"));
    assert_false(image_has_symbol_prefix(image, "Py_GetVersions"));
}

/* A file whose debug link has these bytes. */
static struct image *make_linked(const void *link, size_t len)
{
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_section(&writer, ".gnu_debuglink", SHT_PROGBITS, 0, link, len);
    return finish(&writer);
}

static void a_debug_link_is_a_name_and_a_checksum(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *name;
    } rows[] = {
        {"a.debug\0\x04\x03\x02\x01", 12, "a.debug"},
        {"ab.debug\0\0\0\0\x04\x03\x02\x01", 16, "ab.debug"},
        {"abc\0\x04\x03\x02\x01", 8, "abc"},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        cleanup_image struct image *image = make_linked(rows[i].bytes, rows[i].len);
        struct image_debug_link link;
        assert_true(image_debug_link(image, &link));
        assert_string_equal(link.name, rows[i].name);
        assert_int_equal(link.checksum, 0x01020304);
    }
}

static void a_debug_link_that_is_no_file_name_is_none(void **state)
{
    (void)state;
    char long_name[IMAGE_DEBUG_LINK_LIMIT + 4];
    memset(long_name, 'x', sizeof(long_name));
    memset(long_name + IMAGE_DEBUG_LINK_LIMIT, 0, 4);
    const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},         {"\0\0\0\0\x04\x03\x02\x01", 8},        {"abc\0\x04\x03\x02", 7},
        {"abcdefgh", 8}, {"../b.debug\0\0\x04\x03\x02\x01", 16}, {long_name, sizeof(long_name)},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        cleanup_image struct image *image = make_linked(rows[i].bytes, rows[i].len);
        struct image_debug_link link = {.checksum = 42};
        assert_false(image_debug_link(image, &link));
        assert_int_equal(link.checksum, 42);
    }
    cleanup_image struct image *without = make_library();
    struct image_debug_link link;
    assert_false(image_debug_link(without, &link));
}

/* The remainder of a file that ends with its own checksum is always the same. */
static void the_checksum_is_that_of_zip(void **state)
{
    (void)state;
    struct elf_writer writer;
    uint32_t checksum, of_both;
    write_library(&writer);
    elf_writer_finish(&writer);
    cleanup_image struct image *image = open_bytes(writer.file.data, writer.file.len);
    assert_true(image_checksum(image, &checksum));
    buffer_append(&writer.file, &checksum, sizeof(checksum));
    cleanup_image struct image *both = open_bytes(writer.file.data, writer.file.len);
    assert_true(image_checksum(both, &of_both));
    assert_int_equal(of_both, 0x2144df1c);
    elf_writer_deinit(&writer);
}

static void the_same_build_id_is_recognised(void **state)
{
    (void)state;
    static const unsigned char other_id[20] = {1};
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_note(&writer, "GNU", NT_GNU_BUILD_ID, other_id, sizeof(other_id));
    cleanup_image struct image *other = finish(&writer);
    elf_writer_init(&writer, ET_DYN);
    cleanup_image struct image *without = finish(&writer);
    cleanup_image struct image *image = make_library();
    cleanup_image struct image *same = make_library();
    assert_true(image_has_same_build_id(image, same));
    assert_false(image_has_same_build_id(image, other));
    assert_false(image_has_same_build_id(image, without));
    assert_false(image_has_same_build_id(without, without));
}

static void the_build_id_is_found_among_other_notes(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_library();
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    assert_int_equal(image_build_id(image, id), sizeof(build_id));
    assert_memory_equal(id, build_id, sizeof(build_id));
}

/* The length of the build id that a file with this one note has. */
static size_t build_id_len(const char *name, const void *bytes, size_t len)
{
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_note(&writer, name, NT_GNU_BUILD_ID, bytes, len);
    cleanup_image struct image *image = finish(&writer);
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    return image_build_id(image, id);
}

static void a_build_id_that_is_missing_empty_or_too_long_is_none(void **state)
{
    (void)state;
    static const unsigned char bytes[IMAGE_BUILD_ID_LIMIT + 1] = {1};
    assert_int_equal(build_id_len("GNU", bytes, IMAGE_BUILD_ID_LIMIT), IMAGE_BUILD_ID_LIMIT);
    assert_int_equal(build_id_len("GNU", bytes, IMAGE_BUILD_ID_LIMIT + 1), 0);
    assert_int_equal(build_id_len("GNU", bytes, 0), 0);
    assert_int_equal(build_id_len("GNX", bytes, 20), 0);
    assert_int_equal(build_id_len("GN", bytes, 20), 0);
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    cleanup_image struct image *image = finish(&writer);
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    assert_int_equal(image_build_id(image, id), 0);
}

static void the_descriptor_stays_with_the_caller(void **state)
{
    (void)state;
    struct elf_writer writer;
    write_library(&writer);
    elf_writer_finish(&writer);
    int fd = elf_writer_open(writer.file.data, writer.file.len);
    elf_writer_deinit(&writer);
    cleanup_image struct image *image = NULL;
    assert_null(image_open(fd, &image));
    assert_int_equal(close(fd), 0);
    check_symbol(image, "_PyRuntime", 0x5000, 1464);
}

static void a_loaded_image_adds_its_bias(void **state)
{
    (void)state;
    cleanup_loaded_image struct loaded_image loaded = {.image = make_library(), .bias = 0x7f0000000000};
    assert_int_equal(loaded_image_find(&loaded, "_PyRuntime"), 0x7f0000005000);
    assert_int_equal(loaded_image_find(&loaded, "nowhere"), 0);
    loaded_image_deinit(&loaded);
    loaded_image_deinit(&loaded);
}

static void what_is_no_elf_file_is_refused(void **state)
{
    (void)state;
    static const char text[200] = "#!/bin/sh\n";
    assert_null(open_bytes("", 0));
    assert_null(open_bytes(text, sizeof(text)));
    assert_null(open_bytes(ELFMAG, SELFMAG));
    assert_null(open_bytes("!<arch>\n", 8));
    struct image *image = NULL;
    cleanup_error struct error *error = image_open(-1, &image);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_OS);
    image_destroy(NULL);
}

static void other_word_lengths_and_byte_orders_are_refused(void **state)
{
    (void)state;
    static const unsigned char idents[][2] = {
        {ELFCLASS32, ELFDATA2LSB},   {ELFCLASS64, ELFDATA2MSB}, {ELFCLASS32, ELFDATA2MSB},
        {ELFCLASSNONE, ELFDATA2LSB}, {ELFCLASS64, ELFDATANONE}, {0xff, 0xff},
    };
    for (size_t i = 0; i < array_size(idents); i++) {
        struct elf_writer writer;
        write_library(&writer);
        writer.header.e_ident[EI_CLASS] = idents[i][0];
        writer.header.e_ident[EI_DATA] = idents[i][1];
        assert_null(finish(&writer));
    }
}

static void a_file_that_is_cut_anywhere_does_no_harm(void **state)
{
    (void)state;
    struct elf_writer writer;
    write_library(&writer);
    elf_writer_finish(&writer);
    for (size_t len = 0; len < writer.file.len; len += len < 64 ? 1 : 64)
        ask_bytes(writer.file.data, len);
    elf_writer_deinit(&writer);
}

static void a_file_with_one_changed_byte_does_no_harm(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct elf_writer writer;
    write_library(&writer);
    elf_writer_finish(&writer);
    uint32_t seed = 12345;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t at = (seed >> 8) % writer.file.len;
        seed = seed * 1664525 + 1013904223;
        char old = writer.file.data[at];
        writer.file.data[at] = (char)(seed >> 24);
        ask_bytes(writer.file.data, writer.file.len);
        writer.file.data[at] = old;
    }
    elf_writer_deinit(&writer);
}

/* Makes one field of the dynamic symbol table's header hostile: each case is tried alone. */
static bool spoil_symbols(Elf64_Shdr *symbols, int which)
{
    static const uint64_t sizes[] = {UINT64_MAX, UINT64_C(1) << 62, UINT64_C(1) << 40, 7, 0};
    static const uint32_t links[] = {0xffff, 4, 0, UINT32_MAX};
    static const uint64_t entry_sizes[] = {0, 1, UINT64_MAX};
    size_t i = (size_t)which % 5;
    switch (which / 5) {
    case 0:
        symbols->sh_size = sizes[i];
        return true;
    case 1:
        symbols->sh_link = links[i % array_size(links)];
        return true;
    case 2:
        symbols->sh_entsize = entry_sizes[i % array_size(entry_sizes)];
        return true;
    case 3:
        symbols->sh_offset = UINT64_MAX - 8 * i;
        return true;
    case 4:
        symbols->sh_flags = SHF_COMPRESSED;
        symbols->sh_addralign = 3;
        return true;
    default:
        return false;
    }
}

static bool spoil_others(struct elf_writer *writer, int which)
{
    Elf64_Shdr *strings = &writer->sections[3];
    Elf64_Phdr *note = &writer->segments[4];
    static const uint64_t offsets[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 8, UINT64_C(1) << 40, 1};
    size_t i = (size_t)which % 5;
    switch (which / 5) {
    case 0:
        note->p_offset = offsets[i];
        return true;
    case 1:
        note->p_filesz = offsets[i];
        return true;
    case 2:
        writer->header.e_phoff = offsets[i];
        return true;
    case 3:
        writer->header.e_phnum = (uint16_t)(PN_XNUM - i);
        return true;
    case 4:
        strings->sh_size = offsets[i];
        strings->sh_name = UINT32_MAX;
        strings->sh_type = i == 4 ? SHT_NOBITS : SHT_STRTAB;
        return true;
    case 5:
        writer->header.e_phentsize = (uint16_t)i;
        return true;
    default:
        return false;
    }
}

static void a_hostile_header_does_no_harm(void **state)
{
    (void)state;
    bool is_spoiled = true;
    for (int which = 0; is_spoiled; which++) {
        struct elf_writer symbols, others;
        write_library(&symbols);
        write_library(&others);
        is_spoiled = spoil_symbols(&symbols.sections[4], which);
        is_spoiled |= spoil_others(&others, which);
        elf_writer_finish(&symbols);
        elf_writer_finish(&others);
        ask_bytes(symbols.file.data, symbols.file.len);
        ask_bytes(others.file.data, others.file.len);
        elf_writer_deinit(&symbols);
        elf_writer_deinit(&others);
    }
}

static void hostile_section_headers_do_no_harm(void **state)
{
    (void)state;
    static const uint16_t counts[] = {0, 1, 0xff, 0xfeff, 0xffff};
    for (size_t i = 0; i < array_size(counts); i++) {
        struct elf_writer writer;
        write_library(&writer);
        elf_writer_finish(&writer);
        Elf64_Ehdr header = writer.header;
        header.e_shnum = counts[i];
        memcpy(writer.file.data, &header, sizeof(header));
        ask_bytes(writer.file.data, writer.file.len);
        header.e_shnum = writer.header.e_shnum;
        header.e_shstrndx = counts[i];
        memcpy(writer.file.data, &header, sizeof(header));
        ask_bytes(writer.file.data, writer.file.len);
        header.e_shoff = UINT64_MAX - counts[i];
        memcpy(writer.file.data, &header, sizeof(header));
        ask_bytes(writer.file.data, writer.file.len);
        elf_writer_deinit(&writer);
    }
}

static void a_symbol_whose_name_lies_outside_of_the_strings_is_passed_over(void **state)
{
    (void)state;
    struct elf_writer writer;
    write_library(&writer);
    const Elf64_Shdr *dynamic = &writer.sections[4];
    Elf64_Sym symbol;
    char *at = writer.file.data + dynamic->sh_offset + 1 * sizeof(symbol);
    memcpy(&symbol, at, sizeof(symbol));
    symbol.st_name = UINT32_MAX;
    memcpy(at, &symbol, sizeof(symbol));
    cleanup_image struct image *image = finish(&writer);
    struct image_range range;
    assert_false(image_find_symbol(image, "Py_GetVersion", &range));
    check_symbol(image, "_PyRuntime", 0x5000, 1464);
}

static void a_name_that_does_not_end_within_the_strings_is_passed_over(void **state)
{
    (void)state;
    struct elf_writer writer;
    static const struct elf_symbol symbols[] = {{"abc", 1, 1, 0}};
    elf_writer_init(&writer, ET_DYN);
    elf_writer_symbols(&writer, ".dynsym", symbols, 1);
    writer.sections[1].sh_size--; /* the NUL behind "abc" */
    cleanup_image struct image *image = finish(&writer);
    struct image_range range;
    assert_false(image_find_symbol(image, "abc", &range));
}

static void program_headers_beyond_the_file_are_none(void **state)
{
    (void)state;
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &data_segment);
    writer.header.e_phoff = UINT64_C(1) << 40;
    cleanup_image struct image *image = finish(&writer);
    struct image_range range;
    assert_false(image_writable_segment(image, 0, &range));
}

/* A segment of 0x40 bytes in the middle of a page, at the file's end, and one that says it is larger than any file. */
static struct image *make_segments(void)
{
    struct elf_writer writer;
    static const unsigned char content[0x40] = "what is in the file";
    elf_writer_init(&writer, ET_DYN);
    uint64_t at = elf_writer_section(&writer, ".text", SHT_PROGBITS, 0, content, sizeof(content))->sh_offset;
    const Elf64_Phdr segments[] = {
        {.p_type = PT_GNU_EH_FRAME, .p_offset = at, .p_vaddr = 0x7000 + at, .p_filesz = 8, .p_memsz = 12},
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = at, .p_vaddr = 0x7000 + at, .p_filesz = 0x40},
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = at, .p_vaddr = 0x100000 + at, .p_filesz = INT64_MAX},
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = at, .p_vaddr = 0x9001 + at, .p_filesz = 0x40},
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = INT64_MAX - 4095, .p_vaddr = 0xa000, .p_filesz = 0x40},
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = 0x10000, .p_vaddr = 0xb000, .p_filesz = 0x40},
    };
    for (size_t i = 0; i < array_size(segments); i++)
        elf_writer_segment(&writer, &segments[i]);
    return finish(&writer);
}

static void what_is_loaded_at_an_address_is_read(void **state)
{
    (void)state;
    cleanup_image struct image *image = make_segments();
    struct image_range table;
    char text[0x40], page[4096];
    assert_true(image_unwind_table(image, &table));
    assert_int_equal(table.len, 12);
    assert_true(image_read(image, table.address, text, sizeof(text)));
    assert_string_equal(text, "what is in the file");
    assert_true(image_read(image, table.address + 8, text, 2));
    assert_memory_equal(text, "in", 2);
    /* The page as a whole, with zeros behind the file's end. */
    assert_true(image_read(image, 0x7000, page, sizeof(page)));
    assert_memory_equal(page + table.address % 4096, "what is in the file", 20);
    assert_memory_equal(page, ELFMAG, SELFMAG);
    assert_int_equal(page[4095], 0);
}

static void what_is_not_loaded_is_not_read(void **state)
{
    (void)state;
    static const uint64_t nowhere[] = {0, 0x6fff, 0x7fff, 0x8000, 0x9000, 0xa000, 0xb000, 0x100000, UINT64_MAX};
    cleanup_image struct image *image = make_segments();
    char bytes[2];
    for (size_t i = 0; i < array_size(nowhere); i++)
        assert_false(image_read(image, nowhere[i], bytes, sizeof(bytes)));
    cleanup_image struct image *library = make_library();
    struct image_range table;
    assert_false(image_unwind_table(library, &table));
}

static void a_file_in_our_memory_is_copied(void **state)
{
    (void)state;
    struct elf_writer writer;
    write_library(&writer);
    elf_writer_finish(&writer);
    cleanup_image struct image *image = NULL;
    assert_null(image_open_bytes(writer.file.data, writer.file.len, &image));
    memset(writer.file.data, 0, writer.file.len);
    check_symbol(image, "_PyRuntime", 0x5000, 1464);
    cleanup_image struct image *none = NULL;
    cleanup_error struct error *error = image_open_bytes(writer.file.data, writer.file.len, &none);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    elf_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_are_found_in_both_tables),
        cmocka_unit_test(the_dynamic_table_comes_first),
        cmocka_unit_test(an_undefined_symbol_is_passed_over),
        cmocka_unit_test(only_the_whole_name_counts),
        cmocka_unit_test(a_section_is_found_by_its_name),
        cmocka_unit_test(writable_segments_are_counted),
        cmocka_unit_test(the_load_bias_follows_from_the_first_mapping),
        cmocka_unit_test(the_load_bias_of_a_segment_that_begins_inside_a_page_is_right),
        cmocka_unit_test(an_offset_where_no_segment_begins_has_no_load_bias),
        cmocka_unit_test(the_load_bias_follows_from_any_page_of_code),
        cmocka_unit_test(a_program_at_a_fixed_address_has_no_load_bias),
        cmocka_unit_test(the_load_bias_of_code_is_that_of_the_code),
        cmocka_unit_test(a_symbol_is_found_by_the_beginning_of_its_name),
        cmocka_unit_test(a_debug_link_is_a_name_and_a_checksum),
        cmocka_unit_test(a_debug_link_that_is_no_file_name_is_none),
        cmocka_unit_test(the_checksum_is_that_of_zip),
        cmocka_unit_test(the_same_build_id_is_recognised),
        cmocka_unit_test(the_build_id_is_found_among_other_notes),
        cmocka_unit_test(a_build_id_that_is_missing_empty_or_too_long_is_none),
        cmocka_unit_test(the_descriptor_stays_with_the_caller),
        cmocka_unit_test(a_loaded_image_adds_its_bias),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
        cmocka_unit_test(other_word_lengths_and_byte_orders_are_refused),
        cmocka_unit_test(a_file_that_is_cut_anywhere_does_no_harm),
        cmocka_unit_test(a_file_with_one_changed_byte_does_no_harm),
        cmocka_unit_test(a_hostile_header_does_no_harm),
        cmocka_unit_test(hostile_section_headers_do_no_harm),
        cmocka_unit_test(a_symbol_whose_name_lies_outside_of_the_strings_is_passed_over),
        cmocka_unit_test(a_name_that_does_not_end_within_the_strings_is_passed_over),
        cmocka_unit_test(program_headers_beyond_the_file_are_none),
        cmocka_unit_test(what_is_loaded_at_an_address_is_read),
        cmocka_unit_test(what_is_not_loaded_is_not_read),
        cmocka_unit_test(a_file_in_our_memory_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
