/* SPDX-License-Identifier: MIT */
/*
 * The texts of /proc that are not maps, each parser on the same text.
 *
 * For: src/target/proc_text.c
 * Options: -max_len=1024
 */
#include "target/proc_text.h"

#include "base/cleanup.h"
#include "input.h"

enum { NUMBERS = 4 };

static void check_numbers(const char *text, size_t len, const char *field)
{
    uint64_t numbers[NUMBERS], first;
    uint32_t count = proc_status_numbers(text, len, field, numbers, NUMBERS);
    check(count <= NUMBERS);
    if (count > 0)
        check(proc_status_number(text, len, field, 10, &first) && first == numbers[0]);
    proc_status_number(text, len, field, 16, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct proc_stat stat;
    struct proc_schedstat schedstat;
    struct proc_syscall call;
    int64_t stamp;
    cleanup_free char *text = input_string(bytes, len);
    if (proc_stat_parse(text, len, &stat))
        proc_stat_lives(&stat);
    check_numbers(text, len, "Uid");
    check_numbers(text, len, "NSpid");
    proc_schedstat_parse(text, &schedstat);
    proc_syscall_parse(text, &call);
    proc_sched_stamp(text, &stamp);
    return 0;
}
