/* SPDX-License-Identifier: MIT */
/*
 * The text of a maps file. Mappings have to ascend and not overlap, and each has to be found by its addresses.
 *
 * For: src/memory/maps.c
 * Options: -max_len=4096
 */
#include "memory/maps.h"

#include "base/cleanup.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    cleanup_maps struct maps maps = {0};
    cleanup_error struct error *error = maps_init(&maps, (const char *)bytes, len);
    for (uint32_t i = 0; !error && i < maps.count; i++) {
        const struct mapping *mapping = &maps.mappings[i];
        check(mapping->start < mapping->end && (i == 0 || mapping[-1].end <= mapping->start));
        check(maps_find(&maps, mapping->start) == mapping && maps_find(&maps, mapping->end - 1) == mapping);
        check(maps_find(&maps, mapping->end) != mapping);
        const struct mapping *code = maps_find_code(&maps, mapping);
        check(code == mapping || (code->executable && mapping_is_same_file(code, mapping)));
        check(strlen(mapping_name(mapping)) <= strlen(mapping->path) && strlen(mapping->path) <= len);
    }
    maps_find(&maps, 0);
    maps_find(&maps, UINT64_MAX);
    return 0;
}
