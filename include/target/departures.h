/* SPDX-License-Identifier: MIT */
/*
 * When a thread leaves its CPU, and with which registers if that is wanted, written down by the kernel at each of its
 * context switches: a perf event (man 2 perf_event_open) for the thread, of PERF_COUNT_SW_CONTEXT_SWITCHES, or else of
 * none but its records of switches. Of a thread that is kept off its CPU they are its registers now, and so it need not
 * be stopped for them; and whether it was busy all the time needs no system call to be known.
 *
 * Not everybody may ask for that (CAP_PERFMON, or kernel.perf_event_paranoid of 1 or less with registers, of 2 or less
 * without), and a container's seccomp filter may forbid it. Where it is done, each departure costs the thread more:
 * with registers 6.6 us were measured on a program of two processes that do nothing but wake each other up;
 * without, 1.7 us in one that is taken off its CPU a thousand times a second. So a thread that leaves its CPU often is
 * not asked about for a while.
 */
#ifndef TARGET_DEPARTURES_H
#define TARGET_DEPARTURES_H

#include "memory/registers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct departures;

/* Whether the kernel does it for us at all, of a thread of our own. */
bool departures_may_be_noted(void);

/* The length of a record, header included: Linux include/uapi/linux/perf_event.h, PERF_RECORD_SAMPLE. */
enum { DEPARTURE_LEN = 8 + 8 + REGISTER_COUNT * 8 };

/*
 * To be called before anything is written down: until then, and where the kernel refuses it, nothing is. Its first
 * event of a kind takes 7 to 20 ms, the others 0.1 ms or less: so one of the calling thread is kept until
 * departures_end(), which costs each context switch of the machine a few instructions.
 */
void departures_prepare(bool with_registers);
void departures_end(void);

/* Of one thread, of which nothing is written down yet. NULL without memory. */
struct departures *departures_create(bool with_registers);

/* Accepts NULL. */
void departures_destroy(struct departures *departures);

/*
 * Begins to have them written down of the thread, tid as system calls know it, unless they are, or that failed, or they
 * were too many, a moment ago: then after a second, the next time after two, up to a minute. Returns whether it was
 * tried.
 */
bool departures_begin(struct departures *departures, pid_t tid);

/* Ends it, until it is begun anew. */
void departures_rest(struct departures *departures);

/* Whether a departure is written down. To be called at each look, which may have made the thread leave its CPU. */
bool departures_are_noted(struct departures *departures);

/* Counts the departures. Of a thread that has too many they are no longer written down. To be called again and again.
 */
void departures_watch(struct departures *departures);

/*
 * Whether from the last but one call of departures_watch() until now the thread was running or ready to all the time:
 * at both calls it had been taken off its CPU (Linux 4.17, PERF_RECORD_MISC_SWITCH_OUT_PREEMPT), so it had each time
 * that it left it between them, and since the last one it was not given one. False where that is not known, or it left
 * it often.
 */
bool departures_tell_busy(const struct departures *departures);

/*
 * The registers of the last departure. False when there is none, or the thread was not in 64-bit code, or, on x86-64,
 * in a system call, of which perf does not tell which one it is. memory: the thread's, which is read where registers
 * alone leave that open. Only meant for a thread that is kept off its CPU: of one that runs they are of some time
 * before, or of two times.
 */
bool departures_read(const struct departures *departures, struct memory *memory, struct registers *ret);

/* Takes the registers out of a record. False when it is of another kind, and as above. */
bool departure_parse(const unsigned char record[DEPARTURE_LEN], struct memory *memory, struct registers *ret);

#endif
