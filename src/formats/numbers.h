/* SPDX-License-Identifier: MIT */
/* Arrays that say what number something has in a file, and PROFILE_NONE of what has none. */
#ifndef FORMATS_NUMBERS_H
#define FORMATS_NUMBERS_H

#include "profile/profile.h"

#include <stdint.h>
#include <stdlib.h>

/* The caller frees it. NULL without memory. */
static inline uint32_t *numbers_create(uint32_t count)
{
    uint32_t *numbers = malloc((count + (size_t)1) * sizeof(*numbers));
    for (uint32_t i = 0; numbers && i < count; i++)
        numbers[i] = PROFILE_NONE;
    return numbers;
}

#endif
