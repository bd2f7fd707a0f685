/* SPDX-License-Identifier: MIT */
/*
 * The processes of a recording: one or more, and if asked for those that they make. Whatever program they run, now or
 * later, they are attached to as soon as that is a Python, and forgotten when they have ended.
 *
 *     process_tree_create(recording, process, true, &tree);
 *     for (;;) {
 *         process_tree_update(tree);
 *         poll(process_tree_fd(tree), ..., process_tree_timeout_ms(tree));
 *     }
 *
 * A process that ends as soon as it is made is not noticed, nor one whose parent has ended before it was.
 */
#ifndef SAMPLER_PROCESS_TREE_H
#define SAMPLER_PROCESS_TREE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct process;
struct process_tree;
struct recording;

/* The root must outlive the tree, and the tree the recording's work: destroy it after the recording. */
struct error *process_tree_create(struct recording *recording, const struct process *root, bool with_children,
                                  struct process_tree **ret);

/*
 * Adds another process as a root, which is the tree's from then on, and attaches to it. Errors: those of
 * recording_attach(), but for ERROR_NOT_READY, and for ERROR_NOT_PYTHON when there can be children: then that is tried
 * again. On failure the process stays the caller's.
 */
struct error *process_tree_add_root(struct process_tree *tree, struct process *root);

/* Whether any of the roots that were added still runs. */
bool process_tree_has_added_roots(const struct process_tree *tree);

/* Accepts NULL. */
void process_tree_destroy(struct process_tree *tree);

/* Does what is due: looks for children, attaches to what has become a Python, forgets who has ended. */
void process_tree_update(struct process_tree *tree);

/* Readable when an update is due before the time. */
int process_tree_fd(const struct process_tree *tree);

/* Until the next update is due; -1: no earlier than the descriptor says. */
int process_tree_timeout_ms(const struct process_tree *tree);

/* Whether any process was attached to, at any time. */
bool process_tree_was_attached(const struct process_tree *tree);

/* Why the root could not be attached to at the last try, which is the caller's now; NULL when it was, or not tried. */
struct error *process_tree_take_error(struct process_tree *tree);

/* How many others run a Python that could not be attached to, and why the first of them could not. The tree's own. */
const struct error *process_tree_refusals(struct process_tree *tree, uint32_t *ret_count);

static inline void cleanup_process_tree_destroy(struct process_tree **tree)
{
    process_tree_destroy(*tree);
}

#define cleanup_process_tree __attribute__((cleanup(cleanup_process_tree_destroy)))

#endif
