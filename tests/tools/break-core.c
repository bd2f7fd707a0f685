/* SPDX-License-Identifier: MIT */
/*
 * break-core FILE COUNT [FIRST]: reads a core file COUNT times, each time with a few bytes of it wrong, or cut off; the
 * same ones in each run. Now and then C frames and values are read as well. Says how often it could be read at all.
 * That reading ends, and does no harm, whoever runs this sees; best in a build with sanitizers. One time that takes a
 * minute ends the program by a signal; FIRST is the number of the first time, to see one again.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "core/core.h"
#include "profile/process_dump.h"
#include "sampler/dumping.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WORD_LEN = sizeof(uint64_t),
    CHANGE_LIMIT = 12,       /* words that are wrong at a time */
    HEAD_LEN = 4096,         /* where the headers are, and most changes */
    NOTES_LEN = 64 * 1024,   /* with what follows them, which many more are in */
    TEXT_LIMIT = 400,        /* characters of a value */
    CUT_EACH = 33,           /* one time in so many the file is cut off, too, */
    ALL_EACH = 8,            /* and one in so many C frames and values are read as well */
    TIME_LIMIT_SECONDS = 60, /* of one time */
};

/* A core file, whole, and a copy of it in a file that has no name. */
struct subject {
    struct buffer whole;
    int fd;
    uint64_t seed;
};

/* Steele, Lea and Flood's splitmix64: small, and the same everywhere. */
static uint64_t next_random(struct subject *subject)
{
    uint64_t mixed = subject->seed += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

static int open_own(void *context, const char *path)
{
    (void)context;
    return process_open_own_path(path);
}

static int open_scratch(void *context)
{
    (void)context;
    return memfd_create("scratch", MFD_CLOEXEC);
}

/* Where a change is made: a multiple of 4, with room for a word behind it. */
static size_t choose_place(struct subject *subject)
{
    size_t range = subject->whole.len - WORD_LEN;
    switch (next_random(subject) % 4) {
    case 0:
    case 1:
        range = range < HEAD_LEN ? range : HEAD_LEN;
        break;
    case 2:
        range = range < NOTES_LEN ? range : NOTES_LEN;
        break;
    default:
        break;
    }
    return next_random(subject) % range & ~(size_t)3;
}

static uint64_t break_word(struct subject *subject, uint64_t word)
{
    uint64_t other;
    switch (next_random(subject) % 8) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return UINT64_C(1) << 62;
    case 3:
        return next_random(subject) % 1000;
    case 4:
        return word + (next_random(subject) % 9 - 4) * WORD_LEN;
    case 5:
        memcpy(&other, subject->whole.data + choose_place(subject), sizeof(other));
        return other;
    default:
        return word ^ UINT64_C(1) << next_random(subject) % 64;
    }
}

/* Writes all of it where it was written before. */
static bool write_at(const struct subject *subject, const void *bytes, size_t len, size_t place)
{
    return pwrite(subject->fd, bytes, len, (off_t)place) == (ssize_t)len;
}

/* Makes a few words wrong. Their places are returned, and how many they are. */
static uint32_t break_words(struct subject *subject, size_t places[CHANGE_LIMIT])
{
    uint32_t count = 1 + (uint32_t)(next_random(subject) % CHANGE_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word;
        places[i] = choose_place(subject);
        memcpy(&word, subject->whole.data + places[i], sizeof(word));
        word = break_word(subject, word);
        write_at(subject, &word, sizeof(word), places[i]);
    }
    return count;
}

static void mend(const struct subject *subject, const size_t *places, uint32_t count, size_t cut)
{
    for (uint32_t i = 0; i < count; i++)
        write_at(subject, subject->whole.data + places[i], WORD_LEN, places[i]);
    if (cut < subject->whole.len)
        write_at(subject, subject->whole.data + cut, subject->whole.len - cut, cut);
}

static void say_nothing(void *context, const char *sentence)
{
    (void)context;
    (void)sentence;
}

static bool read_once(const struct subject *subject, bool is_with_all)
{
    static const struct core_files files = {.open = open_own, .open_scratch = open_scratch, .unpacked_limit = 1 << 24};
    const struct dumping_options options = {.with_native = is_with_all, .text_limit = is_with_all ? TEXT_LIMIT : 0};
    cleanup_core struct core *core = NULL;
    cleanup_process_dump struct process_dump dump = {0};
    cleanup_error struct error *error = core_open(subject->fd, &files, &core);
    if (error)
        return false;
    error = dumping_run_core(core, "core", &options, &dump);
    core_report(core, say_nothing, NULL);
    return !error;
}

static void break_often(struct subject *subject, uint32_t first, uint32_t count)
{
    uint32_t read = 0;
    for (uint32_t i = first; i < first + count; i++) {
        size_t places[CHANGE_LIMIT], cut = subject->whole.len;
        alarm(TIME_LIMIT_SECONDS);
        subject->seed = i;
        uint32_t changes = break_words(subject, places);
        if (i % CUT_EACH == 0)
            cut = next_random(subject) % subject->whole.len;
        if (cut < subject->whole.len && ftruncate(subject->fd, (off_t)cut) != 0)
            cut = subject->whole.len;
        read += read_once(subject, i % ALL_EACH == 0);
        mend(subject, places, changes, cut);
    }
    printf("break-core: %u of %u could be read\n", read, count);
}

static struct error *load(const char *path, struct subject *subject)
{
    struct stat file;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0)
        return error_from_errno(errno, "cannot open '%s'", path);
    char *bytes = buffer_reserve(&subject->whole, (size_t)file.st_size);
    if (!bytes)
        return error_no_memory();
    if (read(fd, bytes, (size_t)file.st_size) != file.st_size || file.st_size < NOTES_LEN)
        return error_create(ERROR_BAD_DATA, "'%s' is too short, or cannot be read", path);
    subject->whole.len = (size_t)file.st_size;
    subject->fd = memfd_create("core", MFD_CLOEXEC);
    if (subject->fd < 0 || !write_at(subject, subject->whole.data, subject->whole.len, 0))
        return error_from_errno(errno, "cannot make a copy of '%s'", path);
    return read_once(subject, true) ? NULL : error_create(ERROR_BAD_DATA, "'%s' cannot be read", path);
}

int main(int argc, char **argv)
{
    struct subject subject = {.fd = -1};
    if (argc < 3) {
        fputs("usage: break-core FILE COUNT [FIRST]\n", stderr);
        return 2;
    }
    cleanup_error struct error *error = load(argv[1], &subject);
    if (error)
        fprintf(stderr, "break-core: %s\n", error->sentence);
    else
        break_often(&subject, argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1,
                    (uint32_t)strtoul(argv[2], NULL, 10));
    buffer_deinit(&subject.whole);
    return error != NULL;
}
