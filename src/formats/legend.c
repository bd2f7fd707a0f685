/* SPDX-License-Identifier: MIT */
#include "legend.h"

#include "base/cleanup.h"
#include "profile/calltree.h"

/* A tree has far more nodes than frames, and telling a frame's family takes looking at its file's name. */
struct frame_use {
    bool is_present;
    uint64_t self;
};

struct error *legend_fill(struct legend *legend, const struct profile *profile, const struct calltree *tree,
                          uint32_t frame_limit)
{
    *legend = (struct legend){0};
    cleanup_free struct frame_use *uses = calloc(frame_limit, sizeof(*uses));
    if (!uses)
        return error_no_memory();
    for (uint32_t i = 0; i < tree->count; i++) {
        struct frame_use *use = &uses[tree->nodes[i].frame];
        use->is_present = true;
        use->self += tree->nodes[i].self;
    }
    for (uint32_t frame = 0; frame < frame_limit; frame++) {
        if (!uses[frame].is_present)
            continue;
        enum colour_family family = colour_of_frame(profile, frame).family;
        legend->families[family].is_present = true;
        legend->families[family].self += uses[frame].self;
    }
    return NULL;
}
