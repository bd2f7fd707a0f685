/* SPDX-License-Identifier: MIT */
#include "target/proc_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Numbers of fields as proc(5) counts them, from 1. */
    FIELD_STATE = 3,
    FIELD_FLAGS = 9,
    FIELD_START_TIME = 22,
    FIELD_CODE_START = 26,
    FIELD_STACK_START = 28,
    FIELD_CPU = 39,
    FIELD_POLICY = 41,
    FLAG_FORKED = 0x40,    /* PF_FORKNOEXEC */
    FLAG_ENDING = 4,       /* Linux include/linux/sched.h: PF_EXITING */
    NUMBER_LEN_LIMIT = 24, /* characters */
};

/* Reads the number at the start of [at, end), which need not be followed by a NUL. */
static bool parse_number(const char *at, const char *end, int base, uint64_t *ret)
{
    char digits[NUMBER_LEN_LIMIT + 1];
    size_t len = 0;
    while (at + len < end && len < NUMBER_LEN_LIMIT && (isxdigit((unsigned char)at[len]) || at[len] == '-'))
        len++;
    memcpy(digits, at, len);
    digits[len] = '\0';
    char *stop;
    uint64_t number = strtoull(digits, &stop, base);
    if (stop == digits)
        return false;
    *ret = number;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* Moves to the start of the field that is `count` fields further on; NULL when there are not that many. */
static const char *skip_fields(const char *at, const char *end, int count)
{
    while (at && count-- > 0) {
        at = memchr(at, ' ', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return at;
}

bool proc_stat_parse(const char *text, size_t len, struct proc_stat *ret)
{
    const char *end = text + len;
    const char *name_end = memrchr(text, ')', len);
    if (!name_end || end - name_end < 3 || name_end[1] != ' ' || !isalpha((unsigned char)name_end[2]))
        return false;
    const char *state = name_end + 2;
    const char *flags = skip_fields(state, end, FIELD_FLAGS - FIELD_STATE);
    const char *start_time = skip_fields(flags, end, FIELD_START_TIME - FIELD_FLAGS);
    const char *code_start = skip_fields(start_time, end, FIELD_CODE_START - FIELD_START_TIME);
    const char *stack_start = skip_fields(code_start, end, FIELD_STACK_START - FIELD_CODE_START);
    const char *cpu = skip_fields(stack_start, end, FIELD_CPU - FIELD_STACK_START);
    const char *policy = skip_fields(cpu, end, FIELD_POLICY - FIELD_CPU);
    uint64_t flag_bits, cpu_number, policy_number;
    struct proc_stat stat = {.state = *state};
    if (!policy || !parse_number(flags, end, 10, &flag_bits) || !parse_number(start_time, end, 10, &stat.start_time) ||
        !parse_number(code_start, end, 10, &stat.code_start) ||
        !parse_number(stack_start, end, 10, &stat.stack_start) || !parse_number(cpu, end, 10, &cpu_number) ||
        !parse_number(policy, end, 10, &policy_number))
        return false;
    stat.is_ending = flag_bits & FLAG_ENDING;
    stat.is_forked = flag_bits & FLAG_FORKED;
    stat.cpu = (int32_t)cpu_number;
    stat.policy = (uint32_t)policy_number;
    *ret = stat;
    return true;
}

/* Finds the content of a field of a status text, without the blanks before it; NULL when there is no such field. */
static const char *find_status_field(const char *text, const char *end, const char *field)
{
    size_t field_len = strlen(field);
    for (const char *line = text; line && line < end; line = memchr(line, '\n', (size_t)(end - line))) {
        if (*line == '\n' && ++line == end)
            break;
        size_t left = (size_t)(end - line);
        if (left <= field_len || memcmp(line, field, field_len) != 0 || line[field_len] != ':')
            continue;
        return skip_blanks(line + field_len + 1, end);
    }
    return NULL;
}

bool proc_status_number(const char *text, size_t len, const char *field, int base, uint64_t *ret)
{
    const char *at = find_status_field(text, text + len, field);
    return at && parse_number(at, text + len, base, ret);
}

uint32_t proc_status_numbers(const char *text, size_t len, const char *field, uint64_t *ret, uint32_t limit)
{
    const char *end = text + len;
    const char *at = find_status_field(text, end, field);
    uint32_t count = 0;
    while (at && at < end && *at != '\n') {
        if (count == limit || !isdigit((unsigned char)*at) || !parse_number(at, end, 10, &ret[count]))
            return 0;
        count++;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        if (at < end && !is_blank(*at) && *at != '\n')
            return 0;
        at = skip_blanks(at, end);
    }
    return count;
}

bool proc_syscall_parse(const char *text, struct proc_syscall *ret)
{
    char *at;
    struct proc_syscall call = {.number = strtoull(text, &at, 10)};
    if (!isdigit((unsigned char)*text))
        return false;
    for (size_t i = 0; i < PROC_SYSCALL_ARGUMENTS + 2; i++) {
        char *end;
        if (*at != ' ')
            return false;
        uint64_t number = strtoull(at, &end, 16);
        if (end == at)
            return false;
        if (i < PROC_SYSCALL_ARGUMENTS)
            call.arguments[i] = number;
        else if (i == PROC_SYSCALL_ARGUMENTS)
            call.sp = number;
        else
            call.pc = number;
        at = end;
    }
    *ret = call;
    return true;
}

bool proc_sched_stamp(const char *text, int64_t *ret_ns)
{
    static const char name[] = "\nse.exec_start";
    enum { PLACES = 6, MS_DIGITS = 12 };
    const char *at = strstr(text, name);
    uint64_t number = 0;
    int places = -1;
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return false;
    at++;
    at += strspn(at, " ");
    for (int digits = 0; (isdigit((unsigned char)*at) || (*at == '.' && places < 0)) && places < PLACES; at++) {
        if (digits++ > MS_DIGITS + PLACES)
            return false;
        if (*at != '.')
            number = number * 10 + (uint64_t)(*at - '0');
        if (*at == '.' || places >= 0)
            places++;
    }
    if (places != PLACES)
        return false;
    *ret_ns = (int64_t)number;
    return true;
}

bool proc_schedstat_parse(const char *text, struct proc_schedstat *ret)
{
    char *run_end, *wait_end, *end;
    uint64_t run_ns = strtoull(text, &run_end, 10);
    if (*run_end != ' ')
        return false;
    uint64_t wait_ns = strtoull(run_end, &wait_end, 10);
    if (*wait_end != ' ')
        return false;
    uint64_t runs = strtoull(wait_end, &end, 10);
    if (runs == 0 || *end != '\n')
        return false;
    *ret = (struct proc_schedstat){.run_ns = run_ns, .wait_ns = wait_ns, .runs = runs};
    return true;
}
