/* SPDX-License-Identifier: MIT */
/*
 * The file in which a just-in-time compiler names its code: a first half, and then all of it, of which the file is to
 * know as much as if it had been there at once.
 *
 * For: src/native/jit_names.c
 * Options: -max_len=2048
 */
#include "native/jit_names.h"

#include "base/cleanup.h"
#include "input.h"
#include "native_modules.h"

static void read_names(struct jit_names *names, int fd)
{
    struct modules modules = {.jit_names = fd, .source = -1};
    names->next_look_ns = 0;
    jit_names_update(names, &modules);
}

static void check_names(const struct jit_names *names, const struct jit_names *others)
{
    check(names->count == others->count);
    for (uint32_t i = 0; i < names->count; i++) {
        const struct jit_function *function = &names->functions[i];
        check(i == 0 || function[-1].start <= function->start);
        check(function->len > 0 && function->len - 1 <= UINT64_MAX - function->start);
        check(strcmp(function->name, others->functions[i].name) == 0);
        const struct jit_function *found = jit_names_find(names, function->start);
        check(!found || found->start <= function->start);
    }
    jit_names_find(names, 0);
    jit_names_find(names, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    struct jit_names slow = {0}, fast = {0};
    read_names(&slow, input_file(&fd, bytes, len / 2));
    check(pwrite(fd, bytes + len / 2, len - len / 2, (off_t)(len / 2)) == (ssize_t)(len - len / 2));
    read_names(&slow, fd);
    read_names(&fast, fd);
    check_names(&slow, &fast);
    jit_names_deinit(&slow);
    jit_names_deinit(&fast);
    return 0;
}
