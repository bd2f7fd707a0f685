/* SPDX-License-Identifier: MIT */
/*
 * The main program of a fuzz target where there is no libFuzzer: runs it once over each file of the folders that are
 * named, in the order of their names, and over the empty input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fail(path);
    }
    size_t len = (size_t)ftell(file);
    rewind(file);
    /* Of its exact size, so that a sanitizer sees what is read beyond. */
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (!bytes || fread(bytes, 1, len, file) != len) {
        fail(path);
    }
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    fclose(file);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort);
    if (count <= 0) {
        fail(folder);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        run_file(path);
        free(entries[i]);
    }
    free(entries);
    printf("%s: %d inputs\n", folder, count);
}

int main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        run_folder(argv[i]);
    }
    return 0;
}
