/* SPDX-License-Identifier: MIT */
/*
 * Staying with a process while it is recorded: its end, its exec of other programs, and signals for us or for it.
 *
 * Attached to a process that runs on its own, a signal ends the recording. With a program that we started, we are as
 * good as not there: the first signal is the program's (passed on, unless the terminal sent it to both), a second one
 * ends the recording at once, and a third one ends us without waiting for the program. SIGUSR2 pauses the recording,
 * and SIGUSR1 lets it go on.
 */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process;
struct supervisor;
struct process_tree;
struct recording;
struct recording_writer;

/*
 * Who takes the samples in place of a writer, and does other things besides: a live view. While there is one, a signal
 * ends the recording, also with a program that we started, to which it is passed on.
 */
struct supervisor_guest {
    void *context;
    int fd;                           /* that is waited for, too; -1: none */
    bool stays;                       /* it goes on when the process has ended, until it says so */
    int (*timeout_ms)(void *context); /* how long it can do without a turn */

    /* Called each time that something may have happened. *ret_is_finished: it does not want to go on. */
    struct error *(*take_turn)(void *context, const struct supervisor *supervisor, bool *ret_is_finished);

    /* Called before we are stopped by a signal (Ctrl-Z), and when we go on; NULL: nothing is to be done. */
    void (*leave)(void *context);
    void (*come_back)(void *context);
};

/*
 * Who ends a part of the recording, writes its results, and has another one begin, which is to be told by
 * supervisor_begin_part(). Without that it is asked again in a moment.
 */
struct part_ender {
    uint64_t every_ns;  /* 0: parts do not end with time, */
    uint64_t every_len; /* and 0: nor when so many bytes were saved */
    struct error *(*end_part)(void *context);
    void *context;
};

struct supervisor {
    const struct supervisor_guest *guest; /* NULL: there is none, and samples go to the writer */
    struct recording *recording;          /* only while supervisor_record() runs */
    struct process_tree *tree;            /* likewise, */
    struct recording_writer *writer;      /* and this: where samples are saved each second or more often */
    const struct process *process;        /* NULL: it could not be opened */
    struct process **others;        /* more of them, with this one; those that are attached to become the tree's, */
    const struct process *refusing; /* whom the error of supervisor_record() is about, if not the process */
    uint32_t other_count;           /* and NULL in others */
    pid_t child;                    /* the program that we started; 0 when we attached to one */

    int ready_fd; /* gets a newline when the first process has been attached to; -1: not wanted, or done */
    int signals;  /* signalfd */
    int signal_count;
    int last_signal;
    int child_status; /* as a shell would say it */

    bool with_children; /* the processes that it makes are recorded, too */
    bool has_progress_line;
    bool stops_threads; /* for samples */
    bool is_paused;     /* nothing is recorded until SIGUSR1; SIGUSR2 makes it so */
    bool was_paused;    /* at any time */
    bool is_first_gone; /* the process has ended, and others have not */
    bool has_ended;     /* the process has, or all have */
    bool has_begun;     /* the first part has, */
    bool has_saved;     /* something was saved, */

    uint64_t part_ms;     /* when the current part began */
    uint64_t saved_ms;    /* when something was saved last, */
    uint64_t save_ms;     /* and after how long something is to be saved again */
    uint64_t every_ns;    /* how long a part is; 0: that is not told by time, */
    uint64_t every_len;   /* and 0: nor by the bytes that were saved */
    uint64_t duration_ns; /* of the recording; 0: no end */
    uint64_t start_ns;
};

/*
 * Keeps the signals that pause and resume for later: they can come before all is ready, and would end us. Those that
 * are to end us still do, as opening an output can take long.
 */
void supervisor_hold_pauses(void);

/*
 * Takes over the signals that matter. To be called before the first thread is made, and before a program is started.
 * stops_threads: also those that stop us (Ctrl-Z), so that we are not stopped with threads of the program in our hands.
 */
struct error *supervisor_init(struct supervisor *supervisor, bool stops_threads);

/* Gives the signals back: from now on they end us, as they end any program that waits for the reader of a pipe. */
void supervisor_release_signals(void);

/* Gives only those back that stop us, once no thread is stopped by us any more. */
void supervisor_release_stops(const struct supervisor *supervisor);
void supervisor_deinit(struct supervisor *supervisor);

/*
 * Attaches the recording and returns when it is to be finished: the process has ended, the duration is over, or a
 * signal says so. *ret_is_recorded is false when nothing was recorded; the error then says why the process could not be
 * attached to. With an error although something was recorded, that could not be saved any further.
 */
struct error *supervisor_record(struct supervisor *supervisor, const struct part_ender *ender, bool *ret_is_recorded);

/* Another part has begun, which is saved by another writer. */
void supervisor_begin_part(struct supervisor *supervisor, struct recording_writer *writer);

/* Waits for the end of the program that we started, if it still runs, and returns the status for us to exit with. */
int supervisor_wait_for_child(struct supervisor *supervisor);

#define cleanup_supervisor __attribute__((cleanup(supervisor_deinit)))

#endif
