/* SPDX-License-Identifier: MIT */
#include "native/modules.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "image/loaded_image.h"

#include <string.h>

enum {
    MODULE_LIMIT = 4096,      /* just-in-time compilers map their code in many pieces */
    MODULE_FILE_LIMIT = 1024, /* files that are kept open; chromium has 150 */
    VDSO_LEN_LIMIT = 1 << 20, /* bytes; it has two pages */
    GAP_LIMIT = 8,            /* of one module; BOLT, which rewrites linked programs, makes one */
};

static const char vdso_name[] = "[vdso]";

struct gap {
    remote_addr start, end;
};

struct module {
    struct native_module shown;
    uint64_t inode;
    uint64_t offset; /* in the file, of its first code */
    bool is_deleted;
    bool is_kept; /* during an update: it is also among the new ones */
    char *path;
    struct gap gaps[GAP_LIMIT]; /* between its first code and its last, what is none */
    uint32_t gap_count;
    struct loaded_image loaded;
};

/* Modules by address, not overlapping. */
struct module_list {
    struct module **modules;
    uint32_t count, capacity;
    uint32_t file_count; /* of those with a file */
};

struct modules {
    const struct module_opener *opener;
    struct memory *memory;
    struct module_list list;
    uint32_t next_number;
    uint32_t last_found; /* index of the module that was asked for last: most frames are in their caller's */
};

static void module_destroy(struct module *module)
{
    if (!module)
        return;
    loaded_image_deinit(&module->loaded);
    free(module->path);
    free(module);
}

static void cleanup_module_destroy(struct module **module)
{
    module_destroy(*module);
}

#define cleanup_module __attribute__((cleanup(cleanup_module_destroy)))

struct error *modules_create(const struct module_opener *opener, struct memory *memory, struct modules **ret)
{
    struct modules *modules = calloc(1, sizeof(*modules));
    if (!modules)
        return error_no_memory();
    modules->opener = opener;
    modules->memory = memory;
    *ret = modules;
    return NULL;
}

/* Destroys a list with those of its modules that are not kept. */
static void list_deinit(struct module_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!list->modules[i]->is_kept)
            module_destroy(list->modules[i]);
    }
    free(list->modules);
}

void modules_destroy(struct modules *modules)
{
    if (!modules)
        return;
    list_deinit(&modules->list);
    free(modules);
}

static bool is_same_file(const struct mapping *a, const struct mapping *b)
{
    return a->inode != 0 && a->inode == b->inode && strcmp(a->path, b->path) == 0;
}

/*
 * Where the code that begins with mapping `first` of the maps ends: with the last executable mapping of the same file
 * that no other file's mapping stands before. A file that is loaded a second time begins again at a smaller offset.
 */
static remote_addr end_of_code(const struct maps *maps, uint32_t first)
{
    const struct mapping *code = &maps->mappings[first];
    remote_addr end = code->end;
    uint64_t offset = code->offset;
    for (uint32_t i = first + 1; i < maps->count && code->inode != 0; i++) {
        const struct mapping *next = &maps->mappings[i];
        bool is_of_file = is_same_file(code, next);
        if (is_of_file ? next->offset < offset : next->inode != 0 || next->executable)
            break;
        if (is_of_file)
            offset = next->offset;
        if (next->executable)
            end = next->end;
    }
    return end;
}

/* The index of the first module that ends behind an address. */
static uint32_t find_index(const struct module_list *list, remote_addr address)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->modules[middle]->shown.end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct module *find_known(const struct modules *modules, const struct mapping *mapping)
{
    uint32_t index = find_index(&modules->list, mapping->start);
    struct module *module = index < modules->list.count ? modules->list.modules[index] : NULL;
    bool is_same = module && module->shown.start == mapping->start && module->inode == mapping->inode &&
                   module->offset == mapping->offset && module->is_deleted == mapping->is_deleted &&
                   strcmp(module->path, mapping->path) == 0;
    return is_same ? module : NULL;
}

/* The kernel's own library for programs (vdso(7)) has no file; it is read out of the target. */
static struct error *open_vdso(const struct modules *modules, const struct mapping *mapping, struct loaded_image *ret)
{
    size_t len = mapping->end - mapping->start;
    if (len > VDSO_LEN_LIMIT)
        return error_create(ERROR_BAD_DATA, "the target's vdso is too large");
    cleanup_free void *bytes = malloc(len);
    if (!bytes)
        return error_no_memory();
    if (memory_read(modules->memory, mapping->start, bytes, len) != MEMORY_OK)
        return error_create(ERROR_BAD_DATA, "cannot read the target's vdso");
    return image_open_bytes(bytes, len, &ret->image);
}

/* What fails here costs names and unwinding only. */
static void open_image(const struct modules *modules, const struct maps *maps, const struct mapping *mapping,
                       struct module *module)
{
    struct loaded_image *loaded = &module->loaded;
    bool is_vdso = strcmp(mapping->path, vdso_name) == 0;
    if ((mapping->inode == 0 && !is_vdso) ||
        (modules->opener->may_keep_file && !modules->opener->may_keep_file(modules->opener->context)))
        return;
    cleanup_error struct error *error = is_vdso
                                            ? open_vdso(modules, mapping, loaded)
                                            : modules->opener->open(modules->opener->context, maps, mapping, loaded);
    if (error)
        return;
    /* The opener looks at the first place where the file is loaded, and there may be others. */
    if (!image_load_bias_of_code(loaded->image, mapping->start, mapping->offset, &loaded->bias) && is_vdso) {
        loaded_image_deinit(loaded);
        return;
    }
    if (!is_vdso && modules->opener->open_debug)
        modules->opener->open_debug(modules->opener->context, loaded);
    module->shown.image = loaded->image;
    module->shown.debug = loaded->debug;
    module->shown.bias = loaded->bias;
}

static struct module *meet_module(struct modules *modules, const struct mapping *mapping)
{
    cleanup_module struct module *module = calloc(1, sizeof(*module));
    if (!module || !(module->path = strdup(mapping->path)))
        return NULL;
    module->inode = mapping->inode;
    module->offset = mapping->offset;
    module->is_deleted = mapping->is_deleted;
    module->shown.number = modules->next_number++;
    module->shown.path = module->path;
    module->shown.start = mapping->start;
    return hand_over(&module);
}

/* Adds the module of a mapping, which may be known, to a list. */
static bool list_module(struct modules *modules, const struct maps *maps, const struct mapping *mapping,
                        struct module_list *list)
{
    if (!array_grow(&list->modules, list->count, &list->capacity, sizeof(struct module *)))
        return false;
    struct module *module = find_known(modules, mapping);
    if (module) {
        module->is_kept = true;
    } else {
        module = meet_module(modules, mapping);
        if (!module)
            return false;
        if (list->file_count < MODULE_FILE_LIMIT)
            open_image(modules, maps, mapping, module);
    }
    list->modules[list->count++] = module;
    list->file_count += mapping->inode != 0;
    return true;
}

/* Takes the mappings of a module, the first of which has the given index. Returns the index of the last. */
static uint32_t take_mappings(struct module *module, const struct maps *maps, uint32_t index)
{
    module->gap_count = 0;
    for (; index + 1 < maps->count && maps->mappings[index + 1].start < module->shown.end; index++) {
        const struct mapping *next = &maps->mappings[index + 1];
        if (!next->executable && module->gap_count < GAP_LIMIT)
            module->gaps[module->gap_count++] = (struct gap){next->start, next->end};
    }
    return index;
}

static void unmark(struct module_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        list->modules[i]->is_kept = false;
}

struct error *modules_update(struct modules *modules, const struct maps *maps)
{
    struct module_list list = {0};
    for (uint32_t i = 0; i < maps->count && list.count < MODULE_LIMIT; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        if (!mapping->executable)
            continue;
        if (!list_module(modules, maps, mapping, &list)) {
            list_deinit(&list);
            unmark(&modules->list);
            return error_no_memory();
        }
        struct module *module = list.modules[list.count - 1];
        module->shown.end = end_of_code(maps, i);
        i = take_mappings(module, maps, i);
    }
    list_deinit(&modules->list);
    modules->list = list;
    unmark(&modules->list);
    return NULL;
}

static bool is_in(const struct module_list *list, uint32_t index, remote_addr address)
{
    return index < list->count && address >= list->modules[index]->shown.start &&
           address < list->modules[index]->shown.end;
}

const struct native_module *modules_find(struct modules *modules, remote_addr address)
{
    if (!is_in(&modules->list, modules->last_found, address))
        modules->last_found = find_index(&modules->list, address);
    if (!is_in(&modules->list, modules->last_found, address))
        return NULL;
    const struct module *module = modules->list.modules[modules->last_found];
    for (uint32_t i = 0; i < module->gap_count; i++) {
        if (address >= module->gaps[i].start && address < module->gaps[i].end)
            return NULL;
    }
    return &module->shown;
}

int modules_open_jit_names(const struct modules *modules)
{
    const struct module_opener *opener = modules->opener;
    return opener->open_jit_names ? opener->open_jit_names(opener->context) : -1;
}

int modules_open_source(const struct modules *modules, const char *path)
{
    const struct module_opener *opener = modules->opener;
    return opener->open_source ? opener->open_source(opener->context, path) : -1;
}
