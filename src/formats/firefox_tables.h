/* SPDX-License-Identifier: MIT */
/*
 * The tables that all threads of a Firefox profile share: stacks, frames, functions, sources and strings; and the kinds
 * of frames and markers. The tables have what is distinct alone.
 */
#ifndef FORMATS_FIREFOX_TABLES_H
#define FORMATS_FIREFOX_TABLES_H

#include "base/error.h"
#include "base/table.h"
#include "json_stream.h"
#include "timeline.h"

#include <stdbool.h>
#include <stdint.h>

/* Spans of time that are shown beside the stacks. */
enum firefox_marker {
    FIREFOX_GC,       /* it collects garbage */
    FIREFOX_GIL_HELD, /* it holds the GIL, */
    FIREFOX_GIL_WAIT, /* or waits for it */
    FIREFOX_MARKERS,
};

struct firefox_frame {
    uint32_t frame; /* of the profile */
    uint32_t func;
    bool is_idle; /* of a thread that neither ran nor was ready to */
};

struct firefox_func {
    uint32_t name, file; /* strings of the profile; no file where the library alone is known */
    int32_t first_line;
    uint32_t resource; /* what it is in: the kernel or a library; PROFILE_NONE for Python */
};

struct firefox_tables {
    const struct profile *profile;
    struct firefox_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct firefox_func *funcs;
    uint32_t func_count, func_capacity;
    struct table func_table;
    uint32_t *strings;   /* of the profile, in the order of the file */
    uint32_t *string_of; /* by string of the profile: its place among these */
    uint32_t string_count;
    uint32_t *sources;   /* strings of the profile */
    uint32_t *source_of; /* by string of the profile */
    uint32_t source_count;
    uint32_t *resources;   /* strings of the profile: paths of libraries; PROFILE_NONE for the kernel */
    uint32_t *resource_of; /* by string of the profile */
    uint32_t resource_count;
    uint32_t kernel_resource; /* PROFILE_NONE: there is none */
    uint32_t *frame_of;       /* by frame of the profile */
    uint32_t *idle_frame_of;  /* the same for the idle ones */
    uint32_t *idle_nodes;     /* the nodes of stacks that end in an idle frame; they follow those of all nodes */
    uint32_t *idle_stack_of;  /* by node */
    uint32_t idle_count;
    bool *is_collecting; /* by node */
};

/* The timeline must outlive it. Both accept what init left when it failed. */
struct error *firefox_tables_init(struct firefox_tables *tables, struct timeline *timeline);
void firefox_tables_deinit(struct firefox_tables *tables);

/* "shared":{...}, and a comma. */
void firefox_tables_write(struct firefox_tables *tables, struct json_stream *json);

/* "libs":[...], and a comma. */
void firefox_write_libraries(const struct firefox_tables *tables, struct json_stream *json);

/* "categories":[...],"markerSchema":[...] */
void firefox_write_kinds(struct json_stream *json);

/* The stack of a tile; PROFILE_NONE when it has no frame. */
uint32_t firefox_stack(const struct firefox_tables *tables, const struct tile *tile);

bool firefox_is_idle(const struct tile *tile);

/* Whether a marker of that kind goes on during a tile. */
bool firefox_is_marked(const struct firefox_tables *tables, const struct tile *tile, enum firefox_marker kind);

const char *firefox_marker_name(enum firefox_marker kind);
uint32_t firefox_marker_string(enum firefox_marker kind);
uint32_t firefox_marker_category(enum firefox_marker kind);

#endif
