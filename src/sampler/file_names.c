/* SPDX-License-Identifier: MIT */
#include "file_names.h"

#include "base/table.h"
#include "profile/profile.h"
#include "short_path.h"

#include <stdlib.h>

void file_names_deinit(struct file_names *names)
{
    free(names->files);
    buffer_deinit(&names->paths);
}

static bool collect(struct file_names *names, const struct profile *profile, const struct profile_frame *frame)
{
    struct named_file named = {
        .file = frame->file,
        .offset = names->paths.len,
        .is_native = frame->kind == FRAME_NATIVE,
        .is_source = frame->line != 0,
    };
    if (!array_grow(&names->files, names->count, &names->capacity, sizeof(*names->files)))
        return false;
    const char *path = profile_string(profile, frame->file, &named.len);
    buffer_append(&names->paths, path, named.len);
    buffer_append_char(&names->paths, '\0');
    names->files[names->count++] = named;
    return !names->paths.failed;
}

struct error *file_names_collect(struct file_names *names, const struct profile *profile)
{
    uint32_t count = profile_frame_count(profile), last = PROFILE_NONE;
    names->count = 0;
    buffer_clear(&names->paths);
    for (uint32_t i = names->frame_count; i < count; i++) {
        const struct profile_frame *frame = profile_frame(profile, i);
        uint32_t file = frame->file;
        bool is_named = file == PROFILE_NONE || file == last || profile_short_file(profile, file) != file;
        last = file;
        if (!is_named && !collect(names, profile, frame))
            return error_no_memory();
    }
    names->frame_count = count;
    return NULL;
}

void file_names_find(struct file_names *names, const struct process *process)
{
    for (uint32_t i = 0; i < names->count; i++) {
        struct named_file *named = &names->files[i];
        const char *path = names->paths.data + named->offset;
        named->start = named->is_native ? short_path_start_native(path, named->len, named->is_source)
                                        : short_path_start(process, path, named->len);
    }
}

struct error *file_names_set(const struct file_names *names, struct profile *profile)
{
    for (uint32_t i = 0; i < names->count; i++) {
        const struct named_file *named = &names->files[i];
        const char *short_path = names->paths.data + named->offset + named->start;
        uint32_t string = profile_intern(profile, short_path, named->len - named->start);
        if (string == PROFILE_NONE)
            return error_no_memory();
        profile_set_short_file(profile, named->file, string);
    }
    return NULL;
}
