/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are kept open for as long as a thread is watched: some of those that we may have stay free for what
 * else there is to be opened.
 */
#ifndef TARGET_DESCRIPTOR_H
#define TARGET_DESCRIPTOR_H

/* Returns the descriptor, or closes it and returns -1 with EMFILE when too few would be left. Accepts -1. */
int descriptor_keep(int fd);

#endif
