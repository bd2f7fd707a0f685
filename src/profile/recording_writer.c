/* SPDX-License-Identifier: MIT */
#include "profile/recording_writer.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "codec.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "recording_form.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <zlib.h>

/* What the file has of the profile. */
struct sent {
    uint32_t strings, frames, nodes, processes, threads;
    bool *short_files; /* by string: its short name was sent */
    uint32_t short_file_count;
    uint32_t *names; /* by thread: the string that was sent as its name */
    uint32_t name_capacity;
};

enum { COPY_LEN = 65536 };

struct recording_writer {
    int fd;
    const struct recording_refuge *refuge; /* NULL: none */
    off_t begin;                           /* of the recording in the file */
    off_t good_len;                        /* of the file, up to its last whole block */
    struct sent sent;
    struct buffer content; /* of the next block */
    struct buffer section; /* that is being made */
    struct buffer packed;
};

static void sent_clear(struct sent *sent)
{
    sent->strings = sent->frames = sent->short_file_count = 0;
    sent->nodes = 1;
}

static void put_u32(char *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(number >> 8 * i);
}

/* A write that goes on after signals, to the last byte. */
static struct error *write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_from_errno(errno, "cannot write the recording");
        bytes += written;
        len -= (size_t)written;
    }
    return NULL;
}

/* If that fails too, readers find the block that is not whole. */
static void cut_back(const struct recording_writer *writer)
{
    if (ftruncate(writer->fd, writer->good_len) == 0)
        (void)lseek(writer->fd, writer->good_len, SEEK_SET);
}

/* Writes what the file has of the recording into another one. */
static struct error *copy_good_part(const struct recording_writer *writer, int fd)
{
    char bytes[COPY_LEN];
    for (off_t at = writer->begin; at < writer->good_len;) {
        off_t left = writer->good_len - at;
        ssize_t len = pread(writer->fd, bytes, left < COPY_LEN ? (size_t)left : COPY_LEN, at);
        if (len <= 0)
            return error_from_errno(len < 0 ? errno : EIO, "cannot read the recording");
        struct error *error = write_all(fd, bytes, (size_t)len);
        if (error)
            return error;
        at += len;
    }
    return NULL;
}

/* Goes on in another file, with these bytes behind what there is. */
static struct error *move_to(struct recording_writer *writer, int fd, const char *bytes, size_t len)
{
    struct error *error = copy_good_part(writer, fd);
    if (!error)
        error = write_all(fd, bytes, len);
    if (error)
        return error;
    writer->fd = fd;
    writer->good_len += (off_t)len - writer->begin;
    writer->begin = 0;
    return NULL;
}

/* Looks for a file that takes all of it. Takes over the error, and returns it when there is none. */
static struct error *take_refuge(struct recording_writer *writer, struct error *why, const char *bytes, size_t len)
{
    const struct recording_refuge *refuge = writer->refuge;
    int fd;
    while (refuge && (fd = refuge->open(refuge->context)) >= 0) {
        cleanup_error struct error *error = move_to(writer, fd, bytes, len);
        refuge->settle(refuge->context, !error, why);
        if (error)
            continue;
        error_destroy(why);
        return NULL;
    }
    return why;
}

static struct error *append_to_file(struct recording_writer *writer, const char *bytes, size_t len)
{
    struct error *error = write_all(writer->fd, bytes, len);
    if (error) {
        cut_back(writer);
        return take_refuge(writer, error, bytes, len);
    }
    writer->good_len += (off_t)len;
    return NULL;
}

struct error *recording_writer_create(int fd, struct recording_writer **ret)
{
    return recording_writer_create_with_refuge(fd, NULL, ret);
}

struct error *recording_writer_create_with_refuge(int fd, const struct recording_refuge *refuge,
                                                  struct recording_writer **ret)
{
    cleanup_recording_writer struct recording_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return error_no_memory();
    writer->fd = fd;
    writer->refuge = refuge;
    writer->begin = writer->good_len = lseek(fd, 0, SEEK_CUR);
    sent_clear(&writer->sent);
    char head[RECORDING_HEAD_LEN];
    memcpy(head, recording_magic, RECORDING_MAGIC_LEN);
    put_u32(head + RECORDING_MAGIC_LEN, RECORDING_VERSION);
    struct error *error = append_to_file(writer, head, sizeof(head));
    if (!error)
        *ret = hand_over(&writer);
    return error;
}

void recording_writer_destroy(struct recording_writer *writer)
{
    if (!writer)
        return;
    free(writer->sent.short_files);
    free(writer->sent.names);
    buffer_deinit(&writer->content);
    buffer_deinit(&writer->section);
    buffer_deinit(&writer->packed);
    free(writer);
}

static void encode_optional(struct buffer *out, uint32_t number)
{
    encode_number(out, number == PROFILE_NONE ? 0 : number + UINT64_C(1));
}

static void encode_string(struct buffer *out, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    encode_bytes(out, text, len < RECORDING_TEXT_LIMIT ? len : RECORDING_TEXT_LIMIT);
}

/* Moves the section that was made into the block. Empty lists are left out. */
static void close_list(struct recording_writer *writer, enum recording_section section)
{
    struct buffer *data = &writer->section;
    if (data->len > 0) {
        encode_number(&writer->content, section);
        encode_bytes(&writer->content, data->data, data->len);
    }
    writer->content.failed |= data->failed;
    data->failed = false;
    buffer_clear(data);
}

static void mark(struct recording_writer *writer, enum recording_section section)
{
    encode_number(&writer->content, section);
    encode_number(&writer->content, 0);
}

static void gather_info(struct recording_writer *writer, const struct profile *profile)
{
    struct buffer *out = &writer->section;
    uint32_t count;
    const struct profile_info *info = profile_get_info(profile);
    const struct profile_node *root = profile_nodes(profile, &count);
    encode_string(out, profile, profile_frame(profile, root->frame)->name);
    encode_string(out, profile, info->title);
    encode_string(out, profile, info->recorder);
    const struct profile_intervals *intervals = &info->intervals;
    const uint64_t numbers[] = {info->interval_ns, info->start_unix_ns,   info->duration_ns,
                                info->cpu_ns,      intervals->ok,         intervals->idle,
                                intervals->torn,   intervals->unreadable, intervals->missed};
    for (size_t i = 0; i < array_size(numbers); i++)
        encode_number(out, numbers[i]);
    const struct profile_loss *losses = profile_losses(profile, &count);
    for (uint32_t i = 0; i < count && i < RECORDING_LOSS_LIMIT; i++) {
        encode_string(out, profile, losses[i].cause);
        encode_number(out, losses[i].count);
    }
    close_list(writer, SECTION_INFO);
}

static void gather_strings(struct recording_writer *writer, const struct profile *profile)
{
    uint32_t count = profile_string_count(profile);
    for (uint32_t i = writer->sent.strings; i < count; i++)
        encode_string(&writer->section, profile, i);
    writer->sent.strings = count;
    close_list(writer, SECTION_STRINGS);
}

/* Makes room to note for each string whether its short name was sent. */
static bool grow_short_files(struct sent *sent, uint32_t count)
{
    bool *grown = realloc(sent->short_files, count + (size_t)1);
    if (!grown)
        return false;
    memset(grown + sent->short_file_count, 0, count - sent->short_file_count);
    sent->short_files = grown;
    sent->short_file_count = count;
    return true;
}

static void gather_frames(struct recording_writer *writer, const struct profile *profile)
{
    struct buffer *out = &writer->section;
    uint32_t count = profile_frame_count(profile);
    for (uint32_t i = writer->sent.frames; i < count; i++) {
        const struct profile_frame *frame = profile_frame(profile, i);
        encode_number(out, frame->kind);
        encode_number(out, frame->name);
        encode_optional(out, frame->file);
        encode_signed(out, frame->line);
        encode_signed(out, frame->first_line);
    }
    writer->sent.frames = count;
    close_list(writer, SECTION_FRAMES);
}

/* Makes known the short names of files, once each: they can come after the file. */
static void gather_short_files(struct recording_writer *writer, const struct profile *profile)
{
    struct sent *sent = &writer->sent;
    uint32_t count = profile_string_count(profile);
    if (!grow_short_files(sent, count)) {
        writer->content.failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t short_file = profile_short_file(profile, i);
        if (short_file == i || sent->short_files[i])
            continue;
        sent->short_files[i] = true;
        encode_number(&writer->section, i);
        encode_number(&writer->section, short_file);
    }
    close_list(writer, SECTION_SHORT_FILES);
}

static void gather_stacks(struct recording_writer *writer, const struct profile *profile)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    for (uint32_t i = writer->sent.nodes; i < count; i++) {
        encode_number(&writer->section, nodes[i].parent == PROFILE_ROOT ? 0 : i - nodes[i].parent);
        encode_number(&writer->section, nodes[i].frame);
    }
    writer->sent.nodes = count;
    close_list(writer, SECTION_STACKS);
}

static void gather_processes(struct recording_writer *writer, const struct profile *profile)
{
    uint32_t count;
    const struct profile_process *processes = profile_processes(profile, &count);
    for (uint32_t i = writer->sent.processes; i < count; i++) {
        encode_number(&writer->section, (uint64_t)processes[i].pid);
        encode_optional(&writer->section, processes[i].command_line);
        encode_optional(&writer->section, processes[i].python_version);
    }
    writer->sent.processes = count;
    close_list(writer, SECTION_PROCESSES);
}

static void gather_new_names(struct recording_writer *writer, const struct profile_thread *threads)
{
    struct sent *sent = &writer->sent;
    for (uint32_t i = 0; i < sent->threads; i++) {
        if (threads[i].name == sent->names[i])
            continue;
        sent->names[i] = threads[i].name;
        encode_number(&writer->section, i);
        encode_optional(&writer->section, threads[i].name);
    }
    close_list(writer, SECTION_THREAD_NAMES);
}

static void gather_threads(struct recording_writer *writer, const struct profile *profile)
{
    struct sent *sent = &writer->sent;
    uint32_t count;
    const struct profile_thread *threads = profile_threads(profile, &count);
    gather_new_names(writer, threads);
    for (uint32_t i = sent->threads; i < count; i++) {
        if (!array_grow(&sent->names, i, &sent->name_capacity, sizeof(*sent->names))) {
            writer->content.failed = true;
            break;
        }
        sent->names[i] = threads[i].name;
        encode_number(&writer->section, threads[i].process);
        encode_number(&writer->section, (uint64_t)threads[i].os_id);
        encode_number(&writer->section, threads[i].id);
        encode_optional(&writer->section, threads[i].name);
        encode_number(&writer->section, threads[i].is_main);
    }
    sent->threads = count;
    close_list(writer, SECTION_THREADS);
}

void recording_writer_gather(struct recording_writer *writer, const struct profile *profile)
{
    gather_info(writer, profile);
    gather_strings(writer, profile);
    gather_frames(writer, profile);
    gather_short_files(writer, profile);
    gather_stacks(writer, profile);
    gather_processes(writer, profile);
    gather_threads(writer, profile);
}

void recording_writer_begin_anew(struct recording_writer *writer, const struct profile *profile)
{
    uint32_t count;
    const struct profile_thread *threads = profile_threads(profile, &count);
    mark(writer, SECTION_ANEW);
    sent_clear(&writer->sent);
    for (uint32_t i = 0; i < writer->sent.threads && i < count; i++)
        writer->sent.names[i] = threads[i].name;
}

void recording_writer_append(struct recording_writer *writer, const struct sample *samples, uint32_t count)
{
    uint64_t last_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        encode_signed(&writer->section, (int64_t)(samples[i].time_ns - last_ns));
        encode_number(&writer->section, samples[i].thread);
        encode_number(&writer->section, samples[i].node);
        encode_number(&writer->section, samples[i].weight);
        encode_number(&writer->section, samples[i].states);
        last_ns = samples[i].time_ns;
    }
    close_list(writer, SECTION_SAMPLES);
}

size_t recording_writer_pending(const struct recording_writer *writer)
{
    return writer->content.len;
}

uint64_t recording_writer_len(const struct recording_writer *writer)
{
    return (uint64_t)writer->good_len;
}

uint64_t recording_writer_room(const struct recording_writer *writer)
{
    struct rlimit limit;
    struct statvfs disk;
    uint64_t len = (uint64_t)writer->good_len, room = UINT64_MAX;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        room = limit.rlim_cur > len ? limit.rlim_cur - len : 0;
    if (fstatvfs(writer->fd, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail < room / disk.f_frsize)
        room = disk.f_bavail * disk.f_frsize;
    return room;
}

/* Makes the block of the content. */
static struct error *pack(struct recording_writer *writer)
{
    uLong len = writer->content.len, packed_len = compressBound(len);
    buffer_clear(&writer->packed);
    char *block = buffer_reserve(&writer->packed, RECORDING_BLOCK_HEAD_LEN + packed_len);
    if (!block)
        return error_no_memory();
    Bytef *data = (Bytef *)block + RECORDING_BLOCK_HEAD_LEN;
    if (compress2(data, &packed_len, (const Bytef *)writer->content.data, len, Z_BEST_SPEED) != Z_OK)
        return error_no_memory();
    put_u32(block, (uint32_t)packed_len);
    put_u32(block + 4, (uint32_t)len);
    uLong crc = crc32(0, (const Bytef *)block, 8);
    put_u32(block + 8, (uint32_t)crc32(crc, data, (uInt)packed_len));
    writer->packed.len = RECORDING_BLOCK_HEAD_LEN + packed_len;
    return NULL;
}

struct error *recording_writer_write(struct recording_writer *writer)
{
    if (writer->content.failed)
        return error_no_memory();
    if (writer->content.len > RECORDING_BLOCK_LIMIT)
        return error_create(ERROR_OS, "too much was recorded at once for one block of a recording");
    struct error *error = writer->content.len > 0 ? pack(writer) : NULL;
    if (!error && writer->content.len > 0)
        error = append_to_file(writer, writer->packed.data, writer->packed.len);
    buffer_clear(&writer->content);
    return error;
}

struct error *recording_writer_finish(struct recording_writer *writer)
{
    mark(writer, SECTION_END);
    return recording_writer_write(writer);
}
