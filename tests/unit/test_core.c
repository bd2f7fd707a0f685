/* SPDX-License-Identifier: MIT */
/* Core files that are written here, and thousands of broken ones. What real ones look like, test_core.py knows. */
#include "core/core.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/loaded_image.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include <cmocka.h>

enum {
    PAGE = 4096,
    HEAD = 0x10000,      /* the library's first page, which the core has */
    CODE = 0x11000,      /* its second, which it has not */
    DATA = 0x12000,      /* its third, as the process changed it */
    BARE = 0x13000,      /* its fourth, of which only the list of files tells */
    UNTOUCHED = 0x14000, /* its fourth once more, writable, not in the core */
    HEAP = 0x20000,      /* half of it is in the core */
    STACK = 0x30000,
    VECTOR = STACK + 512,
    WORDS = STACK + 1024,
    MUTATIONS = 20000,
};

#if defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64, OTHER_MACHINE = EM_X86_64 };
#else
enum { OUR_MACHINE = EM_X86_64, OTHER_MACHINE = EM_AARCH64 };
#endif

static const char library_path[] = "/lib/x\ny\\1.so";
static const unsigned char build_id[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* The library as it is on disk, and what was asked for. */
struct disk {
    struct core_files files;
    struct buffer library; /* no bytes: there is none */
    const char *path;
    int opened; /* how often a file was */
    time_t age; /* seconds that the library has not been changed for */
};

static int open_on_disk(void *context, const char *path)
{
    struct disk *disk = context;
    disk->opened++;
    if (strcmp(path, disk->path) != 0 || disk->library.len == 0)
        return -1;
    int fd = elf_writer_open(disk->library.data, disk->library.len);
    const struct timespec changed = {.tv_sec = time(NULL) - disk->age};
    assert_int_equal(futimens(fd, (struct timespec[]){changed, changed}), 0);
    return fd;
}

static int open_scratch(void *context)
{
    (void)context;
    return memfd_create("scratch", MFD_CLOEXEC);
}

/* Four pages; the first has the headers and the build id, the others are full of a letter each. */
static void write_library(struct buffer *ret, const unsigned char *id)
{
    struct elf_writer writer;
    elf_writer_init(&writer, ET_DYN);
    const Elf64_Phdr code = {.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_X,
                             .p_offset = PAGE,
                             .p_vaddr = PAGE,
                             .p_filesz = PAGE,
                             .p_memsz = PAGE};
    elf_writer_segment(&writer, &code);
    if (id)
        elf_writer_note(&writer, "GNU", NT_GNU_BUILD_ID, id, 20);
    elf_writer_finish(&writer);
    assert_true(writer.file.len < PAGE);
    buffer_append(ret, writer.file.data, writer.file.len);
    elf_writer_deinit(&writer);
    while (ret->len < (size_t)4 * PAGE)
        buffer_append_char(ret, ret->len < PAGE ? '\0' : (char)('a' + ret->len / PAGE));
}

static void set_up_disk(struct disk *disk)
{
    *disk = (struct disk){.path = library_path};
    disk->files = (struct core_files){.context = disk, .open = open_on_disk, .open_scratch = open_scratch};
    write_library(&disk->library, build_id);
}

/* Adds a segment of memory that begins with these bytes; NULL: none of it is in the core. */
static Elf64_Phdr *add_memory(struct elf_writer *writer, uint64_t address, uint32_t flags, const void *bytes,
                              size_t len, size_t memory_len)
{
    const Elf64_Phdr segment = {.p_type = PT_LOAD,
                                .p_flags = flags,
                                .p_offset = writer->file.len,
                                .p_vaddr = address,
                                .p_filesz = bytes ? len : 0,
                                .p_memsz = memory_len};
    if (bytes)
        buffer_append(&writer->file, bytes, len);
    return elf_writer_segment(writer, &segment);
}

static void add_thread(struct elf_writer *writer, int tid, int number)
{
    struct elf_prstatus status = {.pr_pid = tid, .pr_cursig = (short)number};
    for (size_t i = 0; i < array_size(status.pr_reg); i++)
        status.pr_reg[i] = (unsigned long)tid * 1000 + i;
    elf_writer_note(writer, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void add_process(struct elf_writer *writer)
{
    struct elf_prpsinfo info = {.pr_pid = 77};
    memcpy(info.pr_fname, "program", 8);
    memset(info.pr_psargs, 'p', sizeof(info.pr_psargs) - 1);
    elf_writer_note(writer, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

/* The list of mapped files: count, length of a page, rows of start, end and page in the file, paths. */
static void add_files(struct elf_writer *writer, uint64_t count, uint64_t page_len)
{
    static const uint64_t rows[][3] = {
        {HEAD, HEAD + PAGE, 0}, {CODE, CODE + PAGE, 1},           {DATA, DATA + PAGE, 2},
        {BARE, BARE + PAGE, 3}, {UNTOUCHED, UNTOUCHED + PAGE, 3},
    };
    cleanup_buffer struct buffer note = {0};
    if (count == 0)
        count = array_size(rows);
    buffer_append(&note, &count, sizeof(count));
    buffer_append(&note, &page_len, sizeof(page_len));
    buffer_append(&note, rows, sizeof(rows));
    for (size_t i = 0; i < array_size(rows); i++)
        buffer_append(&note, library_path, sizeof(library_path));
    elf_writer_note(writer, "CORE", NT_FILE, note.data, note.len);
}

static const uint64_t vector[] = {AT_PHDR, HEAD + 64, AT_ENTRY,    CODE,    AT_SYSINFO_EHDR,
                                  HEAP,    AT_RANDOM, WORDS + 256, AT_NULL, 0};

/* The end of a process's stack: count, words, environment, vector, texts. */
static void add_stack(struct elf_writer *writer)
{
    unsigned char stack[PAGE] = {0};
    const uint64_t before[] = {3, WORDS, WORDS + 8, WORDS + 16, 0, WORDS + 100, 0};
    memcpy(stack + (VECTOR - STACK) - sizeof(before), before, sizeof(before));
    memcpy(stack + (VECTOR - STACK), vector, sizeof(vector));
    memcpy(stack + (WORDS - STACK), "python\0\0a b\0\0\0\0\0-x\0", 19);
    add_memory(writer, STACK, PF_R | PF_W, stack, sizeof(stack), sizeof(stack));
}

/* Everything that is looked at; not finished. The segments are not in order, as those of some kernels. */
static void write_core(struct elf_writer *writer, const struct disk *disk)
{
    unsigned char page[PAGE];
    elf_writer_init(writer, ET_CORE);
    writer->header.e_machine = OUR_MACHINE;
    add_thread(writer, 5, SIGSEGV);
    add_process(writer);
    add_thread(writer, 6, SIGSEGV);
    elf_writer_note(writer, "CORE", NT_AUXV, vector, sizeof(vector));
    elf_writer_note(writer, "OTHER", NT_AUXV, "not this one, nor such", 20);
    add_files(writer, 0, PAGE);
    memset(page, 'h', sizeof(page));
    add_memory(writer, HEAP, PF_R | PF_W, page, PAGE / 2, PAGE);
    memset(page, 'd', sizeof(page));
    add_memory(writer, DATA, PF_R | PF_W, page, PAGE, PAGE);
    add_memory(writer, UNTOUCHED, PF_R | PF_W, NULL, 0, PAGE);
    add_memory(writer, HEAD, PF_R, disk->library.data, PAGE, PAGE);
    add_memory(writer, CODE, PF_R | PF_X, NULL, 0, PAGE);
    add_stack(writer);
}

static struct error *open_bytes(const void *bytes, size_t len, const struct disk *disk, struct core **ret)
{
    cleanup_fd int fd = elf_writer_open(bytes, len);
    assert_true(fd >= 0);
    return core_open(fd, &disk->files, ret);
}

static struct core *finish(struct elf_writer *writer, const struct disk *disk)
{
    struct core *core = NULL;
    elf_writer_finish(writer);
    struct error *error = open_bytes(writer->file.data, writer->file.len, disk, &core);
    if (error)
        fail_msg("%s", error->sentence);
    elf_writer_deinit(writer);
    return core;
}

static struct core *make_core(const struct disk *disk)
{
    struct elf_writer writer;
    write_core(&writer, disk);
    return finish(&writer, disk);
}

static void collect(void *context, const char *sentence)
{
    buffer_append_text(context, sentence);
    buffer_append_char(context, '\n');
}

/* What a core has to complain of, a line each. */
static void assert_report(const struct core *core, const char *expected)
{
    cleanup_buffer struct buffer report = {0};
    core_report(core, collect, &report);
    assert_string_equal(buffer_text(&report), expected);
}

static void assert_letter(struct core *core, remote_addr address, char letter)
{
    char read = 0;
    assert_int_equal(memory_read(core_memory(core), address, &read, 1), MEMORY_OK);
    assert_int_equal(read, letter);
}

static void assert_fault(struct core *core, remote_addr address)
{
    char read;
    assert_int_equal(memory_read(core_memory(core), address, &read, 1), MEMORY_FAULT);
}

static void tear_down(struct disk *disk, struct core *core)
{
    core_destroy(core);
    buffer_deinit(&disk->library);
}

static void test_memory(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    char bytes[4 * PAGE];
    assert_letter(core, DATA, 'd');
    assert_letter(core, HEAP + PAGE / 2 - 1, 'h');
    assert_report(core, "");
    assert_int_equal(disk.opened, 0);
    assert_letter(core, CODE, 'b');
    assert_letter(core, BARE + PAGE - 1, 'd');
    assert_int_equal(memory_read(core_memory(core), HEAD, bytes, sizeof(bytes)), MEMORY_OK);
    assert_memory_equal(bytes, disk.library.data, 2 * PAGE);
    assert_int_equal(bytes[2 * PAGE], 'd');
    assert_int_equal(bytes[3 * PAGE], 'd');
    assert_int_equal(disk.opened, 1);
    tear_down(&disk, core);
}

static void test_missing_memory(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    uint64_t word;
    assert_fault(core, HEAP + PAGE / 2);
    assert_int_equal(memory_read_u64(core_memory(core), HEAP + PAGE / 2 - 4, &word), MEMORY_FAULT);
    assert_fault(core, UNTOUCHED); /* what could have been written to is not what the file has */
    assert_fault(core, 0);
    assert_fault(core, UINT64_MAX);
    assert_report(core, "the core file lacks memory that was looked for: 3 times, first at 0x20800\n");
    struct memory_piece pieces[] = {{DATA, &word, 8}, {HEAP + PAGE / 2, &word, 8}, {DATA, &word, 8}};
    size_t done = 9;
    assert_int_equal(memory_read_batch(core_memory(core), pieces, 3, &done), MEMORY_FAULT);
    assert_int_equal(done, 1);
    tear_down(&disk, core);
}

static void test_other_build(void **state)
{
    (void)state;
    static const unsigned char other_id[20] = {1, 2, 3, 4, 5, 6, 7, 8, 10};
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    buffer_clear(&disk.library);
    write_library(&disk.library, other_id);
    assert_fault(core, CODE);
    assert_fault(core, BARE);
    assert_int_equal(disk.opened, 1);
    assert_report(core, "'/lib/x\ny\\1.so' is another build than the one in the core file: what the core file lacks of "
                        "it is missing\n"
                        "the core file lacks memory that was looked for: 2 times, first at 0x11000\n");
    struct loaded_image image;
    cleanup_error struct error *error = core_open_image(core, core_executable(core), &image);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    tear_down(&disk, core);
}

static void test_absent_file(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    buffer_clear(&disk.library);
    struct loaded_image image;
    cleanup_error struct error *error = core_open_image(core, core_executable(core), &image);
    assert_int_equal(error->kind, ERROR_NOT_FOUND);
    assert_report(core, "'/lib/x\ny\\1.so' cannot be opened: what the core file lacks of it is missing\n");
    tear_down(&disk, core);
}

static void test_file_without_its_head(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    write_core(&writer, &disk);
    for (size_t i = 0; i < writer.header.e_phnum; i++) {
        if (writer.segments[i].p_vaddr == HEAD)
            writer.segments[i].p_filesz = 0;
    }
    struct core *core = finish(&writer, &disk);
    assert_fault(core, CODE);
    assert_report(core, "'/lib/x\ny\\1.so' cannot be shown to be the one that was running, as the core file lacks its "
                        "first page: what the core file lacks of it is missing\n"
                        "the core file lacks memory that was looked for: 1 times, first at 0x11000\n");
    core_destroy(core);
    /* Whoever names the executable is believed where nothing speaks against it. */
    disk.files.executable = library_path;
    write_core(&writer, &disk);
    for (size_t i = 0; i < writer.header.e_phnum; i++) {
        if (writer.segments[i].p_vaddr == HEAD)
            writer.segments[i].p_filesz = 0;
    }
    core = finish(&writer, &disk);
    assert_letter(core, CODE, 'b');
    assert_report(core, "");
    tear_down(&disk, core);
}

static void test_file_without_build_id(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    buffer_clear(&disk.library);
    write_library(&disk.library, NULL);
    struct core *core = make_core(&disk);
    disk.age = 100;
    assert_letter(core, CODE, 'b');
    core_destroy(core);
    core = make_core(&disk);
    disk.age = -100;
    assert_fault(core, CODE);
    core_destroy(core);
    core = make_core(&disk);
    disk.age = 100;
    disk.library.data[PAGE - 1] = 'x';
    assert_fault(core, CODE);
    tear_down(&disk, core);
}

static void test_given_executable(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    disk.files.executable = disk.path = "/elsewhere";
    struct core *core = make_core(&disk);
    assert_letter(core, CODE, 'b');
    assert_report(core, "");
    core_destroy(core);
    disk.files.executable = "/nowhere";
    disk.path = library_path;
    core = make_core(&disk);
    assert_letter(core, CODE, 'b');
    assert_report(core, "'/nowhere' cannot be opened: it is not used\n");
    tear_down(&disk, core);
}

static void test_image(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    cleanup_loaded_image struct loaded_image image = {0};
    assert_null(core_open_image(core, core_executable(core), &image));
    assert_int_equal(image.bias, HEAD);
    assert_string_equal(image.path, library_path);
    assert_false(core_open_debug_image(core, &image));
    tear_down(&disk, core);
}

static void test_maps(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    const struct maps *maps = core_maps(core);
    static const struct mapping expected[] = {
        {HEAD, HEAD + PAGE, 0, 1, true, false, false, false, library_path},
        {CODE, CODE + PAGE, PAGE, 1, true, false, true, false, library_path},
        {DATA, DATA + PAGE, 2 * PAGE, 1, true, true, false, false, library_path},
        {BARE, BARE + PAGE, 3 * PAGE, 1, true, false, false, false, library_path},
        {UNTOUCHED, UNTOUCHED + PAGE, 3 * PAGE, 1, true, true, false, false, library_path},
        {HEAP, HEAP + PAGE, 0, 0, true, true, false, false, "[vdso]"},
        {STACK, STACK + PAGE, 0, 0, true, true, false, false, ""},
    };
    assert_int_equal(maps->count, array_size(expected));
    for (size_t i = 0; i < array_size(expected); i++) {
        const struct mapping *mapping = &maps->mappings[i];
        assert_int_equal(mapping->start, expected[i].start);
        assert_int_equal(mapping->end, expected[i].end);
        assert_int_equal(mapping->offset, expected[i].offset);
        assert_int_equal(mapping->inode, expected[i].inode);
        assert_int_equal(mapping->readable, expected[i].readable);
        assert_int_equal(mapping->writable, expected[i].writable);
        assert_int_equal(mapping->executable, expected[i].executable);
        assert_string_equal(mapping->path, expected[i].path);
    }
    assert_ptr_equal(core_executable(core), &maps->mappings[0]);
    tear_down(&disk, core);
}

static void test_threads(void **state)
{
    (void)state;
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    uint32_t count;
    const struct core_thread *threads = core_threads(core, &count);
    assert_int_equal(count, 2);
    assert_int_equal(threads[0].tid, 5);
    assert_int_equal(threads[0].signal, SIGSEGV);
    assert_int_equal(threads[1].tid, 6);
    assert_int_equal(threads[1].signal, 0);
    assert_true(threads[1].has_registers);
#ifdef __x86_64__
    assert_int_equal(threads[0].thread_pointer, 5021);
    assert_int_equal(threads[1].registers.values[REGISTER_PC], 6016);
    assert_int_equal(threads[1].registers.system_call, 6015);
#endif
    tear_down(&disk, core);
}

static void test_process(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    struct core *core = make_core(&disk);
    assert_int_equal(core_process(core)->pid, 77);
    assert_string_equal(core_process(core)->command_line, "python a b -x");
    assert_string_equal(core_process(core)->executable, library_path);
    core_destroy(core);
    /* Without a whole stack there is what the note has. */
    write_core(&writer, &disk);
    writer.segments[writer.header.e_phnum - 1].p_filesz = VECTOR - STACK;
    core = finish(&writer, &disk);
    assert_int_equal(strlen(core_process(core)->command_line), 79);
    tear_down(&disk, core);
}

static void test_cut_file(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    write_core(&writer, &disk);
    size_t at = writer.segments[writer.header.e_phnum - 1].p_offset;
    elf_writer_finish(&writer);
    struct core *core = NULL;
    assert_null(open_bytes(writer.file.data, at + 100, &disk, &core));
    assert_letter(core, DATA, 'd');
    assert_letter(core, STACK + 99, 0);
    assert_fault(core, STACK + 100);
    char expected[200];
    snprintf(expected, sizeof(expected),
             "the core file is cut off: it has %zu of %zu bytes\n"
             "the core file lacks memory that was looked for: 1 times, first at 0x30064\n",
             at + 100, at + PAGE);
    assert_report(core, expected);
    core_destroy(core);
    /* Among the program headers. */
    core = NULL;
    cleanup_error struct error *error = open_bytes(writer.file.data, sizeof(Elf64_Ehdr) + 10, &disk, &core);
    cleanup_buffer struct buffer report = {0};
    assert_null(error);
    core_report(core, collect, &report);
    assert_non_null(strstr(buffer_text(&report), "the core file is cut off: it has 74 of"));
    elf_writer_deinit(&writer);
    tear_down(&disk, core);
}

/* Packs bytes as gzip does. */
static void pack(const void *bytes, size_t len, struct buffer *ret)
{
    z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t limit = deflateBound(&stream, len);
    stream.next_out = (Bytef *)buffer_reserve(ret, limit);
    stream.avail_out = (uInt)limit;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    ret->len += stream.total_out;
    deflateEnd(&stream);
}

static void test_packed(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    cleanup_buffer struct buffer packed = {0};
    set_up_disk(&disk);
    write_core(&writer, &disk);
    elf_writer_finish(&writer);
    pack(writer.file.data, writer.file.len, &packed);
    struct core *core = NULL;
    assert_null(open_bytes(packed.data, packed.len, &disk, &core));
    assert_letter(core, DATA, 'd');
    assert_letter(core, STACK + PAGE - 1, 0);
    assert_report(core, "");
    core_destroy(core);
    core = NULL;
    /* The first half of the compressed bytes has the notes and some of the memory. */
    assert_null(open_bytes(packed.data, packed.len - 9, &disk, &core));
    cleanup_buffer struct buffer report = {0};
    core_report(core, collect, &report);
    assert_non_null(strstr(buffer_text(&report), "the compressed core file is damaged"));
    core_destroy(core);
    core = NULL;
    disk.files.unpacked_limit = writer.file.len - 1;
    cleanup_error struct error *error = open_bytes(packed.data, packed.len, &disk, &core);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_non_null(strstr(error->sentence, "unpacks to more than"));
    elf_writer_deinit(&writer);
    tear_down(&disk, core);
}

static void assert_refused(const void *bytes, size_t len, const char *sentence)
{
    struct disk disk;
    set_up_disk(&disk);
    struct core *core = NULL;
    cleanup_error struct error *error = open_bytes(bytes, len, &disk, &core);
    assert_non_null(error);
    assert_null(core);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_non_null(strstr(error->sentence, sentence));
    tear_down(&disk, core);
}

static void test_other_files(void **state)
{
    (void)state;
    static const unsigned char ident_of_32_bits[64] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, 1};
    struct elf_writer writer;
    assert_refused("", 0, "not a core file");
    assert_refused("no core file at all, but a longer text than some", 48, "not a core file");
    assert_refused(ident_of_32_bits, sizeof(ident_of_32_bits), "");
    assert_refused("\x28\xb5\x2f\xfd----------", 14, "'zstd -d'");
    assert_refused("\xfd\x37zXZ\0--------", 14, "'unxz'");
    elf_writer_init(&writer, ET_DYN);
    writer.header.e_machine = OUR_MACHINE;
    elf_writer_finish(&writer);
    assert_refused(writer.file.data, writer.file.len, "not a core file");
    elf_writer_deinit(&writer);
    elf_writer_init(&writer, ET_CORE);
    writer.header.e_machine = OTHER_MACHINE;
    elf_writer_finish(&writer);
    assert_refused(writer.file.data, writer.file.len, "another kind of machine");
    elf_writer_deinit(&writer);
}

/* A core with nothing but a list of files. */
static void assert_no_files(uint64_t count, uint64_t page_len)
{
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    elf_writer_init(&writer, ET_CORE);
    writer.header.e_machine = OUR_MACHINE;
    add_files(&writer, count, page_len);
    struct core *core = finish(&writer, &disk);
    assert_int_equal(core_maps(core)->count, 0);
    assert_report(core, "the core file names no threads\nthe core file names no files that were mapped\n");
    tear_down(&disk, core);
}

static void test_hostile_lists_of_files(void **state)
{
    (void)state;
    assert_no_files(UINT64_MAX, PAGE);
    assert_no_files(UINT64_MAX / 24 + 2, PAGE);
    assert_no_files(1 << 20, PAGE);
    assert_no_files((1 << 20) + 1, PAGE);
    assert_no_files(5, 0);
    assert_no_files(5, UINT64_MAX);
}

static void test_hostile_segments(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    elf_writer_init(&writer, ET_CORE);
    writer.header.e_machine = OUR_MACHINE;
    add_memory(&writer, HEAP, PF_R, "first", 5, 5);
    add_memory(&writer, HEAP + 4, PF_R, "overlapping", 11, 11);
    add_memory(&writer, UINT64_MAX - 3, PF_R, "wrapping", 8, 8);
    add_memory(&writer, STACK, PF_R, "far", 3, 3)->p_offset = UINT64_MAX - 1;
    add_memory(&writer, CODE, PF_R, "longer than its memory", 22, 6);
    add_memory(&writer, DATA, PF_R, "none", 4, 0);
    struct core *core = finish(&writer, &disk);
    assert_letter(core, HEAP + 4, 't');
    assert_fault(core, HEAP + 5);
    assert_fault(core, UINT64_MAX - 2);
    assert_fault(core, STACK);
    assert_letter(core, CODE + 5, 'r');
    assert_fault(core, CODE + 6);
    assert_fault(core, DATA);
    tear_down(&disk, core);
}

/* Looks at everything that a core offers. */
static void use(struct core *core)
{
    cleanup_buffer struct buffer report = {0};
    char bytes[3 * PAGE];
    uint32_t count;
    core_threads(core, &count);
    const struct maps *maps = core_maps(core);
    for (uint32_t i = 0; i < maps->count && i < 20; i++) {
        size_t len = maps->mappings[i].end - maps->mappings[i].start;
        len = len < sizeof(bytes) ? len : sizeof(bytes);
        memory_read(core_memory(core), maps->mappings[i].start, bytes, len);
        memory_read(core_memory(core), maps->mappings[i].end - 1, bytes, 2);
        cleanup_loaded_image struct loaded_image image = {0};
        cleanup_error struct error *error = core_open_image(core, &maps->mappings[i], &image);
        if (!error)
            core_open_debug_image(core, &image);
    }
    core_report(core, collect, &report);
    assert_false(report.failed);
}

/* Changes a few bytes, most of them among the headers and notes, to values that are often at a border. */
static void mutate(unsigned char *bytes, size_t len, size_t notes_end)
{
    static const unsigned char values[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x10, 0x20};
    int changes = 1 + rand() % 8;
    for (int i = 0; i < changes; i++) {
        size_t limit = rand() % 8 ? notes_end : len;
        size_t at = (size_t)rand() % limit, run = rand() % 4 ? 1 : 8;
        for (size_t j = at; j < at + run && j < len; j++)
            bytes[j] = rand() % 2 ? values[(size_t)rand() % sizeof(values)] : (unsigned char)rand();
    }
}

static void test_mutations(void **state)
{
    (void)state;
    struct disk disk;
    struct elf_writer writer;
    set_up_disk(&disk);
    write_core(&writer, &disk);
    elf_writer_finish(&writer);
    size_t len = writer.file.len, notes_end = writer.segments[6].p_offset;
    cleanup_free unsigned char *bytes = malloc(len);
    assert_non_null(bytes);
    int opened = 0;
    srand(1);
    for (int i = 0; i < MUTATIONS; i++) {
        struct core *core = NULL;
        memcpy(bytes, writer.file.data, len);
        mutate(bytes, len, notes_end);
        size_t kept = rand() % 4 ? len : (size_t)rand() % len;
        cleanup_error struct error *error = open_bytes(bytes, kept, &disk, &core);
        if (!error) {
            use(core);
            opened++;
        }
        core_destroy(core);
    }
    assert_true(opened > MUTATIONS / 4);
    elf_writer_deinit(&writer);
    tear_down(&disk, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_missing_memory),
        cmocka_unit_test(test_other_build),
        cmocka_unit_test(test_absent_file),
        cmocka_unit_test(test_file_without_its_head),
        cmocka_unit_test(test_file_without_build_id),
        cmocka_unit_test(test_given_executable),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_cut_file),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_hostile_lists_of_files),
        cmocka_unit_test(test_hostile_segments),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
