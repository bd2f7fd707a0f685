/* SPDX-License-Identifier: MIT */
#include "core/core.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "command_line.h"
#include "core_maps.h"
#include "core_memory.h"
#include "core_parts.h"
#include "image/debug_file.h"
#include "image/loaded_image.h"
#include "inflate.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum {
    NOTES_LEN_LIMIT = 1 << 28, /* bytes of one segment of notes; a thread has some 4,000, with AMX 12,000 */
    SECOND_NS = 1000000000,
#if defined(__aarch64__)
    MACHINE = EM_AARCH64,
#else
    MACHINE = EM_X86_64,
#endif
};

static struct error *check_header(Elf *elf)
{
    GElf_Ehdr header;
    const char *ident = elf_getident(elf, NULL);
    if (elf_kind(elf) != ELF_K_ELF || !ident)
        return error_create(ERROR_BAD_DATA, "it is not a core file");
    if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB || !gelf_getehdr(elf, &header) ||
        header.e_machine != MACHINE)
        return error_create(ERROR_BAD_DATA, "it comes from another kind of machine");
    if (header.e_type != ET_CORE)
        return error_create(ERROR_BAD_DATA, "it is an ELF file, but not a core file");
    return NULL;
}

/* Reads a segment of notes, as far as it is there. */
static struct error *read_segment_of_notes(struct core *core, Elf *elf, const GElf_Phdr *header)
{
    uint64_t file_len = core->segments.file_len, len = header->p_filesz;
    if (header->p_offset >= file_len)
        return NULL;
    len = len < file_len - header->p_offset ? len : file_len - header->p_offset;
    len = len < NOTES_LEN_LIMIT ? len : NOTES_LEN_LIMIT;
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, len, ELF_T_NHDR);
    return data && data->d_buf ? notes_read(&core->notes, data) : NULL;
}

static struct error *read_notes(struct core *core, Elf *elf)
{
    size_t count;
    struct error *error = NULL;
    if (elf_getphdrnum(elf, &count) != 0)
        return NULL;
    for (size_t i = 0; i < count && !error; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_NOTE)
            error = read_segment_of_notes(core, elf, &header);
    }
    return error;
}

static struct error *read_elf(struct core *core)
{
    struct stat file;
    if (fstat(core->fd, &file) != 0)
        return error_from_errno(errno, "cannot read the core file");
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(core->fd, ELF_C_READ, NULL);
    if (!elf)
        return error_create(ERROR_BAD_DATA, "it is not a core file");
    struct error *error = check_header(elf);
    if (!error)
        error = segments_read(&core->segments, elf, (uint64_t)file.st_size);
    if (!error)
        error = read_notes(core, elf);
    elf_end(elf);
    return error;
}

/* Opens what is read: the file itself, or what it unpacks to. */
static struct error *open_content(struct core *core, int fd, const struct core_files *files)
{
    bool is_gzip = false;
    struct error *error = inflate_try(fd, &is_gzip);
    if (error)
        return error;
    if (is_gzip)
        return inflate_to_scratch(fd, files, &core->fd, &core->is_damaged);
    core->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return core->fd >= 0 ? NULL : error_from_errno(errno, "cannot keep the core file open");
}

/* Words that the kernel cut have a space at their end. */
static void trim(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
}

static struct error *describe_process(struct core *core)
{
    struct core_process *process = &core->process;
    const struct mapping *executable = core_executable(core);
    cleanup_buffer struct buffer command_line = {0};
    bool is_whole = command_line_read(core, &command_line);
    trim(core->notes.arguments);
    process->pid = core->notes.pid;
    process->command_line = strdup(is_whole ? buffer_text(&command_line) : core->notes.arguments);
    process->executable = strdup(executable ? executable->path : core->notes.name);
    return process->command_line && process->executable ? NULL : error_no_memory();
}

static struct error *describe_file(struct core *core, int fd)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return error_from_errno(errno, "cannot read the core file");
    core->process.written_ns = (int64_t)file.st_mtim.tv_sec * SECOND_NS + file.st_mtim.tv_nsec;
    core->process.user = file.st_uid;
    core->process.group = file.st_gid;
    core->files.written_ns = core->process.written_ns;
    return NULL;
}

struct error *core_open(int fd, const struct core_files *files, struct core **ret)
{
    cleanup_core struct core *core = calloc(1, sizeof(*core));
    if (!core)
        return error_no_memory();
    core->fd = -1;
    core->how = files;
    core_memory_init(core);
    struct error *error = open_content(core, fd, files);
    if (!error)
        error = read_elf(core);
    if (!error)
        error = mapped_files_init(&core->files, &core->notes, files);
    if (!error)
        error = describe_file(core, fd);
    if (!error)
        error = core_maps_init(core);
    if (!error)
        error = describe_process(core);
    if (!error)
        *ret = hand_over(&core);
    return error;
}

void core_destroy(struct core *core)
{
    if (!core)
        return;
    maps_deinit(&core->maps);
    mapped_files_deinit(&core->files);
    notes_deinit(&core->notes);
    segments_deinit(&core->segments);
    free(core->process.command_line);
    free(core->process.executable);
    cleanup_close_fd(&core->fd);
    free(core);
}

struct memory *core_memory(struct core *core)
{
    return &core->memory;
}

const struct maps *core_maps(const struct core *core)
{
    return &core->maps;
}

const struct core_process *core_process(const struct core *core)
{
    return &core->process;
}

const struct core_thread *core_threads(const struct core *core, uint32_t *ret_count)
{
    *ret_count = core->notes.thread_count;
    return core->notes.threads;
}

const struct mapping *core_executable(const struct core *core)
{
    remote_addr known = core->notes.program_headers ? core->notes.program_headers : core->notes.entry;
    const struct mapping *mapping = known ? maps_find(&core->maps, known) : NULL;
    return mapping && mapping->inode != 0 ? mapping : NULL;
}

struct error *core_open_image(struct core *core, const struct mapping *mapping, struct loaded_image *ret)
{
    const struct mapping *code = maps_find_code(&core->maps, mapping);
    const struct mapped_piece *piece = notes_find_piece(&core->notes, code->start);
    if (!piece)
        return error_create(ERROR_NOT_FOUND, "there is no file at 0x%" PRIx64, code->start);
    switch (core_open_file(core, piece->file)) {
    case FILE_UNTRIED:
    case FILE_ABSENT:
        return error_create(ERROR_NOT_FOUND, "cannot open '%s'", code->path);
    case FILE_OTHER:
        return error_create(ERROR_BAD_DATA, "'%s' is another build than the one in the core file", code->path);
    case FILE_UNPROVED:
        return error_create(ERROR_BAD_DATA, "'%s' cannot be shown to be the one that was running", code->path);
    case FILE_PROVED:
        break;
    }
    return loaded_image_open(core->files.files[piece->file].fd, code->path, code->start, code->offset, code->executable,
                             ret);
}

static int open_debug_path(void *context, const char *path, int place)
{
    const struct core_files *files = context;
    return place == 0 ? files->open(files->context, path) : -1;
}

bool core_open_debug_image(const struct core *core, struct loaded_image *loaded)
{
    return debug_file_find(loaded, open_debug_path, (void *)core->how);
}

int core_open_path(const struct core *core, const char *path)
{
    return core->how->open(core->how->context, path);
}

void core_report(const struct core *core, void (*say)(void *context, const char *sentence), void *context)
{
    cleanup_buffer struct buffer sentence = {0};
    const struct segments *segments = &core->segments;
    if (core->is_damaged)
        say(context, "the compressed core file is damaged: what follows its good part is missing");
    if (segments->needed_len > segments->file_len) {
        buffer_format(&sentence, "the core file is cut off: it has %" PRIu64 " of %" PRIu64 " bytes",
                      segments->file_len, segments->needed_len);
        say(context, buffer_text(&sentence));
    }
    if (core->notes.thread_count == 0)
        say(context, "the core file names no threads");
    if (core->notes.piece_count == 0)
        say(context, "the core file names no files that were mapped");
    mapped_files_report(&core->files, say, context);
    if (core->missed_count == 0)
        return;
    buffer_clear(&sentence);
    buffer_format(&sentence, "the core file lacks memory that was looked for: %" PRIu64 " times, first at 0x%" PRIx64,
                  core->missed_count, core->first_missed);
    say(context, buffer_text(&sentence));
}
