/* SPDX-License-Identifier: MIT */
#include "native/symbolizer.h"

#include "arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "code_reader.h"
#include "cython_source.h"
#include "function_store.h"
#include "jit_names.h"

#include <inttypes.h>
#include <string.h>

enum {
    PLACE_LIMIT = 1 << 20, /* addresses that are kept; with more, all are forgotten at the next update */
    PLACE_HARD_LIMIT = 2 << 20,
    NO_MODULE = UINT32_MAX,
    FILE_NAME_LIMIT = 4096, /* bytes of the path of a source file; what is longer is not opened */
};

/* An address, and what was found for it. */
struct place {
    uint64_t address; /* of the file, or in the target where there is none */
    uint32_t module;
    uint32_t generation; /* of the names that just-in-time compilers gave; 0 with a file */
    uint32_t count;
    const struct native_function *functions;
};

struct symbolizer {
    struct modules *modules;
    struct code_reader *reader;
    struct place *places;
    uint32_t place_count, place_capacity;
    struct table places_by_address;
    struct arena lists; /* of functions, for the places */
    struct function_store store;
    struct jit_names jit;
    struct cython_sources cython;
    struct buffer name, path; /* kept, so that they need not grow each time */
};

struct error *symbolizer_create(struct modules *modules, struct symbolizer **ret)
{
    cleanup_symbolizer struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (!symbolizer)
        return error_no_memory();
    symbolizer->modules = modules;
    struct error *error = code_reader_create(&symbolizer->reader);
    if (error)
        return error;
    *ret = hand_over(&symbolizer);
    return NULL;
}

void symbolizer_destroy(struct symbolizer *symbolizer)
{
    if (!symbolizer)
        return;
    code_reader_destroy(symbolizer->reader);
    free(symbolizer->places);
    table_deinit(&symbolizer->places_by_address);
    arena_clear(&symbolizer->lists);
    function_store_deinit(&symbolizer->store);
    jit_names_deinit(&symbolizer->jit);
    cython_sources_deinit(&symbolizer->cython);
    buffer_deinit(&symbolizer->name);
    buffer_deinit(&symbolizer->path);
    free(symbolizer);
}

void symbolizer_update(struct symbolizer *symbolizer)
{
    if (symbolizer->place_count >= PLACE_LIMIT) {
        table_clear(&symbolizer->places_by_address);
        symbolizer->place_count = 0;
        arena_clear(&symbolizer->lists);
    }
    code_reader_update(symbolizer->reader, symbolizer->modules);
}

/* What a module is called in the names of its functions. */
static const char *module_label(const struct native_module *module)
{
    if (!module)
        return "[unknown]";
    const char *slash = strrchr(module->path, '/');
    const char *label = slash ? slash + 1 : module->path;
    return label[0] ? label : "[anonymous]";
}

/* Makes the name of what no symbol names: where it begins, or only in which file it is. */
static void name_by_start(const struct native_module *module, const struct image_range *function, struct buffer *name)
{
    buffer_append_text(name, module_label(module));
    if (function)
        buffer_format(name, "+0x%" PRIx64, function->address);
}

/*
 * The page that the kernel maps at a fixed address for programs of old, with three functions in it
 * (Linux, arch/x86/entry/vsyscall/vsyscall_emu_64.S). No file has it.
 */
static const char *vsyscall_name(const struct native_module *module, remote_addr pc)
{
    static const char *const names[] = {"gettimeofday", "time", "getcpu"};
    enum { FUNCTION_LEN = 1024 };
    uint64_t index = (pc - module->start) / FUNCTION_LEN;
    return strcmp(module->path, "[vsyscall]") == 0 && index < array_size(names) ? names[index] : NULL;
}

/*
 * CPython's name of a function with its file, "py::NAME:FILE" (3.12 to 3.15, Python/perf_trampoline.c). A file's name
 * may have a colon, a function's may not.
 */
static void split_python_name(const char *name, struct buffer *ret_name, const char **ret_file)
{
    const char *colon = strncmp(name, "py::", 4) == 0 ? strchr(name + 4, ':') : NULL;
    buffer_append(ret_name, name, colon ? (size_t)(colon - name) : strlen(name));
    *ret_file = colon ? colon + 1 : "";
}

/* The functions of an address, while they are put together. Their texts are in the store. */
struct description {
    struct native_function functions[DEBUG_PLACE_LIMIT];
    uint32_t count;
};

/* Adds a function whose name is in symbolizer->name. False without memory. */
static bool add_function(struct symbolizer *symbolizer, const struct native_function *function,
                         struct description *description)
{
    struct native_function added = *function;
    added.name = buffer_text(&symbolizer->name);
    if (symbolizer->name.failed || !function_store_intern(&symbolizer->store, &added))
        return false;
    description->functions[description->count++] = added;
    return true;
}

/* Describes code that is in no file. */
static bool describe_memory(struct symbolizer *symbolizer, const struct native_module *module, remote_addr pc,
                            struct description *ret)
{
    const struct jit_function *jit = jit_names_find(&symbolizer->jit, pc);
    const char *vsyscall = module ? vsyscall_name(module, pc) : NULL;
    struct native_function function = {.symbol = "", .file = "", .path = module ? module->path : ""};
    function.is_named = jit || vsyscall;
    function.is_made = module && !module->path[0];
    buffer_clear(&symbolizer->name);
    if (jit) {
        function.symbol = jit->name;
        function.start = jit->start;
        split_python_name(jit->name, &symbolizer->name, &function.file);
    } else if (vsyscall) {
        buffer_append_text(&symbolizer->name, vsyscall);
    } else {
        name_by_start(module, NULL, &symbolizer->name);
    }
    return add_function(symbolizer, &function, ret);
}

/* Puts somebody's own line in the place of one that Cython made of it. */
static void set_cython_line(struct symbolizer *symbolizer, const char *folder, struct native_function *function)
{
    buffer_clear(&symbolizer->path);
    if (function->file[0] != '/') {
        buffer_append_text(&symbolizer->path, folder);
        buffer_append_char(&symbolizer->path, '/');
    }
    buffer_append_text(&symbolizer->path, function->file);
    if (symbolizer->path.failed || symbolizer->path.len > FILE_NAME_LIMIT || symbolizer->path.data[0] != '/')
        return;
    const struct cython_line *line =
        cython_sources_find(&symbolizer->cython, symbolizer->modules, buffer_text(&symbolizer->path), function->line);
    if (line) {
        function->file = line->file;
        function->line = line->line;
    }
}

/* Adds the index-th function of what the file says; the last one is that which the others are inlined into. */
static bool add_code(struct symbolizer *symbolizer, const struct native_module *module,
                     const struct code_description *code, uint32_t index, struct description *ret)
{
    const struct code_place *place = &code->places[index];
    const bool is_inlined = index + 1 < code->count, has_place = code->is_found && !is_inlined;
    struct native_function function = {
        .symbol = is_inlined ? "" : code->symbol,
        .file = place->file,
        .line = place->line,
        .path = module->path,
        .start = has_place ? module->bias + code->function.address : 0,
        .len = has_place ? code->function.len : 0,
        .is_inlined = is_inlined,
        .is_named = is_inlined || code->symbol[0],
        .is_in_file = true,
    };
    if (function.line > 0 && place->is_of_cython)
        set_cython_line(symbolizer, code->folder, &function);
    buffer_clear(&symbolizer->name);
    if (function.is_named)
        buffer_append_text(&symbolizer->name, place->name[0] ? place->name : "[inlined]");
    else
        name_by_start(module, code->is_found ? &code->function : NULL, &symbolizer->name);
    return add_function(symbolizer, &function, ret);
}

/* Describes code that is in a file. Where nothing can be said about it, there is a function without a name. */
static bool describe_code(struct symbolizer *symbolizer, const struct native_module *module, uint64_t address,
                          struct description *ret)
{
    struct code_description code;
    if (!code_reader_find(symbolizer->reader, module, address, &code))
        code = (struct code_description){.symbol = "", .folder = "", .places = {{"", "", 0, false}}, .count = 1};
    for (uint32_t i = 0; i < code.count; i++) {
        if (!add_code(symbolizer, module, &code, i, ret))
            return false;
    }
    return true;
}

static bool is_same_place(const void *context, uint32_t index, const void *key)
{
    const struct symbolizer *symbolizer = context;
    const struct place *place = &symbolizer->places[index], *other = key;
    return place->address == other->address && place->module == other->module && place->generation == other->generation;
}

static uint64_t hash_place(const struct place *place)
{
    return hash_pair(place->address, (uint64_t)place->module << 32 | place->generation);
}

static const struct place *find_place(const struct symbolizer *symbolizer, const struct place *wanted)
{
    uint32_t index = table_find(&symbolizer->places_by_address, hash_place(wanted), is_same_place, symbolizer, wanted);
    return index != TABLE_NONE ? &symbolizer->places[index] : NULL;
}

/* Keeps what was found for an address; NULL without memory, or when there are too many. */
static const struct place *add_place(struct symbolizer *symbolizer, const struct place *wanted,
                                     const struct description *found)
{
    size_t len = found->count * sizeof(*found->functions);
    struct native_function *functions =
        symbolizer->place_count < PLACE_HARD_LIMIT ? arena_allocate(&symbolizer->lists, len) : NULL;
    if (!functions ||
        !array_grow(&symbolizer->places, symbolizer->place_count, &symbolizer->place_capacity,
                    sizeof(*symbolizer->places)) ||
        !table_insert(&symbolizer->places_by_address, hash_place(wanted), symbolizer->place_count))
        return NULL;
    memcpy(functions, found->functions, len);
    struct place *place = &symbolizer->places[symbolizer->place_count++];
    *place = *wanted;
    place->functions = functions;
    place->count = found->count;
    return place;
}

/* Finds out what is at a place that was not asked for before. */
static const struct place *describe_place(struct symbolizer *symbolizer, const struct native_module *module,
                                          const struct place *wanted)
{
    struct description found = {.count = 0};
    bool is_good = module && module->image ? describe_code(symbolizer, module, wanted->address, &found)
                                           : describe_memory(symbolizer, module, wanted->address, &found);
    return is_good ? add_place(symbolizer, wanted, &found) : NULL;
}

/* The same for code without a file, which a compiler may have named meanwhile. */
static const struct place *look_in_memory(struct symbolizer *symbolizer, const struct native_module *module,
                                          struct place *wanted)
{
    wanted->generation = symbolizer->jit.generation;
    const struct place *place = find_place(symbolizer, wanted);
    bool is_settled = place && place->functions[0].is_named;
    if (!is_settled && jit_names_update(&symbolizer->jit, symbolizer->modules)) {
        wanted->generation = symbolizer->jit.generation;
        place = find_place(symbolizer, wanted);
    }
    return place ? place : describe_place(symbolizer, module, wanted);
}

const struct native_function *symbolizer_find(struct symbolizer *symbolizer, remote_addr pc, bool is_call,
                                              uint32_t *ret_count)
{
    remote_addr address = is_call && pc > 0 ? pc - 1 : pc;
    const struct native_module *module = modules_find(symbolizer->modules, address);
    struct place wanted = {.address = address, .module = module ? module->number : NO_MODULE};
    const struct place *place;
    if (module && module->image) {
        wanted.address -= module->bias;
        place = find_place(symbolizer, &wanted);
        if (!place)
            place = describe_place(symbolizer, module, &wanted);
    } else {
        place = look_in_memory(symbolizer, module, &wanted);
    }
    *ret_count = place ? place->count : 0;
    return place ? place->functions : NULL;
}
