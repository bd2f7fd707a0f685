/* SPDX-License-Identifier: MIT */
/*
 * Names as linkers have them. What comes of one has a limited length.
 *
 * For: src/native/symbol_name.c
 * Options: -max_len=4200
 */
#include "native/symbol_name.h"

#include "base/cleanup.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    cleanup_free char *symbol = input_string(bytes, len);
    cleanup_buffer struct buffer name = {0};
    symbol_name_append(symbol, &name);
    check(name.len <= (len > SYMBOL_NAME_LIMIT ? len : SYMBOL_NAME_LIMIT) && !name.failed);
    symbol_is_of_cython(symbol);
    return 0;
}
