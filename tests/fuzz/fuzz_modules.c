/* SPDX-License-Identifier: MIT */
/*
 * Maps of a target that change, files that cannot be opened or are mapped otherwise than they say, and names for
 * addresses of all of them. The maps are lines that the input puts together, or its own bytes. The process that reads
 * files is one that a hostile file has taken over: it answers with bytes of the input.
 *
 * For: src/native/modules.c src/native/symbolizer.c src/native/code_messages.c src/native/function_store.c
 * For: src/native/arena.c src/memory/maps.c
 * Options: -max_len=1024
 */
#include "native/modules.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "elf_writer.h"
#include "fake_memory.h"
#include "fuzz_input.h"
#include "image/loaded_image.h"
#include "native/code_reader.h"
#include "native/symbolizer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { LINE_LIMIT = 24, UPDATE_LIMIT = 3, PAGE = 4096, FILE_LEN = 0x4000, FUNCTION_LIMIT = 64, ANSWER_LEN = 256 };

static int file = -1;

/* Stands in for that of native/code_reader.h. */
struct code_reader {
    struct fuzz_input *input;
    char answer[ANSWER_LEN];
};

static struct code_reader reader;

struct error *code_reader_create(struct code_reader **ret)
{
    *ret = &reader;
    return NULL;
}

void code_reader_destroy(struct code_reader *unused)
{
    (void)unused;
}

void code_reader_update(struct code_reader *unused, struct modules *modules)
{
    (void)unused;
    (void)modules;
}

/* A head, which is sound most of the time, and texts. */
bool code_reader_find(struct code_reader *self, const struct native_module *module, uint64_t address,
                      struct code_description *ret)
{
    const struct code_answer head = {
        .start = address, .is_found = fuzz_byte(self->input) & 1, .count = fuzz_byte(self->input) % 4U};
    size_t len = fuzz_below(self->input, sizeof(self->answer) + 1);
    (void)module;
    fuzz_fill(self->input, self->answer, len);
    if (len >= sizeof(head) && fuzz_byte(self->input) < 0xc0)
        memcpy(self->answer, &head, sizeof(head));
    return code_answer_read(self->answer, len, ret);
}

static void make_file(void)
{
    static const struct elf_symbol symbols[] = {
        {"main", 0x1000, 64, 0}, {"_ZN1a1bEv", 0x1040, 64, 0}, {"work", 0x2000, 0, 0}};
    static const Elf64_Phdr all = {
        .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = FILE_LEN, .p_memsz = FILE_LEN};
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &all);
    elf_writer_symbols(&writer, ".dynsym", symbols, array_size(symbols));
    elf_writer_finish(&writer);
    file = elf_writer_open(writer.file.data, writer.file.len);
    elf_writer_deinit(&writer);
}

/* Opens the one file, whatever the path is, if it is mapped as it says; and not all of the time. */
static struct error *open_file(void *context, const struct maps *maps, const struct mapping *mapping,
                               struct loaded_image *ret)
{
    struct fuzz_input *input = context;
    (void)maps;
    if (fuzz_byte(input) >= 0xf0)
        return error_create(ERROR_NOT_FOUND, "gone");
    return loaded_image_open(file, mapping->path, mapping->start, mapping->offset, mapping->executable, ret);
}

static void add_line(struct fuzz_input *input, struct buffer *text, uint64_t *start)
{
    static const char *const permissions[] = {"r-xp", "r--p", "rw-p", "r-xp", "rwxp", "---p", "r-xs", "x"};
    static const char *const paths[] = {"/lib/a.so", "/lib/b.so",           "[vdso]",   "",
                                        "[stack]",   "/lib/a.so (deleted)", "/x\\012y", "//anon"};
    uint8_t how = fuzz_byte(input), where = fuzz_byte(input);
    uint64_t first = where & 0x80 ? fuzz_edge(input) : *start + (where & 0x40 ? PAGE : 0);
    uint64_t last = first + (where & 0x20 ? fuzz_edge(input) : (where % 16) * PAGE);
    uint64_t offset = where & 0x10 ? fuzz_edge(input) : fuzz_byte(input) % 4U * PAGE;
    buffer_format(text, "%lx-%lx %s %lx fd:00 %u %s\n", (unsigned long)first, (unsigned long)last, permissions[how % 8],
                  (unsigned long)offset, how & 0x40 ? 0U : 1U + how % 3U, paths[how >> 3 & 7]);
    *start = last;
}

static void make_maps(struct fuzz_input *input, struct maps *ret)
{
    cleanup_buffer struct buffer text = {0};
    uint64_t start = 0x400000;
    uint8_t how = fuzz_byte(input);
    for (unsigned i = 0; i < how % LINE_LIMIT; i++)
        add_line(input, &text, &start);
    if (how & 0x80) {
        size_t len = fuzz_below(input, fuzz_left(input)); /* which takes some bytes of what is left */
        len = len < fuzz_left(input) ? len : fuzz_left(input);
        buffer_append(&text, input->at, len);
        input->at += len;
    }
    fuzz_require(!maps_init(ret, buffer_text(&text), text.len), "memory");
    for (uint32_t i = 0; i < ret->count; i++) {
        fuzz_require(ret->mappings[i].start < ret->mappings[i].end, "a mapping");
        fuzz_require(i == 0 || ret->mappings[i].start >= ret->mappings[i - 1].end, "order of mappings");
        fuzz_require(maps_find(ret, ret->mappings[i].end - 1) == &ret->mappings[i], "a mapping is found");
    }
}

static void look_up(struct modules *modules, struct symbolizer *symbolizer, remote_addr address)
{
    uint32_t count;
    const struct native_module *module = modules_find(modules, address);
    fuzz_require(!module || (address >= module->start && address < module->end), "module of an address");
    const struct native_function *functions = symbolizer_find(symbolizer, address, address & 1, &count);
    fuzz_require(count >= 1 && count <= FUNCTION_LIMIT, "number of functions");
    for (uint32_t i = 0; i < count; i++)
        fuzz_require(functions[i].name && functions[i].file && functions[i].path && functions[i].symbol, "texts");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static unsigned char vdso[2 * PAGE];
    struct fuzz_input input = fuzz_begin(bytes, len);
    const struct module_opener opener = {.context = &input, .open = open_file};
    cleanup_modules struct modules *modules = NULL;
    cleanup_symbolizer struct symbolizer *symbolizer = NULL;
    struct fake_memory fake;
    if (file < 0)
        make_file();
    fake_memory_init(&fake);
    fake_memory_map(&fake, 0x400000, vdso, sizeof(vdso));
    reader.input = &input;
    fuzz_require(!modules_create(&opener, &fake.memory, &modules), "memory");
    fuzz_require(!symbolizer_create(modules, &symbolizer), "memory");
    for (unsigned i = 0; i < UPDATE_LIMIT && (i == 0 || fuzz_left(&input) > 0); i++) {
        cleanup_maps struct maps maps = {0};
        make_maps(&input, &maps);
        fuzz_require(!modules_update(modules, &maps), "memory");
        symbolizer_update(symbolizer);
        look_up(modules, symbolizer, fuzz_edge(&input));
        for (uint32_t k = 0; k < maps.count; k++) {
            look_up(modules, symbolizer, maps.mappings[k].start);
            look_up(modules, symbolizer, maps.mappings[k].start + fuzz_byte(&input) * 16ULL);
            look_up(modules, symbolizer, maps.mappings[k].end);
        }
    }
    return 0;
}
