/* SPDX-License-Identifier: MIT */
#include "python/lock.h"

#include "base/cleanup.h"
#include "dict.h"
#include "layout.h"
#include "python.h"

#include <string.h>

enum {
    SLOT_LIMIT = 256,   /* words of a frame that are looked at: its locals, and what it computes with */
    PAGE = 4096,        /* what is read never goes beyond a page that has been begun */
    NAME_STEP = 16,     /* bytes of a name read at a time: a divisor of the page's length */
    OWNER_SLOTS = 16,   /* of the words, those that may be an object which knows who has the lock */
    INSIDE_LIMIT = 128, /* bytes from the start of a struct to what is waited for in it */
    HEAD_WORDS = 2,
    /* CPython 3.13 and 3.14 Python/parking_lot.c: struct wait_entry: the address that is waited for comes right before
     * the semaphore at which that is done. */
    PARKED_DISTANCE = 8,
    /* CPython 3.13 Modules/_threadmodule.c: ThreadHandle: ident follows two nodes of lists, with two pointers each. */
    HANDLE_IDENT = 32,
};

/* One search. */
struct search {
    const struct layout *layout;
    struct memory *memory;
    remote_addr futex;
    remote_addr parked; /* the address that is waited for there; 0: there is none */
    remote_addr slots[SLOT_LIMIT];
    uint32_t slot_count;
};

/* The first words behind an object's head. Those of a lock are, by version:
 *  - to 3.12: PyThread_type_lock, the address of a semaphore of glibc, which is that of its futex; of an RLock the
 *    owner follows it (CPython 3.12 Modules/_threadmodule.c: lockobject, rlockobject);
 *  - from a 3.13.x on: a PyMutex, of an RLock from 3.14 on, too, and again the owner follows it (CPython 3.14
 *    Include/internal/pycore_lock.h: _PyRecursiveMutex).
 * A built-in method, such as lock.acquire, has its object in the second (CPython Include/cpython/methodobject.h). */
static bool read_words(const struct search *search, remote_addr object, uint64_t words[HEAD_WORDS])
{
    return memory_read(search->memory, object + search->layout->object.var_size, words,
                       HEAD_WORDS * sizeof(words[0])) == MEMORY_OK;
}

/* Reads the name of an object's type; false when it is longer than what is kept. */
static bool read_type_name(const struct search *search, remote_addr object, char name[PYTHON_LOCK_TYPE_LEN])
{
    char bytes[PYTHON_LOCK_TYPE_LEN + 1] = {0};
    remote_addr type, address;
    size_t len = 0;
    if (memory_read_u64(search->memory, object + search->layout->object.type, &type) != MEMORY_OK ||
        memory_read_u64(search->memory, type + search->layout->type.name, &address) != MEMORY_OK)
        return false;
    while (len < PYTHON_LOCK_TYPE_LEN && strlen(bytes) == len) {
        size_t step = NAME_STEP - (address + len) % NAME_STEP;
        step = step < PYTHON_LOCK_TYPE_LEN - len ? step : PYTHON_LOCK_TYPE_LEN - len;
        if (memory_read(search->memory, address + len, bytes + len, step) != MEMORY_OK)
            return false;
        len += step;
    }
    size_t name_len = strlen(bytes);
    if (name_len == 0 || name_len >= PYTHON_LOCK_TYPE_LEN)
        return false;
    memcpy(name, bytes, name_len + 1);
    return true;
}

/* The types of what threads wait for, those that are locks first. */
static const char *const types[] = {
    "_thread.lock",         "thread.lock", "_thread.RLock", "_queue.SimpleQueue", "_multiprocessing.SemLock",
    "_thread._ThreadHandle"};

enum { LOCK_TYPES = 3 };

/* Takes an object for what is waited for, if its type is one of those. */
static bool accept(const struct search *search, remote_addr object, struct python_lock *ret)
{
    struct python_lock lock = {.object = object};
    uint64_t words[HEAD_WORDS];
    size_t type = 0;
    if (!read_type_name(search, object, lock.type) || !read_words(search, object, words))
        return false;
    while (type < array_size(types) && strcmp(lock.type, types[type]) != 0)
        type++;
    if (type == array_size(types))
        return false;
    lock.is_lock = type < LOCK_TYPES;
    if (strcmp(lock.type, "_thread.RLock") == 0)
        lock.owner = words[1];
    *ret = lock;
    return true;
}

/* What a thread waits for that has parked itself is a byte in the lock. */
static bool find_parked(const struct search *search, struct python_lock *ret)
{
    remote_addr object = search->parked - search->layout->object.var_size;
    return search->parked != 0 && object % sizeof(uint64_t) == 0 && accept(search, object, ret) && ret->is_lock;
}

/* Reads the words of a frame, as many as there are of SLOT_LIMIT. Behind its end lie those of nobody, or of others. */
static void read_slots(struct search *search, const struct python_frame *frame)
{
    remote_addr address = frame->address + search->layout->locals.first;
    while (search->slot_count < SLOT_LIMIT && address % sizeof(uint64_t) == 0) {
        uint64_t count = (PAGE - address % PAGE) / sizeof(uint64_t);
        count = count < SLOT_LIMIT - search->slot_count ? count : SLOT_LIMIT - search->slot_count;
        if (memory_read(search->memory, address, &search->slots[search->slot_count], count * sizeof(uint64_t)) !=
            MEMORY_OK)
            return;
        search->slot_count += (uint32_t)count;
        address += count * sizeof(uint64_t);
    }
}

/* CPython 3.14 Include/internal/pycore_stackref.h: low bits of a slot are tags; those of an object's address are 0. */
static remote_addr slot_object(const struct search *search, uint32_t slot)
{
    return search->slots[slot] & ~(remote_addr)(sizeof(uint64_t) - 1);
}

/* Whether what is waited for lies in an object. */
static bool is_around_parked(const struct search *search, remote_addr object)
{
    remote_addr type;
    uint64_t size;
    return search->parked != 0 && search->parked - object < INSIDE_LIMIT &&
           memory_read_u64(search->memory, object + search->layout->object.type, &type) == MEMORY_OK &&
           memory_read_u64(search->memory, type + search->layout->type.basic_size, &size) == MEMORY_OK &&
           search->parked - object < size;
}

/* Whether a thread waits for an object, or something in it. `word` is what comes first behind its head. */
static bool is_waited_for(const struct search *search, remote_addr object, uint64_t word)
{
    return word == search->futex || is_around_parked(search, object);
}

static bool find_in_slot(const struct search *search, remote_addr object, struct python_lock *ret)
{
    uint64_t words[HEAD_WORDS], inner[HEAD_WORDS];
    if (object == 0 || !read_words(search, object, words))
        return false;
    if (is_waited_for(search, object, words[0]))
        return accept(search, object, ret);
    remote_addr self = words[1];
    return self != 0 && self % sizeof(uint64_t) == 0 && read_words(search, self, inner) &&
           is_waited_for(search, self, inner[0]) && accept(search, self, ret);
}

/* A thread that waits for another one's end: CPython 3.13 Modules/_threadmodule.c: PyThreadHandleObject. */
static bool find_thread_in_slot(const struct search *search, remote_addr object, struct python_lock *ret)
{
    uint64_t words[HEAD_WORDS];
    struct python_lock lock;
    if (search->parked == 0 || object == 0 || !read_words(search, object, words) || words[0] == 0 ||
        search->parked - words[0] >= INSIDE_LIMIT || !accept(search, object, &lock) ||
        strcmp(lock.type, "_thread._ThreadHandle") != 0 ||
        memory_read_u64(search->memory, words[0] + HANDLE_IDENT, &lock.owner) != MEMORY_OK)
        return false;
    lock.is_thread = true;
    *ret = lock;
    return true;
}

/*
 * Objects of Python code that guard something by a plain lock and note who has it: CPython Lib/threading.py: _RLock
 * (2.7 has no other), and Thread to 3.12, which has a lock until it ends; Lib/importlib/_bootstrap.py: _ModuleLock.
 */
static const struct {
    const char *lock, *owner;
    bool is_thread;
} noted_owners[] = {
    {"_RLock__block", "_RLock__owner", false},
    {"_block", "_owner", false},
    {"wakeup", "owner", false},
    {"_tstate_lock", "_ident", true},
};

static bool find_noted_owner(const struct search *search, remote_addr object, struct python_lock *lock)
{
    for (size_t i = 0; i < array_size(noted_owners); i++) {
        remote_addr inner, owner;
        if (instance_find_attribute(search->layout, search->memory, object, noted_owners[i].lock, &inner) &&
            inner == lock->object &&
            instance_find_attribute(search->layout, search->memory, object, noted_owners[i].owner, &owner) &&
            integer_read(search->layout, search->memory, owner, &lock->owner)) {
            lock->is_thread = noted_owners[i].is_thread;
            return true;
        }
    }
    return false;
}

static bool find_in_frame(struct search *search, struct python_lock *ret)
{
    for (uint32_t i = 0; i < search->slot_count; i++) {
        remote_addr object = slot_object(search, i);
        if (find_in_slot(search, object, ret) || find_thread_in_slot(search, object, ret))
            return true;
    }
    return false;
}

bool python_find_lock(const struct python *python, struct memory *memory, const struct python_frame *frame,
                      remote_addr futex, struct python_lock *ret)
{
    struct search search = {.layout = python->runtime.layout, .memory = memory, .futex = futex};
    if (search.layout->parks_threads && memory_read_u64(memory, futex - PARKED_DISTANCE, &search.parked) != MEMORY_OK)
        search.parked = 0;
    if (frame)
        read_slots(&search, frame);
    if (!find_parked(&search, ret) && !find_in_frame(&search, ret))
        return false;
    for (uint32_t i = 0; ret->is_lock && ret->owner == 0 && i < OWNER_SLOTS && i < search.slot_count; i++) {
        remote_addr object = slot_object(&search, i);
        if (object != 0 && find_noted_owner(&search, object, ret))
            break;
    }
    return true;
}
