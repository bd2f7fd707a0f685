/* SPDX-License-Identifier: MIT */
/*
 * time-symbols FILE FUNCTION [--print]: looks up each address of a function of an ELF file and prints how long one
 * takes: the first of all, with which the tables of the file and of the unit are read, each further one, and each once
 * more.
 * --print: prints what is found instead, a line for each address.
 */
#include "base/cleanup.h"
#include "image/loaded_image.h"
#include "native/symbolizer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(struct error *error)
{
    if (!error)
        return;
    fprintf(stderr, "time-symbols: %s\n", error->sentence);
    exit(1);
}

/* The file is "loaded" where it says itself. */
static struct error *open_file(void *context, const struct maps *maps, const struct mapping *mapping,
                               struct loaded_image *ret)
{
    (void)maps;
    cleanup_fd int fd = open(mapping->path, O_RDONLY | O_CLOEXEC);
    (void)context;
    return image_open(fd, &ret->image);
}

static void print(const struct native_function *functions, uint32_t count, remote_addr pc)
{
    printf("%#" PRIx64, pc);
    for (uint32_t i = 0; i < count; i++)
        printf(" %s:%s:%d", functions[i].name, functions[i].file, functions[i].line);
    printf("\n");
}

/* Looks up all addresses but the first; returns the microseconds of one. */
static double look_up_all(struct symbolizer *symbolizer, const struct image_range *range, bool is_printed)
{
    double before = now_us();
    for (uint64_t at = 1; at < range->len; at++) {
        uint32_t count;
        const struct native_function *functions = symbolizer_find(symbolizer, range->address + at, false, &count);
        if (is_printed)
            print(functions, count, range->address + at);
    }
    return (now_us() - before) / (double)(range->len - 1);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: time-symbols FILE FUNCTION [--print]\n");
        return 1;
    }
    bool is_printed = argc > 3 && strcmp(argv[3], "--print") == 0;
    struct mapping mapping = {.start = 0, .end = UINT64_C(1) << 40, .inode = 1, .executable = true, .path = argv[1]};
    struct maps maps = {.mappings = &mapping, .count = 1};
    const struct module_opener opener = {.open = open_file};
    cleanup_modules struct modules *modules = NULL;
    cleanup_symbolizer struct symbolizer *symbolizer = NULL;
    struct image_range range;
    check(modules_create(&opener, NULL, &modules));
    check(modules_update(modules, &maps));
    check(symbolizer_create(modules, &symbolizer));
    const struct native_module *module = modules_find(modules, 0);
    if (!module || !module->image || !image_find_symbol(module->image, argv[2], &range) || range.len < 2) {
        fprintf(stderr, "time-symbols: there is no such function\n");
        return 1;
    }
    uint32_t count;
    double before = now_us();
    symbolizer_find(symbolizer, range.address, false, &count);
    double first = now_us() - before, fresh = look_up_all(symbolizer, &range, is_printed);
    double known = look_up_all(symbolizer, &range, false);
    if (!is_printed)
        printf("%" PRIu64 " addresses: the first one %.0f us, further ones %.3f us, each again %.3f us\n", range.len,
               first, fresh, known);
    return 0;
}
