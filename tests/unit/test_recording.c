/* SPDX-License-Identifier: MIT */
#include "profile/recording_file.h"
#include "profile/recording_writer.h"

#include "base/cleanup.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile_builder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include <cmocka.h>

/* A recording in the making. */
struct making {
    int fd;
    struct profile *profile;
    struct recording_writer *writer;
};

static int make(void **state)
{
    static struct making making;
    making.fd = memfd_create("recording", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(making.fd >= 0);
    assert_null(profile_create("app", "python app.py", &making.profile));
    assert_null(recording_writer_create(making.fd, &making.writer));
    profile_info(making.profile)->interval_ns = 1000;
    const struct profile_process process = {.pid = 12, .python_version = profile_intern(making.profile, "3.12.1", 6)};
    const struct profile_thread thread = {.os_id = 13, .id = 14, .name = PROFILE_NONE, .is_main = true};
    profile_add_process(making.profile, &process);
    profile_add_thread(making.profile, &thread);
    *state = &making;
    return 0;
}

static int unmake(void **state)
{
    struct making *making = *state;
    recording_writer_destroy(making->writer);
    profile_destroy(making->profile);
    close(making->fd);
    return 0;
}

/* The node of one function called by another, with a short file. */
static uint32_t add_stack(struct profile *profile, const char *caller, const char *function, int32_t line)
{
    uint32_t file = profile_intern(profile, "/app/a.py", 9);
    uint32_t node = profile_child(profile, PROFILE_ROOT, build_frame(profile, caller, "/app/a.py", line));
    profile_set_short_file(profile, file, profile_intern(profile, "a.py", 4));
    return profile_child(profile, node, build_frame(profile, function, "/app/a.py", line + 1));
}

static void save(struct making *making, const struct sample *samples, uint32_t count)
{
    recording_writer_gather(making->writer, making->profile);
    recording_writer_append(making->writer, samples, count);
    assert_null(recording_writer_write(making->writer));
}

static struct recording_file *reopen(const struct making *making)
{
    struct recording_file *file;
    assert_null(recording_file_open(dup(making->fd), "test", &file));
    return file;
}

/* Two blocks with a sample each, the second of which finishes it. */
static void write_two(struct making *making)
{
    struct sample sample = {.time_ns = 1500, .weight = 1, .states = SAMPLE_ACTIVE};
    sample.node = add_stack(making->profile, "main", "work", 10);
    save(making, &sample, 1);
    const struct profile_thread thread = {.os_id = 15, .name = profile_intern(making->profile, "other", 5)};
    sample = (struct sample){.time_ns = 700, .weight = 3, .states = SAMPLE_GIL_WAIT};
    sample.thread = profile_add_thread(making->profile, &thread);
    sample.node = add_stack(making->profile, "main", "rest", 20);
    profile_name_thread(making->profile, 0, profile_intern(making->profile, "MainThread", 10));
    profile_info(making->profile)->duration_ns = 2000;
    profile_info(making->profile)->intervals.ok = 4;
    profile_set_loss(making->profile, "bad luck", 8, 7);
    recording_writer_gather(making->writer, making->profile);
    recording_writer_append(making->writer, &sample, 1);
    assert_null(recording_writer_finish(making->writer));
}

struct collected {
    struct sample samples[8];
    uint32_t count;
};

static struct error *collect(void *context, const struct sample *sample)
{
    struct collected *collected = context;
    assert_true(collected->count < array_size(collected->samples));
    collected->samples[collected->count++] = *sample;
    return NULL;
}

static const char *leaf_name(const struct profile *profile, uint32_t node)
{
    uint32_t count;
    size_t len;
    return profile_string(profile, profile_frame(profile, profile_nodes(profile, &count)[node].frame)->name, &len);
}

static void what_was_written_is_read(void **state)
{
    write_two(*state);
    cleanup_recording_file struct recording_file *file = reopen(*state);
    const struct profile *profile = recording_file_profile(file);
    struct collected collected = {0};
    assert_null(recording_file_each_sample(file, collect, &collected));
    assert_int_equal(collected.count, 2);
    assert_int_equal(collected.samples[0].time_ns, 1500);
    assert_int_equal(collected.samples[0].states, SAMPLE_ACTIVE);
    assert_string_equal(leaf_name(profile, collected.samples[0].node), "work");
    assert_int_equal(collected.samples[1].time_ns, 700);
    assert_int_equal(collected.samples[1].weight, 3);
    assert_int_equal(collected.samples[1].thread, 1);
    assert_string_equal(leaf_name(profile, collected.samples[1].node), "rest");
    assert_true(recording_file_is_finished(file));
    assert_int_equal(recording_file_lost_bytes(file), 0);
}

static void members_names_and_info_are_read(void **state)
{
    write_two(*state);
    cleanup_recording_file struct recording_file *file = reopen(*state);
    const struct profile *profile = recording_file_profile(file);
    uint32_t count;
    size_t len;
    const struct profile_thread *threads = profile_threads(profile, &count);
    assert_int_equal(count, 2);
    assert_string_equal(profile_string(profile, threads[0].name, &len), "MainThread");
    assert_int_equal(threads[0].os_id, 13);
    assert_true(threads[0].is_main);
    assert_string_equal(profile_string(profile, threads[1].name, &len), "other");
    assert_int_equal(profile_processes(profile, &count)[0].pid, 12);
    const struct profile_info *info = profile_get_info(profile);
    assert_int_equal(info->duration_ns, 2000);
    assert_int_equal(info->intervals.ok, 4);
    assert_int_equal(info->all_samples, 4);
    assert_string_equal(profile_string(profile, info->title, &len), "python app.py");
    const struct profile_loss *losses = profile_losses(profile, &count);
    assert_int_equal(count, 1);
    assert_int_equal(losses[0].count, 7);
}

/* A stack in Python that has called a library, and stands in the kernel. */
static void write_native(struct making *making, uint32_t leaf)
{
    struct sample sample = {.time_ns = 1500, .weight = 1, .states = SAMPLE_ACTIVE};
    sample.node = add_stack(making->profile, "main", "work", 10);
    uint32_t native = build_native(making->profile, "read", "/usr/lib/libc.so.6", 0);
    sample.node = profile_child(making->profile, sample.node, build_native(making->profile, "load", "/src/load.c", 12));
    sample.node = profile_child(making->profile, sample.node, native);
    sample.node = profile_child(making->profile, sample.node, leaf);
    save(making, &sample, 1);
}

static void native_frames_and_the_kernels_are_read(void **state)
{
    struct making *making = *state;
    write_native(making, build_kernel(making->profile, "read"));
    cleanup_recording_file struct recording_file *file = reopen(making);
    const struct profile *profile = recording_file_profile(file);
    struct collected collected = {0};
    uint32_t count;
    size_t len;
    assert_null(recording_file_each_sample(file, collect, &collected));
    assert_int_equal(collected.count, 1);
    const struct profile_node *nodes = profile_nodes(profile, &count);
    uint32_t node = collected.samples[0].node;
    const struct profile_frame *frame = profile_frame(profile, nodes[node].frame);
    assert_int_equal(frame->kind, FRAME_KERNEL);
    assert_int_equal(frame->file, PROFILE_NONE);
    frame = profile_frame(profile, nodes[nodes[node].parent].frame);
    assert_int_equal(frame->kind, FRAME_NATIVE);
    assert_string_equal(profile_string(profile, frame->file, &len), "/usr/lib/libc.so.6");
    assert_int_equal(frame->line, 0);
    frame = profile_frame(profile, nodes[nodes[nodes[node].parent].parent].frame);
    assert_int_equal(frame->kind, FRAME_NATIVE);
    assert_int_equal(frame->line, 12);
}

/* Whether a recording with a stack that ends in this frame can be read. */
static bool can_have(struct making *making, struct profile_frame frame, const char *file)
{
    frame.name = profile_intern(making->profile, "f", 1);
    frame.file = file ? profile_intern(making->profile, file, strlen(file)) : PROFILE_NONE;
    write_native(making, profile_intern_frame(making->profile, &frame));
    struct recording_file *read = NULL;
    cleanup_error struct error *error = recording_file_open(dup(making->fd), "test", &read);
    bool is_whole = !error && recording_file_lost_bytes(read) == 0;
    recording_file_close(read);
    return is_whole;
}

static void a_native_frame_has_a_file(void **state)
{
    assert_true(can_have(*state, (struct profile_frame){.kind = FRAME_NATIVE}, "/usr/lib/libc.so.6"));
    assert_true(can_have(*state, (struct profile_frame){.kind = FRAME_NATIVE}, ""));
    assert_false(can_have(*state, (struct profile_frame){.kind = FRAME_NATIVE}, NULL));
}

static void a_system_call_has_no_file(void **state)
{
    assert_true(can_have(*state, (struct profile_frame){.kind = FRAME_KERNEL}, NULL));
    assert_false(can_have(*state, (struct profile_frame){.kind = FRAME_KERNEL}, "/a.c"));
}

static void a_system_call_has_no_line(void **state)
{
    assert_false(can_have(*state, (struct profile_frame){.kind = FRAME_KERNEL, .line = 1}, NULL));
}

static void no_stack_has_roots_of_threads(void **state)
{
    assert_false(can_have(*state, (struct profile_frame){.kind = FRAME_THREAD}, NULL));
}

static void kinds_beyond_are_not_read(void **state)
{
    assert_false(can_have(*state, (struct profile_frame){.kind = FRAME_KINDS}, NULL));
}

/* Recordings of the first form have neither. */
static void the_first_form_is_read(void **state)
{
    struct making *making = *state;
    write_two(making);
    assert_int_equal(pwrite(making->fd, "\x01", 1, 8), 1);
    cleanup_recording_file struct recording_file *file = reopen(making);
    assert_int_equal(recording_file_lost_bytes(file), 0);
    assert_true(recording_file_is_finished(file));
}

static void the_first_form_has_no_native_frames(void **state)
{
    struct making *making = *state;
    write_native(making, build_kernel(making->profile, "read"));
    assert_int_equal(pwrite(making->fd, "\x01", 1, 8), 1);
    cleanup_recording_file struct recording_file *file = NULL;
    cleanup_error struct error *error = recording_file_open(dup(making->fd), "test", &file);
    assert_true(error || recording_file_lost_bytes(file) > 0);
}

static void short_files_are_read(void **state)
{
    write_two(*state);
    cleanup_recording_file struct recording_file *file = reopen(*state);
    const struct profile *profile = recording_file_profile(file);
    size_t len;
    bool is_found = false;
    for (uint32_t i = 0; i < profile_string_count(profile); i++) {
        if (strcmp(profile_string(profile, i, &len), "/app/a.py") == 0) {
            is_found = true;
            assert_string_equal(profile_string(profile, profile_short_file(profile, i), &len), "a.py");
        }
    }
    assert_true(is_found);
}

static void the_tables_can_begin_anew(void **state)
{
    struct making *making = *state;
    struct sample sample = {.time_ns = 1, .weight = 1};
    sample.node = add_stack(making->profile, "main", "work", 10);
    save(making, &sample, 1);
    profile_destroy(making->profile);
    assert_null(profile_create("app", "python app.py", &making->profile));
    const struct profile_process process = {.pid = 12};
    const struct profile_thread thread = {.os_id = 13, .name = PROFILE_NONE};
    profile_add_process(making->profile, &process);
    profile_add_thread(making->profile, &thread);
    recording_writer_begin_anew(making->writer, making->profile);
    sample.node = add_stack(making->profile, "main", "after", 30);
    save(making, &sample, 1);
    cleanup_recording_file struct recording_file *file = reopen(making);
    struct collected collected = {0};
    uint32_t count;
    assert_null(recording_file_each_sample(file, collect, &collected));
    assert_int_equal(collected.count, 2);
    assert_string_equal(leaf_name(recording_file_profile(file), collected.samples[0].node), "work");
    assert_string_equal(leaf_name(recording_file_profile(file), collected.samples[1].node), "after");
    profile_threads(recording_file_profile(file), &count);
    assert_int_equal(count, 1);
}

/* Wherever it is cut, it is good up to the last whole block. */
static void a_recording_that_was_cut_is_read_as_far_as_it_goes(void **state)
{
    struct making *making = *state;
    write_two(making);
    off_t len = lseek(making->fd, 0, SEEK_END);
    uint32_t with_one = 0, with_none = 0;
    for (off_t cut = len - 1; cut >= 0; cut--) {
        assert_int_equal(ftruncate(making->fd, cut), 0);
        struct recording_file *file = NULL;
        cleanup_error struct error *error = recording_file_open(dup(making->fd), "test", &file);
        if (error) {
            assert_int_equal(error->kind, ERROR_BAD_DATA);
            with_none++;
            continue;
        }
        assert_false(recording_file_is_finished(file));
        struct collected collected = {0};
        assert_null(recording_file_each_sample(file, collect, &collected));
        assert_int_equal(collected.count, 1);
        with_one++;
        recording_file_close(file);
    }
    assert_true(with_one > 20);
    assert_true(with_none > 20);
}

/* Each byte is changed in turn: nothing that was read is ever wrong. */
static void damage_is_noticed(void **state)
{
    struct making *making = *state;
    write_two(making);
    off_t len = lseek(making->fd, 0, SEEK_END);
    for (off_t at = 0; at < len; at++) {
        unsigned char byte;
        assert_int_equal(pread(making->fd, &byte, 1, at), 1);
        unsigned char changed = byte ^ 0x55;
        assert_int_equal(pwrite(making->fd, &changed, 1, at), 1);
        struct recording_file *file = NULL;
        cleanup_error struct error *error = recording_file_open(dup(making->fd), "test", &file);
        if (!error) {
            struct collected collected = {0};
            assert_null(recording_file_each_sample(file, collect, &collected));
            assert_int_equal(collected.count, 1);
            assert_true(recording_file_lost_bytes(file) > 0);
            assert_false(recording_file_is_finished(file));
        }
        recording_file_close(file);
        assert_int_equal(pwrite(making->fd, &byte, 1, at), 1);
    }
}

static void put_u32(unsigned char *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

/* Writes a head and one block with this content, which is well packed whatever it holds. */
static void write_block(int fd, const unsigned char *content, uLong len)
{
    unsigned char block[4096] = "\x93pyspyc\n\x02";
    uLong packed_len = sizeof(block) - 24;
    assert_int_equal(compress(block + 24, &packed_len, content, len), Z_OK);
    put_u32(block + 12, (uint32_t)packed_len);
    put_u32(block + 16, (uint32_t)len);
    put_u32(block + 20, (uint32_t)crc32(crc32(0, block + 12, 8), block + 24, (uInt)packed_len));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, block, 24 + packed_len, 0), 24 + packed_len);
}

static struct error *count(void *context, const struct sample *sample)
{
    (void)sample;
    ++*(uint32_t *)context;
    return NULL;
}

/* Whatever a well packed block holds, it is read without harm, and samples are of what there is. */
static void nonsense_in_a_good_block_does_no_harm(void **state)
{
    struct making *making = *state;
    unsigned char packed[4096], content[4096];
    uLong len = sizeof(content);
    uint32_t refused = 0, read = 0;
    struct sample sample = {.time_ns = 1500, .weight = 1, .states = SAMPLE_ACTIVE};
    sample.node = add_stack(making->profile, "main", "work", 10);
    save(making, &sample, 1);
    ssize_t packed_len = pread(making->fd, packed, sizeof(packed), 24);
    assert_int_equal(uncompress(content, &len, packed, (uLong)packed_len), Z_OK);
    for (uLong at = 0; at < len; at++) {
        for (unsigned change = 1; change < 256; change += 11) {
            struct recording_file *file = NULL;
            content[at] ^= (unsigned char)change;
            write_block(making->fd, content, len);
            content[at] ^= (unsigned char)change;
            cleanup_error struct error *error = recording_file_open(dup(making->fd), "test", &file);
            uint32_t samples = 0;
            if (!error)
                assert_null(recording_file_each_sample(file, count, &samples));
            read += samples;
            refused += samples == 0;
            recording_file_close(file);
        }
    }
    assert_true(refused > 100);
    assert_true(read > 100);
}

/* A name that a file is given after it was written. */
static void a_short_name_can_come_later(void **state)
{
    struct making *making = *state;
    struct sample sample = {.time_ns = 1, .weight = 1};
    uint32_t frame = build_frame(making->profile, "work", "/app/a.py", 1);
    sample.node = profile_child(making->profile, PROFILE_ROOT, frame);
    save(making, &sample, 1);
    uint32_t file = profile_frame(making->profile, frame)->file;
    profile_set_short_file(making->profile, file, profile_intern(making->profile, "a.py", 4));
    save(making, &sample, 1);
    cleanup_recording_file struct recording_file *read = reopen(making);
    const struct profile *profile = recording_file_profile(read);
    size_t len;
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    uint32_t read_file = profile_frame(profile, nodes[1].frame)->file;
    assert_string_equal(profile_string(profile, profile_short_file(profile, read_file), &len), "a.py");
}

/* Roots of threads are not the recording's to make. */
static void a_thread_in_a_stack_is_refused(void **state)
{
    struct making *making = *state;
    struct sample sample = {.time_ns = 1, .weight = 1};
    sample.node = profile_child(making->profile, PROFILE_ROOT, build_thread(making->profile, "thread"));
    recording_writer_gather(making->writer, making->profile);
    recording_writer_append(making->writer, &sample, 1);
    assert_null(recording_writer_finish(making->writer));
    cleanup_recording_file struct recording_file *file = reopen(making);
    struct collected collected = {0};
    assert_null(recording_file_each_sample(file, collect, &collected));
    assert_int_equal(collected.count, 0);
    assert_true(recording_file_lost_bytes(file) > 0);
    assert_false(recording_file_is_finished(file));
}

static void a_section_that_is_not_known_is_refused(void **state)
{
    struct making *making = *state;
    const unsigned char content[] = {99, 1, 0};
    write_block(making->fd, content, sizeof(content));
    struct recording_file *file;
    cleanup_error struct error *error = recording_file_open(making->fd, "run.pyspyc", &file);
    assert_non_null(error);
    assert_non_null(strstr(error->sentence, "section 99"));
}

static void another_version_is_refused(void **state)
{
    struct making *making = *state;
    write_two(making);
    assert_int_equal(pwrite(making->fd, "\x03", 1, 8), 1);
    struct recording_file *file;
    cleanup_error struct error *error = recording_file_open(making->fd, "run.pyspyc", &file);
    assert_non_null(error);
    assert_non_null(strstr(error->sentence, "run.pyspyc is a recording of form 3"));
}

static void a_full_disk_keeps_what_there_is(void **state)
{
    struct making *making = *state;
    struct sample sample = {.time_ns = 1, .weight = 1};
    sample.node = add_stack(making->profile, "main", "work", 10);
    save(making, &sample, 1);
    off_t len = lseek(making->fd, 0, SEEK_END);
    assert_int_equal(fcntl(making->fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    sample.node = add_stack(making->profile, "main", "more", 10);
    recording_writer_gather(making->writer, making->profile);
    recording_writer_append(making->writer, &sample, 1);
    cleanup_error struct error *error = recording_writer_write(making->writer);
    assert_non_null(error);
    assert_int_equal(lseek(making->fd, 0, SEEK_END), len);
    cleanup_recording_file struct recording_file *file = reopen(making);
    assert_int_equal(recording_file_lost_bytes(file), 0);
}

/* Files for a recording to go on in: the first ones are full, too. */
struct places {
    int fds[3];
    uint32_t opened, used, failed;
};

static int open_next_place(void *context)
{
    struct places *places = context;
    return places->opened < array_size(places->fds) ? places->fds[places->opened++] : -1;
}

static void note_place(void *context, bool is_used, const struct error *why)
{
    struct places *places = context;
    assert_non_null(why->sentence);
    places->used += is_used;
    places->failed += !is_used;
}

static int make_memory(unsigned seals)
{
    int fd = memfd_create("place", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void a_full_disk_has_the_recording_go_on_elsewhere(void **state)
{
    struct making *making = *state;
    struct places places = {.fds = {make_memory(F_SEAL_GROW), make_memory(0), -1}};
    const struct recording_refuge refuge = {&places, open_next_place, note_place};
    recording_writer_destroy(making->writer);
    assert_int_equal(ftruncate(making->fd, 0), 0);
    assert_int_equal(lseek(making->fd, 0, SEEK_SET), 0);
    assert_null(recording_writer_create_with_refuge(making->fd, &refuge, &making->writer));
    const struct sample sample = {.time_ns = 1000, .node = add_stack(making->profile, "f", "g", 2), .weight = 1};
    save(making, &sample, 1);
    assert_int_equal(fcntl(making->fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    save(making, &sample, 1);
    save(making, &sample, 1);
    assert_int_equal(places.failed, 1);
    assert_int_equal(places.used, 1);
    assert_null(recording_writer_finish(making->writer));
    close(making->fd);
    close(places.fds[0]);
    making->fd = places.fds[1];
    cleanup_recording_file struct recording_file *file = reopen(making);
    assert_true(recording_file_is_finished(file));
    struct collected collected = {0};
    assert_null(recording_file_each_sample(file, collect, &collected));
    assert_int_equal(collected.count, 3);
}

static void without_another_place_the_writer_fails(void **state)
{
    struct making *making = *state;
    struct places places = {.fds = {-1}};
    const struct recording_refuge refuge = {&places, open_next_place, note_place};
    int full = make_memory(F_SEAL_GROW);
    struct recording_writer *writer = NULL;
    (void)making;
    cleanup_error struct error *error = recording_writer_create_with_refuge(full, &refuge, &writer);
    assert_non_null(error);
    assert_null(writer);
    assert_int_equal(places.used + places.failed, 0);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, make, unmake),
        cmocka_unit_test_setup_teardown(members_names_and_info_are_read, make, unmake),
        cmocka_unit_test_setup_teardown(native_frames_and_the_kernels_are_read, make, unmake),
        cmocka_unit_test_setup_teardown(a_native_frame_has_a_file, make, unmake),
        cmocka_unit_test_setup_teardown(a_system_call_has_no_file, make, unmake),
        cmocka_unit_test_setup_teardown(a_system_call_has_no_line, make, unmake),
        cmocka_unit_test_setup_teardown(no_stack_has_roots_of_threads, make, unmake),
        cmocka_unit_test_setup_teardown(kinds_beyond_are_not_read, make, unmake),
        cmocka_unit_test_setup_teardown(the_first_form_is_read, make, unmake),
        cmocka_unit_test_setup_teardown(the_first_form_has_no_native_frames, make, unmake),
        cmocka_unit_test_setup_teardown(short_files_are_read, make, unmake),
        cmocka_unit_test_setup_teardown(the_tables_can_begin_anew, make, unmake),
        cmocka_unit_test_setup_teardown(a_recording_that_was_cut_is_read_as_far_as_it_goes, make, unmake),
        cmocka_unit_test_setup_teardown(damage_is_noticed, make, unmake),
        cmocka_unit_test_setup_teardown(nonsense_in_a_good_block_does_no_harm, make, unmake),
        cmocka_unit_test_setup_teardown(a_short_name_can_come_later, make, unmake),
        cmocka_unit_test_setup_teardown(a_thread_in_a_stack_is_refused, make, unmake),
        cmocka_unit_test_setup_teardown(a_section_that_is_not_known_is_refused, make, unmake),
        cmocka_unit_test_setup_teardown(another_version_is_refused, make, unmake),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_what_there_is, make, unmake),
        cmocka_unit_test_setup_teardown(a_full_disk_has_the_recording_go_on_elsewhere, make, unmake),
        cmocka_unit_test_setup_teardown(without_another_place_the_writer_fails, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
