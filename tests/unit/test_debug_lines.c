/* SPDX-License-Identifier: MIT */
#include "image/debug_lines.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/debug_clock.h"
#include "image/debug_sections.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void read_file(const char *name, struct buffer *ret)
{
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/%s", CODE_FOLDER, name);
    cleanup_fd int fd = open(buffer_text(&path), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (ssize_t len = 1; len > 0; ret->len += (size_t)len) {
        char *end = buffer_reserve(ret, 4096);
        assert_non_null(end);
        len = read(fd, end, 4096);
        assert_true(len >= 0);
    }
    ret->data[ret->len] = '\0';
}

/* Opens what these bytes are; NULL when they are no ELF file. */
static struct image *open_bytes(const struct buffer *bytes)
{
    cleanup_fd int fd = elf_writer_open(bytes->data, bytes->len);
    struct image *image = NULL;
    error_destroy(image_open(fd, &image));
    return image;
}

static struct image *open_code(const char *name)
{
    cleanup_buffer struct buffer bytes = {0};
    read_file(name, &bytes);
    struct image *image = open_bytes(&bytes);
    assert_non_null(image);
    return image;
}

static struct debug_lines *read_lines(const struct image *image)
{
    struct debug_lines *lines = NULL;
    cleanup_error struct error *error = debug_lines_create(image, &lines);
    assert_null(error);
    return lines;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Writes what was found at an address as tests/unit/native_code/truth does. */
static void describe(struct debug_lines *lines, uint64_t address, struct buffer *ret)
{
    struct debug_place places[DEBUG_PLACE_LIMIT];
    uint32_t count = debug_lines_find(lines, address, places);
    buffer_format(ret, "0x%016" PRIx64, address);
    for (uint32_t i = 0; i < count; i++)
        buffer_format(ret, " %s:%s:%d", places[i].name, base_name(places[i].file), places[i].line);
}

static void compare_with_binutils(const char *code, const char *truth_name)
{
    cleanup_image struct image *image = open_code(code);
    cleanup_debug_lines struct debug_lines *lines = read_lines(image);
    cleanup_buffer struct buffer truth = {0};
    int count = 0, inlined_count = 0;
    assert_non_null(lines);
    read_file(truth_name, &truth);
    char *rest = NULL;
    for (char *line = strtok_r(truth.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        cleanup_buffer struct buffer found = {0};
        if (strstr(line, "??"))
            continue; /* what the linker has put in */
        describe(lines, strtoull(line, NULL, 16), &found);
        assert_string_equal(buffer_text(&found), line);
        count++;
        inlined_count += strchr(strchr(line, ' ') + 1, ' ') != NULL;
    }
    assert_true(count > 20);
    assert_true(inlined_count > 4);
}

static void places_are_those_that_binutils_find(void **state)
{
    (void)state;
    compare_with_binutils("inlined.so", "inlined.truth");
}

static void so_they_are_in_compressed_sections_of_dwarf_4(void **state)
{
    (void)state;
    compare_with_binutils("inlined_packed.so", "inlined_packed.truth");
}

/* It writes no .debug_aranges, and does not say where siblings are. */
static void so_they_are_in_what_clang_writes(void **state)
{
    (void)state;
    compare_with_binutils("inlined_clang.so", "inlined_clang.truth");
}

static void check_mark(const char *code, const char *mark, const char *expected)
{
    cleanup_image struct image *image = open_code(code);
    cleanup_debug_lines struct debug_lines *lines = read_lines(image);
    cleanup_buffer struct buffer found = {0};
    struct image_range symbol;
    assert_non_null(lines);
    assert_true(image_find_symbol(image, mark, &symbol));
    describe(lines, symbol.address, &found);
    assert_string_equal(buffer_text(&found) + strlen("0x0000000000000000 "), expected);
}

/* The lines are those in the text of the sources. */
static void places_are_those_that_the_source_says(void **state)
{
    (void)state;
    static const char *const codes[] = {"inlined.so", "inlined_packed.so", "inlined_clang.so"};
    for (size_t i = 0; i < array_size(codes); i++) {
        check_mark(codes[i], "mark_innermost", "innermost:inlined.c:12 middle:inlined.c:19 outermost:inlined.c:35");
        check_mark(codes[i], "mark_middle", "middle:inlined.c:20 outermost:inlined.c:35");
        check_mark(codes[i], "mark_outermost", "outermost:inlined.c:36");
        check_mark(codes[i], "mark_hidden", "hidden:inlined.c:25");
    }
}

static void methods_have_the_names_that_the_linker_gives_them(void **state)
{
    (void)state;
    check_mark("templates.so", "mark_get",
               "_ZN5space3BoxIiE3getEi:templates.cpp:12 _ZN5space3BoxIiE5twiceEi:templates.cpp:19");
    check_mark("templates.so", "mark_twice", "_ZN5space3BoxIiE5twiceEi:templates.cpp:17");
}

static void the_folder_is_the_one_of_the_compiler(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("inlined.so");
    cleanup_debug_lines struct debug_lines *lines = read_lines(image);
    struct image_range symbol;
    assert_true(image_find_symbol(image, "mark_hidden", &symbol));
    assert_int_equal(debug_lines_folder(lines, symbol.address)[0], '/');
    assert_string_equal(debug_lines_folder(lines, 1), "");
}

static void a_file_without_dwarf_information_has_no_lines(void **state)
{
    (void)state;
    cleanup_image struct image *image = open_code("stripped.so");
    assert_null(read_lines(image));
}

static void the_separate_file_has_the_lines(void **state)
{
    (void)state;
    check_mark("stripped.debug", "mark_middle", "middle:inlined.c:20 outermost:inlined.c:35");
}

/* The header of a section; it must be there. */
static Elf64_Shdr *section_of(struct buffer *file, const char *name)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)file->data;
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(file->data + header->e_shoff);
    const char *names = file->data + sections[header->e_shstrndx].sh_offset;
    for (size_t i = 0; i < header->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    }
    fail_msg("no section %s", name);
    return NULL;
}

static void sections_that_say_that_they_are_huge_are_left_alone(void **state)
{
    (void)state;
    cleanup_buffer struct buffer file = {0};
    read_file("inlined_packed.so", &file);
    Elf64_Shdr *section = section_of(&file, ".debug_info");
    if (!(section->sh_flags & SHF_COMPRESSED))
        return; /* too small to be worth it */
    Elf64_Chdr *compression = (Elf64_Chdr *)(void *)(file.data + section->sh_offset);
    compression->ch_size = (uint64_t)300 << 20;
    cleanup_image struct image *image = open_bytes(&file);
    assert_null(read_lines(image));
}

/* libdw would take only one of them, and we might look at the other one. */
static void a_section_that_is_there_twice_is_one_too_many(void **state)
{
    (void)state;
    cleanup_buffer struct buffer file = {0};
    read_file("inlined.so", &file);
    Elf64_Shdr *lines = section_of(&file, ".debug_line"), *other = section_of(&file, ".comment");
    other->sh_name = lines->sh_name;
    cleanup_image struct image *image = open_bytes(&file);
    assert_null(read_lines(image));
}

/*
 * Each entry of .debug_info that says where its sibling is, says that it is itself: libdw's own way to the next sibling
 * does not end then.
 */
static void siblings_that_go_around_in_circles_end(void **state)
{
    (void)state;
    cleanup_buffer struct buffer file = {0};
    read_file("inlined.so", &file);
    const Elf64_Shdr *section = section_of(&file, ".debug_info");
    for (uint64_t at = 0; at + 4 <= section->sh_size; at++) {
        cleanup_buffer struct buffer changed = {0};
        uint32_t itself = (uint32_t)at;
        buffer_append(&changed, file.data, file.len);
        memcpy(changed.data + section->sh_offset + at, &itself, sizeof(itself));
        cleanup_image struct image *image = open_bytes(&changed);
        cleanup_debug_lines struct debug_lines *lines = read_lines(image);
        cleanup_buffer struct buffer found = {0};
        if (lines)
            describe(lines, 0x1110, &found);
        at += 2;
    }
}

/* Makes a section of another one's place: both names must be as long, or the new one shorter. */
static void rename_section(struct buffer *file, const char *name, const char *new_name)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)file->data;
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(file->data + header->e_shoff);
    char *names = file->data + sections[header->e_shstrndx].sh_offset;
    assert_true(strlen(new_name) <= strlen(name));
    memcpy(names + section_of(file, name)->sh_name, new_name, strlen(new_name) + 1);
}

/* libdw reads on behind the section otherwise. */
static void texts_have_to_end(void **state)
{
    (void)state;
    static const char *const names[] = {".debug_str", ".debug_line_str"};
    for (size_t i = 0; i < array_size(names); i++) {
        cleanup_buffer struct buffer file = {0};
        read_file("inlined.so", &file);
        const Elf64_Shdr *section = section_of(&file, names[i]);
        file.data[section->sh_offset + section->sh_size - 1] = 'x';
        cleanup_image struct image *image = open_bytes(&file);
        assert_null(read_lines(image));
    }
}

static void a_file_that_has_taken_its_time_gets_no_more(void **state)
{
    (void)state;
    struct debug_clock clock = {0};
    assert_true(debug_clock_start(&clock));
    assert_true(debug_clock_has_time(&clock));
    debug_clock_stop(&clock);
    assert_in_range(clock.spent_ns, 0, 2000000000);
    clock.spent_ns = 3000000000;
    assert_false(debug_clock_start(&clock));
    assert_false(debug_clock_has_time(&clock));
    debug_clock_stop(&clock);
    assert_false(debug_clock_start(&clock));
}

/* The texts of the entries are said to be in another file, which .gnu_debugaltlink names. */
static void a_file_that_is_named_is_not_opened(void **state)
{
    (void)state;
    enum { DW_FORM_STRP = 0x0e, DW_FORM_STRP_SUP = 0x1d };
    char path[16] = "", event[64];
    cleanup_fd int other = elf_writer_open("", 0);
    cleanup_fd int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    cleanup_buffer struct buffer file = {0};
    snprintf(path, sizeof(path), "/dev/fd/%d", other);
    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    read_file("inlined.so", &file);
    Elf64_Shdr *link = section_of(&file, ".note.gnu.build-id"), *abbreviations = section_of(&file, ".debug_abbrev");
    assert_true(link->sh_size >= sizeof(path) + 8);
    memset(file.data + link->sh_offset, 'i', link->sh_size);
    memcpy(file.data + link->sh_offset, path, sizeof(path));
    rename_section(&file, ".note.gnu.build-id", ".gnu_debugaltlink");
    int changed = 0;
    for (uint64_t i = 0; i < abbreviations->sh_size; i++) {
        char *form = file.data + abbreviations->sh_offset + i;
        changed += *form == DW_FORM_STRP;
        *form = *form == DW_FORM_STRP ? DW_FORM_STRP_SUP : *form;
    }
    assert_true(changed > 0);
    cleanup_image struct image *image = open_bytes(&file);
    cleanup_debug_lines struct debug_lines *lines = read_lines(image);
    cleanup_buffer struct buffer found = {0};
    struct image_range symbol;
    assert_true(image_find_symbol(image, "mark_hidden", &symbol));
    if (lines)
        describe(lines, symbol.address, &found);
    assert_int_equal(read(watch, event, sizeof(event)), -1); /* nothing has happened */
    assert_non_null(strstr(buffer_text(&found), ":inlined.c:25"));
}

static uint64_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return *random >> 33;
}

/* Changes a few bytes, most of them in one section. */
static void mutate(struct buffer *file, uint64_t *random)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file->data;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(file->data + header->e_shoff);
    Elf64_Shdr section = sections[next_random(random) % header->e_shnum];
    bool is_usable = section.sh_type != SHT_NOBITS && section.sh_size > 0;
    size_t count = 1 + next_random(random) % 6;
    for (size_t i = 0; i < count; i++) {
        size_t at = next_random(random) % file->len;
        if (is_usable && i > 0)
            at = section.sh_offset + next_random(random) % section.sh_size;
        static const unsigned char values[] = {0x00, 0x7f, 0x80, 0xff};
        file->data[at] =
            next_random(random) % 2 ? (char)values[next_random(random) % sizeof(values)] : (char)next_random(random);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void any_content_is_survived(void **state)
{
    (void)state;
    enum { ROUND_COUNT = 700 };
    static const char *const codes[] = {"inlined.so", "inlined_packed.so", "inlined_clang.so", "templates.so"};
    uint64_t random = 42;
    for (size_t i = 0; i < array_size(codes); i++) {
        cleanup_buffer struct buffer file = {0};
        read_file(codes[i], &file);
        for (int round = 0; round < ROUND_COUNT; round++) {
            cleanup_buffer struct buffer changed = {0};
            buffer_append(&changed, file.data, file.len);
            mutate(&changed, &random);
            double start = now();
            cleanup_image struct image *image = open_bytes(&changed);
            cleanup_debug_lines struct debug_lines *lines = image ? read_lines(image) : NULL;
            for (uint64_t address = 0x1000; lines && address < 0x1300; address += 0x17) {
                cleanup_buffer struct buffer found = {0};
                describe(lines, address, &found);
            }
            assert_true(now() - start < 30); /* 0.01 s as a rule; valgrind takes its time */
        }
    }
}

/* A header of lines of DWARF 5 with one folder or file whose name has this form. */
static size_t make_line_header(unsigned char *bytes, unsigned char name_form, uint32_t program_len)
{
    static const unsigned char rest[] = {1, 1, 1, 0xfb, 14, 1}; /* and no lengths of operations */
    const unsigned char table[] = {1, 1, name_form, 1, 0, 0, 0, 0};
    size_t header_len = sizeof(rest) + 2 * sizeof(table);
    uint32_t unit_len = (uint32_t)(2 + 2 + 4 + header_len + program_len), len = (uint32_t)header_len;
    memcpy(bytes, &unit_len, 4);
    memcpy(bytes + 4, "\5\0\10\0", 4);
    memcpy(bytes + 8, &len, 4);
    memcpy(bytes + 12, rest, sizeof(rest));
    memcpy(bytes + 12 + sizeof(rest), table, sizeof(table));
    memcpy(bytes + 12 + sizeof(rest) + sizeof(table), table, sizeof(table));
    return 4 + unit_len;
}

static bool is_bearable(unsigned char name_form, uint32_t program_len, uint64_t longest_name, size_t folder_len)
{
    cleanup_free unsigned char *bytes = calloc(1, program_len + 256);
    size_t len = make_line_header(bytes, name_form, program_len);
    struct debug_sections sections = {
        .lines = {bytes, len}, .longest_name = longest_name, .line_bytes = (uint64_t)256 << 20};
    return lines_are_bearable(&sections, 0, folder_len);
}

static void lines_that_would_take_too_much_memory_are_not_read(void **state)
{
    (void)state;
    enum { DW_FORM_STRP = 0x0e, DW_FORM_LINE_STRP = 0x1f };
    assert_true(is_bearable(DW_FORM_LINE_STRP, 100, 100, 100));
    assert_true(is_bearable(DW_FORM_LINE_STRP, 1 << 20, 4096, 100));
    assert_false(is_bearable(DW_FORM_LINE_STRP, 3 << 20, 100, 100)); /* lines */
    assert_false(is_bearable(DW_FORM_LINE_STRP, 100, 4097, 100));    /* bytes of a name */
    assert_false(is_bearable(DW_FORM_LINE_STRP, 100, 100, 4097));    /* bytes of the folder's name */
    assert_false(is_bearable(DW_FORM_STRP, 100, 100, 100));          /* which may be of any length */
}

static void lines_of_many_units_are_counted_together(void **state)
{
    (void)state;
    enum { PROGRAM_LEN = 1 << 20, DW_FORM_LINE_STRP = 0x1f };
    cleanup_free unsigned char *bytes = calloc(1, PROGRAM_LEN + 256);
    size_t len = make_line_header(bytes, DW_FORM_LINE_STRP, PROGRAM_LEN);
    struct debug_sections sections = {.lines = {bytes, len}, .line_bytes = (uint64_t)256 << 20};
    int count = 0;
    while (count < 100 && lines_are_bearable(&sections, 0, 10))
        count++;
    assert_in_range(count, 2, 20);
}

static void tables_of_abbreviations_have_a_limit(void **state)
{
    (void)state;
    enum { LEN = 400 * 1024 };
    static const unsigned char abbreviation[] = {1, 0x11, 1, 0x03, 0x0e, 0, 0};
    cleanup_free unsigned char *bytes = calloc(1, LEN);
    for (size_t at = 0; at + sizeof(abbreviation) < LEN; at += sizeof(abbreviation))
        memcpy(bytes + at, abbreviation, sizeof(abbreviation));
    struct debug_sections sections = {.abbreviations = {bytes, LEN}, .abbreviation_bytes = 1 << 20};
    assert_false(abbreviations_are_bearable(&sections, 0)); /* too long */
    assert_false(abbreviations_are_bearable(&sections, LEN));
    uint64_t near_end = LEN - LEN % sizeof(abbreviation) - 100 * sizeof(abbreviation);
    int count = 0;
    while (count < 10000 && abbreviations_are_bearable(&sections, near_end))
        count++;
    assert_in_range(count, 1000, 2000); /* all together */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_those_that_binutils_find),
        cmocka_unit_test(so_they_are_in_compressed_sections_of_dwarf_4),
        cmocka_unit_test(so_they_are_in_what_clang_writes),
        cmocka_unit_test(places_are_those_that_the_source_says),
        cmocka_unit_test(methods_have_the_names_that_the_linker_gives_them),
        cmocka_unit_test(the_folder_is_the_one_of_the_compiler),
        cmocka_unit_test(a_file_without_dwarf_information_has_no_lines),
        cmocka_unit_test(the_separate_file_has_the_lines),
        cmocka_unit_test(sections_that_say_that_they_are_huge_are_left_alone),
        cmocka_unit_test(a_section_that_is_there_twice_is_one_too_many),
        cmocka_unit_test(siblings_that_go_around_in_circles_end),
        cmocka_unit_test(texts_have_to_end),
        cmocka_unit_test(a_file_that_has_taken_its_time_gets_no_more),
        cmocka_unit_test(a_file_that_is_named_is_not_opened),
        cmocka_unit_test(any_content_is_survived),
        cmocka_unit_test(lines_that_would_take_too_much_memory_are_not_read),
        cmocka_unit_test(lines_of_many_units_are_counted_together),
        cmocka_unit_test(tables_of_abbreviations_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
