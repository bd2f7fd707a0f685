/* SPDX-License-Identifier: MIT */
#include "elf_writer.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 8 };

void elf_writer_init(struct elf_writer *writer, uint16_t type)
{
    *writer = (struct elf_writer){
        .header =
            {
                .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                .e_type = type,
                .e_machine = EM_X86_64,
                .e_version = EV_CURRENT,
                .e_phoff = sizeof(Elf64_Ehdr),
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_phentsize = sizeof(Elf64_Phdr),
                .e_shentsize = sizeof(Elf64_Shdr),
                .e_shnum = 1,
            },
    };
    const size_t headers = sizeof(writer->header) + sizeof(writer->segments);
    memset(buffer_reserve(&writer->file, headers), 0, headers);
    writer->file.len = headers;
    buffer_append_char(&writer->section_names, '\0');
}

void elf_writer_deinit(struct elf_writer *writer)
{
    buffer_deinit(&writer->file);
    buffer_deinit(&writer->section_names);
}

static void align(struct buffer *buffer)
{
    while (buffer->len % ALIGNMENT != 0)
        buffer_append_char(buffer, '\0');
}

Elf64_Shdr *elf_writer_section(struct elf_writer *writer, const char *name, uint32_t type, uint64_t address,
                               const void *bytes, size_t len)
{
    assert(writer->header.e_shnum < ELF_WRITER_SECTION_LIMIT);
    align(&writer->file);
    Elf64_Shdr *section = &writer->sections[writer->header.e_shnum++];
    *section = (Elf64_Shdr){
        .sh_name = (uint32_t)writer->section_names.len,
        .sh_type = type,
        .sh_addr = address,
        .sh_offset = writer->file.len,
        .sh_size = len,
        .sh_addralign = 1,
    };
    buffer_append(&writer->section_names, name, strlen(name) + 1);
    if (bytes)
        buffer_append(&writer->file, bytes, len);
    return section;
}

Elf64_Shdr *elf_writer_symbols(struct elf_writer *writer, const char *name, const struct elf_symbol *symbols,
                               size_t count)
{
    struct buffer table = {0}, names = {0};
    Elf64_Sym symbol = {0};
    buffer_append(&table, &symbol, sizeof(symbol));
    buffer_append_char(&names, '\0');
    for (size_t i = 0; i < count; i++) {
        symbol = (Elf64_Sym){
            .st_name = (uint32_t)names.len,
            .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
            .st_shndx = symbols[i].is_undefined ? SHN_UNDEF : 1,
            .st_value = symbols[i].address,
            .st_size = symbols[i].len,
        };
        buffer_append(&table, &symbol, sizeof(symbol));
        buffer_append(&names, symbols[i].name, strlen(symbols[i].name) + 1);
    }
    int is_dynamic = strcmp(name, ".dynsym") == 0;
    elf_writer_section(writer, is_dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, 0, names.data, names.len);
    Elf64_Shdr *section =
        elf_writer_section(writer, name, is_dynamic ? SHT_DYNSYM : SHT_SYMTAB, 0, table.data, table.len);
    section->sh_link = writer->header.e_shnum - 2U;
    section->sh_entsize = sizeof(Elf64_Sym);
    section->sh_addralign = ALIGNMENT;
    buffer_deinit(&table);
    buffer_deinit(&names);
    return section;
}

Elf64_Phdr *elf_writer_segment(struct elf_writer *writer, const Elf64_Phdr *segment)
{
    assert(writer->header.e_phnum < ELF_WRITER_SEGMENT_LIMIT);
    writer->segments[writer->header.e_phnum] = *segment;
    return &writer->segments[writer->header.e_phnum++];
}

Elf64_Phdr *elf_writer_note(struct elf_writer *writer, const char *name, uint32_t type, const void *bytes, size_t len)
{
    align(&writer->file);
    const Elf64_Phdr segment = {.p_type = PT_NOTE, .p_flags = PF_R, .p_offset = writer->file.len, .p_align = 4};
    const Elf64_Nhdr note = {.n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = (uint32_t)len, .n_type = type};
    buffer_append(&writer->file, &note, sizeof(note));
    buffer_append(&writer->file, name, note.n_namesz);
    while (writer->file.len % 4 != 0)
        buffer_append_char(&writer->file, '\0');
    buffer_append(&writer->file, bytes, len);
    while (writer->file.len % 4 != 0)
        buffer_append_char(&writer->file, '\0');
    Elf64_Phdr *added = elf_writer_segment(writer, &segment);
    added->p_filesz = added->p_memsz = writer->file.len - segment.p_offset;
    return added;
}

void elf_writer_finish(struct elf_writer *writer)
{
    Elf64_Shdr *names = elf_writer_section(writer, ".shstrtab", SHT_STRTAB, 0, NULL, 0);
    names->sh_size = writer->section_names.len;
    buffer_append(&writer->file, writer->section_names.data, writer->section_names.len);
    writer->header.e_shstrndx = (uint16_t)(writer->header.e_shnum - 1);
    align(&writer->file);
    writer->header.e_shoff = writer->file.len;
    buffer_append(&writer->file, writer->sections, writer->header.e_shnum * sizeof(Elf64_Shdr));
    memcpy(writer->file.data, &writer->header, sizeof(writer->header));
    memcpy(writer->file.data + sizeof(writer->header), writer->segments, sizeof(writer->segments));
}

int elf_writer_open(const void *bytes, size_t len)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, bytes, len) != (ssize_t)len) {
        close(fd);
        return -1;
    }
    return fd;
}
