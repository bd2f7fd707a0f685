/* SPDX-License-Identifier: MIT */
/*
 * Every thread's stack of a process at one moment, for the dump formats. Plain data; all texts are owned by the dump
 * and valid UTF-8 as far as the target's are.
 */
#ifndef PROFILE_PROCESS_DUMP_H
#define PROFILE_PROCESS_DUMP_H

#include "base/error.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;

/* A text that may hold any bytes, a NUL among them; one more NUL follows. */
struct dump_text {
    char *bytes; /* NULL: there is none */
    size_t len;
};

/* An argument or a local variable of a frame. */
struct dump_variable {
    struct dump_text name;
    struct dump_text value; /* as repr() would write it, cut where it is too long */
    bool is_argument;
    bool is_unsteady; /* the value changed in every reading */
};

struct dump_frame {
    enum frame_kind kind; /* FRAME_PYTHON, FRAME_NATIVE, FRAME_KERNEL or FRAME_MARK */
    struct dump_text name;
    struct dump_text filename;
    struct dump_text short_filename;
    int32_t line, first_line; /* that is executed; with which the function begins */
    /* The expression that is evaluated begins in line at column; 0 and -1 where that is not known. */
    int32_t end_line;
    int32_t column, end_column; /* bytes from the start of the line, the end not included */
    struct dump_text source;    /* the line's text without its end; none: it is not known for sure */
    bool is_entry;
    struct dump_variable *variables; /* arguments first; NULL: nobody asked for them */
    uint32_t variable_count;
};

/* What a thread that does not run waits for. */
enum dump_wait_kind {
    WAIT_NONE,    /* it runs, or nothing is known */
    WAIT_GIL,     /* owner: who holds it */
    WAIT_LOCK,    /* an object of Python's: address, and its type; owner, where that can be known */
    WAIT_THREAD,  /* the end of a thread, the owner */
    WAIT_FUTEX,   /* a lock or condition of C code: address; owner, where that can be known */
    WAIT_IO,      /* files, and what is to be done with them; or the name of one */
    WAIT_SLEEP,   /* until a time, or a signal */
    WAIT_CHILD,   /* pid; its command line */
    WAIT_SYSCALL, /* anything else that the kernel does for it */
};

/* What is to be done with files. */
enum dump_wait_action {
    WAIT_TO_READ,
    WAIT_TO_WRITE,
    WAIT_TO_ACCEPT,
    WAIT_TO_CONNECT,
    WAIT_TO_LOCK,
    WAIT_TO_SYNC,
    WAIT_TO_OPEN,
    WAIT_FOR_EVENTS,
    WAIT_TO_DO, /* what the system call's name says */
};

struct dump_file {
    int32_t number;          /* the descriptor */
    struct dump_text target; /* "/var/log/x", "socket 127.0.0.1:80 -> 127.0.0.1:1234"; none: not known */
};

struct dump_wait {
    enum dump_wait_kind kind;
    enum dump_wait_action action;
    const char *system_call; /* its name, static; NULL: not known */
    uint64_t owner;          /* dump_thread.id of the thread that it waits for; 0: not known, or none of Python's */
    uint64_t owner_os_id;    /* the same of the kernel; 0: not known */
    uint64_t address;        /* of the lock or futex; 0: not known */
    int64_t remaining_ns;    /* of a sleep or of a wait with a limit; -1: not known, or without end */
    int64_t limit_ns;        /* the whole length, where it is not known what remains; -1: not known, or without end */
    int64_t pid;             /* of the child that is waited for; -1: any */
    int32_t poller;          /* descriptor of the epoll that watches the files; -1: none does */
    struct dump_file *files;
    uint32_t file_count, more_files; /* those that are not listed */
    struct dump_text target;         /* the type of a lock; the name of a file; the command line of a child */
};

struct dump_thread {
    uint64_t id;           /* threading.get_ident() */
    uint64_t os_id;        /* of the kernel; 0: not known */
    int64_t interpreter;   /* 0: the main one */
    struct dump_text name; /* none: it has none */
    bool is_active;        /* running, or ready to run */
    bool is_stopped;       /* by a signal or a debugger */
    bool holds_gil;
    bool waits_for_gil;
    int signal;          /* of a core file: which ended the process, if this thread got it; else 0 */
    const char *failure; /* why frames are missing; NULL when there is no failure; static */
    struct dump_wait wait;
    uint32_t unchanged;        /* for how many readings before this one the stack was the same; see dump_history.h */
    struct dump_frame *frames; /* innermost first */
    uint32_t frame_count;
    uint32_t place, owner_place; /* only of use while the threads are put in order */
};

struct process_dump {
    int64_t pid;
    struct dump_text core_file; /* its name; none: the process was alive */
    int64_t parent;             /* the process that it is shown below; 0: none */
    struct dump_text command_line;
    struct dump_text executable;
    char *python_version;
    bool is_untested;            /* nobody has seen this version work */
    const char *list_failure;    /* why there may be more threads; NULL: these are all of them; static */
    bool is_proved;              /* false: not all stacks could be proved to be of one moment each */
    struct dump_thread *threads; /* in the order in which they were started */
    uint32_t thread_count;
    uint32_t hidden_thread_count; /* that a filter has taken out */
};

/* Copies a text; its bytes are NULL without memory. */
struct dump_text dump_text_copy(const char *bytes, size_t len);

/* Makes it one of which nothing is known. Accepts a zeroed struct. */
void dump_wait_deinit(struct dump_wait *wait);

/* Takes out the threads and frames that a filter does not show, as it does in recordings. */
struct error *process_dump_filter(struct process_dump *dump, const struct filter *filter);

/* Leaves each thread the frames up to its innermost Python frame. */
void process_dump_keep_innermost(struct process_dump *dump);

/* Accepts a zeroed or half-built struct. */
void process_dump_deinit(struct process_dump *dump);

#define cleanup_process_dump __attribute__((cleanup(process_dump_deinit)))

#endif
