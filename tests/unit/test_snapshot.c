/* SPDX-License-Identifier: MIT */
#include "memory/snapshot.h"

#include "fake_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    BLOCK = 256,        /* what is kept */
    PAGE = 4096,        /* what is read around it */
    PAGE_COUNT = 17000, /* more than a snapshot keeps */
    KEPT_PAGES = 16383, /* of 16,384, as a read across two pages has to find room */
    KEPT_INTERVALS = 16,
    GAP_LIMIT = 8, /* blocks */
    LARGE_READ_PAGES = 8,
    BASE = 0x100000,
    GUARD = 0x10000,
    ISLANDS = 0x80000000, /* pages with holes between them, each a range of its own */
    ISLAND_COUNT = 20,
};

struct fixture {
    struct fake_memory fake;
    struct snapshot *snapshot;
    unsigned char *bytes; /* at BASE */
    unsigned char guard[SNAPSHOT_GUARD_LIMIT][SNAPSHOT_GUARD_LEN_LIMIT];
    unsigned char islands[ISLAND_COUNT][PAGE];
    unsigned piece_count; /* read from the fake memory, where a hook counts them */
    remote_addr disturbed_by;
};

static unsigned char *numbers;

/* Whether all guards are. */
static bool is_unchanged(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < SNAPSHOT_GUARD_LIMIT; i++) {
        if (!snapshot_is_unchanged(fixture->snapshot, i))
            return false;
    }
    return true;
}

static remote_addr island(unsigned index)
{
    return ISLANDS + (remote_addr)index * 2 * PAGE;
}

/* Many pages of numbers, made once for all tests. */
static int make_numbers(void **state)
{
    unsigned char *bytes = calloc(PAGE_COUNT, PAGE);
    for (uint32_t i = 0; bytes && i < PAGE_COUNT * PAGE / 4; i++)
        memcpy(bytes + 4 * i, &i, 4);
    *state = numbers = bytes;
    return bytes == NULL;
}

static int free_numbers(void **state)
{
    (void)state;
    free(numbers);
    return 0;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->bytes = numbers;
    fake_memory_init(&fixture->fake);
    fake_memory_map(&fixture->fake, BASE, fixture->bytes, (size_t)PAGE_COUNT * PAGE);
    fake_memory_map(&fixture->fake, GUARD, fixture->guard, sizeof(fixture->guard));
    for (unsigned i = 0; i < ISLAND_COUNT; i++) {
        memset(fixture->islands[i], (int)i + 1, PAGE);
        fake_memory_map(&fixture->fake, island(i), fixture->islands[i], PAGE);
    }
    *state = fixture;
    return snapshot_create(&fixture->fake.memory, &fixture->snapshot) != NULL;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    snapshot_destroy(fixture->snapshot);
    free(fixture);
    return 0;
}

static void guard_one_word(struct fixture *fixture)
{
    const struct snapshot_guard guard = {GUARD, 8};
    snapshot_set_guards(fixture->snapshot, &guard, 1);
}

static enum memory_status read_byte(struct fixture *fixture, remote_addr address, unsigned char *ret)
{
    return memory_read(snapshot_memory(fixture->snapshot), address, ret, 1);
}

static void check_byte(struct fixture *fixture, remote_addr address, unsigned expected)
{
    unsigned char byte = 0;
    assert_int_equal(read_byte(fixture, address, &byte), MEMORY_OK);
    assert_int_equal(byte, expected);
}

/* Reads through the snapshot and compares with what the target has. */
static void check_read(struct fixture *fixture, size_t offset, size_t len)
{
    unsigned char *bytes = malloc(len);
    assert_int_equal(memory_read(snapshot_memory(fixture->snapshot), BASE + offset, bytes, len), MEMORY_OK);
    assert_memory_equal(bytes, fixture->bytes + offset, len);
    free(bytes);
}

static void take(struct fixture *fixture)
{
    snapshot_begin_interval(fixture->snapshot);
    assert_int_equal(snapshot_take(fixture->snapshot), MEMORY_OK);
}

/* How many remote reads there were, by both counts. */
static uint64_t reads(const struct fixture *fixture)
{
    assert_int_equal(snapshot_memory(fixture->snapshot)->remote_reads, fixture->fake.memory.remote_reads);
    return fixture->fake.memory.remote_reads;
}

static void count_pieces(struct fake_memory *fake, const struct memory_piece *piece)
{
    (void)piece;
    ((struct fixture *)fake)->piece_count++;
}

/* The target runs, just behind the piece that begins at disturbed_by. */
static void change_guard(struct fake_memory *fake, const struct memory_piece *piece)
{
    struct fixture *fixture = (struct fixture *)fake;
    if (piece->address == fixture->disturbed_by)
        fixture->guard[0][0]++;
}

static void a_page_is_fetched_when_it_is_missed_and_then_kept(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    assert_int_equal(reads(fixture), 1);
    check_read(fixture, 100, 8);
    assert_int_equal(reads(fixture), 2);
    check_read(fixture, 0, PAGE);
    check_read(fixture, PAGE - 1, 1);
    assert_int_equal(reads(fixture), 2);
}

static void a_copy_does_not_follow_the_target(void **state)
{
    struct fixture *fixture = *state;
    take(fixture);
    check_byte(fixture, island(0), 1);
    fixture->islands[0][0] = 99;
    check_byte(fixture, island(0), 1);
    take(fixture);
    check_byte(fixture, island(0), 99);
}

static void pages_of_the_last_sample_come_with_the_guards_in_one_read(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    for (unsigned i = 0; i < ISLAND_COUNT; i++)
        check_byte(fixture, island(i), i + 1);
    assert_int_equal(reads(fixture), 1 + ISLAND_COUNT);
    take(fixture);
    for (unsigned i = 0; i < ISLAND_COUNT; i++)
        check_byte(fixture, island(i), i + 1);
    assert_int_equal(reads(fixture), 1 + ISLAND_COUNT + 1);
}

static void neighbours_are_read_as_one_piece(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_read(fixture, 2 * BLOCK, 1);
    check_read(fixture, 0, 1);
    check_read(fixture, 1 * BLOCK, 1);
    check_byte(fixture, island(1), 2);
    fixture->fake.after_piece = count_pieces;
    take(fixture);
    assert_int_equal(fixture->piece_count, 4); /* guard, three neighbours, island, guard */
    check_read(fixture, 0, 3 * BLOCK);
    assert_int_equal(fixture->piece_count, 4);
}

/* A piece more costs more than some blocks that nobody wants. */
static void what_is_between_two_blocks_is_read_with_them_if_it_is_little(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    for (unsigned gap = GAP_LIMIT - 1; gap <= GAP_LIMIT + 1; gap++) {
        for (int i = 0; i <= 2 * KEPT_INTERVALS; i++) {
            take(fixture);
            check_read(fixture, 0, 1);
            check_read(fixture, (size_t)(gap + 1) * BLOCK, 1);
        }
        fixture->fake.after_piece = count_pieces;
        fixture->piece_count = 0;
        take(fixture);
        assert_int_equal(fixture->piece_count, gap <= GAP_LIMIT ? 3 : 4); /* with the guard, twice */
        fixture->fake.after_piece = NULL;
    }
}

static void what_is_expected_is_fetched_in_one_read(void **state)
{
    struct fixture *fixture = *state;
    struct memory *memory = snapshot_memory(fixture->snapshot);
    const struct memory_range ranges[] = {{BASE + 10, 8}, {island(1), 1},          {island(0), 2 * BLOCK},
                                          {BASE, 8},      {island(0) + BLOCK, 16}, {BASE, 0}};
    guard_one_word(fixture);
    take(fixture);
    assert_true(memory_lacks(memory, &ranges[0]));
    memory_expect(memory, ranges, sizeof(ranges) / sizeof(ranges[0]));
    assert_int_equal(reads(fixture), 2);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        assert_false(memory_lacks(memory, &ranges[i]));
    check_read(fixture, 10, 8);
    check_byte(fixture, island(1), 2);
    check_byte(fixture, island(0) + 2 * BLOCK - 1, 1);
    assert_int_equal(reads(fixture), 2);
    memory_expect(memory, ranges, 5);
    memory_expect(memory, ranges, 0);
    assert_int_equal(reads(fixture), 2);
    fixture->fake.after_piece = count_pieces;
    take(fixture);
    assert_int_equal(fixture->piece_count, 5); /* guard, three blocks that were read, guard; the fourth was not */
}

static void what_is_expected_and_cannot_be_read_does_no_harm(void **state)
{
    struct fixture *fixture = *state;
    struct memory *memory = snapshot_memory(fixture->snapshot);
    const struct memory_range ranges[] = {{BASE, 8}, {GUARD / 2, 8}, {UINT64_MAX - 3, 8}, {island(0), 8}};
    take(fixture);
    memory_expect(memory, ranges, 4);
    assert_true(memory_lacks(memory, &ranges[0]));
    assert_false(memory_lacks(memory, &ranges[2]));
    check_read(fixture, 0, 8);
    check_byte(fixture, island(0), 1);
    unsigned char byte;
    assert_int_equal(read_byte(fixture, GUARD / 2, &byte), MEMORY_FAULT);
    assert_int_equal(read_byte(fixture, UINT64_MAX - 3, &byte), MEMORY_FAULT);
    assert_false(memory_lacks(&fixture->fake.memory, &ranges[0]));
    memory_expect(&fixture->fake.memory, ranges, 4);
}

static void a_page_that_is_read_no_more_is_predicted_no_more(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    for (int i = 0; i < KEPT_INTERVALS; i++) {
        take(fixture);
        check_byte(fixture, island(1), 2);
    }
    take(fixture);
    uint64_t before = reads(fixture);
    check_byte(fixture, island(1), 2);
    assert_int_equal(reads(fixture), before);
    check_byte(fixture, island(0), 1);
    assert_int_equal(reads(fixture), before + 1);
}

static void without_guards_and_pages_nothing_is_read(void **state)
{
    struct fixture *fixture = *state;
    take(fixture);
    assert_int_equal(fixture->fake.memory.remote_reads, 0);
    assert_true(is_unchanged(fixture));
}

static void a_predicted_page_that_disappears_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    for (unsigned i = 0; i < 5; i++)
        check_byte(fixture, island(i), i + 1);
    fake_memory_unmap(&fixture->fake, island(1));
    fake_memory_unmap(&fixture->fake, island(3));
    take(fixture);
    assert_true(is_unchanged(fixture));
    uint64_t before = reads(fixture);
    check_byte(fixture, island(0), 1);
    check_byte(fixture, island(2), 3);
    check_byte(fixture, island(4), 5);
    assert_int_equal(reads(fixture), before);
    unsigned char byte;
    assert_int_equal(read_byte(fixture, island(1), &byte), MEMORY_FAULT);
    assert_int_equal(read_byte(fixture, island(3), &byte), MEMORY_FAULT);
}

static void neighbours_of_a_page_that_disappears_are_still_read(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[3][PAGE] = {{1}, {2}, {3}};
    for (unsigned i = 0; i < 3; i++)
        fake_memory_map(&fixture->fake, GUARD + (i + 16) * PAGE, bytes[i], PAGE);
    take(fixture);
    for (unsigned i = 0; i < 3; i++)
        check_byte(fixture, GUARD + (i + 16) * PAGE, i + 1);
    fake_memory_unmap(&fixture->fake, GUARD + 17 * PAGE);
    take(fixture);
    check_byte(fixture, GUARD + 16 * PAGE, 1);
    check_byte(fixture, GUARD + 18 * PAGE, 3);
}

static void when_many_pages_disappear_the_snapshot_recovers_in_a_few_samples(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    for (unsigned i = 0; i < ISLAND_COUNT; i++)
        check_byte(fixture, island(i), i + 1);
    for (unsigned i = 0; i < ISLAND_COUNT - 1; i++)
        fake_memory_unmap(&fixture->fake, island(i));
    int tries = 1;
    while (snapshot_take(fixture->snapshot) != MEMORY_OK)
        assert_true(++tries <= ISLAND_COUNT);
    check_byte(fixture, island(ISLAND_COUNT - 1), ISLAND_COUNT);
}

static void a_guard_that_changes_in_the_middle_of_the_first_batch_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    fixture->fake.after_piece = change_guard;
    fixture->disturbed_by = island(0);
    take(fixture);
    assert_false(is_unchanged(fixture));
    assert_int_equal(*(const unsigned char *)snapshot_guard_bytes(fixture->snapshot, 0), 0);
    fixture->disturbed_by = 0;
    take(fixture);
    assert_true(is_unchanged(fixture));
    assert_int_equal(*(const unsigned char *)snapshot_guard_bytes(fixture->snapshot, 0), 1);
}

static void a_guard_that_changes_before_a_later_miss_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    fixture->guard[0][7] = 1;
    check_byte(fixture, island(0), 1);
    assert_true(is_unchanged(fixture));
    check_byte(fixture, island(1), 2);
    assert_false(is_unchanged(fixture));
    fixture->guard[0][7] = 0;
    check_byte(fixture, island(2), 3);
    assert_false(is_unchanged(fixture));
}

static void a_guard_that_changes_during_a_miss_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    fixture->fake.after_piece = change_guard;
    fixture->disturbed_by = island(0);
    check_byte(fixture, island(0), 1);
    assert_false(is_unchanged(fixture));
}

static void a_guard_that_changes_before_an_uncopied_read_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    fixture->guard[0][0] = 1;
    check_read(fixture, 0, (LARGE_READ_PAGES + 1) * PAGE);
    assert_false(is_unchanged(fixture));
}

static void bytes_behind_a_guard_do_not_count(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    fixture->guard[0][8] = 1;
    check_byte(fixture, island(0), 1);
    assert_true(is_unchanged(fixture));
}

static void as_many_and_as_long_guards_as_the_limits_allow_are_watched(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot_guard guards[SNAPSHOT_GUARD_LIMIT];
    for (uint32_t i = 0; i < SNAPSHOT_GUARD_LIMIT; i++)
        guards[i] = (struct snapshot_guard){GUARD + i * SNAPSHOT_GUARD_LEN_LIMIT, SNAPSHOT_GUARD_LEN_LIMIT};
    snapshot_set_guards(fixture->snapshot, guards, SNAPSHOT_GUARD_LIMIT);
    static const uint32_t changed[] = {0, 1, SNAPSHOT_GUARD_LIMIT / 2, SNAPSHOT_GUARD_LIMIT - 1};
    for (uint32_t i = 0; i < 4; i++) {
        take(fixture);
        assert_true(is_unchanged(fixture));
        fixture->guard[changed[i]][SNAPSHOT_GUARD_LEN_LIMIT - 1]++;
        check_byte(fixture, island(i), i + 1);
        assert_false(snapshot_is_unchanged(fixture->snapshot, changed[i]));
        assert_true(snapshot_is_unchanged(fixture->snapshot, changed[i] ^ 1));
    }
}

static void a_guard_that_is_not_mapped_fails_the_sample(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    fake_memory_unmap(&fixture->fake, GUARD);
    unsigned char byte;
    assert_int_equal(read_byte(fixture, island(1), &byte), MEMORY_FAULT);
    assert_int_equal(snapshot_take(fixture->snapshot), MEMORY_FAULT);
    fake_memory_map(&fixture->fake, GUARD, fixture->guard, sizeof(fixture->guard));
    take(fixture);
    check_byte(fixture, island(0), 1);
}

static void an_unmapped_page_faults_and_is_not_remembered(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[PAGE] = {7}, byte;
    take(fixture);
    assert_int_equal(read_byte(fixture, 0x5000, &byte), MEMORY_FAULT);
    check_byte(fixture, island(0), 1);
    assert_int_equal(read_byte(fixture, 0x5000, &byte), MEMORY_FAULT);
    fake_memory_map(&fixture->fake, 0x5000, bytes, sizeof(bytes));
    check_byte(fixture, 0x5000, 7);
    check_byte(fixture, island(0), 1);
}

static void a_read_across_pages_fetches_only_what_is_missing(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_read(fixture, 2 * PAGE, 1);
    fixture->fake.after_piece = count_pieces;
    check_read(fixture, PAGE - 4, 3 * PAGE);
    assert_int_equal(fixture->piece_count, 3); /* pages 0 and 1, page 3, guard */
    assert_int_equal(reads(fixture), 3);
    check_read(fixture, 0, 4 * PAGE);
    assert_int_equal(reads(fixture), 3);
}

static void a_read_that_runs_into_an_unmapped_page_faults(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[16];
    take(fixture);
    struct memory *memory = snapshot_memory(fixture->snapshot);
    assert_int_equal(memory_read(memory, island(0) + PAGE - 8, bytes, 16), MEMORY_FAULT);
    assert_int_equal(memory_read(memory, island(1) - 8, bytes, 16), MEMORY_FAULT);
    check_byte(fixture, island(0) + PAGE - 1, 1);
    check_byte(fixture, island(1), 2);
}

static void the_top_of_the_address_space_is_no_trap(void **state)
{
    struct fixture *fixture = *state;
    static unsigned char top[PAGE] = {5};
    unsigned char bytes[64];
    const remote_addr last_page = -(remote_addr)PAGE;
    fake_memory_map(&fixture->fake, last_page, top, PAGE);
    take(fixture);
    check_byte(fixture, last_page, 5);
    struct memory *memory = snapshot_memory(fixture->snapshot);
    assert_int_equal(memory_read(memory, UINT64_MAX - 7, bytes, 16), MEMORY_FAULT);
    assert_int_equal(memory_read(memory, UINT64_MAX, bytes, 2), MEMORY_FAULT);
    assert_int_equal(memory_read(memory, 8, bytes, SIZE_MAX), MEMORY_FAULT);
    assert_int_equal(memory_read(memory, 0, bytes, 8), MEMORY_FAULT);
    take(fixture);
    check_byte(fixture, last_page, 5);
}

static void a_large_read_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    guard_one_word(fixture);
    take(fixture);
    check_read(fixture, 0, LARGE_READ_PAGES * PAGE);
    assert_int_equal(reads(fixture), 2);
    check_read(fixture, 0, LARGE_READ_PAGES * PAGE);
    assert_int_equal(reads(fixture), 2);
    check_read(fixture, 20 * PAGE, LARGE_READ_PAGES * PAGE + 1);
    check_read(fixture, 20 * PAGE, LARGE_READ_PAGES * PAGE + 1);
    assert_int_equal(reads(fixture), 4);
}

/* Reads a word of more pages than can be kept, twice, and returns how many remote reads the second time took. */
static uint64_t read_more_pages_than_are_kept(struct fixture *fixture)
{
    guard_one_word(fixture);
    take(fixture);
    for (size_t i = 0; i < PAGE_COUNT; i++)
        check_read(fixture, i * PAGE + 8, 4);
    assert_int_equal(reads(fixture), 1 + PAGE_COUNT);
    take(fixture);
    assert_int_equal(reads(fixture), 1 + PAGE_COUNT + 1);
    for (size_t i = PAGE_COUNT; i-- > 0;)
        check_read(fixture, i * PAGE + 8, 4);
    return reads(fixture) - (1 + PAGE_COUNT + 1);
}

static void pages_beyond_the_limit_are_read_but_not_kept(void **state)
{
    assert_true(read_more_pages_than_are_kept(*state) >= PAGE_COUNT - KEPT_PAGES);
}

static void pages_that_are_kept_are_not_read_again_when_no_more_can_be_kept(void **state)
{
    assert_int_equal(read_more_pages_than_are_kept(*state), PAGE_COUNT - KEPT_PAGES);
}

static void a_read_across_the_last_page_that_can_be_kept_is_whole(void **state)
{
    struct fixture *fixture = *state;
    take(fixture);
    for (size_t i = 0; i < KEPT_PAGES - 1; i++)
        check_read(fixture, i * PAGE, 4);
    check_read(fixture, (KEPT_PAGES - 2) * PAGE + 8, 3 * PAGE);
    check_read(fixture, (KEPT_PAGES - 1) * PAGE, PAGE);
    check_read(fixture, (KEPT_PAGES - 2) * PAGE + 8, 3 * PAGE);
}

static void a_batch_tells_how_many_pieces_are_whole(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[3] = {0};
    const struct memory_piece pieces[] = {
        {island(0), &bytes[0], 1}, {0, NULL, 0},         {island(1), &bytes[1], 1},
        {0x5000, &bytes[2], 1},    {BASE, &bytes[2], 1},
    };
    size_t done = 77;
    take(fixture);
    struct memory *memory = snapshot_memory(fixture->snapshot);
    assert_int_equal(memory_read_batch(memory, pieces, 5, &done), MEMORY_FAULT);
    assert_int_equal(done, 3);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(bytes[1], 2);
    assert_int_equal(memory_read_batch(memory, pieces, 0, &done), MEMORY_OK);
    assert_int_equal(done, 0);
}

static void numbers_are_left_alone_by_a_read_that_fails(void **state)
{
    struct fixture *fixture = *state;
    uint64_t word = 42;
    uint32_t half = 43;
    take(fixture);
    struct memory *memory = snapshot_memory(fixture->snapshot);
    assert_int_equal(memory_read_u64(memory, 0x5000, &word), MEMORY_FAULT);
    assert_int_equal(memory_read_u32(memory, 0x5000, &half), MEMORY_FAULT);
    assert_int_equal(word, 42);
    assert_int_equal(half, 43);
    assert_int_equal(memory_read_u64(memory, BASE + 4 * PAGE, &word), MEMORY_OK);
    assert_true(word == (((uint64_t)PAGE + 1) << 32 | PAGE));
}

static enum memory_status refuse(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                 size_t *ret_done)
{
    (void)pieces;
    (void)count;
    memory->remote_reads++;
    *ret_done = 0;
    return MEMORY_GONE;
}

static void a_target_that_is_gone_is_asked_once(void **state)
{
    (void)state;
    static const struct memory_ops ops = {.read = refuse};
    struct memory source = {.ops = &ops};
    const struct snapshot_guard guard = {GUARD, 8};
    cleanup_snapshot struct snapshot *snapshot = NULL;
    assert_null(snapshot_create(&source, &snapshot));
    snapshot_set_guards(snapshot, &guard, 1);
    assert_int_equal(snapshot_take(snapshot), MEMORY_GONE);
    assert_int_equal(source.remote_reads, 1);
    uint64_t word;
    assert_int_equal(memory_read_u64(snapshot_memory(snapshot), BASE, &word), MEMORY_GONE);
    snapshot_destroy(NULL);
}

static const void *view(struct fixture *fixture, remote_addr address, size_t len)
{
    return memory_view(snapshot_memory(fixture->snapshot), address, len);
}

static void what_was_copied_can_be_looked_at(void **state)
{
    struct fixture *fixture = *state;
    unsigned char byte;
    assert_int_equal(snapshot_take(fixture->snapshot), MEMORY_OK);
    assert_null(view(fixture, BASE, 1));
    assert_int_equal(read_byte(fixture, BASE, &byte), MEMORY_OK);
    uint64_t reads = snapshot_memory(fixture->snapshot)->remote_reads;
    assert_memory_equal(view(fixture, BASE + 5, 8), fixture->bytes + 5, 8);
    assert_memory_equal(view(fixture, BASE + BLOCK - 4, 8), fixture->bytes + BLOCK - 4, 8);
    assert_memory_equal(view(fixture, BASE, 2 * BLOCK), fixture->bytes, 2 * BLOCK);
    assert_memory_equal(view(fixture, BASE + PAGE - 8, 8), fixture->bytes + PAGE - 8, 8);
    assert_null(view(fixture, BASE, 2 * BLOCK + 1));
    assert_null(view(fixture, BASE + PAGE - 8, 9));
    assert_null(view(fixture, UINT64_MAX - 3, 8));
    assert_int_equal(snapshot_memory(fixture->snapshot)->remote_reads, reads);
}

static void what_is_looked_at_is_copied_again(void **state)
{
    struct fixture *fixture = *state;
    uint64_t number;
    remote_addr address = BASE + 3 * BLOCK - 4;
    assert_int_equal(snapshot_take(fixture->snapshot), MEMORY_OK);
    assert_int_equal(memory_read_u64(snapshot_memory(fixture->snapshot), address, &number), MEMORY_OK);
    for (int i = 0; i < 3 * KEPT_INTERVALS; i++) {
        snapshot_begin_interval(fixture->snapshot);
        assert_int_equal(snapshot_take(fixture->snapshot), MEMORY_OK);
        assert_non_null(view(fixture, address, 8));
    }
    assert_null(view(fixture, BASE, 8));
}

static void what_else_is_wanted_comes_in_the_same_read_once(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[2][PAGE] = {{0}};
    struct memory_piece pieces[] = {{island(2), bytes[0], PAGE}, {island(5) + 8, bytes[1], 8}};
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    uint64_t before = reads(fixture);
    snapshot_set_pieces(fixture->snapshot, pieces, 2);
    take(fixture);
    assert_int_equal(reads(fixture), before + 1);
    assert_memory_equal(bytes[0], fixture->islands[2], PAGE);
    assert_memory_equal(bytes[1], fixture->islands[5], 8);
    assert_int_equal(bytes[1][8], 0);
    assert_int_equal(pieces[0].len, PAGE);
    memset(bytes, 0, sizeof(bytes));
    take(fixture);
    assert_int_equal(bytes[0][0], 0);
}

/* An island is not copied a second time for what the walk reads of it. */
static void blocks_of_what_else_is_wanted_are_read_with_it(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[PAGE] = {0}, byte;
    guard_one_word(fixture);
    take(fixture);
    for (unsigned i = 0; i < 3; i++)
        check_byte(fixture, island(i), i + 1);
    fixture->fake.after_piece = count_pieces;
    take(fixture);
    assert_int_equal(fixture->piece_count, 5); /* with the guards */
    struct memory_piece piece = {island(1), bytes, PAGE};
    fixture->islands[1][5] = 77;
    snapshot_set_pieces(fixture->snapshot, &piece, 1);
    take(fixture);
    assert_int_equal(fixture->piece_count, 10);
    uint64_t before = reads(fixture);
    assert_int_equal(memory_read(snapshot_memory(fixture->snapshot), island(1) + 5, &byte, 1), MEMORY_OK);
    assert_int_equal(byte, 77);
    check_byte(fixture, island(0), 1);
    check_byte(fixture, island(2), 3);
    assert_int_equal(reads(fixture), before);
}

static void what_else_is_wanted_and_cannot_be_read_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    unsigned char bytes[3][2 * PAGE] = {{0}};
    struct memory_piece pieces[] = {
        {island(2), bytes[0], PAGE}, {island(5), bytes[1], 2 * PAGE}, {island(7), bytes[2], PAGE}};
    guard_one_word(fixture);
    take(fixture);
    check_byte(fixture, island(0), 1);
    snapshot_set_pieces(fixture->snapshot, pieces, 3);
    take(fixture);
    assert_int_equal(pieces[0].len, PAGE);
    assert_int_equal(pieces[1].len, 0);
    assert_int_equal(pieces[2].len, PAGE);
    assert_memory_equal(bytes[2], fixture->islands[7], PAGE);
    assert_true(is_unchanged(fixture));
    uint64_t before = reads(fixture);
    check_byte(fixture, island(0), 1);
    assert_int_equal(reads(fixture), before);
}

static void a_guard_that_changes_behind_what_else_is_wanted_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    unsigned char byte;
    struct memory_piece piece = {island(2), &byte, 1};
    guard_one_word(fixture);
    fixture->fake.after_piece = change_guard;
    fixture->disturbed_by = island(2);
    snapshot_set_pieces(fixture->snapshot, &piece, 1);
    take(fixture);
    assert_false(is_unchanged(fixture));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_fetched_when_it_is_missed_and_then_kept),
        TEST(a_copy_does_not_follow_the_target),
        TEST(pages_of_the_last_sample_come_with_the_guards_in_one_read),
        TEST(neighbours_are_read_as_one_piece),
        TEST(what_is_between_two_blocks_is_read_with_them_if_it_is_little),
        TEST(what_was_copied_can_be_looked_at),
        TEST(what_is_looked_at_is_copied_again),
        TEST(blocks_of_what_else_is_wanted_are_read_with_it),
        TEST(what_is_expected_is_fetched_in_one_read),
        TEST(what_is_expected_and_cannot_be_read_does_no_harm),
        TEST(a_page_that_is_read_no_more_is_predicted_no_more),
        TEST(without_guards_and_pages_nothing_is_read),
        TEST(a_predicted_page_that_disappears_is_left_out),
        TEST(neighbours_of_a_page_that_disappears_are_still_read),
        TEST(when_many_pages_disappear_the_snapshot_recovers_in_a_few_samples),
        TEST(a_guard_that_changes_in_the_middle_of_the_first_batch_is_noticed),
        TEST(a_guard_that_changes_before_a_later_miss_is_noticed),
        TEST(a_guard_that_changes_during_a_miss_is_noticed),
        TEST(a_guard_that_changes_before_an_uncopied_read_is_noticed),
        TEST(bytes_behind_a_guard_do_not_count),
        TEST(as_many_and_as_long_guards_as_the_limits_allow_are_watched),
        TEST(a_guard_that_is_not_mapped_fails_the_sample),
        TEST(an_unmapped_page_faults_and_is_not_remembered),
        TEST(a_read_across_pages_fetches_only_what_is_missing),
        TEST(a_read_that_runs_into_an_unmapped_page_faults),
        TEST(the_top_of_the_address_space_is_no_trap),
        TEST(a_large_read_is_not_kept),
        TEST(pages_beyond_the_limit_are_read_but_not_kept),
        TEST(a_read_across_the_last_page_that_can_be_kept_is_whole),
        TEST(a_batch_tells_how_many_pieces_are_whole),
        TEST(numbers_are_left_alone_by_a_read_that_fails),
        TEST(a_target_that_is_gone_is_asked_once),
        TEST(pages_that_are_kept_are_not_read_again_when_no_more_can_be_kept),
        TEST(what_else_is_wanted_comes_in_the_same_read_once),
        TEST(what_else_is_wanted_and_cannot_be_read_is_left_out),
        TEST(a_guard_that_changes_behind_what_else_is_wanted_is_noticed),
    };
    return cmocka_run_group_tests(tests, make_numbers, free_numbers);
}
