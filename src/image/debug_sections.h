/* SPDX-License-Identifier: MIT */
/*
 * What is known of an ELF file's DWARF sections before libdw works on them: that there are not too many bytes, and what
 * the parts that libdw reads at once are going to cost.
 */
#ifndef IMAGE_DEBUG_SECTIONS_H
#define IMAGE_DEBUG_SECTIONS_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const unsigned char *data;
    size_t len;
};

struct debug_sections {
    struct bytes info;
    struct bytes abbreviations;
    struct bytes lines;
    uint64_t longest_name;       /* bytes of the longest text in .debug_line_str */
    uint64_t abbreviation_bytes; /* that libdw may still be given, see abbreviations_are_bearable() */
    uint64_t line_bytes;         /* see lines_are_bearable() */
};

/* Whether there is DWARF information, not too much of it, and each part once. Reads headers only. */
bool debug_sections_are_bearable(Elf *elf);

/* To be called when libdw has uncompressed the sections. They live as long as the handle. False: libdw may not go on.
 */
bool debug_sections_init(struct debug_sections *sections, Elf *elf);

/*
 * libdw may keep a whole table of abbreviations when it looks for one. Whether the table at an offset is so short that
 * it may; what it takes is taken off what the file is allowed.
 */
bool abbreviations_are_bearable(struct debug_sections *sections, uint64_t offset);

/*
 * libdw reads all lines of a unit at once, and writes the whole path of each of its files. The same for them;
 * folder_len: bytes of the unit's folder.
 */
bool lines_are_bearable(struct debug_sections *sections, uint64_t offset, size_t folder_len);

#endif
