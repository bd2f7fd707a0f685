/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include "base/confined.h"
#include "target/quota.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

enum {
    PART = 2,          /* of the quota: what is spent by then can come together in one period with what is saved up */
    WAIT_NS = 1000000, /* the shortest, so that it is worth it */
};

void budget_set(struct budget *budget, const struct quota *quota)
{
    atomic_store(&budget->period_ns, quota ? quota->period_ns : 0);
    atomic_store(&budget->quota_ns, quota ? quota->quota_ns : 0);
}

bool budget_is_limited(struct budget *budget)
{
    return atomic_load(&budget->quota_ns) != 0 && atomic_load(&budget->period_ns) != 0;
}

uint64_t budget_used_ns(struct budget *budget)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    bool is_less_than_a_cpu = atomic_load(&budget->quota_ns) < atomic_load(&budget->period_ns);
    uint64_t confined_ns = is_less_than_a_cpu ? confined_used_ns() : 0;
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec + confined_ns;
}

uint64_t budget_rest_end_ns(struct budget *budget, uint64_t now_ns, uint64_t used_ns)
{
    double quota_ns = (double)atomic_load(&budget->quota_ns), period_ns = (double)atomic_load(&budget->period_ns);
    uint64_t passed_ns = now_ns - budget->seen_ns, spent_ns = used_ns > budget->used_ns ? used_ns - budget->used_ns : 0;
    budget->seen_ns = now_ns;
    budget->used_ns = used_ns;
    if (quota_ns == 0 || period_ns == 0)
        return now_ns;
    double share = quota_ns / period_ns / PART, most_ns = quota_ns / PART;
    double left_ns = (double)budget->left_ns + (double)passed_ns * share - (double)spent_ns;
    left_ns = left_ns > most_ns ? most_ns : left_ns;
    left_ns = left_ns < -quota_ns ? -quota_ns : left_ns; /* a start that took long is not paid for */
    budget->left_ns = (int64_t)left_ns;
    return left_ns >= 0 ? now_ns : now_ns + WAIT_NS + (uint64_t)(-left_ns / share);
}
