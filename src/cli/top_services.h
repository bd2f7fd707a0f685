/* SPDX-License-Identifier: MIT */
/* What top does for its screen: saving what was seen, and dumping a thread. */
#ifndef CLI_TOP_SERVICES_H
#define CLI_TOP_SERVICES_H

struct screen_services;
struct top_view;

void top_services_fill(struct top_view *view, struct screen_services *ret);

#endif
