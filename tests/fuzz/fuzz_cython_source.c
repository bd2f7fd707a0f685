/* SPDX-License-Identifier: MIT */
/*
 * A file of C that Cython may have made. Lines of C have to ascend.
 *
 * For: src/native/cython_source.c
 * Options: -max_len=2048
 */
#include "native/cython_source.h"

#include "base/cleanup.h"
#include "input.h"
#include "native_modules.h"

static void check_file(const struct cython_file *file)
{
    for (uint32_t i = 0; i < file->count; i++) {
        const struct cython_line *line = &file->lines[i];
        check(i == 0 || line[-1].c_line < line->c_line);
        check(line->line > 0);
        check(line->file != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    static const char path[] = "/build/mod.c";
    struct modules modules = {.jit_names = -1, .source_path = path, .source = input_file(&fd, bytes, len)};
    struct cython_sources sources = {0};
    for (int32_t line = 1; line < 8; line++)
        cython_sources_find(&sources, &modules, path, line);
    cython_sources_find(&sources, &modules, path, INT32_MIN);
    cython_sources_find(&sources, &modules, path, INT32_MAX);
    check(sources.count == 1);
    check_file(&sources.files[0]);
    cython_sources_deinit(&sources);
    return 0;
}
