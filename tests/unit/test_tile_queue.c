/* SPDX-License-Identifier: MIT */
#include "formats/tile_queue.h"

#include "formats/tile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void tiles_come_out_in_order(void **state)
{
    (void)state;
    enum { COUNT = 5000, ENDS = 700 };
    cleanup_tile_queue struct tile_queue queue = {0};
    unsigned seed = 7;
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct tile tile = {.end_ns = (uint64_t)rand_r(&seed) % ENDS, .node = i};
        assert_true(tile_queue_add(&queue, &tile));
    }
    struct tile last = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        struct tile tile;
        uint64_t end_ns = tile_queue_first(&queue)->end_ns;
        tile_queue_take(&queue, &tile);
        assert_int_equal(tile.end_ns, end_ns);
        if (i > 0)
            assert_true(tile.end_ns > last.end_ns || (tile.end_ns == last.end_ns && tile.node > last.node));
        last = tile;
    }
    assert_null(tile_queue_first(&queue));
}

static void what_is_added_later_can_be_first(void **state)
{
    (void)state;
    cleanup_tile_queue struct tile_queue queue = {0};
    struct tile tile;
    tile_queue_add(&queue, &(struct tile){.end_ns = 5});
    tile_queue_add(&queue, &(struct tile){.end_ns = 3});
    tile_queue_take(&queue, &tile);
    assert_int_equal(tile.end_ns, 3);
    tile_queue_add(&queue, &(struct tile){.end_ns = 1});
    tile_queue_take(&queue, &tile);
    assert_int_equal(tile.end_ns, 1);
    tile_queue_take(&queue, &tile);
    assert_int_equal(tile.end_ns, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_come_out_in_order),
        cmocka_unit_test(what_is_added_later_can_be_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
