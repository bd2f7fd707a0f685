/* SPDX-License-Identifier: MIT */
/*
 * Reading recordings. Where the first byte is odd, the rest is the file; else it is what the blocks of a file hold, two
 * bytes for the length of each and its content. The other bits of that byte say what is looked at. Samples have to be
 * of threads and stacks that are there, in the file and in a view of it.
 *
 * For: src/profile/recording_file.c src/profile/recording_blocks.c src/profile/codec.c src/profile/view.c
 * Options: -max_len=4096
 */
#include "profile/recording_file.h"

#include "base/cleanup.h"
#include "profile/filter.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "recordings.h"

static struct error *check_sample(void *context, const struct sample *sample)
{
    uint32_t threads, nodes;
    profile_threads(context, &threads);
    profile_nodes(context, &nodes);
    check(sample->thread < threads && sample->node < nodes);
    return NULL;
}

static void check_profile(const struct profile *profile)
{
    uint32_t count, processes;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    check(count > 0 && nodes[0].parent == PROFILE_NONE);
    for (uint32_t i = 1; i < count; i++)
        check(nodes[i].parent < i && nodes[i].frame < profile_frame_count(profile));
    for (uint32_t i = 0; i < profile_frame_count(profile); i++) {
        const struct profile_frame *frame = profile_frame(profile, i);
        check(frame->kind < FRAME_KINDS && frame->name < profile_string_count(profile));
        check(frame->file == PROFILE_NONE || frame->file < profile_string_count(profile));
    }
    profile_processes(profile, &processes);
    const struct profile_thread *threads = profile_threads(profile, &count);
    for (uint32_t i = 0; i < count; i++)
        check(threads[i].process < processes);
}

/* A filter that is made once. */
static const struct filter *take_filter(bool is_wanted)
{
    static struct filter *filter;
    const struct filter_options options = {.focus = "l", .show_from = "a", .hide = "[<m]"};
    if (!filter)
        check(!filter_create(&options, &filter));
    return is_wanted ? filter : NULL;
}

static void look_at(struct recording_file *file, size_t len, uint8_t bits)
{
    const struct view_options options = {
        .filter = take_filter(bits & 2),
        .mark_idle = bits & 4,
        .only_gil = bits & 8,
        .begin_ns = bits & 16 ? 1000 : 0,
        .end_ns = bits & 32 ? 1500000 : 0,
    };
    cleanup_view struct view *view = NULL;
    const struct profile *profile = recording_file_profile(file);
    check(recording_file_good_len(file) + recording_file_lost_bytes(file) == len);
    check_profile(profile);
    check(!recording_file_each_sample(file, check_sample, (void *)profile));
    recording_file_has_idle(file);
    recording_file_is_finished(file);
    struct error *error = view_create(file, &options, &view);
    if (error) {
        check(error->kind == ERROR_BAD_DATA);
        error_destroy(error);
        return;
    }
    check_profile(view_profile(view));
    check(!view_each_sample(view, check_sample, (void *)view_profile(view)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    if (len == 0)
        return 0;
    cleanup_buffer struct buffer content = {0};
    if (bytes[0] % 2 == 1)
        buffer_append(&content, bytes + 1, len - 1);
    else
        recordings_append(&content, bytes + 1, len - 1);
    cleanup_recording_file struct recording_file *file = NULL;
    int own_fd = dup(input_file(&fd, content.data, content.len));
    struct error *error = recording_file_open(own_fd, "some", &file);
    if (!error) {
        look_at(file, content.len, bytes[0]);
        return 0;
    }
    check(error->kind == ERROR_BAD_DATA);
    error_destroy(error);
    close(own_fd);
    return 0;
}
