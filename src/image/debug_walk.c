/* SPDX-License-Identifier: MIT */
#include "debug_walk.h"

#include <dwarf.h>
#include <string.h>

enum {
    ENTRY_LIMIT = 1 << 22, /* of one walk; the largest units of C++ have about a million */
    TIME_CHECK_STEP = 64,  /* entries */
    ADDRESS_LEN = 8,       /* bytes */
};

void debug_walk_begin(struct debug_walk *walk, Dwarf_Off entry)
{
    walk->at = entry;
    walk->depth = 0;
    walk->left = ENTRY_LIMIT;
}

/* The bytes of a number of seven bits a byte; 0 when it does not end before `end`. */
static size_t leb_len(const unsigned char *at, const unsigned char *end)
{
    for (size_t len = 0; at + len < end; len++) {
        if (!(at[len] & 0x80))
            return len + 1;
    }
    return 0;
}

/* The bytes of a block: those of its length, and what that says; more than there are when it is broken. */
static uint64_t block_len(const unsigned char *at, const unsigned char *end, size_t number_len)
{
    uint64_t len = 0;
    if ((size_t)(end - at) < number_len)
        return UINT64_MAX;
    if (number_len > 0) {
        memcpy(&len, at, number_len);
        return len + number_len;
    }
    number_len = leb_len(at, end);
    for (size_t i = 0; i < number_len && i < sizeof(len); i++)
        len |= (uint64_t)(at[i] & 0x7f) << (7 * i);
    return number_len > 0 ? len + number_len : UINT64_MAX;
}

/* The bytes of a value of fixed length; UINT64_MAX for other forms. DWARF 5, section 7.5.6; GNU's are in dwarf.h. */
static uint64_t fixed_form_len(const struct debug_extent *extent, unsigned form)
{
    switch (form) {
    case DW_FORM_flag_present:
        return 0;
    case DW_FORM_data1:
    case DW_FORM_ref1:
    case DW_FORM_flag:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
        return 1;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
        return 2;
    case DW_FORM_strx3:
    case DW_FORM_addrx3:
        return 3;
    case DW_FORM_data4:
    case DW_FORM_ref4:
    case DW_FORM_ref_sup4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
        return 4;
    case DW_FORM_addr:
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sup8:
    case DW_FORM_ref_sig8:
        return 8;
    case DW_FORM_data16:
        return 16;
    case DW_FORM_ref_addr:
        return extent->version == 2 ? ADDRESS_LEN : extent->offset_len;
    case DW_FORM_strp:
    case DW_FORM_strp_sup:
    case DW_FORM_line_strp:
    case DW_FORM_sec_offset:
    case DW_FORM_GNU_ref_alt:
    case DW_FORM_GNU_strp_alt:
        return extent->offset_len;
    default:
        return UINT64_MAX;
    }
}

/* The bytes of a value; more than there are when that cannot be told. */
static uint64_t form_len(const struct debug_extent *extent, unsigned form, const unsigned char *at,
                         const unsigned char *end)
{
    switch (form) {
    case DW_FORM_string:
        return strnlen((const char *)at, (size_t)(end - at)) + 1;
    case DW_FORM_block1:
        return block_len(at, end, 1);
    case DW_FORM_block2:
        return block_len(at, end, 2);
    case DW_FORM_block4:
        return block_len(at, end, 4);
    case DW_FORM_block:
    case DW_FORM_exprloc:
        return block_len(at, end, 0);
    case DW_FORM_sdata:
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_strx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index: {
        size_t len = leb_len(at, end);
        return len > 0 ? len : UINT64_MAX;
    }
    default:
        return fixed_form_len(extent, form);
    }
}

/* What is noted of an entry while libdw tells its attributes. */
struct attributes {
    Dwarf_Attribute last; /* the last one that has bytes in the entry */
    Dwarf_Attribute sibling;
    bool has_any, has_sibling, has_code;
};

static int note_attribute(Dwarf_Attribute *attribute, void *context)
{
    struct attributes *noted = context;
    /* The value of this form is among the abbreviations. */
    if (dwarf_whatform(attribute) != DW_FORM_implicit_const) {
        noted->last = *attribute;
        noted->has_any = true;
    }
    switch (dwarf_whatattr(attribute)) {
    case DW_AT_sibling:
        noted->sibling = *attribute;
        noted->has_sibling = true;
        break;
    case DW_AT_low_pc:
    case DW_AT_ranges:
        noted->has_code = true;
        break;
    default:
        break;
    }
    return DWARF_CB_OK;
}

/* Where the children of an entry end; 0 when it is not told, or not a place behind it in its unit. */
static Dwarf_Off sibling_of(const struct debug_extent *extent, struct attributes *noted, Dwarf_Off end)
{
    Dwarf_Die die;
    if (!noted->has_sibling || !dwarf_formref_die(&noted->sibling, &die))
        return 0;
    Dwarf_Off sibling = dwarf_dieoffset(&die);
    return sibling >= end && sibling < extent->end ? sibling : 0;
}

/* Reads the entry at an offset. False when it makes no sense: there is no way on then. */
static bool read_entry(const struct debug_walk *walk, Dwarf_Off at, struct debug_entry *ret)
{
    const struct bytes *info = &walk->info;
    const unsigned char *end = info->data + walk->extent.end;
    struct attributes noted = {.has_any = false};
    struct debug_entry entry = {.tag = 0};
    if (!dwarf_offdie(walk->dwarf, at, &entry.die) || dwarf_getattrs(&entry.die, note_attribute, &noted, 0) != 1)
        return false;
    const unsigned char *values = info->data + at + leb_len(info->data + at, end);
    if (noted.has_any) {
        values = noted.last.valp;
        uint64_t len = form_len(&walk->extent, dwarf_whatform(&noted.last), values, end);
        if (len > (uint64_t)(end - values))
            return false;
        values += len;
    }
    entry.end = (Dwarf_Off)(values - info->data);
    entry.tag = dwarf_tag(&entry.die);
    entry.has_children = dwarf_haschildren(&entry.die) == 1;
    entry.has_code = noted.has_code;
    entry.sibling = sibling_of(&walk->extent, &noted, entry.end);
    *ret = entry;
    return entry.end > at;
}

bool debug_walk_next(struct debug_walk *walk, struct debug_entry *ret)
{
    const unsigned char *info = walk->info.data;
    while (walk->at < walk->extent.end && info[walk->at] == 0) {
        walk->at++;
        if (walk->depth == 0 || --walk->depth == 0)
            return false;
    }
    if (walk->at >= walk->extent.end || walk->left == 0 ||
        (walk->left % TIME_CHECK_STEP == 0 && !debug_clock_has_time(walk->clock)) || !read_entry(walk, walk->at, ret))
        return false;
    walk->left--;
    walk->at = ret->end;
    walk->depth += ret->has_children;
    return true;
}

void debug_walk_skip(struct debug_walk *walk, const struct debug_entry *entry)
{
    if (!entry->has_children || entry->sibling == 0)
        return;
    walk->at = entry->sibling;
    walk->depth--;
}
