/* SPDX-License-Identifier: MIT */
#include "target/departures.h"

#include "target/cpu.h"
#include "target/process.h"
#include "target/process_memory.h"
#include "target/stop.h"
#include "target/task.h"

#include <linux/perf_event.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 300, NAP_NS = 1000000, PATIENCE = 1000 };

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static void compute(void)
{
    volatile uint64_t number = 0;
    for (;;)
        number = 3 * number + 1;
}

/* Leaves its CPU some ten thousand times a second. */
static void sleep_often(void)
{
    for (;;)
        nanosleep(&(struct timespec){.tv_nsec = 1}, NULL);
}

/* A child on the CPU on which we are, and stay. */
static pid_t start(void (*work)(void))
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work();
        _exit(0);
    }
    return child;
}

static void end(pid_t child, struct departures *departures)
{
    departures_destroy(departures);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Waits until departures are noted; false when they may not be, as for most who are not root. */
static bool are_noted_soon(struct departures *departures, pid_t child)
{
    for (int i = 0; i < PATIENCE; i++) {
        departures_begin(departures, child);
        if (departures_are_noted(departures))
            return true;
        nap();
    }
    print_message("the kernel does not let us note departures\n");
    return false;
}

/* On a busy machine a thread may take longer to stop than a profiler waits. */
static void wait_long(struct stop *stop)
{
    stop_wait(stop, 1);
    for (int i = 0; i < PATIENCE && stop->state == STOP_OVERDUE; i++) {
        stop->state = STOP_ASKED;
        stop_wait(stop, 1);
    }
}

/* Whether the registers of a departure were those that ptrace then found. False, too: we were disturbed. */
static bool compare_with_ptrace(struct departures *departures, struct memory *memory, pid_t child)
{
    struct cpu_watch watch;
    struct registers noted, told;
    struct task task = TASK_NONE;
    struct stop stop;
    task.system_tid = child;
    nap();
    cpu_watch_begin(&watch);
    if (!departures_are_noted(departures) || !departures_read(departures, memory, &noted))
        return false;
    assert_true(stop_begin(&stop, &task));
    bool is_undisturbed = cpu_watch_is_undisturbed(&watch);
    wait_long(&stop);
    bool is_read = stop_read_registers(&stop, &told);
    assert_true(stop_end(&stop));
    if (!is_undisturbed || !is_read)
        return false;
    assert_memory_equal(noted.values, told.values, sizeof(told.values));
    return true;
}

/* How often of ROUNDS the registers of a child that does some work were known without a stop. */
static int count_compared(void (*work)(void))
{
    pid_t child = start(work);
    struct departures *departures = departures_create(true);
    cleanup_process struct process *process = NULL;
    cleanup_process_memory struct memory *memory = NULL;
    int compared = 0;
    assert_null(process_open("/proc", child, &process));
    assert_null(process_memory_create(process, &memory));
    assert_false(departures_are_noted(departures));
    bool are_noted = are_noted_soon(departures, child);
    for (int i = 0; i < ROUNDS && are_noted; i++)
        compared += compare_with_ptrace(departures, memory, child);
    end(child, departures);
    return are_noted ? compared : ROUNDS;
}

static void test_same_as_ptrace(void **state)
{
    (void)state;
    assert_true(count_compared(compute) > ROUNDS / 4);
}

#if !defined(__aarch64__)

/* The pc is in rcx all the time. */
static void jump(void)
{
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n1: jmp *%%rcx" : : : "rcx");
}

static void call_often(void)
{
    for (;;)
        getppid();
}

static void test_jump_is_no_system_call(void **state)
{
    (void)state;
    assert_true(count_compared(jump) > ROUNDS / 4);
}

/* Where its registers are said to be known, they are. */
static void test_system_call(void **state)
{
    (void)state;
    count_compared(call_often);
}

#endif

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Watches a child; returns for how many looks in a row at the end nothing was noted of it, for at most 0.8 s of them.
 */
static int watch(struct departures *departures)
{
    enum { LONGEST_NS = 800000000 };
    uint64_t noted_ns = now_ns();
    int calm = 0;
    for (int i = 0; i < PATIENCE && now_ns() < noted_ns + LONGEST_NS; i++) {
        departures_watch(departures);
        calm++;
        if (departures_are_noted(departures)) {
            noted_ns = now_ns();
            calm = 0;
        }
        nap();
    }
    return calm;
}

/* Each departure costs the thread something, so one that has many is left alone for a while. */
static void test_thread_that_leaves_often(void **state)
{
    (void)state;
    pid_t child = start(compute);
    struct departures *departures = departures_create(true);
    if (are_noted_soon(departures, child))
        assert_int_equal(watch(departures), 0);
    end(child, departures);

    child = start(sleep_often);
    departures = departures_create(true);
    if (are_noted_soon(departures, child))
        assert_true(watch(departures) > 10);
    end(child, departures);
}

/* Sleeps and computes in turn, several times in a nap of ours. */
static void doze(void)
{
    for (;;) {
        volatile uint64_t number = 0;
        for (int i = 0; i < 10000; i++)
            number = 3 * number + 1;
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS / 10}, NULL);
    }
}

/* How often of ROUNDS a child was told to have been busy from one look to the next; -1: nothing is noted. */
static int count_busy(void (*work)(void), bool with_registers)
{
    pid_t child = start(work);
    struct departures *departures = departures_create(with_registers);
    int busy = 0;
    assert_false(departures_are_noted(departures));
    assert_false(departures_tell_busy(departures));
    bool are_noted = are_noted_soon(departures, child);
    for (int i = 0; i < ROUNDS && are_noted; i++) {
        nap();
        departures_watch(departures);
        busy += departures_tell_busy(departures);
        departures_are_noted(departures);
    }
    end(child, departures);
    return are_noted ? busy : -1;
}

static void test_thread_that_is_busy(void **state)
{
    (void)state;
    for (int with_registers = 0; with_registers < 2; with_registers++) {
        int busy = count_busy(compute, with_registers);
        assert_true(busy < 0 || busy > ROUNDS / 4);
        /* On a busy machine, one that has no CPU for long does not get to its sleep. */
        assert_true(count_busy(doze, with_registers) < ROUNDS / 10);
        assert_true(count_busy(sleep_often, with_registers) < ROUNDS / 10);
    }
}

/* One that has to share its CPU with another is ready to run for half of the time. */
static void test_thread_that_shares_its_cpu(void **state)
{
    (void)state;
    pid_t other = start(compute);
    int busy = count_busy(compute, false);
    end(other, NULL);
    assert_true(busy < 0 || busy > ROUNDS / 4);
}

/* Checks something of a thread whose departures are noted without registers, if they may be. */
static void check_noted(void (*check)(struct departures *departures, pid_t child))
{
    pid_t child = start(compute);
    struct departures *departures = departures_create(false);
    if (are_noted_soon(departures, child))
        check(departures, child);
    end(child, departures);
}

/* Of a thread of which no registers are wanted there are none, though it has left its CPU. */
static void check_registers(struct departures *departures, pid_t child)
{
    struct registers registers;
    (void)child;
    assert_false(departures_read(departures, NULL, &registers));
}

static void check_rest(struct departures *departures, pid_t child)
{
    departures_rest(departures);
    assert_false(departures_are_noted(departures));
    assert_true(departures_begin(departures, child));
    assert_true(are_noted_soon(departures, child));
    assert_false(departures_begin(departures, child));
}

/* There is no such thread: asked about again a second later, and no sooner. */
static void check_wait(struct departures *departures, pid_t child)
{
    (void)child;
    departures_rest(departures);
    assert_true(departures_begin(departures, INT32_MAX));
    assert_false(departures_begin(departures, INT32_MAX));
}

static void check_end(struct departures *departures, pid_t child)
{
    departures_rest(departures);
    departures_end();
    assert_false(departures_begin(departures, child));
    departures_prepare(false);
    departures_prepare(true);
    assert_true(departures_begin(departures, child));
}

static void test_thread_that_is_noted(void **state)
{
    (void)state;
    check_noted(check_registers);
    check_noted(check_rest);
    check_noted(check_wait);
    check_noted(check_end);
}

/* Nobody waits for the kernel's first event: until there is one, nothing is noted. */
static void test_unprepared(void **state)
{
    (void)state;
    pid_t child = start(compute);
    struct departures *departures = departures_create(false);
    for (int i = 0; i < 3; i++) {
        assert_false(departures_begin(departures, child));
        assert_false(departures_are_noted(departures));
        nap();
    }
    end(child, departures);
    departures_prepare(false);
    departures_prepare(true);
}

static void test_thread_that_has_ended(void **state)
{
    (void)state;
    struct registers registers;
    pid_t child = start(compute);
    struct departures *departures = departures_create(true);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 3; i++)
        assert_false(departures_are_noted(departures));
    assert_false(departures_read(departures, NULL, &registers));
    departures_destroy(departures);
    departures_destroy(NULL);

    child = start(compute);
    departures = departures_create(true);
    if (are_noted_soon(departures, child)) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        departures_watch(departures);
        departures_are_noted(departures);
    }
    end(child, departures);
}

struct record {
    struct perf_event_header header;
    uint64_t abi;
    uint64_t words[REGISTER_COUNT];
};

static struct record make_record(void)
{
    struct record record = {.header = {PERF_RECORD_SAMPLE, 0, DEPARTURE_LEN}, .abi = PERF_SAMPLE_REGS_ABI_64};
    for (uint64_t i = 0; i < REGISTER_COUNT; i++)
        record.words[i] = 100 + i;
    return record;
}

/* Of a thread whose memory has nothing but these bytes. */
static enum memory_status read_bytes(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                     size_t *ret_done);

struct bytes {
    struct memory memory;
    unsigned char bytes[2];
};

static const struct memory_ops bytes_ops = {.read = read_bytes};

static enum memory_status read_bytes(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                     size_t *ret_done)
{
    const struct bytes *bytes = (const struct bytes *)memory;
    bool is_whole = count == 1 && pieces[0].len == sizeof(bytes->bytes);
    if (is_whole)
        memcpy(pieces[0].destination, bytes->bytes, sizeof(bytes->bytes));
    *ret_done = is_whole;
    return is_whole ? MEMORY_OK : MEMORY_FAULT;
}

static bool parse_behind(const struct record *record, unsigned char first, unsigned char second, struct registers *ret)
{
    struct bytes bytes = {.memory.ops = &bytes_ops, .bytes = {first, second}};
    return departure_parse((const unsigned char *)record, &bytes.memory, ret);
}

static bool parse(const struct record *record, struct registers *ret)
{
    return parse_behind(record, 0x0f, 0x05, ret);
}

static void test_records(void **state)
{
    (void)state;
    struct registers registers;
    struct record record = make_record();
    assert_true(parse(&record, &registers));
    assert_int_equal(registers.system_call, -1);
#if !defined(__aarch64__)
    /* ax, bx, cx, dx, si, di, bp, sp, ip, r8 to r15 */
    static const int order[REGISTER_COUNT] = {0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15};
    for (uint64_t i = 0; i < REGISTER_COUNT; i++)
        assert_int_equal(registers.values[order[i]], 100 + i);

    record.words[2] = record.words[8]; /* rcx: a system call */
    assert_false(parse(&record, &registers));
    assert_true(parse_behind(&record, 0xff, 0xe1, &registers)); /* a jump */

    static const int preserved[] = {1, 13, 14, 15, 16}; /* but for bp, which some kernels had alone */
    record = make_record();
    for (size_t i = 0; i < sizeof(preserved) / sizeof(preserved[0]); i++)
        record.words[preserved[i]] = UINT64_MAX;
    assert_false(parse(&record, &registers));
#endif
    record = make_record();
    record.header.type = PERF_RECORD_THROTTLE;
    assert_false(parse(&record, &registers));
    record = make_record();
    record.header.size += 8;
    assert_false(parse(&record, &registers));
    record = make_record();
    record.abi = PERF_SAMPLE_REGS_ABI_32;
    assert_false(parse(&record, &registers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unprepared), /* the first: it prepares for the others */
        cmocka_unit_test(test_same_as_ptrace),
#if !defined(__aarch64__)
        cmocka_unit_test(test_jump_is_no_system_call),
        cmocka_unit_test(test_system_call),
#endif
        cmocka_unit_test(test_thread_that_leaves_often),
        cmocka_unit_test(test_thread_that_is_busy),
        cmocka_unit_test(test_thread_that_shares_its_cpu),
        cmocka_unit_test(test_thread_that_is_noted),
        cmocka_unit_test(test_thread_that_has_ended),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
