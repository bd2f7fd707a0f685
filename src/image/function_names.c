/* SPDX-License-Identifier: MIT */
#include "image/function_names.h"

#include "base/cleanup.h"
#include "function_starts.h"
#include "image_file.h"
#include "packed_image.h"

#include <gelf.h>
#include <string.h>

enum {
    SYMBOL_LIMIT = 1 << 22,      /* in one table; chromium with all its symbols has two million */
    NAME_OFFSET_LIMIT = 1 << 27, /* bytes; what begins further back among the names of one table stays unnamed */
    SOURCE_LIMIT = 8,
    NESTING_LIMIT = 64, /* functions that begin between the one that an address is in, and the address */
    ALIAS_LIMIT = 64,   /* names of one function that are compared */
    NAME_STEP = 128,    /* bytes that are read of a name at once */
};

/* One function, by one of its names. */
struct function_symbol {
    uint64_t address;
    uint32_t len;         /* 0: not known; what is longer than this can hold is cut */
    uint32_t name : 27;   /* where it begins among the names of its source */
    uint32_t source : 3;  /* index of function_names.sources */
    uint32_t binding : 2; /* see binding_rank() */
};

/* Where the names of a table are: in a file, or in memory when that file exists there only. */
struct name_source {
    const struct image *image;
    uint64_t offset;
    uint64_t len;
    char *bytes; /* owned */
};

struct function_names {
    struct function_symbol *symbols; /* by address */
    size_t count;
    struct name_source sources[SOURCE_LIMIT];
    uint32_t source_count;
    struct function_starts starts;
};

static uint32_t binding_rank(unsigned char info)
{
    switch (GELF_ST_BIND(info)) {
    case STB_GLOBAL:
    case STB_GNU_UNIQUE:
        return 0;
    case STB_WEAK:
        return 1;
    default:
        return 2;
    }
}

static bool is_function(const Elf64_Sym *symbol)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           symbol->st_name < NAME_OFFSET_LIMIT;
}

/* Says where the names of a table are. False when there are none that can be read. */
static bool add_source(struct function_names *names, Elf *elf, const GElf_Shdr *table, const struct image *image)
{
    GElf_Shdr header;
    Elf_Scn *section = elf_getscn(elf, table->sh_link);
    if (names->source_count == SOURCE_LIMIT || !section || !gelf_getshdr(section, &header) ||
        header.sh_type != SHT_STRTAB || header.sh_flags & SHF_COMPRESSED)
        return false;
    struct name_source source = {.image = image, .offset = header.sh_offset, .len = header.sh_size};
    if (!image) {
        const Elf_Data *data = elf_rawdata(section, NULL);
        source.bytes = data && data->d_buf && data->d_size > 0 ? malloc(data->d_size) : NULL;
        if (!source.bytes)
            return false;
        memcpy(source.bytes, data->d_buf, data->d_size);
        source.len = data->d_size;
    }
    names->sources[names->source_count++] = source;
    return true;
}

static void add_symbol(struct function_names *names, const Elf64_Sym *symbol)
{
    names->symbols[names->count++] = (struct function_symbol){
        .address = symbol->st_value,
        .len = symbol->st_size < UINT32_MAX ? (uint32_t)symbol->st_size : UINT32_MAX,
        .name = symbol->st_name & (NAME_OFFSET_LIMIT - 1),
        .source = (names->source_count - 1) & (SOURCE_LIMIT - 1),
        .binding = binding_rank(symbol->st_info) & 3,
    };
}

/* Adds the functions of one table. */
static bool add_symbols(struct function_names *names, const Elf64_Sym *symbols, size_t count)
{
    size_t functions = 0;
    for (size_t i = 0; i < count; i++)
        functions += is_function(&symbols[i]);
    if (functions == 0)
        return true;
    struct function_symbol *grown = realloc(names->symbols, (names->count + functions) * sizeof(*grown));
    if (!grown)
        return false;
    names->symbols = grown;
    for (size_t i = 0; i < count; i++) {
        if (is_function(&symbols[i]))
            add_symbol(names, &symbols[i]);
    }
    return true;
}

/* Adds the tables of an ELF file; image is NULL when it exists in memory only. False without memory. */
static bool add_tables(struct function_names *names, Elf *elf, const struct image *image)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) ||
            header.sh_flags & SHF_COMPRESSED || header.sh_size > SYMBOL_LIMIT * sizeof(Elf64_Sym))
            continue;
        const Elf_Data *data = elf_getdata(section, NULL);
        if (!data || !data->d_buf || data->d_type != ELF_T_SYM || !add_source(names, elf, &header, image))
            continue;
        if (!add_symbols(names, data->d_buf, data->d_size / sizeof(Elf64_Sym)))
            return false;
    }
    return true;
}

/* Adds what .gnu_debugdata holds. */
static bool add_packed(struct function_names *names, Elf *elf)
{
    cleanup_buffer struct buffer bytes = {0};
    if (!packed_image_read(elf, &bytes))
        return true;
    cleanup_elf Elf *packed = elf_memory(bytes.data, bytes.len);
    const char *ident = packed ? elf_getident(packed, NULL) : NULL;
    bool is_usable =
        ident && elf_kind(packed) == ELF_K_ELF && ident[EI_CLASS] == ELFCLASS64 && ident[EI_DATA] == ELFDATA2LSB;
    return !is_usable || add_tables(names, packed, NULL);
}

static bool add_image(struct function_names *names, const struct image *image)
{
    cleanup_elf Elf *elf = image_open_again(image);
    return !elf || (add_tables(names, elf, image) && add_packed(names, elf));
}

static int compare_symbols(const void *a, const void *b)
{
    const struct function_symbol *first = a, *second = b;
    return (first->address > second->address) - (first->address < second->address);
}

struct error *function_names_create(const struct image *image, const struct image *debug, struct function_names **ret)
{
    cleanup_function_names struct function_names *names = calloc(1, sizeof(*names));
    if (!names || !add_image(names, image) || (debug && !add_image(names, debug)))
        return error_no_memory();
    if (names->count > 0)
        qsort(names->symbols, names->count, sizeof(*names->symbols), compare_symbols);
    function_starts_init(&names->starts, image);
    *ret = hand_over(&names);
    return NULL;
}

void function_names_destroy(struct function_names *names)
{
    if (!names)
        return;
    for (uint32_t i = 0; i < names->source_count; i++)
        free(names->sources[i].bytes);
    free(names->symbols);
    function_starts_deinit(&names->starts);
    free(names);
}

size_t function_names_count(const struct function_names *names)
{
    return names->count;
}

size_t function_names_memory(const struct function_names *names)
{
    size_t bytes = sizeof(*names) + names->count * sizeof(*names->symbols);
    bytes += names->starts.range_count * sizeof(*names->starts.ranges);
    for (uint32_t i = 0; i < names->source_count; i++)
        bytes += names->sources[i].bytes ? names->sources[i].len : 0;
    return bytes;
}

/* Copies up to NAME_STEP bytes from a place among the names; returns how many. */
static size_t read_name_step(const struct name_source *source, uint64_t at, char bytes[NAME_STEP])
{
    if (at >= source->len)
        return 0;
    size_t len = source->len - at < NAME_STEP ? (size_t)(source->len - at) : NAME_STEP;
    if (!source->bytes)
        return image_read_file(source->image, source->offset + at, bytes, len);
    memcpy(bytes, source->bytes + at, len);
    return len;
}

/* Reads a symbol's name; what follows an @ is the version that the linker gave it. Empty when it cannot be read. */
static void read_name(const struct function_names *names, const struct function_symbol *symbol, struct buffer *ret)
{
    const struct name_source *source = &names->sources[symbol->source];
    char bytes[NAME_STEP];
    bool is_whole = false;
    buffer_clear(ret);
    for (uint64_t at = symbol->name; !is_whole && ret->len < FUNCTION_NAME_LIMIT;) {
        size_t len = read_name_step(source, at, bytes);
        size_t name_len = strnlen(bytes, len);
        is_whole = len == 0 || name_len < len;
        buffer_append(ret, bytes, name_len);
        at += name_len;
    }
    const char *version = ret->len > 0 ? memchr(ret->data, '@', ret->len) : NULL;
    if (version) {
        ret->len = (size_t)(version - ret->data);
        ret->data[ret->len] = '\0';
    }
}

/* A mangled name's underscore is none that somebody wrote. */
static size_t leading_underscores(const char *name)
{
    size_t count = strspn(name, "_");
    bool is_mangled = count == 1 && (name[1] == 'Z' || name[1] == 'R');
    return is_mangled ? 0 : count;
}

/* Whether a name is better than another one, see function_names_find(). */
static bool is_better(const char *name, uint32_t binding, const char *other, uint32_t other_binding)
{
    size_t underscores = leading_underscores(name), other_underscores = leading_underscores(other);
    size_t len = strlen(name), other_len = strlen(other);
    if (underscores != other_underscores)
        return underscores < other_underscores;
    if (binding != other_binding)
        return binding < other_binding;
    if (len != other_len)
        return len < other_len;
    return strcmp(name, other) < 0;
}

/* The best name of the symbols [first, end), which begin at one address, and of those the ones that hold an offset. */
static void choose_name(const struct function_names *names, size_t first, size_t end, uint64_t offset,
                        struct image_range *range, struct buffer *ret)
{
    cleanup_buffer struct buffer candidate = {0};
    uint32_t best_binding = 0;
    buffer_clear(ret);
    if (end - first > ALIAS_LIMIT)
        end = first + ALIAS_LIMIT;
    for (size_t i = first; i < end; i++) {
        const struct function_symbol *symbol = &names->symbols[i];
        if (symbol->len > 0 && symbol->len <= offset)
            continue;
        read_name(names, symbol, &candidate);
        if (candidate.len == 0 || candidate.failed ||
            (ret->len > 0 && !is_better(candidate.data, symbol->binding, ret->data, best_binding)))
            continue;
        buffer_clear(ret);
        buffer_append(ret, candidate.data, candidate.len);
        best_binding = symbol->binding;
        *range = (struct image_range){symbol->address, symbol->len};
    }
}

/* The index behind the last symbol that begins at an address or before. */
static size_t upper_bound(const struct function_names *names, uint64_t address)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->symbols[middle].address > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The first symbol that begins where the one before `end` does. */
static size_t first_of_aliases(const struct function_names *names, size_t end)
{
    size_t first = end - 1;
    while (first > 0 && names->symbols[first - 1].address == names->symbols[end - 1].address)
        first--;
    return first;
}

/* Whether one of these symbols holds an offset from where they begin. */
static bool is_any_around(const struct function_names *names, size_t first, size_t end, uint64_t offset)
{
    for (size_t i = first; i < end; i++) {
        if (names->symbols[i].len > offset)
            return true;
    }
    return false;
}

/*
 * The nearest function before an address, of those that say that they hold it. Assembler code may have functions in
 * functions, so that the nearest one before it need not be the one.
 */
static bool find_around(const struct function_names *names, uint64_t address, struct image_range *range,
                        struct buffer *name)
{
    size_t end = upper_bound(names, address);
    for (int i = 0; i < NESTING_LIMIT && end > 0; i++) {
        size_t first = first_of_aliases(names, end);
        uint64_t offset = address - names->symbols[first].address;
        if (is_any_around(names, first, end, offset)) {
            choose_name(names, first, end, offset, range, name);
            return name->len > 0;
        }
        end = first;
    }
    return false;
}

/* The name of the nearest function before an address that does not say how long it is, but not before `limit`. */
static bool find_endless(const struct function_names *names, uint64_t address, uint64_t limit,
                         struct image_range *range, struct buffer *name)
{
    size_t end = upper_bound(names, address);
    if (end == 0 || names->symbols[end - 1].address < limit)
        return false;
    size_t first = first_of_aliases(names, end);
    choose_name(names, first, end, address - names->symbols[first].address, range, name);
    return name->len > 0;
}

/* A function whose symbol is too short for it, as those of some assembler code are. */
static bool find_at_start(const struct function_names *names, const struct image_range *function,
                          struct image_range *range, struct buffer *name)
{
    size_t end = upper_bound(names, function->address);
    if (end == 0 || names->symbols[end - 1].address != function->address)
        return false;
    choose_name(names, first_of_aliases(names, end), end, 0, range, name);
    range->len = function->len;
    return name->len > 0;
}

bool function_names_find(const struct function_names *names, uint64_t address, struct image_range *ret,
                         struct buffer *name)
{
    struct image_range function = {0}, range;
    buffer_clear(name);
    if (find_around(names, address, &range, name)) {
        *ret = range;
        return true;
    }
    bool is_start_known = function_starts_find(&names->starts, address, &function);
    if (find_endless(names, address, function.address, &range, name) ||
        (is_start_known && find_at_start(names, &function, &range, name))) {
        *ret = range;
        return true;
    }
    if (is_start_known)
        *ret = function;
    return is_start_known;
}
