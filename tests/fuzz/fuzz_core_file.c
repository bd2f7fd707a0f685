/* SPDX-License-Identifier: MIT */
/*
 * A core file. The files that were mapped are what stands behind it: two bytes are its length.
 *
 * For: src/core/core_file.c src/core/core_maps.c src/core/core_memory.c src/core/notes.c src/core/segments.c
 * For: src/core/mapped_files.c src/core/command_line.c src/core/inflate.c
 * Options: -max_len=6144
 */
#include "core/core.h"

#include "base/cleanup.h"
#include "image/loaded_image.h"
#include "input.h"

#include <fcntl.h>

static int open_mapped(void *context, const char *path)
{
    check(*path != '\0');
    return fcntl(*(const int *)context, F_DUPFD_CLOEXEC, 0);
}

static int open_scratch(void *context)
{
    (void)context;
    return memfd_create("scratch", MFD_CLOEXEC);
}

static void say(void *context, const char *sentence)
{
    *(size_t *)context += strlen(sentence);
}

static void read_memory(struct core *core, remote_addr address)
{
    unsigned char bytes[256];
    memory_read(core_memory(core), address, bytes, sizeof(bytes));
    memory_read(core_memory(core), address - 128, bytes, sizeof(bytes));
}

static void read_mappings(struct core *core)
{
    const struct maps *maps = core_maps(core);
    for (uint32_t i = 0; i < maps->count && i < 64; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        check(mapping->start < mapping->end && (i == 0 || mapping[-1].end <= mapping->start));
        read_memory(core, mapping->start);
        read_memory(core, mapping->end);
        cleanup_loaded_image struct loaded_image loaded = {0};
        cleanup_error struct error *error = core_open_image(core, mapping, &loaded);
        if (!error)
            core_open_debug_image(core, &loaded);
    }
}

static void look_at(struct core *core)
{
    uint32_t count;
    size_t said = 0;
    const struct core_process *process = core_process(core);
    check(process->command_line && process->executable);
    core_threads(core, &count);
    core_executable(core);
    read_mappings(core);
    read_memory(core, 0);
    read_memory(core, UINT64_MAX - 16);
    core_report(core, say, &said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1, mapped = -1;
    struct input input = {bytes, bytes + len};
    size_t core_len = input_number(&input, 2), left = (size_t)(input.end - input.at);
    core_len = core_len < left ? core_len : left;
    input_file(&mapped, input.at + core_len, left - core_len);
    const struct core_files files = {&mapped, open_mapped, open_scratch, 1 << 20, NULL};
    cleanup_core struct core *core = NULL;
    cleanup_error struct error *error = core_open(input_file(&fd, input.at, core_len), &files, &core);
    if (!error)
        look_at(core);
    return 0;
}
