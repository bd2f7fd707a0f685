/* SPDX-License-Identifier: MIT */
/*
 * How the files are opened that a target has mapped.
 */
#ifndef SAMPLER_OPENERS_H
#define SAMPLER_OPENERS_H

#include "native/modules.h"

struct core;
struct process;

/* The process must outlive the opener. */
struct module_opener opener_of_process(const struct process *process);

/* The core must outlive the opener. */
struct module_opener opener_of_core(struct core *core);

#endif
