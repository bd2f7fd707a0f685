/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

enum {
    SYMBOL_LIMIT = 1 << 24,  /* in one table; a program with debug information of everything has a few million */
    SEGMENT_LIMIT = 1 << 16, /* e_phnum is 16 bits wide */
    FILE_PAGE_LEN = 4096,    /* what the kernel rounds segments to; x86-64, and the least on aarch64 */
};

struct image {
    int fd;
    Elf *file;
};

static struct error *check_kind(Elf *file)
{
    const char *ident = elf_getident(file, NULL);
    if (elf_kind(file) != ELF_K_ELF || !ident)
        return error_create(ERROR_BAD_DATA, "not an ELF file");
    if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
        return error_create(ERROR_BAD_DATA, "not an ELF file for a 64-bit little-endian machine");
    return NULL;
}

struct error *image_open(int fd, struct image **ret)
{
    elf_version(EV_CURRENT);
    cleanup_image struct image *image = calloc(1, sizeof(*image));
    if (!image)
        return error_no_memory();
    image->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (image->fd < 0)
        return error_from_errno(errno, "cannot keep an ELF file open");
    /* ELF_C_READ, not the mapping variant: a file that is cut while it is mapped kills the reader with SIGBUS. */
    image->file = elf_begin(image->fd, ELF_C_READ, NULL);
    if (!image->file)
        return error_create(ERROR_BAD_DATA, "cannot read ELF file: %s", elf_errmsg(-1));
    struct error *error = check_kind(image->file);
    if (error)
        return error;
    *ret = hand_over(&image);
    return NULL;
}

void image_destroy(struct image *image)
{
    if (!image)
        return;
    elf_end(image->file);
    cleanup_close_fd(&image->fd);
    free(image);
}

/* A symbol table with the strings of its names. */
struct symbols {
    const Elf64_Sym *symbols;
    size_t count;
    const char *names;
    size_t names_len;
};

static bool open_symbols(const struct image *image, Elf_Scn *section, const GElf_Shdr *header, struct symbols *ret)
{
    Elf_Data *data = elf_getdata(section, NULL);
    Elf_Scn *names_section = elf_getscn(image->file, header->sh_link);
    Elf_Data *names = names_section ? elf_getdata(names_section, NULL) : NULL;
    if (!data || !data->d_buf || data->d_type != ELF_T_SYM || !names || !names->d_buf)
        return false;
    *ret = (struct symbols){
        .symbols = data->d_buf,
        .count = data->d_size / sizeof(Elf64_Sym),
        .names = names->d_buf,
        .names_len = names->d_size,
    };
    return ret->count <= SYMBOL_LIMIT;
}

/* Whether a symbol has this name; the name's string need not end within the table. */
static bool has_name(const struct symbols *symbols, const Elf64_Sym *symbol, const char *name, size_t len)
{
    return symbol->st_name < symbols->names_len && symbols->names_len - symbol->st_name > len &&
           memcmp(symbols->names + symbol->st_name, name, len + 1) == 0;
}

static bool find_in(const struct symbols *symbols, const char *name, struct image_range *ret)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < symbols->count; i++) {
        const Elf64_Sym *symbol = &symbols->symbols[i];
        if (symbol->st_shndx == SHN_UNDEF || !has_name(symbols, symbol, name, len))
            continue;
        *ret = (struct image_range){symbol->st_value, symbol->st_size};
        return true;
    }
    return false;
}

bool image_find_symbol(const struct image *image, const char *name, struct image_range *ret)
{
    static const GElf_Word types[] = {SHT_DYNSYM, SHT_SYMTAB};
    for (size_t type = 0; type < array_size(types); type++) {
        Elf_Scn *section = NULL;
        while ((section = elf_nextscn(image->file, section))) {
            GElf_Shdr header;
            struct symbols symbols;
            if (gelf_getshdr(section, &header) && header.sh_type == types[type] &&
                header.sh_size <= SYMBOL_LIMIT * sizeof(Elf64_Sym) && open_symbols(image, section, &header, &symbols) &&
                find_in(&symbols, name, ret))
                return true;
        }
    }
    return false;
}

bool image_find_section(const struct image *image, const char *name, struct image_range *ret)
{
    size_t names;
    if (elf_getshdrstrndx(image->file, &names) != 0)
        return false;
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image->file, section))) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        const char *section_name = elf_strptr(image->file, names, header.sh_name);
        if (!section_name || strcmp(section_name, name) != 0)
            continue;
        *ret = (struct image_range){header.sh_addr, header.sh_size};
        return true;
    }
    return false;
}

/* Reads the index-th program header; false when there are not that many. */
static bool get_segment(const struct image *image, size_t index, GElf_Phdr *ret)
{
    size_t count;
    return elf_getphdrnum(image->file, &count) == 0 && index < count && index < SEGMENT_LIMIT &&
           gelf_getphdr(image->file, (int)index, ret);
}

bool image_writable_segment(const struct image *image, size_t index, struct image_range *ret)
{
    GElf_Phdr header;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        if (header.p_type != PT_LOAD || !(header.p_flags & PF_W) || index-- > 0)
            continue;
        *ret = (struct image_range){header.p_vaddr, header.p_memsz};
        return true;
    }
    return false;
}

bool image_load_bias(const struct image *image, uint64_t start, uint64_t offset, uint64_t *ret)
{
    GElf_Phdr header;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        uint64_t into_page = header.p_offset % FILE_PAGE_LEN;
        if (header.p_type != PT_LOAD || header.p_offset - into_page != offset)
            continue;
        *ret = start - (header.p_vaddr - into_page);
        return true;
    }
    return false;
}

/* Finds the build id among the notes of one segment. */
static size_t find_build_id(Elf_Data *notes, unsigned char ret[IMAGE_BUILD_ID_LIMIT])
{
    GElf_Nhdr note;
    size_t name, description;
    for (size_t at = 0; (at = gelf_getnote(notes, at, &note, &name, &description)) > 0;) {
        bool is_gnu = note.n_namesz == sizeof(ELF_NOTE_GNU) &&
                      memcmp((const char *)notes->d_buf + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0;
        if (!is_gnu || note.n_type != NT_GNU_BUILD_ID || note.n_descsz > IMAGE_BUILD_ID_LIMIT)
            continue;
        memcpy(ret, (const char *)notes->d_buf + description, note.n_descsz);
        return note.n_descsz;
    }
    return 0;
}

size_t image_build_id(const struct image *image, unsigned char ret[IMAGE_BUILD_ID_LIMIT])
{
    GElf_Phdr header;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        if (header.p_type != PT_NOTE)
            continue;
        Elf_Data *notes = elf_getdata_rawchunk(image->file, (int64_t)header.p_offset, header.p_filesz, ELF_T_NHDR);
        size_t len = notes ? find_build_id(notes, ret) : 0;
        if (len > 0)
            return len;
    }
    return 0;
}
