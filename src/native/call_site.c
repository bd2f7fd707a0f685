/* SPDX-License-Identifier: MIT */
#include "call_site.h"

#if defined(__aarch64__)

/* BL, BLR and BLR with a pointer's authentication (Arm Architecture Reference Manual, C4.1). */
static bool is_call(uint32_t code)
{
    return code >> 26 == 0x25 || (code & 0xfffffc1f) == 0xd63f0000 || (code & 0xfefff800) == 0xd63f0800;
}

bool call_site_is(struct page_cache *cache, const struct native_module *module, remote_addr address)
{
    uint32_t code;
    return page_cache_read(cache, module, address - sizeof(code), &code, sizeof(code)) && is_call(code);
}

#else

enum {
    CALL_LEN_LIMIT = 7, /* bytes, without a prefix */
    CALL_RELATIVE = 0xe8,
    CALL_RELATIVE_LEN = 5,
    CALL_INDIRECT = 0xff, /* with 2 in the middle of its second byte */
};

/*
 * The length of an indirect call with this second byte, and third one where there is one (Intel 64 Software Developer's
 * Manual, volume 2, tables 2-2 and 2-3); 0: it is no such call.
 */
static size_t len_of_indirect(unsigned char second, unsigned char third)
{
    static const unsigned char lens_of_places[] = {0, 1, 4, 0};
    unsigned mode = second >> 6, base = second & 7;
    if ((second >> 3 & 7) != 2)
        return 0;
    if (mode == 3)
        return 2;
    bool has_index = base == 4;
    if (mode == 0 && (has_index ? (third & 7) == 5 : base == 5))
        return has_index ? 7 : 6;
    return 2U + has_index + lens_of_places[mode];
}

bool call_site_is(struct page_cache *cache, const struct native_module *module, remote_addr address)
{
    unsigned char code[CALL_LEN_LIMIT + 1] = {0}; /* what ends where it ends, and a zero */
    if (!page_cache_read(cache, module, address - CALL_LEN_LIMIT, code, CALL_LEN_LIMIT))
        return false;
    if (code[CALL_LEN_LIMIT - CALL_RELATIVE_LEN] == CALL_RELATIVE)
        return true;
    for (size_t len = 2; len <= CALL_LEN_LIMIT; len++) {
        const unsigned char *call = code + CALL_LEN_LIMIT - len;
        if (call[0] == CALL_INDIRECT && len_of_indirect(call[1], call[2]) == len)
            return true;
    }
    return false;
}

#endif
