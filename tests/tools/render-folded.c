/* SPDX-License-Identifier: MIT */
/*
 * Test tool: reads collapsed stacks from standard input and writes them in a format to standard output, through the
 * same writers as the profiler. Input without lines gives an empty profile.
 *
 *     render-folded [-f FORMAT] [-t TITLE] [-d DETAIL] [-i IDLE] [-l TORN] [-T] [-x OPTION]... [-b FILE]
 *         < stacks.folded > flame.svg
 *
 * -d lists what is less in the picture, by letters: f lines of functions, n no lines, t threads together, p processes
 * together. -i and -l set the counts of idle and torn intervals; -T prints the seconds that writing took to standard
 * error; -x sets an option of the tree: percent=N, depth=N, width=N, all, self, share, colour, ascii. Frames become
 * what they look like:
 * -b names a file with the stacks of an earlier run, with which those of standard input are compared.
 *
 *     name (file:line), name (file:line/first)     Python frames, the second one with its function's first line
 *     process 12: app.py, thread (34): MainThread  groups, each with a member of its own
 *     name (libc.so.6), name (fast.c:12)           native frames, by the ending of the file
 *     name (kernel)                                system calls
 *     <GC>                                         marks
 *     anything else                                threads without a member
 *
 * Files that are relative get made-up folders, so that all families of colours come up.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "formats/diff_formats.h"
#include "formats/formats.h"
#include "profile/diff.h"
#include "profile/members.h"
#include "profile/native_file.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct settings {
    const char *format;
    const char *title;
    struct profile_detail detail;
    uint64_t idle;
    uint64_t torn;
    bool is_timed;
    struct tree_options tree;
    const char *before; /* path of what is compared with; NULL: nothing is */
};

static const uint64_t interval_ns = 10000000;

static bool starts_with_any(const char *file, const char *const *starts)
{
    for (; *starts; starts++) {
        if (strncmp(file, *starts, strlen(*starts)) == 0)
            return true;
    }
    return false;
}

static const char *folder_of(const char *file)
{
    static const char *const own[] = {"app/", "main.py", NULL};
    static const char *const stdlib[] = {"json/", "re/", "asyncio/", "threading.py", "socket.py", "ssl.py", NULL};
    if (*file == '/' || *file == '<')
        return "";
    if (starts_with_any(file, own))
        return "/home/user/";
    return starts_with_any(file, stdlib) ? "/usr/lib/python3.11/" : "/usr/lib/python3.11/site-packages/";
}

/* Of a whole path: what stands behind the folder of packages, or the last component. */
static const char *short_of(const char *file)
{
    const char *packages = strstr(file, "-packages/");
    if (*file != '/')
        return file;
    return packages ? packages + strlen("-packages/") : strrchr(file, '/') + 1;
}

static uint32_t intern_file(struct profile *profile, const char *file)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s%s", folder_of(file), file);
    uint32_t full = profile_intern(profile, path, (size_t)len < sizeof(path) ? (size_t)len : sizeof(path) - 1);
    if (full != PROFILE_NONE)
        profile_set_short_file(profile, full, profile_intern(profile, short_of(file), strlen(short_of(file))));
    return full;
}

/* A library gets a made-up folder, too, and is called by its own name. */
static uint32_t intern_native_file(struct profile *profile, const char *file)
{
    char path[4096];
    const char *folder = strchr(file, '/') ? "/usr/lib/python3.11/site-packages/" : "/usr/lib/x86_64-linux-gnu/";
    size_t file_len = strlen(file), base = native_file_base(file, file_len);
    if (native_file_is_source(file, file_len))
        folder = "/home/user/src/";
    int len = snprintf(path, sizeof(path), "%s%s", *file == '/' ? "" : folder, file);
    uint32_t full = profile_intern(profile, path, (size_t)len < sizeof(path) ? (size_t)len : sizeof(path) - 1);
    if (full != PROFILE_NONE)
        profile_set_short_file(profile, full, profile_intern(profile, file + base, file_len - base));
    return full;
}

/* The end of a frame of code, `file:line/first)`; takes it apart. */
static void read_place(struct profile *profile, char *place, struct profile_frame *frame)
{
    if (strcmp(place, "kernel") == 0) {
        frame->kind = FRAME_KERNEL;
        return;
    }
    char *colon = strrchr(place, ':');
    if (colon) {
        char *slash;
        *colon = '\0';
        frame->line = (int32_t)strtol(colon + 1, &slash, 10);
        frame->first_line = *slash == '/' ? (int32_t)strtol(slash + 1, NULL, 10) : 0;
    }
    size_t len = strlen(place);
    if (native_file_is_source(place, len) || native_file_is_library(place, len)) {
        frame->kind = FRAME_NATIVE;
        frame->file = intern_native_file(profile, place);
        return;
    }
    frame->file = intern_file(profile, place);
}

static uint32_t member_process(struct profile *profile, const char *text)
{
    const struct profile_process process = {
        .pid = strtoll(text + strlen("process "), NULL, 10),
        .command_line = profile_intern(profile, text, strlen(text)),
        .python_version = PROFILE_NONE,
    };
    uint32_t count;
    const struct profile_process *processes = profile_processes(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (processes[i].pid == process.pid)
            return i;
    }
    return profile_add_process(profile, &process);
}

/* A process's first thread is taken for its main one. */
static uint32_t member_thread(struct profile *profile, const char *text, uint32_t process)
{
    struct profile_thread thread = {
        .process = process,
        .os_id = strtoll(text + strlen("thread ("), NULL, 10),
        .name = profile_intern(profile, text, strlen(text)),
        .is_main = true,
    };
    uint32_t count;
    const struct profile_thread *threads = profile_threads(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i].process == process && threads[i].os_id == thread.os_id)
            return i;
        thread.is_main = thread.is_main && threads[i].process != process;
    }
    return profile_add_thread(profile, &thread);
}

/* Changes the text, which ends in a NUL behind len bytes. process is the one that the stack is of, so far. */
static uint32_t intern_frame(struct profile *profile, char *text, size_t len, uint32_t *process)
{
    struct profile_frame frame = {.kind = FRAME_THREAD, .file = PROFILE_NONE};
    char *place = len > 0 && text[len - 1] == ')' ? memrchr(text, '(', len) : NULL;
    if (strncmp(text, "process ", strlen("process ")) == 0) {
        frame.kind = FRAME_PROCESS;
        frame.member = *process = member_process(profile, text);
    } else if (strncmp(text, "thread (", strlen("thread (")) == 0) {
        frame.member = member_thread(profile, text, *process);
    } else if (place && place > text + 1 && place[-1] == ' ') {
        frame.kind = FRAME_PYTHON;
        text[len - 1] = '\0';
        read_place(profile, place + 1, &frame);
        len = (size_t)(place - 1 - text);
    } else if (len > 2 && text[0] == '<' && text[len - 1] == '>') {
        frame.kind = FRAME_MARK;
    }
    frame.name = profile_intern(profile, text, len);
    return profile_intern_frame(profile, &frame);
}

static void add_stack(struct profile *profile, char *line, size_t len)
{
    char *count = memrchr(line, ' ', len);
    if (!count)
        return;
    uint32_t process = 0;
    uint32_t node = PROFILE_ROOT;
    for (char *at = line; at < count;) {
        char *end = memchr(at, ';', (size_t)(count - at));
        end = end ? end : count;
        *end = '\0';
        node = profile_child(profile, node, intern_frame(profile, at, (size_t)(end - at), &process));
        at = end + 1;
    }
    if (node != PROFILE_NONE)
        profile_count(profile, node, strtoull(count + 1, NULL, 10));
}

static void read_stacks(struct profile *profile, FILE *in)
{
    cleanup_free char *line = NULL;
    size_t capacity = 0;
    for (ssize_t len; (len = getline(&line, &capacity, in)) > 0;)
        add_stack(profile, line, (size_t)len);
}

static void describe(struct profile *profile, const struct settings *settings)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    struct profile_info *info = profile_info(profile);
    for (uint32_t i = 0; i < count; i++)
        info->intervals.ok += nodes[i].self;
    info->interval_ns = interval_ns;
    info->duration_ns = interval_ns * (info->intervals.ok + settings->idle + settings->torn);
    info->intervals.idle = settings->idle;
    info->intervals.torn = settings->torn;
}

static struct error *read_profile(const struct settings *settings, FILE *in, struct profile **ret)
{
    struct error *error = profile_create("all", settings->title, ret);
    if (error)
        return error;
    read_stacks(*ret, in);
    describe(*ret, settings);
    return NULL;
}

static struct error *render_diff(const struct settings *settings)
{
    cleanup_profile struct profile *before = NULL, *after = NULL;
    cleanup_diff struct diff *diff = NULL;
    cleanup_file FILE *in = fopen(settings->before, "r");
    const struct diff_format *format = diff_format_by_name(settings->format);
    if (!in || !format)
        return error_create(ERROR_USAGE, "no file %s, or no format %s", settings->before, settings->format);
    struct error *error = read_profile(settings, in, &before);
    if (!error)
        error = read_profile(settings, stdin, &after);
    const struct diff_source sources[] = {{before, 1}, {after, 1}};
    if (!error)
        error = diff_create(&sources[0], &sources[1], &(struct diff_options){.with_threads = true}, &diff);
    return error ? error : format->write(diff, &(struct diff_format_options){.rows = 20}, stdout);
}

static struct error *render(const struct settings *settings)
{
    if (settings->before)
        return render_diff(settings);
    const struct format *format = format_by_name(settings->format);
    if (!format)
        return error_create(ERROR_USAGE, "no format %s", settings->format);
    cleanup_profile struct profile *profile = NULL;
    struct error *error = read_profile(settings, stdin, &profile);
    if (error)
        return error;

    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    error =
        format->write(profile, &(struct format_options){.detail = settings->detail, .tree = settings->tree}, stdout);
    if (error)
        return error;
    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (settings->is_timed)
        fprintf(stderr, "%.3f s\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return ferror(stdout) ? error_create(ERROR_OS, "cannot write") : NULL;
}

static void read_detail(const char *letters, struct profile_detail *detail)
{
    if (strchr(letters, 'f'))
        detail->lines = PROFILE_FUNCTION_LINE;
    if (strchr(letters, 'n'))
        detail->lines = PROFILE_NO_LINE;
    detail->with_threads = !strchr(letters, 't');
    detail->with_processes = !strchr(letters, 'p');
}

static void set_tree_option(struct tree_options *tree, const char *option)
{
    const struct {
        const char *name;
        bool *ret;
    } switches[] = {
        {"all", &tree->show_all},      {"self", &tree->only_self},  {"share", &tree->with_percent},
        {"colour", &tree->use_colour}, {"ascii", &tree->use_ascii},
    };
    for (size_t i = 0; i < array_size(switches); i++) {
        if (strcmp(option, switches[i].name) == 0)
            *switches[i].ret = true;
    }
    unsigned number;
    if (sscanf(option, "depth=%u", &number) == 1)
        tree->depth = number;
    if (sscanf(option, "width=%u", &number) == 1)
        tree->width = number;
    sscanf(option, "percent=%lf", &tree->min_percent);
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .format = "flamegraph",
        .title = "python main.py",
        .tree = {.min_percent = TREE_MIN_PERCENT},
    };
    read_detail("", &settings.detail);
    for (int option; (option = getopt(argc, argv, "f:t:d:i:l:Tx:b:")) != -1;) {
        switch (option) {
        case 'f':
            settings.format = optarg;
            break;
        case 't':
            settings.title = optarg;
            break;
        case 'd':
            read_detail(optarg, &settings.detail);
            break;
        case 'i':
            settings.idle = strtoull(optarg, NULL, 10);
            break;
        case 'l':
            settings.torn = strtoull(optarg, NULL, 10);
            break;
        case 'T':
            settings.is_timed = true;
            break;
        case 'b':
            settings.before = optarg;
            break;
        case 'x':
            set_tree_option(&settings.tree, optarg);
            break;
        default:
            return 2;
        }
    }
    cleanup_error struct error *error = render(&settings);
    if (error)
        fprintf(stderr, "render-folded: %s\n", error->sentence);
    return error != NULL;
}
