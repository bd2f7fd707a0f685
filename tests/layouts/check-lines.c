/* SPDX-License-Identifier: MIT */
/*
 * Compares our decoding of line tables with what an interpreter says: check-lines FORMAT, which is
 * lnotab-unsigned, lnotab, ranges or locations.
 *
 * Standard input has a record for each code object, in native byte order: the length of its table, its first line and
 * how many positions follow (32 bits each), the table, and the positions: an offset in bytes, its line, the line where
 * its piece of source text ends, and the columns of that (32 bits each; line 0, column -1: none). Before "locations"
 * nothing but lines is known. Prints the differences, and how much was compared.
 */
#include "python/lines.h"

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

static void compare(const struct lines *lines, const struct position *positions, uint32_t count, struct tally *tally)
{
    for (uint32_t i = 0; i < count; i++) {
        int32_t line = lines_find(lines, positions[i].offset);
        int32_t expected = positions[i].line ? positions[i].line : lines->first_line;
        if (line != expected && tally->differences++ < SHOWN_LIMIT)
            printf("code object %" PRIu64 ", offset %" PRIu32 ": line %" PRId32 ", the interpreter says %" PRId32 "\n",
                   tally->records, positions[i].offset, line, expected);
    }
    tally->records++;
    tally->positions += count;
}

/* Reads and compares one record. Returns false at the end of the input, or when it is cut. */
static bool check_record(enum line_format format, struct tally *tally)
{
    struct record_head head;
    if (fread(&head, sizeof(head), 1, stdin) != 1)
        return false;
    unsigned char *table = malloc(head.table_len + 1);
    struct position *positions = calloc(head.position_count + 1, sizeof(*positions));
    struct lines lines;
    bool is_whole = table && positions && fread(table, 1, head.table_len, stdin) == head.table_len &&
                    fread(positions, sizeof(*positions), head.position_count, stdin) == head.position_count &&
                    lines_init(&lines, format, table, head.table_len, head.first_line);
    if (is_whole) {
        compare(&lines, positions, head.position_count, tally);
        lines_deinit(&lines);
    }
    free(table);
    free(positions);
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
