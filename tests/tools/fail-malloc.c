/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD whose allocations fail, as they do when there is no memory.
 *
 *     FAIL_MALLOC_AT=N       the N-th one of the process fails, from 1, and no other
 *     FAIL_MALLOC_FROM=N     the N-th one and all behind it fail
 *     FAIL_MALLOC_AFTER=S    all fail that come S seconds after the start, and later
 *     FAIL_MALLOC_COUNT=FILE at the end of the process, a line with the number of allocations is appended
 *
 * All threads count together. What glibc allocates by itself counts, too. The variables are taken away from the
 * environment, and so is LD_PRELOAD, so that programs that are started have memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* glibc's own names of what is replaced here (malloc/malloc.c of glibc 2.36). */
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *memory, size_t len);
void *__libc_memalign(size_t alignment, size_t len);

static atomic_ulong allocations;
static unsigned long fails_at, fails_from; /* 0: none does */
static unsigned long fails_after_s;        /* of CLOCK_MONOTONIC; 0: likewise */
static char count_path[4096];

static unsigned long now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec;
}

static unsigned long number_of(const char *name)
{
    const char *value = getenv(name);
    return value ? strtoul(value, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAIL_MALLOC_COUNT");
    fails_at = number_of("FAIL_MALLOC_AT");
    fails_from = number_of("FAIL_MALLOC_FROM");
    fails_after_s = number_of("FAIL_MALLOC_AFTER");
    if (fails_after_s > 0)
        fails_after_s += now_s();
    if (path)
        snprintf(count_path, sizeof(count_path), "%s", path);
    unsetenv("LD_PRELOAD");
    unsetenv("FAIL_MALLOC_AT");
    unsetenv("FAIL_MALLOC_FROM");
    unsetenv("FAIL_MALLOC_AFTER");
    unsetenv("FAIL_MALLOC_COUNT");
    atomic_store(&allocations, 0);
}

__attribute__((destructor)) static void end(void)
{
    char line[32];
    int len = snprintf(line, sizeof(line), "%lu\n", atomic_load(&allocations));
    int fd = count_path[0] ? open(count_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    (void)!write(fd, line, (size_t)len);
    close(fd);
}

/* A debugger that stops here shows what failed. */
__attribute__((noinline)) static bool refuse(void)
{
    errno = ENOMEM;
    return true;
}

/* Counts an allocation. Returns whether it is to fail. */
static bool fails(void)
{
    unsigned long number = atomic_fetch_add(&allocations, 1) + 1;
    bool is_late = fails_after_s > 0 && now_s() > fails_after_s;
    if (!is_late && number != fails_at && (fails_from == 0 || number < fails_from))
        return false;
    return refuse();
}

void *malloc(size_t len)
{
    return fails() ? NULL : __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    return fails() ? NULL : __libc_calloc(count, len);
}

void *realloc(void *memory, size_t len)
{
    return fails() ? NULL : __libc_realloc(memory, len);
}

void *reallocarray(void *memory, size_t count, size_t len)
{
    size_t whole;
    if (!__builtin_mul_overflow(count, len, &whole))
        return realloc(memory, whole);
    errno = ENOMEM;
    return NULL;
}

void *aligned_alloc(size_t alignment, size_t len)
{
    return fails() ? NULL : __libc_memalign(alignment, len);
}

void *memalign(size_t alignment, size_t len)
{
    return aligned_alloc(alignment, len);
}

int posix_memalign(void **ret, size_t alignment, size_t len)
{
    void *memory = aligned_alloc(alignment, len);
    if (!memory)
        return ENOMEM;
    *ret = memory;
    return 0;
}
