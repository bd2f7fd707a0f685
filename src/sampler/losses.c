/* SPDX-License-Identifier: MIT */
#include "losses.h"

#include "base/buffer.h"
#include "counters.h"
#include "profile/losses.h"

#include <string.h>

static bool note(struct profile *profile, const char *cause, uint64_t count)
{
    return count == 0 || profile_set_loss(profile, cause, strlen(cause), count);
}

bool losses_describe(const struct counters *counters, struct profile *profile)
{
    for (int status = 0; status < PYTHON_STATUS_COUNT; status++) {
        cleanup_buffer struct buffer cause = {0};
        buffer_format(&cause, "stacks left out or with gaps: %s", python_status_text((enum python_status)status));
        if (cause.failed || !note(profile, buffer_text(&cause), counters->unreadable_by_cause[status]))
            return false;
    }
    return note(profile, "intervals in which not every running thread could be read", counters->incomplete) &&
           note(profile, "intervals that were looked at late or not at all", counters->late) &&
           note(profile, "samples without C frames, as the thread could not be stopped in time",
                counters->native_missing) &&
           note(profile, "samples with C frames left out that did not fit the Python frames",
                counters->native_unmatched) &&
           note(profile, "samples left out because we may not run where the program does", counters->elsewhere);
}
