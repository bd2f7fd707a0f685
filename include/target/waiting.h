/* SPDX-License-Identifier: MIT */
/*
 * What a sleeping thread waits for in the kernel: which system call it is in, and what that call's arguments say. Files
 * are told by their descriptors; what those lead to, target/open_file.h knows.
 */
#ifndef TARGET_WAITING_H
#define TARGET_WAITING_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct task;

enum {
    WAITING_FILE_LIMIT = 16,    /* descriptors that are noted; more are only counted */
    WAITING_WATCH_LIMIT = 4096, /* descriptors of one call that are looked at */
};

enum waiting_kind {
    WAITING_FOR_FUTEX,
    WAITING_FOR_FILES,
    WAITING_FOR_TIME,
    WAITING_FOR_CHILD,
    WAITING_FOR_PATH, /* something is done to a file by its name */
    WAITING_FOR_CALL, /* anything else that the system call does */
};

/* What is to be done with files. */
enum waiting_action {
    WAITING_TO_READ,
    WAITING_TO_WRITE,
    WAITING_TO_ACCEPT,
    WAITING_TO_CONNECT,
    WAITING_TO_LOCK,
    WAITING_TO_SYNC,
    WAITING_TO_OPEN,
    WAITING_FOR_EVENTS,
    WAITING_TO_DO, /* what the system call's name says */
};

struct waiting {
    enum waiting_kind kind;
    enum waiting_action action;
    uint64_t number;         /* of the system call */
    const char *system_call; /* its name, static; NULL: it has none that we know */
    remote_addr futex;       /* its address, */
    uint32_t futex_value;    /* the value that the thread found there, */
    bool is_futex_with_tid;  /* and whether its word holds the number of the thread that has it: a PI futex */
    int64_t remaining_ns;    /* until the call ends by itself; -1: not known, or never */
    int64_t limit_ns;        /* the whole time after which it does, if since when it waits is not known; -1 */
    int64_t child;           /* its number, as the process itself knows it; -1: not known, or any */
    int64_t shown_child;     /* the same as our procfs has it, where that is what the call says; -1 */
    remote_addr path;        /* of the text that names a file; 0 */
    int32_t poller;          /* the descriptor of an epoll by which files are watched; -1: none */
    int32_t files[WAITING_FILE_LIMIT];
    uint32_t file_count;
    uint32_t more_files; /* how many others there are */
};

/*
 * False when the thread is in no system call, or that may not be known. The memory is its process's; what cannot be
 * read of it, or makes no sense, is left out. Opens files: not for each sample.
 */
bool waiting_read(const struct task *task, struct memory *memory, struct waiting *ret);

/* The name of a system call of this machine, such as "futex"; NULL when it is not known. */
const char *system_call_name(uint64_t number);

#endif
