/* SPDX-License-Identifier: MIT */
/*
 * Sampling processes, on threads of its own, until told to stop or until the time is over.
 *
 *     recording_create(&options, profile, &recording);
 *     recording_attach(recording, process);     again and again, until it succeeds
 *     poll(recording_fd(recording)) ...         readable when something has changed
 *     recording_save(recording, ..., writer);   each second, and when recording_is_full()
 *     recording_stop(recording);                then save once more, and finish the writer
 *
 * There can be several processes, all of which are sampled in each interval; process_tree.h finds them. A process that
 * ends or execs another program is sampled no longer, but can be attached to again. Counters add up to the intervals
 * that have passed since the first attach to each process, until its end.
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
struct recording_writer;
struct sample;

enum recording_state {
    RECORDING_WAITING, /* not attached yet */
    RECORDING_RUNNING,
    RECORDING_LOST,   /* every process has ended, or runs another program now */
    RECORDING_OVER,   /* the duration is over */
    RECORDING_FAILED, /* out of memory */
};

/* How far a recording is. */
struct recording_progress {
    uint64_t samples;   /* stacks counted, each for as many intervals as it stands for */
    uint64_t processes; /* that were attached to */
    uint64_t reads;     /* of the targets' memory, for the intervals that were looked at; see memory/memory.h */
    uint64_t intervals; /* see struct profile_intervals; this is their sum */
    uint64_t torn, unreadable, missed;
    uint64_t unreadable_by_cause[PYTHON_STATUS_COUNT];
    uint64_t incomplete;       /* intervals that are counted although not every thread in them could be read */
    uint64_t late;             /* intervals that were looked at late, or not at all and yet are not missed */
    uint64_t unseen;           /* those of them that were not looked at */
    uint64_t lateness_ns;      /* of the others, on average */
    bool is_untested;          /* nobody has seen this version of Python work: what was counted may be wrong */
    uint64_t elsewhere;        /* torn because we may not run on the CPU where the program runs */
    uint64_t native_missing;   /* samples without C frames that should have them */
    uint64_t native_unmatched; /* samples that lack some of them */
    uint64_t first_sample_ns;  /* from the first attach that led to one to the first sample; 0: none yet */
};

struct recording;

/*
 * The profile is where frames, stacks and members get their numbers, and counts no samples. It must outlive the
 * recording, and must not be touched while that goes on.
 */
struct error *recording_create(const struct recording_options *options, struct profile *profile,
                               struct recording **ret);

/* Ends the recording. Accepts NULL. */
void recording_destroy(struct recording *recording);

/*
 * Begins, or goes on, to sample a process, which must outlive the recording. Errors: ERROR_NOT_PYTHON, ERROR_NOT_READY,
 * ERROR_UNSUPPORTED_VERSION, ERROR_PERMISSION, ERROR_TARGET_GONE. A later try may succeed, as a process can exec.
 */
struct error *recording_attach(struct recording *recording, const struct process *process);

/* Forgets a process, which has ended. One that was never attached to is fine. */
void recording_detach(struct recording *recording, const struct process *process);

/* Whether a process is being sampled: it was attached to, and has neither ended nor run another program since. */
bool recording_samples(struct recording *recording, const struct process *process);

enum recording_state recording_state(const struct recording *recording);

/*
 * Ends all reading, with no thread of any process stopped by us, until recording_go_on(). Intervals pass meanwhile.
 * When there are no threads to go on with, the recording has failed.
 */
void recording_pause(struct recording *recording);
void recording_go_on(struct recording *recording);

/*
 * Leaves the processes alone until recording_resume(); what passes meanwhile is no part of the recording. May be called
 * before the first attach, too. Resuming fails as recording_go_on() does.
 */
void recording_suspend(struct recording *recording);
void recording_resume(struct recording *recording);

/* A descriptor that is readable when the state has changed by itself, or a process was lost, until that is taken. */
int recording_fd(const struct recording *recording);
void recording_take_changes(struct recording *recording);

/* May be called at any time from any thread. */
struct recording_progress recording_progress(const struct recording *recording);

/* Whether so many samples wait that they should be saved soon. */
bool recording_is_full(struct recording *recording);

/* Who takes what a recording has that is new. */
struct recording_taker {
    /* What the profile has that it had not before, and its info as of now. Nothing is sampled meanwhile. */
    void (*gather)(void *context, const struct profile *profile);

    /* Samples, whose nodes and threads were gathered. An error ends the round and is returned. */
    struct error *(*take)(void *context, const struct sample *samples, uint32_t count);

    /* The profile was made anew: it has the members that it had, and none of its strings, frames and nodes. */
    void (*begin_anew)(void *context, const struct profile *profile);
};

/* Hands over what is new since the last time. Files get the short names that they have in a process. */
struct error *recording_hand_over(struct recording *recording, const struct process *process,
                                  const struct recording_taker *taker, void *context);

/*
 * Hands what is new, and the info as of now, over to a writer, and writes it. Errors: those of
 * recording_writer_write(), after which the samples are lost.
 */
struct error *recording_save(struct recording *recording, const struct process *process,
                             struct recording_writer *writer);

/*
 * The same; and what follows is a recording of its own from now on, with times, counters and losses that begin anew,
 * while sampling goes on. It is for another writer. *ret_is_begun is false when this is not the moment for that, as a
 * sample is being taken or nothing is recorded: then the writer stays, and it can be tried again soon.
 */
struct error *recording_begin_part(struct recording *recording, const struct process *process,
                                   struct recording_writer *writer, bool *ret_is_begun);

/* Stops sampling, if it goes on. */
void recording_stop(struct recording *recording);

static inline void cleanup_recording_destroy(struct recording **recording)
{
    recording_destroy(*recording);
}

#define cleanup_recording __attribute__((cleanup(cleanup_recording_destroy)))

#endif
