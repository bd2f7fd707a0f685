/* SPDX-License-Identifier: MIT */
/* diff --fail-over: how much more of the time a function may take, and what is said when one takes more. */
#ifndef CLI_FAIL_OVER_H
#define CLI_FAIL_OVER_H

#include "profile/growth.h"

#include <stdbool.h>

/* How many percentage points each kind may grow. */
struct fail_over {
    bool is_limited[GROWTH_KINDS];
    double points[GROWTH_KINDS];
};

/* Takes a value of the option: "5", or "self:5", or "total:5". */
struct error *fail_over_take(struct fail_over *limits, const char *text);

/* Whether anything is limited. */
bool fail_over_is_set(const struct fail_over *limits);

struct fail_over_options {
    uint32_t rows;       /* so many functions of a kind are named at most */
    bool full_filenames; /* by their whole paths */
};

/*
 * Says on standard error which functions grew beyond the limits, and when the recordings are too short to tell that
 * from noise. It is an error when there is nothing to compare.
 */
struct error *fail_over_check(const struct fail_over *limits, const struct diff *diff,
                              const struct fail_over_options *options, bool *ret_has_grown);

#endif
