/* SPDX-License-Identifier: MIT */
#include "debug_units.h"

#include "base/cleanup.h"

#include <dwarf.h>
#include <string.h>

enum {
    UNIT_LIMIT = 1 << 17,  /* libtorch has 5,000, chromium 30,000 */
    RANGE_LIMIT = 1 << 22, /* of units, functions and inlined code, all together; 24 bytes each */
    OVERLAP_LIMIT = 16,    /* ranges that begin between the one that holds an address, and the address */
    ADDRESS_LEN = 8,       /* bytes */
};

static bool add_range(struct debug_units *units, struct debug_ranges *ranges, struct debug_range range)
{
    if (units->ranges_left == 0)
        return true;
    if (!array_grow(&ranges->items, ranges->count, &ranges->capacity, sizeof(*ranges->items)))
        return false;
    ranges->items[ranges->count++] = range;
    units->ranges_left--;
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct debug_range *first = a, *second = b;
    if (first->low != second->low)
        return first->low < second->low ? -1 : 1;
    return (first->owner > second->owner) - (first->owner < second->owner);
}

static void sort_ranges(struct debug_ranges *ranges)
{
    if (ranges->count > 0)
        qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
}

const struct debug_range *debug_ranges_find(const struct debug_ranges *ranges, uint64_t address)
{
    uint32_t low = 0, high = ranges->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ranges->items[middle].low > address)
            high = middle;
        else
            low = middle + 1;
    }
    for (uint32_t i = 0; i < OVERLAP_LIMIT && i < low; i++) {
        if (ranges->items[low - 1 - i].high > address)
            return &ranges->items[low - 1 - i];
    }
    return NULL;
}

/* Adds the code of an entry. What a linker has thrown away begins at 0, or at 1 (DWARF 5 in ld.bfd). */
static bool add_code(struct debug_units *units, Dwarf_Die *die, uint64_t owner, struct debug_ranges *ranges)
{
    Dwarf_Addr base, low, high;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;) {
        if (low > 1 && low < high && !add_range(units, ranges, (struct debug_range){low, high, owner}))
            return false;
        if (units->ranges_left == 0 || !debug_clock_has_time(&units->clock))
            break;
    }
    return true;
}

/* Adds a unit if it has code. */
static bool add_unit(struct debug_units *units, const struct debug_unit *unit)
{
    Dwarf_Die die;
    if (!dwarf_offdie(units->dwarf, unit->extent.first, &die))
        return true;
    int tag = dwarf_tag(&die);
    if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
        return true;
    uint32_t before = units->ranges.count;
    if (!add_code(units, &die, units->count, &units->ranges))
        return false;
    if (units->ranges.count == before)
        return true;
    if (!array_grow(&units->items, units->count, &units->capacity, sizeof(*units->items)))
        return false;
    units->items[units->count] = *unit;
    units->items[units->count++].has_no_entry = tag == DW_TAG_skeleton_unit;
    return true;
}

/* Every unit is charged for its abbreviations, whether it has code or not: others may refer to its entries. */
static bool list_units(struct debug_units *units)
{
    Dwarf_Off at = 0, next, abbreviations;
    size_t header_len;
    Dwarf_Half version;
    uint8_t address_len, offset_len;
    for (uint32_t i = 0; i < UNIT_LIMIT && debug_clock_has_time(&units->clock); i++, at = next) {
        if (dwarf_next_unit(units->dwarf, at, &next, &header_len, &version, &abbreviations, &address_len, &offset_len,
                            NULL, NULL) != 0 ||
            next <= at || !abbreviations_are_bearable(units->sections, abbreviations))
            break;
        struct debug_unit unit = {.extent = {
                                      .first = at + header_len,
                                      .end = next < units->sections->info.len ? next : units->sections->info.len,
                                      .version = version,
                                      .offset_len = offset_len,
                                  }};
        if (address_len == ADDRESS_LEN && unit.extent.first < unit.extent.end && !add_unit(units, &unit))
            return false;
    }
    return true;
}

bool debug_units_init(struct debug_units *units, Dwarf *dwarf, struct debug_sections *sections)
{
    *units = (struct debug_units){.dwarf = dwarf, .sections = sections, .ranges_left = RANGE_LIMIT};
    debug_clock_start(&units->clock);
    bool is_good = list_units(units);
    debug_clock_stop(&units->clock);
    sort_ranges(&units->ranges);
    return is_good;
}

void debug_units_deinit(struct debug_units *units)
{
    for (uint32_t i = 0; i < units->count; i++)
        free(units->items[i].functions.items);
    for (uint32_t i = 0; i < units->inlines_count; i++)
        free(units->inlines[i].ranges.items);
    free(units->inlines);
    table_deinit(&units->inlines_by_function);
    free(units->items);
    free(units->ranges.items);
    *units = (struct debug_units){0};
}

/* A walk over what is in a unit, from one of its entries on. */
static struct debug_walk begin_walk(const struct debug_units *units, const struct debug_unit *unit, Dwarf_Off entry)
{
    struct debug_walk walk = {
        .dwarf = units->dwarf, .info = units->sections->info, .clock = &units->clock, .extent = unit->extent};
    debug_walk_begin(&walk, entry);
    return walk;
}

/* Functions are found in what may hold some; code in functions is of no interest yet. */
static bool may_hold_functions(int tag)
{
    switch (tag) {
    case DW_TAG_compile_unit:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
        return true;
    default:
        return false;
    }
}

static bool read_functions(struct debug_units *units, struct debug_unit *unit)
{
    struct debug_walk walk = begin_walk(units, unit, unit->extent.first);
    struct debug_entry entry;
    while (debug_walk_next(&walk, &entry)) {
        if (entry.tag == DW_TAG_subprogram && entry.has_code &&
            !add_code(units, &entry.die, dwarf_dieoffset(&entry.die), &unit->functions))
            return false;
        if (!may_hold_functions(entry.tag))
            debug_walk_skip(&walk, &entry);
    }
    sort_ranges(&unit->functions);
    return true;
}

/* Whether libdw may read the lines of a unit. */
static bool has_bearable_lines(const struct debug_units *units, const struct debug_unit *unit)
{
    Dwarf_Die die;
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    if (!dwarf_offdie(units->dwarf, unit->extent.first, &die) || !dwarf_attr(&die, DW_AT_stmt_list, &attribute) ||
        dwarf_formudata(&attribute, &offset) != 0)
        return false;
    const char *folder = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute));
    return lines_are_bearable(units->sections, offset, folder ? strlen(folder) : 0);
}

const struct debug_unit *debug_units_find(struct debug_units *units, uint64_t address)
{
    const struct debug_range *range = debug_ranges_find(&units->ranges, address);
    if (!range)
        return NULL;
    struct debug_unit *unit = &units->items[range->owner];
    if (!unit->is_read) {
        unit->is_read = true;
        unit->has_lines = has_bearable_lines(units, unit);
        if (!unit->has_no_entry && !read_functions(units, unit))
            return NULL;
    }
    return unit;
}

static bool is_of_function(const void *context, uint32_t index, const void *key)
{
    const struct debug_units *units = context;
    const Dwarf_Off *function = key;
    return units->inlines[index].function == *function;
}

static bool read_inlines(struct debug_units *units, const struct debug_unit *unit, struct debug_inlines *inlines)
{
    struct debug_walk walk = begin_walk(units, unit, inlines->function);
    struct debug_entry entry;
    while (debug_walk_next(&walk, &entry)) {
        if (entry.tag == DW_TAG_inlined_subroutine && entry.has_code &&
            !add_code(units, &entry.die, dwarf_dieoffset(&entry.die), &inlines->ranges))
            return false;
        if (walk.depth == 0)
            break;
    }
    return true;
}

const struct debug_ranges *debug_units_inlines(struct debug_units *units, const struct debug_unit *unit,
                                               Dwarf_Off function)
{
    uint64_t hash = hash_number(function);
    uint32_t index = table_find(&units->inlines_by_function, hash, is_of_function, units, &function);
    if (index != TABLE_NONE)
        return &units->inlines[index].ranges;
    if (!array_grow(&units->inlines, units->inlines_count, &units->inlines_capacity, sizeof(*units->inlines)) ||
        !table_insert(&units->inlines_by_function, hash, units->inlines_count))
        return NULL;
    struct debug_inlines *inlines = &units->inlines[units->inlines_count++];
    *inlines = (struct debug_inlines){.function = function};
    return read_inlines(units, unit, inlines) ? &inlines->ranges : NULL;
}
