/* SPDX-License-Identifier: MIT */
#include "hostile_memory.h"

#include "fuzz_input.h"

#include <string.h>

enum { WORD_LEN = sizeof(uint64_t), NEXT = 4096, WORLD_PIECE_LIMIT = 65536 };

static uint64_t word_of_world(enum hostile_world world, remote_addr address)
{
    switch (world) {
    case WORLD_ONES:
        return UINT64_MAX;
    case WORLD_OWN_ADDRESS:
        return address;
    case WORLD_NEXT_ADDRESS:
        return address + NEXT;
    case WORLD_FAULTS:
    case WORLD_ZEROES:
    case WORLD_COUNT:
        break;
    }
    return 0;
}

static void fill_with_world(enum hostile_world world, const struct memory_piece *piece)
{
    unsigned char *to = piece->destination;
    if (world == WORLD_ZEROES || world == WORLD_ONES) {
        memset(to, world == WORLD_ONES ? 0xff : 0, piece->len);
        return;
    }
    for (size_t i = 0; i < piece->len; i++) {
        remote_addr at = piece->address + i;
        to[i] = (unsigned char)(word_of_world(world, at & -(remote_addr)WORD_LEN) >> 8 * (at % WORD_LEN));
    }
}

static enum memory_status read_hostile(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                       size_t *ret_done)
{
    struct hostile_memory *hostile = (struct hostile_memory *)memory;
    memory->remote_reads++;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        const struct memory_piece *piece = &pieces[*ret_done];
        if (hostile->pieces++ == hostile->change_at && hostile->change)
            hostile->change(hostile->context);
        fuzz_require(hostile->piece_limit == 0 || hostile->pieces <= hostile->piece_limit, "number of reads");
        enum memory_status status = memory_read(hostile->source, piece->address, piece->destination, piece->len);
        if (status != MEMORY_OK && (hostile->world == WORLD_FAULTS || piece->len > WORLD_PIECE_LIMIT))
            return status;
        if (status != MEMORY_OK)
            fill_with_world(hostile->world, piece);
    }
    return MEMORY_OK;
}

static const void *view_source(struct memory *memory, remote_addr address, size_t len)
{
    const struct hostile_memory *hostile = (const struct hostile_memory *)memory;
    return hostile->has_views ? memory_view(hostile->source, address, len) : NULL;
}

static const struct memory_ops hostile_ops = {.read = read_hostile, .view = view_source};

void hostile_memory_init(struct hostile_memory *hostile, struct memory *source)
{
    *hostile = (struct hostile_memory){.memory = {.ops = &hostile_ops}, .source = source};
}
