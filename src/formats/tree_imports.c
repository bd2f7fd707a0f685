/* SPDX-License-Identifier: MIT */
#include "tree_imports.h"

#include "tree_builder.h"

enum {
    CHAIN_LIMIT = 256, /* frames of the import system in a row, native ones among them; 9 of Python's at most in 3.6 to
                          3.15, with some 10 native ones between two of them */
    PASS_LIMIT = 64,   /* native frames in a row between one of Python and what it imports */
};

/* What one line of a caller imports. */
struct import {
    uint32_t systems; /* list: frames of the import system, left with those children that are neither of the two */
    uint32_t modules; /* list */
    uint32_t largest; /* of the modules; PROFILE_NONE: there are none */
};

static bool is_importer(const struct tree_builder *builder, uint32_t node)
{
    return tree_function_of(builder, node)->class == FUNCTION_IMPORTER;
}

static bool is_native(const struct tree_builder *builder, uint32_t node)
{
    return profile_frame(builder->profile, builder->nodes[node].frame)->kind == FRAME_NATIVE;
}

/* What the import system itself calls in C, and the kernel for it, is part of it. */
static bool is_part_of_system(const struct tree_builder *builder, uint32_t node)
{
    return is_importer(builder, node) || is_native(builder, node) ||
           profile_frame(builder->profile, builder->nodes[node].frame)->kind == FRAME_KERNEL;
}

static bool is_module(const struct tree_builder *builder, uint32_t node)
{
    return tree_function_of(builder, node)->package != PROFILE_NONE;
}

static void note_module(struct tree_builder *builder, struct import *import, uint32_t node)
{
    tree_push(builder, &import->modules, node);
    if (import->largest == PROFILE_NONE || builder->totals[node] > builder->totals[import->largest])
        import->largest = node;
}

/* What is taken out of the children of a node. */
struct taking {
    struct import *import;
    uint32_t *systems; /* list that frames of the import system go to */
    bool is_in_system; /* the node is one of these */
    bool with_modules;
};

/*
 * Takes what is of interest out of the children of a node: frames of the import system, and modules if wanted. Python
 * comes to its import system, and that to the module, through functions in C that serve everybody: these are looked
 * through, and keep what else they called.
 */
static uint64_t take_children(struct tree_builder *builder, uint32_t node, const struct taking *taking, uint32_t depth)
{
    uint64_t taken = 0;
    uint32_t list = builder->first_child[node];
    uint32_t kept = PROFILE_NONE;
    while (list != PROFILE_NONE) {
        uint32_t child = tree_pop(builder, &list);
        bool is_system = taking->is_in_system ? is_part_of_system(builder, child) : is_importer(builder, child);
        bool is_wanted = is_system || (taking->with_modules && is_module(builder, child));
        if (is_wanted)
            taken += builder->totals[child];
        else if (is_native(builder, child) && depth < PASS_LIMIT)
            taken += take_children(builder, child, taking, depth + 1);
        if (is_system)
            tree_push(builder, taking->systems, child);
        else if (is_wanted)
            note_module(builder, taking->import, child);
        else
            tree_push(builder, &kept, child);
    }
    builder->first_child[node] = kept;
    builder->totals[node] -= taken;
    return taken;
}

static struct tree_row model_of(const struct tree_builder *builder, uint32_t module)
{
    struct tree_row model = {
        .kind = ROW_IMPORT,
        .key = builder->functions->count + builder->functions->package_count,
        .package = PROFILE_NONE,
    };
    if (module == PROFILE_NONE)
        return model;
    const struct function *function = tree_function_of(builder, module);
    model.package = function->package;
    model.key = builder->functions->count + function->package;
    model.name = function->module_name;
    model.name_len = function->module_len;
    return model;
}

/* Shortens the row's name to what both names begin with, in whole parts. */
static void join_name(const struct tree_builder *builder, struct tree_row *row, const struct tree_row *other)
{
    const char *text = buffer_text(&builder->functions->text);
    const char *name = text + row->name;
    const char *added = text + other->name;
    size_t common = 0;
    size_t shorter = row->name_len < other->name_len ? row->name_len : other->name_len;
    for (size_t i = 0; i <= shorter; i++) {
        bool ends_both = (i == row->name_len || name[i] == '.') && (i == other->name_len || added[i] == '.');
        if (ends_both)
            common = i;
        if (i < shorter && name[i] != added[i])
            break;
    }
    if (common > 0)
        row->name_len = common;
}

/* Puts a node into the row of its import, which is the one that is looked into when that is of the same package. */
static bool deliver(struct tree_builder *builder, struct tree_visit *visit, const struct tree_row *model, uint32_t node,
                    uint64_t *kept)
{
    const struct tree_row *row = &builder->rows->rows[visit->row];
    if (row->kind == ROW_IMPORT && (model->package == PROFILE_NONE || model->key == row->key)) {
        tree_push(builder, &visit->pending, node);
        *kept += builder->totals[node];
        return true;
    }
    struct tree_row *child = tree_add_to_child(builder, visit, model, node, builder->totals[node]);
    if (child)
        join_name(builder, child, model);
    return child != NULL;
}

bool tree_fold_imports(struct tree_builder *builder, struct tree_visit *visit, uint32_t node, uint64_t *ret_kept)
{
    struct import import = {PROFILE_NONE, PROFILE_NONE, PROFILE_NONE};
    uint32_t systems = PROFILE_NONE;
    bool is_top = tree_function_of(builder, node)->class == FUNCTION_GROUP;
    uint64_t whole = builder->totals[node];
    const struct taking outside = {&import, &systems, false, builder->imports_barely && !is_top};
    const struct taking inside = {&import, &systems, true, true};
    take_children(builder, node, &outside, 0);
    builder->totals[node] = whole; /* the node stands for its whole time still: that of its caller's row */
    while (systems != PROFILE_NONE) {
        uint32_t system = tree_pop(builder, &systems);
        take_children(builder, system, &inside, 0);
        tree_push(builder, &import.systems, system);
    }
    struct tree_row model = model_of(builder, import.largest);
    while (import.systems != PROFILE_NONE) {
        if (!deliver(builder, visit, &model, tree_pop(builder, &import.systems), ret_kept))
            return false;
    }
    while (import.modules != PROFILE_NONE) {
        uint32_t module = tree_pop(builder, &import.modules);
        model = model_of(builder, module);
        if (!deliver(builder, visit, &model, module, ret_kept))
            return false;
    }
    return true;
}

uint32_t tree_find_importer(const struct tree_builder *builder, uint32_t node)
{
    uint32_t at = node;
    for (int i = 0; i < CHAIN_LIMIT; i++) {
        at = builder->nodes[at].parent;
        if (at == PROFILE_NONE)
            return PROFILE_NONE;
        enum function_class class = tree_function_of(builder, at)->class;
        if (class == FUNCTION_GROUP || class == FUNCTION_STARTER)
            return PROFILE_NONE;
        if (class != FUNCTION_IMPORTER && !is_native(builder, at))
            return builder->nodes[at].frame;
    }
    return PROFILE_NONE;
}
