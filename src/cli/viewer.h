/* SPDX-License-Identifier: MIT */
/*
 * Showing a result (--open).
 */
#ifndef CLI_VIEWER_H
#define CLI_VIEWER_H

struct outputs;

/*
 * Gives the first file among complete outputs to xdg-open(1), without waiting for it. Never as root, as what that
 * starts would be root's: then it says so. What fails is said, too, and is no failure of ours.
 */
void viewer_open(const struct outputs *outputs);

#endif
