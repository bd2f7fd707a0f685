/* SPDX-License-Identifier: MIT */
#include "proc_folder.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 16 };

/* Stops the test program: a stand-in that is not what the test says is of no use. */
static void require(int is_done, const char *what)
{
    if (is_done)
        return;
    perror(what);
    abort();
}

void proc_folder_create(struct proc_folder *folder)
{
    snprintf(folder->path, sizeof(folder->path), "%s/pyspyc-proc-XXXXXX", P_tmpdir);
    require(mkdtemp(folder->path) != NULL, folder->path);
}

static int remove_entry(const char *path, const struct stat *file, int type, struct FTW *level)
{
    (void)file;
    (void)type;
    (void)level;
    return remove(path);
}

void proc_folder_destroy(struct proc_folder *folder)
{
    nftw(folder->path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* Writes the path of an entry, and makes the folders that it is in. */
static void place(const struct proc_folder *folder, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder->path, name);
    for (char *slash = path + strlen(folder->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        require(mkdir(path, 0700) == 0 || errno == EEXIST, path);
        *slash = '/';
    }
}

void proc_folder_put(struct proc_folder *folder, const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    place(folder, name, path);
    FILE *file = fopen(path, "we");
    require(file != NULL, path);
    require(fwrite(bytes, 1, len, file) == len, path);
    require(fclose(file) == 0, path);
}

void proc_folder_put_text(struct proc_folder *folder, const char *name, const char *text)
{
    proc_folder_put(folder, name, text, strlen(text));
}

void proc_folder_make(struct proc_folder *folder, const char *name)
{
    char path[PATH_MAX];
    place(folder, name, path);
    require(mkdir(path, 0700) == 0 || errno == EEXIST, path);
}

void proc_folder_link(struct proc_folder *folder, const char *name, const char *target)
{
    char path[PATH_MAX];
    place(folder, name, path);
    require(symlink(target, path) == 0, path);
}

void proc_folder_remove(struct proc_folder *folder, const char *name)
{
    char path[PATH_MAX];
    place(folder, name, path);
    require(remove(path) == 0, path);
}
