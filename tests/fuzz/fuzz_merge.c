/* SPDX-License-Identifier: MIT */
/*
 * Merging two recordings: the first byte says how much is held in memory, two more are the length of what the
 * blocks of the first one hold, see fuzz_recording_file.c.
 * What comes of it has to be a finished recording with all samples of both.
 *
 * For: src/profile/merge.c src/profile/copy.c
 * Options: -max_len=4096
 */
#include "profile/merge.h"

#include "base/cleanup.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "recordings.h"

static struct error *count_sample(void *context, const struct sample *sample)
{
    (void)sample;
    ++*(uint64_t *)context;
    return NULL;
}

static uint64_t count_samples(struct recording_file *file)
{
    uint64_t count = 0;
    check(!recording_file_each_sample(file, count_sample, &count));
    return count;
}

/* Takes the descriptor over; NULL when it is no recording. */
static struct recording_file *open_file(int fd)
{
    struct recording_file *file = NULL;
    struct error *error = recording_file_open(fd, "some", &file);
    if (error)
        close(fd);
    error_destroy(error);
    return file;
}

static struct recording_file *open_content(int *fd, const uint8_t *bytes, size_t len)
{
    cleanup_buffer struct buffer content = {0};
    recordings_append(&content, bytes, len);
    return open_file(dup(input_file(fd, content.data, content.len)));
}

static struct error *merge_both(struct recording_file *first, struct recording_file *second, uint64_t limit, int fd)
{
    cleanup_merge struct merge *merge = NULL;
    check(!merge_create(limit, &merge));
    struct error *error = merge_note(merge, first, "first");
    if (!error)
        error = merge_note(merge, second, "second");
    if (!error)
        error = merge_begin(merge, fd);
    if (!error)
        error = merge_add(merge, first);
    if (!error)
        error = merge_add(merge, second);
    return error ? error : merge_finish(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int first_fd = -1, second_fd = -1, merged_fd = -1;
    struct input input = {bytes, bytes + len};
    uint64_t limit = input_byte(&input);
    size_t first_len = input_number(&input, 2), left = (size_t)(input.end - input.at);
    first_len = first_len < left ? first_len : left;
    cleanup_recording_file struct recording_file *first = open_content(&first_fd, input.at, first_len);
    cleanup_recording_file struct recording_file *second =
        open_content(&second_fd, input.at + first_len, left - first_len);
    if (!first || !second)
        return 0;
    cleanup_error struct error *error = merge_both(first, second, limit, input_file(&merged_fd, "", 0));
    if (error)
        return 0;
    cleanup_recording_file struct recording_file *merged = open_file(dup(merged_fd));
    check(merged && recording_file_is_finished(merged) && recording_file_lost_bytes(merged) == 0);
    check(count_samples(merged) == count_samples(first) + count_samples(second));
    return 0;
}
