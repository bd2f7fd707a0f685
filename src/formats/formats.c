/* SPDX-License-Identifier: MIT */
#include "formats/formats.h"

#include "base/cleanup.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "writers.h"

#include <string.h>
#include <strings.h>

static const char *const flamegraph_endings[] = {".svg", NULL};
static const char *const collapsed_endings[] = {".txt", ".folded", ".collapsed", ".raw", NULL};
static const char *const tree_endings[] = {".tree", NULL};
static const char *const html_endings[] = {".html", ".htm", NULL};
static const char *const speedscope_endings[] = {".speedscope.json", ".speedscope", NULL};
static const char *const chrometrace_endings[] = {".trace.json", ".trace", NULL};
static const char *const firefox_endings[] = {".firefox.json", ".firefox", NULL};
static const char *const json_endings[] = {".jsonl", ".json", NULL};
static const char *const pprof_endings[] = {".pb.gz", ".pprof", NULL};
static const char *const recording_endings[] = {".pyspyc", NULL};

static const struct format formats[] = {
    {
        .name = "flamegraph",
        .help = "interactive flame graph, one SVG file",
        .extension = ".svg",
        .marks_idle = true,
        .viewer = "xdg-open",
        .is_fine = true,
        .endings = flamegraph_endings,
        .write = flamegraph_write,
    },
    {
        .name = "raw",
        .alias = "collapsed",
        .help = "one line a stack, with its number of samples",
        .extension = ".txt",
        .viewer = "pyspyc report",
        .endings = collapsed_endings,
        .write = collapsed_write,
    },
    {
        .name = "tree",
        .help = "text for a terminal: what took the time, from the outside in",
        .extension = ".tree",
        .viewer = "less",
        .is_fine = true,
        .endings = tree_endings,
        .write = tree_write,
    },
    {
        .name = "html",
        .help = "the flame graph with a time axis, one HTML page",
        .extension = ".html",
        .marks_idle = true,
        .endings = html_endings,
        .viewer = "xdg-open",
        .write_samples = page_write,
    },
    {
        .name = "speedscope",
        .help = "for speedscope: each thread over time",
        .extension = ".speedscope.json",
        .viewer = "speedscope",
        .endings = speedscope_endings,
        .write_samples = speedscope_write,
    },
    {
        .name = "chrometrace",
        .help = "for Perfetto and chrome://tracing: each thread over time",
        .extension = ".trace.json",
        .site = "https://ui.perfetto.dev",
        .endings = chrometrace_endings,
        .write_samples = chrometrace_write,
    },
    {
        .name = "firefox",
        .help = "for the Firefox profiler, with the GIL and garbage collection",
        .extension = ".firefox.json",
        .site = "https://profiler.firefox.com",
        .endings = firefox_endings,
        .write_samples = firefox_write,
    },
    {
        .name = "json",
        .help = "each sample, as one JSON object a line, for scripts",
        .extension = ".jsonl",
        .viewer = "less",
        .endings = json_endings,
        .write_samples = json_write,
    },
    {
        .name = "pprof",
        .help = "for google's pprof; threads and processes are labels",
        .extension = ".pb.gz",
        .viewer = "go tool pprof -top",
        .endings = pprof_endings,
        .is_binary = true,
        .write_samples = pprof_write,
    },
    {
        .name = "pyspyc",
        .help = "the recording itself, of which 'report' makes the others",
        .extension = ".pyspyc",
        .endings = recording_endings,
        .is_binary = true,
        .is_recording = true,
    },
};

const struct format *formats_all(size_t *ret_count)
{
    *ret_count = array_size(formats);
    return formats;
}

const struct format *format_by_name(const char *name)
{
    for (size_t i = 0; i < array_size(formats); i++) {
        if (strcasecmp(name, formats[i].name) == 0 || (formats[i].alias && strcasecmp(name, formats[i].alias) == 0))
            return &formats[i];
    }
    return NULL;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t path_len = strlen(path);
    size_t ending_len = strlen(ending);
    return path_len >= ending_len && strcasecmp(path + path_len - ending_len, ending) == 0;
}

/* How long the ending of the format is that a path ends in; 0: in none of them. */
static size_t ending_len(const struct format *format, const char *path)
{
    size_t longest = 0;
    for (const char *const *ending = format->endings; *ending; ending++) {
        if (ends_in(path, *ending) && strlen(*ending) > longest)
            longest = strlen(*ending);
    }
    return longest;
}

const struct format *format_by_ending(const char *path)
{
    const struct format *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < array_size(formats); i++) {
        size_t len = ending_len(&formats[i], path);
        if (len > longest) {
            longest = len;
            found = &formats[i];
        }
    }
    return found;
}

struct error *format_write(const struct format *format, const struct view *view, const struct format_options *options,
                           FILE *out)
{
    if (format->write_samples)
        return format->write_samples(view, options, out);
    if (format->is_fine)
        return format->write(view_profile(view), options, out);
    cleanup_profile struct profile *profile = NULL;
    struct error *error = profile_reduce(view_profile(view), &options->detail, &profile);
    return error ? error : format->write(profile, options, out);
}
