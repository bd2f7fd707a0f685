/* SPDX-License-Identifier: MIT */
/*
 * Which functions take more of the time than before, by more than somebody allows: what a machine asks a diff for.
 *
 *     growth_find(diff, GROWTH_SELF, 5, &frames, &count);
 *     for (i < count) growth_amount(diff, GROWTH_SELF, frames[i])
 *
 * What chance may have made is no growth, however little is allowed: see profile/diff.h.
 */
#ifndef PROFILE_GROWTH_H
#define PROFILE_GROWTH_H

#include "base/error.h"

#include <stdint.h>

struct diff;
struct diff_amount;

/* What of a function counts. */
enum growth_kind {
    GROWTH_SELF,  /* the function alone */
    GROWTH_TOTAL, /* with what it calls */
    GROWTH_KINDS,
};

/*
 * Lists the frames whose share of the samples grew by more than these percentage points, the most first. The diff
 * compares shares. The list is the caller's to free; it is never NULL on success.
 */
struct error *growth_find(const struct diff *diff, enum growth_kind kind, double points, uint32_t **ret_frames,
                          uint32_t *ret_count);

/* A frame's samples of that kind. */
const struct diff_amount *growth_amount(const struct diff *diff, enum growth_kind kind, uint32_t frame);

/*
 * By how many points a function that had this share before, in percent, has to grow before that is not taken for
 * chance: it follows from how many samples there are. To a hundredth of a point; 100 - percent when no growth is
 * enough.
 */
double growth_least(const struct diff *diff, double percent);

#endif
