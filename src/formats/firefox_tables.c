/* SPDX-License-Identifier: MIT */
#include "firefox_tables.h"

#include "base/cleanup.h"
#include "numbers.h"
#include "profile/native_file.h"
#include "profile/origin.h"
#include "profile/profile.h"
#include "profile/sample.h"

#include <string.h>

/* Each has the one subcategory "Other" that the form asks for. The first grey one is where all else belongs. */
enum category {
    CATEGORY_OTHER,
    CATEGORY_OWN,
    CATEGORY_PACKAGE,
    CATEGORY_STDLIB,
    CATEGORY_IMPORT,
    CATEGORY_NATIVE,
    CATEGORY_KERNEL,
    CATEGORY_GC,
    CATEGORY_GIL,
    CATEGORY_IDLE,
    CATEGORIES,
};

static const struct {
    const char *name, *colour;
} categories[CATEGORIES] = {
    [CATEGORY_OTHER] = {"Other", "grey"},
    [CATEGORY_OWN] = {"Own code", "orange"},
    [CATEGORY_PACKAGE] = {"Site-packages", "blue"},
    [CATEGORY_STDLIB] = {"Standard library", "green"},
    [CATEGORY_IMPORT] = {"Import", "purple"},
    [CATEGORY_NATIVE] = {"Native", "lightblue"},
    [CATEGORY_KERNEL] = {"Kernel", "magenta"},
    [CATEGORY_GC] = {"Garbage collection", "red"},
    [CATEGORY_GIL] = {"GIL", "yellow"},
    [CATEGORY_IDLE] = {"Idle", "transparent"},
};

static const struct {
    const char *name, *description;
    enum category category;
} markers[FIREFOX_MARKERS] = {
    [FIREFOX_GC] = {"GC", "The thread collected garbage.", CATEGORY_GC},
    [FIREFOX_GIL_HELD] = {"GIL held", "The thread held the global interpreter lock.", CATEGORY_GIL},
    [FIREFOX_GIL_WAIT] = {"GIL wait", "The thread waited for the global interpreter lock.", CATEGORY_GIL},
};

/* Before those of the profile; first the markers' names. */
enum { NO_NAME_STRING = FIREFOX_MARKERS, KERNEL_STRING, FIXED_STRINGS };

const char *firefox_marker_name(enum firefox_marker kind)
{
    return markers[kind].name;
}

uint32_t firefox_marker_string(enum firefox_marker kind)
{
    return kind;
}

uint32_t firefox_marker_category(enum firefox_marker kind)
{
    return markers[kind].category;
}

bool firefox_is_idle(const struct tile *tile)
{
    return !(tile->states & (SAMPLE_ACTIVE | SAMPLE_RECALLED));
}

bool firefox_is_marked(const struct firefox_tables *tables, const struct tile *tile, enum firefox_marker kind)
{
    switch (kind) {
    case FIREFOX_GC:
        return tables->is_collecting[tile->node];
    case FIREFOX_GIL_HELD:
        return tile->states & SAMPLE_HAS_GIL;
    case FIREFOX_GIL_WAIT:
        return tile->states & SAMPLE_GIL_WAIT;
    case FIREFOX_MARKERS:
        break;
    }
    return false;
}

/* --- building ----------------------------------------------------------------------------------------------------- */

void firefox_tables_deinit(struct firefox_tables *tables)
{
    free(tables->frames);
    free(tables->funcs);
    table_deinit(&tables->func_table);
    free(tables->strings);
    free(tables->string_of);
    free(tables->sources);
    free(tables->source_of);
    free(tables->resources);
    free(tables->resource_of);
    free(tables->frame_of);
    free(tables->idle_frame_of);
    free(tables->idle_nodes);
    free(tables->idle_stack_of);
    free(tables->is_collecting);
    *tables = (struct firefox_tables){0};
}

static bool allocate(struct firefox_tables *tables)
{
    uint32_t node_count, frame_count = profile_frame_count(tables->profile);
    uint32_t string_count = profile_string_count(tables->profile);
    profile_nodes(tables->profile, &node_count);
    tables->strings = numbers_create(string_count);
    tables->string_of = numbers_create(string_count);
    tables->sources = numbers_create(string_count);
    tables->source_of = numbers_create(string_count);
    tables->resources = numbers_create(string_count + 1);
    tables->resource_of = numbers_create(string_count);
    tables->frame_of = numbers_create(frame_count);
    tables->idle_frame_of = numbers_create(frame_count);
    tables->idle_nodes = numbers_create(node_count);
    tables->idle_stack_of = numbers_create(node_count);
    tables->is_collecting = calloc(node_count, sizeof(*tables->is_collecting));
    return tables->strings && tables->string_of && tables->sources && tables->source_of && tables->resources &&
           tables->resource_of && tables->frame_of && tables->idle_frame_of && tables->idle_nodes &&
           tables->idle_stack_of && tables->is_collecting;
}

static void add_string(struct firefox_tables *tables, uint32_t string)
{
    if (string == PROFILE_NONE || tables->string_of[string] != PROFILE_NONE)
        return;
    tables->strings[tables->string_count] = string;
    tables->string_of[string] = tables->string_count++;
}

static void add_source(struct firefox_tables *tables, uint32_t file)
{
    add_string(tables, file);
    if (file == PROFILE_NONE || tables->source_of[file] != PROFILE_NONE)
        return;
    tables->sources[tables->source_count] = file;
    tables->source_of[file] = tables->source_count++;
}

static uint32_t add_resource(struct firefox_tables *tables, uint32_t library)
{
    tables->resources[tables->resource_count] = library;
    return tables->resource_count++;
}

static uint32_t find_kernel(struct firefox_tables *tables)
{
    if (tables->kernel_resource == PROFILE_NONE)
        tables->kernel_resource = add_resource(tables, PROFILE_NONE);
    return tables->kernel_resource;
}

/* A library is told by its own name; where it is, stands in the list of libraries. */
static uint32_t find_library(struct firefox_tables *tables, uint32_t file)
{
    if (tables->resource_of[file] == PROFILE_NONE) {
        add_string(tables, profile_short_file(tables->profile, file));
        tables->resource_of[file] = add_resource(tables, file);
    }
    return tables->resource_of[file];
}

static struct firefox_func func_of(struct firefox_tables *tables, const struct profile_frame *frame)
{
    struct firefox_func func = {
        .name = frame->name, .file = frame->file, .first_line = frame->first_line, .resource = PROFILE_NONE};
    if (frame->kind == FRAME_KERNEL)
        func.resource = find_kernel(tables);
    if (native_frame_is_in_library(tables->profile, frame)) {
        func.resource = find_library(tables, frame->file);
        func.file = PROFILE_NONE;
    }
    return func;
}

static bool func_equals(const void *context, uint32_t index, const void *key)
{
    const struct firefox_func *func = &((const struct firefox_tables *)context)->funcs[index];
    const struct firefox_func *wanted = key;
    return func->name == wanted->name && func->file == wanted->file && func->first_line == wanted->first_line &&
           func->resource == wanted->resource;
}

/* The function of a frame, made when it is new; PROFILE_NONE without memory. */
static uint32_t find_func(struct firefox_tables *tables, const struct profile_frame *frame)
{
    const struct firefox_func func = func_of(tables, frame);
    uint64_t hash =
        hash_pair(hash_pair(func.name, func.file), (uint64_t)func.resource << 32 | (uint32_t)func.first_line);
    uint32_t found = table_find(&tables->func_table, hash, func_equals, tables, &func);
    if (found != TABLE_NONE)
        return found;
    if (!array_grow(&tables->funcs, tables->func_count, &tables->func_capacity, sizeof(*tables->funcs)) ||
        !table_insert(&tables->func_table, hash, tables->func_count))
        return PROFILE_NONE;
    add_string(tables, func.name);
    add_source(tables, func.file);
    tables->funcs[tables->func_count] = func;
    return tables->func_count++;
}

static bool add_frame(struct firefox_tables *tables, uint32_t frame, bool is_idle)
{
    uint32_t *place = is_idle ? &tables->idle_frame_of[frame] : &tables->frame_of[frame];
    if (*place != PROFILE_NONE)
        return true;
    uint32_t func = find_func(tables, profile_frame(tables->profile, frame));
    if (func == PROFILE_NONE ||
        !array_grow(&tables->frames, tables->frame_count, &tables->frame_capacity, sizeof(*tables->frames)))
        return false;
    *place = tables->frame_count;
    tables->frames[tables->frame_count++] = (struct firefox_frame){.frame = frame, .func = func, .is_idle = is_idle};
    return true;
}

static bool is_collector(const struct profile *profile, const struct profile_frame *frame)
{
    size_t len;
    return frame->kind == FRAME_MARK && strcmp(profile_string(profile, frame->name, &len), "<GC>") == 0;
}

/* A stack's colour is that of its last frame, so that an idle stack ends in another frame than a busy one. */
static struct error *add_idle_stack(void *context, const struct tile *tile)
{
    struct firefox_tables *tables = context;
    uint32_t count;
    if (tile->node == PROFILE_ROOT || !firefox_is_idle(tile) || tables->idle_stack_of[tile->node] != PROFILE_NONE)
        return NULL;
    const struct profile_node *nodes = profile_nodes(tables->profile, &count);
    tables->idle_stack_of[tile->node] = count - 1 + tables->idle_count;
    tables->idle_nodes[tables->idle_count++] = tile->node;
    return add_frame(tables, nodes[tile->node].frame, true) ? NULL : error_no_memory();
}

struct error *firefox_tables_init(struct firefox_tables *tables, struct timeline *timeline)
{
    *tables = (struct firefox_tables){.profile = timeline->profile, .kernel_resource = PROFILE_NONE};
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(tables->profile, &count);
    if (!allocate(tables))
        return error_no_memory();
    for (uint32_t i = PROFILE_ROOT + 1; i < count; i++) {
        tables->is_collecting[i] = tables->is_collecting[nodes[i].parent] ||
                                   is_collector(tables->profile, profile_frame(tables->profile, nodes[i].frame));
        if (!add_frame(tables, nodes[i].frame, false))
            return error_no_memory();
    }
    return timeline_each_tile(timeline, add_idle_stack, tables);
}

/* Stacks are numbered as the nodes are, without the root. */
static uint32_t stack_of_node(uint32_t node)
{
    return node == PROFILE_ROOT ? PROFILE_NONE : node - 1;
}

uint32_t firefox_stack(const struct firefox_tables *tables, const struct tile *tile)
{
    return firefox_is_idle(tile) ? tables->idle_stack_of[tile->node] : stack_of_node(tile->node);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void begin_table(struct json_stream *json, const char *head, uint32_t length)
{
    json_raw(json, head);
    json_raw(json, "{\"length\":");
    json_number(json, length);
}

static void begin_column(struct json_stream *json, const char *name)
{
    json_raw(json, ",\n\"");
    json_raw(json, name);
    json_raw(json, "\":[");
}

/* What a row has in a column; PROFILE_NONE for nothing. */
typedef uint32_t (*cell_reader)(const struct firefox_tables *tables, uint32_t row);

static void write_column_or(const struct firefox_tables *tables, struct json_stream *json, const char *name,
                            uint32_t length, cell_reader read, const char *nothing)
{
    begin_column(json, name);
    for (uint32_t i = 0; i < length; i++) {
        uint32_t cell = read(tables, i);
        json_raw(json, i > 0 ? "," : "");
        if (cell == PROFILE_NONE)
            json_raw(json, nothing);
        else
            json_number(json, cell);
    }
    json_raw(json, "]");
}

static void write_column(const struct firefox_tables *tables, struct json_stream *json, const char *name,
                         uint32_t length, cell_reader read)
{
    write_column_or(tables, json, name, length, read, "null");
}

/* A column with the same in all rows. */
static void write_uniform_column(struct json_stream *json, const char *name, uint32_t length, const char *cell)
{
    begin_column(json, name);
    for (uint32_t i = 0; i < length; i++) {
        json_raw(json, i > 0 ? "," : "");
        json_raw(json, cell);
    }
    json_raw(json, "]");
}

static uint32_t read_stack_frame(const struct firefox_tables *tables, uint32_t row)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(tables->profile, &count);
    return row < count - 1 ? tables->frame_of[nodes[row + 1].frame]
                           : tables->idle_frame_of[nodes[tables->idle_nodes[row - (count - 1)]].frame];
}

static uint32_t read_stack_prefix(const struct firefox_tables *tables, uint32_t row)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(tables->profile, &count);
    uint32_t node = row < count - 1 ? row + 1 : tables->idle_nodes[row - (count - 1)];
    return stack_of_node(nodes[node].parent);
}

static void write_stacks(const struct firefox_tables *tables, struct json_stream *json)
{
    uint32_t count;
    profile_nodes(tables->profile, &count);
    uint32_t length = count - 1 + tables->idle_count;
    begin_table(json, "\"stackTable\":", length);
    write_column(tables, json, "frame", length, read_stack_frame);
    write_column(tables, json, "prefix", length, read_stack_prefix);
    json_raw(json, "},\n");
}

static enum category category_of(const struct profile *profile, uint32_t frame)
{
    enum frame_kind kind = profile_frame(profile, frame)->kind;
    if (kind == FRAME_NATIVE || kind == FRAME_KERNEL)
        return kind == FRAME_NATIVE ? CATEGORY_NATIVE : CATEGORY_KERNEL;
    switch (profile_frame_origin(profile, frame)) {
    case ORIGIN_OWN:
        return CATEGORY_OWN;
    case ORIGIN_PACKAGE:
        return CATEGORY_PACKAGE;
    case ORIGIN_STDLIB:
        return CATEGORY_STDLIB;
    case ORIGIN_IMPORT:
        return CATEGORY_IMPORT;
    case ORIGIN_NONE:
        break;
    }
    return is_collector(profile, profile_frame(profile, frame)) ? CATEGORY_GC : CATEGORY_OTHER;
}

static uint32_t read_frame_category(const struct firefox_tables *tables, uint32_t row)
{
    const struct firefox_frame *frame = &tables->frames[row];
    return frame->is_idle ? CATEGORY_IDLE : category_of(tables->profile, frame->frame);
}

static uint32_t read_frame_func(const struct firefox_tables *tables, uint32_t row)
{
    return tables->frames[row].func;
}

static uint32_t known_line(int32_t line)
{
    return line > 0 ? (uint32_t)line : PROFILE_NONE;
}

static uint32_t read_frame_line(const struct firefox_tables *tables, uint32_t row)
{
    return known_line(profile_frame(tables->profile, tables->frames[row].frame)->line);
}

static void write_frames(const struct firefox_tables *tables, struct json_stream *json)
{
    uint32_t length = tables->frame_count;
    begin_table(json, "\"frameTable\":", length);
    write_uniform_column(json, "address", length, "-1");
    write_uniform_column(json, "inlineDepth", length, "0");
    write_column(tables, json, "category", length, read_frame_category);
    write_uniform_column(json, "subcategory", length, "0");
    write_column(tables, json, "func", length, read_frame_func);
    write_uniform_column(json, "nativeSymbol", length, "null");
    write_uniform_column(json, "innerWindowID", length, "0");
    write_column(tables, json, "line", length, read_frame_line);
    write_uniform_column(json, "column", length, "null");
    json_raw(json, "},\n");
}

static uint32_t read_func_name(const struct firefox_tables *tables, uint32_t row)
{
    size_t len = 0;
    uint32_t name = tables->funcs[row].name;
    profile_string(tables->profile, name, &len);
    return len > 0 ? FIXED_STRINGS + tables->string_of[name] : NO_NAME_STRING;
}

static uint32_t read_func_source(const struct firefox_tables *tables, uint32_t row)
{
    uint32_t file = tables->funcs[row].file;
    return file != PROFILE_NONE ? tables->source_of[file] : PROFILE_NONE;
}

static uint32_t read_func_resource(const struct firefox_tables *tables, uint32_t row)
{
    return tables->funcs[row].resource;
}

static uint32_t read_func_line(const struct firefox_tables *tables, uint32_t row)
{
    return known_line(tables->funcs[row].first_line);
}

static void write_funcs(const struct firefox_tables *tables, struct json_stream *json)
{
    uint32_t length = tables->func_count;
    begin_table(json, "\"funcTable\":", length);
    write_column(tables, json, "name", length, read_func_name);
    write_uniform_column(json, "isJS", length, "false");
    write_uniform_column(json, "relevantForJS", length, "false");
    write_column_or(tables, json, "resource", length, read_func_resource, "-1");
    write_column(tables, json, "source", length, read_func_source);
    write_column(tables, json, "lineNumber", length, read_func_line);
    write_uniform_column(json, "columnNumber", length, "null");
    json_raw(json, "},\n");
}

/* Libraries are numbered as resources are, without the kernel. */
static uint32_t read_resource_library(const struct firefox_tables *tables, uint32_t row)
{
    return row == tables->kernel_resource ? PROFILE_NONE : row - (row > tables->kernel_resource);
}

static uint32_t read_resource_name(const struct firefox_tables *tables, uint32_t row)
{
    if (row == tables->kernel_resource)
        return KERNEL_STRING;
    return FIXED_STRINGS + tables->string_of[profile_short_file(tables->profile, tables->resources[row])];
}

/* Type 1 is a library, 0 is not known. */
static uint32_t read_resource_type(const struct firefox_tables *tables, uint32_t row)
{
    return row != tables->kernel_resource;
}

static void write_resources(const struct firefox_tables *tables, struct json_stream *json)
{
    uint32_t length = tables->resource_count;
    begin_table(json, "\"resourceTable\":", length);
    write_column(tables, json, "lib", length, read_resource_library);
    write_column(tables, json, "name", length, read_resource_name);
    write_uniform_column(json, "host", length, "null");
    write_column(tables, json, "type", length, read_resource_type);
    json_raw(json, "},\n");
}

static uint32_t read_source_name(const struct firefox_tables *tables, uint32_t row)
{
    return FIXED_STRINGS + tables->string_of[tables->sources[row]];
}

static void write_strings(const struct firefox_tables *tables, struct json_stream *json)
{
    json_raw(json, "\"stringArray\":[");
    for (unsigned i = 0; i < FIREFOX_MARKERS; i++) {
        json_raw(json, "\"");
        json_raw(json, markers[i].name);
        json_raw(json, "\",");
    }
    json_raw(json, "\"(no name)\",\"kernel\"");
    for (uint32_t i = 0; i < tables->string_count; i++) {
        json_raw(json, ",\n");
        json_profile_string(json, tables->profile, tables->strings[i]);
    }
    json_raw(json, "]");
}

void firefox_tables_write(struct firefox_tables *tables, struct json_stream *json)
{
    json_raw(json, "\"shared\":{");
    write_stacks(tables, json);
    write_frames(tables, json);
    write_funcs(tables, json);
    write_resources(tables, json);
    json_raw(json,
             "\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[]},\n");
    begin_table(json, "\"sources\":", tables->source_count);
    write_uniform_column(json, "uuid", tables->source_count, "null");
    write_column(tables, json, "filename", tables->source_count, read_source_name);
    json_raw(json, "},\n");
    write_strings(tables, json);
    json_raw(json, "},\n");
}

static void write_library(const struct firefox_tables *tables, struct json_stream *json, uint32_t file)
{
    static const char *const keys[] = {"name", "debugName", "path", "debugPath"};
    for (size_t key = 0; key < array_size(keys); key++) {
        json_raw(json, "\"");
        json_raw(json, keys[key]);
        json_raw(json, "\":");
        json_profile_string(json, tables->profile, key < 2 ? profile_short_file(tables->profile, file) : file);
        json_raw(json, ",");
    }
    json_raw(json, "\"arch\":\"\",\"breakpadId\":\"\",\"codeId\":null}");
}

void firefox_write_libraries(const struct firefox_tables *tables, struct json_stream *json)
{
    const char *separator = "\n{";
    json_raw(json, "\"libs\":[");
    for (uint32_t i = 0; i < tables->resource_count; i++) {
        if (i == tables->kernel_resource)
            continue;
        json_raw(json, separator);
        write_library(tables, json, tables->resources[i]);
        separator = ",\n{";
    }
    json_raw(json, "],\n");
}

void firefox_write_kinds(struct json_stream *json)
{
    json_raw(json, "\"categories\":[");
    for (size_t i = 0; i < array_size(categories); i++) {
        json_raw(json, i > 0 ? ",\n{\"name\":\"" : "\n{\"name\":\"");
        json_raw(json, categories[i].name);
        json_raw(json, "\",\"color\":\"");
        json_raw(json, categories[i].colour);
        json_raw(json, "\",\"subcategories\":[\"Other\"]}");
    }
    json_raw(json, "],\n\"markerSchema\":[");
    for (size_t i = 0; i < array_size(markers); i++) {
        json_raw(json, i > 0 ? ",\n{\"name\":\"" : "\n{\"name\":\"");
        json_raw(json, markers[i].name);
        json_raw(json, "\",\"description\":\"");
        json_raw(json, markers[i].description);
        json_raw(json, "\",\"display\":[\"marker-chart\",\"marker-table\",\"timeline-overview\"],\"fields\":[]}");
    }
    json_raw(json, "]");
}
