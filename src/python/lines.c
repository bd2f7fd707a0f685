/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include "base/table.h"
#include "locations.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    NO_LINE = 0,
    RANGE_LIMIT = 1 << 21, /* of one code object; a function of a million lines has not many more than that */
};

/* Adds a range; one that continues the last range's line is not needed. */
static bool append(struct lines *lines, uint32_t start, int32_t line)
{
    if (lines->count >= RANGE_LIMIT)
        return true;
    if (lines->count == RANGE_LIMIT - 1)
        line = NO_LINE;
    else if (lines->count > 0) {
        struct line_range *last = &lines->ranges[lines->count - 1];
        if (last->line == line)
            return true;
        if (last->start == start) {
            last->line = line;
            return true;
        }
    }
    if (!array_grow(&lines->ranges, lines->count, &lines->capacity, sizeof(*lines->ranges)))
        return false;
    lines->ranges[lines->count++] = (struct line_range){start, line};
    return true;
}

/*
 * CPython 3.9 Objects/lnotab_notes.txt: pairs of (unsigned byte, signed byte): so many bytes of instructions further
 * on, the line is so much larger. In 2.7 the second byte is unsigned, too.
 */
static bool decode_lnotab(struct lines *lines, const unsigned char *table, size_t len, bool is_signed)
{
    uint32_t address = 0;
    int32_t line = lines->first_line;
    bool has_memory = append(lines, 0, line);
    for (size_t i = 0; i + 1 < len && has_memory; i += 2) {
        address += table[i];
        line = add_within_int(line, is_signed ? (signed char)table[i + 1] : table[i + 1]);
        has_memory = append(lines, address, line);
    }
    return has_memory;
}

/*
 * CPython 3.10 Objects/lnotab_notes.txt: pairs of (unsigned byte, signed byte): the next range has so many bytes, and
 * its line is so much larger, or -128: the range has no line and the count of lines stays.
 */
static bool decode_ranges(struct lines *lines, const unsigned char *table, size_t len)
{
    enum { WITHOUT_LINE = -128 };
    uint32_t address = 0;
    int32_t line = lines->first_line;
    bool has_memory = true;
    for (size_t i = 0; i + 1 < len && has_memory; i += 2) {
        signed char delta = (signed char)table[i + 1];
        bool has_line = delta != WITHOUT_LINE;
        if (has_line)
            line = add_within_int(line, delta);
        if (table[i] > 0)
            has_memory = append(lines, address, has_line ? line : NO_LINE);
        address += table[i];
    }
    return has_memory && append(lines, address, NO_LINE);
}

/* CPython 3.11 Objects/locations.md; columns are passed over here. */
static bool decode_locations(struct lines *lines, const unsigned char *table, size_t len)
{
    struct location_reader reader = locations_begin(table, len, lines->first_line);
    struct location location;
    bool has_memory = true;
    while (has_memory && locations_next(&reader, &location))
        has_memory = append(lines, location.start, location.position.line);
    return has_memory && append(lines, reader.offset, NO_LINE);
}

bool lines_init(struct lines *lines, enum line_format format, const unsigned char *table, size_t len,
                int32_t first_line)
{
    *lines = (struct lines){.first_line = first_line};
    bool has_memory = false;
    switch (format) {
    case LINES_LNOTAB_UNSIGNED:
        has_memory = decode_lnotab(lines, table, len, false);
        break;
    case LINES_LNOTAB:
        has_memory = decode_lnotab(lines, table, len, true);
        break;
    case LINES_RANGES:
        has_memory = decode_ranges(lines, table, len);
        break;
    case LINES_LOCATIONS:
        has_memory = decode_locations(lines, table, len);
        break;
    }
    if (!has_memory)
        lines_deinit(lines);
    return has_memory;
}

void lines_deinit(struct lines *lines)
{
    free(lines->ranges);
    *lines = (struct lines){0};
}

int32_t lines_find(const struct lines *lines, int64_t offset)
{
    uint32_t low = 0, high = lines->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lines->ranges[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || lines->ranges[low - 1].line == NO_LINE)
        return lines->first_line;
    return lines->ranges[low - 1].line;
}
