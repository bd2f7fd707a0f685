/* SPDX-License-Identifier: MIT */
#include "profile/copy.h"

#include "base/cleanup.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"

bool profile_copy_members(struct profile_copy *copy)
{
    uint32_t process_count, thread_count, first_process;
    profile_processes(copy->profile, &first_process);
    const struct profile_process *processes = profile_processes(copy->source, &process_count);
    const struct profile_thread *threads = profile_threads(copy->source, &thread_count);
    for (uint32_t i = 0; i < process_count; i++) {
        struct profile_process process = processes[i];
        process.command_line = profile_copy_string(copy, process.command_line);
        process.python_version = profile_copy_string(copy, process.python_version);
        if (profile_add_process(copy->profile, &process) == PROFILE_NONE)
            return false;
    }
    for (uint32_t i = 0; i < thread_count; i++) {
        struct profile_thread thread = threads[i];
        thread.name = profile_copy_string(copy, thread.name);
        thread.process += first_process;
        if (profile_add_thread(copy->profile, &thread) == PROFILE_NONE)
            return false;
    }
    return true;
}

static bool copy_losses(struct profile_copy *copy)
{
    uint32_t count;
    const struct profile_loss *losses = profile_losses(copy->source, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        const char *cause = profile_string(copy->source, losses[i].cause, &len);
        if (!profile_set_loss(copy->profile, cause, len, losses[i].count))
            return false;
    }
    return true;
}

void profile_copy_begin_anew(struct profile_copy *copy)
{
    for (uint32_t i = 0; i < copy->string_count; i++)
        copy->strings[i] = PROFILE_NONE;
}

bool profile_copy_follow(struct profile_copy *copy)
{
    uint32_t count = profile_string_count(copy->source);
    uint32_t *grown = count > copy->string_count || !copy->strings
                          ? realloc(copy->strings, (count + (size_t)1) * sizeof(*grown))
                          : copy->strings;
    if (!grown)
        return false;
    copy->strings = grown;
    for (; copy->string_count < count; copy->string_count++)
        grown[copy->string_count] = PROFILE_NONE;
    return true;
}

struct error *profile_copy_init_into(struct profile_copy *copy, const struct profile *source, struct profile *profile)
{
    *copy = (struct profile_copy){.source = source, .profile = profile, .is_foreign = true};
    return profile_copy_follow(copy) ? NULL : error_no_memory();
}

struct error *profile_copy_init(struct profile_copy *copy, const struct profile *source)
{
    *copy = (struct profile_copy){.source = source};
    uint32_t count;
    size_t len;
    const struct profile_node *nodes = profile_nodes(source, &count);
    const struct profile_info *info = profile_get_info(source);
    const char *root = profile_string(source, profile_frame(source, nodes[PROFILE_ROOT].frame)->name, &len);
    struct error *error = profile_create(root, profile_string(source, info->title, &len), &copy->profile);
    if (error)
        return error;
    if (!profile_copy_follow(copy))
        return error_no_memory();
    uint32_t title = profile_get_info(copy->profile)->title;
    *profile_info(copy->profile) = *info;
    profile_info(copy->profile)->title = title;
    profile_info(copy->profile)->recorder = profile_copy_string(copy, info->recorder);
    profile_info(copy->profile)->selection = profile_copy_string(copy, info->selection);
    bool has_memory = copy_losses(copy) && profile_copy_members(copy) && !profile_lacks_memory(copy->profile);
    return has_memory ? NULL : error_no_memory();
}

void profile_copy_deinit(struct profile_copy *copy)
{
    if (!copy->is_foreign)
        profile_destroy(copy->profile);
    free(copy->strings);
}

uint32_t profile_copy_string(struct profile_copy *copy, uint32_t string)
{
    if (string == PROFILE_NONE)
        return PROFILE_NONE;
    if (copy->strings[string] != PROFILE_NONE)
        return copy->strings[string];
    size_t len;
    const char *text = profile_string(copy->source, string, &len);
    uint32_t short_file = profile_short_file(copy->source, string);
    uint32_t copied = copy->strings[string] = profile_intern(copy->profile, text, len);
    if (copied == PROFILE_NONE || short_file == string)
        return copied;
    const char *short_text = profile_string(copy->source, short_file, &len);
    profile_set_short_file(copy->profile, copied, profile_intern(copy->profile, short_text, len));
    return copied;
}

uint32_t profile_copy_frame(struct profile_copy *copy, const struct profile_frame *frame)
{
    struct profile_frame copied = *frame;
    copied.name = profile_copy_string(copy, frame->name);
    copied.file = profile_copy_string(copy, frame->file);
    return profile_intern_frame(copy->profile, &copied);
}
