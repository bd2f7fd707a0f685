/* SPDX-License-Identifier: MIT */
#include "target/quota.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NS_A_US = 1000,
    LIMIT_US = 1000000000, /* of a quota or period that we believe; the kernel takes one second */
};

/* Reads a positive number; false for "max", "-1" and what is none. */
static bool take_number(const char **text, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (end == *text || errno != 0 || value == 0 || value > LIMIT_US)
        return false;
    *text = end;
    *ret = value;
    return true;
}

/* Reads numbers of microseconds out of a file of a group. */
static bool read_numbers(const char *group, const char *name, uint64_t *ret, int count)
{
    cleanup_buffer struct buffer text = {0};
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", group, name) >= (int)sizeof(path))
        return false;
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, &text);
    const char *at = error ? "" : buffer_text(&text);
    for (int i = 0; i < count; i++) {
        if (!take_number(&at, &ret[i]))
            return false;
    }
    return true;
}

/* What one group allows, in the files of either version. */
static bool read_group(const char *group, struct quota *ret)
{
    uint64_t us[2];
    if (!read_numbers(group, "cpu.max", us, 2) &&
        !(read_numbers(group, "cpu.cfs_quota_us", &us[0], 1) && read_numbers(group, "cpu.cfs_period_us", &us[1], 1)))
        return false;
    *ret = (struct quota){.quota_ns = us[0] * NS_A_US, .period_ns = us[1] * NS_A_US};
    return true;
}

/* In microseconds, as the products of nanoseconds can be beyond 64 bits. */
static void take_smaller(const struct quota *other, struct quota *ret)
{
    if (ret->quota_ns == 0 || (other->quota_ns / NS_A_US) * (ret->period_ns / NS_A_US) <
                                  (ret->quota_ns / NS_A_US) * (other->period_ns / NS_A_US))
        *ret = *other;
}

/*
 * Looks at a group and all those around it. In a container, its path can be that outside; then the ones that are not
 * there are passed over, and the last one, the mount itself, is what is seen of it from inside.
 */
static void read_groups(const char *mount, const char *path, struct quota *ret)
{
    char group[PATH_MAX];
    struct quota quota;
    size_t mount_len = strlen(mount);
    if (snprintf(group, sizeof(group), "%s%s", mount, path) >= (int)sizeof(group))
        return;
    for (;;) {
        if (read_group(group, &quota))
            take_smaller(&quota, ret);
        char *slash = strrchr(group, '/');
        if (!slash || (size_t)(slash - group) < mount_len)
            return;
        *slash = '\0';
    }
}

static bool has_cpu(const char *controllers)
{
    for (const char *at = controllers;; at++) {
        size_t len = strcspn(at, ",:");
        if (len == 3 && strncmp(at, "cpu", len) == 0)
            return true;
        at += len;
        if (*at != ',')
            return false;
    }
}

/* A line of /proc/self/cgroup: "4:cpu,cpuacct:/some/path", or "0::/some/path" of version 2. man 7 cgroups. */
static void read_line(const char *groups, char *line, struct quota *ret)
{
    char mount[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path || path[1] != '/')
        return;
    *path++ = '\0';
    bool is_new = strcmp(controllers, ":") == 0;
    if (!is_new && !has_cpu(controllers + 1))
        return;
    const char *folder = is_new ? "" : "/cpu"; /* a link to "cpu,cpuacct" where it is not the name */
    if (snprintf(mount, sizeof(mount), "%s%s", groups, folder) < (int)sizeof(mount))
        read_groups(mount, strcmp(path, "/") == 0 ? "" : path, ret);
}

bool quota_read(const char *proc, const char *groups, struct quota *ret)
{
    cleanup_buffer struct buffer text = {0};
    char path[PATH_MAX];
    char *rest = NULL;
    struct quota quota = {0};
    snprintf(path, sizeof(path), "%s/self/cgroup", proc ? proc : "/proc");
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, &text);
    if (error || text.len == 0)
        return false;
    for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        read_line(groups ? groups : "/sys/fs/cgroup", line, &quota);
    if (quota.quota_ns == 0)
        return false;
    *ret = quota;
    return true;
}
