/* SPDX-License-Identifier: MIT */
#include "dump_waits.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "profile/process_dump.h"
#include "python/lock.h"
#include "session.h"
#include "target/children.h"
#include "target/open_file.h"
#include "target/process_memory.h"
#include "target/sleep_clock.h"
#include "target/sockets.h"
#include "target/waiting.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>

enum {
    PATH_STEP = 64,          /* bytes of a path read at a time: a divisor of the page's length */
    CHILD_LIMIT = 64,        /* children whose command lines are looked up */
    MISTAKE_NS = 1000000000, /* by so much the time that a thread has slept may seem too long or too short */
    LOCKED_WITH_WAITERS = 2,
    MUTEX_KINDS = 4,
    MUTEX_FLAGS = 0x3f0,
};

struct dump_sleeper {
    uint64_t os_id;
    struct sleep_start start;
};

void dump_waits_init(struct dump_waits *waits, const struct process *process)
{
    *waits = (struct dump_waits){.process = process};
    cleanup_error struct error *error = process_memory_create(process, &waits->memory);
    if (error)
        waits->memory = NULL;
}

void dump_waits_deinit(struct dump_waits *waits)
{
    process_memory_destroy(waits->memory);
    free(waits->sleepers);
    *waits = (struct dump_waits){0};
}

/* What one thread waits for, while that is read. */
struct reading {
    struct memory *memory;
    struct session *session;
    const struct sampled_thread *thread;
    const struct waiting *waiting;
    struct dump_wait *wait;
};

/* Notes whom a thread waits for, if that is one of those which can be told from others. */
static void set_owner(const struct reading *reading, const struct sampled_thread *owner)
{
    reading->wait->owner = owner->id;
    reading->wait->owner_os_id = owner->task.tid > 0 ? (uint64_t)owner->task.tid : 0;
}

static void set_owner_by_id(const struct reading *reading, uint64_t id)
{
    uint32_t count;
    const struct sampled_thread *threads = session_threads(reading->session, &count);
    for (uint32_t i = 0; id != 0 && i < count; i++) {
        if (threads[i].id == id) {
            set_owner(reading, &threads[i]);
            return;
        }
    }
}

/* By the number by which the thread knows itself. One that runs no Python has no other name. */
static bool set_owner_by_number(const struct reading *reading, uint32_t number)
{
    uint32_t count;
    const struct sampled_thread *threads = session_threads(reading->session, &count);
    const struct process *process = reading->thread->task.process;
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i].inner == (pid_t)number && number != 0) {
            set_owner(reading, &threads[i]);
            return true;
        }
    }
    struct task task;
    if (number == 0 || number > INT32_MAX || process->has_inner_ids)
        return false;
    cleanup_error struct error *error = task_init(&task, process, (pid_t)number);
    if (!error)
        reading->wait->owner_os_id = number;
    task_deinit(&task);
    return !error;
}

/* glibc 2.2 to 2.43 sysdeps/nptl/bits/struct_mutex.h, the kind by nptl/pthreadP.h. */
struct mutex_head {
    uint32_t lock, count, owner, user_count;
    int32_t kind;
};

/*
 * A mutex of glibc at which threads wait has 2 in its first word; nothing tells it from other things that have the
 * same, but that the thread which it names is there.
 */
static void read_mutex(const struct reading *reading)
{
    struct mutex_head mutex;
    const struct waiting *waiting = reading->waiting;
    if (waiting->is_futex_with_tid) {
        uint32_t word;
        if (memory_read_u32(reading->memory, waiting->futex, &word) == MEMORY_OK)
            set_owner_by_number(reading, word & FUTEX_TID_MASK);
        return;
    }
    if (waiting->futex_value != LOCKED_WITH_WAITERS ||
        memory_read(reading->memory, waiting->futex, &mutex, sizeof(mutex)) != MEMORY_OK ||
        mutex.lock != LOCKED_WITH_WAITERS || (mutex.kind & ~MUTEX_FLAGS) < 0 ||
        (mutex.kind & ~MUTEX_FLAGS) >= MUTEX_KINDS)
        return;
    set_owner_by_number(reading, mutex.owner);
}

static void read_futex(const struct reading *reading)
{
    struct python_lock lock;
    const struct python *python = session_python(reading->session);
    const struct python_thread *thread = reading->thread->python;
    const struct python_frame *frame = thread->frame_count > 0 ? &python_frames(python)[thread->first_frame] : NULL;
    reading->wait->kind = WAIT_FUTEX;
    reading->wait->address = reading->waiting->futex;
    if (!python_find_lock(python, reading->memory, frame, reading->waiting->futex, &lock)) {
        read_mutex(reading);
        return;
    }
    reading->wait->kind = lock.is_thread ? WAIT_THREAD : WAIT_LOCK;
    reading->wait->address = lock.object;
    reading->wait->target = dump_text_copy(lock.type, strlen(lock.type));
    set_owner_by_id(reading, lock.owner);
}

static void read_files(const struct reading *reading)
{
    const struct waiting *waiting = reading->waiting;
    struct dump_wait *wait = reading->wait;
    cleanup_buffer struct buffer target = {0};
    wait->kind = WAIT_IO;
    wait->poller = waiting->poller;
    wait->more_files = waiting->more_files;
    wait->files = calloc(waiting->file_count > 0 ? waiting->file_count : 1, sizeof(*wait->files));
    for (uint32_t i = 0; wait->files && i < waiting->file_count; i++) {
        struct dump_file *file = &wait->files[wait->file_count++];
        file->number = waiting->files[i];
        if (open_file_read(&reading->thread->task, file->number, &target))
            file->target = dump_text_copy(buffer_text(&target), target.len);
    }
}

static void read_path(const struct reading *reading)
{
    char path[PATH_MAX];
    remote_addr address = reading->waiting->path;
    size_t len = 0;
    reading->wait->kind = WAIT_IO;
    while (len < sizeof(path)) {
        size_t step = PATH_STEP - (address + len) % PATH_STEP;
        step = step < sizeof(path) - len ? step : sizeof(path) - len;
        if (memory_read(reading->memory, address + len, path + len, step) != MEMORY_OK)
            return;
        const char *end = memchr(path + len, '\0', step);
        if (end) {
            reading->wait->target = dump_text_copy(path, (size_t)(end - path));
            return;
        }
        len += step;
    }
}

static void read_child(const struct reading *reading)
{
    const struct waiting *waiting = reading->waiting;
    reading->wait->kind = WAIT_CHILD;
    reading->wait->pid = waiting->shown_child;
    if (waiting->child > 0) {
        pid_t shown = children_find(reading->thread->task.process, (pid_t)waiting->child);
        reading->wait->pid = shown > 0 ? shown : -1;
    }
}

static enum dump_wait_action action_of(enum waiting_action action)
{
    switch (action) {
    case WAITING_TO_READ:
        return WAIT_TO_READ;
    case WAITING_TO_WRITE:
        return WAIT_TO_WRITE;
    case WAITING_TO_ACCEPT:
        return WAIT_TO_ACCEPT;
    case WAITING_TO_CONNECT:
        return WAIT_TO_CONNECT;
    case WAITING_TO_LOCK:
        return WAIT_TO_LOCK;
    case WAITING_TO_SYNC:
        return WAIT_TO_SYNC;
    case WAITING_TO_OPEN:
        return WAIT_TO_OPEN;
    case WAITING_FOR_EVENTS:
        return WAIT_FOR_EVENTS;
    case WAITING_TO_DO:
        break;
    }
    return WAIT_TO_DO;
}

static void read_details(const struct reading *reading)
{
    switch (reading->waiting->kind) {
    case WAITING_FOR_FUTEX:
        read_futex(reading);
        break;
    case WAITING_FOR_FILES:
        read_files(reading);
        break;
    case WAITING_FOR_PATH:
        read_path(reading);
        break;
    case WAITING_FOR_TIME:
        reading->wait->kind = WAIT_SLEEP;
        break;
    case WAITING_FOR_CHILD:
        read_child(reading);
        break;
    case WAITING_FOR_CALL:
        reading->wait->kind = WAIT_SYSCALL;
        break;
    }
}

/* Whether a thread has slept since its state was read, which was before its stack was. */
static bool has_slept(struct sampled_thread *thread)
{
    struct task_times times;
    return thread->run_ns != 0 && task_read_times(&thread->task, &times) && times.run_ns == thread->run_ns;
}

static void read_gil(struct session *session, const struct sampled_thread *thread, struct dump_wait *ret)
{
    uint32_t gil_count, count;
    const struct python_gil *gils = python_gils(session_python(session), &gil_count);
    const struct sampled_thread *threads = session_threads(session, &count);
    *ret = (struct dump_wait){
        .kind = WAIT_GIL,
        .action = WAIT_TO_DO,
        .system_call = "futex",
        .remaining_ns = -1,
        .limit_ns = -1,
        .pid = -1,
        .poller = -1,
    };
    for (uint32_t i = 0; i < count; i++) {
        const struct python_gil *gil = thread->python->gil < gil_count ? &gils[thread->python->gil] : NULL;
        if (!gil || !gil->is_locked || threads[i].address != gil->last_holder)
            continue;
        ret->owner = threads[i].id;
        ret->owner_os_id = threads[i].task.tid > 0 ? (uint64_t)threads[i].task.tid : 0;
    }
}

/* Notes when a thread fell asleep, for the end, as it takes looking at CPUs to make a time of it. */
static void note_sleeper(struct dump_waits *waits, const struct sampled_thread *thread, const struct dump_wait *wait)
{
    struct dump_sleeper sleeper = {.os_id = (uint64_t)thread->task.tid};
    if (wait->limit_ns < 0 || !sleep_start_read(&thread->task, &sleeper.start) ||
        !array_grow(&waits->sleepers, waits->sleeper_count, &waits->sleeper_capacity, sizeof(*waits->sleepers)))
        return;
    waits->sleepers[waits->sleeper_count++] = sleeper;
}

void dump_waits_read(struct dump_waits *waits, struct session *session, struct sampled_thread *thread,
                     struct dump_thread *ret)
{
    struct waiting waiting;
    struct dump_wait wait = {.remaining_ns = -1, .limit_ns = -1, .pid = -1, .poller = -1};
    if (thread->waits_for_gil) {
        read_gil(session, thread, &ret->wait);
        return;
    }
    if (!waits->memory || thread->is_active || thread->has_ended || thread->task.tid <= 0 || !has_slept(thread) ||
        !waiting_read(&thread->task, waits->memory, &waiting))
        return;
    const struct reading reading = {waits->memory, session, thread, &waiting, &wait};
    wait.action = action_of(waiting.action);
    wait.system_call = waiting.system_call;
    wait.remaining_ns = waiting.remaining_ns;
    wait.limit_ns = waiting.limit_ns;
    read_details(&reading);
    note_sleeper(waits, thread, &wait);
    if (has_slept(thread))
        ret->wait = wait;
    else
        dump_wait_deinit(&wait);
}

static void replace_text(struct dump_text *text, const struct buffer *buffer)
{
    struct dump_text copy = dump_text_copy(buffer_text(buffer), buffer->len);
    if (!copy.bytes)
        return;
    free(text->bytes);
    *text = copy;
}

static void describe_sockets(struct sockets *sockets, struct dump_wait *wait)
{
    cleanup_buffer struct buffer text = {0};
    uint64_t inode;
    for (uint32_t i = 0; i < wait->file_count; i++) {
        struct dump_text *target = &wait->files[i].target;
        if (target->bytes && open_file_is_socket(target->bytes, &inode) && sockets_describe(sockets, inode, &text))
            replace_text(target, &text);
    }
}

static void describe_child(const struct process *parent, struct dump_wait *wait)
{
    cleanup_process struct process *child = NULL;
    cleanup_buffer struct buffer text = {0};
    cleanup_error struct error *error = process_open(parent->proc, (pid_t)wait->pid, &child);
    if (error)
        return;
    error = process_command_line(child, &text);
    if (!error && text.len > 0)
        replace_text(&wait->target, &text);
}

static void describe_remaining(const struct dump_waits *waits, struct sleep_clocks *clocks,
                               const struct dump_thread *thread, struct dump_wait *wait)
{
    int64_t slept_ns;
    for (uint32_t i = 0; wait->kind != WAIT_NONE && wait->limit_ns >= 0 && i < waits->sleeper_count; i++) {
        if (waits->sleepers[i].os_id != thread->os_id ||
            !sleep_clocks_find_length(clocks, &waits->sleepers[i].start, &slept_ns) || slept_ns < -MISTAKE_NS ||
            slept_ns > wait->limit_ns + MISTAKE_NS)
            continue;
        int64_t left_ns = wait->limit_ns - (slept_ns > 0 ? slept_ns : 0);
        wait->remaining_ns = left_ns > 0 ? left_ns : 0;
    }
}

void dump_waits_finish(struct dump_waits *waits, struct process_dump *dump)
{
    struct sleep_clocks clocks = {0};
    cleanup_sockets struct sockets sockets = {.process = waits->process};
    int children = 0;
    for (uint32_t i = 0; i < dump->thread_count; i++) {
        struct dump_wait *wait = &dump->threads[i].wait;
        describe_sockets(&sockets, wait);
        describe_remaining(waits, &clocks, &dump->threads[i], wait);
        if (wait->kind == WAIT_CHILD && wait->pid > 0 && children++ < CHILD_LIMIT)
            describe_child(waits->process, wait);
    }
}
