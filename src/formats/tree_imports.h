/* SPDX-License-Identifier: MIT */
/*
 * Folding imports into rows.
 *
 * A caller that imports has frames of the import system above it, and above these, sooner or later, the module's own
 * code: `<module>` of its file. Time before the module's code runs (looking for the file, reading it) does not say
 * whose it is; it is put to the module that took most of the time of the same line of the caller.
 */
#ifndef FORMATS_TREE_IMPORTS_H
#define FORMATS_TREE_IMPORTS_H

#include <stdbool.h>
#include <stdint.h>

struct tree_builder;
struct tree_visit;

/*
 * Takes the import system's frames, and modules, out of the children of a node that is a member of the row. Returns
 * false without memory. *ret_kept grows by the time of what came into the row itself.
 */
bool tree_fold_imports(struct tree_builder *builder, struct tree_visit *visit, uint32_t node, uint64_t *ret_kept);

/* The frame that imports what a member of an import's row is about; PROFILE_NONE when it cannot be told. */
uint32_t tree_find_importer(const struct tree_builder *builder, uint32_t node);

#endif
