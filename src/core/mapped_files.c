/* SPDX-License-Identifier: MIT */
#include "mapped_files.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "image/image.h"

#include <string.h>
#include <sys/stat.h>

enum {
    HEAD_LEN_LIMIT = 4096, /* bytes of a file's beginning that are compared */
    SECOND_NS = 1000000000,
};

static const char deleted_mark[] = " (deleted)"; /* Linux fs/d_path.c */

static bool has_path(const void *context, uint32_t index, const void *key)
{
    return strcmp(((const struct mapped_files *)context)->files[index].path, key) == 0;
}

static struct error *add_piece(struct mapped_files *files, struct table *by_path, struct mapped_piece *piece)
{
    uint64_t hash = hash_bytes(piece->path, strlen(piece->path));
    uint32_t index = table_find(by_path, hash, has_path, files, piece->path);
    if (index == TABLE_NONE) {
        index = files->count;
        if (!array_grow(&files->files, files->count, &files->capacity, sizeof(*files->files)) ||
            !table_insert(by_path, hash, index))
            return error_no_memory();
        files->files[files->count++] = (struct mapped_file){.path = piece->path, .fd = -1};
    }
    piece->file = index;
    if (piece->offset == 0 && files->files[index].head == 0)
        files->files[index].head = piece->start;
    return NULL;
}

struct error *mapped_files_init(struct mapped_files *files, struct notes *notes, const struct core_files *how)
{
    struct table by_path = {0};
    struct error *error = NULL;
    files->how = how;
    files->executable = UINT32_MAX;
    for (uint32_t i = 0; i < notes->piece_count && !error; i++)
        error = add_piece(files, &by_path, &notes->pieces[i]);
    table_deinit(&by_path);
    return error;
}

void mapped_files_deinit(struct mapped_files *files)
{
    for (uint32_t i = 0; i < files->count; i++)
        cleanup_close_fd(&files->files[i].fd);
    free(files->files);
    *files = (struct mapped_files){0};
}

/* The build id of a file's beginning; 0 bytes when it has none there. */
static size_t id_of_head(const void *head, size_t len, unsigned char ret[IMAGE_BUILD_ID_LIMIT])
{
    cleanup_image struct image *image = NULL;
    cleanup_error struct error *error = image_open_head(head, len, &image);
    return error ? 0 : image_build_id(image, ret);
}

static size_t id_of_file(int fd, unsigned char ret[IMAGE_BUILD_ID_LIMIT])
{
    cleanup_image struct image *image = NULL;
    cleanup_error struct error *error = image_open(fd, &image);
    return error ? 0 : image_build_id(image, ret);
}

/*
 * Whether a file without a build id is the same: an ELF file's first bytes say where all of its parts are and how long,
 * and many of its first symbols, so two builds hardly share them. One that was changed after the core was written does
 * not count.
 */
static bool begins_with(int fd, const void *head, size_t head_len, int64_t written_ns)
{
    char bytes[HEAD_LEN_LIMIT];
    struct stat file;
    size_t len = head_len < sizeof(bytes) ? head_len : sizeof(bytes);
    ssize_t got = pread(fd, bytes, len, 0);
    return got > 0 && memcmp(bytes, head, (size_t)got) == 0 && fstat(fd, &file) == 0 &&
           (int64_t)file.st_mtim.tv_sec * SECOND_NS + file.st_mtim.tv_nsec <= written_ns;
}

/* Whether an open file is the one that was mapped. */
static enum file_state compare(int fd, const void *head, size_t head_len, int64_t written_ns)
{
    unsigned char id[IMAGE_BUILD_ID_LIMIT], file_id[IMAGE_BUILD_ID_LIMIT];
    if (fd < 0)
        return FILE_ABSENT;
    if (head_len == 0)
        return FILE_UNPROVED;
    size_t len = id_of_head(head, head_len, id);
    bool is_same;
    if (len > 0)
        is_same = id_of_file(fd, file_id) == len && memcmp(id, file_id, len) == 0;
    else
        is_same = begins_with(fd, head, head_len, written_ns);
    return is_same ? FILE_PROVED : FILE_OTHER;
}

/* Takes the executable that the caller gave. Where the core does not say which build it had, the caller is believed. */
static void open_given(struct mapped_files *files, struct mapped_file *file, const void *head, size_t head_len)
{
    cleanup_fd int fd = files->how->open(files->how->context, files->how->executable);
    files->given_state = compare(fd, head, head_len, files->written_ns);
    if (files->given_state != FILE_PROVED && files->given_state != FILE_UNPROVED)
        return;
    file->state = FILE_PROVED;
    file->fd = hand_over_fd(&fd);
}

enum file_state mapped_files_open(struct mapped_files *files, uint32_t index, const void *head, size_t head_len)
{
    struct mapped_file *file = &files->files[index];
    if (file->state == FILE_UNTRIED && index == files->executable && files->how->executable)
        open_given(files, file, head, head_len);
    if (file->state != FILE_UNTRIED)
        return file->state;
    /* Of a file that was deleted, another one may have taken the place; it is compared like any other. */
    size_t len = strlen(file->path), mark_len = strlen(deleted_mark);
    bool is_deleted = len > mark_len && strcmp(file->path + len - mark_len, deleted_mark) == 0;
    cleanup_free char *path = strndup(file->path, is_deleted ? len - mark_len : len);
    cleanup_fd int fd = path && *path == '/' ? files->how->open(files->how->context, path) : -1;
    file->state = compare(fd, head, head_len, files->written_ns);
    if (file->state == FILE_PROVED)
        file->fd = hand_over_fd(&fd);
    return file->state;
}

static const char *describe(enum file_state state)
{
    switch (state) {
    case FILE_UNTRIED:
    case FILE_PROVED:
        break;
    case FILE_ABSENT:
        return "cannot be opened";
    case FILE_OTHER:
        return "is another build than the one in the core file";
    case FILE_UNPROVED:
        return "cannot be shown to be the one that was running, as the core file lacks its first page";
    }
    return NULL;
}

void mapped_files_report(const struct mapped_files *files, void (*say)(void *context, const char *sentence),
                         void *context)
{
    if (files->given_state == FILE_ABSENT || files->given_state == FILE_OTHER) {
        cleanup_buffer struct buffer sentence = {0};
        buffer_format(&sentence, "'%s' %s: it is not used", files->how->executable, describe(files->given_state));
        say(context, buffer_text(&sentence));
    }
    for (uint32_t i = 0; i < files->count; i++) {
        const char *matter = describe(files->files[i].state);
        cleanup_buffer struct buffer sentence = {0};
        if (!matter)
            continue;
        buffer_format(&sentence, "'%s' %s: what the core file lacks of it is missing", files->files[i].path, matter);
        say(context, buffer_text(&sentence));
    }
}
