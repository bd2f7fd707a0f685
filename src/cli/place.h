/* SPDX-License-Identifier: MIT */
/*
 * Where a file of ours is, or is to be: a folder, held by a descriptor, and a name in it. Once it is found, nobody
 * leads us anywhere else by putting other folders or links into the path.
 *
 * On the way, links are followed as the kernel does with fs.protected_symlinks (Linux fs/namei.c: may_follow_link()),
 * also where that is off: in a folder in which everybody may make files, and only remove his own (as in /tmp), those of
 * others are not. As root, no link of another user but the caller of sudo is followed anywhere, as what is behind it
 * would be written to with our rights and at his choice.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/stat.h>

struct place {
    int folder;          /* for the *at() functions only; -1: none */
    char *name;          /* in it; "." where the path names a folder */
    char *path;          /* of both, without links, for messages */
    bool is_kernel_link; /* a link that only the kernel can follow, as /dev/stdout leads to */
};

enum place_folders {
    PLACE_EXISTING,
    PLACE_MADE, /* folders that are missing are made, for the user alone */
};

/* Finds the place of a path; the file itself need not be there. Errors begin with "cannot write 'PATH'". */
struct error *place_find(const char *path, enum place_folders folders, struct place *ret);

/* What has the name now, no link followed. False: nothing. */
bool place_look(const struct place *place, struct stat *ret);

/*
 * Whether what is there may not be trusted: another user's, in a folder like /tmp. Who puts a
 * file, or a pipe, there in time would own what we write.
 */
bool place_is_foreign(const struct place *place, const struct stat *file);

/* Whether a file is ours, or under sudo the caller's. */
bool place_is_own(const struct stat *file);

/*
 * Makes a new file in the folder, of mode 0600 without what the umask takes; under sudo it is the caller's. -1, with
 * errno: it cannot be made, or something has the name.
 */
int place_make(const struct place *place, const char *name);

/* Whether two places are one, though the paths may differ. */
bool place_is_same(const struct place *one, const struct place *other);

/* Accepts a zeroed struct with folder -1. */
void place_deinit(struct place *place);

#define cleanup_place __attribute__((cleanup(place_deinit)))

#endif
