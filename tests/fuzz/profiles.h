/* SPDX-License-Identifier: MIT */
/*
 * Profiles out of an input: names and numbers of any kind, but put together as a recording has to be. What is written
 * and read again is a recording with samples of them.
 */
#ifndef TESTS_FUZZ_PROFILES_H
#define TESTS_FUZZ_PROFILES_H

#include "base/cleanup.h"
#include "input.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/view.h"

enum { PROFILES_STRING_LIMIT = 8, PROFILES_LIMIT = 64 /* of frames, of nodes, of samples */ };

struct profiles_strings {
    uint32_t numbers[PROFILES_STRING_LIMIT];
    uint32_t count;
};

/* One of the strings, or none. */
static inline uint32_t profiles_string(const struct profiles_strings *strings, struct input *input)
{
    uint8_t number = input_byte(input);
    return number < strings->count ? strings->numbers[number] : PROFILE_NONE;
}

static inline void profiles_fill_info(struct profile *profile, struct input *input)
{
    struct profile_info *info = profile_info(profile);
    info->interval_ns = input_any(input);
    info->start_unix_ns = input_any(input);
    info->duration_ns = input_any(input);
    info->cpu_ns = input_any(input);
    info->intervals.ok = input_any(input);
    info->intervals.idle = input_any(input);
    info->intervals.torn = input_any(input);
    info->intervals.unreadable = input_any(input);
    info->intervals.missed = input_any(input);
}

static inline void profiles_add_members(struct profile *profile, const struct profiles_strings *strings,
                                        struct input *input)
{
    uint32_t process_count = 1 + input_byte(input) % 3, thread_count = 1 + input_byte(input) % 24;
    for (uint32_t i = 0; i < process_count; i++) {
        const struct profile_process process = {
            .pid = (int64_t)input_any(input),
            .command_line = profiles_string(strings, input),
            .python_version = profiles_string(strings, input),
        };
        profile_add_process(profile, &process);
    }
    for (uint32_t i = 0; i < thread_count; i++) {
        const struct profile_thread thread = {
            .process = input_byte(input) % process_count,
            .os_id = (int64_t)input_any(input),
            .id = input_any(input),
            .name = profiles_string(strings, input),
            .is_main = input_byte(input) % 2,
        };
        profile_add_thread(profile, &thread);
    }
}

/* A frame of code or a mark; see profile/RECORDING.md for what its kind asks. */
static inline uint32_t profiles_add_frame(struct profile *profile, const struct profiles_strings *strings,
                                          struct input *input)
{
    static const enum frame_kind kinds[] = {FRAME_PYTHON, FRAME_MARK, FRAME_NATIVE, FRAME_KERNEL};
    struct profile_frame frame = {.kind = kinds[input_byte(input) % 4]};
    frame.name = strings->numbers[input_byte(input) % strings->count];
    frame.file =
        frame.kind == FRAME_PYTHON || frame.kind == FRAME_NATIVE ? profiles_string(strings, input) : PROFILE_NONE;
    if (frame.kind == FRAME_NATIVE && frame.file == PROFILE_NONE)
        frame.file = strings->numbers[0];
    if (frame.kind == FRAME_PYTHON || frame.kind == FRAME_NATIVE) {
        frame.line = (int32_t)input_any(input);
        frame.first_line = (int32_t)input_any(input);
    }
    return profile_intern_frame(profile, &frame);
}

/* Everything but samples; NULL where names are missing. */
static inline struct profile *profiles_make(struct input *input)
{
    struct profile *profile;
    size_t root_len, title_len, len;
    const char *root = input_text(input, &root_len), *title = input_text(input, &title_len);
    cleanup_free char *root_copy = input_string(root, root_len), *title_copy = input_string(title, title_len);
    check(!profile_create(root_copy, title_copy, &profile));
    struct profiles_strings strings = {.count = 1 + input_byte(input) % PROFILES_STRING_LIMIT};
    for (uint32_t i = 0; i < strings.count; i++) {
        const char *text = input_text(input, &len);
        strings.numbers[i] = profile_intern(profile, text, len);
    }
    profiles_fill_info(profile, input);
    profiles_add_members(profile, &strings, input);
    uint32_t frames[PROFILES_LIMIT], node = PROFILE_ROOT, frame_count = 1 + input_byte(input) % PROFILES_LIMIT;
    for (uint32_t i = 0; i < frame_count; i++)
        frames[i] = profiles_add_frame(profile, &strings, input);
    profile_set_short_file(profile, strings.numbers[0], strings.numbers[strings.count - 1]);
    for (uint32_t i = input_byte(input) % PROFILES_LIMIT; i > 0; i--) {
        uint8_t back = input_byte(input);
        node =
            profile_child(profile, back > node ? PROFILE_ROOT : node - back, frames[input_byte(input) % frame_count]);
    }
    return profile;
}

/* Takes a profile and samples out of an input and records them in a file in memory; the caller closes what he gets. */
static inline struct recording_file *profiles_record(struct input *input, int *fd)
{
    uint32_t node_count, thread_count;
    cleanup_profile struct profile *profile = profiles_make(input);
    profile_nodes(profile, &node_count);
    profile_threads(profile, &thread_count);
    cleanup_recording_writer struct recording_writer *writer = NULL;
    check(!recording_writer_create(input_file(fd, "", 0), &writer));
    recording_writer_gather(writer, profile);
    uint64_t time = 0;
    for (uint32_t i = input_byte(input) % PROFILES_LIMIT; i > 0; i--) {
        time += input_any(input);
        const struct sample sample = {
            .time_ns = time & INT64_MAX,
            .thread = input_byte(input) % thread_count,
            .node = input_byte(input) % node_count,
            .weight = (uint32_t)input_any(input),
            .states = input_byte(input) % 32,
        };
        recording_writer_append(writer, &sample, 1);
    }
    struct recording_file *file = NULL;
    check(!recording_writer_finish(writer));
    check(!recording_file_open(dup(*fd), "made", &file));
    return file;
}

#endif
