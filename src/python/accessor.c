/* SPDX-License-Identifier: MIT */
#include "accessor.h"

#include "image/loaded_image.h"

#include <stdint.h>
#include <string.h>

/* x86-64: mov rax, [rip + distance]; ret, perhaps behind endbr64. What gcc and clang make of `return variable;`. */
static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
static const unsigned char load[] = {0x48, 0x8b, 0x05};

enum { LOAD_LEN = sizeof(load) + sizeof(int32_t), RETURN = 0xc3 };

remote_addr accessor_find(const struct loaded_image *image, const char *function, struct memory *memory)
{
    unsigned char code[sizeof(endbr64) + LOAD_LEN + 1];
    remote_addr address = loaded_image_find(image, function);
    if (address == 0 || memory_read(memory, address, code, sizeof(code)) != MEMORY_OK)
        return 0;
    size_t start = memcmp(code, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64) : 0;
    if (memcmp(code + start, load, sizeof(load)) != 0 || code[start + LOAD_LEN] != RETURN)
        return 0;
    int32_t distance;
    memcpy(&distance, code + start + sizeof(load), sizeof(distance));
    return address + start + LOAD_LEN + (remote_addr)(int64_t)distance;
}
