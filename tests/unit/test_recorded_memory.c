/* SPDX-License-Identifier: MIT */
#include "recorded_memory.h"

#include "fake_memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SOURCE = 0x1000 };

static void check_blocks(const struct recorded_memory *recorded, const char *expected)
{
    char text[256] = "";
    for (uint32_t i = 0; i < recorded->count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s%" PRIx64 "+%zu", i > 0 ? " " : "", recorded->blocks[i].address,
                 recorded->blocks[i].len);
    }
    assert_string_equal(text, expected);
}

static void record(struct recorded_memory *recorded, remote_addr address, size_t len, enum memory_status expected)
{
    unsigned char bytes[256];
    assert_int_equal(memory_read(&recorded->memory, address, bytes, len), expected);
    for (size_t i = 0; expected == MEMORY_OK && i < len; i++)
        assert_int_equal(bytes[i], (unsigned char)(address + i));
}

static void what_is_read_is_kept_in_sorted_blocks(void **state)
{
    (void)state;
    unsigned char bytes[256];
    struct fake_memory fake;
    cleanup_recorded_memory struct recorded_memory recorded;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    fake_memory_init(&fake);
    fake_memory_map(&fake, SOURCE, bytes, sizeof(bytes));
    recorded_memory_init(&recorded, &fake.memory);

    record(&recorded, SOURCE + 64, 8, MEMORY_OK);
    record(&recorded, SOURCE + 16, 8, MEMORY_OK);
    record(&recorded, SOURCE + 32, 8, MEMORY_OK);
    check_blocks(&recorded, "1010+8 1020+8 1040+8");
    record(&recorded, SOURCE + 24, 8, MEMORY_OK);
    check_blocks(&recorded, "1010+24 1040+8");
    record(&recorded, SOURCE, 128, MEMORY_OK);
    record(&recorded, SOURCE + 200, 0, MEMORY_OK);
    record(&recorded, SOURCE + 250, 8, MEMORY_FAULT);
    check_blocks(&recorded, "1000+128");

    /* What was read once stays as it was, and needs no source. */
    bytes[5] = 99;
    record(&recorded, SOURCE + 4, 16, MEMORY_OK);
    recorded.source = NULL;
    record(&recorded, SOURCE + 100, 28, MEMORY_OK);
    record(&recorded, SOURCE + 100, 29, MEMORY_FAULT);
    record(&recorded, SOURCE - 1, 2, MEMORY_FAULT);
    assert_int_equal(recorded_memory_len(&recorded), 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_kept_in_sorted_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
