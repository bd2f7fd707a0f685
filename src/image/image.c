/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/cleanup.h"
#include "image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SYMBOL_LIMIT = 1 << 24, /* in one table; a program with debug information of everything has a few million */
    NAMES_LIMIT = 1 << 28,  /* bytes of the names of one table */
    CHECKSUM_STEP = 1 << 16,
    CHECKSUM_LIMIT = 1 << 30, /* bytes of a debug file; chromium's has more, and a build id */
    SEGMENT_LIMIT = 1 << 16,  /* e_phnum is 16 bits wide */
    READ_SEGMENT_LIMIT = 128, /* segments that are looked at for each read; a file has about ten */
    FILE_PAGE_LEN = 4096,     /* what the kernel rounds segments to; x86-64, and the least on aarch64 */
};

struct image {
    int fd;     /* -1: there are only bytes */
    char *head; /* the bytes; NULL: there is a file */
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

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written <= 0)
            return false;
        bytes += written;
        len -= (size_t)written;
    }
    return true;
}

struct error *image_open_bytes(const void *bytes, size_t len, struct image **ret)
{
    cleanup_fd int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd < 0 || !write_all(fd, bytes, len))
        return error_from_errno(errno, "cannot keep an ELF file in memory");
    return image_open(fd, ret);
}

struct error *image_open_head(const void *bytes, size_t len, struct image **ret)
{
    elf_version(EV_CURRENT);
    cleanup_image struct image *image = calloc(1, sizeof(*image));
    Elf64_Ehdr header;
    if (len < sizeof(header))
        return error_create(ERROR_BAD_DATA, "not an ELF file");
    if (!image)
        return error_no_memory();
    image->fd = -1;
    image->head = malloc(len);
    if (!image->head)
        return error_no_memory();
    memcpy(image->head, bytes, len);
    memcpy(&header, bytes, sizeof(header));
    header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
    memcpy(image->head, &header, sizeof(header));
    image->file = elf_memory(image->head, len);
    if (!image->file)
        return error_create(ERROR_BAD_DATA, "cannot read ELF file: %s", elf_errmsg(-1));
    struct error *error = check_kind(image->file);
    if (error)
        return error;
    *ret = hand_over(&image);
    return NULL;
}

int image_duplicate_file(const struct image *image)
{
    return image->fd >= 0 ? fcntl(image->fd, F_DUPFD_CLOEXEC, 0) : -1;
}

void image_destroy(struct image *image)
{
    if (!image)
        return;
    elf_end(image->file);
    cleanup_close_fd(&image->fd);
    free(image->head);
    free(image);
}

Elf *image_elf(const struct image *image)
{
    return image->file;
}

Elf *image_open_again(const struct image *image)
{
    return elf_begin(image->fd, ELF_C_READ, NULL);
}

size_t image_read_file(const struct image *image, uint64_t offset, void *destination, size_t len)
{
    size_t done = 0;
    while (done < len && offset + done <= INT64_MAX) {
        ssize_t got = pread(image->fd, (char *)destination + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
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
    GElf_Shdr names_header;
    if (!names_section || !gelf_getshdr(names_section, &names_header) || names_header.sh_size > NAMES_LIMIT)
        return false;
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

/* Whether a symbol's name begins with these bytes, which may include its end; the name need not end in the table. */
static bool name_begins(const struct symbols *symbols, const Elf64_Sym *symbol, const char *bytes, size_t len)
{
    return symbol->st_name < symbols->names_len && symbols->names_len - symbol->st_name >= len &&
           memcmp(symbols->names + symbol->st_name, bytes, len) == 0;
}

static const Elf64_Sym *find_in(const struct symbols *symbols, const char *bytes, size_t len)
{
    for (size_t i = 0; i < symbols->count; i++) {
        const Elf64_Sym *symbol = &symbols->symbols[i];
        if (symbol->st_shndx != SHN_UNDEF && name_begins(symbols, symbol, bytes, len))
            return symbol;
    }
    return NULL;
}

/* Looks in .dynsym, which is small, and then in .symtab. */
static const Elf64_Sym *find_symbol(const struct image *image, const char *bytes, size_t len)
{
    static const GElf_Word types[] = {SHT_DYNSYM, SHT_SYMTAB};
    for (size_t type = 0; type < array_size(types); type++) {
        Elf_Scn *section = NULL;
        while ((section = elf_nextscn(image->file, section))) {
            GElf_Shdr header;
            struct symbols symbols;
            if (!gelf_getshdr(section, &header) || header.sh_type != types[type] ||
                header.sh_size > SYMBOL_LIMIT * sizeof(Elf64_Sym) || !open_symbols(image, section, &header, &symbols))
                continue;
            const Elf64_Sym *symbol = find_in(&symbols, bytes, len);
            if (symbol)
                return symbol;
        }
    }
    return NULL;
}

bool image_find_symbol(const struct image *image, const char *name, struct image_range *ret)
{
    const Elf64_Sym *symbol = find_symbol(image, name, strlen(name) + 1);
    if (!symbol)
        return false;
    *ret = (struct image_range){symbol->st_value, symbol->st_size};
    return true;
}

bool image_has_symbol_prefix(const struct image *image, const char *prefix)
{
    return find_symbol(image, prefix, strlen(prefix)) != NULL;
}

static bool is_local_function(const Elf64_Sym *symbol)
{
    return GELF_ST_BIND(symbol->st_info) == STB_LOCAL && GELF_ST_TYPE(symbol->st_info) == STT_FUNC &&
           symbol->st_shndx != SHN_UNDEF && symbol->st_size > 0;
}

bool image_has_local_functions(const struct image *image)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image->file, section))) {
        GElf_Shdr header;
        struct symbols symbols;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB ||
            header.sh_size > SYMBOL_LIMIT * sizeof(Elf64_Sym) || !open_symbols(image, section, &header, &symbols))
            continue;
        for (size_t i = 0; i < symbols.count; i++) {
            if (is_local_function(&symbols.symbols[i]))
                return true;
        }
    }
    return false;
}

/* Returns the section of this name, and its header; NULL when there is none. */
static Elf_Scn *find_section(const struct image *image, const char *name, GElf_Shdr *ret)
{
    size_t names;
    if (elf_getshdrstrndx(image->file, &names) != 0)
        return NULL;
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image->file, section))) {
        if (!gelf_getshdr(section, ret))
            continue;
        const char *section_name = elf_strptr(image->file, names, ret->sh_name);
        if (section_name && strcmp(section_name, name) == 0)
            return section;
    }
    return NULL;
}

bool image_find_section(const struct image *image, const char *name, struct image_range *ret)
{
    GElf_Shdr header;
    if (!find_section(image, name, &header))
        return false;
    *ret = (struct image_range){header.sh_addr, header.sh_size};
    return true;
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

bool image_load_bias(const struct image *image, uint64_t start, uint64_t offset, bool is_code, uint64_t *ret)
{
    GElf_Phdr header;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        uint64_t into_page = header.p_offset % FILE_PAGE_LEN;
        bool is_same_kind = ((header.p_flags & PF_X) != 0) == is_code;
        if (header.p_type != PT_LOAD || !is_same_kind || header.p_offset - into_page != offset)
            continue;
        *ret = start - (header.p_vaddr - into_page);
        return true;
    }
    return false;
}

bool image_load_bias_of_code(const struct image *image, uint64_t start, uint64_t offset, uint64_t *ret)
{
    GElf_Phdr header;
    if (image_load_bias(image, start, offset, true, ret))
        return true;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        uint64_t into_page = header.p_offset % FILE_PAGE_LEN;
        uint64_t distance = offset - (header.p_offset - into_page);
        if (header.p_type != PT_LOAD || !(header.p_flags & PF_X) || offset < header.p_offset - into_page ||
            distance >= into_page + header.p_filesz)
            continue;
        *ret = start - distance - (header.p_vaddr - into_page);
        return true;
    }
    return false;
}

/* Where in the file the bytes at an address are, if a segment has them all. */
static bool find_in_segment(const GElf_Phdr *header, uint64_t address, size_t len, uint64_t *ret_offset)
{
    uint64_t into_page = header->p_offset % FILE_PAGE_LEN;
    if (header->p_type != PT_LOAD || header->p_vaddr % FILE_PAGE_LEN != into_page ||
        header->p_filesz > (uint64_t)INT64_MAX - FILE_PAGE_LEN || header->p_offset > INT64_MAX - FILE_PAGE_LEN)
        return false;
    uint64_t pages_len = (into_page + header->p_filesz + FILE_PAGE_LEN - 1) / FILE_PAGE_LEN * FILE_PAGE_LEN;
    uint64_t at = address - (header->p_vaddr - into_page);
    if (at >= pages_len || len > pages_len - at)
        return false;
    *ret_offset = header->p_offset - into_page + at;
    return true;
}

/* Reads from the file what a page of it holds: behind the file's end, zeros. */
static bool read_file(int fd, uint64_t offset, unsigned char *destination, size_t len)
{
    size_t done = 0;
    while (done < len && offset + done <= INT64_MAX) {
        ssize_t got = pread(fd, destination + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    if (done < len)
        memset(destination + done, 0, len - done);
    return done > 0;
}

bool image_read(const struct image *image, uint64_t address, void *destination, size_t len)
{
    GElf_Phdr header;
    for (size_t i = 0; i < READ_SEGMENT_LIMIT && get_segment(image, i, &header); i++) {
        uint64_t offset;
        if (find_in_segment(&header, address, len, &offset))
            return read_file(image->fd, offset, destination, len);
    }
    return false;
}

bool image_unwind_table(const struct image *image, struct image_range *ret)
{
    GElf_Phdr header;
    for (size_t i = 0; get_segment(image, i, &header); i++) {
        if (header.p_type != PT_GNU_EH_FRAME)
            continue;
        *ret = (struct image_range){header.p_vaddr, header.p_memsz};
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

bool image_has_same_build_id(const struct image *image, const struct image *other)
{
    unsigned char id[IMAGE_BUILD_ID_LIMIT], other_id[IMAGE_BUILD_ID_LIMIT];
    size_t len = image_build_id(image, id);
    return len > 0 && image_build_id(other, other_id) == len && memcmp(id, other_id, len) == 0;
}

/* The section holds a name, zeros up to a multiple of four bytes, and the checksum (gdb manual, "Separate Debug
 * Files"). */
bool image_debug_link(const struct image *image, struct image_debug_link *ret)
{
    GElf_Shdr header;
    Elf_Scn *section = find_section(image, ".gnu_debuglink", &header);
    if (!section || header.sh_size > IMAGE_DEBUG_LINK_LIMIT + sizeof(uint32_t))
        return false;
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf)
        return false;
    size_t name_len = strnlen(data->d_buf, data->d_size);
    size_t checksum_at = (name_len + sizeof(uint32_t)) & ~(sizeof(uint32_t) - 1);
    if (name_len == 0 || name_len >= IMAGE_DEBUG_LINK_LIMIT || memchr(data->d_buf, '/', name_len) ||
        checksum_at + sizeof(uint32_t) > data->d_size)
        return false;
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->name, data->d_buf, name_len);
    memcpy(&ret->checksum, (const char *)data->d_buf + checksum_at, sizeof(uint32_t));
    return true;
}

/* CRC-32 of ISO 3309, as zip and zlib have it, four bits at a time. */
static uint32_t add_to_checksum(uint32_t checksum, const unsigned char *bytes, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    for (size_t i = 0; i < len; i++) {
        checksum ^= bytes[i];
        checksum = checksum >> 4 ^ table[checksum & 15];
        checksum = checksum >> 4 ^ table[checksum & 15];
    }
    return checksum;
}

bool image_checksum(const struct image *image, uint32_t *ret)
{
    cleanup_free unsigned char *chunk = malloc(CHECKSUM_STEP);
    uint32_t checksum = UINT32_MAX;
    for (off_t at = 0; chunk && at < CHECKSUM_LIMIT;) {
        ssize_t len = pread(image->fd, chunk, CHECKSUM_STEP, at);
        if (len < 0)
            return false;
        if (len == 0) {
            *ret = ~checksum;
            return true;
        }
        checksum = add_to_checksum(checksum, chunk, (size_t)len);
        at += len;
    }
    return false;
}
