/* SPDX-License-Identifier: MIT */
#include "notes.h"

#include "base/table.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>

enum {
    THREAD_LIMIT = 1 << 16,
    PIECE_LIMIT = 1 << 20,      /* vm.max_map_count is 65,530 unless somebody raised it */
    PAGE_LEN_LIMIT = 1 << 24,   /* bytes of the unit in which offsets are counted */
    AUXV_LEN_LIMIT = 16 * 1024, /* bytes; the kernel writes some 400 */
    THREAD_POINTER_AT = 21,     /* Linux arch/x86/include/asm/user_64.h: fs_base among the registers */
    NT_ARM_TLS_TYPE = 0x401,    /* Linux include/uapi/linux/elf.h: NT_ARM_TLS */
};

/* One note. */
struct note {
    uint32_t type;
    const unsigned char *bytes;
    size_t len;
};

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static struct error *add_thread(struct notes *notes, const struct note *note)
{
    struct elf_prstatus status;
    if (note->len < sizeof(status) || notes->thread_count >= THREAD_LIMIT)
        return NULL;
    memcpy(&status, note->bytes, sizeof(status));
    if (!array_grow(&notes->threads, notes->thread_count, &notes->thread_capacity, sizeof(*notes->threads)))
        return error_no_memory();
    /* The kernel writes the signal into each thread's note; the thread that got it is the first (fill_note_info()). */
    struct core_thread thread = {.tid = status.pr_pid, .signal = notes->thread_count == 0 ? status.pr_cursig : 0};
    thread.has_registers = registers_parse(&status.pr_reg, sizeof(status.pr_reg), &thread.registers);
#ifdef __x86_64__
    memcpy(&thread.thread_pointer, (const char *)&status.pr_reg + THREAD_POINTER_AT * sizeof(uint64_t),
           sizeof(thread.thread_pointer));
#endif
    notes->threads[notes->thread_count++] = thread;
    return NULL;
}

/* aarch64: follows the thread's other notes. */
static void take_thread_pointer(struct notes *notes, const struct note *note)
{
    if (note->len >= sizeof(uint64_t) && notes->thread_count > 0)
        notes->threads[notes->thread_count - 1].thread_pointer = word_at(note->bytes);
}

static void take_process(struct notes *notes, const struct note *note)
{
    struct elf_prpsinfo info;
    if (note->len < sizeof(info))
        return;
    memcpy(&info, note->bytes, sizeof(info));
    notes->pid = info.pr_pid;
    memcpy(notes->name, info.pr_fname, sizeof(info.pr_fname));
    memcpy(notes->arguments, info.pr_psargs, sizeof(info.pr_psargs));
}

static struct error *take_auxv(struct notes *notes, const struct note *note)
{
    if (notes->auxv || note->len == 0 || note->len > AUXV_LEN_LIMIT)
        return NULL;
    notes->auxv = malloc(note->len);
    if (!notes->auxv)
        return error_no_memory();
    memcpy(notes->auxv, note->bytes, note->len);
    notes->auxv_len = note->len;
    for (size_t at = 0; at + 2 * sizeof(uint64_t) <= note->len; at += 2 * sizeof(uint64_t)) {
        uint64_t key = word_at(note->bytes + at), value = word_at(note->bytes + at + sizeof(uint64_t));
        if (key == AT_PHDR)
            notes->program_headers = value;
        else if (key == AT_ENTRY)
            notes->entry = value;
        else if (key == AT_SYSINFO_EHDR)
            notes->vdso = value;
        else if (key == AT_RANDOM)
            notes->random_bytes = value;
    }
    return NULL;
}

static int compare_pieces(const void *a, const void *b)
{
    const struct mapped_piece *first = a, *second = b;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return 0;
}

/* Puts the pieces in order, and drops those that are empty or overlap. */
static void sort_pieces(struct notes *notes)
{
    uint32_t kept = 0;
    qsort(notes->pieces, notes->piece_count, sizeof(*notes->pieces), compare_pieces);
    for (uint32_t i = 0; i < notes->piece_count; i++) {
        const struct mapped_piece piece = notes->pieces[i];
        if (piece.end > piece.start && (kept == 0 || piece.start >= notes->pieces[kept - 1].end))
            notes->pieces[kept++] = piece;
    }
    notes->piece_count = kept;
}

/*
 * The note has the count of pieces, the length of a page, start, end and offset (in pages) of each piece, and then
 * their paths, each with its NUL.
 */
static struct error *take_files(struct notes *notes, const struct note *note)
{
    enum { HEAD = 2 * sizeof(uint64_t), ROW = 3 * sizeof(uint64_t) };
    if (notes->pieces || note->len < HEAD)
        return NULL;
    uint64_t count = word_at(note->bytes), page_len = word_at(note->bytes + sizeof(uint64_t));
    if (count == 0 || count > PIECE_LIMIT || count > (note->len - HEAD) / ROW || page_len == 0 ||
        page_len > PAGE_LEN_LIMIT)
        return NULL;
    size_t paths_len = note->len - HEAD - count * ROW;
    notes->pieces = calloc(count, sizeof(*notes->pieces));
    notes->paths = calloc(paths_len + 1, 1);
    if (!notes->pieces || !notes->paths)
        return error_no_memory();
    memcpy(notes->paths, note->bytes + HEAD + count * ROW, paths_len);
    const char *path = notes->paths, *end = notes->paths + paths_len;
    for (uint64_t i = 0; i < count && path < end; i++) {
        const unsigned char *row = note->bytes + HEAD + i * ROW;
        uint64_t pages = word_at(row + 2 * sizeof(uint64_t));
        notes->pieces[notes->piece_count++] = (struct mapped_piece){
            .start = word_at(row),
            .end = pages <= UINT64_MAX / page_len ? word_at(row + sizeof(uint64_t)) : 0,
            .offset = pages * page_len,
            .path = path,
        };
        path += strlen(path) + 1;
    }
    sort_pieces(notes);
    return NULL;
}

static struct error *take_note(struct notes *notes, const struct note *note)
{
    switch (note->type) {
    case NT_PRSTATUS:
        return add_thread(notes, note);
    case NT_PRPSINFO:
        take_process(notes, note);
        return NULL;
    case NT_AUXV:
        return take_auxv(notes, note);
    case NT_FILE:
        return take_files(notes, note);
    case NT_ARM_TLS_TYPE:
        take_thread_pointer(notes, note);
        return NULL;
    default:
        return NULL;
    }
}

static bool has_owner(Elf_Data *data, size_t name_at, const GElf_Nhdr *header, const char *owner)
{
    size_t len = strlen(owner);
    return header->n_namesz >= len && memcmp((const char *)data->d_buf + name_at, owner, len) == 0;
}

struct error *notes_read(struct notes *notes, Elf_Data *data)
{
    GElf_Nhdr header;
    size_t name_at, bytes_at;
    for (size_t at = 0; (at = gelf_getnote(data, at, &header, &name_at, &bytes_at)) > 0;) {
        const struct note note = {
            .type = header.n_type, .bytes = (const unsigned char *)data->d_buf + bytes_at, .len = header.n_descsz};
        bool is_known = has_owner(data, name_at, &header, header.n_type == NT_ARM_TLS_TYPE ? "LINUX" : "CORE");
        struct error *error = is_known ? take_note(notes, &note) : NULL;
        if (error)
            return error;
    }
    return NULL;
}

void notes_deinit(struct notes *notes)
{
    free(notes->threads);
    free(notes->pieces);
    free(notes->paths);
    free(notes->auxv);
    *notes = (struct notes){0};
}

const struct mapped_piece *notes_find_piece(const struct notes *notes, remote_addr address)
{
    uint32_t low = 0, high = notes->piece_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (notes->pieces[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < notes->piece_count && notes->pieces[low].start <= address)
        return &notes->pieces[low];
    return NULL;
}
