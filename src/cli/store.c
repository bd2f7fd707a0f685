/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Tries to make the file under a name. */
static bool try_open(struct store *store, const struct buffer *path)
{
    if (path->failed || path->len == 0)
        return false;
    store->fd = open(buffer_text(path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (store->fd < 0)
        return false;
    store->path = strdup(buffer_text(path));
    if (store->path)
        return true;
    unlink(buffer_text(path));
    cleanup_close_fd(&store->fd);
    store->fd = -1;
    return false;
}

/* Makes the folders of a path, from the root on, as far as they are missing; those are the user's alone. */
static void make_folders(struct buffer *path)
{
    for (char *slash = strchr(path->data + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path->data, 0700);
        *slash = '/';
    }
}

static void append_state_folder(struct buffer *path)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        buffer_format(path, "%s/pyspyc/", state);
    else if (home && *home == '/')
        buffer_format(path, "%s/.local/state/pyspyc/", home);
}

static bool open_in_state_folder(struct store *store)
{
    char ending[64];
    cleanup_buffer struct buffer path = {0};
    append_state_folder(&path);
    if (path.len == 0 || path.failed)
        return false;
    make_folders(&path);
    snprintf(ending, sizeof(ending), ".%d.pyspyc", getpid());
    title_append_file_name(&path, "recording", ending);
    return try_open(store, &path);
}

static bool open_in_temporary_folder(struct store *store)
{
    char ending[64];
    const char *folder = getenv("TMPDIR");
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/", folder && *folder == '/' ? folder : "/tmp");
    snprintf(ending, sizeof(ending), ".%d.pyspyc", getpid());
    title_append_file_name(&path, "recording", ending);
    return try_open(store, &path);
}

struct error *store_open(const char *result, struct store *ret)
{
    struct store store = {.fd = -1};
    cleanup_buffer struct buffer beside = {0};
    if (result)
        buffer_format(&beside, "%s.%d.pyspyc", result, getpid());
    if (!try_open(&store, &beside) && !open_in_state_folder(&store) && !open_in_temporary_folder(&store))
        return error_from_errno(errno, "cannot make a file for the recording");
    *ret = store;
    return NULL;
}

void store_keep(struct store *store)
{
    free(hand_over(&store->path));
}

void store_drop_name(struct store *store)
{
    unlink(store->path);
    free(hand_over(&store->path));
}

void store_deinit(struct store *store)
{
    if (store->path)
        unlink(store->path);
    free(store->path);
    cleanup_close_fd(&store->fd);
    *store = (struct store){.fd = -1};
}
