/* SPDX-License-Identifier: MIT */
#include "tile_file.h"

#include "base/cleanup.h"
#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>

enum {
    WRITE_TILES = 128, /* of a thread that are written at once; there can be thousands of threads */
    READ_TILES = 2048,
};

/* The tiles of a thread that wait to be written. */
struct waiting {
    struct tile *tiles; /* NULL while there were none */
    uint32_t count;
    uint64_t written;
};

struct filling {
    const struct tile_file *tiles;
    struct waiting *threads;
};

static void filling_deinit(struct filling *filling)
{
    for (uint32_t i = 0; filling->threads && i < filling->tiles->thread_count; i++)
        free(filling->threads[i].tiles);
    free(filling->threads);
}

void tile_file_deinit(struct tile_file *tiles)
{
    if (tiles->file)
        fclose(tiles->file);
    free(tiles->starts);
    *tiles = (struct tile_file){0};
}

static struct error *cannot_write(void)
{
    return error_from_errno(errno, "cannot write a temporary file");
}

static struct error *write_bytes(int fd, const char *bytes, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t written = pwrite(fd, bytes, len, at);
        if (written < 0 && errno != EINTR)
            return cannot_write();
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
            at += written;
        }
    }
    return NULL;
}

static struct error *write_waiting(const struct filling *filling, uint32_t thread)
{
    struct waiting *waiting = &filling->threads[thread];
    uint64_t at = filling->tiles->starts[thread] + waiting->written;
    struct error *error = write_bytes(fileno(filling->tiles->file), (const char *)waiting->tiles,
                                      waiting->count * sizeof(*waiting->tiles), (off_t)(at * sizeof(*waiting->tiles)));
    waiting->written += waiting->count;
    waiting->count = 0;
    return error;
}

static struct error *add_tile(void *context, const struct tile *tile)
{
    const struct filling *filling = context;
    struct waiting *waiting = &filling->threads[tile->thread];
    if (tile->start_ns == tile->end_ns)
        return NULL;
    if (!waiting->tiles)
        waiting->tiles = malloc(WRITE_TILES * sizeof(*waiting->tiles));
    if (!waiting->tiles)
        return error_no_memory();
    waiting->tiles[waiting->count++] = *tile;
    return waiting->count < WRITE_TILES ? NULL : write_waiting(filling, tile->thread);
}

static struct error *fill(const struct tile_file *tiles, struct timeline *timeline)
{
    struct filling filling __attribute__((cleanup(filling_deinit))) = {.tiles = tiles};
    filling.threads = calloc(tiles->thread_count + (size_t)1, sizeof(*filling.threads));
    if (!filling.threads)
        return error_no_memory();
    struct error *error = timeline_each_tile(timeline, add_tile, &filling);
    for (uint32_t i = 0; !error && i < tiles->thread_count; i++) {
        if (filling.threads[i].count > 0)
            error = write_waiting(&filling, i);
    }
    return error;
}

struct error *tile_file_init(struct tile_file *tiles, struct timeline *timeline)
{
    *tiles = (struct tile_file){.thread_count = timeline->thread_count};
    tiles->starts = calloc(timeline->thread_count + (size_t)1, sizeof(*tiles->starts));
    if (!tiles->starts)
        return error_no_memory();
    for (uint32_t i = 0; i < timeline->thread_count; i++)
        tiles->starts[i + 1] = tiles->starts[i] + timeline->threads[i].tiles;
    tiles->file = tmpfile();
    struct error *error = tiles->file ? fill(tiles, timeline) : cannot_write();
    if (error)
        tile_file_deinit(tiles);
    return error;
}

/* Reads up to READ_TILES tiles; the file is ours and has them, unless its disk is broken. */
static struct error *read_tiles(const struct tile_file *tiles, uint64_t start, size_t count, struct tile *ret)
{
    char *bytes = (char *)ret;
    size_t len = count * sizeof(*ret);
    off_t at = (off_t)(start * sizeof(*ret));
    while (len > 0) {
        ssize_t got = pread(fileno(tiles->file), bytes, len, at);
        if (got == 0 || (got < 0 && errno != EINTR))
            return error_from_errno(got == 0 ? EIO : errno, "cannot read a temporary file");
        if (got > 0) {
            bytes += got;
            len -= (size_t)got;
            at += got;
        }
    }
    return NULL;
}

struct error *tile_file_each(const struct tile_file *tiles, uint32_t thread, tile_visitor visit, void *context)
{
    cleanup_free struct tile *read = calloc(READ_TILES, sizeof(*read));
    if (!read)
        return error_no_memory();
    uint64_t end = tiles->starts[thread + 1];
    for (uint64_t start = tiles->starts[thread]; start < end; start += READ_TILES) {
        size_t count = end - start < READ_TILES ? (size_t)(end - start) : READ_TILES;
        struct error *error = read_tiles(tiles, start, count, read);
        for (size_t i = 0; !error && i < count; i++)
            error = visit(context, &read[i]);
        if (error)
            return error;
    }
    return NULL;
}

/* Puts tiles together. */
struct spanning {
    struct tile span; /* that grows; without a weight while there is none */
    uint64_t done_ns; /* up to here all was visited */
    tile_visitor visit;
    void *context;
};

static struct error *visit_gap(struct spanning *spanning, uint64_t end_ns)
{
    struct tile gap = {
        .start_ns = spanning->done_ns, .end_ns = end_ns, .thread = spanning->span.thread, .node = PROFILE_ROOT};
    return gap.start_ns < end_ns ? spanning->visit(spanning->context, &gap) : NULL;
}

static struct error *visit_span(struct spanning *spanning)
{
    if (spanning->span.weight == 0)
        return NULL;
    struct error *error = visit_gap(spanning, spanning->span.start_ns);
    spanning->done_ns = spanning->span.end_ns;
    return error ? error : spanning->visit(spanning->context, &spanning->span);
}

static struct error *add_to_span(void *context, const struct tile *tile)
{
    struct spanning *spanning = context;
    if (spanning->span.weight > 0 && tile_extend(&spanning->span, tile))
        return NULL;
    struct error *error = visit_span(spanning);
    spanning->span = *tile;
    return error;
}

struct error *tile_file_each_span(const struct tile_file *tiles, uint32_t thread, uint64_t end_ns, tile_visitor visit,
                                  void *context)
{
    struct spanning spanning = {.span = {.thread = thread}, .visit = visit, .context = context};
    struct error *error = tile_file_each(tiles, thread, add_to_span, &spanning);
    if (!error)
        error = visit_span(&spanning);
    return error ? error : visit_gap(&spanning, end_ns);
}
