/* SPDX-License-Identifier: MIT */
#include "image/debug_lines.h"

#include "base/cleanup.h"
#include "debug_units.h"
#include "image_file.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

struct debug_lines {
    Elf *elf; /* a handle of our own: uncompressed sections go away with it */
    Dwarf *dwarf;
    struct debug_sections sections;
    struct debug_units units;
    Elf *nothing_elf;
    Dwarf *nothing;
};

/*
 * libdw opens, by its path, the file that .gnu_debugaltlink names, as soon as it meets something that is in there: of
 * any kind, perhaps one that never lets go of who opens it. So it is given a file in which there is nothing.
 */
static const struct empty_file {
    Elf64_Ehdr header;
    Elf64_Shdr sections[3];
    char names[24];
    char lines[8];
} empty_file = {
    .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_DYN,
               .e_version = EV_CURRENT,
               .e_shoff = offsetof(struct empty_file, sections),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_shentsize = sizeof(Elf64_Shdr),
               .e_shnum = 3,
               .e_shstrndx = 1},
    .sections = {{.sh_type = SHT_NULL},
                 {.sh_name = 1,
                  .sh_type = SHT_STRTAB,
                  .sh_offset = offsetof(struct empty_file, names),
                  .sh_size = sizeof(((struct empty_file *)0)->names),
                  .sh_addralign = 1},
                 {.sh_name = 8,
                  .sh_type = SHT_PROGBITS,
                  .sh_offset = offsetof(struct empty_file, lines),
                  .sh_size = sizeof(((struct empty_file *)0)->lines),
                  .sh_addralign = 1}},
    .names = "\0.names\0.debug_line", /* libdw wants one section that it knows */
};

static bool open_nothing(struct debug_lines *lines)
{
    lines->nothing_elf = elf_memory((char *)&empty_file, sizeof(empty_file));
    lines->nothing = lines->nothing_elf ? dwarf_begin_elf(lines->nothing_elf, DWARF_C_READ, NULL) : NULL;
    if (lines->nothing)
        dwarf_setalt(lines->dwarf, lines->nothing);
    return lines->nothing != NULL;
}

struct error *debug_lines_create(const struct image *image, struct debug_lines **ret)
{
    cleanup_debug_lines struct debug_lines *lines = calloc(1, sizeof(*lines));
    if (!lines)
        return error_no_memory();
    *ret = NULL;
    lines->elf = image_open_again(image);
    if (!lines->elf || !debug_sections_are_bearable(lines->elf))
        return NULL;
    lines->dwarf = dwarf_begin_elf(lines->elf, DWARF_C_READ, NULL);
    if (!lines->dwarf || !open_nothing(lines) || !debug_sections_init(&lines->sections, lines->elf))
        return NULL;
    if (!debug_units_init(&lines->units, lines->dwarf, &lines->sections))
        return error_no_memory();
    if (lines->units.count > 0)
        *ret = hand_over(&lines);
    return NULL;
}

void debug_lines_destroy(struct debug_lines *lines)
{
    if (!lines)
        return;
    debug_units_deinit(&lines->units);
    dwarf_end(lines->dwarf);
    dwarf_end(lines->nothing);
    elf_end(lines->nothing_elf);
    elf_end(lines->elf);
    free(lines);
}

static const char *text_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    const char *text = dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
    return text ? text : "";
}

/* What a function is called; inlined ones say it where they were declared. */
static const char *name_of(Dwarf_Die *die)
{
    static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
    for (size_t i = 0; i < array_size(names); i++) {
        const char *name = text_of(die, names[i]);
        if (name[0])
            return name;
    }
    return "";
}

static int32_t number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    bool is_found = dwarf_formudata(dwarf_attr(die, name, &attribute), &value) == 0;
    return is_found && value <= INT32_MAX ? (int32_t)value : 0;
}

/* Sets where an inlined function was called, in the function around it. */
static void set_caller(const struct debug_unit *unit, Dwarf_Die *unit_die, Dwarf_Die *inlined,
                       struct debug_place *caller)
{
    Dwarf_Files *files;
    size_t count;
    int32_t index = number_of(inlined, DW_AT_call_file);
    caller->line = number_of(inlined, DW_AT_call_line);
    if (!unit->has_lines || index <= 0 || dwarf_getsrcfiles(unit_die, &files, &count) != 0 || (size_t)index >= count)
        return;
    const char *file = dwarf_filesrc(files, (size_t)index, NULL, NULL);
    caller->file = file ? file : "";
}

/* The line of an address, in whatever function is the innermost there. */
static void set_line(const struct debug_unit *unit, Dwarf_Die *unit_die, uint64_t address, struct debug_place *ret)
{
    Dwarf_Line *line = unit->has_lines ? dwarf_getsrc_die(unit_die, address) : NULL;
    int number;
    if (!line)
        return;
    const char *file = dwarf_linesrc(line, NULL, NULL);
    ret->file = file ? file : "";
    ret->line = dwarf_lineno(line, &number) == 0 && number > 0 ? number : 0;
}

/* Collects the entries of what is inlined at an address, behind that of the function; the outermost come first. */
static uint32_t collect(struct debug_lines *lines, const struct debug_unit *unit, Dwarf_Off function, uint64_t address,
                        Dwarf_Off ret[DEBUG_PLACE_LIMIT])
{
    const struct debug_ranges *inlines = debug_units_inlines(&lines->units, unit, function);
    uint32_t count = 0;
    ret[count++] = function;
    for (uint32_t i = 0; inlines && i < inlines->count && count < DEBUG_PLACE_LIMIT; i++) {
        const struct debug_range *range = &inlines->items[i];
        if (range->low <= address && address < range->high && range->owner != ret[count - 1])
            ret[count++] = range->owner;
    }
    return count;
}

static uint32_t find_places(struct debug_lines *lines, uint64_t address, struct debug_place ret[DEBUG_PLACE_LIMIT])
{
    Dwarf_Die unit_die;
    Dwarf_Off chain[DEBUG_PLACE_LIMIT];
    const struct debug_unit *unit = debug_units_find(&lines->units, address);
    if (!unit || !dwarf_offdie(lines->dwarf, unit->extent.first, &unit_die))
        return 0;
    const struct debug_range *function = debug_ranges_find(&unit->functions, address);
    uint32_t count = function ? collect(lines, unit, function->owner, address, chain) : 0;
    ret[0] = (struct debug_place){"", "", 0};
    set_line(unit, &unit_die, address, &ret[0]);
    for (uint32_t i = 0; i < count; i++) {
        Dwarf_Die die;
        if (i + 1 < count)
            ret[i + 1] = (struct debug_place){"", "", 0};
        if (!dwarf_offdie(lines->dwarf, chain[count - 1 - i], &die))
            continue;
        ret[i].name = name_of(&die);
        if (i + 1 < count)
            set_caller(unit, &unit_die, &die, &ret[i + 1]);
    }
    return count > 0 ? count : ret[0].line > 0;
}

uint32_t debug_lines_find(struct debug_lines *lines, uint64_t address, struct debug_place ret[DEBUG_PLACE_LIMIT])
{
    if (!debug_clock_start(&lines->units.clock))
        return 0;
    uint32_t count = find_places(lines, address, ret);
    debug_clock_stop(&lines->units.clock);
    return count;
}

const char *debug_lines_folder(struct debug_lines *lines, uint64_t address)
{
    Dwarf_Die die;
    if (!debug_clock_start(&lines->units.clock))
        return "";
    const struct debug_unit *unit = debug_units_find(&lines->units, address);
    bool is_found = unit && dwarf_offdie(lines->dwarf, unit->extent.first, &die);
    const char *folder = is_found ? text_of(&die, DW_AT_comp_dir) : "";
    debug_clock_stop(&lines->units.clock);
    return folder;
}
