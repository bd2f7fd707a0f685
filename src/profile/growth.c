/* SPDX-License-Identifier: MIT */
#include "profile/growth.h"

#include "base/cleanup.h"
#include "profile/diff.h"

#include <stdlib.h>

/* What the order of frames is asked about. */
struct order {
    const struct diff *diff;
    enum growth_kind kind;
};

const struct diff_amount *growth_amount(const struct diff *diff, enum growth_kind kind, uint32_t frame)
{
    const struct diff_function *function = &diff->functions[frame];
    return kind == GROWTH_TOTAL ? &function->total : &function->self;
}

static int compare_growth(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    uint32_t frame_a = *(const uint32_t *)a, frame_b = *(const uint32_t *)b;
    double points_a = diff_points(order->diff, growth_amount(order->diff, order->kind, frame_a));
    double points_b = diff_points(order->diff, growth_amount(order->diff, order->kind, frame_b));
    if (points_a > points_b || points_a < points_b)
        return points_a < points_b ? 1 : -1;
    return (frame_a > frame_b) - (frame_a < frame_b);
}

struct error *growth_find(const struct diff *diff, enum growth_kind kind, double points, uint32_t **ret_frames,
                          uint32_t *ret_count)
{
    struct order order = {.diff = diff, .kind = kind};
    uint32_t *frames = calloc(diff->frame_count + 1U, sizeof(*frames)), count = 0;
    if (!frames)
        return error_no_memory();
    for (uint32_t i = 1; i < diff->frame_count; i++) { /* frame 0 is the root */
        const struct diff_amount *amount = growth_amount(diff, kind, i);
        if (diff_points(diff, amount) > points && !diff_is_noise(diff, amount))
            frames[count++] = i;
    }
    qsort_r(frames, count, sizeof(*frames), compare_growth, &order);
    *ret_frames = frames;
    *ret_count = count;
    return NULL;
}

/* Whether a function that grew from one share to another would be seen to have grown. */
static bool is_seen(const struct diff *diff, double before, double after)
{
    const struct diff_amount amount = {
        .before = (uint64_t)(before / 100 * (double)diff->before.all),
        .after = (uint64_t)(after / 100 * (double)diff->after.all),
    };
    return !diff_is_noise(diff, &amount);
}

double growth_least(const struct diff *diff, double percent)
{
    double too_little = 0, enough = 100 - percent;
    while (enough - too_little > 0.005) {
        double middle = (too_little + enough) / 2;
        if (is_seen(diff, percent, percent + middle))
            enough = middle;
        else
            too_little = middle;
    }
    return enough;
}
