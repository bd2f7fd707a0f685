/* SPDX-License-Identifier: MIT */
/* A row of a text tree, and all of them; tree_rows.h makes them. */
#ifndef FORMATS_TREE_ROW_H
#define FORMATS_TREE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_row_kind {
    ROW_FUNCTION, /* also processes, threads and marks */
    ROW_IMPORT,
};

struct tree_row {
    enum tree_row_kind kind;
    uint32_t key;          /* rows with one parent and one key are one row */
    uint32_t function;     /* of ROW_FUNCTION */
    uint32_t package;      /* of ROW_IMPORT; PROFILE_NONE when it is not known which one */
    size_t name, name_len; /* of ROW_IMPORT: what is imported, in functions->text */
    uint32_t frame;        /* of the first of its nodes */
    uint32_t node_count;   /* of a process or thread: how many of them are put together here */
    uint32_t parent;       /* PROFILE_NONE for the first row */
    uint32_t first_child;  /* side by side, most time first */
    uint32_t child_count;
    uint32_t hot_frame;    /* whose line had most of the total; of an import the one that imports; PROFILE_NONE: none */
    uint32_t self_frame;   /* whose line had most of the self time; PROFILE_NONE: none */
    uint32_t turns;        /* of a recursion, at most; 1: there is none */
    uint32_t group;        /* see tree_groups.h: the row that the group begins with; PROFILE_NONE: in none */
    uint32_t hidden_count; /* of the group that begins here */
    uint32_t next_hidden;  /* of that group, or that this row is hidden in; PROFILE_NONE: no more */
    bool is_hidden;
    uint64_t total, self;
    uint32_t members; /* while rows are made: the first of the profile's nodes that are put together here */
};

struct tree_rows {
    struct tree_row *rows; /* breadth first; the first one is the whole profile */
    uint32_t count, capacity;
    uint32_t small_count; /* rows that were left out because they had too little time, those below them not counted */
    uint64_t small_total; /* their time */
};

#endif
