/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_file.h"
#include "target/proc_text.h"

#include <string.h>
#include <sys/stat.h>

enum { STATUS_IDS = 4 }; /* that for access to files is the last */

static bool read_ids(const struct buffer *status, const char *field, uint64_t ids[CREDENTIALS_IDS])
{
    uint64_t all[STATUS_IDS];
    if (proc_status_numbers(buffer_text(status), status->len, field, all, STATUS_IDS) != STATUS_IDS)
        return false;
    memcpy(ids, all, CREDENTIALS_IDS * sizeof(*ids));
    return true;
}

bool credentials_read(int folder, struct credentials *ret)
{
    cleanup_buffer struct buffer status = {0};
    struct credentials credentials = {0};
    struct stat files;
    cleanup_error struct error *error = proc_file_read(folder, "status", &status);
    if (error || !read_ids(&status, "Uid", credentials.users) || !read_ids(&status, "Gid", credentials.groups))
        return false;
    proc_status_number(buffer_text(&status), status.len, "CapPrm", 16, &credentials.permitted);
    /* Linux fs/proc/base.c: task_dump_owner(): the effective user's, or root's when the process is not dumpable. */
    if (fstatat(folder, "maps", &files, 0) == 0)
        credentials.is_protected = files.st_uid != credentials.users[1];
    *ret = credentials;
    return true;
}

bool credentials_are_of(const struct credentials *credentials, uint64_t user, uint64_t group)
{
    for (int i = 0; i < CREDENTIALS_IDS; i++) {
        if (credentials->users[i] != user || credentials->groups[i] != group)
            return false;
    }
    return true;
}
