/* SPDX-License-Identifier: MIT */
#include "inflate.h"

#include "base/cleanup.h"
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

enum {
    STEP = 1 << 20,
    PAGE = 4096,
    MAGIC_LEN = 6,
};

/* How compressed files begin: RFC 1952, RFC 8878, The .xz File Format 1.1.0, LZ4 Frame Format 1.6.1. */
static const struct {
    unsigned char bytes[MAGIC_LEN];
    size_t len;
    const char *command; /* that unpacks it; NULL: we do */
} packers[] = {
    {{0x1f, 0x8b}, 2, NULL},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, "zstd -d"},
    {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, "unxz"},
    {{0x04, 0x22, 0x4d, 0x18}, 4, "lz4 -d"},
};

struct error *inflate_try(int fd, bool *ret_is_gzip)
{
    unsigned char magic[MAGIC_LEN] = {0};
    ssize_t len = pread(fd, magic, sizeof(magic), 0);
    if (len < 0)
        return error_from_errno(errno, "cannot read the core file");
    *ret_is_gzip = false;
    for (size_t i = 0; i < array_size(packers); i++) {
        if (memcmp(magic, packers[i].bytes, packers[i].len) != 0)
            continue;
        if (packers[i].command)
            return error_create(ERROR_BAD_DATA, "it is compressed: unpack it first, with '%s'", packers[i].command);
        *ret_is_gzip = true;
    }
    return NULL;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static bool write_whole(int fd, const unsigned char *bytes, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t written = pwrite(fd, bytes, len, at);
        if (written < 0 && errno != EINTR)
            return false;
        if (written <= 0)
            continue;
        bytes += written;
        len -= (size_t)written;
        at += written;
    }
    return true;
}

/* Writes bytes, and leaves out pages of zeros. */
static bool write_sparsely(int fd, const unsigned char *bytes, size_t len, off_t at)
{
    for (size_t i = 0; i < len; i += PAGE) {
        size_t piece = len - i < PAGE ? len - i : PAGE;
        if (!is_zero(bytes + i, piece) && !write_whole(fd, bytes + i, piece, at + (off_t)i))
            return false;
    }
    return true;
}

static struct error *describe_write_error(int errno_value, off_t at)
{
    return error_from_errno(errno_value, "cannot unpack the core file beyond %lld MB (TMPDIR says into which folder)",
                            (long long)(at >> 20));
}

/* limit: a small file can be made to unpack without end. */
static struct error *unpack(gzFile source, int scratch, uint64_t limit, bool *ret_is_damaged)
{
    cleanup_free unsigned char *bytes = malloc(STEP);
    off_t at = 0;
    int len;
    if (!bytes)
        return error_no_memory();
    while ((len = gzread(source, bytes, STEP)) > 0) {
        if ((uint64_t)at + (uint64_t)len > limit)
            return error_create(ERROR_BAD_DATA, "the core file unpacks to more than %" PRIu64 " MB", limit >> 20);
        if (!write_sparsely(scratch, bytes, (size_t)len, at))
            return describe_write_error(errno, at);
        at += len;
    }
    int state;
    gzerror(source, &state);
    *ret_is_damaged = len < 0 || state == Z_BUF_ERROR;
    return ftruncate(scratch, at) == 0 ? NULL : describe_write_error(errno, at);
}

static struct error *unpack_file(int fd, int scratch, uint64_t limit, bool *ret_is_damaged)
{
    cleanup_fd int source_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (source_fd < 0 || lseek(source_fd, 0, SEEK_SET) != 0)
        return error_from_errno(errno, "cannot read the core file");
    gzFile source = gzdopen(source_fd, "rb");
    if (!source)
        return error_no_memory();
    hand_over_fd(&source_fd);
    struct error *error = unpack(source, scratch, limit, ret_is_damaged);
    gzclose(source);
    return error;
}

struct error *inflate_to_scratch(int fd, const struct core_files *files, int *ret_fd, bool *ret_is_damaged)
{
    uint64_t limit = files->unpacked_limit ? files->unpacked_limit : CORE_UNPACKED_LIMIT;
    int scratch = files->open_scratch(files->context);
    if (scratch < 0)
        return error_from_errno(errno, "cannot make a file to unpack the core file to (TMPDIR says in which folder)");
    struct error *error = unpack_file(fd, scratch, limit, ret_is_damaged);
    if (error)
        close(scratch);
    else
        *ret_fd = scratch;
    return error;
}
