/* SPDX-License-Identifier: MIT */
#include "debug_sections.h"

#include "base/cleanup.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

enum {
    SECTION_BYTES_LIMIT = 256 << 20,     /* of all DWARF sections of a file, uncompressed; CPython has 30 MB */
    TABLE_LIMIT = 256 << 10,             /* bytes of one table of abbreviations; whole-program C++ has 100 kB */
    ABBREVIATION_BYTES_LIMIT = 32 << 20, /* of all of them; libdw takes ten times as much */
    PROGRAM_LIMIT = 2 << 20,             /* bytes of the lines of one unit; sqlite3.c has 0.4 MB */
    LINE_BYTES_LIMIT = 256 << 20,        /* of memory that lines may take, as far as can be told before */
    PATH_LIMIT = 4096,                   /* PATH_MAX */
    LINE_COST = 24,                      /* bytes of memory for each byte of a program: 40 for a line, of 2 bytes */
    FILE_LEAST_LEN = 4,                  /* bytes of a file in a header: an end, and three numbers or an offset */
    FILE_DEFINITION_LEAST_LEN = 8,       /* bytes of a file that is defined between lines */
    FORM_LIMIT = 8,                      /* columns of a table of files: there are five kinds */
    ZDEBUG_LEN_AT = 4,                   /* .zdebug_*: "ZLIB", and the length as a big-endian number of 64 bits */
    ZDEBUG_HEADER_LEN = 12,
};

/* The sections that are looked into here. Without the first two there is nothing. */
enum { SECTION_INFO, SECTION_ABBREVIATIONS, SECTION_LINES, SECTION_NAMES, SECTION_LINE_NAMES, SECTION_COUNT };
static const char *const section_names[SECTION_COUNT] = {"info", "abbrev", "line", "str", "line_str"};

static const char *section_name(Elf *elf, const GElf_Shdr *header)
{
    size_t names;
    const char *name = elf_getshdrstrndx(elf, &names) == 0 ? elf_strptr(elf, names, header->sh_name) : NULL;
    return name ? name : "";
}

/* The name behind ".debug_" (or the older ".zdebug_", for compressed ones); NULL for other sections. */
static const char *debug_name(const char *name)
{
    static const char *const prefixes[] = {".debug_", ".zdebug_"};
    for (size_t i = 0; i < array_size(prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], len) == 0)
            return name + len;
    }
    return NULL;
}

/* What a section has when it is no longer compressed; UINT64_MAX when that cannot be told. */
static uint64_t uncompressed_len(Elf_Scn *section, const GElf_Shdr *header, const char *name)
{
    GElf_Chdr compression;
    if (header->sh_type == SHT_NOBITS)
        return 0;
    if (header->sh_flags & SHF_COMPRESSED)
        return gelf_getchdr(section, &compression) ? compression.ch_size : UINT64_MAX;
    if (name[1] != 'z')
        return header->sh_size;
    const Elf_Data *data = header->sh_size <= SECTION_BYTES_LIMIT ? elf_rawdata(section, NULL) : NULL;
    uint64_t len;
    if (!data || !data->d_buf || data->d_size < ZDEBUG_HEADER_LEN)
        return UINT64_MAX;
    memcpy(&len, (const char *)data->d_buf + ZDEBUG_LEN_AT, sizeof(len));
    return __builtin_bswap64(len);
}

/* What libdw takes of a section of which there are two is not worth finding out. */
static bool is_seen_twice(const char *name, bool seen[SECTION_COUNT])
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcmp(name, section_names[i]) != 0)
            continue;
        if (seen[i])
            return true;
        seen[i] = true;
    }
    return false;
}

bool debug_sections_are_bearable(Elf *elf)
{
    Elf_Scn *section = NULL;
    uint64_t total = 0;
    bool seen[SECTION_COUNT] = {false};
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            return false;
        const char *name = section_name(elf, &header);
        uint64_t len = strstr(name, "debug") ? uncompressed_len(section, &header, name) : 0;
        if (len > SECTION_BYTES_LIMIT - total)
            return false;
        total += len;
        if (len > 0 && debug_name(name) && is_seen_twice(debug_name(name), seen))
            return false;
    }
    return seen[SECTION_INFO] && seen[SECTION_ABBREVIATIONS];
}

/* The bytes of the longest text among texts. */
static uint64_t longest_text(struct bytes texts)
{
    uint64_t longest = 0;
    for (size_t at = 0; at < texts.len;) {
        size_t len = strnlen((const char *)texts.data + at, texts.len - at);
        longest = len > longest ? len : longest;
        at += len + 1;
    }
    return longest;
}

/* libdw takes it for granted that the last of the texts in a section ends. */
static bool do_texts_end(struct bytes texts)
{
    return texts.len == 0 || texts.data[texts.len - 1] == '\0';
}

bool debug_sections_init(struct debug_sections *sections, Elf *elf)
{
    struct bytes found[SECTION_COUNT] = {{NULL, 0}};
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        const char *name = gelf_getshdr(section, &header) ? debug_name(section_name(elf, &header)) : NULL;
        for (size_t i = 0; name && i < SECTION_COUNT; i++) {
            const Elf_Data *data = strcmp(name, section_names[i]) == 0 ? elf_getdata(section, NULL) : NULL;
            if (data && data->d_buf && data->d_size > 0)
                found[i] = (struct bytes){data->d_buf, data->d_size};
        }
    }
    *sections = (struct debug_sections){
        .info = found[SECTION_INFO],
        .abbreviations = found[SECTION_ABBREVIATIONS],
        .lines = found[SECTION_LINES],
        .longest_name = longest_text(found[SECTION_LINE_NAMES]),
        .abbreviation_bytes = ABBREVIATION_BYTES_LIMIT,
        .line_bytes = LINE_BYTES_LIMIT,
    };
    return do_texts_end(found[SECTION_NAMES]) && do_texts_end(found[SECTION_LINE_NAMES]);
}

/* Reading forward; once something is missing, everything is. */
struct cursor {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

static void skip(struct cursor *cursor, uint64_t len)
{
    if ((uint64_t)(cursor->end - cursor->at) < len)
        cursor->failed = true;
    else
        cursor->at += len;
}

static uint64_t read_number(struct cursor *cursor, size_t len)
{
    uint64_t value = 0;
    const unsigned char *at = cursor->at;
    skip(cursor, len);
    if (!cursor->failed)
        memcpy(&value, at, len);
    return value;
}

/* A number of seven bits a byte (LEB128); of one that is longer than 64 bits, the low ones. */
static uint64_t read_leb(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; !cursor->failed; shift += 7) {
        uint64_t byte = read_number(cursor, 1);
        value |= shift < 64 ? (byte & 0x7f) << shift : 0;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* DWARF 5, section 7.5.3: a code, a tag, whether there are children, and pairs of attribute and form. */
static void skip_abbreviation(struct cursor *cursor)
{
    read_leb(cursor);
    skip(cursor, 1);
    while (!cursor->failed) {
        uint64_t attribute = read_leb(cursor), form = read_leb(cursor);
        if (attribute == 0 && form == 0)
            return;
        if (form == DW_FORM_implicit_const)
            read_leb(cursor);
    }
}

bool abbreviations_are_bearable(struct debug_sections *sections, uint64_t offset)
{
    struct bytes table = sections->abbreviations;
    if (offset >= table.len)
        return false;
    size_t len = table.len - offset < TABLE_LIMIT ? table.len - offset : TABLE_LIMIT;
    struct cursor cursor = {table.data + offset, table.data + offset + len, false};
    while (!cursor.failed && read_leb(&cursor) != 0)
        skip_abbreviation(&cursor);
    uint64_t cost = (uint64_t)(cursor.at - (table.data + offset));
    if (cursor.failed || cost > sections->abbreviation_bytes)
        return false;
    sections->abbreviation_bytes -= cost;
    return true;
}

struct line_header {
    struct bytes names;   /* what of the header may hold texts */
    struct bytes program; /* what follows it */
    unsigned version;
    size_t offset_len;
};

/* DWARF 5, section 6.2.4, and DWARF 4 the same. */
static bool parse_line_header(const struct bytes *lines, uint64_t offset, struct line_header *ret)
{
    if (offset >= lines->len)
        return false;
    struct cursor cursor = {lines->data + offset, lines->data + lines->len, false};
    uint64_t len = read_number(&cursor, 4);
    ret->offset_len = len == UINT32_MAX ? 8 : 4;
    if (ret->offset_len == 8)
        len = read_number(&cursor, 8);
    if (cursor.failed || len > PROGRAM_LIMIT || len > (uint64_t)(cursor.end - cursor.at))
        return false;
    cursor.end = cursor.at + len;
    ret->version = (unsigned)read_number(&cursor, 2);
    if (ret->version >= 5)
        skip(&cursor, 2);
    uint64_t header_len = read_number(&cursor, ret->offset_len);
    if (cursor.failed || header_len > (uint64_t)(cursor.end - cursor.at))
        return false;
    ret->names = (struct bytes){cursor.at, (size_t)header_len};
    ret->program = (struct bytes){cursor.at + header_len, (size_t)((uint64_t)(cursor.end - cursor.at) - header_len)};
    return true;
}

/* Skips a value in a table of folders or files. */
static void skip_form(struct cursor *cursor, uint64_t form, size_t offset_len)
{
    switch (form) {
    case DW_FORM_line_strp:
        skip(cursor, offset_len);
        break;
    case DW_FORM_string:
        skip(cursor, strnlen((const char *)cursor->at, (size_t)(cursor->end - cursor->at)) + 1);
        break;
    case DW_FORM_udata:
        read_leb(cursor);
        break;
    case DW_FORM_data1:
        skip(cursor, 1);
        break;
    case DW_FORM_data2:
        skip(cursor, 2);
        break;
    case DW_FORM_data4:
        skip(cursor, 4);
        break;
    case DW_FORM_data8:
        skip(cursor, 8);
        break;
    case DW_FORM_data16:
        skip(cursor, 16);
        break;
    case DW_FORM_block:
        skip(cursor, read_leb(cursor));
        break;
    default: /* names from .debug_str may be as long as they like, and compilers put none there */
        cursor->failed = true;
    }
}

/* Skips a table of folders or files: its columns, how many rows there are, and these. */
static void skip_names(struct cursor *cursor, size_t offset_len)
{
    uint64_t forms[FORM_LIMIT] = {0};
    uint64_t column_count = read_number(cursor, 1);
    if (column_count > FORM_LIMIT)
        cursor->failed = true;
    for (uint64_t i = 0; i < column_count && !cursor->failed; i++) {
        read_leb(cursor);
        forms[i] = read_leb(cursor);
    }
    uint64_t count = read_leb(cursor);
    for (uint64_t row = 0; column_count > 0 && row < count && !cursor->failed; row++) {
        const unsigned char *start = cursor->at;
        for (uint64_t i = 0; i < column_count && !cursor->failed; i++)
            skip_form(cursor, forms[i], offset_len);
        if (cursor->at == start)
            cursor->failed = true;
    }
}

/* Whether the names of a DWARF 5 header are where compilers put them: in it, or in .debug_line_str. */
static bool are_names_known(const struct line_header *header)
{
    struct cursor cursor = {header->names.data, header->names.data + header->names.len, false};
    skip(&cursor, 5); /* lengths of instructions, is_stmt, line_base, line_range */
    uint64_t operation_count = read_number(&cursor, 1);
    skip(&cursor, operation_count > 0 ? operation_count - 1 : 0);
    skip_names(&cursor, header->offset_len);
    skip_names(&cursor, header->offset_len);
    return !cursor.failed;
}

bool lines_are_bearable(struct debug_sections *sections, uint64_t offset, size_t folder_len)
{
    struct line_header header;
    if (!parse_line_header(&sections->lines, offset, &header) || (header.version >= 5 && !are_names_known(&header)))
        return false;
    uint64_t longest = longest_text(header.names);
    longest = longest > folder_len ? longest : folder_len;
    if (header.version >= 5 && sections->longest_name > longest)
        longest = sections->longest_name;
    if (longest > PATH_LIMIT)
        return false;
    uint64_t files = header.names.len / FILE_LEAST_LEN;
    files += header.version >= 5 ? 0 : header.program.len / FILE_DEFINITION_LEAST_LEN;
    uint64_t cost = files * (2 * longest + 2) + header.program.len * LINE_COST;
    if (cost > sections->line_bytes)
        return false;
    sections->line_bytes -= cost;
    return true;
}
