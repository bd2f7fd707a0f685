/* SPDX-License-Identifier: MIT */
#include "module_code.h"

void module_code_init(struct module_code *code, const struct native_module *module)
{
    *code = (struct module_code){.number = module->number, .start = module->start};
    if (!module->image)
        return;
    error_destroy(function_names_create(module->image, module->debug, &code->names));
    if (module->debug)
        error_destroy(debug_lines_create(module->debug, &code->lines));
    if (!code->lines)
        error_destroy(debug_lines_create(module->image, &code->lines));
}

void module_code_deinit(struct module_code *code)
{
    function_names_destroy(code->names);
    debug_lines_destroy(code->lines);
    *code = (struct module_code){0};
}
