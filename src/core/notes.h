/* SPDX-License-Identifier: MIT */
/*
 * What the notes of a core file say of the process: threads, mapped files, the kernel's words to the program.
 *
 * Linux fs/binfmt_elf.c (fill_thread_core_info(), fill_files_note(), fill_auxv_note()); gdb 13 gdb/linux-tdep.c writes
 * the same ones.
 */
#ifndef CORE_NOTES_H
#define CORE_NOTES_H

#include "base/error.h"
#include "core/core.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a file that was mapped. */
struct mapped_piece {
    remote_addr start, end;
    uint64_t offset;  /* in the file, bytes */
    uint32_t file;    /* which one; see mapped_files.h */
    const char *path; /* as the core has it; owned by the notes */
};

struct notes {
    struct core_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct mapped_piece *pieces; /* by address, not overlapping */
    uint32_t piece_count;
    char *paths;
    pid_t pid;                                /* 0: not known */
    char name[17];                            /* of the program, cut to 15 bytes */
    char arguments[81];                       /* the command line, cut to 79 bytes */
    remote_addr program_headers, entry, vdso; /* 0: not known */
    remote_addr random_bytes;
    unsigned char *auxv; /* the kernel's words, as they stand in memory, too */
    size_t auxv_len;
};

/* Adds what one segment of notes says. What is broken is passed over. */
struct error *notes_read(struct notes *notes, Elf_Data *data);

/* Accepts a zeroed struct. */
void notes_deinit(struct notes *notes);

/* The piece that holds an address, or NULL. */
const struct mapped_piece *notes_find_piece(const struct notes *notes, remote_addr address);

#endif
