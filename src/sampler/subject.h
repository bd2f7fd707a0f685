/* SPDX-License-Identifier: MIT */
/*
 * One process that is being sampled: its session, what the profile calls its stacks and threads, and how far the
 * current interval is with it. A recording has one for each of its processes, and all of them have the same intervals.
 *
 *     subject_begin_interval(subject, schedule, slept_ns);
 *     while (subject->is_pending)
 *         subject_read(subject, cpu, relay);     on the CPU that subject->next_cpu says
 */
#ifndef SAMPLER_SUBJECT_H
#define SAMPLER_SUBJECT_H

#include "base/error.h"
#include "counters.h"
#include "sample_log.h"
#include "sampler/recording_options.h"
#include "stack_finder.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct process;
struct profile;
struct joined_python;
struct joiner;
struct relay;
struct schedule;

/* What the readings of one interval came to. */
struct interval_result {
    uint32_t counted;           /* stacks, each for as many intervals as it stands for; */
    uint32_t owed;              /* besides those that were counted for intervals before */
    enum python_status failure; /* of a thread that could not be read */
};

struct subject {
    const struct process *process;
    struct session *session;
    struct stack_finder finder;
    struct joiner *joiner;        /* what makes stacks with C frames; NULL: there are none */
    struct joined_python *frames; /* Python frames of a stack that is handed over to it */
    uint32_t frame_capacity;
    struct sample_log *log;
    struct counters *counters;
    const struct recording_options *options;
    uint64_t attach_ns;
    bool is_lost;                  /* there is nothing to read any more: it ended, or runs another program */
    bool is_pending;               /* the current interval is not done with it */
    int next_cpu;                  /* where the next reading has to be, which is one that we may run on; -1: anywhere */
    int tries;                     /* of the current interval, since a thread was counted */
    uint64_t begin_ns;             /* of those tries */
    uint64_t deadline_ns;          /* of the current interval, */
    uint64_t time_ns;              /* and the same in the time that counts; */
    uint64_t interval_begin_ns;    /* and where its interval begins */
    uint64_t reads;                /* of its memory that are in the books */
    uint64_t unseen_from;          /* the number of the first interval that it is not in the books with */
    uint32_t passed;               /* intervals before the current one that will be in the books with it, */
    uint64_t first_cpu_ns;         /* its CPU time when that was read first; 0: it was not yet, */
    uint64_t cpu_ns;               /* when it was read last, */
    uint64_t cpu_time_ns;          /* and when that was */
    uint64_t owed;                 /* and those that will be with the next stack that is counted */
    struct interval_result result; /* of the current interval */
};

/* What has become of an interval after one reading. */
enum subject_status {
    SUBJECT_DONE,    /* it is in the books */
    SUBJECT_PENDING, /* read again, on next_cpu */
    SUBJECT_RESTING, /* read again when the program has run on for a moment */
    SUBJECT_LOST,    /* never read again; what was counted is in the books */
    SUBJECT_FAILED,  /* no memory or thread of our own */
};

/*
 * Finds the interpreter of a process. The process and what else is pointed to must outlive the subject. Errors: those
 * of session_open(). Samples go into the log, with frames and nodes of the profile; some of them later than they are
 * read, with the lock taken for that, which the caller therefore holds in all other functions but those that say so.
 */
struct error *subject_open(const struct process *process, const struct recording_options *options,
                           struct profile *profile, struct sample_log *log, pthread_mutex_t *lock,
                           struct counters *counters, struct subject **ret);

/* What is still to come goes into the log. The lock must not be held. Accepts NULL. */
void subject_close(struct subject *subject);

/* The subject is to be read in the current interval of a schedule, for whose deadline we slept so long. */
void subject_begin_interval(struct subject *subject, const struct schedule *schedule, uint64_t slept_ns);

/* The intervals before this one are no matter for it, as nothing was to be recorded in them. */
void subject_skip_to(struct subject *subject, uint64_t interval);

/* No more is read for a while: see session_rest(). */
void subject_rest(struct subject *subject);

/* Has the samples that were read get into the log soon. */
void subject_call(struct subject *subject);

/* Waits until all samples that were read are in the log, but not for long. The lock must not be held. */
void subject_drain(struct subject *subject);

/* Whether all of them are. */
bool subject_is_drained(struct subject *subject);

/* The profile has forgotten its frames and nodes. All samples have to be in the log. */
void subject_forget_stacks(struct subject *subject);

/* The current interval is over, whatever is left to be read in it; what was counted goes into the books. */
void subject_leave_interval(struct subject *subject);

/* The CPU time that it has had since it was attached to, as far as it was read. */
uint64_t subject_cpu_ns(const struct subject *subject);

/* CPU time counts from what was read last. */
void subject_forget_cpu_time(struct subject *subject);

/* One reading. cpu is where it happens. The relay is asked which CPUs can be gone to. */
enum subject_status subject_read(struct subject *subject, int cpu, struct relay *relay);

static inline void cleanup_subject_close(struct subject **subject)
{
    subject_close(*subject);
}

#define cleanup_subject __attribute__((cleanup(cleanup_subject_close)))

#endif
