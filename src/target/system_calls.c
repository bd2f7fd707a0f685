/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "target/waiting.h"

/* Made of the <sys/syscall.h> that we are built with: names by their numbers, with gaps. */
static const char *const names[] = {
#include "system_calls.inc"
};

const char *system_call_name(uint64_t number)
{
    return number < array_size(names) ? names[number] : NULL;
}
