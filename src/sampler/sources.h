/* SPDX-License-Identifier: MIT */
/*
 * The source lines of a dump's frames, as far as the files that they were read from are there and unchanged.
 */
#ifndef SAMPLER_SOURCES_H
#define SAMPLER_SOURCES_H

struct error;
struct process;
struct process_dump;
struct source_reader;

/* Fills in the source of each frame of which it is known for sure. Each file is read once. */
struct error *sources_add(const struct process *process, struct process_dump *dump);

/* The same with files of our own. */
struct error *sources_add_own(const struct source_reader *reader, struct process_dump *dump);

#endif
