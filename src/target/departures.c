/* SPDX-License-Identifier: MIT */
#include "target/departures.h"

#include "base/cleanup.h"
#include "clock.h"
#include "descriptor.h"

#include <asm/perf_regs.h>
#if !defined(__aarch64__)
#include <cpuid.h>
#endif
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint64_t WAIT_LIMIT_NS = UINT64_C(64000000000);

enum {
    WAIT_NS = 1000000000,
    COUNT_NS = 100000000,
    COUNT_LIMIT = 100, /* departures in that time beyond those that we caused */
    RECORD_LIMIT = 16, /* that are looked through: less than the ring buffer has */
    SWITCH_LIMIT = 2,  /* records that may be in front of that of a departure */
    SWITCH_LEN = 8,    /* bytes of the record of one leaving its CPU, or being given one */
};

struct departures {
    bool with_registers;
    int event;         /* -1: none is written down */
    const void *pages; /* the event's ring buffer */
    uint64_t head;     /* of the ring buffer, when it was watched last: it falls with each record */
    uint64_t looks;    /* since count_ns, each of which may have made the thread leave its CPU, */
    uint64_t written;  /* and the bytes of records of that time */
    uint64_t count_ns;
    uint64_t retry_ns; /* before which it is not asked for again, */
    uint64_t wait_ns;  /* and how long after the next failure */
    bool is_off;       /* it was taken off its CPU when it was watched last, */
    bool is_busy;      /* and was running or ready to all the time before */
};

#if defined(__aarch64__)

/* DWARF's numbers are perf's: Linux arch/arm64/include/uapi/asm/perf_regs.h */
static const unsigned char perf_numbers[REGISTER_COUNT] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                           11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                           22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static bool are_enough(const struct registers *registers, struct memory *memory)
{
    (void)registers;
    (void)memory;
    return true;
}

static bool is_told_system_calls(void)
{
    return true;
}

#else

/* By DWARF's numbers: Linux arch/x86/include/uapi/asm/perf_regs.h */
static const unsigned char perf_numbers[REGISTER_COUNT] = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,  PERF_REG_X86_SI,  PERF_REG_X86_DI,
    PERF_REG_X86_BP,  PERF_REG_X86_SP,  PERF_REG_X86_R8,  PERF_REG_X86_R9,  PERF_REG_X86_R10, PERF_REG_X86_R11,
    PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14, PERF_REG_X86_R15, PERF_REG_X86_IP,
};

/*
 * Kernels before 5.11 did not know the registers that a function has to preserve, or only rbp, and had -1 for each
 * (Linux 4.4, 5.4 arch/x86/kernel/perf_regs.c: perf_get_regs_user()).
 */
static bool are_whole(const struct registers *registers)
{
    static const unsigned char preserved[] = {3, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof(preserved); i++) {
        if (registers->values[preserved[i]] != UINT64_MAX)
            return true;
    }
    return false;
}

/*
 * In a system call, or behind one, the pc is in rcx, too, and SYSCALL, 0f 05, stands in front of it (Intel's manual,
 * volume 2, SYSCALL). So it is behind a jump by way of rcx, with which some interpreters begin each instruction.
 */
static bool may_be_in_call(const struct registers *registers, struct memory *memory)
{
    enum { CX = 2 };
    static const unsigned char syscall_code[] = {0x0f, 0x05};
    unsigned char code[sizeof(syscall_code)];
    remote_addr pc = registers->values[REGISTER_PC];
    return registers->values[CX] == pc && (memory_read(memory, pc - sizeof(code), code, sizeof(code)) != MEMORY_OK ||
                                           memcmp(code, syscall_code, sizeof(code)) == 0);
}

/* Which system call it is only ptrace tells: orig_rax is not among perf's registers. */
static bool are_enough(const struct registers *registers, struct memory *memory)
{
    return are_whole(registers) && !may_be_in_call(registers, memory);
}

/* Not on processors with FRED, which leave rcx as it is: Linux 6.9 arch/x86/include/asm/cpufeatures.h,
 * X86_FEATURE_FRED. */
static bool is_told_system_calls(void)
{
    unsigned eax, ebx, ecx, edx;
    return !__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) || (eax >> 17 & 1) == 0;
}

#endif

static uint64_t register_mask(void)
{
    uint64_t mask = 0;
    for (int i = 0; i < REGISTER_COUNT; i++)
        mask |= UINT64_C(1) << perf_numbers[i];
    return mask;
}

/*
 * The newest record is the one at the head, and an old one is overwritten: nobody reads them all. In front of that of a
 * departure is then one that tells why it left, and when it has a CPU again, a further one (Linux kernel/events/core.c:
 * perf_event_task_sched_out(), perf_event_switch()).
 */
static int open_event(pid_t tid, bool with_registers)
{
    struct perf_event_attr attributes = {
        .size = sizeof(attributes),
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_DUMMY,
        .exclude_kernel = 1, /* so far more may ask for it */
        .write_backward = 1,
        .context_switch = 1,
    };
    if (with_registers) {
        attributes.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
        attributes.sample_period = 1;
        attributes.sample_type = PERF_SAMPLE_REGS_USER;
        attributes.sample_regs_user = register_mask();
        attributes.exclude_kernel = 0;
    }
    if (with_registers && !is_told_system_calls())
        return -1;
    return descriptor_keep((int)syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

/* A page that tells where the newest record is, and one of records. */
static size_t ring_len(void)
{
    return 2 * (size_t)sysconf(_SC_PAGESIZE);
}

static void close_event(struct departures *departures)
{
    if (departures->pages)
        munmap((void *)(uintptr_t)departures->pages, ring_len());
    cleanup_close_fd(&departures->event);
    *departures = (struct departures){
        .with_registers = departures->with_registers,
        .event = -1,
        .retry_ns = departures->retry_ns,
        .wait_ns = departures->wait_ns,
    };
}

/* For a while, and the next time for longer. */
static void give_up(struct departures *departures)
{
    close_event(departures);
    departures->retry_ns = clock_now_ns() + departures->wait_ns;
    if (departures->wait_ns < WAIT_LIMIT_NS)
        departures->wait_ns *= 2;
}

/* Events of our own, without and with registers, that are there while others are. */
static atomic_int own_events[] = {-1, -1};

void departures_prepare(bool with_registers)
{
    int none = -1;
    if (atomic_load(&own_events[with_registers]) >= 0)
        return;
    cleanup_fd int event = open_event(0, with_registers);
    if (atomic_compare_exchange_strong(&own_events[with_registers], &none, event))
        event = -1;
}

void departures_end(void)
{
    for (size_t i = 0; i < array_size(own_events); i++) {
        int event = atomic_exchange(&own_events[i], -1);
        cleanup_close_fd(&event);
    }
}

bool departures_begin(struct departures *departures, pid_t tid)
{
    if (departures->event >= 0 || atomic_load(&own_events[departures->with_registers]) < 0)
        return false;
    uint64_t now = clock_now_ns();
    if (now < departures->retry_ns)
        return false;
    departures->event = open_event(tid, departures->with_registers);
    departures->count_ns = now;
    void *pages =
        departures->event < 0 ? MAP_FAILED : mmap(NULL, ring_len(), PROT_READ, MAP_SHARED, departures->event, 0);
    if (pages == MAP_FAILED)
        give_up(departures);
    else
        departures->pages = pages;
    return true;
}

void departures_rest(struct departures *departures)
{
    close_event(departures);
}

bool departures_may_be_noted(void)
{
    cleanup_fd int event = open_event(0, true);
    return event >= 0;
}

struct departures *departures_create(bool with_registers)
{
    struct departures *departures = malloc(sizeof(*departures));
    if (departures)
        *departures = (struct departures){.with_registers = with_registers, .event = -1, .wait_ns = WAIT_NS};
    return departures;
}

void departures_destroy(struct departures *departures)
{
    if (departures)
        close_event(departures);
    free(departures);
}

static uint64_t read_head(const struct departures *departures)
{
    const struct perf_event_mmap_page *page = departures->pages;
    return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

/* Copies what begins so far into the ring buffer, which goes on at its start behind its end. */
static void copy_record(const struct departures *departures, uint64_t at, void *record, size_t record_len)
{
    size_t len = ring_len() / 2, start = at % len, until_end = len - start < record_len ? len - start : record_len;
    const unsigned char *records = (const unsigned char *)departures->pages + len;
    memcpy(record, records + start, until_end);
    memcpy((unsigned char *)record + until_end, records, record_len - until_end);
}

static bool is_switch(const struct perf_event_header *header)
{
    return header->type == PERF_RECORD_SWITCH && header->size == SWITCH_LEN;
}

static bool is_leaving(const struct perf_event_header *header)
{
    return is_switch(header) && (header->misc & PERF_RECORD_MISC_SWITCH_OUT) != 0;
}

/* Linux 4.17 include/uapi/linux/perf_event.h: of a thread that was running when it left, and so can run on. */
static bool is_taken_off(const struct perf_event_header *header)
{
    return is_leaving(header) && (header->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0;
}

/* Whether a thread is off its CPU as it was taken off. */
static bool is_off(const struct departures *departures, uint64_t head)
{
    struct perf_event_header header;
    if (head == 0)
        return false;
    copy_record(departures, head, &header, sizeof(header));
    return is_taken_off(&header);
}

/* Whether each time that a thread left its CPU since the last watch it was taken off. False when they are too many. */
static bool was_always_taken_off(const struct departures *departures, uint64_t head)
{
    uint64_t at = head;
    for (int i = 0; at != departures->head; i++) {
        struct perf_event_header header;
        copy_record(departures, at, &header, sizeof(header));
        if (i == RECORD_LIMIT || header.size == 0 || header.size > departures->head - at ||
            (is_leaving(&header) && !is_taken_off(&header)))
            return false;
        at += header.size;
    }
    return true;
}

/* Of all that is written from one departure to the next. */
static uint64_t turn_len(const struct departures *departures)
{
    return (departures->with_registers ? DEPARTURE_LEN : 0) + 2 * SWITCH_LEN;
}

bool departures_tell_busy(const struct departures *departures)
{
    return departures->is_busy && read_head(departures) == departures->head;
}

void departures_watch(struct departures *departures)
{
    if (departures->event < 0)
        return;
    uint64_t head = read_head(departures), written = departures->head - head, now = clock_now_ns();
    bool was_off = departures->is_off;
    departures->is_off = is_off(departures, head);
    departures->is_busy = was_off && departures->is_off && was_always_taken_off(departures, head);
    departures->written += written;
    departures->head = head;
    uint64_t passed_ns = now - departures->count_ns;
    if (passed_ns < COUNT_NS)
        return;
    if (departures->written / turn_len(departures) > departures->looks + COUNT_LIMIT * passed_ns / COUNT_NS) {
        give_up(departures);
        return;
    }
    departures->written = departures->looks = 0;
    departures->count_ns = now;
}

bool departures_are_noted(struct departures *departures)
{
    if (departures->event < 0)
        return false;
    departures->looks++;
    return read_head(departures) != 0;
}

bool departure_parse(const unsigned char record[DEPARTURE_LEN], struct memory *memory, struct registers *ret)
{
    struct perf_event_header header;
    uint64_t abi, words[REGISTER_COUNT];
    struct registers registers = {.system_call = -1};
    memcpy(&header, record, sizeof(header));
    memcpy(&abi, record + sizeof(header), sizeof(abi));
    memcpy(words, record + sizeof(header) + sizeof(abi), sizeof(words));
    if (header.type != PERF_RECORD_SAMPLE || header.size != DEPARTURE_LEN || abi != PERF_SAMPLE_REGS_ABI_64)
        return false;
    /* They stand in the order of perf's numbers. */
    const uint64_t mask = register_mask();
    for (int i = 0; i < REGISTER_COUNT; i++)
        registers.values[i] = words[__builtin_popcountll(mask & ((UINT64_C(1) << perf_numbers[i]) - 1))];
    if (!are_enough(&registers, memory))
        return false;
    *ret = registers;
    return true;
}

bool departures_read(const struct departures *departures, struct memory *memory, struct registers *ret)
{
    unsigned char record[DEPARTURE_LEN];
    struct perf_event_header header;
    if (departures->event < 0 || !departures->with_registers)
        return false;
    uint64_t at = read_head(departures);
    if (at == 0)
        return false;
    copy_record(departures, at, &header, sizeof(header));
    for (int i = 0; i < SWITCH_LIMIT && is_switch(&header); i++) {
        at += SWITCH_LEN;
        copy_record(departures, at, &header, sizeof(header));
    }
    copy_record(departures, at, record, sizeof(record));
    return departure_parse(record, memory, ret);
}
