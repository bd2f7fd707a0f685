/* SPDX-License-Identifier: MIT */
#include "place.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

enum { LINK_LIMIT = 40 }; /* Linux include/linux/namei.h: MAXSYMLINKS */

static const mode_t everybodys = S_ISVTX | S_IWOTH; /* as /tmp is */

/* The way to a place. */
struct way {
    const char *path; /* the whole, as it was given */
    enum place_folders folders;
    int folder;
    struct buffer rest; /* of the path, with what links have put into it */
    struct buffer walked;
    uint32_t links;
};

static void way_deinit(struct way *way)
{
    cleanup_close_fd(&way->folder);
    buffer_deinit(&way->rest);
    buffer_deinit(&way->walked);
}

static struct error *cannot(const struct way *way, int errno_value)
{
    return error_from_errno(errno_value, "cannot write '%s'", way->path);
}

/* sudo says who has called it. Only a real root can believe it, as everybody can set variables. */
static bool take_caller_id(const char *name, uint32_t *ret)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || number >= UINT32_MAX)
        return false;
    *ret = (uint32_t)number;
    return true;
}

static bool find_caller(uid_t *ret_user, gid_t *ret_group)
{
    return getuid() == 0 && geteuid() == 0 && take_caller_id("SUDO_UID", ret_user) &&
           take_caller_id("SUDO_GID", ret_group);
}

bool place_is_own(const struct stat *file)
{
    uid_t user;
    gid_t group;
    return file->st_uid == geteuid() || (find_caller(&user, &group) && file->st_uid == user);
}

/* In a user namespace root may be anybody, or nobody; the root folder is always his. */
static bool is_of_system(const struct stat *file)
{
    struct stat root;
    return file->st_uid == 0 || (stat("/", &root) == 0 && file->st_uid == root.st_uid);
}

static bool may_follow(const struct stat *folder, const struct stat *link)
{
    if (place_is_own(link) || is_of_system(link))
        return true;
    if (geteuid() == 0)
        return false;
    return (folder->st_mode & everybodys) != everybodys || folder->st_uid == link->st_uid;
}

static struct error *refuse_link(const struct way *way, const struct stat *link, const char *name)
{
    return error_create(ERROR_PERMISSION,
                        "cannot write '%s': '%s%s' is a symbolic link of another user (%u), which could lead anywhere",
                        way->path, buffer_text(&way->walked), name, link->st_uid);
}

/* Goes to the root folder, or to the current one. */
static struct error *begin_way(struct way *way, const char *start)
{
    cleanup_fd int folder = open(start, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cannot(way, errno);
    cleanup_close_fd(&way->folder);
    way->folder = hand_over_fd(&folder);
    buffer_clear(&way->walked);
    buffer_append_text(&way->walked, *start == '/' ? "/" : "");
    return NULL;
}

/* Takes the next name off the rest of the way. *ret_is_last: none follows. */
static char *take_name(struct way *way, bool *ret_is_last)
{
    const char *text = buffer_text(&way->rest);
    const char *begin = text + strspn(text, "/");
    size_t len = strcspn(begin, "/");
    *ret_is_last = begin[len] == '\0';
    char *name = len > 0 ? strndup(begin, len) : strdup(".");
    size_t used = (size_t)(begin + len - text);
    way->rest.len -= used;
    if (way->rest.data)
        memmove(way->rest.data, way->rest.data + used, way->rest.len + 1);
    return name;
}

/* Puts what a link says in front of the rest of the way. */
static struct error *follow(struct way *way, int link)
{
    char target[PATH_MAX];
    cleanup_buffer struct buffer rest = {0};
    ssize_t len = readlinkat(link, "", target, sizeof(target) - 1);
    if (len <= 0)
        return cannot(way, len < 0 ? errno : ENOENT);
    if (++way->links > LINK_LIMIT)
        return cannot(way, ELOOP);
    target[len] = '\0';
    buffer_append_text(&rest, target);
    buffer_append(&rest, buffer_text(&way->rest), way->rest.len);
    if (rest.failed)
        return error_no_memory();
    buffer_deinit(&way->rest);
    way->rest = rest;
    rest = (struct buffer){0};
    return *target == '/' ? begin_way(way, "/") : NULL;
}

/* Whether only the kernel knows where a link leads. */
static bool is_kernel_link(int link)
{
    struct statfs system;
    return fstatfs(link, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* Goes into a folder that is open. */
static void enter(struct way *way, int *folder, const char *name)
{
    cleanup_close_fd(&way->folder);
    way->folder = hand_over_fd(folder);
    buffer_format(&way->walked, "%s/", name);
}

/*
 * A folder in one of the caller's is the caller's, too. In others, as root's home, it stays root's: what else comes to
 * be in it is not for others to change.
 */
static void give_to_caller(int parent, int folder)
{
    uid_t user;
    gid_t group;
    struct stat outer, inner;
    if (!find_caller(&user, &group) || fstat(parent, &outer) != 0 || outer.st_uid != user)
        return;
    /* Whoever has the outer one may have put another one in the new one's place. */
    bool is_ours = fstat(folder, &inner) == 0 && inner.st_uid == geteuid() && inner.st_nlink <= 2;
    if (is_ours && fchownat(folder, "", user, group, AT_EMPTY_PATH) != 0)
        errno = 0; /* then it stays root's */
}

/* Goes into the next folder; is_new: it was just made. By its name: else what is mounted on demand would not be there.
 */
static struct error *enter_folder(struct way *way, const char *name, bool is_new)
{
    cleanup_fd int folder = openat(way->folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return cannot(way, errno);
    if (is_new)
        give_to_caller(way->folder, folder);
    enter(way, &folder, name);
    return NULL;
}

static struct error *make_folder(struct way *way, const char *name)
{
    bool is_new = mkdirat(way->folder, name, 0700) == 0;
    return is_new || errno == EEXIST ? enter_folder(way, name, is_new) : cannot(way, errno);
}

/* Goes where a link leads that only the kernel can follow; nobody can exchange such. */
static struct error *follow_kernel(struct way *way, const char *name)
{
    cleanup_fd int folder = openat(way->folder, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cannot(way, errno);
    enter(way, &folder, name);
    return NULL;
}

/* The place is found: the folder that was reached, and a name in it. */
static struct error *arrive(struct way *way, char **name, bool is_kernels, struct place *ret)
{
    buffer_append_text(&way->walked, *name);
    char *path = way->walked.failed ? NULL : strdup(buffer_text(&way->walked));
    if (!path)
        return error_no_memory();
    *ret = (struct place){hand_over_fd(&way->folder), hand_over(name), path, is_kernels};
    return NULL;
}

/* What a name on the way is, when it is there. */
struct waypoint {
    int fd;
    struct stat folder, file;
};

static struct error *look_at(const struct way *way, const char *name, struct waypoint *ret)
{
    ret->fd = openat(way->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (ret->fd < 0)
        return errno == ENOENT ? NULL : cannot(way, errno);
    if (fstat(ret->fd, &ret->file) != 0 || fstat(way->folder, &ret->folder) != 0)
        return cannot(way, errno);
    return NULL;
}

/* One name further. *ret becomes the place when it was the last one. */
static struct error *step(struct way *way, struct place *ret)
{
    bool is_last;
    cleanup_free char *name = take_name(way, &is_last);
    struct waypoint point = {.fd = -1};
    if (!name)
        return error_no_memory();
    struct error *error = look_at(way, name, &point);
    cleanup_fd int fd = point.fd;
    if (error)
        return error;
    bool is_link = fd >= 0 && S_ISLNK(point.file.st_mode);
    bool is_kernels = is_link && is_kernel_link(fd);
    if (is_link && !may_follow(&point.folder, &point.file))
        return refuse_link(way, &point.file, name);
    if (is_link && !is_kernels)
        return follow(way, fd);
    if (is_last)
        return arrive(way, &name, is_kernels, ret);
    if (is_kernels)
        return follow_kernel(way, name);
    if (fd < 0)
        return way->folders == PLACE_MADE ? make_folder(way, name) : cannot(way, ENOENT);
    return enter_folder(way, name, false); /* if it has become a link by now, that fails */
}

struct error *place_find(const char *path, enum place_folders folders, struct place *ret)
{
    struct way way __attribute__((cleanup(way_deinit))) = {.path = path, .folders = folders, .folder = -1};
    buffer_append_text(&way.rest, path);
    struct error *error = *path == '\0' ? cannot(&way, ENOENT) : begin_way(&way, *path == '/' ? "/" : ".");
    struct place place = {.folder = -1};
    while (!error && !place.name)
        error = way.rest.failed ? error_no_memory() : step(&way, &place);
    if (!error)
        *ret = place;
    return error;
}

bool place_look(const struct place *place, struct stat *ret)
{
    return fstatat(place->folder, place->name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

bool place_is_foreign(const struct place *place, const struct stat *file)
{
    struct stat folder;
    return !place_is_own(file) && !is_of_system(file) && fstat(place->folder, &folder) == 0 &&
           (folder.st_mode & everybodys) == everybodys;
}

int place_make(const struct place *place, const char *name)
{
    uid_t user;
    gid_t group;
    int fd = openat(place->folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && find_caller(&user, &group) && fchown(fd, user, group) != 0)
        errno = 0; /* then it stays root's */
    return fd;
}

bool place_is_same(const struct place *one, const struct place *other)
{
    struct stat folder, other_folder;
    return one->folder >= 0 && other->folder >= 0 && strcmp(one->name, other->name) == 0 &&
           fstat(one->folder, &folder) == 0 && fstat(other->folder, &other_folder) == 0 &&
           folder.st_dev == other_folder.st_dev && folder.st_ino == other_folder.st_ino;
}

void place_deinit(struct place *place)
{
    cleanup_close_fd(&place->folder);
    free(place->name);
    free(place->path);
    *place = (struct place){.folder = -1};
}
