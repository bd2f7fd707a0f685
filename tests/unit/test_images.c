/* SPDX-License-Identifier: MIT */
/*
 * Replays the images of tests/images, which were made of real interpreters and whose stacks are what the interpreter
 * itself said; then breaks their memory in thousands of small ways, the same ones in each run. Whatever is broken,
 * reading ends within a number of reads, and when the memory is whole again, so are the stacks.
 *
 *     test_images                      everything
 *     test_images IMAGE break NUMBER   only this one: what a failure or a crash names
 *     test_images IMAGE lie NUMBER
 *     test_images IMAGE astray NUMBER
 */
#include "python_image.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "python/stack.h"
#include "python/walk.h"

#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    IMAGES_AT_LEAST = 14,  /* that are known to be there */
    MUTATION_COUNT = 1000, /* of each image */
    EXPERIENCED_STEP = 4,  /* of which one in so many is met by a reader that knew the memory whole */
    WHOLE_PIECE_LIMIT = 2000,
    BROKEN_PIECE_LIMIT = 2 * WHOLE_PIECE_LIMIT,
    WORD_LEN = sizeof(uint64_t),
    ZEROES_LIMIT = 256,
    LIE_COUNT = 9,      /* about each debug offset */
    ASTRAY_STEP = 7,    /* of the pointers, one in so many is tried */
    WORLD = 0x10000000, /* where nothing was recorded */
    /* The longest thing that there is to read is a dict, and a thread's name takes a few of them. */
    ASTRAY_PIECE_LIMIT = 3000000,
};

/* A word of an image that holds the address of recorded memory. */
struct pointer {
    uint32_t block;
    size_t offset;
};

/* An image, and what it takes to break and mend it. */
struct subject {
    const char *path;
    struct python_image image;
    struct python_image whole; /* the same; never changed */
    struct pointer *pointers;
    uint32_t pointer_count, pointer_capacity;
    uint64_t random;
    struct buffer stacks; /* of the last walk */
};

/* --- images -------------------------------------------------------------------------------------------------- */

static void load(const char *path, struct python_image *ret)
{
    cleanup_file FILE *file = fopen(path, "r");
    assert_non_null(file);
    cleanup_error struct error *error = python_image_load(file, ret);
    if (error)
        fail_msg("%s: %s", path, error->sentence);
}

static uint64_t read_word(const struct recorded_block *block, size_t offset)
{
    uint64_t word;
    memcpy(&word, block->bytes + offset, sizeof(word));
    return word;
}

/* The block that holds an address, or NULL. */
static struct recorded_block *find_recorded(const struct recorded_memory *memory, remote_addr address)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        if (address - memory->blocks[i].address < memory->blocks[i].len)
            return &memory->blocks[i];
    }
    return NULL;
}

static void find_pointers(struct subject *subject)
{
    const struct recorded_memory *memory = &subject->image.memory;
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct recorded_block *block = &memory->blocks[i];
        for (size_t at = (size_t)(-block->address % WORD_LEN); at + WORD_LEN <= block->len; at += WORD_LEN) {
            if (!find_recorded(memory, read_word(block, at)))
                continue;
            assert_true(array_grow(&subject->pointers, subject->pointer_count, &subject->pointer_capacity,
                                   sizeof(*subject->pointers)));
            subject->pointers[subject->pointer_count++] = (struct pointer){i, at};
        }
    }
    assert_true(subject->pointer_count > 100);
}

static void subject_init(struct subject *subject, const char *path)
{
    *subject = (struct subject){.path = path};
    load(path, &subject->image);
    load(path, &subject->whole);
    find_pointers(subject);
}

static void subject_deinit(struct subject *subject)
{
    python_image_deinit(&subject->image);
    python_image_deinit(&subject->whole);
    free(subject->pointers);
    buffer_deinit(&subject->stacks);
}

static glob_t images;

/* Does something with each image. */
static void for_each_image(void (*test)(struct subject *subject))
{
    for (size_t i = 0; i < images.gl_pathc; i++) {
        struct subject subject;
        subject_init(&subject, images.gl_pathv[i]);
        test(&subject);
        subject_deinit(&subject);
    }
}

/* --- whole images -------------------------------------------------------------------------------------------- */

static void check_stacks(struct subject *subject, struct python *python)
{
    uint64_t before = subject->image.memory.pieces;
    assert_int_equal(python_image_walk(&subject->image, python, &subject->stacks), 0);
    assert_string_equal(buffer_text(&subject->stacks), buffer_text(&subject->whole.stacks));
    assert_in_range(subject->image.memory.pieces - before, 1, WHOLE_PIECE_LIMIT);
}

static void replay(struct subject *subject)
{
    cleanup_python struct python *python = NULL;
    cleanup_error struct error *error = python_image_open(&subject->image, &python);
    if (error)
        fail_msg("%s: %s", subject->path, error->sentence);
    check_stacks(subject, python);
    check_stacks(subject, python);
}

static void an_image_gives_the_stacks_of_its_process(void **state)
{
    (void)state;
    assert_true(images.gl_pathc >= IMAGES_AT_LEAST);
    for_each_image(replay);
}

static void save_again(struct subject *subject)
{
    cleanup_free char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    assert_non_null(file);
    python_image_save(&subject->image, file);
    assert_int_equal(fclose(file), 0);

    cleanup_free char *original = malloc(len + 1);
    cleanup_file FILE *image = fopen(subject->path, "r");
    assert_true(original && image);
    assert_int_equal(fread(original, 1, len + 1, image), len);
    assert_memory_equal(text, original, len);
}

static void an_image_is_written_as_it_was_read(void **state)
{
    (void)state;
    for_each_image(save_again);
}

/* --- broken images ------------------------------------------------------------------------------------------- */

/* Steele, Lea and Flood's splitmix64: small, and the same everywhere. */
static uint64_t next_random(struct subject *subject)
{
    uint64_t mixed = subject->random += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

static size_t random_below(struct subject *subject, size_t limit)
{
    return (size_t)(next_random(subject) % limit);
}

static struct recorded_block *random_block(struct subject *subject)
{
    return &subject->image.memory.blocks[random_below(subject, subject->image.memory.count)];
}

static void write_word(struct recorded_block *block, size_t offset, uint64_t word)
{
    memcpy(block->bytes + offset, &word, sizeof(word));
}

static void flip_bit(struct subject *subject)
{
    struct recorded_block *block = random_block(subject);
    block->bytes[random_below(subject, block->len)] ^= (unsigned char)(1 << random_below(subject, 8));
}

static void change_byte(struct subject *subject)
{
    struct recorded_block *block = random_block(subject);
    block->bytes[random_below(subject, block->len)] = (unsigned char)next_random(subject);
}

/* A number that lies at the edge of something. */
static uint64_t edge(struct subject *subject)
{
    static const uint64_t edges[] = {0, 1, 255, UINT16_MAX, 1 << 20, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    uint64_t number = edges[random_below(subject, array_size(edges))] + random_below(subject, 3);
    return random_below(subject, 2) ? number : -number;
}

static void change_word(struct subject *subject)
{
    struct recorded_block *block = random_block(subject);
    uint64_t word = edge(subject);
    size_t len = block->len < WORD_LEN || random_below(subject, 2) ? sizeof(uint32_t) : sizeof(word);
    if (block->len >= len)
        memcpy(block->bytes + random_below(subject, block->len / len) * len, &word, len);
}

static void zero_bytes(struct subject *subject)
{
    struct recorded_block *block = random_block(subject);
    size_t start = random_below(subject, block->len), len = 1 + random_below(subject, ZEROES_LIMIT);
    memset(block->bytes + start, 0, len < block->len - start ? len : block->len - start);
}

static void cut_block(struct subject *subject)
{
    struct recorded_block *block = random_block(subject);
    block->len = random_below(subject, block->len);
}

static struct pointer random_pointer(struct subject *subject)
{
    return subject->pointers[random_below(subject, subject->pointer_count)];
}

/* Lets a pointer point to the struct that it is in, or to itself. */
static void make_circle(struct subject *subject)
{
    struct pointer pointer = random_pointer(subject);
    struct recorded_block *block = &subject->image.memory.blocks[pointer.block];
    write_word(block, pointer.offset, block->address + (random_below(subject, 2) ? 0 : pointer.offset));
}

/* Lets a pointer point to what another one points to, or a little beside that. */
static void point_elsewhere(struct subject *subject)
{
    struct pointer to = random_pointer(subject), from = random_pointer(subject);
    struct recorded_block *blocks = subject->image.memory.blocks;
    uint64_t address = read_word(&blocks[from.block], from.offset);
    if (random_below(subject, 4) == 0)
        address += edge(subject);
    write_word(&blocks[to.block], to.offset, address);
}

static void swap_pointers(struct subject *subject)
{
    struct pointer a = random_pointer(subject), b = random_pointer(subject);
    struct recorded_block *blocks = subject->image.memory.blocks;
    uint64_t word = read_word(&blocks[a.block], a.offset);
    write_word(&blocks[a.block], a.offset, read_word(&blocks[b.block], b.offset));
    write_word(&blocks[b.block], b.offset, word);
}

static void (*const mutations[])(struct subject *subject) = {
    flip_bit, change_byte, change_word, zero_bytes, cut_block, make_circle, make_circle, point_elsewhere, swap_pointers,
};

static void mutate(struct subject *subject, unsigned mutation)
{
    subject->random = mutation;
    mutations[mutation % array_size(mutations)](subject);
}

static void mend(struct subject *subject)
{
    for (uint32_t i = 0; i < subject->whole.memory.count; i++) {
        const struct recorded_block *whole = &subject->whole.memory.blocks[i];
        subject->image.memory.blocks[i].len = whole->len;
        memcpy(subject->image.memory.blocks[i].bytes, whole->bytes, whole->len);
    }
}

/* What is under way, for whoever looks after a crash. */
static struct {
    const char *path, *what;
    unsigned number;
} current;

static void set_current(const struct subject *subject, const char *what, unsigned number)
{
    current.path = subject->path;
    current.what = what;
    current.number = number;
}

#ifdef __SANITIZE_ADDRESS__
static void say_what_crashed(void)
{
    if (current.path)
        fprintf(stderr, "it was: test_images %s %s %u\n", current.path, current.what, current.number);
}
#endif

/* Reads what is broken; what comes out does not matter. */
static void walk_broken(struct subject *subject, struct python *python)
{
    uint64_t before = subject->image.memory.pieces;
    uint64_t limit = subject->image.memory.source ? ASTRAY_PIECE_LIMIT : BROKEN_PIECE_LIMIT;
    python_image_walk(&subject->image, python, &subject->stacks);
    uint64_t pieces = subject->image.memory.pieces - before;
    if (pieces > limit)
        fail_msg("test_images %s %s %u: %" PRIu64 " reads", current.path, current.what, current.number, pieces);
}

/* A reader that meets broken memory first. */
static void walk_afresh(struct subject *subject)
{
    cleanup_python struct python *python = NULL;
    cleanup_error struct error *error = python_image_open(&subject->image, &python);
    if (!error)
        walk_broken(subject, python);
}

/* With a reader that knows the memory as it was, or with a new one. */
static void break_and_mend(struct subject *subject, struct python *experienced, unsigned mutation)
{
    set_current(subject, "break", mutation);
    mutate(subject, mutation);
    if (experienced)
        walk_broken(subject, experienced);
    else
        walk_afresh(subject);
    mend(subject);
    current.path = NULL;
}

static struct python *open_whole(struct subject *subject)
{
    struct python *python = NULL;
    cleanup_error struct error *error = python_image_open(&subject->image, &python);
    assert_null(error);
    check_stacks(subject, python);
    return python;
}

static void break_in_many_ways(struct subject *subject)
{
    cleanup_python struct python *experienced = open_whole(subject);
    for (unsigned mutation = 0; mutation < MUTATION_COUNT; mutation++) {
        bool is_afresh = mutation % EXPERIENCED_STEP != 0;
        break_and_mend(subject, is_afresh ? NULL : experienced, mutation);
        if (!is_afresh)
            check_stacks(subject, experienced);
    }
}

static void a_broken_image_is_read_to_an_end(void **state)
{
    (void)state;
    for_each_image(break_in_many_ways);
}

/* --- images in an endless world ------------------------------------------------------------------------------ */

/* What words hold that were not recorded. */
enum world { ZEROES, ONES, OWN_ADDRESS, NEXT_ADDRESS, WORLD_COUNT };

struct endless_memory {
    struct memory memory;
    enum world world;
};

static uint64_t word_of_world(enum world world, remote_addr address)
{
    switch (world) {
    case ZEROES:
        return 0;
    case ONES:
        return UINT64_MAX;
    case OWN_ADDRESS:
        return address;
    case NEXT_ADDRESS:
    case WORLD_COUNT:
        break;
    }
    return address + 4096;
}

static enum memory_status read_world(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                     size_t *ret_done)
{
    enum world world = ((struct endless_memory *)memory)->world;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        const struct memory_piece *piece = &pieces[*ret_done];
        unsigned char *to = piece->destination;
        for (size_t i = 0; i < piece->len; i++) {
            remote_addr at = piece->address + i;
            to[i] = (unsigned char)(word_of_world(world, at & -(remote_addr)WORD_LEN) >> 8 * (at % WORD_LEN));
        }
    }
    return MEMORY_OK;
}

static const struct memory_ops endless_ops = {.read = read_world};

static void walk_in_world(struct subject *subject, struct endless_memory *endless)
{
    subject->image.memory.source = &endless->memory;
    subject->image.memory.is_complete = true;
    walk_afresh(subject);
    subject->image.memory.source = NULL;
    mend(subject);
    current.path = NULL;
}

/* Lets a pointer lead to where nothing ever faults. */
static void lead_astray(struct subject *subject, unsigned number)
{
    struct endless_memory endless = {.memory = {.ops = &endless_ops}, .world = number % WORLD_COUNT};
    struct pointer pointer = subject->pointers[number % subject->pointer_count];
    set_current(subject, "astray", number);
    /* The low bits, where a struct reads its own address, say what kind of text it is. */
    write_word(&subject->image.memory.blocks[pointer.block], pointer.offset, WORLD + number % 64 * WORD_LEN);
    walk_in_world(subject, &endless);
}

static void lead_many_astray(struct subject *subject)
{
    for (unsigned number = 0; number < subject->pointer_count; number += ASTRAY_STEP)
        lead_astray(subject, number);
}

static void a_pointer_that_leads_astray_ends_as_well(void **state)
{
    (void)state;
    for_each_image(lead_many_astray);
}

/* A number that a debug offset may claim to be. */
static uint64_t lie_about(uint64_t truth, unsigned number)
{
    static const uint64_t lies[] = {0, 249, 1000, UINT16_MAX - 1, UINT64_MAX};
    static const int moves[LIE_COUNT - array_size(lies)] = {-24, -8, 8, 64};
    return number < array_size(lies) ? lies[number] : truth + (uint64_t)(int64_t)moves[number - array_size(lies)];
}

/* Debug offsets, from 3.13 on, tell where everything lies. Where they are in an image, or NULL. */
static struct recorded_block *find_debug_offsets(const struct subject *subject)
{
    static const char cookie[] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};
    struct recorded_block *table = find_recorded(&subject->image.memory, subject->image.runtime.address);
    bool is_one = table && table->len >= sizeof(cookie) && memcmp(table->bytes, cookie, sizeof(cookie)) == 0;
    return is_one ? table : NULL;
}

/* Lets one of the offsets say something else. */
static void lie(struct subject *subject, struct recorded_block *table, unsigned number)
{
    struct endless_memory endless = {.memory = {.ops = &endless_ops}, .world = number / LIE_COUNT % WORLD_COUNT};
    size_t offset = number / LIE_COUNT * WORD_LEN;
    set_current(subject, "lie", number);
    write_word(table, offset, lie_about(read_word(table, offset), number % LIE_COUNT));
    walk_in_world(subject, &endless);
}

static void lie_often(struct subject *subject)
{
    struct recorded_block *table = find_debug_offsets(subject);
    for (unsigned number = 0; table && number < table->len / WORD_LEN * LIE_COUNT; number++)
        lie(subject, table, number);
}

static void debug_offsets_that_lie_do_no_harm(void **state)
{
    (void)state;
    for_each_image(lie_often);
}

/* --- what is no image ---------------------------------------------------------------------------------------- */

static void check_refused(const char *text, const char *sentence)
{
    cleanup_python_image struct python_image image = {0};
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    cleanup_error struct error *error = python_image_load(file, &image);
    fclose(file);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_string_equal(error->sentence, sentence);
}

static void what_is_no_image_is_refused(void **state)
{
    (void)state;
    check_refused("\n", "line 1 of the image is not understood");
    check_refused("pyspyc image 2\n", "line 1 of the image is not understood");
    check_refused("pyspyc image 1\nmajor x\n", "line 2 of the image is not understood");
    check_refused("pyspyc image 1\nflavour 1\n", "line 2 of the image is not understood");
    check_refused("pyspyc image 1\nruntime xyz\n", "line 2 of the image is not understood");
    check_refused("pyspyc image 1\n\nstacks\n", "line 3 of the image is not understood");
    check_refused("pyspyc image 1\n\nmaps\n\nstacks\n", "line 7 of the image is not understood");
    check_refused("pyspyc image 1\n\nmaps\n\nstacks\n\nmemory\n10\n", "line 8 of the image is not understood");
    check_refused("pyspyc image 1\n\nmaps\n\nstacks\n\nmemory\n10 0\n", "line 8 of the image is not understood");
    check_refused("pyspyc image 1\n\nmaps\n\nstacks\n\nmemory\n10 00 \n", "line 8 of the image is not understood");
    check_refused("pyspyc image 1\n\nmaps\n\nstacks\n\nmemory\nffffffffffffffff ..\n",
                  "line 8 of the image is not understood");
}

static int run_one(const char *path, const char *what, unsigned number)
{
    struct subject subject;
    subject_init(&subject, path);
    struct python *experienced = open_whole(&subject);
    if (strcmp(what, "astray") == 0)
        lead_astray(&subject, number);
    else if (strcmp(what, "lie") == 0)
        lie(&subject, find_debug_offsets(&subject), number);
    else
        break_and_mend(&subject, number % EXPERIENCED_STEP != 0 ? NULL : experienced, number);
    printf("%s", buffer_text(&subject.stacks));
    python_destroy(experienced);
    subject_deinit(&subject);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_gives_the_stacks_of_its_process),
        cmocka_unit_test(an_image_is_written_as_it_was_read),
        cmocka_unit_test(a_broken_image_is_read_to_an_end),
        cmocka_unit_test(debug_offsets_that_lie_do_no_harm),
        cmocka_unit_test(a_pointer_that_leads_astray_ends_as_well),
        cmocka_unit_test(what_is_no_image_is_refused),
    };
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(say_what_crashed);
#endif
    if (argc == 4)
        return run_one(argv[1], argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    if (glob(IMAGES_FOLDER "/*.image", 0, NULL, &images) != 0)
        fprintf(stderr, "there are no images in %s\n", IMAGES_FOLDER);
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    globfree(&images);
    return failures;
}
