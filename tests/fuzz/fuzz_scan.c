/* SPDX-License-Identifier: MIT */
/*
 * The data of a file in which an interpreter, its debug offsets, its version and tables of methods are looked for: what
 * is right is put there for the version that byte 0 chooses, and then words of it are changed as the input says.
 *
 * For: src/python/scan.c src/python/version_search.c src/python/debug_offsets.c src/python/runtime.c
 * For: src/python/data_reader.c src/python/c_methods.c src/python/layout.c src/python/accessor.c src/python/version.c
 * Options: -max_len=1024
 */
#include "base/cleanup.h"
#include "elf_writer.h"
#include "fake_memory.h"
#include "fuzz_input.h"
#include "hostile_memory.h"
#include "image/loaded_image.h"
#include "python/c_methods.h"
#include "python/layout.h"
#include "python/runtime.h"
#include "python_debug_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    LEN = 0x7000,
    RUNTIME = 0x1000,
    INTERPRETER = 0x2000,
    THREAD = 0x5000,
    MODULES = 0x5800,
    DICT_TYPE = 0x5900,
    NAME = 0x5a00,
    TEXT = 0x5b00,
    METHODS = 0x6000,
    ACCESSOR = 0x6800,
    WORD_LEN = sizeof(uint64_t),
    TEXT_LIMIT = 96,
    STEP_LIMIT = 64,
    PIECE_LIMIT = 1000000,
};

static const remote_addr BASE = 0x7f0000000000;

/* One input. */
struct scene {
    struct fuzz_input input;
    const struct layout *layout;
    struct fake_memory fake;
    struct hostile_memory hostile;
    struct maps maps;
    struct python_data data;
    unsigned char bytes[LEN];
};

/* Files with different symbols, which are made once: of 3.7 and later, of older ones, and stripped. */
enum { IMAGE_COUNT = 3 };

static struct image *images[IMAGE_COUNT];

static struct image *make_image(const struct elf_symbol *symbols, size_t count)
{
    static const Elf64_Phdr data = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_memsz = LEN};
    struct elf_writer writer;
    struct image *image = NULL;
    elf_writer_init(&writer, ET_DYN);
    elf_writer_segment(&writer, &data);
    elf_writer_symbols(&writer, ".dynsym", symbols, count);
    elf_writer_finish(&writer);
    cleanup_fd int fd = elf_writer_open(writer.file.data, writer.file.len);
    fuzz_require(!image_open(fd, &image), "the file");
    elf_writer_deinit(&writer);
    return image;
}

static void make_images(void)
{
    static const struct elf_symbol symbols[] = {
        {"_PyRuntime", RUNTIME, 600, 0},
        {"PyCode_Type", DICT_TYPE, 400, 0},
        {"Py_GetVersion", ACCESSOR, 16, 0},
        {"Py_Version", NAME + 64, 8, 0},
    };
    static const struct elf_symbol old_symbols[] = {
        {"PyInterpreterState_Head", ACCESSOR, 16, 0},
        {"Py_GetVersion", ACCESSOR, 16, 0},
        {"_PyThreadState_Current", RUNTIME + 8, 8, 0},
    };
    images[0] = make_image(symbols, array_size(symbols));
    images[1] = make_image(old_symbols, array_size(old_symbols));
    images[2] = make_image(old_symbols, 0);
}

static void put(struct scene *scene, uint64_t offset, uint64_t value)
{
    if (offset + sizeof(value) <= LEN)
        memcpy(scene->bytes + offset, &value, sizeof(value));
}

static void put_interpreter(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    put(scene, INTERPRETER + layout->interpreter.threads_head, BASE + THREAD);
    put(scene, INTERPRETER + layout->interpreter.modules, BASE + MODULES);
    put(scene, THREAD + layout->thread.interpreter, BASE + INTERPRETER);
    put(scene, MODULES + layout->object.type, BASE + DICT_TYPE);
    put(scene, DICT_TYPE + layout->object.type + 16, BASE + NAME);
    memcpy(scene->bytes + NAME, "dict", 5);
    put(scene, RUNTIME + layout->runtime.interpreters_head, BASE + INTERPRETER);
    put(scene, RUNTIME + layout->runtime.interpreters_head + 8, BASE + INTERPRETER);
}

static void put_version(struct scene *scene)
{
    snprintf((char *)scene->bytes + TEXT, TEXT_LIMIT, "%u.%u.%u (main, Jan  1 2024, 10:00:00) [GCC 12.2.0]",
             scene->layout->version >> 8U, scene->layout->version & 255U, fuzz_byte(&scene->input) % 20U);
    put(scene, NAME + 64, (uint64_t)scene->layout->version << 16 | 0xf0);
    /* x86-64: mov rax, [rip - distance]; ret */
    const int32_t distance = RUNTIME - ACCESSOR - 7;
    memcpy(scene->bytes + ACCESSOR, (const unsigned char[]){0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xc3}, 8);
    memcpy(scene->bytes + ACCESSOR + 3, &distance, sizeof(distance));
}

/* A table of a method, one of a property, and a module and a type that have them. */
static void put_methods(struct scene *scene)
{
    const uint64_t text = BASE + TEXT + TEXT_LIMIT, code = BASE + LEN;
    memcpy(scene->bytes + TEXT + TEXT_LIMIT, "sleep", 6);
    const uint64_t methods[] = {text, code + 16, 1, 0, 0, 0, 0, 0};
    const uint64_t properties[] = {text, code + 32, code + 48, 0, 0, 0, 0, 0, 0, 0};
    const uint64_t module[] = {1, 0, 0, 0, 0, text, 0, 64, BASE + METHODS, 0};
    const uint64_t slots[] = {52, code + 64, 64, BASE + METHODS, 0, 0};
    const uint64_t specification[] = {text, 0x40, 0, BASE + METHODS + 0x180};
    memcpy(scene->bytes + METHODS, methods, sizeof(methods));
    memcpy(scene->bytes + METHODS + 0x80, properties, sizeof(properties));
    memcpy(scene->bytes + METHODS + 0x100, module, sizeof(module));
    memcpy(scene->bytes + METHODS + 0x180, slots, sizeof(slots));
    memcpy(scene->bytes + METHODS + 0x1c0, specification, sizeof(specification));
    put(scene, METHODS + 0x200 + 3 * WORD_LEN, text);
    put(scene, METHODS + 0x200 + 4 * WORD_LEN, 40);
    put(scene, METHODS + 0x200 + 29 * WORD_LEN, BASE + METHODS);
    put(scene, METHODS + 0x200 + 31 * WORD_LEN, BASE + METHODS + 0x80);
}

static void put_debug_table(struct scene *scene, enum debug_table_build build)
{
    struct debug_table table;
    debug_table_init(&table, build);
    memcpy(scene->bytes + RUNTIME, table.bytes, table.len);
}

static uint64_t choose_word(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    switch (how >> 6) {
    case 0:
        return how * 4U;
    case 1:
        return fuzz_edge(&scene->input);
    case 2:
        return fuzz_number(&scene->input, WORD_LEN);
    default:
        return BASE + fuzz_below(&scene->input, LEN + 256);
    }
}

static void change_something(struct scene *scene)
{
    static const uint16_t places[] = {0, RUNTIME, INTERPRETER, THREAD, MODULES, DICT_TYPE, TEXT, METHODS, ACCESSOR};
    uint8_t how = fuzz_byte(&scene->input);
    uint64_t at = places[how % array_size(places)] + fuzz_byte(&scene->input) * 4ULL;
    if (how & 0x80)
        fuzz_fill(&scene->input, scene->bytes + at, fuzz_below(&scene->input, 64));
    else
        put(scene, at, choose_word(scene));
}

/* --- what is looked for -------------------------------------------------------------------------------------- */

/* Everything that is read into a buffer of a known length has to lie in it. */
static void check_layout(const struct layout *layout)
{
    fuzz_require(layout->frame.size <= LAYOUT_FRAME_LEN && layout->code.size <= LAYOUT_CODE_LEN, "sizes");
    fuzz_require(layout->frame.code + WORD_LEN <= layout->frame.size &&
                     layout->frame.previous + WORD_LEN <= layout->frame.size &&
                     layout->frame.instruction + sizeof(uint32_t) <= layout->frame.size,
                 "fields of a frame");
    fuzz_require(layout->code.filename + WORD_LEN <= layout->code.size &&
                     layout->code.name + WORD_LEN <= layout->code.size &&
                     layout->code.line_table + WORD_LEN <= layout->code.size &&
                     layout->code.first_line + sizeof(uint32_t) <= layout->code.size,
                 "fields of a code object");
    fuzz_require((layout->dict.indices == LAYOUT_NONE || layout->dict.indices <= LAYOUT_KEYS_LEN) &&
                     layout->thread.next + WORD_LEN <= LAYOUT_THREAD_LEN &&
                     layout->thread.interpreter + WORD_LEN <= LAYOUT_THREAD_LEN &&
                     layout->thread.id + WORD_LEN <= LAYOUT_THREAD_LEN,
                 "fields of a thread");
}

static void check_runtime(struct scene *scene, struct error *error, struct python_runtime *runtime)
{
    cleanup_error struct error *failed = error;
    if (!failed) {
        char text[PYTHON_VERSION_TEXT_LEN];
        check_layout(runtime->layout);
        python_version_format(&runtime->version, text);
        python_runtime_is_ready(runtime, &scene->hostile.memory);
    }
    python_runtime_deinit(runtime);
}

static void look(struct scene *scene, struct image *image)
{
    struct python_runtime runtime = {0};
    struct memory *memory = &scene->hostile.memory;
    python_is_in_data(&scene->data, memory);
    check_runtime(scene, python_runtime_scan(&scene->data, &scene->maps, memory, &runtime), &runtime);
    struct loaded_image loaded = {.image = image, .path = (char[]){"/usr/bin/python3.8"}, .bias = BASE};
    runtime = (struct python_runtime){0};
    check_runtime(scene, python_runtime_find(&loaded, memory, &runtime), &runtime);
}

static void look_for_methods(struct scene *scene)
{
    cleanup_c_methods struct c_methods *methods = NULL;
    fuzz_require(!c_methods_create(&scene->hostile.memory, &scene->maps, &scene->data, &methods), "memory");
    for (unsigned i = 0; i < 16; i++) {
        const char *name = c_methods_find(methods, BASE + LEN + i * 16ULL);
        for (const char *at = name; at && *at != '\0'; at++)
            fuzz_require((unsigned char)*at > ' ' && (unsigned char)*at < 0x7f, "name of a method");
    }
}

static void scene_init(struct scene *scene, const uint8_t *bytes, size_t len)
{
    static const char format[] =
        "%lx-%lx rw-p 00000000 fd:00 1 /opt/python3.8\n%lx-%lx r-xp 00100000 fd:00 1 /opt/python3.8\n";
    const unsigned long start = (unsigned long)BASE, end = start + LEN;
    char line[256];
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    memset(scene, 0, sizeof(*scene));
    scene->input = fuzz_begin(bytes, len);
    uint8_t layout = fuzz_byte(&scene->input);
    scene->layout = &layouts[layout % count];
    fake_memory_init(&scene->fake);
    fake_memory_map(&scene->fake, BASE, scene->bytes, LEN);
    hostile_memory_init(&scene->hostile, &scene->fake.memory);
    scene->hostile.piece_limit = PIECE_LIMIT;
    snprintf(line, sizeof(line), format, start, end, end, end + 4096);
    fuzz_require(!maps_init(&scene->maps, line, strlen(line)), "maps");
    python_data_of_mapping(&scene->maps, &scene->maps.mappings[0], &scene->data);
    put_version(scene);
    put_interpreter(scene);
    put_methods(scene);
    if (layout & 0x80)
        put_debug_table(scene, layout % DEBUG_TABLE_BUILD_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct scene scene;
    if (!images[0])
        make_images();
    scene_init(&scene, bytes, len);
    uint8_t how = fuzz_byte(&scene.input);
    scene.hostile.world = how >> 4 < WORLD_COUNT ? how >> 4 : WORLD_FAULTS;
    for (unsigned i = 0; i < STEP_LIMIT && fuzz_left(&scene.input) > 0; i++)
        change_something(&scene);
    if (how & 1)
        look_for_methods(&scene);
    else
        look(&scene, images[(how >> 1) % IMAGE_COUNT]);
    maps_deinit(&scene.maps);
    return 0;
}
