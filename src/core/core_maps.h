/* SPDX-License-Identifier: MIT */
/*
 * The maps of a core, put together from its segments and its list of mapped files.
 */
#ifndef CORE_CORE_MAPS_H
#define CORE_CORE_MAPS_H

#include "core_parts.h"

/* Fills in the core's maps, and which of its files is the executable. */
struct error *core_maps_init(struct core *core);

#endif
