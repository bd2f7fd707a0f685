/* SPDX-License-Identifier: MIT */
#include "joiner.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "counters.h"
#include "memory/kept_stacks.h"
#include "native_stacks.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "sample_log.h"
#include "stack_finder.h"
#include "target/cpu.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUEUE_LIMIT = 64 * 1024 * 1024, /* bytes that wait; who is beyond is counted without C frames */
    WAKE_LEN = 512 * 1024,          /* bytes that wait, with which the joiner begins to work, */
    WAKE_NS = 250000000,            /* or when the first of them waits for so long, */
    WAKE_SHARE = 16,                /* and sooner at the start: for such a part of the recording */
    ITEM_ALIGNMENT = 16,
    DRAIN_SECONDS = 1,
};

/* What is handed over; behind it are its Python frames, and the bytes of its C stack that are new. */
struct item {
    size_t len; /* of all of it */
    struct sample sample;
    uint32_t serial;
    bool is_again; /* the stack is the thread's last one */
    uint32_t python_count;
    struct native_stack stack; /* len 0: there is none; bytes is of no use */
    size_t new_len;            /* the other bytes are the last ones that the stack at this place had before */
    uint32_t place;
};

/* What a stack has of its C frames. */
enum completeness { C_FRAMES_WHOLE, C_FRAMES_MISSING, C_FRAMES_UNMATCHED };

struct last_stack {
    uint32_t node; /* that it ended in; PROFILE_ROOT: there was none */
    enum completeness completeness;
};

/* A thread's last stacks. */
struct last_stacks {
    struct last_stack any, active, asleep;
};

struct joiner {
    struct joiner_owner owner;
    struct native_stacks *stacks;
    pthread_t thread;
    pthread_mutex_t lock; /* of the queue and the numbers; never held while the owner's is taken */
    pthread_cond_t has_work, has_rest;
    struct kept_stacks sent;      /* as they were handed over last, */
    struct kept_stacks got;       /* and in the same places, as they were worked off last: by the joiner's thread */
    struct buffer queue;          /* what was handed over, */
    struct buffer work;           /* and what is being worked off: only touched by the joiner's thread */
    uint64_t first_ns, queued_ns; /* times of the samples that were handed over first, and first into the queue */
    bool is_called;               /* the joiner is to work off what is in the queue */
    bool is_working, is_ending, has_failed;
    struct merged_python *merged; /* the joiner's own from here on */
    uint32_t merged_capacity;
    struct last_stacks *last; /* by serial */
    uint32_t last_capacity;
};

static const struct joined_python *python_of(const struct item *item)
{
    return (const struct joined_python *)(const void *)(item + 1);
}

/* Puts the C stack of an item together; false without memory. */
static bool take_stack(struct joiner *joiner, const struct item *item, struct native_stack *ret)
{
    struct kept_stack *got = &joiner->got.stacks[item->place];
    const unsigned char *new_bytes = (const unsigned char *)(python_of(item) + item->python_count);
    if (!kept_stack_update(got, new_bytes, item->new_len, item->stack.len))
        return false;
    *ret = item->stack;
    ret->bytes = kept_stack_bytes(got);
    return true;
}

/* The Python frames of an item, as the merge wants them; false without memory. */
static bool copy_python(struct joiner *joiner, const struct item *item)
{
    if (item->python_count > joiner->merged_capacity) {
        struct merged_python *merged = realloc(joiner->merged, item->python_count * sizeof(*merged));
        if (!merged)
            return false;
        joiner->merged = merged;
        joiner->merged_capacity = item->python_count;
    }
    for (uint32_t i = 0; i < item->python_count; i++)
        joiner->merged[i] = python_of(item)[i].merged;
    return true;
}

/* The node of an item with a C stack; PROFILE_NONE without memory. The owner's lock is taken. */
static uint32_t join(struct joiner *joiner, const struct item *item, enum completeness *ret_completeness)
{
    const struct stack_frame *frames;
    struct native_stack stack;
    struct frame_merge_input unwound;
    uint32_t count;
    enum native_result result = NATIVE_NO_MEMORY;
    pthread_mutex_unlock(joiner->owner.lock);
    if (take_stack(joiner, item, &stack) && copy_python(joiner, item)) {
        native_stacks_unwind(joiner->stacks, &stack, &unwound);
        result = native_stacks_merge(joiner->stacks, &unwound, joiner->merged, item->python_count, &frames, &count);
    }
    pthread_mutex_lock(joiner->owner.lock);
    if (result == NATIVE_NO_MEMORY)
        return PROFILE_NONE;
    *ret_completeness = result == NATIVE_UNMATCHED ? C_FRAMES_UNMATCHED : C_FRAMES_WHOLE;
    return stack_finder_join(joiner->owner.finder, frames, count, python_of(item));
}

/* Where the thread's last stacks are kept; NULL without memory. */
static struct last_stacks *find_last(struct joiner *joiner, uint32_t serial)
{
    if (serial >= joiner->last_capacity) {
        uint32_t capacity = serial + 64;
        struct last_stacks *stacks = realloc(joiner->last, capacity * sizeof(*stacks));
        if (!stacks)
            return NULL;
        memset(stacks + joiner->last_capacity, 0, (capacity - joiner->last_capacity) * sizeof(*stacks));
        joiner->last = stacks;
        joiner->last_capacity = capacity;
    }
    return &joiner->last[serial];
}

/* The stack of an item; its node is PROFILE_NONE without memory. */
static struct last_stack find_stack(struct joiner *joiner, const struct item *item, const struct last_stacks *last)
{
    struct last_stack stack = {.completeness = C_FRAMES_MISSING};
    if (item->is_again && (item->sample.states & SAMPLE_RECALLED) == 0)
        return last->any;
    if (item->is_again)
        return item->sample.states & SAMPLE_ACTIVE ? last->active : last->asleep;
    stack.node = item->stack.len > 0
                     ? join(joiner, item, &stack.completeness)
                     : stack_finder_join_python(joiner->owner.finder, python_of(item), item->python_count);
    return stack;
}

/* Counts what a sample that goes into the log is without. */
static void count_lacks(struct counters *counters, const struct sample *sample, enum completeness completeness)
{
    if (completeness == C_FRAMES_MISSING)
        counters->native_missing += sample->weight;
    if (completeness == C_FRAMES_UNMATCHED)
        counters->native_unmatched += sample->weight;
}

/* Puts one sample into the log; false without memory. The owner's lock is taken. */
static bool work_off(struct joiner *joiner, const struct item *item)
{
    struct sample sample = item->sample;
    struct last_stacks *last = find_last(joiner, item->serial);
    if (!last)
        return false;
    const struct last_stack stack = find_stack(joiner, item, last);
    if (stack.node == PROFILE_NONE)
        return false;
    if ((sample.states & SAMPLE_RECALLED) == 0) {
        last->any = stack;
        *(sample.states & SAMPLE_ACTIVE ? &last->active : &last->asleep) = stack;
    }
    if (stack.node == PROFILE_ROOT)
        return true;
    sample.node = stack.node;
    count_lacks(joiner->owner.counters, &sample, stack.completeness);
    return sample_log_add(joiner->owner.log, &sample);
}

static bool work_off_all(struct joiner *joiner)
{
    bool has_memory = true;
    for (size_t at = 0; has_memory && at < joiner->work.len;) {
        const struct item *item = (const void *)(joiner->work.data + at);
        pthread_mutex_lock(joiner->owner.lock);
        has_memory = work_off(joiner, item);
        pthread_mutex_unlock(joiner->owner.lock);
        at += item->len;
    }
    return has_memory;
}

static void *run(void *argument)
{
    struct joiner *joiner = argument;
    pthread_mutex_lock(&joiner->lock);
    for (;;) {
        while (!joiner->is_called && !joiner->is_ending)
            pthread_cond_wait(&joiner->has_work, &joiner->lock);
        joiner->is_called = false;
        if (joiner->queue.len == 0 && joiner->is_ending)
            break;
        struct buffer work = joiner->work;
        joiner->work = joiner->queue;
        joiner->queue = work;
        joiner->is_working = true;
        pthread_mutex_unlock(&joiner->lock);
        /* Behind what was lost, nobody knows what is new. */
        bool has_memory = !joiner->has_failed && work_off_all(joiner);
        buffer_clear(&joiner->work);
        pthread_mutex_lock(&joiner->lock);
        joiner->is_working = false;
        joiner->has_failed |= !has_memory;
        pthread_cond_broadcast(&joiner->has_rest);
    }
    pthread_mutex_unlock(&joiner->lock);
    return NULL;
}

/* Starts the thread, which gets no signals. */
static struct error *start(struct joiner *joiner)
{
    return cpu_start_worker(run, joiner, &joiner->thread);
}

/* One that can be waited for until a time of the clock that nobody sets. */
static void init_timed_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct error *joiner_create(struct native_stacks *stacks, const struct joiner_owner *owner, struct joiner **ret)
{
    struct joiner *joiner = calloc(1, sizeof(*joiner));
    if (!joiner) {
        native_stacks_destroy(stacks);
        return error_no_memory();
    }
    joiner->stacks = stacks;
    joiner->owner = *owner;
    pthread_mutex_init(&joiner->lock, NULL);
    pthread_cond_init(&joiner->has_work, NULL);
    init_timed_condition(&joiner->has_rest);
    struct error *error = start(joiner);
    if (error) {
        pthread_mutex_destroy(&joiner->lock);
        pthread_cond_destroy(&joiner->has_work);
        pthread_cond_destroy(&joiner->has_rest);
        native_stacks_destroy(stacks);
        free(joiner);
        return error;
    }
    *ret = joiner;
    return NULL;
}

void joiner_destroy(struct joiner *joiner)
{
    if (!joiner)
        return;
    pthread_mutex_lock(&joiner->lock);
    joiner->is_ending = true;
    pthread_cond_signal(&joiner->has_work);
    pthread_mutex_unlock(&joiner->lock);
    pthread_join(joiner->thread, NULL);
    pthread_mutex_destroy(&joiner->lock);
    pthread_cond_destroy(&joiner->has_work);
    pthread_cond_destroy(&joiner->has_rest);
    native_stacks_destroy(joiner->stacks);
    kept_stacks_deinit(&joiner->sent);
    kept_stacks_deinit(&joiner->got);
    buffer_deinit(&joiner->queue);
    buffer_deinit(&joiner->work);
    free(joiner->merged);
    free(joiner->last);
    free(joiner);
}

/* Has the joiner work off what is in the queue. The joiner's lock is taken. */
static void call(struct joiner *joiner)
{
    joiner->is_called = joiner->queue.len > 0;
    if (joiner->is_called)
        pthread_cond_signal(&joiner->has_work);
}

void joiner_call(struct joiner *joiner)
{
    pthread_mutex_lock(&joiner->lock);
    call(joiner);
    pthread_mutex_unlock(&joiner->lock);
}

void joiner_drain(struct joiner *joiner)
{
    struct timespec end;
    int result = 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += DRAIN_SECONDS;
    pthread_mutex_lock(&joiner->lock);
    call(joiner);
    while (result == 0 && (joiner->queue.len > 0 || joiner->is_working))
        result = pthread_cond_timedwait(&joiner->has_rest, &joiner->lock, &end);
    pthread_mutex_unlock(&joiner->lock);
}

bool joiner_is_idle(struct joiner *joiner)
{
    pthread_mutex_lock(&joiner->lock);
    bool is_idle = joiner->queue.len == 0 && !joiner->is_working;
    pthread_mutex_unlock(&joiner->lock);
    return is_idle;
}

/* Appends an item, all of it or, without memory, nothing: then false. The joiner's lock is taken. */
static bool append(struct joiner *joiner, struct item *item, const struct joined_python *frames,
                   const unsigned char *bytes)
{
    static const char padding[ITEM_ALIGNMENT] = {0};
    size_t python_len = item->python_count * sizeof(*frames);
    size_t len = sizeof(*item) + python_len + item->new_len;
    item->len = (len + ITEM_ALIGNMENT - 1) / ITEM_ALIGNMENT * ITEM_ALIGNMENT;
    if (!buffer_reserve(&joiner->queue, item->len))
        return false;
    buffer_append(&joiner->queue, item, sizeof(*item));
    buffer_append(&joiner->queue, frames, python_len);
    buffer_append(&joiner->queue, bytes, item->new_len);
    buffer_append(&joiner->queue, padding, item->len - len);
    return true;
}

/* Notes the time of a sample that is about to be added, and tells whether the joiner is to begin to work then. */
static bool is_due(struct joiner *joiner, uint64_t time_ns)
{
    if (joiner->first_ns == 0 || time_ns < joiner->first_ns) /* a part of the recording has begun */
        joiner->first_ns = time_ns;
    if (joiner->queue.len == 0)
        joiner->queued_ns = time_ns;
    uint64_t limit_ns = (time_ns - joiner->first_ns) / WAKE_SHARE;
    if (limit_ns > WAKE_NS)
        limit_ns = WAKE_NS;
    return joiner->queue.len >= WAKE_LEN || time_ns >= joiner->queued_ns + limit_ns;
}

/* Gives an item its C stack, of which only what is new is to be handed over; false without memory. */
static bool add_stack(struct joiner *joiner, struct item *item, const struct c_stack *c_stack)
{
    item->stack = c_stack_view(c_stack);
    item->place = kept_stacks_find(&joiner->sent, c_stack->start + c_stack->len);
    struct kept_stack *sent = &joiner->sent.stacks[item->place];
    item->new_len = c_stack->len - kept_stack_same_len(sent, c_stack->bytes, c_stack->len);
    return kept_stack_update(sent, c_stack->bytes, item->new_len, c_stack->len);
}

static bool add(struct joiner *joiner, struct item *item, const struct joined_python *frames,
                const struct c_stack *c_stack)
{
    pthread_mutex_lock(&joiner->lock);
    bool has_stack = c_stack && joiner->queue.len + c_stack->len <= QUEUE_LIMIT;
    bool has_memory = !joiner->has_failed && (!has_stack || add_stack(joiner, item, c_stack));
    bool has_to_work = is_due(joiner, item->sample.time_ns);
    has_memory = has_memory && append(joiner, item, frames, has_stack ? c_stack->bytes : NULL);
    if (has_to_work)
        call(joiner);
    pthread_mutex_unlock(&joiner->lock);
    return has_memory;
}

bool joiner_add(struct joiner *joiner, const struct sample *sample, uint32_t serial, const struct joined_python *frames,
                uint32_t count, const struct c_stack *c_stack)
{
    struct item item = {.sample = *sample, .serial = serial, .python_count = count};
    return add(joiner, &item, frames, c_stack);
}

bool joiner_add_again(struct joiner *joiner, const struct sample *sample, uint32_t serial)
{
    struct item item = {.sample = *sample, .serial = serial, .is_again = true};
    return add(joiner, &item, NULL, NULL);
}

void joiner_forget(struct joiner *joiner)
{
    for (uint32_t i = 0; i < joiner->last_capacity; i++)
        joiner->last[i] = (struct last_stacks){0};
}
