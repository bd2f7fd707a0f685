/* SPDX-License-Identifier: MIT */
#include "descriptor.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

int descriptor_keep(int fd)
{
    struct rlimit limit;
    if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || (rlim_t)fd < limit.rlim_cur / 4 * 3)
        return fd;
    close(fd);
    errno = EMFILE;
    return -1;
}
