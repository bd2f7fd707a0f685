/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { EMPTY_LEN = 12 }; /* of a recording's head (src/profile/RECORDING.md) */

/* Makes the file in a place; the place becomes the store's. */
static struct error *make_file(struct place *place, struct store *ret)
{
    int fd = place_make(place, place->name);
    if (fd < 0)
        return error_from_errno(errno, "cannot make '%s' for the recording", place->path);
    *ret = (struct store){.place = *place, .fd = fd, .is_named = true};
    *place = (struct place){.folder = -1};
    return NULL;
}

static struct error *open_path(const struct buffer *path, struct store *ret)
{
    cleanup_place struct place place = {.folder = -1};
    if (path->failed)
        return error_no_memory();
    struct error *error = place_find(buffer_text(path), PLACE_MADE, &place);
    return error ? error : make_file(&place, ret);
}

/* Beside a result: in its folder, wherever that is called from now on. */
static struct error *open_beside(const struct place *result, struct store *ret)
{
    cleanup_buffer struct buffer name = {0}, path = {0};
    cleanup_place struct place place = {.folder = -1};
    buffer_format(&name, "%s.%d.pyspyc", result->name, getpid());
    buffer_format(&path, "%s.%d.pyspyc", result->path, getpid());
    if (name.failed || path.failed)
        return error_no_memory();
    place.folder = fcntl(result->folder, F_DUPFD_CLOEXEC, 0);
    place.name = strdup(buffer_text(&name));
    place.path = strdup(buffer_text(&path));
    if (!place.name || !place.path)
        return error_no_memory();
    return make_file(&place, ret);
}

static void append_name(struct buffer *path)
{
    char ending[64];
    snprintf(ending, sizeof(ending), ".%d.pyspyc", getpid());
    title_append_file_name(path, "recording", ending);
}

static void append_state_folder(struct buffer *path)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        buffer_format(path, "%s/pyspyc/", state);
    else if (home && *home == '/')
        buffer_format(path, "%s/.local/state/pyspyc/", home);
}

static struct error *open_in_state_folder(const struct place *result, struct store *ret)
{
    (void)result;
    cleanup_buffer struct buffer path = {0};
    append_state_folder(&path);
    if (path.len == 0)
        return error_create(ERROR_NOT_FOUND, "no folder for recordings: HOME is not set");
    append_name(&path);
    return open_path(&path, ret);
}

static struct error *open_in_temporary_folder(const struct place *result, struct store *ret)
{
    (void)result;
    const char *folder = getenv("TMPDIR");
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, "%s/", folder && *folder == '/' ? folder : "/tmp");
    append_name(&path);
    return open_path(&path, ret);
}

/* The places, in the order in which they are tried. */
static struct error *(*const choices[])(const struct place *result, struct store *ret) = {
    open_beside, open_in_state_folder, open_in_temporary_folder};

/* The first of the places from one on in which the file can be made. */
static struct error *open_from(uint32_t choice, const struct place *result, struct store *ret)
{
    struct error *error = NULL;
    for (uint32_t i = choice; i < array_size(choices); i++) {
        error_destroy(error);
        error = choices[i](result, ret);
        if (error)
            continue;
        ret->choice = i;
        return NULL;
    }
    return error ? error : error_create(ERROR_OS, "there is no other place for the recording");
}

struct error *store_open(const struct place *result, struct store *ret)
{
    return open_from(result ? 0 : 1, result, ret);
}

struct error *store_open_next(const struct store *store, struct store *ret)
{
    return open_from(store->choice + 1, NULL, ret);
}

bool store_is_there(const struct store *store)
{
    return store->is_named && faccessat(store->place.folder, store->place.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool store_is_empty(const struct store *store)
{
    struct stat file;
    return fstat(store->fd, &file) == 0 && file.st_size <= EMPTY_LEN;
}

void store_keep(struct store *store)
{
    store->is_named = false;
}

void store_drop_name(struct store *store)
{
    if (store->is_named)
        unlinkat(store->place.folder, store->place.name, 0);
    store->is_named = false;
}

void store_deinit(struct store *store)
{
    store_drop_name(store);
    place_deinit(&store->place);
    cleanup_close_fd(&store->fd);
    *store = (struct store)STORE_NONE;
}
