/* SPDX-License-Identifier: MIT */
#include "native/unwind_entry.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/image.h"
#include "memory/registers.h"
#include "native/rules.h"
#include "own_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    FUNCTION = 0x8000, /* where the one function is, and its length */
    FUNCTION_LEN = 0x100,
    BIAS = 0x400000,
    PIECE_LIMIT = 4096,
};

#if defined(__aarch64__)
enum { RETURN_COLUMN = 30, STACK_REGISTER = 31 };
#else
enum { RETURN_COLUMN = 16, STACK_REGISTER = 7 };
#endif

struct piece {
    unsigned char bytes[PIECE_LIMIT];
    size_t len;
};

static void put(struct piece *piece, const void *bytes, size_t len)
{
    assert_true(piece->len + len <= PIECE_LIMIT);
    memcpy(piece->bytes + piece->len, bytes, len);
    piece->len += len;
}

static void put_u8(struct piece *piece, uint8_t value)
{
    put(piece, &value, sizeof(value));
}

static void put_u32(struct piece *piece, uint64_t value)
{
    const uint32_t low = (uint32_t)value;
    put(piece, &low, sizeof(low));
}

static void set_u32(struct piece *piece, size_t at, uint64_t value)
{
    const uint32_t low = (uint32_t)value;
    memcpy(piece->bytes + at, &low, sizeof(low));
}

/* What a test says of its one function. */
struct tables {
    const char *augmentation;  /* letters, with their end */
    struct piece announced;    /* what they announce, with its length */
    struct piece instructions; /* of the CIE */
    struct piece fde_instructions;
    uint8_t version, return_column;
    /* To be added to what is right. */
    uint64_t cie_len, fde_len, cie_offset, row_count, fde_offset, cie_mark;
};

static const struct tables usual = {
    .augmentation = "zR",
    .announced = {.bytes = {1, 0x04}, .len = 2}, /* addresses of eight bytes */
    /* The frame's address is that of the stack pointer and 8; the return address is before it. */
    .instructions = {.bytes = {0x0c, STACK_REGISTER, 8, 0x80 | RETURN_COLUMN, 1}, .len = 5},
    .fde_instructions = {.bytes = {0x41, 0x0e, 16, 0x86, 2}, .len = 5},
    .version = 1,
    .return_column = RETURN_COLUMN,
};

static void put_cie(struct piece *piece, const struct tables *tables)
{
    size_t begin = piece->len;
    put_u32(piece, 0);
    put_u32(piece, tables->cie_mark);
    put_u8(piece, tables->version);
    put(piece, tables->augmentation, strlen(tables->augmentation) + 1);
    put_u8(piece, 1);
    put_u8(piece, 0x78); /* -8 */
    put_u8(piece, tables->return_column);
    put(piece, tables->announced.bytes, tables->announced.len);
    put(piece, tables->instructions.bytes, tables->instructions.len);
    set_u32(piece, begin, piece->len - begin - 4 + tables->cie_len);
}

static void put_fde(struct piece *piece, const struct tables *tables, size_t cie)
{
    const uint64_t start = FUNCTION + BIAS, len = FUNCTION_LEN;
    size_t begin = piece->len;
    put_u32(piece, 0);
    put_u32(piece, begin + 4 - cie + tables->cie_offset);
    put(piece, &start, sizeof(start));
    put(piece, &len, sizeof(len));
    if (tables->augmentation[0] == 'z')
        put_u8(piece, 0);
    put(piece, tables->fde_instructions.bytes, tables->fde_instructions.len);
    set_u32(piece, begin, piece->len - begin - 4 + tables->fde_len);
}

/* All that an address needs, to stand at a file's address. */
static void put_tables(struct piece *piece, const struct tables *tables, uint64_t address)
{
    static const unsigned char header[] = {1, 0x1b, 0x03, 0x3b};
    put(piece, header, sizeof(header));
    put_u32(piece, 0);
    put_u32(piece, 1 + tables->row_count);
    put_u32(piece, FUNCTION - address);
    size_t row_at = piece->len;
    put_u32(piece, 0);
    size_t cie = piece->len;
    put_cie(piece, tables);
    set_u32(piece, row_at, piece->len + tables->fde_offset);
    put_fde(piece, tables, cie);
}

struct fixture {
    struct image *image;
    struct native_module module;
    struct page_cache *cache;
    struct unwind_entry entry;
    uint64_t table; /* in the file, of its unwind tables */
    int fd;
};

static int set_up(void **state)
{
    static const unsigned char nothing[PIECE_LIMIT];
    static const Elf64_Phdr all = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 0x9000, .p_memsz = 0x9000};
    static struct fixture fixture;
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &all);
    uint64_t table = elf_writer_section(&writer, ".eh_frame_hdr", SHT_PROGBITS, 0, nothing, PIECE_LIMIT)->sh_offset;
    const Elf64_Phdr header = {
        .p_type = PT_GNU_EH_FRAME, .p_flags = PF_R, .p_offset = table, .p_vaddr = table, .p_filesz = 20, .p_memsz = 20};
    elf_writer_segment(&writer, &header);
    elf_writer_finish(&writer);
    fixture = (struct fixture){.table = table, .fd = elf_writer_open(writer.file.data, writer.file.len)};
    elf_writer_deinit(&writer);
    assert_null(image_open(fixture.fd, &fixture.image));
    fixture.cache = page_cache_create();
    assert_true(unwind_entry_init(&fixture.entry));
    fixture.module = (struct native_module){.path = "", .image = fixture.image, .bias = BIAS};
    fixture.module.start = FUNCTION + BIAS;
    fixture.module.end = fixture.module.start + 0x1000;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    image_destroy(fixture->image);
    page_cache_destroy(fixture->cache);
    unwind_entry_deinit(&fixture->entry);
    close(fixture->fd);
    return 0;
}

/* Puts other tables into the file, and makes the module another one. */
static void change_tables(struct fixture *fixture, const struct tables *tables)
{
    struct piece piece = {.len = 0};
    put_tables(&piece, tables, fixture->table);
    assert_int_equal(pwrite(fixture->fd, piece.bytes, PIECE_LIMIT, (off_t)fixture->table), PIECE_LIMIT);
    fixture->module.number++;
}

static bool is_taken(struct fixture *fixture, const struct tables *tables)
{
    change_tables(fixture, tables);
    return unwind_entry_find(&fixture->entry, fixture->cache, &fixture->module, FUNCTION + BIAS + 5);
}

/* The usual, with one thing changed. */
static struct tables with_cie(const void *bytes, size_t len)
{
    struct tables tables = usual;
    tables.instructions.len = 0;
    put(&tables.instructions, bytes, len);
    return tables;
}

static struct tables with_fde(const void *bytes, size_t len)
{
    struct tables tables = usual;
    tables.fde_instructions.len = 0;
    put(&tables.fde_instructions, bytes, len);
    return tables;
}

static void what_compilers_write_is_taken(void **state)
{
    struct fixture *fixture = *state;
    assert_true(is_taken(fixture, &usual));
    assert_false(fixture->entry.has_expressions);
    assert_false(fixture->entry.is_signal);
    struct tables signal = usual;
    signal.augmentation = "zRS";
    assert_true(is_taken(fixture, &signal));
    assert_true(fixture->entry.is_signal);
    struct tables plain = usual;
    plain.augmentation = "";
    plain.announced.len = 0;
    assert_true(is_taken(fixture, &plain));
    /* An indirect pointer to a function that handles exceptions, and one to their table, as C++ has them. */
    struct tables exceptions = usual;
    exceptions.augmentation = "zPLR";
    exceptions.announced = (struct piece){.bytes = {7, 0x9b, 1, 2, 3, 4, 0x1b, 0x04}, .len = 8};
    assert_true(is_taken(fixture, &exceptions));
}

static void expressions_are_seen(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned char of_plt[] = {0x0f, 3, 0x70 | STACK_REGISTER, 8, 0x96};
    static const unsigned char of_register[] = {0x10, 3, 2, 0x11, 0x70};
    struct tables tables = with_fde(of_plt, sizeof(of_plt));
    assert_true(is_taken(fixture, &tables));
    assert_true(fixture->entry.has_expressions);
    tables = with_fde(of_register, sizeof(of_register));
    assert_true(is_taken(fixture, &tables));
    assert_true(fixture->entry.has_expressions);
}

/* libunwind gives up where it meets them. */
static void what_is_said_of_vector_registers_is_taken_out(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned char instructions[] = {
        0x80 | 60, 4,                         /* offset */
        0xc0 | 60,                            /* restore */
        0x05,      0xfa, 0x00, 2,             /* offset_extended of 122, as numpy's kernels have it */
        0x10,      0xfa, 0x00, 2, 0x11, 0x70, /* expression of 122 */
        0x86,      2,                         /* offset of a register that is known */
    };
    unsigned char after[sizeof(instructions)] = {0};
    after[sizeof(after) - 2] = 0x86;
    after[sizeof(after) - 1] = 2;
    struct tables tables = with_fde(instructions, sizeof(instructions));
    assert_true(is_taken(fixture, &tables));
    const unsigned char *end =
        fixture->entry.bytes + fixture->entry.parts[UNWIND_FDE].at + fixture->entry.parts[UNWIND_FDE].len;
    assert_memory_equal(end - sizeof(after), after, sizeof(after));
}

/* Each would make libunwind 1.6.2 read outside of its tables, stop the program, or not end. */
static void what_libunwind_does_not_look_at_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        unsigned char bytes[12];
        size_t len;
    } hostile[] = {
        {{0x09, 3, 0xff, 0x7f}, 4},          /* a register that is in register 16383 */
        {{0x09, 3, 17 + 16}, 3},             /* or just behind the last one */
        {{0x16, 3, 3, 0x30, 0x31, 0x1b}, 6}, /* a division */
        {{0x0f, 3, 0x2f, 0xfd, 0xff}, 5},    /* a jump to itself */
        {{0x0f, 3, 0x28, 0xfd, 0xff}, 5},    /* the same, when there is something on the stack */
        {{0x0f, 2, 0x90, 99}, 4},            /* the value of a register that does not exist */
        {{0x0f, 1, 0x57}, 3},                /* a register in place of an address */
        {{0x0f, 200, 0x57}, 3},              /* an expression that does not end */
        {{0x0f, 1, 0x0e}, 3},                /* an operation that does not end */
        {{0x0c, 200, 1, 8}, 4},              /* a frame that register 200 leads to */
        {{0x0d, 99}, 2},
        {{0x14, 3, 1}, 3}, /* instructions that it does not know */
        {{0x3f}, 1},
        {{0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 12}, /* a number that is too long */
    };
    for (size_t i = 0; i < array_size(hostile); i++) {
        struct tables tables = with_fde(hostile[i].bytes, hostile[i].len);
        assert_false(is_taken(fixture, &tables));
        struct tables in_cie = usual;
        put(&in_cie.instructions, hostile[i].bytes, hostile[i].len);
        assert_false(is_taken(fixture, &in_cie));
    }
}

static void a_frame_without_an_address_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned char return_only[] = {0x80 | RETURN_COLUMN, 1};
    struct tables tables = with_cie(return_only, sizeof(return_only));
    tables.fde_instructions.len = 0;
    assert_false(is_taken(fixture, &tables));
}

static void states_that_are_remembered_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct tables tables = usual;
    for (int i = 0; i < 1000; i++) {
        put_u8(&tables.fde_instructions, 0x0a); /* each is forgotten */
        put_u8(&tables.fde_instructions, 0x0b);
    }
    assert_true(is_taken(fixture, &tables));
    for (int i = 0; i < 65; i++)
        put_u8(&tables.fde_instructions, 0x0a);
    assert_false(is_taken(fixture, &tables));
}

static void a_header_that_is_unusual_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct tables tables = usual;
    for (unsigned column = 0; column < 256; column++) {
        tables.return_column = (uint8_t)column;
        assert_int_equal(is_taken(fixture, &tables), column == RETURN_COLUMN);
    }
    tables = usual;
    for (unsigned version = 0; version < 256; version++) {
        tables.version = (uint8_t)version;
        assert_int_equal(is_taken(fixture, &tables), version == 1 || version == 3);
    }
    static const char *const augmentations[] = {"eh", "zRX", "zRSSS", "R", "zzzzzzzzzzzzzzzz"};
    tables = usual;
    for (size_t i = 0; i < array_size(augmentations); i++) {
        tables.augmentation = augmentations[i];
        assert_false(is_taken(fixture, &tables));
    }
    tables = usual;
    tables.announced.bytes[0] = 2; /* more than the letters say */
    assert_false(is_taken(fixture, &tables));
    for (unsigned encoding = 0; encoding < 256; encoding++) {
        tables = usual;
        tables.announced.bytes[1] = (unsigned char)encoding;
        is_taken(fixture, &tables);
    }
}

static void lengths_and_places_outside_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t numbers[] = {1 << 18, 1 << 30, 0x7fffffff, 0x80000000, 0xfffffff0, 0x100000000 - 64};
    for (size_t i = 0; i < array_size(numbers); i++) {
        struct tables cie = usual, fde = usual, link = usual, row = usual, count = usual, mark = usual;
        cie.cie_len = numbers[i];
        fde.fde_len = numbers[i];
        link.cie_offset = numbers[i];
        row.fde_offset = numbers[i];
        count.row_count = numbers[i];
        mark.cie_mark = numbers[i];
        assert_false(is_taken(fixture, &cie));
        assert_false(is_taken(fixture, &fde));
        assert_false(is_taken(fixture, &link));
        assert_false(is_taken(fixture, &row));
        assert_false(is_taken(fixture, &count));
        assert_false(is_taken(fixture, &mark));
    }
}

static void addresses_before_the_first_function_have_no_entry(void **state)
{
    struct fixture *fixture = *state;
    change_tables(fixture, &usual);
    assert_false(unwind_entry_find(&fixture->entry, fixture->cache, &fixture->module, FUNCTION + BIAS - 1));
    assert_false(unwind_entry_find(&fixture->entry, fixture->cache, &fixture->module, 0));
    assert_true(unwind_entry_find(&fixture->entry, fixture->cache, &fixture->module, FUNCTION + BIAS));
    fixture->module.image = NULL;
    fixture->module.number++;
    assert_false(unwind_entry_find(&fixture->entry, fixture->cache, &fixture->module, FUNCTION + BIAS));
}

static void words_at_the_edges_of_an_entry_are_filled_with_zeros(void **state)
{
    struct fixture *fixture = *state;
    uint64_t word = 1;
    assert_true(is_taken(fixture, &usual));
    remote_addr row = fixture->entry.parts[UNWIND_ROW].address;
    remote_addr end = fixture->entry.parts[UNWIND_FDE].address + fixture->entry.parts[UNWIND_FDE].len;
    assert_true(unwind_entry_word(&fixture->entry, end - 2, &word));
    assert_int_equal(word, 0x0286);
    assert_false(unwind_entry_word(&fixture->entry, end, &word));
    assert_false(unwind_entry_word(&fixture->entry, row - 8, &word));
    assert_false(unwind_entry_word(&fixture->entry, 0, &word));
    assert_false(unwind_entry_word(&fixture->entry, UINT64_MAX - 7, &word));
    uint32_t start = (uint32_t)(FUNCTION - fixture->table);
    assert_true(unwind_entry_word(&fixture->entry, row - 4, &word));
    assert_int_equal(word, (uint64_t)start << 32);
}

static uint64_t seed = 0x2545f4914f6cdd1dU;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Instructions and expressions that are likely, and sometimes right. */
static void put_random_instructions(struct piece *piece, unsigned most)
{
    for (uint64_t i = random_number() % most; i > 0; i--) {
        uint64_t choice = random_number();
        if (choice % 4 == 0) { /* an expression */
            uint64_t len = choice / 4 % 8;
            put_u8(piece, choice & 64 ? 0x0f : choice & 128 ? 0x10 : 0x16);
            if (!(choice & 64))
                put_u8(piece, (uint8_t)(choice >> 40) % 18);
            put_u8(piece, (uint8_t)len);
            while (len-- > 0)
                put_u8(piece, (uint8_t)random_number());
        } else if (choice % 4 == 1) {
            put_u8(piece, (uint8_t)(choice >> 8));
        } else {
            put_u8(piece, (uint8_t)(choice >> 8) % 0x18);
            put_u8(piece, (uint8_t)(choice >> 16) % 20);
            put_u8(piece, (uint8_t)(choice >> 24) % 20);
        }
    }
}

static const struct module_opener no_opener;

struct engine {
    unsigned char stack[256];
    struct modules *modules;
    unw_addr_space_t space;
    struct rules *rules;
    struct remote remote;
};

static void engine_init(struct engine *engine, struct fixture *fixture)
{
    *engine = (struct engine){.space = remote_space_create()};
    assert_null(modules_create(&no_opener, &own_memory, &engine->modules));
    engine->rules = rules_create(engine->space);
    assert_non_null(engine->rules);
    engine->remote = (struct remote){.modules = engine->modules,
                                     .cache = fixture->cache,
                                     .stack = engine->stack,
                                     .stack_start = 0x7fff0000,
                                     .stack_len = sizeof(engine->stack),
                                     .known = UINT64_MAX};
}

static void engine_deinit(struct engine *engine)
{
    rules_destroy(engine->rules);
    modules_destroy(engine->modules);
    unw_destroy_addr_space(engine->space);
}

/* Has libunwind make a rule of what was taken, and use it. */
static bool use(struct fixture *fixture, struct engine *engine)
{
    unw_cursor_t cursor;
    struct remote *remote = &engine->remote;
    remote->reads_left = 1 << 16;
    for (size_t i = 0; i < REGISTER_COUNT; i++)
        remote->registers[i] = i % 2 ? remote->stack_start + random_number() % remote->stack_len : random_number();
    remote_addr address = FUNCTION + BIAS + random_number() % 32;
    const struct rule *rule = rules_find(engine->rules, remote, &fixture->module, address);
    if (!rule || unw_init_remote(&cursor, engine->space, remote) < 0)
        return false;
    rules_apply(engine->rules, rule, remote, &cursor);
    return true;
}

static void a_rule_that_takes_too_long_is_made_another_time(void **state)
{
    struct fixture *fixture = *state;
    struct engine engine;
    engine_init(&engine, fixture);
    change_tables(fixture, &usual);
    const remote_addr address = FUNCTION + BIAS;
    for (engine.remote.reads_left = 0; engine.remote.reads_left < 50; engine.remote.reads_left++) {
        uint32_t reads_left = engine.remote.reads_left;
        assert_null(rules_find(engine.rules, &engine.remote, &fixture->module, address));
        assert_int_equal(engine.remote.reads_left, 0);
        engine.remote.reads_left = reads_left;
    }
    engine.remote.reads_left = 1000;
    const struct rule *rule = rules_find(engine.rules, &engine.remote, &fixture->module, address);
    assert_non_null(rule);
    assert_in_range(engine.remote.reads_left, 500, 999);
    engine.remote.reads_left = 0; /* what is known takes none */
    assert_ptr_equal(rules_find(engine.rules, &engine.remote, &fixture->module, address), rule);
    engine_deinit(&engine);
}

static void random_instructions_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    struct engine engine;
    engine_init(&engine, fixture);
    unsigned used = 0;
    for (int round = 0; round < 20000; round++) {
        struct tables tables = usual;
        if (random_number() % 2)
            put_random_instructions(&tables.instructions, 3);
        put_random_instructions(&tables.fde_instructions, 8);
        if (random_number() % 8 == 0)
            tables.announced.bytes[1] = (unsigned char)random_number();
        if (random_number() % 8 == 0)
            tables.return_column = (uint8_t)random_number();
        change_tables(fixture, &tables);
        used += use(fixture, &engine);
    }
    assert_in_range(used, 1000, 19000); /* it is no test if all are refused */
    engine_deinit(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_compilers_write_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expressions_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_said_of_vector_registers_is_taken_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_libunwind_does_not_look_at_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_without_an_address_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_that_are_remembered_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_that_is_unusual_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_and_places_outside_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_before_the_first_function_have_no_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_at_the_edges_of_an_entry_are_filled_with_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rule_that_takes_too_long_is_made_another_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_instructions_do_no_harm, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
