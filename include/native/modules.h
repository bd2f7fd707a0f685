/* SPDX-License-Identifier: MIT */
/*
 * The files with code that a target has mapped, by address: what an unwinder and a symbolizer look things up in.
 *
 *     modules_create(&opener, memory, &modules);
 *     modules_update(modules, maps);                        at the start, and when the maps have changed
 *     const struct native_module *module = modules_find(modules, pc);
 *
 * This room opens no path: whoever makes the modules says how a mapping's file is opened. A file that cannot be opened,
 * or is no ELF file, costs names and unwinding, nothing else.
 */
#ifndef NATIVE_MODULES_H
#define NATIVE_MODULES_H

#include "base/error.h"
#include "image/image.h"
#include "memory/maps.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct loaded_image;

struct module_opener {
    void *context;
    /* Whether one more file may be kept open; NULL: always. Without it, a module has no names and is not unwound. */
    bool (*may_keep_file)(void *context);
    /* Opens the file of a mapping and works out its load bias. */
    struct error *(*open)(void *context, const struct maps *maps, const struct mapping *mapping,
                          struct loaded_image *ret);
    /* Opens the separate file with an image's symbols, as loaded->debug, if there is one; may be NULL. */
    bool (*open_debug)(void *context, struct loaded_image *loaded);
    /* Opens the file in which a just-in-time compiler names its code (/tmp/perf-PID.map); -1: there is none. May be
     * NULL. */
    int (*open_jit_names)(void *context);
    /* Opens a file with source code, by the whole path that a compiler wrote down; -1: there is none. May be NULL. */
    int (*open_source)(void *context, const char *path);
};

struct native_module {
    uint32_t number;   /* grows with each module that is met; never means two */
    const char *path;  /* as the target sees it; "[vdso]"; "" for anonymous memory; owned by the modules */
    remote_addr start; /* of its mapped code, with what lies between its mappings */
    remote_addr end;
    uint64_t bias;       /* address in the target = address of the file + bias */
    struct image *image; /* NULL: there is none, or it cannot be read */
    struct image *debug; /* with the symbols that were stripped; NULL: there is none */
};

struct modules;

/* What is pointed to must outlive the modules. memory: of the target, from which the vdso is read. */
struct error *modules_create(const struct module_opener *opener, struct memory *memory, struct modules **ret);

/* Accepts NULL. */
void modules_destroy(struct modules *modules);

/*
 * Makes the modules those of these maps, which are only looked at meanwhile. What was there before and still is keeps
 * its number, image and address. Files are opened here, so that finding is fast.
 */
struct error *modules_update(struct modules *modules, const struct maps *maps);

/* The module that has code at an address; NULL: none has. Allocates nothing. Valid until the next update. */
const struct native_module *modules_find(struct modules *modules, remote_addr address);

/* See module_opener. */
int modules_open_jit_names(const struct modules *modules);
int modules_open_source(const struct modules *modules, const char *path);

static inline void cleanup_modules_destroy(struct modules **modules)
{
    modules_destroy(*modules);
}

#define cleanup_modules __attribute__((cleanup(cleanup_modules_destroy)))

#endif
