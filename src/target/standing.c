/* SPDX-License-Identifier: MIT */
#include "target/standing.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "credentials.h"
#include "proc_file.h"
#include "target/privileges.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

enum {
    SECCOMP_FILTERED = 2,  /* Linux include/uapi/linux/seccomp.h: SECCOMP_MODE_FILTER */
    ANCESTOR_LIMIT = 1024, /* parents of a process that are looked at */
};

/* Linux include/linux/uidgid.h: what a number is shown as that does not exist in the reader's user namespace. */
static const uint64_t unmapped = UINT32_MAX;

/* Reads a small file as a text; false when there is none. */
static bool read_text(const char *folder, const char *name, struct buffer *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, text);
    if (error)
        return false;
    while (text->len > 0 && (text->data[text->len - 1] == '\n' || text->data[text->len - 1] == '\0'))
        text->data[--text->len] = '\0';
    return true;
}

static bool read_status(const char *proc, const char *pid, struct buffer *text)
{
    char name[64];
    snprintf(name, sizeof(name), "%s/status", pid);
    return read_text(proc, name, text);
}

static int read_ptrace_scope(const char *proc)
{
    cleanup_buffer struct buffer text = {0};
    bool is_number = read_text(proc, "sys/kernel/yama/ptrace_scope", &text) && text.len == 1 && *text.data >= '0' &&
                     *text.data <= '9';
    return is_number ? *text.data - '0' : SCOPE_UNKNOWN;
}

/*
 * Says what a label tells of the module that gave it. Linux security/apparmor/label.c: a profile's name and its mode,
 * "docker-default (enforce)", or "unconfined"; an SELinux context is "user:role:type:level"; a Smack label is a word.
 */
static const char *module_of(const char *label)
{
    size_t len = strlen(label);
    const char *colon = strchr(label, ':');
    if (len == 0 || strcmp(label, "unconfined") == 0 || strcmp(label, "kernel") == 0)
        return "";
    if (label[len - 1] == ')')
        return strstr(label, "(complain)") || strstr(label, "(unconfined)") ? "" : "AppArmor";
    if (colon && strchr(colon + 1, ':'))
        return strstr(label, ":unconfined_t:") ? "" : "SELinux";
    return strcmp(label, "_") == 0 ? "" : "Smack";
}

static void read_label(const char *proc, struct own_standing *own)
{
    static const char *const files[] = {"self/attr/apparmor/current", "self/attr/current"};
    for (size_t i = 0; i < array_size(files) && *own->module == '\0'; i++) {
        cleanup_buffer struct buffer text = {0};
        if (!read_text(proc, files[i], &text))
            continue;
        snprintf(own->label, sizeof(own->label), "%s", buffer_text(&text));
        snprintf(own->module, sizeof(own->module), "%s", module_of(own->label));
    }
}

/* The module "capability" is the kernel's own rules, with which the others agree or not. */
static void read_active_modules(const char *sys, struct own_standing *own)
{
    cleanup_buffer struct buffer text = {0};
    if (read_text(sys ? sys : "/sys", "kernel/security/lsm", &text))
        snprintf(own->active_modules, sizeof(own->active_modules), "%s", buffer_text(&text));
}

void own_standing_read(const char *proc, const char *sys, struct own_standing *ret)
{
    cleanup_buffer struct buffer status = {0};
    if (!proc)
        proc = "/proc";
    uint64_t seccomp = 0, no_new_privileges = 0;
    struct own_standing own = {
        .user = getuid(),
        .group = getgid(),
        .bounding = UINT64_MAX,
        .is_lent = privileges_are_lent(),
        .ptrace_scope = read_ptrace_scope(proc),
    };
    if (read_status(proc, "self", &status)) {
        proc_status_number(buffer_text(&status), status.len, "Uid", 10, &own.user);
        proc_status_number(buffer_text(&status), status.len, "Gid", 10, &own.group);
        proc_status_number(buffer_text(&status), status.len, "CapEff", 16, &own.effective);
        proc_status_number(buffer_text(&status), status.len, "CapPrm", 16, &own.permitted);
        proc_status_number(buffer_text(&status), status.len, "CapBnd", 16, &own.bounding);
        proc_status_number(buffer_text(&status), status.len, "Seccomp", 10, &seccomp);
        proc_status_number(buffer_text(&status), status.len, "NoNewPrivs", 10, &no_new_privileges);
    }
    own.is_filtered = seccomp == SECCOMP_FILTERED;
    own.has_no_new_privileges = no_new_privileges != 0;
    read_label(proc, &own);
    read_active_modules(sys, &own);
    *ret = own;
}

/* How many users a map has. Linux kernel/user_namespace.c: uid_m_show(): each line is first, first outside, count. */
static uint64_t count_users(const char *map)
{
    uint64_t users = 0;
    while (*map != '\0') {
        char *end;
        strtoull(map, &end, 10);
        strtoull(end, &end, 10);
        users += strtoull(end, &end, 10);
        const char *line = strchr(map, '\n');
        map = line ? line + 1 : "";
    }
    return users;
}

/*
 * Tells user namespaces apart by how they map users, which everybody may read (ns/user takes leave to read the
 * process). Linux kernel/user_namespace.c: proc_id_map_open(), uid_m_show(): the second number is as the reader's
 * namespace has it, so an outer namespace's users are unmapped for us, unless its first one is one of ours: but then it
 * has more of them than we have, which no inner one can. Two that map alike are taken for one.
 */
static enum user_namespace find_user_namespace(const char *proc, pid_t pid)
{
    cleanup_buffer struct buffer ours = {0}, theirs = {0};
    char name[64];
    snprintf(name, sizeof(name), "%d/uid_map", pid);
    if (!read_text(proc, "self/uid_map", &ours) || !read_text(proc, name, &theirs) || theirs.len == 0 ||
        strcmp(buffer_text(&ours), buffer_text(&theirs)) == 0)
        return NAMESPACE_OURS;
    char *at;
    strtoull(buffer_text(&theirs), &at, 10);
    uint64_t outer = strtoull(at, NULL, 10);
    bool has_more = count_users(buffer_text(&theirs)) > count_users(buffer_text(&ours));
    return outer == unmapped || has_more ? NAMESPACE_OUTSIDE : NAMESPACE_BELOW;
}

/* Whether our process is among the parents of another one. */
static bool is_descendant(const char *proc, pid_t pid)
{
    cleanup_buffer struct buffer ours = {0};
    uint64_t own_number, number = (uint64_t)pid;
    if (!read_status(proc, "self", &ours) || !proc_status_number(buffer_text(&ours), ours.len, "Pid", 10, &own_number))
        return false;
    for (int i = 0; i < ANCESTOR_LIMIT && number > 0 && number != own_number; i++) {
        cleanup_buffer struct buffer status = {0};
        char name[32];
        snprintf(name, sizeof(name), "%llu", (unsigned long long)number);
        if (!read_status(proc, name, &status) ||
            !proc_status_number(buffer_text(&status), status.len, "PPid", 10, &number))
            return false;
    }
    return number == own_number;
}

void standing_read(const struct process *process, const char *sys, struct standing *ret)
{
    struct credentials credentials;
    struct standing standing = {0};
    own_standing_read(process->proc, sys, &standing.own);
    standing.their_user = standing.own.user;
    standing.their_group = standing.own.group;
    if (credentials_read(process->directory, &credentials)) {
        struct credentials_difference difference;
        if (!credentials_are_of(&credentials, standing.own.user, standing.own.group, &difference))
            *(difference.is_user ? &standing.their_user : &standing.their_group) = difference.theirs;
        standing.their_permitted = credentials.permitted;
        standing.is_protected = credentials.is_protected;
    }
    standing.is_child = is_descendant(process->proc, process->pid);
    standing.user_namespace = find_user_namespace(process->proc, process->pid);
    *ret = standing;
}

bool own_standing_has_ptrace(const struct own_standing *own)
{
    return own->effective >> CAP_SYS_PTRACE & 1;
}
