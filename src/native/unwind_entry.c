/* SPDX-License-Identifier: MIT */
/*
 * The formats are those of the Linux Standard Base, Core 5.0, sections 10.5 and 10.6 (.eh_frame and .eh_frame_hdr), and
 * of DWARF 5, section 6.4. How far libunwind looks at what it reads is said for its version 1.6.2.
 */
#include "unwind_entry.h"

#include "base/cleanup.h"
#include "memory/registers.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

enum {
    FDE_LEN_LIMIT = 1 << 17, /* bytes; the longest in 4,000 files of a Debian with PyTorch and CUDA has 60,000 */
    CIE_LEN_LIMIT = 1 << 10, /* they have 56 at most there */
    ENTRY_LEN_LIMIT = FDE_LEN_LIMIT + CIE_LEN_LIMIT + 16,
    LEB_LEN_LIMIT = 10,  /* bytes of a 64-bit number */
    REMEMBER_LIMIT = 64, /* states that are remembered at a time; compilers remember one */
    LETTER_LIMIT = 4,    /* of an augmentation; libunwind keeps no more */
    ROW_LEN = 8,         /* of a search table: two addresses */
};

/* The return address is in a column of its own on x86-64, and in the link register on aarch64. */
#if defined(__aarch64__)
enum { RETURN_COLUMN = 30 };
#else
enum { RETURN_COLUMN = REGISTER_PC };
#endif

bool unwind_entry_init(struct unwind_entry *entry)
{
    *entry = (struct unwind_entry){.bytes = malloc(ENTRY_LEN_LIMIT)};
    return entry->bytes != NULL;
}

void unwind_entry_deinit(struct unwind_entry *entry)
{
    free(entry->bytes);
    *entry = (struct unwind_entry){0};
}

struct unwind_entry *unwind_entry_copy(const struct unwind_entry *entry)
{
    struct unwind_entry *copy = malloc(sizeof(*copy));
    unsigned char *bytes = malloc(entry->len);
    if (!copy || !bytes) {
        free(copy);
        free(bytes);
        return NULL;
    }
    *copy = *entry;
    copy->bytes = memcpy(bytes, entry->bytes, entry->len);
    return copy;
}

void unwind_entry_destroy(struct unwind_entry *entry)
{
    if (entry)
        free(entry->bytes);
    free(entry);
}

bool unwind_entry_word(const struct unwind_entry *entry, remote_addr address, uint64_t *ret)
{
    unsigned char word[sizeof(*ret)] = {0};
    bool is_part = false;
    for (size_t part = 0; part < UNWIND_PART_COUNT; part++) {
        const unsigned char *bytes = entry->bytes + entry->parts[part].at;
        uint64_t at = address - entry->parts[part].address, len = entry->parts[part].len;
        uint64_t begins_behind = entry->parts[part].address - address;
        if (len == 0 || (at >= len && begins_behind >= sizeof(word)))
            continue;
        for (size_t i = 0; i < sizeof(word); i++) {
            if (at + i < len)
                word[i] = bytes[at + i];
        }
        is_part = true;
    }
    if (is_part)
        memcpy(ret, word, sizeof(word));
    return is_part;
}

/* Bytes that are read from front to end. */
struct reader {
    unsigned char *at;
    const unsigned char *end;
    bool failed;
};

static void take(struct reader *reader, size_t len, void *ret)
{
    if (reader->failed || (size_t)(reader->end - reader->at) < len) {
        reader->failed = true;
        memset(ret, 0, len);
        return;
    }
    memcpy(ret, reader->at, len);
    reader->at += len;
}

static void skip(struct reader *reader, uint64_t len)
{
    if (reader->failed || len > (size_t)(reader->end - reader->at))
        reader->failed = true;
    else
        reader->at += len;
}

static uint8_t take_u8(struct reader *reader)
{
    uint8_t value;
    take(reader, sizeof(value), &value);
    return value;
}

static uint32_t take_u32(struct reader *reader)
{
    uint32_t value;
    take(reader, sizeof(value), &value);
    return value;
}

/* An unsigned number of seven bits a byte; a signed one has the same length. */
static uint64_t take_leb(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < LEB_LEN_LIMIT; i++) {
        uint8_t byte = take_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << i * 7;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

/* Passes over an address. Of those without a fixed length only the omitted one is taken. */
static void skip_encoded(struct reader *reader, uint8_t encoding)
{
    static const unsigned char lens[16] = {
        [DW_EH_PE_absptr] = 8, [DW_EH_PE_udata2] = 2, [DW_EH_PE_udata4] = 4, [DW_EH_PE_udata8] = 8,
        [DW_EH_PE_sdata2] = 2, [DW_EH_PE_sdata4] = 4, [DW_EH_PE_sdata8] = 8};
    if (encoding == DW_EH_PE_omit)
        return;
    size_t len = lens[encoding & 0x0f];
    if (len == 0 || (encoding & 0x70) == DW_EH_PE_aligned)
        reader->failed = true;
    skip(reader, len);
}

/* Operands of instructions and of operations of expressions. */
enum operand {
    NO_OPERAND,
    BYTES_1,
    BYTES_2,
    BYTES_4,
    BYTES_8,
    LEB,        /* signed or not */
    REGISTER,   /* that a value is taken from: must be one that libunwind knows */
    SAVED,      /* register, of which is told where it is saved; any */
    EXPRESSION, /* with its length */
    POINTER,    /* as the CIE says */
    REFUSED,    /* none that is known */
};

/*
 * No divisions, which can trap, and no jumps, which may make a loop or go into the middle of an operation. Registers as
 * such are not wanted as the place of a register.
 */
static enum operand operand_of_operation(uint8_t operation)
{
    switch (operation) {
    case DW_OP_deref:
    case DW_OP_dup:
    case DW_OP_drop:
    case DW_OP_over:
    case DW_OP_swap:
    case DW_OP_abs:
    case DW_OP_and:
    case DW_OP_minus:
    case DW_OP_mul:
    case DW_OP_neg:
    case DW_OP_not:
    case DW_OP_or:
    case DW_OP_plus:
    case DW_OP_xor:
    case DW_OP_shl:
    case DW_OP_shr:
    case DW_OP_shra:
    case DW_OP_nop:
        return NO_OPERAND;
    case DW_OP_const1u:
    case DW_OP_const1s:
        return BYTES_1;
    case DW_OP_const2u:
    case DW_OP_const2s:
        return BYTES_2;
    case DW_OP_const4u:
    case DW_OP_const4s:
        return BYTES_4;
    case DW_OP_const8u:
    case DW_OP_const8s:
        return BYTES_8;
    case DW_OP_constu:
    case DW_OP_consts:
    case DW_OP_plus_uconst:
        return LEB;
    default:
        break;
    }
    if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31 && operation - DW_OP_breg0 < REGISTER_COUNT)
        return LEB;
    bool is_plain =
        (operation >= DW_OP_eq && operation <= DW_OP_ne) || (operation >= DW_OP_lit0 && operation <= DW_OP_lit31);
    return is_plain ? NO_OPERAND : REFUSED;
}

/* Passes over an operand that has no parts. */
static void skip_operand(struct reader *reader, enum operand operand)
{
    static const unsigned char lens[] = {[BYTES_1] = 1, [BYTES_2] = 2, [BYTES_4] = 4, [BYTES_8] = 8};
    if (operand == LEB)
        take_leb(reader);
    else if (operand <= BYTES_8)
        skip(reader, lens[operand]);
    else
        reader->failed = true;
}

static void check_expression(struct reader *reader)
{
    uint64_t len = take_leb(reader);
    struct reader expression = {.at = reader->at, .failed = reader->failed};
    skip(reader, len);
    expression.end = reader->at;
    if (reader->failed)
        return;
    while (!expression.failed && expression.at < expression.end)
        skip_operand(&expression, operand_of_operation(take_u8(&expression)));
    reader->failed = expression.failed;
}

struct instruction {
    enum operand first, second;
};

/* By number; libunwind knows no others. The three whose number stands in the upper bits are not in it. */
static const struct instruction instructions[] = {
    [DW_CFA_nop] = {NO_OPERAND, NO_OPERAND},
    [DW_CFA_set_loc] = {POINTER, NO_OPERAND},
    [DW_CFA_advance_loc1] = {BYTES_1, NO_OPERAND},
    [DW_CFA_advance_loc2] = {BYTES_2, NO_OPERAND},
    [DW_CFA_advance_loc4] = {BYTES_4, NO_OPERAND},
    [DW_CFA_offset_extended] = {SAVED, LEB},
    [DW_CFA_restore_extended] = {SAVED, NO_OPERAND},
    [DW_CFA_undefined] = {SAVED, NO_OPERAND},
    [DW_CFA_same_value] = {SAVED, NO_OPERAND},
    [DW_CFA_register] = {SAVED, REGISTER},
    [DW_CFA_remember_state] = {NO_OPERAND, NO_OPERAND},
    [DW_CFA_restore_state] = {NO_OPERAND, NO_OPERAND},
    [DW_CFA_def_cfa] = {REGISTER, LEB},
    [DW_CFA_def_cfa_register] = {REGISTER, NO_OPERAND},
    [DW_CFA_def_cfa_offset] = {LEB, NO_OPERAND},
    [DW_CFA_def_cfa_expression] = {EXPRESSION, NO_OPERAND},
    [DW_CFA_expression] = {SAVED, EXPRESSION},
    [DW_CFA_offset_extended_sf] = {SAVED, LEB},
    [DW_CFA_def_cfa_sf] = {REGISTER, LEB},
    [DW_CFA_def_cfa_offset_sf] = {LEB, NO_OPERAND},
    [DW_CFA_val_offset] = {REFUSED, REFUSED},
    [DW_CFA_val_offset_sf] = {REFUSED, REFUSED},
    [DW_CFA_val_expression] = {SAVED, EXPRESSION},
    [0x17 ... 0x2c] = {REFUSED, REFUSED},
#if defined(__aarch64__)
    [DW_CFA_AARCH64_negate_ra_state] = {NO_OPERAND, NO_OPERAND},
#else
    [0x2d] = {REFUSED, REFUSED},
#endif
    [DW_CFA_GNU_args_size] = {LEB, NO_OPERAND},
    [DW_CFA_GNU_negative_offset_extended] = {SAVED, LEB},
};

/* What is learned of instructions while they are read. */
struct survey {
    uint8_t pointer_encoding;
    bool has_cfa; /* a rule for the frame's address */
    bool has_expressions;
    bool is_of_other;    /* the instruction is about a register that libunwind does not know */
    bool is_signal;      /* the frame is that of a signal handler's caller */
    unsigned remembered; /* states at a time */
};

static void check_operand(struct reader *reader, enum operand operand, struct survey *survey)
{
    if (operand == SAVED) {
        survey->is_of_other = take_leb(reader) >= REGISTER_COUNT;
    } else if (operand == REGISTER) {
        if (take_leb(reader) >= REGISTER_COUNT)
            reader->failed = true;
    } else if (operand == EXPRESSION) {
        survey->has_expressions = true;
        check_expression(reader);
    } else if (operand == POINTER) {
        skip_encoded(reader, survey->pointer_encoding);
    } else {
        skip_operand(reader, operand);
    }
}

/* The three instructions whose number stands in the upper bits: advance_loc, offset and restore. */
static void check_short_instruction(struct reader *reader, uint8_t code, struct survey *survey)
{
    uint8_t upper = code & 0xc0;
    survey->is_of_other = upper != DW_CFA_advance_loc && (code & 0x3f) >= REGISTER_COUNT;
    if (upper == DW_CFA_offset)
        take_leb(reader);
}

static void check_long_instruction(struct reader *reader, uint8_t code, struct survey *survey)
{
    if (code >= array_size(instructions)) {
        reader->failed = true;
        return;
    }
    check_operand(reader, instructions[code].first, survey);
    check_operand(reader, instructions[code].second, survey);
    if (code == DW_CFA_def_cfa || code == DW_CFA_def_cfa_sf || code == DW_CFA_def_cfa_expression)
        survey->has_cfa = true;
    if (code == DW_CFA_restore_state && survey->remembered > 0)
        survey->remembered--;
    if (code == DW_CFA_remember_state && ++survey->remembered > REMEMBER_LIMIT)
        reader->failed = true;
}

/*
 * Where registers of vectors are saved, libunwind does not know them and gives the whole function up. They say nothing
 * about callers; such an instruction is made one that does nothing.
 */
static void check_instruction(struct reader *reader, struct survey *survey)
{
    unsigned char *begin = reader->at;
    uint8_t code = take_u8(reader);
    survey->is_of_other = false;
    if (code & 0xc0)
        check_short_instruction(reader, code, survey);
    else
        check_long_instruction(reader, code, survey);
    if (!reader->failed && survey->is_of_other)
        memset(begin, DW_CFA_nop, (size_t)(reader->at - begin));
}

static void check_instructions(struct reader *reader, struct survey *survey)
{
    while (!reader->failed && reader->at < reader->end)
        check_instruction(reader, survey);
}

/* Reads what the letters of an augmentation announce. libunwind believes them, not the length that stands before. */
static void check_augmentation(struct reader *reader, const unsigned char *letters, struct survey *survey)
{
    uint64_t len = take_leb(reader);
    const unsigned char *begin = reader->at;
    for (const unsigned char *letter = letters; *letter; letter++) {
        if (*letter == 'L')
            take_u8(reader);
        else if (*letter == 'R')
            survey->pointer_encoding = take_u8(reader);
        else if (*letter == 'P')
            skip_encoded(reader, take_u8(reader));
        else if (*letter == 'S')
            survey->is_signal = true;
        else
            reader->failed = true;
    }
    if ((uint64_t)(reader->at - begin) != len)
        reader->failed = true;
}

/* Reads what stands before the instructions of a CIE. The length and the mark of one have been seen. */
static void check_cie_header(struct reader *reader, struct survey *survey, bool *ret_is_augmented)
{
    uint8_t version = take_u8(reader);
    const unsigned char *letters = reader->at;
    size_t letters_len = strnlen((const char *)letters, (size_t)(reader->end - reader->at));
    skip(reader, letters_len + 1);
    if (reader->failed || (version != 1 && version != 3) || letters_len > LETTER_LIMIT) {
        reader->failed = true;
        return;
    }
    take_leb(reader); /* the factors for places in code and data */
    take_leb(reader);
    if ((version == 1 ? take_u8(reader) : take_leb(reader)) != RETURN_COLUMN)
        reader->failed = true;
    *ret_is_augmented = letters[0] == 'z';
    if (letters[0] == 'z')
        check_augmentation(reader, letters + 1, survey);
    else if (letters[0])
        reader->failed = true;
}

static void check_fde(struct reader *reader, bool is_augmented, struct survey *survey)
{
    skip_encoded(reader, survey->pointer_encoding);
    skip_encoded(reader, survey->pointer_encoding & 0x0f);
    if (is_augmented)
        skip(reader, take_leb(reader));
    check_instructions(reader, survey);
}

static struct reader reader_of(const struct unwind_entry *entry, enum unwind_part part)
{
    unsigned char *begin = entry->bytes + entry->parts[part].at;
    return (struct reader){.at = begin, .end = begin + entry->parts[part].len};
}

/* Whether libunwind may see what was copied. */
static bool check_entry(struct unwind_entry *entry)
{
    struct survey survey = {.pointer_encoding = DW_EH_PE_udata8};
    struct reader cie = reader_of(entry, UNWIND_CIE), fde = reader_of(entry, UNWIND_FDE);
    bool is_augmented = false;
    skip(&cie, sizeof(uint32_t));
    if (take_u32(&cie) != 0)
        return false;
    check_cie_header(&cie, &survey, &is_augmented);
    check_instructions(&cie, &survey);
    skip(&fde, 2 * sizeof(uint32_t));
    check_fde(&fde, is_augmented, &survey);
    entry->has_expressions = survey.has_expressions;
    entry->is_signal = survey.is_signal;
    return !cie.failed && !fde.failed && survey.has_cfa;
}

static bool overlaps(const struct unwind_entry *entry, size_t part, remote_addr address, size_t len)
{
    remote_addr begin = entry->parts[part].address;
    return begin < address + len && address < begin + entry->parts[part].len;
}

/* Copies one part behind the last one. No two may have bytes in common: each was read from the file by itself. */
static bool copy_part(struct unwind_entry *entry, enum unwind_part part, struct page_cache *cache,
                      const struct native_module *module, remote_addr address, size_t len)
{
    for (size_t other = 0; other < UNWIND_PART_COUNT; other++) {
        if (overlaps(entry, other, address, len))
            return false;
    }
    if (!page_cache_read(cache, module, address, entry->bytes + entry->len, len))
        return false;
    entry->parts[part].address = address;
    entry->parts[part].at = entry->len;
    entry->parts[part].len = (uint32_t)len;
    entry->len += (uint32_t)len;
    return true;
}

/* Copies a CIE or FDE, whose length stands before it. */
static bool copy_description(struct unwind_entry *entry, enum unwind_part part, struct page_cache *cache,
                             const struct native_module *module, remote_addr address, size_t limit)
{
    uint32_t len;
    return page_cache_read(cache, module, address, &len, sizeof(len)) && len >= sizeof(uint32_t) && len <= limit &&
           copy_part(entry, part, cache, module, address, sizeof(len) + len);
}

/* A search table: rows of where a function begins and where its FDE is, relative to the table's header. */
struct search_table {
    remote_addr header;
    remote_addr rows;
    uint64_t count;
};

static bool find_search_table(struct page_cache *cache, const struct native_module *module, struct search_table *ret)
{
    struct image_range range;
    unsigned char bytes[16];
    if (!module->image || !image_unwind_table(module->image, &range))
        return false;
    remote_addr header = range.address + module->bias;
    if (!page_cache_read(cache, module, header, bytes, sizeof(bytes)))
        return false;
    struct reader reader = {.at = bytes, .end = bytes + sizeof(bytes)};
    uint8_t version = take_u8(&reader), start_encoding = take_u8(&reader);
    uint8_t count_encoding = take_u8(&reader), row_encoding = take_u8(&reader);
    skip_encoded(&reader, start_encoding);
    uint64_t count = take_u32(&reader), header_len = (uint64_t)(reader.at - bytes);
    if (reader.failed || version != 1 || count_encoding != DW_EH_PE_udata4 ||
        row_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) || range.len < header_len ||
        count > (range.len - header_len) / ROW_LEN)
        return false;
    *ret = (struct search_table){.header = header, .rows = header + header_len, .count = count};
    return true;
}

/* Finds the last row that does not begin behind an address. */
static bool find_row(struct page_cache *cache, const struct native_module *module, const struct search_table *table,
                     remote_addr address, remote_addr *ret)
{
    int64_t wanted = (int64_t)(address - table->header);
    uint64_t low = 0, high = table->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int32_t start;
        if (!page_cache_read(cache, module, table->rows + middle * ROW_LEN, &start, sizeof(start)))
            return false;
        if (start <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *ret = table->rows + (low - 1) * ROW_LEN;
    return true;
}

bool unwind_entry_find(struct unwind_entry *entry, struct page_cache *cache, const struct native_module *module,
                       remote_addr address)
{
    struct search_table table;
    remote_addr row;
    int32_t offsets[2], cie_offset;
    memset(entry->parts, 0, sizeof(entry->parts));
    entry->len = 0;
    if (!find_search_table(cache, module, &table) || !find_row(cache, module, &table, address, &row) ||
        !copy_part(entry, UNWIND_ROW, cache, module, row, ROW_LEN))
        return false;
    entry->table = table.header;
    memcpy(offsets, entry->bytes, sizeof(offsets));
    remote_addr fde = table.header + (uint64_t)(int64_t)offsets[1];
    if (!copy_description(entry, UNWIND_FDE, cache, module, fde, FDE_LEN_LIMIT))
        return false;
    memcpy(&cie_offset, entry->bytes + entry->parts[UNWIND_FDE].at + sizeof(uint32_t), sizeof(cie_offset));
    remote_addr cie = fde + sizeof(uint32_t) - (uint64_t)(int64_t)cie_offset;
    return cie_offset != 0 && copy_description(entry, UNWIND_CIE, cache, module, cie, CIE_LEN_LIMIT) &&
           check_entry(entry);
}
