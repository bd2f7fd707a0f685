/* SPDX-License-Identifier: MIT */
#include "locations.h"

enum {
    UNIT_LEN = 2, /* bytes of a code unit */

    /* CPython 3.11 Objects/locations.md: the kinds of entries. */
    LAST_SHORT = 9,
    FIRST_ONE_LINE = 10,
    LAST_ONE_LINE = 12,
    NO_COLUMNS = 13,
    LONG = 14,
    WITHOUT_LINE = 15,
};

/* Only the first byte of an entry has bit 7 set. */
static bool is_in_entry(const struct location_reader *reader)
{
    return reader->at < reader->table_end && !(*reader->at & 0x80);
}

static unsigned take_byte(struct location_reader *reader)
{
    return is_in_entry(reader) ? *reader->at++ : 0;
}

/* Six bits a byte, the lowest first; bit 6 says that more follow. Stops at the end of an entry or of the table. */
static uint64_t take_varint(struct location_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; is_in_entry(reader); shift += 6) {
        unsigned char byte = *reader->at++;
        if (shift < 60)
            value |= (uint64_t)(byte & 0x3f) << shift;
        if (!(byte & 0x40))
            break;
    }
    return value;
}

static int64_t take_signed_varint(struct location_reader *reader)
{
    uint64_t value = take_varint(reader);
    int64_t magnitude = (int64_t)(value >> 1);
    return value & 1 ? -magnitude : magnitude;
}

/* A column that is written as one more than it is; 0: there is none. */
static int32_t take_column(struct location_reader *reader)
{
    return add_within_int(PYTHON_NO_COLUMN, (int64_t)take_varint(reader));
}

/* What follows the first byte of an entry. */
static struct python_position take_position(struct location_reader *reader, unsigned kind)
{
    struct python_position position = {.column = PYTHON_NO_COLUMN, .end_column = PYTHON_NO_COLUMN};
    if (kind == WITHOUT_LINE)
        return position;
    if (kind >= FIRST_ONE_LINE && kind <= LAST_ONE_LINE)
        reader->line = add_within_int(reader->line, kind - FIRST_ONE_LINE);
    else if (kind == NO_COLUMNS || kind == LONG)
        reader->line = add_within_int(reader->line, take_signed_varint(reader));
    position.line = position.end_line = reader->line;
    if (kind <= LAST_SHORT) {
        unsigned byte = take_byte(reader);
        position.column = (int32_t)(kind << 3 | byte >> 4);
        position.end_column = position.column + (int32_t)(byte & 15);
    } else if (kind <= LAST_ONE_LINE) {
        position.column = (int32_t)take_byte(reader);
        position.end_column = (int32_t)take_byte(reader);
    } else if (kind == LONG) {
        position.end_line = add_within_int(reader->line, (int64_t)take_varint(reader));
        position.column = take_column(reader);
        position.end_column = take_column(reader);
    }
    return position;
}

struct location_reader locations_begin(const unsigned char *table, size_t len, int32_t first_line)
{
    /* Where there is no table, there is nothing that a length could be added to. */
    return (struct location_reader){.at = table, .table_end = len > 0 ? table + len : table, .line = first_line};
}

bool locations_next(struct location_reader *reader, struct location *ret)
{
    if (reader->at >= reader->table_end)
        return false;
    unsigned char head = *reader->at++;
    uint32_t len = ((head & 7U) + 1) * UNIT_LEN;
    unsigned kind = head >> 3 & 15;
    *ret = (struct location){.start = reader->offset, .end = reader->offset + len};
    ret->has_position = kind != WITHOUT_LINE;
    ret->position = take_position(reader, kind);
    reader->offset += len;
    while (is_in_entry(reader))
        reader->at++;
    return true;
}

bool position_find(const unsigned char *table, size_t len, int32_t first_line, int64_t offset,
                   struct python_position *ret)
{
    struct location_reader reader = locations_begin(table, len, first_line);
    struct location location;
    while (locations_next(&reader, &location)) {
        if (offset < location.start || offset >= location.end)
            continue;
        if (location.has_position)
            *ret = location.position;
        return location.has_position;
    }
    return false;
}
