/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_file.h"
#include "target/proc_text.h"

#include <inttypes.h>
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

/* The first of some ids that is not ours; ours when there is none. */
static uint64_t other_of(const uint64_t ids[CREDENTIALS_IDS], uint64_t own)
{
    for (int i = 0; i < CREDENTIALS_IDS; i++) {
        if (ids[i] != own)
            return ids[i];
    }
    return own;
}

bool credentials_are_of(const struct credentials *credentials, uint64_t user, uint64_t group,
                        struct credentials_difference *ret)
{
    uint64_t other_user = other_of(credentials->users, user), other_group = other_of(credentials->groups, group);
    *ret = other_user != user ? (struct credentials_difference){true, other_user, user}
                              : (struct credentials_difference){false, other_group, group};
    return other_user == user && other_group == group;
}

static void append_id(struct buffer *out, bool is_user, uint64_t id)
{
    if (is_user && id == 0)
        buffer_append_text(out, "root");
    else
        buffer_format(out, "%s %" PRIu64, is_user ? "user" : "group", id);
}

struct error *credentials_describe(const struct credentials_difference *difference, pid_t pid)
{
    cleanup_buffer struct buffer theirs = {0}, ours = {0};
    append_id(&theirs, difference->is_user, difference->theirs);
    append_id(&ours, difference->is_user, difference->ours);
    return error_create(ERROR_PERMISSION, "process %d belongs to %s and we are %s", pid, buffer_text(&theirs),
                        buffer_text(&ours));
}
