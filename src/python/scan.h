/* SPDX-License-Identifier: MIT */
/*
 * Finding an interpreter that no symbol leads to, by what its memory has to look like.
 */
#ifndef PYTHON_SCAN_H
#define PYTHON_SCAN_H

#include "layout.h"
#include "memory/maps.h"
#include "python/data.h"

#include <stdbool.h>

/*
 * Whether an interpreter state is at an address: it has a thread that points back to it, and its modules are a dict,
 * which is known by the name of its type.
 */
bool scan_is_interpreter(const struct layout *layout, struct memory *memory, remote_addr address);

/*
 * Looks in the data for the pointers to the newest and to the main interpreter, which are neighbours, and returns the
 * address of the runtime that they are in; to 3.6, of the pointer to the newest. 0 when there are none.
 */
remote_addr scan_for_runtime(const struct python_data *data, const struct maps *maps, const struct layout *layout,
                             struct memory *memory);

/*
 * To 3.6: looks for the pointer to the thread that has the GIL, which lies beside the one to the interpreters. 0 when
 * it does not, or while no thread has the GIL.
 */
remote_addr scan_for_current_thread(const struct layout *layout, struct memory *memory, remote_addr interpreters);

/* Looks for debug offsets (from 3.13 on) in the data from *address on; on success *address is where they are. */
bool scan_for_debug_offsets(const struct python_data *data, struct memory *memory, remote_addr *address);

#endif
