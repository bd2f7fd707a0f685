/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "cycle.h"
#include "layout.h"
#include "python.h"
#include "read.h"

void python_begin_sample(struct python *python)
{
    code_cache_begin_sample(&python->codes);
    python->frame_count = 0;
    python->steps = 0;
    python->lookups = (struct dict_budget){LOOKUP_ENTRY_LIMIT, LOOKUP_READ_LIMIT, 0};
    python->active_interpreter = 0;
}

/*
 * Readings of a list that breaks off at the same place, before what stands in front of it is taken for all there is. A
 * thread that ends without the GIL may be taken out at the moment: this is several readings of several intervals.
 */
enum { BROKEN_LIST_PATIENCE = 16 };

/* What is known of one interpreter while its threads are listed. */
struct interpreter {
    remote_addr address;
    int64_t id;
    uint32_t gil;           /* index, or PYTHON_NO_GIL */
    remote_addr gil_holder; /* the thread state that has the GIL now; 0 when nobody has */
    bool is_collecting;     /* garbage */
    remote_addr collecting_frame;
    uint32_t attached_count; /* threads that may run Python code; the last of them: */
    uint32_t attached;
};

/* Where the GIL's struct of an interpreter is, from 3.7 on. 0: it has none yet. */
static enum python_status locate_gil(const struct python *python, struct memory *memory, remote_addr interpreter,
                                     remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    if (layout->gil_format == GIL_OF_RUNTIME) {
        *ret = python->runtime.address + layout->runtime.gil;
        return PYTHON_OK;
    }
    return status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.gil_pointer, ret));
}

static enum python_status read_gil(const struct layout *layout, struct memory *memory, remote_addr address,
                                   struct python_gil *ret)
{
    unsigned char bytes[LAYOUT_GIL_LEN];
    enum memory_status status = memory_read(memory, address, bytes, layout->gil.locked + sizeof(uint32_t));
    if (status != MEMORY_OK)
        return status_of_memory(status);
    bool is_enabled = layout->gil.enabled == LAYOUT_NONE || field_u32(bytes, layout->gil.enabled) != 0;
    *ret = (struct python_gil){
        .address = address + layout->gil.last_holder,
        .len = layout->gil.switch_number + (uint32_t)sizeof(uint64_t) - layout->gil.last_holder,
        .last_holder = field_u64(bytes, layout->gil.last_holder),
        .is_locked = is_enabled && field_u32(bytes, layout->gil.locked) == 1,
        .condition = address + layout->gil.condition,
    };
    /* Only a recorded memory can lack it, in which nobody runs any more. */
    memory_read_u64(memory, address + layout->gil.switch_number, &ret->switches);
    return PYTHON_OK;
}

/* Notes a GIL, which several interpreters can share. */
static enum python_status add_gil(struct python *python, const struct python_gil *gil, uint32_t *ret)
{
    for (uint32_t i = 0; i < python->gil_count; i++) {
        if (python->gils[i].address == gil->address) {
            *ret = i;
            return PYTHON_OK;
        }
    }
    if (!array_grow(&python->gils, python->gil_count, &python->gil_capacity, sizeof(*python->gils)))
        return PYTHON_NO_MEMORY;
    python->gils[python->gil_count] = *gil;
    *ret = python->gil_count++;
    return PYTHON_OK;
}

/* To 3.6. In an interpreter that was found without symbols it may not be known where the variable is. */
static enum python_status read_current_thread(const struct python *python, struct memory *memory, remote_addr *ret)
{
    if (python->runtime.current_thread == 0)
        return PYTHON_OK;
    return status_of_memory(memory_read_u64(memory, python->runtime.current_thread, ret));
}

/*
 * Fills in what concerns an interpreter's GIL. One that is only just being made has none, and to 3.6 it can be taken
 * and given back without a trace, so that it tells no more than who has it.
 */
static enum python_status find_gil(struct python *python, struct memory *memory, struct interpreter *interpreter)
{
    const struct layout *layout = python->runtime.layout;
    struct python_gil gil = {0};
    remote_addr address = 0;
    if (layout->gil_format == GIL_CURRENT_THREAD)
        return read_current_thread(python, memory, &interpreter->gil_holder);
    enum python_status status = locate_gil(python, memory, interpreter->address, &address);
    if (status != PYTHON_OK || address == 0)
        return status;
    status = read_gil(layout, memory, address, &gil);
    if (status != PYTHON_OK)
        return status;
    interpreter->gil_holder = gil.is_locked ? gil.last_holder : 0;
    return layout->gil_format == GIL_OPTIONAL ? PYTHON_OK : add_gil(python, &gil, &interpreter->gil);
}

/* Whether a thread may run Python code: one of an interpreter at most, but in free-threaded builds. */
static bool is_attached(const struct layout *layout, const struct python_thread *thread, const unsigned char *head)
{
    enum { ATTACHED = 1 }; /* CPython 3.13 Include/internal/pycore_pystate.h: _Py_THREAD_ATTACHED */
    return layout->gil_format == GIL_OPTIONAL ? field_u32(head, layout->thread.state) == ATTACHED : thread->holds_gil;
}

/* Appends a thread, unless, as can be seen from 3.11 on, its creator has not started it yet. */
static enum python_status add_thread(struct python *python, remote_addr address, const unsigned char *head,
                                     struct interpreter *interpreter)
{
    const struct layout *layout = python->runtime.layout;
    struct python_thread thread = {
        .address = address,
        .interpreter = interpreter->address,
        .interpreter_id = interpreter->id,
        .gil = interpreter->gil,
        .id = field_u64(head, layout->thread.id),
        .holds_gil = address == interpreter->gil_holder,
        .collecting_frame = interpreter->collecting_frame,
        .is_for_anybody = interpreter->id != 0 && layout->version <= (3 << 8 | 12),
        .stack_anchor = layout->thread.cframe != LAYOUT_NONE ? field_u64(head, layout->thread.cframe) : 0,
    };
    if (layout->thread.native_id != LAYOUT_NONE) {
        thread.native_id = field_u64(head, layout->thread.native_id);
        if (thread.native_id == 0) {
            python->last_list.is_whole = false;
            return PYTHON_OK;
        }
    }
    if (python->thread_count >= python->thread_limit)
        return PYTHON_BAD_THREAD;
    if (!array_grow(&python->threads, python->thread_count, &python->thread_capacity, sizeof(*python->threads)))
        return PYTHON_NO_MEMORY;
    if (is_attached(layout, &thread, head)) {
        interpreter->attached = python->thread_count;
        interpreter->attached_count++;
    }
    python->threads[python->thread_count++] = thread;
    return PYTHON_OK;
}

/* Bytes to read of a thread state; not more, as one that is the last in its mapping may be no longer. */
static size_t thread_head_len(const struct layout *layout)
{
    const uint16_t fields[] = {layout->thread.next, layout->thread.interpreter, layout->thread.id,
                               layout->thread.native_id, layout->thread.state};
    size_t last = 0;
    for (size_t i = 0; i < array_size(fields); i++) {
        if (fields[i] != LAYOUT_NONE && fields[i] > last)
            last = fields[i];
    }
    return last + sizeof(uint64_t);
}

/*
 * Takes out the threads that a cycle of the given length has brought in more than once. first: where the list begins
 * among all that are listed.
 */
static void drop_repeated(struct python *python, uint32_t first, uint32_t cycle_len)
{
    const struct python_thread *threads = python->threads;
    uint32_t i = first;
    while (i + cycle_len < python->thread_count && threads[i].address != threads[i + cycle_len].address)
        i++;
    if (cycle_len > 0 && i + cycle_len < python->thread_count)
        python->thread_count = i + cycle_len;
}

/* Notes where the list of threads breaks off. Returns how it does. */
static enum python_status break_off(struct python *python, remote_addr place, enum python_status status)
{
    python->broken_list.at = place;
    return status;
}

static enum python_status list_threads_of(struct python *python, struct memory *memory, struct interpreter *interpreter)
{
    const struct layout *layout = python->runtime.layout;
    struct cycle cycle = {0};
    remote_addr thread;
    uint32_t first = python->thread_count, remembered = first;
    enum python_status status =
        status_of_memory(memory_read_u64(memory, interpreter->address + layout->interpreter.threads_head, &thread));
    for (int i = 0; status == PYTHON_OK && thread != 0; i++) {
        unsigned char head[LAYOUT_THREAD_LEN];
        if (cycle_meets(&cycle, thread)) {
            drop_repeated(python, first, python->thread_count - remembered);
            return break_off(python, thread, PYTHON_BAD_THREAD);
        }
        if (cycle.remembered == thread)
            remembered = python->thread_count;
        status = status_of_memory(memory_read(memory, thread, head, thread_head_len(layout)));
        if (status == PYTHON_OK &&
            (i >= PYTHON_THREAD_LIMIT || field_u64(head, layout->thread.interpreter) != interpreter->address))
            status = PYTHON_BAD_THREAD;
        if (status == PYTHON_OK)
            status = add_thread(python, thread, head, interpreter);
        if (status != PYTHON_OK)
            return break_off(python, thread, status);
        thread = field_u64(head, layout->thread.next);
    }
    return status;
}

/* Reads whether garbage is being collected. */
static enum python_status read_collecting(const struct layout *layout, struct memory *memory,
                                          struct interpreter *interpreter)
{
    uint32_t is_collecting = 0;
    enum memory_status status = MEMORY_OK;
    if (layout->interpreter.collecting != LAYOUT_NONE)
        status = memory_read_u32(memory, interpreter->address + layout->interpreter.collecting, &is_collecting);
    /* Read at all times, so that it is in the copy at the time when it is needed. */
    if (status == MEMORY_OK && layout->interpreter.collecting_frame != LAYOUT_NONE)
        status = memory_read_u64(memory, interpreter->address + layout->interpreter.collecting_frame,
                                 &interpreter->collecting_frame);
    interpreter->is_collecting = is_collecting != 0;
    if (!interpreter->is_collecting)
        interpreter->collecting_frame = 0;
    return status_of_memory(status);
}

/*
 * Says who collects garbage. From 3.15 on the frame in which that began tells; before, it is the thread that may run
 * Python code, as it cannot give that up. (But for finalizers and callbacks: while one of them waits for something, and
 * another thread runs, that one is taken for the collector.) In free-threaded builds the collector has stopped all
 * others; when it has let them go on, to run finalizers, it cannot be told.
 */
static void find_collector(struct python *python, const struct interpreter *interpreter)
{
    if (interpreter->is_collecting && interpreter->collecting_frame == 0 && interpreter->attached_count == 1)
        python->threads[interpreter->attached].is_collecting = true;
}

static enum python_status list_interpreter(struct python *python, struct memory *memory, remote_addr address)
{
    const struct layout *layout = python->runtime.layout;
    struct interpreter interpreter = {.address = address, .gil = PYTHON_NO_GIL};
    enum python_status status = PYTHON_OK;
    uint64_t id = 0;
    if (layout->interpreter.id != LAYOUT_NONE)
        status = status_of_memory(memory_read_u64(memory, address + layout->interpreter.id, &id));
    interpreter.id = (int64_t)id;
    if (status == PYTHON_OK)
        status = find_gil(python, memory, &interpreter);
    if (status == PYTHON_OK)
        status = read_collecting(layout, memory, &interpreter);
    if (status == PYTHON_OK)
        status = list_threads_of(python, memory, &interpreter);
    if (status == PYTHON_OK)
        find_collector(python, &interpreter);
    return status;
}

/* The thread on whose stack an address lies: a thread's own data, and so its id, are at the upper end of its stack. */
static const struct python_thread *find_stack_owner(const struct python *python, remote_addr address)
{
    const struct python_thread *owner = NULL;
    for (uint32_t i = 0; i < python->thread_count; i++) {
        const struct python_thread *thread = &python->threads[i];
        if (thread->id > address && (!owner || thread->id < owner->id))
            owner = thread;
    }
    /* The stack of the process's first thread lies above all others, and its state is the oldest. */
    return owner ? owner : &python->threads[python->thread_count - 1];
}

/*
 * CPython 3.8 to 3.12 Modules/_xxsubinterpretersmodule.c: run_string() takes an interpreter's thread state whoever made
 * it, and its numbers stay its maker's. From 3.10 on, where its evaluation loop is tells who runs it.
 */
static void find_who_runs(const struct python *python, struct python_thread *thread)
{
    if (!thread->is_for_anybody || thread->stack_anchor == 0 ||
        thread->stack_anchor - thread->address < OWN_CFRAME_DISTANCE)
        return;
    const struct python_thread *owner = find_stack_owner(python, thread->stack_anchor);
    thread->id = owner->id;
    thread->native_id = owner->native_id;
    thread->is_for_anybody = false;
}

/* Whether threads of an interpreter are listed already. */
static bool is_listed(const struct python *python, remote_addr interpreter)
{
    for (uint32_t i = 0; i < python->thread_count; i++) {
        if (python->threads[i].interpreter == interpreter)
            return true;
    }
    return false;
}

/* Reads all interpreters and their threads. */
static enum python_status list_anew(struct python *python, struct memory *memory, remote_addr interpreter)
{
    const struct layout *layout = python->runtime.layout;
    struct cycle cycle = {0};
    enum python_status status = PYTHON_OK;
    python->last_list.is_whole = true;
    for (int i = 0; status == PYTHON_OK && interpreter != 0; i++) {
        python->broken_list.at = interpreter;
        if (i >= PYTHON_INTERPRETER_LIMIT || cycle_meets(&cycle, interpreter) || is_listed(python, interpreter))
            status = PYTHON_BAD_THREAD;
        if (status == PYTHON_OK)
            status = list_interpreter(python, memory, interpreter);
        if (status == PYTHON_OK)
            status = status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.next, &interpreter));
        python->last_list.is_whole &= interpreter == 0;
    }
    for (uint32_t i = 0; i < python->thread_count; i++)
        find_who_runs(python, &python->threads[i]);
    return status;
}

/* Reads a thread state's words. *ret_next is the thread behind it. */
static bool read_words(const struct python *python, struct memory *memory, remote_addr thread, struct thread_words *ret,
                       remote_addr *ret_next)
{
    const struct layout *layout = python->runtime.layout;
    unsigned char head[LAYOUT_THREAD_LEN];
    if (memory_read(memory, thread, head, thread_head_len(layout)) != MEMORY_OK)
        return false;
    *ret = (struct thread_words){
        .address = thread,
        .interpreter = field_u64(head, layout->thread.interpreter),
        .id = field_u64(head, layout->thread.id),
    };
    if (layout->thread.native_id != LAYOUT_NONE)
        ret->native_id = field_u64(head, layout->thread.native_id);
    *ret_next = field_u64(head, layout->thread.next);
    return true;
}

static bool are_same(const struct thread_words *a, const struct thread_words *b)
{
    return a->address == b->address && a->interpreter == b->interpreter && a->id == b->id &&
           a->native_id == b->native_id;
}

bool threads_is_there(const struct python *python, struct memory *memory, const struct python_thread *thread)
{
    struct thread_words words;
    remote_addr next;
    const struct thread_words expected = {thread->address, thread->interpreter, thread->id, thread->native_id};
    return read_words(python, memory, thread->address, &words, &next) && are_same(&words, &expected);
}

/* Notes what a new thread would change: it becomes the first of its interpreter. */
static void note_list(struct python *python, struct memory *memory, remote_addr interpreter)
{
    struct last_list *last = &python->last_list;
    remote_addr newest;
    last->interpreter = interpreter;
    last->is_whole =
        last->is_whole && last->is_allowed && python->thread_count > 0 &&
        memory_read_u64(memory, interpreter + python->runtime.layout->interpreter.threads_head, &newest) == MEMORY_OK &&
        read_words(python, memory, newest, &last->newest, &last->second);
}

/* Whether nothing says that there are other threads than those that were listed last. */
static bool is_list_current(const struct python *python, struct memory *memory, remote_addr interpreter)
{
    const struct layout *layout = python->runtime.layout;
    const struct last_list *last = &python->last_list;
    struct thread_words newest;
    remote_addr head, second, next_interpreter;
    return last->is_allowed && last->is_whole && interpreter == last->interpreter &&
           memory_read_u64(memory, interpreter + layout->interpreter.next, &next_interpreter) == MEMORY_OK &&
           next_interpreter == 0 &&
           memory_read_u64(memory, interpreter + layout->interpreter.threads_head, &head) == MEMORY_OK &&
           head == last->newest.address && read_words(python, memory, head, &newest, &second) &&
           are_same(&newest, &last->newest) && second == last->second;
}

/*
 * Whether the thread that has, or had, the GIL is in the list, as what it is now: until a new thread has taken the GIL
 * for the first time, its state may have its maker's numbers.
 */
static bool is_holder_known(const struct python *python, struct memory *memory, remote_addr gil_holder)
{
    remote_addr holder = python->gil_count > 0 ? python->gils[0].last_holder : gil_holder;
    for (uint32_t i = 0; i < python->thread_count; i++) {
        if (python->threads[i].address == holder)
            return threads_is_there(python, memory, &python->threads[i]);
    }
    return holder == 0;
}

/* Brings the threads that were listed last up to date. *ret_is_done: false when the list has to be made anew. */
static enum python_status refresh(struct python *python, struct memory *memory, bool *ret_is_done)
{
    struct interpreter interpreter = {.address = python->last_list.interpreter, .gil = PYTHON_NO_GIL};
    bool has_gil = python->runtime.layout->gil_format != GIL_OPTIONAL;
    enum python_status status = find_gil(python, memory, &interpreter);
    if (status == PYTHON_OK)
        status = read_collecting(python->runtime.layout, memory, &interpreter);
    for (uint32_t i = 0; i < python->thread_count; i++) {
        struct python_thread *thread = &python->threads[i];
        thread->gil = interpreter.gil;
        thread->holds_gil = thread->address == interpreter.gil_holder;
        thread->is_collecting = thread->holds_gil && interpreter.is_collecting && interpreter.collecting_frame == 0;
        thread->collecting_frame = interpreter.collecting_frame;
        thread->status = PYTHON_OK;
        thread->first_frame = thread->frame_count = 0;
    }
    *ret_is_done = is_holder_known(python, memory, interpreter.gil_holder) && (has_gil || !interpreter.is_collecting);
    return status;
}

void python_limit_threads(struct python *python, uint32_t kernel_threads)
{
    enum { STATES_EACH = 4, STALE_STATES = 1024 };
    bool is_many = kernel_threads >= (PYTHON_THREAD_LIMIT - STALE_STATES) / STATES_EACH;
    python->thread_limit = is_many ? PYTHON_THREAD_LIMIT : STATES_EACH * kernel_threads + STALE_STATES;
}

bool python_is_thread_limit_met(const struct python *python)
{
    return python->thread_count >= python->thread_limit;
}

void python_allow_old_list(struct python *python, bool is_allowed)
{
    python->last_list.is_allowed = is_allowed;
}

bool python_is_list_old(const struct python *python)
{
    return python->last_list.is_used;
}

enum python_status python_list_status(const struct python *python)
{
    return python->broken_list.status;
}

/*
 * Whether a list that breaks off is taken as it is: when it does so at the same place in each of many readings, or when
 * nothing changes. What is in front of the place is as good as any list.
 */
static bool is_broken_for_good(struct python *python, remote_addr last_place, enum python_status status)
{
    struct broken_list *broken = &python->broken_list;
    bool is_broken = status == PYTHON_BAD_THREAD || status == PYTHON_BAD_MEMORY;
    broken->readings = is_broken && broken->at == last_place ? broken->readings + (broken->readings < UINT32_MAX) : 0;
    bool is_taken =
        is_broken && python->thread_count > 0 && (python->is_still || broken->readings >= BROKEN_LIST_PATIENCE);
    broken->status = is_taken ? status : PYTHON_OK;
    return is_taken;
}

/* Makes a new list, which may be only the beginning of one. */
static enum python_status list_or_begin(struct python *python, struct memory *memory, remote_addr interpreter)
{
    remote_addr last_place = python->broken_list.at;
    python->gil_count = python->thread_count = 0;
    python->broken_list.at = 0;
    enum python_status status = list_anew(python, memory, interpreter);
    if (status == PYTHON_OK)
        note_list(python, memory, interpreter);
    else
        python->last_list.is_whole = false;
    if (status == PYTHON_OK)
        python->broken_list = (struct broken_list){0};
    else if (is_broken_for_good(python, last_place, status))
        status = PYTHON_OK;
    return status;
}

enum python_status python_list_threads(struct python *python, struct memory *memory)
{
    remote_addr interpreter;
    bool is_done = false;
    python->gil_count = 0;
    enum python_status status = status_of_memory(memory_read_u64(
        memory, python->runtime.address + python->runtime.layout->runtime.interpreters_head, &interpreter));
    if (status == PYTHON_OK && is_list_current(python, memory, interpreter))
        status = refresh(python, memory, &is_done);
    python->last_list.is_used = status == PYTHON_OK && is_done;
    return status != PYTHON_OK || is_done ? status : list_or_begin(python, memory, interpreter);
}

struct python_thread *python_threads(struct python *python, uint32_t *ret_count)
{
    *ret_count = python->thread_count;
    return python->threads;
}

const struct python_gil *python_gils(const struct python *python, uint32_t *ret_count)
{
    *ret_count = python->gil_count;
    return python->gils;
}
