/* SPDX-License-Identifier: MIT */
/*
 * Test tool: turns a live Python process into a small image of its memory, or shows such an image; see its --help.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "python/walk.h"
#include "python_image.h"
#include "sampler/session.h"
#include "target/process.h"
#include "target/process_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRY_LIMIT = 200 };

static const char help[] =
    "Usage: capture PID FILE     writes what reading the stacks of a Python process takes to FILE\n"
    "       capture --show FILE  reads the stacks out of an image, and tells whether they are those of the capture\n"
    "\n"
    "The image is a text: the version, the process's maps, its stacks, and the bytes of its memory that were read for\n"
    "them. It holds names of functions, files, modules and threads, but no values, arguments or environment.\n"
    "\n"
    "The process is not stopped. One that computes changes while it is read, and its stacks may be torn; stop it\n"
    "meanwhile, with kill -STOP PID and kill -CONT PID, if that matters.\n";

/* Lets the target finish what it was caught in. */
static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Reads the stacks anew until all threads could be read, or the last try is over. */
static struct error *record_stacks(struct python_image *image, unsigned *ret_failures)
{
    for (int try = 0; try < TRY_LIMIT; try++) {
        cleanup_python struct python *python = NULL;
        recorded_memory_clear(&image->memory);
        struct error *error = python_image_open(image, &python);
        if (error)
            return error;
        *ret_failures = python_image_walk(image, python, &image->stacks);
        if (*ret_failures == 0)
            break;
        wait_a_little();
    }
    return image->stacks.failed ? error_no_memory() : NULL;
}

/* Walks an image without its process. Returns whether that gives the stacks that were read from the process. */
static struct error *replay(struct python_image *image, struct buffer *stacks, bool *ret_is_same)
{
    cleanup_python struct python *python = NULL;
    image->memory.source = NULL;
    struct error *error = python_image_open(image, &python);
    if (error)
        return error;
    python_image_walk(image, python, stacks);
    *ret_is_same = strcmp(buffer_text(stacks), buffer_text(&image->stacks)) == 0;
    return stacks->failed ? error_no_memory() : NULL;
}

/* Which interpreter it is; everything that finding it takes is done by the session and not part of the image. */
static struct error *find_runtime(const struct process *process, struct python_runtime *ret)
{
    cleanup_session struct session *session = NULL;
    struct error *error = session_open(process, &(struct session_options){.choice = THREADS_ALL}, &session);
    if (error)
        return error;
    *ret = *python_runtime(session_python(session));
    ret->layout = NULL;
    return NULL;
}

static struct error *save(const struct python_image *image, const char *path)
{
    cleanup_file FILE *file = fopen(path, "w");
    if (!file)
        return error_from_errno(errno, "cannot create '%s'", path);
    python_image_save(image, file);
    return fflush(file) == 0 && !ferror(file) ? NULL : error_from_errno(errno, "cannot write '%s'", path);
}

static struct error *capture(pid_t pid, const char *path)
{
    cleanup_process struct process *process = NULL;
    cleanup_process_memory struct memory *memory = NULL;
    cleanup_python_image struct python_image image = {0};
    cleanup_buffer struct buffer stacks = {0};
    unsigned failures = 0;
    bool is_same = false;
    struct error *error = process_open(NULL, pid, &process);
    if (!error)
        error = process_memory_create(process, &memory);
    if (error)
        return error;
    python_image_init(&image, memory);
    error = find_runtime(process, &image.runtime);
    if (!error)
        error = process_read_file(process, "maps", &image.maps);
    if (!error)
        error = record_stacks(&image, &failures);
    if (!error)
        error = replay(&image, &stacks, &is_same);
    if (!error)
        error = save(&image, path);
    if (error)
        return error;
    char version[PYTHON_VERSION_TEXT_LEN];
    python_version_format(&image.runtime.version, version);
    printf("capture: wrote %s: Python %s, %" PRIu64 " bytes of memory in %u blocks; threads that cannot be read: %u\n",
           path, version, recorded_memory_len(&image.memory), image.memory.count, failures);
    return is_same ? NULL : error_create(ERROR_BAD_DATA, "the image does not give the stacks of the process");
}

static struct error *show(const char *path)
{
    cleanup_python_image struct python_image image = {0};
    cleanup_buffer struct buffer stacks = {0};
    bool is_same = false;
    cleanup_file FILE *file = fopen(path, "r");
    if (!file)
        return error_from_errno(errno, "cannot open '%s'", path);
    struct error *error = python_image_load(file, &image);
    if (!error)
        error = replay(&image, &stacks, &is_same);
    if (error)
        return error;
    char version[PYTHON_VERSION_TEXT_LEN];
    python_version_format(&image.runtime.version, version);
    printf("Python %s\n%s", version, buffer_text(&stacks));
    return is_same
               ? NULL
               : error_create(ERROR_BAD_DATA, "the capture itself had other stacks:\n%s", buffer_text(&image.stacks));
}

/* A process id, or 0. */
static pid_t parse_pid(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    return *end == '\0' && number > 0 && number <= INT32_MAX ? (pid_t)number : 0;
}

int main(int argc, char **argv)
{
    cleanup_error struct error *error = NULL;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
    } else if (argc == 3 && strcmp(argv[1], "--show") == 0) {
        error = show(argv[2]);
    } else if (argc == 3 && parse_pid(argv[1]) > 0) {
        error = capture(parse_pid(argv[1]), argv[2]);
    } else {
        fputs(help, stderr);
        return 2;
    }
    if (error)
        fprintf(stderr, "capture: %s\n", error->sentence);
    return error != NULL;
}
