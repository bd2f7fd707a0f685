/* SPDX-License-Identifier: MIT */
#include "losses.h"

#include "base/buffer.h"
#include "counters.h"
#include "profile/losses.h"

#include <string.h>

/* That there were none takes no memory. */
static bool note_cause(struct profile *profile, enum python_status status, uint64_t count)
{
    cleanup_buffer struct buffer cause = {0};
    if (count == 0)
        return true;
    buffer_format(&cause, "stacks left out or with gaps: %s", python_status_text(status));
    return !cause.failed && profile_set_loss(profile, buffer_text(&cause), cause.len, count);
}

static bool note(struct profile *profile, const char *cause, uint64_t count)
{
    return count == 0 || profile_set_loss(profile, cause, strlen(cause), count);
}

/* Where there is a hole in the picture, and nothing is known. */
static bool note_stalls(struct profile *profile, const struct counters *counters)
{
    for (uint32_t i = 0; i < counters->stall_count; i++) {
        const struct stall *stall = &counters->stalls[i];
        cleanup_buffer struct buffer cause = {0};
        buffer_format(&cause, "intervals missed while pyspyc did not run, from second %.2f to %.2f",
                      (double)stall->begin_ns / 1e9, (double)stall->end_ns / 1e9);
        if (cause.failed || !note(profile, buffer_text(&cause), stall->intervals))
            return false;
    }
    return true;
}

bool losses_describe(const struct counters *counters, struct profile *profile)
{
    for (int status = 0; status < PYTHON_STATUS_COUNT; status++) {
        if (!note_cause(profile, (enum python_status)status, counters->unreadable_by_cause[status]))
            return false;
    }
    return note(profile, "intervals in which not every running thread could be read", counters->incomplete) &&
           note(profile, "intervals that were looked at late or not at all", counters->late) &&
           note_stalls(profile, counters) &&
           note(profile, "milliseconds for which the machine was suspended, which are no part of the recording",
                counters->suspended_ns / 1000000) &&
           note(profile, "samples without C frames, as the thread could not be stopped in time",
                counters->native_missing) &&
           note(profile, "samples with C frames left out that did not fit the Python frames",
                counters->native_unmatched) &&
           note(profile, "samples left out because we may not run where the program does", counters->elsewhere);
}
