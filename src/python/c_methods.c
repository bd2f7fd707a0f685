/* SPDX-License-Identifier: MIT */
#include "python/c_methods.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "data_reader.h"

#include <stdlib.h>
#include <string.h>

/*
 * Distances in bytes, of 2.7 and 3.6 to 3.15. From a type's tables on, they are the same in free-threaded builds, whose
 * objects begin with more. CPython Include/methodobject.h, descrobject.h, moduleobject.h, object.h, typeslots.h.
 */
enum {
    WORD = sizeof(uint64_t),
    METHOD_LEN = 32,               /* PyMethodDef: name, function, flags, doc */
    PROPERTY_LEN = 40,             /* PyGetSetDef: name, get, set, doc, closure */
    TYPE_NAME_TO_METHODS = 208,    /* PyTypeObject: from tp_name to tp_methods */
    TYPE_NAME_TO_PROPERTIES = 224, /* and to tp_getset */
    MODULE_NAME_TO_METHODS = 24,   /* PyModuleDef: from m_name to m_methods */
    SLOT_LEN = 16,                 /* PyType_Slot: number, pointer */
    SLOT_METHODS = 64,             /* Py_tp_methods */
    SLOT_PROPERTIES = 73,          /* Py_tp_getset */
    SLOT_NUMBER_LIMIT = 128,       /* 3.15 has 83 */
    SPEC_NAME_TO_SLOTS = 24,       /* PyType_Spec: from name to slots */
    FLAGS_LIMIT = 0x1000,          /* METH_METHOD is 0x200; more may come */
};

enum {
    NAME_LIMIT = 128,         /* bytes of one name, with its end; longer ones are none */
    TABLE_LIMIT = 1 << 14,    /* tables of methods in one file; CPython has 400 */
    FUNCTION_LIMIT = 1 << 17, /* CPython has 4,000 */
    READ_LIMIT = 1 << 18,     /* of what may be names, which takes a second; CPython has 9,000 */
    WINDOW_LEN = 16 * 1024,   /* bytes */
    WINDOW_COUNT = 64,        /* together, what CPython's names and texts take */
};

/* A table of methods, or of properties. */
struct method_table {
    remote_addr address;
    uint32_t first, count; /* of c_methods.functions */
    bool is_owned;         /* its owner is in front of the names */
    bool is_properties;
};

struct c_function {
    remote_addr address;
    char *name; /* owned */
};

/* What was found as the slots of a type that is made while the program runs. */
struct slot_table {
    remote_addr address;
    uint32_t table; /* of methods, that one of them leads to */
};

struct c_methods {
    struct c_function *functions; /* while they are looked for by table, then by address */
    uint32_t count, capacity;
    struct method_table *tables; /* by address, as they are met in that order */
    uint32_t table_count, table_capacity;
    struct slot_table *slots;
    uint32_t slot_count, slot_capacity;
    uint32_t reads_left; /* of names */
    bool failed;         /* memory ran out */
};

/* Memory that was read for a name, and perhaps has the next one, too. */
struct window {
    remote_addr start;
    size_t len;
    char bytes[WINDOW_LEN];
};

/* The search, and what it looks through. */
struct method_search {
    struct c_methods *methods;
    struct memory *memory;
    const struct maps *maps;
    struct window *windows;
    struct {
        remote_addr address;
        struct buffer bytes;
    } ranges[PYTHON_DATA_RANGE_LIMIT];
    uint32_t range_count;
};

void c_methods_destroy(struct c_methods *methods)
{
    if (!methods)
        return;
    for (uint32_t i = 0; i < methods->count; i++)
        free(methods->functions[i].name);
    free(methods->functions);
    free(methods->tables);
    free(methods->slots);
    free(methods);
}

/* Copies the data, so that it can be looked through in any order. What cannot be read ends a range. */
static void copy_data(struct method_search *search, const struct python_data *data)
{
    cleanup_data_reader struct data_reader reader;
    data_reader_init(&reader, data, search->memory);
    while (data_reader_next(&reader)) {
        uint32_t last = search->range_count - 1;
        bool is_next =
            search->range_count > 0 && search->ranges[last].address + search->ranges[last].bytes.len == reader.address;
        if (!is_next && search->range_count == PYTHON_DATA_RANGE_LIMIT)
            return;
        if (!is_next) {
            last = search->range_count++;
            search->ranges[last].address = reader.address;
        }
        buffer_append(&search->ranges[last].bytes, reader.bytes, reader.len);
        search->methods->failed = search->methods->failed || search->ranges[last].bytes.failed;
    }
}

/* A word of the copy; 0 where there is none. */
static uint64_t word_at(const struct method_search *search, remote_addr address)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < search->range_count; i++) {
        uint64_t offset = address - search->ranges[i].address, len = search->ranges[i].bytes.len;
        if (address >= search->ranges[i].address && len >= WORD && offset <= len - WORD)
            memcpy(&word, search->ranges[i].bytes.data + offset, WORD);
    }
    return word;
}

/* A word of a struct of words. */
static uint64_t field_at(const struct method_search *search, remote_addr at, uint64_t index)
{
    return word_at(search, at + index * WORD);
}

static bool is_code(const struct method_search *search, remote_addr address)
{
    const struct mapping *mapping = address ? maps_find(search->maps, address) : NULL;
    return mapping && mapping->executable;
}

static bool is_name_byte(char c, bool is_first)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return is_letter || (!is_first && ((c >= '0' && c <= '9') || c == '.'));
}

/* Moves a window to where an address of a mapping is; it is empty when that cannot be read. */
static void move_window(const struct method_search *search, struct window *window, const struct mapping *mapping,
                        remote_addr address)
{
    remote_addr start = address - address % WINDOW_LEN, end = start + WINDOW_LEN;
    window->start = start > mapping->start ? start : mapping->start;
    size_t len = (size_t)((end < mapping->end ? end : mapping->end) - window->start);
    window->len = memory_read(search->memory, window->start, window->bytes, len) == MEMORY_OK ? len : 0;
}

static bool is_in_window(const struct window *window, remote_addr address, size_t len)
{
    return address >= window->start && address - window->start < window->len &&
           window->len - (address - window->start) >= len;
}

/* Reads what may be a name: as a rule, without reading memory of the target again. */
static bool read_bytes(const struct method_search *search, const struct mapping *mapping, remote_addr address,
                       char *bytes, size_t len)
{
    struct window *window = &search->windows[address / WINDOW_LEN % WINDOW_COUNT];
    if (!is_in_window(window, address, len) && address % WINDOW_LEN + len <= WINDOW_LEN)
        move_window(search, window, mapping, address);
    if (!is_in_window(window, address, len))
        return memory_read(search->memory, address, bytes, len) == MEMORY_OK;
    memcpy(bytes, window->bytes + (address - window->start), len);
    return true;
}

/* Reads an identifier, perhaps with dots; false when there is none. */
static bool read_name(const struct method_search *search, remote_addr address, char name[NAME_LIMIT])
{
    const struct mapping *mapping = address ? maps_find(search->maps, address) : NULL;
    if (!mapping || !mapping->readable || search->methods->reads_left == 0)
        return false;
    search->methods->reads_left--;
    uint64_t left = mapping->end - address;
    size_t len = left < NAME_LIMIT ? (size_t)left : NAME_LIMIT;
    memset(name, 0, NAME_LIMIT);
    if (!read_bytes(search, mapping, address, name, len) || strnlen(name, len) == len)
        return false;
    for (size_t i = 0; name[i]; i++) {
        if (!is_name_byte(name[i], i == 0))
            return false;
    }
    return name[0] != '\0';
}

/* Adds a function; its name may get an owner later. */
static void add_function(struct c_methods *methods, remote_addr address, const char *name)
{
    if (methods->count == FUNCTION_LIMIT)
        return;
    char *copy = strdup(name);
    if (!copy || !array_grow(&methods->functions, methods->count, &methods->capacity, sizeof(*methods->functions))) {
        free(copy);
        methods->failed = true;
        return;
    }
    methods->functions[methods->count++] = (struct c_function){address, copy};
}

/* Adds the method at an address; false when there is none. */
static bool add_method(const struct method_search *search, remote_addr at)
{
    char name[NAME_LIMIT];
    uint64_t flags = field_at(search, at, 2), function = field_at(search, at, 1);
    uint64_t doc = field_at(search, at, 3);
    if (flags == 0 || flags >= FLAGS_LIMIT || !is_code(search, function) || (doc && !maps_find(search->maps, doc)) ||
        !read_name(search, word_at(search, at), name) || strchr(name, '.'))
        return false;
    add_function(search->methods, function, name);
    return true;
}

/* The same for a property, which has one or two functions. */
static bool add_property(const struct method_search *search, remote_addr at)
{
    char name[NAME_LIMIT];
    uint64_t get = field_at(search, at, 1), set = field_at(search, at, 2);
    uint64_t doc = field_at(search, at, 3);
    if ((get == 0 && set == 0) || (get && !is_code(search, get)) || (set && !is_code(search, set)) ||
        (doc && !maps_find(search->maps, doc)) || !read_name(search, word_at(search, at), name) || strchr(name, '.'))
        return false;
    if (get)
        add_function(search->methods, get, name);
    if (set)
        add_function(search->methods, set, name);
    return true;
}

/* Adds the table that begins at an address, if one does. Returns its bytes. */
static uint64_t add_table(const struct method_search *search, remote_addr at)
{
    struct c_methods *methods = search->methods;
    struct method_table table = {.address = at, .first = methods->count};
    uint64_t len = 0;
    while (add_method(search, at + len) && !methods->failed && methods->count < FUNCTION_LIMIT)
        len += METHOD_LEN;
    if (len == 0) {
        table.is_properties = true;
        while (add_property(search, at + len) && !methods->failed && methods->count < FUNCTION_LIMIT)
            len += PROPERTY_LEN;
    }
    table.count = methods->count - table.first;
    if (table.count == 0 || methods->table_count == TABLE_LIMIT)
        return 0;
    if (array_grow(&methods->tables, methods->table_count, &methods->table_capacity, sizeof(*methods->tables)))
        methods->tables[methods->table_count++] = table;
    else
        methods->failed = true;
    return len;
}

static void find_tables(const struct method_search *search)
{
    for (uint32_t i = 0; i < search->range_count; i++) {
        remote_addr at = search->ranges[i].address, end = at + search->ranges[i].bytes.len;
        while (at < end && !search->methods->failed) {
            uint64_t len = word_at(search, at) ? add_table(search, at) : 0;
            at += len > 0 ? len : WORD;
        }
    }
}

static int compare_tables(const void *a, const void *b)
{
    const struct method_table *first = a, *second = b;
    return (first->address > second->address) - (first->address < second->address);
}

/* The table at an address; NULL when there is none. */
static struct method_table *find_table(const struct c_methods *methods, remote_addr address)
{
    const struct method_table key = {.address = address};
    return methods->table_count > 0 ? bsearch(&key, methods->tables, methods->table_count, sizeof(key), compare_tables)
                                    : NULL;
}

/* Puts an owner in front of the names of a table. */
static void name_owner(struct c_methods *methods, struct method_table *table, const char *owner)
{
    for (uint32_t i = table->first; i < table->first + table->count; i++) {
        cleanup_buffer struct buffer name = {0};
        buffer_format(&name, "%s.%s", owner, methods->functions[i].name);
        char *copy = name.failed ? NULL : strdup(buffer_text(&name));
        if (!copy) {
            methods->failed = true;
            return;
        }
        free(methods->functions[i].name);
        methods->functions[i].name = copy;
    }
    table->is_owned = true;
}

/* Notes the slots that one at this place belongs to: they begin behind an entry with no number. */
static void add_slots(const struct method_search *search, remote_addr slot, const struct method_table *table)
{
    struct c_methods *methods = search->methods;
    for (int i = 0; i < SLOT_NUMBER_LIMIT; i++, slot -= SLOT_LEN) {
        uint64_t number = word_at(search, slot - SLOT_LEN);
        if (number == 0 || number >= SLOT_NUMBER_LIMIT)
            break;
    }
    if (methods->slot_count == TABLE_LIMIT)
        return;
    if (array_grow(&methods->slots, methods->slot_count, &methods->slot_capacity, sizeof(*methods->slots)))
        methods->slots[methods->slot_count++] = (struct slot_table){slot, (uint32_t)(table - methods->tables)};
    else
        methods->failed = true;
}

/*
 * Looks at a word that leads to a table. It is in a module, where the name is not far; among the slots of a type; or in
 * a type, where numbers are what would be pointers in a module, and the other way around in slots.
 */
static void look_at_reference(const struct method_search *search, remote_addr at, struct method_table *table)
{
    char owner[NAME_LIMIT];
    uint64_t to_type_name = table->is_properties ? TYPE_NAME_TO_PROPERTIES : TYPE_NAME_TO_METHODS;
    uint64_t slot_number = table->is_properties ? SLOT_PROPERTIES : SLOT_METHODS;
    bool is_slot = word_at(search, at - WORD) == slot_number;
    if ((!table->is_properties && read_name(search, word_at(search, at - MODULE_NAME_TO_METHODS), owner)) ||
        (!is_slot && read_name(search, word_at(search, at - to_type_name), owner)))
        name_owner(search->methods, table, owner);
    else if (is_slot)
        add_slots(search, at - WORD, table);
}

static void find_owners(const struct method_search *search)
{
    for (uint32_t i = 0; i < search->range_count; i++) {
        remote_addr at = search->ranges[i].address, end = at + search->ranges[i].bytes.len;
        for (; at < end && !search->methods->failed; at += WORD) {
            struct method_table *table = find_table(search->methods, word_at(search, at));
            if (table && !table->is_owned)
                look_at_reference(search, at, table);
        }
    }
}

static int compare_slots(const void *a, const void *b)
{
    const struct slot_table *first = a, *second = b;
    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    return (first->table > second->table) - (first->table < second->table);
}

/* The first of the slots at an address; their count when there are none. */
static uint32_t find_slots(const struct c_methods *methods, remote_addr address)
{
    uint32_t low = 0, high = methods->slot_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (methods->slots[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sorts the slots; those of one table were met as often as something leads to it. */
static void sort_slots(struct c_methods *methods)
{
    uint32_t kept = 0;
    if (methods->slot_count > 0)
        qsort(methods->slots, methods->slot_count, sizeof(*methods->slots), compare_slots);
    for (uint32_t i = 0; i < methods->slot_count; i++) {
        if (kept == 0 || compare_slots(&methods->slots[kept - 1], &methods->slots[i]) != 0)
            methods->slots[kept++] = methods->slots[i];
    }
    methods->slot_count = kept;
}

/* Finds what the types are called that slots belong to. */
static void find_specifications(const struct method_search *search)
{
    struct c_methods *methods = search->methods;
    char owner[NAME_LIMIT];
    sort_slots(methods);
    for (uint32_t i = 0; i < search->range_count && methods->slot_count > 0; i++) {
        remote_addr at = search->ranges[i].address, end = at + search->ranges[i].bytes.len;
        for (; at < end && !methods->failed; at += WORD) {
            uint64_t word = word_at(search, at);
            uint32_t slots = word ? find_slots(methods, word) : methods->slot_count;
            for (; slots < methods->slot_count && methods->slots[slots].address == word; slots++) {
                struct method_table *table = &methods->tables[methods->slots[slots].table];
                if (!table->is_owned && read_name(search, word_at(search, at - SPEC_NAME_TO_SLOTS), owner))
                    name_owner(methods, table, owner);
            }
        }
    }
}

/* Names of properties without a type are more likely something else. */
static void forget_unowned_properties(struct c_methods *methods)
{
    for (uint32_t i = 0; i < methods->table_count; i++) {
        const struct method_table *table = &methods->tables[i];
        for (uint32_t j = 0; table->is_properties && !table->is_owned && j < table->count; j++)
            methods->functions[table->first + j].address = 0;
    }
}

/* By address; of several names of one function those with an owner come first, then shorter ones. */
static int compare_functions(const void *a, const void *b)
{
    const struct c_function *first = a, *second = b;
    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    bool is_first_owned = strchr(first->name, '.') != NULL, is_second_owned = strchr(second->name, '.') != NULL;
    if (is_first_owned != is_second_owned)
        return is_first_owned ? -1 : 1;
    size_t first_len = strlen(first->name), second_len = strlen(second->name);
    if (first_len != second_len)
        return first_len < second_len ? -1 : 1;
    return strcmp(first->name, second->name);
}

struct error *c_methods_create(struct memory *memory, const struct maps *maps, const struct python_data *data,
                               struct c_methods **ret)
{
    cleanup_c_methods struct c_methods *methods = calloc(1, sizeof(*methods));
    if (!methods)
        return error_no_memory();
    methods->reads_left = READ_LIMIT;
    cleanup_free struct window *windows = calloc(WINDOW_COUNT, sizeof(*windows));
    if (!windows)
        return error_no_memory();
    struct method_search search = {.methods = methods, .memory = memory, .maps = maps, .windows = windows};
    copy_data(&search, data);
    find_tables(&search);
    if (methods->table_count > 0)
        qsort(methods->tables, methods->table_count, sizeof(*methods->tables), compare_tables);
    find_owners(&search);
    find_specifications(&search);
    forget_unowned_properties(methods);
    if (methods->count > 0)
        qsort(methods->functions, methods->count, sizeof(*methods->functions), compare_functions);
    for (uint32_t i = 0; i < search.range_count; i++)
        buffer_deinit(&search.ranges[i].bytes);
    if (methods->failed)
        return error_no_memory();
    *ret = hand_over(&methods);
    return NULL;
}

const char *c_methods_find(const struct c_methods *methods, remote_addr function)
{
    uint32_t low = 0, high = methods->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (methods->functions[middle].address < function)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = function && low < methods->count && methods->functions[low].address == function;
    return is_found ? methods->functions[low].name : NULL;
}

uint32_t c_methods_count(const struct c_methods *methods)
{
    return methods->count;
}
