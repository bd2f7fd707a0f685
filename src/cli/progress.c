/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "terminal.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/tree_options.h"
#include "profile/profile.h"
#include "sampler/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LATE_PERCENT = 2 }; /* of the intervals: when more were looked at late, it is worth a word */

static const char erase_line[] = "\r\033[K";

bool progress_is_wanted(void)
{
    return terminal_is_lively(STDERR_FILENO);
}

static uint32_t terminal_width(void)
{
    struct tree_options terminal = {0};
    terminal_describe(STDERR_FILENO, &terminal);
    return terminal.width;
}

void progress_show(const struct recording *recording, uint64_t elapsed_ms, int64_t left_ms)
{
    cleanup_buffer struct buffer line = {0};
    struct recording_progress progress = recording_progress(recording);
    uint64_t lost = progress.torn + progress.unreadable + progress.missed;
    double rate = elapsed_ms > 0 ? (double)progress.samples * 1000 / (double)elapsed_ms : 0;
    uint32_t width = terminal_width();
    buffer_format(&line, "recording: %.1f s, %" PRIu64 " samples (%.0f/s), %" PRIu64 " lost", (double)elapsed_ms / 1000,
                  progress.samples, rate, lost);
    if (left_ms >= 0)
        buffer_format(&line, ", %.1f s left", (double)left_ms / 1000);
    buffer_append_text(&line, " (Ctrl-C ends it)");
    /* One column is left free: some terminals go to the next line behind the last one. */
    size_t shown = width > 1 && line.len >= width ? width - 1 : line.len;
    fprintf(stderr, "%s%.*s", erase_line, (int)shown, buffer_text(&line));
    fflush(stderr);
}

void progress_clear(void)
{
    fputs(erase_line, stderr);
    fflush(stderr);
}

void report_untested(void)
{
    fprintf(stderr,
            "pyspyc: this version of Python is a pre-release, or newer than what pyspyc was tested with: stacks may "
            "be wrong\n");
}

/* How many intervals nothing is known of, and why. */
static void report_lost(const struct profile_intervals *intervals, uint64_t total)
{
    const struct {
        uint64_t count;
        const char *cause;
    } causes[] = {
        {intervals->torn, "torn (no reading could be proved to be of one moment)"},
        {intervals->unreadable, "unreadable (no stack was what it has to be)"},
        {intervals->missed, "missed (pyspyc did not get a CPU)"},
    };
    uint64_t lost = intervals->torn + intervals->unreadable + intervals->missed;
    const char *separator = "";
    if (lost == 0)
        return;
    fprintf(stderr, "pyspyc: lost %" PRIu64 " of %" PRIu64 " intervals: ", lost, total);
    for (size_t i = 0; i < array_size(causes); i++) {
        if (causes[i].count == 0)
            continue;
        fprintf(stderr, "%s%" PRIu64 " %s", separator, causes[i].count, causes[i].cause);
        separator = ", ";
    }
    fputc('\n', stderr);
}

static void report_late(const struct recording_progress *progress)
{
    char unseen[64] = "";
    if (progress->unseen > 0)
        snprintf(unseen, sizeof(unseen), ", or not at all (%" PRIu64 ")", progress->unseen);
    fprintf(stderr,
            "pyspyc: %" PRIu64 " of the intervals were looked at late, by %.1f ms on average%s, as something else had "
            "the CPU: shares of running and sleeping may be off by some percent\n",
            progress->late, (double)progress->lateness_ns / 1e6, unseen);
}

static void report_causes(const struct recording_progress *progress)
{
    for (int status = 0; status < PYTHON_STATUS_COUNT; status++) {
        if (progress->unreadable_by_cause[status] > 0)
            fprintf(stderr, "pyspyc: stacks that were left out or have gaps: %" PRIu64 ", %s\n",
                    progress->unreadable_by_cause[status], python_status_text((enum python_status)status));
    }
    if (progress->incomplete > 0)
        fprintf(stderr, "pyspyc: in %" PRIu64 " of the intervals that are ok, not every running thread could be read\n",
                progress->incomplete);
    if (progress->late * 100 > progress->intervals * LATE_PERCENT)
        report_late(progress);
    if (progress->native_missing > 0)
        fprintf(stderr, "pyspyc: %" PRIu64 " samples have no C frames, as the C stack could not be copied in time\n",
                progress->native_missing);
    if (progress->native_unmatched > 0)
        fprintf(stderr,
                "pyspyc: in %" PRIu64 " samples not all C frames are shown, as they did not fit the Python frames\n",
                progress->native_unmatched);
    if (progress->is_untested)
        report_untested();
    if (progress->elsewhere > 0)
        fprintf(stderr,
                "pyspyc: %" PRIu64 " samples were left out because pyspyc may not run on the CPU where the program "
                "runs; run it in the same cpuset, or use --blocking\n",
                progress->elsewhere);
}

static void report_emptiness(const struct profile_intervals *intervals, uint64_t total)
{
    if (total == 0)
        fprintf(stderr, "pyspyc: no samples: the recording ended before the first one was due\n");
    else if (intervals->idle > 0)
        fprintf(stderr,
                "pyspyc: no samples: the program was idle in %" PRIu64 " of %" PRIu64
                " intervals; -i/--idle shows where it waits\n",
                intervals->idle, total);
    else
        fprintf(stderr, "pyspyc: no samples could be taken in %" PRIu64 " intervals\n", total);
}

void progress_report(const struct recording_progress *progress, const struct profile_info *info)
{
    const struct profile_intervals *intervals = &info->intervals;
    char processes[64] = "";
    if (progress->processes > 1)
        snprintf(processes, sizeof(processes), " of %" PRIu64 " processes", progress->processes);
    fprintf(stderr,
            "pyspyc: %" PRIu64 " samples%s in %.1f s; of %" PRIu64 " intervals: %" PRIu64 " ok, %" PRIu64
            " idle, %" PRIu64 " torn, %" PRIu64 " unreadable, %" PRIu64 " missed\n",
            progress->samples, processes, (double)info->duration_ns / 1e9, progress->intervals, intervals->ok,
            intervals->idle, intervals->torn, intervals->unreadable, intervals->missed);
    report_lost(intervals, progress->intervals);
    report_causes(progress);
    if (progress->samples == 0)
        report_emptiness(intervals, progress->intervals);
}
