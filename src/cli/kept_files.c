/* SPDX-License-Identifier: MIT */
#include "kept_files.h"

#include "base/cleanup.h"
#include "outputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct error *kept_files_init(struct kept_files *kept, uint32_t part_limit, uint32_t per_part)
{
    *kept = (struct kept_files){.part_limit = part_limit, .per_part = per_part};
    if (part_limit == 0)
        return NULL;
    kept->files = calloc((size_t)part_limit * per_part, sizeof(*kept->files));
    return kept->files ? NULL : error_no_memory();
}

/* Somebody may have put another file in the place of ours, or written to it: it is his then. */
static void remove_file(struct kept_file *file)
{
    struct stat now;
    bool is_ours = file->path && lstat(file->path, &now) == 0 && S_ISREG(now.st_mode) && now.st_dev == file->device &&
                   now.st_ino == file->number && now.st_size == file->len &&
                   now.st_mtim.tv_sec == file->written.tv_sec && now.st_mtim.tv_nsec == file->written.tv_nsec;
    if (is_ours)
        unlink(file->path);
    free(file->path);
    *file = (struct kept_file){0};
}

/* As the file was before it took its name: who looks afterwards may see another one. */
static struct kept_file note_output(const struct output *output)
{
    const struct stat *file = &output->written;
    if (!output->is_file || !output->is_complete)
        return (struct kept_file){0};
    return (struct kept_file){strdup(output->path), file->st_dev, file->st_ino, file->st_size, file->st_mtim};
}

void kept_files_add(struct kept_files *kept, const struct outputs *outputs)
{
    if (kept->part_limit == 0)
        return;
    struct kept_file *part = kept->files + kept->part_count++ % kept->part_limit * kept->per_part;
    for (uint32_t i = 0; i < kept->per_part && i < outputs->count; i++) {
        remove_file(&part[i]);
        part[i] = note_output(&outputs->files[i]);
    }
}

void kept_files_deinit(struct kept_files *kept)
{
    for (size_t i = 0; kept->files && i < (size_t)kept->part_limit * kept->per_part; i++)
        free(kept->files[i].path);
    free(kept->files);
    *kept = (struct kept_files){0};
}
