/* SPDX-License-Identifier: MIT */
/*
 * Line tables of each format: byte 0 chooses it, bytes 1 to 4 are the first line, the rest is the table. The ranges
 * have to ascend, or lines_find() would not find them. Location tables are also read for positions, whose entries
 * follow each other without a gap.
 *
 * For: src/python/lines.c src/python/locations.c
 * Options: -max_len=4096
 */
#include "fuzz_input.h"
#include "python/lines.h"
#include "python/locations.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const enum line_format formats[] = {LINES_LNOTAB, LINES_LNOTAB_UNSIGNED, LINES_RANGES, LINES_LOCATIONS};

static void read_positions(const uint8_t *table, size_t len, int32_t first_line)
{
    struct location_reader reader = locations_begin(table, len, first_line);
    struct location location;
    struct python_position position;
    uint32_t end = 0;
    size_t count = 0;
    while (locations_next(&reader, &location)) {
        fuzz_require(location.start == end && location.end > end && ++count <= len, "order of locations");
        fuzz_require(location.position.column >= PYTHON_NO_COLUMN, "column");
        end = location.end;
    }
    position_find(table, len, first_line, (int64_t)end - 1, &position);
    fuzz_require(!position_find(table, len, first_line, end, &position), "position behind the end");
    fuzz_require(!position_find(table, len, first_line, -1, &position), "position before the start");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int32_t first_line;
    if (len < 1 + sizeof(first_line)) {
        return 0;
    }
    memcpy(&first_line, bytes + 1, sizeof(first_line));
    const size_t skipped = 1 + sizeof(first_line);
    if (formats[bytes[0] % 4] == LINES_LOCATIONS)
        read_positions(bytes + skipped, len - skipped, first_line);
    struct lines lines;
    if (!lines_init(&lines, formats[bytes[0] % 4], bytes + skipped, len - skipped, first_line)) {
        return 0;
    }
    for (uint32_t i = 0; i < lines.count; i++) {
        if (i > 0 && lines.ranges[i].start <= lines.ranges[i - 1].start) {
            abort();
        }
        lines_find(&lines, lines.ranges[i].start);
    }
    lines_find(&lines, -1);
    lines_find(&lines, INT64_MAX);
    lines_deinit(&lines);
    return 0;
}
