/* SPDX-License-Identifier: MIT */
/*
 * Collapsed stacks.
 *
 * For: src/formats/import_collapsed.c src/formats/collapsed_text.c src/formats/imported.c src/formats/import.c
 * Options: -max_len=2048
 */
#include "formats_imports.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    imports_try((const char *)bytes, len, len > 0 && (bytes[0] == 0x93 || bytes[0] == 0x1f));
    return 0;
}
