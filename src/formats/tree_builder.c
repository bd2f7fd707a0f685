/* SPDX-License-Identifier: MIT */
#include "tree_builder.h"

#include "base/table.h"
#include "profile/members.h"

#include <stdlib.h>
#include <string.h>

/* A parent has a smaller number than its children, so that one walk from the end sums everything up. */
static void link_and_sum(struct tree_builder *builder, uint32_t count)
{
    memset(builder->first_child, 0xff, count * sizeof(*builder->first_child));
    for (uint32_t i = 0; i < count; i++)
        builder->totals[i] = builder->nodes[i].self;
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t parent = builder->nodes[i].parent;
        builder->totals[parent] += builder->totals[i];
        tree_push(builder, &builder->first_child[parent], i);
    }
}

static bool has_python2(const struct profile *profile)
{
    uint32_t count;
    size_t len;
    const struct profile_process *processes = profile_processes(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp(profile_string(profile, processes[i].python_version, &len), "2.", 2) == 0)
            return true;
    }
    return false;
}

struct error *tree_builder_init(struct tree_builder *builder)
{
    uint32_t count;
    builder->nodes = profile_nodes(builder->profile, &count);
    size_t frame_count = profile_frame_count(builder->profile);
    size_t key_count = (size_t)builder->functions->count + builder->functions->package_count + 1;
    builder->totals = malloc(count * sizeof(*builder->totals));
    builder->first_child = malloc(count * sizeof(*builder->first_child));
    builder->next = malloc(count * sizeof(*builder->next));
    builder->totals_of_frame = calloc(frame_count, sizeof(*builder->totals_of_frame));
    builder->selves_of_frame = calloc(frame_count, sizeof(*builder->selves_of_frame));
    builder->place = calloc(key_count, sizeof(*builder->place));
    if (!builder->totals || !builder->first_child || !builder->next || !builder->totals_of_frame ||
        !builder->selves_of_frame || !builder->place)
        return error_no_memory();
    link_and_sum(builder, count);
    builder->imports_barely = has_python2(builder->profile);
    return NULL;
}

void tree_builder_deinit(struct tree_builder *builder)
{
    free(builder->totals);
    free(builder->first_child);
    free(builder->next);
    free(builder->totals_of_frame);
    free(builder->selves_of_frame);
    free(builder->place);
}

struct tree_row *tree_add_row(struct tree_rows *rows, const struct tree_row *model)
{
    if (!array_grow(&rows->rows, rows->count, &rows->capacity, sizeof(*rows->rows)))
        return NULL;
    struct tree_row *row = &rows->rows[rows->count++];
    *row = *model;
    row->turns = 1;
    row->members = row->hot_frame = row->self_frame = row->group = row->next_hidden = PROFILE_NONE;
    return row;
}

struct tree_row *tree_add_to_child(struct tree_builder *builder, const struct tree_visit *visit,
                                   const struct tree_row *model, uint32_t node, uint64_t time)
{
    struct tree_rows *rows = builder->rows;
    uint32_t place = builder->place[model->key];
    struct tree_row *row = NULL;
    if (place >= visit->first_new && place < rows->count && rows->rows[place].key == model->key) {
        row = &rows->rows[place];
    } else {
        builder->place[model->key] = rows->count;
        row = tree_add_row(rows, model);
        if (!row)
            return NULL;
        row->parent = visit->row;
        row->frame = builder->nodes[node].frame;
    }
    row->node_count++;
    row->total += time;
    tree_push(builder, &row->members, node);
    return row;
}
