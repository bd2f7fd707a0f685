/* SPDX-License-Identifier: MIT */
/*
 * What the files of modules say about addresses of code. The files are read in a process of their own (code_service):
 * a file that makes it fail costs its own names, and nothing else.
 */
#ifndef CODE_READER_H
#define CODE_READER_H

#include "base/error.h"
#include "code_messages.h"
#include "native/modules.h"

#include <stdbool.h>
#include <stdint.h>

struct code_reader;

/* The process is started now, before there is much memory to share with it. */
struct error *code_reader_create(struct code_reader **ret);

/* Accepts NULL. */
void code_reader_destroy(struct code_reader *reader);

/* Forgets modules that are not among these any more. */
void code_reader_update(struct code_reader *reader, struct modules *modules);

/*
 * Asks about an address of a module's file. False when nothing can be said about it. What is returned is valid until
 * the next call.
 */
bool code_reader_find(struct code_reader *reader, const struct native_module *module, uint64_t address,
                      struct code_description *ret);

#endif
