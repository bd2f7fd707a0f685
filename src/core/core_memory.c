/* SPDX-License-Identifier: MIT */
#include "core_memory.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_LEN = 4096 }; /* the least; what the kernel dumps of a file's beginning is one page */

/* Reads a file from an offset on, as far as it goes. */
static size_t read_at(int fd, uint64_t offset, void *destination, size_t len)
{
    size_t done = 0;
    while (done < len && offset + done <= INT64_MAX) {
        ssize_t got = pread(fd, (char *)destination + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

size_t core_read_dumped(const struct core *core, remote_addr address, void *destination, size_t len)
{
    size_t done = 0;
    uint64_t offset;
    while (done < len) {
        size_t there = (size_t)segments_locate(&core->segments, address + done, len - done, &offset);
        size_t got = there > 0 ? read_at(core->fd, offset, (char *)destination + done, there) : 0;
        done += got;
        if (there == 0 || got < there)
            break;
    }
    return done;
}

enum file_state core_open_file(struct core *core, uint32_t file)
{
    char head[PAGE_LEN];
    size_t len = 0;
    if (core->files.files[file].state != FILE_UNTRIED)
        return core->files.files[file].state;
    if (core->files.files[file].head != 0)
        len = core_read_dumped(core, core->files.files[file].head, head, sizeof(head));
    return mapped_files_open(&core->files, file, head, len);
}

/* Reads from a file as if it were mapped: its last page is filled up with zeros. */
static size_t read_mapped(int fd, uint64_t offset, void *destination, size_t len)
{
    struct stat file;
    size_t done = read_at(fd, offset, destination, len);
    if (done == len || fstat(fd, &file) != 0)
        return done;
    uint64_t end = ((uint64_t)file.st_size + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN, at = offset + done;
    size_t zeros = at < end ? (size_t)(end - at) : 0;
    zeros = zeros < len - done ? zeros : len - done;
    memset((char *)destination + done, 0, zeros);
    return done + zeros;
}

/*
 * Reads from the file that was mapped at an address, what the process cannot have changed: the kernel dumps each
 * mapping of which it has (vma_dump_size() in Linux fs/coredump.c), unless it is told not to.
 */
static size_t read_from_file(struct core *core, remote_addr address, void *destination, size_t len)
{
    const struct segment *segment = segments_find(&core->segments, address);
    if (segment && ((segment->flags & PF_W) || address - segment->start < segment->dumped_len))
        return 0;
    const struct mapped_piece *piece = notes_find_piece(&core->notes, address);
    if (!piece || core_open_file(core, piece->file) != FILE_PROVED)
        return 0;
    uint64_t into = address - piece->start, left = piece->end - address;
    if (segment && segment->end - address < left)
        left = segment->end - address;
    if (piece->offset > UINT64_MAX - into)
        return 0;
    return read_mapped(core->files.files[piece->file].fd, piece->offset + into, destination, left < len ? left : len);
}

static void note_missed(struct core *core, remote_addr address)
{
    if (!maps_find(&core->maps, address))
        return;
    if (core->missed_count++ == 0)
        core->first_missed = address;
}

static bool read_piece(struct core *core, const struct memory_piece *piece)
{
    if (piece->len > 0 && piece->address > UINT64_MAX - piece->len)
        return false;
    for (size_t done = 0; done < piece->len;) {
        remote_addr address = piece->address + done;
        char *destination = (char *)piece->destination + done;
        size_t got = core_read_dumped(core, address, destination, piece->len - done);
        if (got == 0)
            got = read_from_file(core, address, destination, piece->len - done);
        if (got == 0) {
            note_missed(core, address);
            return false;
        }
        done += got;
    }
    return true;
}

static enum memory_status read_pieces(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                      size_t *ret_done)
{
    struct core *core = (struct core *)memory;
    memory->remote_reads++;
    for (size_t i = 0; i < count; i++) {
        if (!read_piece(core, &pieces[i])) {
            *ret_done = i;
            return MEMORY_FAULT;
        }
    }
    *ret_done = count;
    return MEMORY_OK;
}

void core_memory_init(struct core *core)
{
    static const struct memory_ops ops = {.read = read_pieces};
    core->memory.ops = &ops;
}
