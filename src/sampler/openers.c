/* SPDX-License-Identifier: MIT */
#include "openers.h"

#include "core/core.h"
#include "target/process.h"
#include "target/process_images.h"

static bool may_keep_process_file(void *context)
{
    (void)context;
    return process_may_keep_file();
}

static struct error *open_process_image(void *context, const struct maps *maps, const struct mapping *mapping,
                                        struct loaded_image *ret)
{
    return process_open_image(context, maps, mapping, ret);
}

static bool open_process_debug_image(void *context, struct loaded_image *loaded)
{
    return process_open_debug_image(context, loaded);
}

static int open_process_jit_names(void *context)
{
    return process_open_jit_names(context);
}

static int open_process_source(void *context, const char *path)
{
    return process_open_path(context, path);
}

struct module_opener opener_of_process(const struct process *process)
{
    return (struct module_opener){
        .context = (void *)process,
        .may_keep_file = may_keep_process_file,
        .open = open_process_image,
        .open_debug = open_process_debug_image,
        .open_jit_names = open_process_jit_names,
        .open_source = open_process_source,
    };
}

static struct error *open_core_image(void *context, const struct maps *maps, const struct mapping *mapping,
                                     struct loaded_image *ret)
{
    (void)maps;
    return core_open_image(context, mapping, ret);
}

static int open_no_jit_names(void *context)
{
    (void)context;
    return -1;
}

static bool open_core_debug_image(void *context, struct loaded_image *loaded)
{
    return core_open_debug_image(context, loaded);
}

static int open_core_source(void *context, const char *path)
{
    return core_open_path(context, path);
}

struct module_opener opener_of_core(struct core *core)
{
    return (struct module_opener){
        .context = core,
        .open = open_core_image,
        .open_debug = open_core_debug_image,
        .open_jit_names = open_no_jit_names,
        .open_source = open_core_source,
    };
}
