/* SPDX-License-Identifier: MIT */
/*
 * Sampling a process into a profile, on threads of its own, until told to stop or until the time is over.
 *
 *     recording_create(&options, profile, &recording);
 *     recording_attach(recording, process);     again and again, until it succeeds
 *     poll(recording_fd(recording)) ...         readable when the state is no longer RECORDING_RUNNING
 *     recording_finish(recording);              now the profile can be read
 *
 * When the process execs another program the state becomes RECORDING_LOST, and it can be attached to again. Counters
 * add up to the intervals that have passed since the first attach.
 */
#ifndef SAMPLER_RECORDING_H
#define SAMPLER_RECORDING_H

#include "base/error.h"
#include "python/status.h"
#include "sampler/recording_options.h"

#include <stdbool.h>
#include <stdint.h>

struct process;
struct profile;

enum recording_state {
    RECORDING_WAITING, /* not attached yet */
    RECORDING_RUNNING,
    RECORDING_LOST,   /* the process ended, or runs another program now */
    RECORDING_OVER,   /* the duration is over */
    RECORDING_FAILED, /* out of memory */
};

/* How far a recording is. */
struct recording_progress {
    uint64_t samples;   /* stacks counted, each for as many intervals as it stands for */
    uint64_t intervals; /* see struct profile_intervals; this is their sum */
    uint64_t torn, unreadable, missed;
    uint64_t unreadable_by_cause[PYTHON_STATUS_COUNT];
    uint64_t incomplete;      /* intervals that are counted although not every thread in them could be read */
    uint64_t late;            /* intervals that were looked at late, or not at all and yet are not missed */
    bool is_untested;         /* nobody has seen this version of Python work: what was counted may be wrong */
    uint64_t elsewhere;       /* torn because we may not run on the CPU where the program runs */
    uint64_t first_sample_ns; /* from the attach to the first sample; 0: none yet */
};

struct recording;

/* The profile must outlive the recording, and must not be touched before recording_finish(). */
struct error *recording_create(const struct recording_options *options, struct profile *profile,
                               struct recording **ret);

/* Ends the recording. Accepts NULL. */
void recording_destroy(struct recording *recording);

/*
 * Begins, or goes on, to sample a process, which must outlive the recording. Errors: ERROR_NOT_PYTHON, ERROR_NOT_READY,
 * ERROR_UNSUPPORTED_VERSION, ERROR_PERMISSION, ERROR_TARGET_GONE. A later try may succeed, as a process can exec.
 */
struct error *recording_attach(struct recording *recording, const struct process *process);

enum recording_state recording_state(const struct recording *recording);

/* A descriptor that is readable from the time when the state has left RECORDING_RUNNING until the next attach. */
int recording_fd(const struct recording *recording);

/* May be called at any time from any thread. */
struct recording_progress recording_progress(const struct recording *recording);

/* Stops sampling, gives files their short names, and completes the profile's info. */
struct error *recording_finish(struct recording *recording);

static inline void cleanup_recording_destroy(struct recording **recording)
{
    recording_destroy(*recording);
}

#define cleanup_recording __attribute__((cleanup(cleanup_recording_destroy)))

#endif
