/* SPDX-License-Identifier: MIT */
/*
 * Linux fs/binfmt_elf.c: create_elf_tables(). The end of the stack has, from low to high addresses: the count of words,
 * their addresses, a zero, the addresses of the environment, a zero, the auxiliary vector, up to some 100 bytes of
 * padding, and 16 random bytes, whose address the vector has.
 */
#include "command_line.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "core_memory.h"

#include <string.h>

enum {
    WORD = sizeof(uint64_t),
    SEARCH_LEN = 4096,       /* bytes before the random ones in which the vector ends */
    POINTER_LIMIT = 32768,   /* words of the program and of its environment; more are not looked for */
    LINE_LIMIT = 1 << 20,    /* bytes of all words */
    WORD_LIMIT = 128 * 1024, /* bytes of one: Linux include/uapi/linux/binfmts.h: MAX_ARG_STRLEN */
    STEP = 256,
    TRY_LIMIT = 16, /* places that look like the vector */
};

/* Whether the vector can be at a place: its keys are. ld.so changes some values when it starts a program. */
static bool is_vector(const struct notes *notes, const char *bytes)
{
    for (size_t at = 0; at + WORD <= notes->auxv_len; at += (size_t)2 * WORD) {
        if (memcmp(bytes + at, notes->auxv + at, WORD) != 0)
            return false;
    }
    return notes->auxv_len >= (size_t)2 * WORD;
}

/*
 * Finds the program's words among those before the vector, of which there are `count`. Returns how many, and where the
 * address of the first one is; 0 when they do not fit together.
 */
static size_t find_words(const uint64_t *pointers, size_t count, size_t *ret_first)
{
    size_t end = count - 1;
    if (count < 3 || pointers[end] != 0)
        return 0;
    do
        end--;
    while (end > 0 && pointers[end] != 0);
    size_t first = end;
    while (first > 0 && pointers[first - 1] > POINTER_LIMIT)
        first--;
    if (first == 0 || pointers[first - 1] != end - first)
        return 0;
    *ret_first = first;
    return end - first;
}

/* Appends the text at an address, as far as its NUL. */
static bool append_word(const struct core *core, remote_addr address, struct buffer *buffer)
{
    for (size_t done = 0; done < WORD_LIMIT && buffer->len < LINE_LIMIT; done += STEP) {
        char bytes[STEP];
        size_t got = core_read_dumped(core, address + done, bytes, sizeof(bytes));
        size_t len = strnlen(bytes, got);
        buffer_append(buffer, bytes, len);
        if (len < got)
            return !buffer->failed;
        if (got < sizeof(bytes))
            return false;
    }
    return false;
}

/* Reads the words that stand before a vector. */
static bool read_words_before(const struct core *core, remote_addr vector, struct buffer *buffer)
{
    size_t first, count = POINTER_LIMIT;
    const struct segment *segment = segments_find(&core->segments, vector);
    cleanup_free uint64_t *pointers = malloc(count * WORD);
    if (!segment || !pointers)
        return false;
    if ((vector - segment->start) / WORD < count)
        count = (size_t)((vector - segment->start) / WORD);
    size_t len = count * WORD;
    if (core_read_dumped(core, vector - len, pointers, len) != len)
        return false;
    size_t words = find_words(pointers, count, &first);
    buffer_clear(buffer);
    for (size_t i = 0; i < words; i++) {
        if (i > 0)
            buffer_append_char(buffer, ' ');
        if (!append_word(core, pointers[first + i], buffer))
            return false;
    }
    return words > 0;
}

bool command_line_read(const struct core *core, struct buffer *buffer)
{
    const struct notes *notes = &core->notes;
    const remote_addr end = notes->random_bytes & ~(uint64_t)(WORD - 1);
    const struct segment *segment = segments_find(&core->segments, end);
    size_t len = notes->auxv_len + SEARCH_LEN;
    cleanup_free char *bytes = malloc(len);
    if (!segment || !bytes)
        return false;
    if (len > end - segment->start)
        len = (size_t)(end - segment->start) / WORD * WORD;
    if (len < notes->auxv_len || core_read_dumped(core, end - len, bytes, len) != len)
        return false;
    int tries = TRY_LIMIT;
    for (size_t at = (len - notes->auxv_len) / WORD * WORD; at > 0 && tries > 0; at -= WORD) {
        if (!is_vector(notes, bytes + at))
            continue;
        tries--;
        if (read_words_before(core, end - len + at, buffer))
            return true;
    }
    return false;
}
