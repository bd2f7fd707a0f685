/* SPDX-License-Identifier: MIT */
/*
 * The DWARF information of an ELF file, asked for a few addresses. The input is the file's sections: for each a byte
 * that says which one it is and how it is stored, two for its length, and its content.
 *
 * For: src/image/debug_lines.c src/image/debug_sections.c src/image/debug_units.c src/image/debug_walk.c
 * Options: -max_len=4096
 */
#include "image/debug_lines.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "input.h"

enum { PACKED = 16, OLD_PACKED = 32, SECTION_LIMIT = 12 };

static const char *const names[] = {".debug_info",     ".debug_abbrev", ".debug_line",       ".debug_str",
                                    ".debug_line_str", ".debug_ranges", ".debug_aranges",    ".debug_rnglists",
                                    ".debug_addr",     ".debug_types",  ".debug_str_offsets"};
static const char *const old_packed_names[] = {".zdebug_info", ".zdebug_abbrev", ".zdebug_line", ".zdebug_str"};

static void write_sections(struct elf_writer *writer, struct input *input)
{
    for (int i = 0; i < SECTION_LIMIT && input->at < input->end; i++) {
        uint8_t kind = input_byte(input);
        size_t len = input_number(input, 2), left = (size_t)(input->end - input->at);
        len = len < left ? len : left;
        const char *name = kind & OLD_PACKED ? old_packed_names[kind % array_size(old_packed_names)]
                                             : names[(kind & 15) % array_size(names)];
        Elf64_Shdr *section = elf_writer_section(writer, name, SHT_PROGBITS, 0, input->at, len);
        section->sh_flags = kind & PACKED ? SHF_COMPRESSED : 0;
        input->at += len;
    }
    elf_writer_finish(writer);
}

static void ask(struct debug_lines *lines, uint64_t address)
{
    struct debug_place places[DEBUG_PLACE_LIMIT];
    uint32_t count = debug_lines_find(lines, address, places);
    check(count <= DEBUG_PLACE_LIMIT);
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++)
        len += strlen(places[i].name) + strlen(places[i].file);
    check(len + strlen(debug_lines_folder(lines, address)) < 1 << 24);
}

static void ask_file(int fd)
{
    static const uint64_t addresses[] = {0,      0x1320, 0x1325, 0x1340, 0x1348,    0x1350,
                                         0x1358, 0x1360, 0x1370, 0x1378, UINT64_MAX};
    cleanup_image struct image *image = NULL;
    check(!image_open(fd, &image));
    cleanup_debug_lines struct debug_lines *lines = NULL;
    check(!debug_lines_create(image, &lines));
    for (size_t i = 0; lines && i < array_size(addresses); i++)
        ask(lines, addresses[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    write_sections(&writer, &(struct input){bytes, bytes + len});
    ask_file(input_file(&fd, writer.file.data, writer.file.len));
    elf_writer_deinit(&writer);
    return 0;
}
