/* SPDX-License-Identifier: MIT */
/*
 * Unwind tables (.eh_frame_hdr and .eh_frame) of a file, its code, registers and a copied stack, all of them as the
 * input says: entries whose headers are right or wrong in one place, with instructions and expressions of any bytes.
 *
 * For: src/native/unwinder.c src/native/rules.c src/native/unwind_entry.c src/native/remote.c src/native/call_site.c
 * For: src/native/page_cache.c src/native/known_stacks.c src/memory/kept_stacks.c
 * Options: -max_len=1024
 */
#include "native/unwinder.h"

#include "elf_writer.h"
#include "fuzz_input.h"
#include "image/image.h"
#include "native_modules.h"

#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    CODE = 0x8000, /* where functions are in the file, and how long each is */
    FUNCTION_LEN = 0x40,
    FUNCTION_COUNT = 4,
    CODE_LEN = 0x1000,
    BIAS = 0x400000,
    OTHER_BIAS = 0x4000000,
    MADE_CODE = 0x9000000, /* of which no file tells */
    STACK = 0x7ff00000,
    STACK_WORDS = 64,
    TABLE_LEN = 4096,
    PART_LIMIT = 64, /* bytes of instructions */
    RUN_LIMIT = 4,
    /* A stack of this size has no more frames, but for those of signals, which may go anywhere. */
    FRAME_LIMIT = NATIVE_FRAME_LIMIT,
};

#if defined(__aarch64__)
enum { RETURN_COLUMN = 30, STACK_REGISTER = 31 };
#else
enum { RETURN_COLUMN = 16, STACK_REGISTER = 7 };
#endif

/* The file, which is made once. */
static struct {
    int fd;
    struct image *image;
    uint64_t table; /* in it, of its unwind tables */
} file = {.fd = -1};

static void make_file(void)
{
    static const unsigned char nothing[CODE + CODE_LEN];
    static const Elf64_Phdr all = {
        .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = CODE + CODE_LEN, .p_memsz = CODE + CODE_LEN};
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &all);
    file.table = elf_writer_section(&writer, ".eh_frame_hdr", SHT_PROGBITS, 0, nothing, CODE + CODE_LEN)->sh_offset;
    const Elf64_Phdr header = {.p_type = PT_GNU_EH_FRAME,
                               .p_flags = PF_R,
                               .p_offset = file.table,
                               .p_vaddr = file.table,
                               .p_filesz = 20,
                               .p_memsz = 20};
    elf_writer_segment(&writer, &header);
    elf_writer_finish(&writer);
    file.fd = elf_writer_open(writer.file.data, writer.file.len);
    elf_writer_deinit(&writer);
    fuzz_require(!image_open(file.fd, &file.image), "the file");
}

/* --- tables -------------------------------------------------------------------------------------------------- */

struct piece {
    unsigned char bytes[TABLE_LEN];
    size_t len;
};

static void put(struct piece *piece, const void *bytes, size_t len)
{
    if (piece->len + len > sizeof(piece->bytes))
        return;
    memcpy(piece->bytes + piece->len, bytes, len);
    piece->len += len;
}

static void put_u8(struct piece *piece, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    put(piece, &byte, sizeof(byte));
}

static void put_u32(struct piece *piece, uint64_t value)
{
    const uint32_t low = (uint32_t)value;
    put(piece, &low, sizeof(low));
}

static void set_u32(struct piece *piece, size_t at, uint64_t value)
{
    const uint32_t low = (uint32_t)value;
    if (at + sizeof(low) <= sizeof(piece->bytes))
        memcpy(piece->bytes + at, &low, sizeof(low));
}

/* Nearly always nothing. */
static uint64_t error_of(struct fuzz_input *input)
{
    uint8_t how = fuzz_byte(input);
    return how < 0xf0 ? 0 : fuzz_edge(input);
}

static void put_bytes(struct piece *piece, struct fuzz_input *input)
{
    unsigned char bytes[PART_LIMIT];
    size_t len = fuzz_below(input, sizeof(bytes));
    fuzz_fill(input, bytes, len);
    put(piece, bytes, len);
}

static void put_cie(struct piece *piece, struct fuzz_input *input)
{
    static const char *const augmentations[] = {"zR", "zR", "zRS", "zPLR", "", "eh", "zRB"};
    static const unsigned char usual[] = {0x0c, STACK_REGISTER, 8, 0x80 | RETURN_COLUMN, 1};
    uint8_t how = fuzz_byte(input);
    const char *augmentation = augmentations[how % 7];
    size_t begin = piece->len;
    put_u32(piece, 0);
    put_u32(piece, error_of(input));
    put_u8(piece, how & 0x80 ? fuzz_byte(input) : 1);
    put(piece, augmentation, strlen(augmentation) + 1);
    put_u8(piece, how & 0x40 ? fuzz_byte(input) : 1);
    put_u8(piece, how & 0x20 ? fuzz_byte(input) : 0x78); /* -8 */
    put_u8(piece, how & 0x20 ? fuzz_byte(input) : RETURN_COLUMN);
    if (strcmp(augmentation, "zPLR") == 0) {
        put_u8(piece, 7);
        put_u8(piece, how & 0x10 ? fuzz_byte(input) : 0x1b);
        put_u32(piece, fuzz_byte(input));
        put_u8(piece, how & 0x10 ? fuzz_byte(input) : 0x1b);
    } else if (augmentation[0] == 'z') {
        put_u8(piece, 1);
    }
    if (augmentation[0] == 'z')
        put_u8(piece, how & 8 ? fuzz_byte(input) : 0x04);
    put(piece, usual, sizeof(usual));
    put_bytes(piece, input);
    set_u32(piece, begin, piece->len - begin - 4 + error_of(input));
}

static void put_fde(struct piece *piece, struct fuzz_input *input, size_t cie, uint64_t function)
{
    const uint64_t start = function + BIAS, len = FUNCTION_LEN + error_of(input);
    size_t begin = piece->len;
    put_u32(piece, 0);
    put_u32(piece, begin + 4 - cie + error_of(input));
    put(piece, &start, sizeof(start));
    put(piece, &len, sizeof(len));
    put_u8(piece, 0); /* no augmentation; without a 'z' it is an instruction that does nothing */
    put_bytes(piece, input);
    set_u32(piece, begin, piece->len - begin - 4 + error_of(input));
}

static void write_tables(struct fuzz_input *input)
{
    static const unsigned char header[] = {1, 0x1b, 0x03, 0x3b};
    static struct piece piece;
    unsigned count = 1 + (unsigned)fuzz_below(input, FUNCTION_COUNT);
    piece.len = 0;
    put(&piece, header, sizeof(header));
    put_u32(&piece, error_of(input));
    put_u32(&piece, count + error_of(input));
    size_t rows = piece.len;
    for (unsigned i = 0; i < count; i++) {
        put_u32(&piece, CODE + (uint64_t)i * FUNCTION_LEN - file.table + error_of(input));
        put_u32(&piece, 0);
    }
    size_t cie = piece.len;
    put_cie(&piece, input);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && fuzz_byte(input) & 1) {
            cie = piece.len;
            put_cie(&piece, input);
        }
        set_u32(&piece, rows + 8UL * i + 4, piece.len + error_of(input));
        put_fde(&piece, input, cie, CODE + (uint64_t)i * FUNCTION_LEN);
    }
    memset(piece.bytes + piece.len, 0, sizeof(piece.bytes) - piece.len);
    fuzz_require(pwrite(file.fd, piece.bytes, sizeof(piece.bytes), (off_t)file.table) == TABLE_LEN, "write");
}

/* Calls of different kinds, and whatever else. */
static void write_code(struct fuzz_input *input)
{
    unsigned char code[FUNCTION_COUNT * FUNCTION_LEN];
    for (size_t i = 0; i < sizeof(code); i += 8)
        memcpy(code + i, (const unsigned char[8]){0x90, 0xff, 0xd7, 0xe8, 0, 0, 0, 0}, 8);
    fuzz_fill(input, code, fuzz_below(input, 32));
    fuzz_require(pwrite(file.fd, code, sizeof(code), CODE) == sizeof(code), "write");
}

/* --- stacks -------------------------------------------------------------------------------------------------- */

static uint64_t choose_word(struct fuzz_input *input)
{
    uint8_t how = fuzz_byte(input);
    switch (how >> 5) {
    case 0:
        return how;
    case 1:
        return fuzz_edge(input);
    case 2:
        return fuzz_number(input, 8);
    case 3:
        return OTHER_BIAS + CODE + how % 32;
    case 4:
        return MADE_CODE + how % 32;
    case 5:
        return STACK + (how % 32) * 16UL;
    default:
        return BIAS + CODE + (how % 64) * 4UL;
    }
}

static void fill_registers(struct fuzz_input *input, struct registers *registers)
{
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        registers->values[i] = choose_word(input);
    registers->values[REGISTER_SP] =
        fuzz_byte(input) < 0xf0 ? (uint64_t)STACK + (fuzz_byte(input) % 8) * 8UL : choose_word(input);
    registers->values[REGISTER_PC] =
        fuzz_byte(input) < 0xc0 ? (uint64_t)BIAS + CODE + fuzz_byte(input) : choose_word(input);
}

static void check(const struct native_stack *stack, const struct native_frame *frames, uint32_t count)
{
    fuzz_require(count >= 1 && count <= FRAME_LIMIT, "number of frames");
    fuzz_require(frames[0].pc == stack->registers.values[REGISTER_PC] && !frames[0].is_call, "the first frame");
    for (uint32_t i = 0; i + 1 < count; i++)
        fuzz_require(frames[i].cfa == frames[i + 1].sp, "where a frame ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint32_t number; /* of the last module */
    struct fuzz_input input = fuzz_begin(bytes, len);
    if (file.fd < 0)
        make_file();
    write_code(&input);
    write_tables(&input);
    struct native_module items[] = {
        {.number = number + 1, .path = "a", .start = BIAS + CODE, .end = BIAS + CODE + CODE_LEN, .bias = BIAS},
        {.number = number + 2, .path = "b", .start = OTHER_BIAS + CODE, .end = OTHER_BIAS + CODE + CODE_LEN},
        {.number = number + 3, .path = "", .start = MADE_CODE, .end = MADE_CODE + CODE_LEN},
    };
    number += 3;
    items[0].image = items[1].image = file.image;
    items[1].bias = OTHER_BIAS;
    struct modules modules = {.items = items, .count = 3, .jit_names = -1};
    struct unwinder *unwinder = NULL;
    fuzz_require(!unwinder_create(&modules, &unwinder), "memory");
    for (unsigned i = 0; i < RUN_LIMIT && (i == 0 || fuzz_left(&input) > 0); i++) {
        uint64_t words[STACK_WORDS] = {0};
        struct native_stack stack = {.start = STACK, .bytes = (const unsigned char *)words, .len = sizeof(words)};
        const struct native_frame *frames;
        uint32_t count;
        fill_registers(&input, &stack.registers);
        for (size_t k = 0; k < STACK_WORDS && fuzz_left(&input) > 0; k++)
            words[k] = choose_word(&input);
        stack.len -= fuzz_below(&input, 16);
        unwinder_run(unwinder, &stack, &frames, &count);
        check(&stack, frames, count);
    }
    unwinder_destroy(unwinder);
    return 0;
}
