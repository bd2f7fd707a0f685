/* SPDX-License-Identifier: MIT */
#include "method_names.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "image/loaded_image.h"
#include "python/c_methods.h"

#include <stdlib.h>
#include <string.h>

void method_names_deinit(struct method_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        c_methods_destroy(names->files[i].methods);
    free(names->files);
    *names = (struct method_names){0};
}

/*
 * Whether there can be tables of methods in a file: an interpreter's or an extension module's. What extension modules
 * are linked with is called lib..., and can be very large.
 */
static bool may_have_methods(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncmp(name, "lib", 3) != 0 || strstr(name, "python");
}

/* Whether the functions of a file have their names, so that what has none is no method: a stub, say. */
static bool has_names(const struct native_module *module)
{
    return image_has_local_functions(module->image) || (module->debug && image_has_local_functions(module->debug));
}

/* What is known of a file; NULL when it has nothing, or without memory. */
static struct c_methods *read_methods(const struct method_names *names, const struct native_module *module)
{
    struct python_data data = {0};
    struct c_methods *methods = NULL;
    if (!module->image || !may_have_methods(module->path) || has_names(module))
        return NULL;
    const struct loaded_image loaded = {.image = module->image, .bias = module->bias};
    python_data_of_image(&loaded, &data);
    error_destroy(c_methods_create(names->memory, names->maps, &data, &methods));
    return methods;
}

static const struct c_methods *methods_of(struct method_names *names, const struct native_module *module)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->files[i].module == module->number)
            return names->files[i].methods;
    }
    if (!array_grow(&names->files, names->count, &names->capacity, sizeof(*names->files)))
        return NULL;
    struct module_methods *file = &names->files[names->count++];
    *file = (struct module_methods){.module = module->number, .methods = read_methods(names, module)};
    return file->methods;
}

const char *method_names_find(struct method_names *names, const struct native_function *function)
{
    const struct native_module *module =
        function->is_named || function->start == 0 ? NULL : modules_find(names->modules, function->start);
    const struct c_methods *methods = module ? methods_of(names, module) : NULL;
    return methods ? c_methods_find(methods, function->start) : NULL;
}
