/* SPDX-License-Identifier: MIT */
/*
 * Compares our decoding of line tables, and of columns, with what an interpreter says: check-lines FORMAT, which is
 * lnotab-unsigned, lnotab, ranges or locations.
 *
 * Standard input has a record for each code object, in native byte order: the length of its table, its first line and
 * how many positions follow (32 bits each), the table, and the positions: an offset in bytes, its line, the line where
 * its piece of source text ends, and the columns of that (32 bits each; line 0, column -1: none). Before "locations"
 * nothing but lines is known. Prints the differences, and how much was compared.
 */
#include "python/lines.h"
#include "python/locations.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_LIMIT = 20 }; /* differences that are printed */

struct record_head {
    uint32_t table_len;
    int32_t first_line;
    uint32_t position_count;
};

struct position {
    uint32_t offset;
    int32_t line, end_line, column, end_column;
};

struct tally {
    uint64_t records, positions, differences;
};

/* One code object. */
struct record {
    struct record_head head;
    unsigned char *table;
    struct position *positions;
    struct lines lines;
};

static void tell_difference(struct tally *tally, uint32_t offset, const char *what, int32_t ours, int32_t theirs)
{
    if (tally->differences++ < SHOWN_LIMIT)
        printf("code object %" PRIu64 ", offset %" PRIu32 ": %s %" PRId32 ", the interpreter says %" PRId32 "\n",
               tally->records, offset, what, ours, theirs);
}

static void compare_line(const struct record *record, const struct position *expected, struct tally *tally)
{
    int32_t line = lines_find(&record->lines, expected->offset);
    int32_t theirs = expected->line ? expected->line : record->head.first_line;
    if (line != theirs)
        tell_difference(tally, expected->offset, "line", line, theirs);
}

static void compare_piece(const struct record *record, const struct position *expected, struct tally *tally)
{
    struct python_position found;
    if (!position_find(record->table, record->head.table_len, record->head.first_line, expected->offset, &found))
        found = (struct python_position){0, 0, PYTHON_NO_COLUMN, PYTHON_NO_COLUMN};
    const int32_t ours[] = {found.line, found.end_line, found.column, found.end_column};
    const int32_t theirs[] = {expected->line, expected->end_line, expected->column, expected->end_column};
    static const char *const names[] = {"line of the piece", "end line", "column", "end column"};
    for (size_t i = 0; i < array_size(ours); i++) {
        if (ours[i] != theirs[i])
            tell_difference(tally, expected->offset, names[i], ours[i], theirs[i]);
    }
}

static void compare(const struct record *record, enum line_format format, struct tally *tally)
{
    for (uint32_t i = 0; i < record->head.position_count; i++) {
        compare_line(record, &record->positions[i], tally);
        if (format == LINES_LOCATIONS)
            compare_piece(record, &record->positions[i], tally);
    }
    tally->records++;
    tally->positions += record->head.position_count;
}

/* Reads what follows a record's head. */
static bool read_body(struct record *record)
{
    const struct record_head *head = &record->head;
    record->table = malloc(head->table_len + 1);
    record->positions = calloc(head->position_count + 1, sizeof(*record->positions));
    return record->table && record->positions && fread(record->table, 1, head->table_len, stdin) == head->table_len &&
           fread(record->positions, sizeof(*record->positions), head->position_count, stdin) == head->position_count;
}

/* Reads and compares one record. Returns false at the end of the input, or when it is cut. */
static bool check_record(enum line_format format, struct tally *tally)
{
    struct record record = {0};
    if (fread(&record.head, sizeof(record.head), 1, stdin) != 1)
        return false;
    bool is_whole = read_body(&record) &&
                    lines_init(&record.lines, format, record.table, record.head.table_len, record.head.first_line);
    if (is_whole)
        compare(&record, format, tally);
    lines_deinit(&record.lines);
    free(record.table);
    free(record.positions);
    return is_whole;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        [LINES_LNOTAB_UNSIGNED] = "lnotab-unsigned",
        [LINES_LNOTAB] = "lnotab",
        [LINES_RANGES] = "ranges",
        [LINES_LOCATIONS] = "locations",
    };
    struct tally tally = {0};
    for (int format = LINES_LNOTAB_UNSIGNED; argc == 2 && format <= LINES_LOCATIONS; format++) {
        while (strcmp(argv[1], names[format]) == 0 && check_record((enum line_format)format, &tally))
            ;
    }
    printf("%" PRIu64 " code objects, %" PRIu64 " positions, %" PRIu64 " differences\n", tally.records, tally.positions,
           tally.differences);
    return tally.positions > 0 && tally.differences == 0 && feof(stdin) ? 0 : 1;
}
