/* SPDX-License-Identifier: MIT */
/*
 * Writes small ELF files for 64-bit little-endian machines, as a test wants them: good ones and, as every header can be
 * changed before the file is finished, bad ones.
 *
 *     struct elf_writer writer;
 *     elf_writer_init(&writer, ET_DYN);
 *     elf_writer_section(&writer, ".data", SHT_PROGBITS, 0x2000, bytes, len);
 *     elf_writer_symbols(&writer, ".dynsym", symbols, count);
 *     elf_writer_finish(&writer);
 *     int fd = elf_writer_open(writer.file.data, writer.file.len);
 *     elf_writer_deinit(&writer);
 */
#ifndef ELF_WRITER_H
#define ELF_WRITER_H

#include "base/buffer.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_WRITER_SECTION_LIMIT = 16, ELF_WRITER_SEGMENT_LIMIT = 16 };

struct elf_writer {
    struct buffer file; /* program headers stand behind the file header; section headers at the end */
    struct buffer section_names;
    Elf64_Ehdr header;
    Elf64_Shdr sections[ELF_WRITER_SECTION_LIMIT]; /* the first is the empty one */
    Elf64_Phdr segments[ELF_WRITER_SEGMENT_LIMIT];
};

struct elf_symbol {
    const char *name;
    uint64_t address, len;
    int is_undefined;
};

void elf_writer_init(struct elf_writer *writer, uint16_t type);
void elf_writer_deinit(struct elf_writer *writer);

/* Adds a section of these bytes and returns its header, which may be changed; bytes may be NULL (SHT_NOBITS). */
Elf64_Shdr *elf_writer_section(struct elf_writer *writer, const char *name, uint32_t type, uint64_t address,
                               const void *bytes, size_t len);

/* Adds a symbol table and its strings; the name (".dynsym" or ".symtab") says of which type. */
Elf64_Shdr *elf_writer_symbols(struct elf_writer *writer, const char *name, const struct elf_symbol *symbols,
                               size_t count);

/* Adds a program header. */
Elf64_Phdr *elf_writer_segment(struct elf_writer *writer, const Elf64_Phdr *segment);

/* Adds one note of type `type`, with a program header that leads to it. */
Elf64_Phdr *elf_writer_note(struct elf_writer *writer, const char *name, uint32_t type, const void *bytes, size_t len);

/* Writes the headers; the file is complete then. */
void elf_writer_finish(struct elf_writer *writer);

/* A file in memory with these bytes, as an open descriptor; the caller closes it. */
int elf_writer_open(const void *bytes, size_t len);

#endif
