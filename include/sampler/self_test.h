/* SPDX-License-Identifier: MIT */
/*
 * Recording a program of ours of which every stack is known, to see whether what is recorded on this machine is true.
 */
#ifndef SAMPLER_SELF_TEST_H
#define SAMPLER_SELF_TEST_H

#include "base/error.h"
#include "sampler/inspection.h"
#include "sampler/recording.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { SELF_TEST_EXAMPLE_LEN = 128 };

struct self_test_result {
    struct inspection inspection;
    struct recording_progress progress;
    uint64_t ok, idle;                   /* intervals */
    uint64_t seen;                       /* samples in functions whose caller is known */
    uint64_t impossible;                 /* of all samples, those with a stack that the program does not contain */
    char example[SELF_TEST_EXAMPLE_LEN]; /* of such a call */
    uint64_t native_frames;              /* that were found in one reading with native frames; 0: see the error */
    struct error *native_error;          /* why there was none; owned, NULL when there was */
};

/*
 * Starts the Python of this name (looked for on PATH) and records it. ERROR_NOT_FOUND when there is none. Others:
 * those of launch_program(), recording_attach(), explained where a permission is missing, and of writing to memory.
 */
struct error *self_test_run(const char *python, const sigset_t *signals_for_program, uint64_t duration_ns,
                            struct self_test_result *ret);

/* Accepts a zeroed struct. */
void self_test_result_deinit(struct self_test_result *result);

#define cleanup_self_test_result __attribute__((cleanup(self_test_result_deinit)))

#endif
