/* SPDX-License-Identifier: MIT */
#include "core_maps.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "core_memory.h"
#include "image/image.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

enum { PAGE_LEN = 4096 };

/* Writes a path as the kernel does, so that maps_init() reads it back. */
static void append_path(struct buffer *text, const char *path)
{
    for (; *path; path++) {
        if (*path == '\n' || *path == '\\')
            buffer_format(text, "\\%03o", (unsigned char)*path);
        else
            buffer_append_char(text, *path);
    }
}

static void append_mapping(struct buffer *text, const struct core *core, const struct segment *segment,
                           const struct mapped_piece *piece)
{
    uint64_t offset = piece ? piece->offset + (segment->start - piece->start) : 0;
    buffer_format(text, "%" PRIx64 "-%" PRIx64 " %c%c%cp %" PRIx64 " 0:0 %" PRIu32 " ", segment->start, segment->end,
                  segment->flags & PF_R ? 'r' : '-', segment->flags & PF_W ? 'w' : '-',
                  segment->flags & PF_X ? 'x' : '-', offset, piece ? piece->file + 1 : 0);
    if (piece)
        append_path(text, piece->path);
    else if (core->notes.vdso != 0 && segment->start == core->notes.vdso)
        buffer_append_text(text, "[vdso]");
    buffer_append_char(text, '\n');
}

/*
 * How a piece was mapped that gdb did not dump at all, of which the core file says only where it lay: as its file's
 * program headers say, which begin the file.
 */
static uint32_t guess_flags(const struct core *core, const struct mapped_piece *piece)
{
    char head[PAGE_LEN];
    uint64_t bias;
    remote_addr at = core->files.files[piece->file].head;
    size_t len = at ? core_read_dumped(core, at, head, sizeof(head)) : 0;
    cleanup_image struct image *image = NULL;
    cleanup_error struct error *error = image_open_head(head, len, &image);
    bool is_code = error || image_load_bias(image, piece->start, piece->offset, true, &bias);
    return is_code ? PF_R | PF_X : PF_R;
}

/* Writes the pieces before an address that no segment covers. Returns the next piece. */
static uint32_t append_bare_pieces(struct buffer *text, const struct core *core, uint32_t next, remote_addr limit)
{
    const struct notes *notes = &core->notes;
    for (; next < notes->piece_count && notes->pieces[next].start < limit; next++) {
        const struct mapped_piece *piece = &notes->pieces[next];
        if (segments_find(&core->segments, piece->start) || piece->end > limit)
            continue;
        const struct segment bare = {.start = piece->start, .end = piece->end, .flags = guess_flags(core, piece)};
        append_mapping(text, core, &bare, piece);
    }
    return next;
}

struct error *core_maps_init(struct core *core)
{
    cleanup_buffer struct buffer text = {0};
    uint32_t next = 0;
    for (uint32_t i = 0; i < core->segments.count; i++) {
        const struct segment *segment = &core->segments.rows[i];
        next = append_bare_pieces(&text, core, next, segment->start);
        append_mapping(&text, core, segment, notes_find_piece(&core->notes, segment->start));
    }
    append_bare_pieces(&text, core, next, UINT64_MAX);
    if (text.failed)
        return error_no_memory();
    struct error *error = maps_init(&core->maps, buffer_text(&text), text.len);
    const struct mapping *executable = error ? NULL : core_executable(core);
    if (executable)
        core->files.executable = (uint32_t)executable->inode - 1;
    return error;
}
