/* SPDX-License-Identifier: MIT */
#include "function_starts.h"

#include "base/cleanup.h"
#include "image_file.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <limits.h>
#include <string.h>

enum {
    SEGMENT_LIMIT = 1 << 16,
    TABLE_ENTRY_LEN = 8,          /* two numbers of 32 bits: where the function begins, where its entry is */
    HEADER_LEN = 12,              /* of .eh_frame_hdr, with the numbers encoded as they are below */
    FRAMES_LIMIT = 64 << 20,      /* bytes of an .eh_frame that is read whole; libtorch's has 10 MB, and a table */
    FRAMES_COUNT_LIMIT = 1 << 22, /* functions of it */
};

/*
 * .eh_frame_hdr: Linux Standard Base Core 5.0, section 10.6.2. A version, three encodings, the address of .eh_frame,
 * the number of entries, and the table. Both linkers of binutils, lld and mold write these encodings and no others.
 */
static bool is_known_header(const unsigned char header[HEADER_LEN])
{
    return header[0] == 1 && header[1] == (DW_EH_PE_pcrel | DW_EH_PE_sdata4) && header[2] == DW_EH_PE_udata4 &&
           header[3] == (DW_EH_PE_datarel | DW_EH_PE_sdata4);
}

/* Takes the table that this program header leads to. */
static bool take_table(struct function_starts *starts, const GElf_Phdr *segment)
{
    unsigned char header[HEADER_LEN];
    uint32_t count;
    if (segment->p_filesz < HEADER_LEN ||
        image_read_file(starts->image, segment->p_offset, header, sizeof(header)) != sizeof(header) ||
        !is_known_header(header))
        return false;
    memcpy(&count, header + 8, sizeof(count));
    uint64_t most = (segment->p_filesz - HEADER_LEN) / TABLE_ENTRY_LEN;
    starts->header_offset = segment->p_offset;
    starts->header_address = segment->p_vaddr;
    starts->table_offset = segment->p_offset + HEADER_LEN;
    starts->count = count < most ? count : most;
    return starts->count > 0;
}

static bool find_table(struct function_starts *starts)
{
    Elf *elf = image_elf(starts->image);
    size_t count;
    GElf_Phdr segment;
    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count && i < SEGMENT_LIMIT; i++) {
        if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_GNU_EH_FRAME)
            return take_table(starts, &segment);
    }
    return false;
}

/* The content of .eh_frame, as a handle that is let go knows it; NULL when there is none. */
static Elf_Data *read_frames(Elf *elf, uint64_t *ret_address)
{
    size_t names;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    while ((section = elf_nextscn(elf, section))) {
        if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS || header.sh_flags & SHF_COMPRESSED ||
            header.sh_size > FRAMES_LIMIT)
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (name && strcmp(name, ".eh_frame") == 0) {
            *ret_address = header.sh_addr;
            return elf_rawdata(section, NULL);
        }
    }
    return NULL;
}

/* One number of an entry, of as many bytes as its encoding says; false for an encoding that no compiler writes. */
static bool read_encoded(unsigned encoding, const uint8_t *at, const uint8_t *end, uint64_t place, uint64_t *ret)
{
    int64_t value = 0;
    int32_t narrow;
    size_t len = (encoding & 0x0f) == DW_EH_PE_sdata4 || (encoding & 0x0f) == DW_EH_PE_udata4 ? 4 : 8;
    unsigned base = encoding & 0x70;
    bool is_known = encoding != DW_EH_PE_omit && !(encoding & DW_EH_PE_indirect) &&
                    (base == DW_EH_PE_absptr || base == DW_EH_PE_pcrel) && (encoding & 0x07) != DW_EH_PE_uleb128 &&
                    (encoding & 0x07) != DW_EH_PE_udata2;
    if (!is_known || end < at || (size_t)(end - at) < len)
        return false;
    if (len == sizeof(value)) {
        memcpy(&value, at, sizeof(value));
    } else {
        memcpy(&narrow, at, sizeof(narrow));
        value = encoding & DW_EH_PE_signed ? narrow : (int64_t)(uint32_t)narrow;
    }
    *ret = (uint64_t)value + (base == DW_EH_PE_pcrel ? place : 0);
    return true;
}

/*
 * How a common entry says that addresses are written: the 'R' of its augmentation, of which libdw has undone the rest.
 * The letters in front of it stand for data in the same order (LSB Core 5.0, section 10.6.1.1.1).
 */
static bool find_encoding(const Dwarf_CIE *common, unsigned *ret)
{
    const uint8_t *data = common->augmentation_data;
    size_t left = common->augmentation_data_size;
    *ret = DW_EH_PE_absptr;
    if (!common->augmentation || common->augmentation[0] != 'z')
        return true;
    for (const char *letter = common->augmentation + 1; *letter; letter++) {
        if (*letter == 'S' || *letter == 'B')
            continue;
        if (left == 0 || (*letter != 'R' && *letter != 'L' && *letter != 'P'))
            return false;
        if (*letter == 'R') {
            *ret = data[0];
            return true;
        }
        /* The encoding of the personality's address, and the address. */
        size_t narrow = (data[0] & 0x0f) == DW_EH_PE_sdata4 || (data[0] & 0x0f) == DW_EH_PE_udata4 ? 4 : 8;
        size_t len = *letter == 'P' ? 1 + narrow : 1;
        if (left < len)
            return false;
        data += len;
        left -= len;
    }
    return true;
}

/* What a function's entry needs of the common one, which the entries behind it share as a rule. */
struct known_common {
    Dwarf_Off offset;
    unsigned encoding;
    bool is_good;
};

static void look_at_common(const unsigned char *ident, Elf_Data *frames, Dwarf_Off offset, struct known_common *common)
{
    Dwarf_CFI_Entry entry;
    Dwarf_Off next;
    if (common->offset == offset)
        return;
    common->offset = offset;
    common->is_good = dwarf_next_cfi(ident, frames, true, offset, &next, &entry) == 0 && dwarf_cfi_cie_p(&entry) &&
                      find_encoding(&entry.cie, &common->encoding);
}

static bool read_range(const Dwarf_FDE *entry, const Elf_Data *frames, uint64_t address, unsigned encoding,
                       struct image_range *ret)
{
    uint64_t place = address + (uint64_t)(entry->start - (const uint8_t *)frames->d_buf);
    size_t len = (encoding & 0x0f) == DW_EH_PE_sdata4 || (encoding & 0x0f) == DW_EH_PE_udata4 ? 4 : 8;
    struct image_range range;
    /* The length has the same width, and is no address. */
    unsigned len_encoding = len == 4 ? DW_EH_PE_udata4 : DW_EH_PE_absptr;
    if (!read_encoded(encoding, entry->start, entry->end, place, &range.address) ||
        !read_encoded(len_encoding, entry->start + len, entry->end, 0, &range.len) || range.len == 0)
        return false;
    *ret = range;
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct image_range *first = a, *second = b;
    return (first->address > second->address) - (first->address < second->address);
}

/* Reads all of .eh_frame. */
static void collect_ranges(struct function_starts *starts, const unsigned char *ident, Elf_Data *frames,
                           uint64_t address)
{
    struct known_common common = {.offset = UINT64_MAX};
    Dwarf_CFI_Entry entry;
    uint64_t capacity = 0;
    for (Dwarf_Off at = 0, next; at < frames->d_size && starts->range_count < FRAMES_COUNT_LIMIT; at = next) {
        next = UINT64_MAX; /* where it is not told, there is no way on */
        int status = dwarf_next_cfi(ident, frames, true, at, &next, &entry);
        if (status > 0 || next <= at)
            break;
        if (status < 0 || dwarf_cfi_cie_p(&entry))
            continue;
        look_at_common(ident, frames, entry.fde.CIE_pointer, &common);
        if (starts->range_count == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            struct image_range *grown = realloc(starts->ranges, capacity * sizeof(*grown));
            if (!grown)
                break;
            starts->ranges = grown;
        }
        struct image_range *range = &starts->ranges[starts->range_count];
        starts->range_count += common.is_good && read_range(&entry.fde, frames, address, common.encoding, range);
    }
    if (starts->range_count > 0)
        qsort(starts->ranges, starts->range_count, sizeof(*starts->ranges), compare_ranges);
}

void function_starts_init(struct function_starts *starts, const struct image *image)
{
    *starts = (struct function_starts){.image = image};
    if (find_table(starts))
        return;
    cleanup_elf Elf *elf = image_open_again(image);
    uint64_t address;
    Elf_Data *frames = elf ? read_frames(elf, &address) : NULL;
    const char *ident = elf ? elf_getident(elf, NULL) : NULL;
    if (frames && frames->d_buf && ident)
        collect_ranges(starts, (const unsigned char *)ident, frames, address);
}

void function_starts_deinit(struct function_starts *starts)
{
    free(starts->ranges);
    *starts = (struct function_starts){0};
}

/* An entry of the table: where the function begins, and where its entry in .eh_frame is. */
static bool read_entry(const struct function_starts *starts, uint64_t index, uint64_t *ret_start, uint64_t *ret_entry)
{
    int32_t numbers[2];
    if (image_read_file(starts->image, starts->table_offset + index * TABLE_ENTRY_LEN, numbers, sizeof(numbers)) !=
        sizeof(numbers))
        return false;
    *ret_start = starts->header_address + (uint64_t)(int64_t)numbers[0];
    *ret_entry = starts->header_address + (uint64_t)(int64_t)numbers[1];
    return true;
}

/*
 * The length of a function by its entry, 0 when it cannot be told. All linkers' tables lead to entries with addresses
 * relative to themselves, of 32 bits; any other shows in that it does not lead to the function.
 */
static uint64_t read_len(const struct function_starts *starts, uint64_t start, uint64_t entry)
{
    struct {
        uint32_t len, common;
        int32_t start;
        uint32_t function_len;
    } fields;
    /* .eh_frame lies in the same segment as its header: what is so far off in memory is so far off in the file. */
    uint64_t offset = starts->header_offset + (entry - starts->header_address);
    if (image_read_file(starts->image, offset, &fields, sizeof(fields)) != sizeof(fields))
        return 0;
    uint64_t told = entry + 8 + (uint64_t)(int64_t)fields.start;
    return told == start ? fields.function_len : 0;
}

static bool find_in_table(const struct function_starts *starts, uint64_t address, struct image_range *ret,
                          uint64_t *ret_next)
{
    uint64_t start = 0, entry = 0, next = UINT64_MAX;
    uint64_t low = 0, high = starts->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, middle_start, middle_entry;
        if (!read_entry(starts, middle, &middle_start, &middle_entry))
            return false;
        if (middle_start > address) {
            high = middle;
            next = middle_start;
        } else {
            low = middle + 1;
            start = middle_start;
            entry = middle_entry;
        }
    }
    if (low == 0)
        return false;
    *ret = (struct image_range){start, read_len(starts, start, entry)};
    *ret_next = next;
    return true;
}

static bool find_in_ranges(const struct function_starts *starts, uint64_t address, struct image_range *ret,
                           uint64_t *ret_next)
{
    uint64_t low = 0, high = starts->range_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (starts->ranges[middle].address > address)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return false;
    *ret = starts->ranges[low - 1];
    *ret_next = low < starts->range_count ? starts->ranges[low].address : UINT64_MAX;
    return true;
}

bool function_starts_find(const struct function_starts *starts, uint64_t address, struct image_range *ret)
{
    struct image_range range;
    uint64_t next;
    bool is_found =
        starts->ranges ? find_in_ranges(starts, address, &range, &next) : find_in_table(starts, address, &range, &next);
    if (!is_found)
        return false;
    if (range.len > 0 && address - range.address >= range.len) {
        range.address += range.len;
        range.len = next == UINT64_MAX || next <= range.address ? 0 : next - range.address;
    }
    *ret = range;
    return true;
}
