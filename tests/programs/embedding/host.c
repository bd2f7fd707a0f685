/* SPDX-License-Identifier: MIT */
/* A program that knows nothing of Python: `host PLUGIN ARGUMENT...` loads a plugin and hands its arguments on. */
#include <dlfcn.h>
#include <stdio.h>

typedef int (*plugin_function)(int argc, char **argv);

int main(int argc, char **argv)
{
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!plugin) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: host PLUGIN ARGUMENT...");
        return 2;
    }
    plugin_function function;
    *(void **)&function = dlsym(plugin, "plugin_main");
    return function ? function(argc - 1, argv + 1) : 2;
}
