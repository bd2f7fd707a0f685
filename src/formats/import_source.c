/* SPDX-License-Identifier: MIT */
#include "import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>
#include <zlib.h>

struct error *import_source_init(struct import_source *source, int fd, const char *name, uint64_t limit)
{
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd < 0)
        return error_from_errno(errno, "cannot read %s", name);
    gzFile file = gzdopen(own_fd, "rb");
    if (!file) {
        close(own_fd);
        return error_no_memory();
    }
    *source = (struct import_source){.file = file, .name = name, .left = limit};
    return NULL;
}

void import_source_deinit(struct import_source *source)
{
    if (source->file)
        gzclose_r(source->file);
    *source = (struct import_source){0};
}

static struct error *explain(const struct import_source *source)
{
    int status;
    int errno_value = errno;
    gzerror(source->file, &status);
    if (status == Z_ERRNO)
        return error_from_errno(errno_value, "cannot read %s", source->name);
    if (status == Z_MEM_ERROR)
        return error_no_memory();
    return error_create(ERROR_BAD_DATA, "%s cannot be unpacked: %s", source->name,
                        status == Z_BUF_ERROR ? "its end is missing" : "it is damaged");
}

struct error *import_source_read(struct import_source *source, void *bytes, size_t size, size_t *ret_len)
{
    unsigned wanted = size < INT_MAX ? (unsigned)size : INT_MAX;
    int len = gzread(source->file, bytes, wanted);
    int status;
    if (len < 0)
        return explain(source);
    /* What is cut off gives all that it has, and then looks like the end. */
    gzerror(source->file, &status);
    if ((unsigned)len < wanted && status != Z_OK && status != Z_STREAM_END)
        return explain(source);
    if ((uint64_t)len > source->left)
        return error_create(ERROR_BAD_DATA, "%s is too large to be read", source->name);
    source->left -= (uint64_t)len;
    *ret_len = (size_t)len;
    return NULL;
}
