/* SPDX-License-Identifier: MIT */
#include "segments.h"

#include "base/table.h"

#include <gelf.h>
#include <stdlib.h>

enum { SEGMENT_LIMIT = 1 << 20 }; /* vm.max_map_count is 65,530 unless somebody raised it */

static int compare(const void *a, const void *b)
{
    const struct segment *first = a, *second = b;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return 0;
}

/* Puts the segments in order, which not all kernels do (6.14 sorts by length), and drops those that overlap. */
static void sort(struct segments *segments)
{
    uint32_t kept = 0;
    if (segments->count > 0)
        qsort(segments->rows, segments->count, sizeof(*segments->rows), compare);
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct segment segment = segments->rows[i];
        if (kept == 0 || segment.start >= segments->rows[kept - 1].end)
            segments->rows[kept++] = segment;
    }
    segments->count = kept;
}

/* Notes that the file has to have these bytes. */
static void need(struct segments *segments, uint64_t offset, uint64_t len)
{
    if (len > 0 && offset <= UINT64_MAX - len && offset + len > segments->needed_len)
        segments->needed_len = offset + len;
}

static struct error *add(struct segments *segments, const GElf_Phdr *header)
{
    need(segments, header->p_offset, header->p_filesz);
    if (header->p_type != PT_LOAD || header->p_memsz == 0 || header->p_vaddr > UINT64_MAX - header->p_memsz)
        return NULL;
    if (!array_grow(&segments->rows, segments->count, &segments->capacity, sizeof(*segments->rows)))
        return error_no_memory();
    segments->rows[segments->count++] = (struct segment){
        .start = header->p_vaddr,
        .end = header->p_vaddr + header->p_memsz,
        .file_offset = header->p_offset,
        .dumped_len = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz,
        .flags = header->p_flags,
    };
    return NULL;
}

struct error *segments_read(struct segments *segments, Elf *elf, uint64_t file_len)
{
    GElf_Ehdr file;
    size_t count;
    segments->file_len = file_len;
    if (gelf_getehdr(elf, &file))
        need(segments, file.e_phoff, (uint64_t)file.e_phnum * sizeof(Elf64_Phdr));
    if (elf_getphdrnum(elf, &count) != 0)
        return error_create(ERROR_BAD_DATA, "its program headers cannot be read: %s", elf_errmsg(-1));
    if (count > SEGMENT_LIMIT)
        return error_create(ERROR_BAD_DATA, "it has more than %d program headers", SEGMENT_LIMIT);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header))
            return error_create(ERROR_BAD_DATA, "its program headers cannot be read: %s", elf_errmsg(-1));
        struct error *error = add(segments, &header);
        if (error)
            return error;
    }
    sort(segments);
    return NULL;
}

void segments_deinit(struct segments *segments)
{
    free(segments->rows);
    *segments = (struct segments){0};
}

const struct segment *segments_find(const struct segments *segments, remote_addr address)
{
    uint32_t low = 0, high = segments->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segments->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < segments->count && segments->rows[low].start <= address)
        return &segments->rows[low];
    return NULL;
}

uint64_t segments_locate(const struct segments *segments, remote_addr address, uint64_t len, uint64_t *ret_offset)
{
    const struct segment *segment = segments_find(segments, address);
    if (!segment || address - segment->start >= segment->dumped_len)
        return 0;
    uint64_t into = address - segment->start, left = segment->dumped_len - into;
    if (segment->file_offset >= segments->file_len || into >= segments->file_len - segment->file_offset)
        return 0;
    uint64_t in_file = segments->file_len - segment->file_offset - into;
    *ret_offset = segment->file_offset + into;
    left = left < in_file ? left : in_file;
    return left < len ? left : len;
}
