/* SPDX-License-Identifier: MIT */
#include "dump_wait.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "profile/process_dump.h"

#include <inttypes.h>
#include <string.h>

enum { FILES_SHOWN = 8 }; /* in the text */

static const double NS = 1e9;

static void append_visible(struct buffer *text, const struct dump_text *shown)
{
    escape_visible(text, shown->bytes, shown->len);
}

static const struct dump_thread *find_thread(const struct process_dump *dump, const struct dump_wait *wait)
{
    for (uint32_t i = 0; wait->owner != 0 && i < dump->thread_count; i++) {
        if (dump->threads[i].id == wait->owner)
            return &dump->threads[i];
    }
    return NULL;
}

/* thread 1234 "worker", as the head of the thread has it. */
static void append_owner(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    const struct dump_thread *thread = find_thread(dump, wait);
    if (wait->owner_os_id != 0)
        buffer_format(text, "thread %" PRIu64, wait->owner_os_id);
    else
        buffer_format(text, "thread 0x%" PRIX64, wait->owner);
    if (!thread || !thread->name.bytes)
        return;
    buffer_append_text(text, " \"");
    append_visible(text, &thread->name);
    buffer_append_char(text, '"');
}

static bool has_owner(const struct dump_wait *wait)
{
    return wait->owner != 0 || wait->owner_os_id != 0;
}

static void append_gil(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    buffer_append_text(text, "waits for the GIL");
    if (!has_owner(wait))
        return;
    buffer_append_text(text, ", which ");
    append_owner(text, dump, wait);
    buffer_append_text(text, " has");
}

static bool is_type(const struct dump_wait *wait, const char *name)
{
    return wait->target.bytes && strcmp(wait->target.bytes, name) == 0;
}

static void append_lock(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    bool is_plain = !wait->target.bytes || is_type(wait, "_thread.lock") || is_type(wait, "thread.lock");
    buffer_append_text(text, "waits for the ");
    if (is_plain)
        buffer_append_text(text, "lock");
    else if (is_type(wait, "_thread.RLock"))
        buffer_append_text(text, "RLock");
    else
        append_visible(text, &wait->target);
    buffer_format(text, " 0x%" PRIx64, wait->address);
    if (!has_owner(wait))
        return;
    buffer_append_text(text, ", held by ");
    append_owner(text, dump, wait);
}

static void append_futex(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    buffer_format(text, "waits at the futex 0x%" PRIx64, wait->address);
    if (!has_owner(wait))
        return;
    buffer_append_text(text, ", a mutex held by ");
    append_owner(text, dump, wait);
}

static void append_thread(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    buffer_append_text(text, "waits for the end of ");
    if (has_owner(wait))
        append_owner(text, dump, wait);
    else
        buffer_append_text(text, "a thread");
}

/* What comes before "file 5"; NULL: the system call's name. */
static const char *verb_of(enum dump_wait_action action)
{
    switch (action) {
    case WAIT_TO_READ:
        return "reads from";
    case WAIT_TO_WRITE:
        return "writes to";
    case WAIT_TO_ACCEPT:
        return "accepts at";
    case WAIT_TO_CONNECT:
        return "connects";
    case WAIT_TO_LOCK:
        return "waits for a lock of";
    case WAIT_TO_SYNC:
        return "syncs";
    case WAIT_TO_OPEN:
        return "opens";
    case WAIT_FOR_EVENTS:
        return "waits for";
    case WAIT_TO_DO:
        break;
    }
    return NULL;
}

static void append_verb(struct buffer *text, const struct dump_wait *wait)
{
    const char *verb = verb_of(wait->action);
    if (verb)
        buffer_append_text(text, verb);
    else
        buffer_format(text, "is in the system call %s at", wait->system_call ? wait->system_call : "(unknown)");
}

static void append_files(struct buffer *text, const struct dump_wait *wait)
{
    uint32_t shown = wait->file_count < FILES_SHOWN ? wait->file_count : FILES_SHOWN;
    uint32_t others = wait->file_count - shown + wait->more_files;
    if (wait->file_count == 1 && others == 0) {
        buffer_format(text, " file %" PRId32, wait->files[0].number);
        if (!wait->files[0].target.bytes)
            return;
        buffer_append_text(text, ": ");
        append_visible(text, &wait->files[0].target);
        return;
    }
    buffer_append_text(text, " files");
    for (uint32_t i = 0; i < shown; i++) {
        buffer_format(text, "%s %" PRId32, i > 0 ? "," : "", wait->files[i].number);
        if (!wait->files[i].target.bytes)
            continue;
        buffer_append_text(text, " (");
        append_visible(text, &wait->files[i].target);
        buffer_append_char(text, ')');
    }
    if (others > 0)
        buffer_format(text, " and %" PRIu32 " others", others);
}

static void append_io(struct buffer *text, const struct dump_wait *wait)
{
    bool is_one = wait->file_count + wait->more_files <= 1;
    if (!is_one && (wait->action == WAIT_TO_READ || wait->action == WAIT_TO_WRITE))
        buffer_append_text(text, wait->action == WAIT_TO_READ ? "waits to read from" : "waits to write to");
    else
        append_verb(text, wait);
    if (wait->file_count > 0)
        append_files(text, wait);
    else
        buffer_append_text(text, wait->target.bytes ? " " : " files");
    if (wait->file_count == 0 && wait->target.bytes)
        append_visible(text, &wait->target);
    if (wait->poller >= 0)
        buffer_format(text, ", by the epoll %" PRId32, wait->poller);
}

static void append_child(struct buffer *text, const struct dump_wait *wait)
{
    if (wait->pid <= 0) {
        buffer_append_text(text, "waits for a child");
        return;
    }
    buffer_format(text, "waits for child %" PRId64, wait->pid);
    if (!wait->target.bytes)
        return;
    buffer_append_text(text, ": ");
    append_visible(text, &wait->target);
}

static void append_subject(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    switch (wait->kind) {
    case WAIT_NONE:
        break;
    case WAIT_GIL:
        append_gil(text, dump, wait);
        break;
    case WAIT_LOCK:
        append_lock(text, dump, wait);
        break;
    case WAIT_THREAD:
        append_thread(text, dump, wait);
        break;
    case WAIT_FUTEX:
        append_futex(text, dump, wait);
        break;
    case WAIT_IO:
        append_io(text, wait);
        break;
    case WAIT_SLEEP:
        buffer_append_text(text, "sleeps");
        break;
    case WAIT_CHILD:
        append_child(text, wait);
        break;
    case WAIT_SYSCALL:
        buffer_format(text, "is in the system call %s", wait->system_call ? wait->system_call : "(unknown)");
        break;
    }
}

void dump_wait_append_text(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait)
{
    if (wait->kind == WAIT_NONE)
        return;
    buffer_append_text(text, "    ");
    append_subject(text, dump, wait);
    if (wait->remaining_ns >= 0)
        buffer_format(text, ", %.2f s remain", (double)wait->remaining_ns / NS);
    else if (wait->limit_ns >= 0)
        buffer_format(text, wait->kind == WAIT_SLEEP ? " for %.2f s" : ", for %.2f s at most",
                      (double)wait->limit_ns / NS);
    buffer_append_char(text, '\n');
}

static const char *const kinds[] = {
    [WAIT_NONE] = "none",     [WAIT_GIL] = "gil",     [WAIT_LOCK] = "lock",
    [WAIT_THREAD] = "thread", [WAIT_FUTEX] = "futex", [WAIT_IO] = "io",
    [WAIT_SLEEP] = "sleep",   [WAIT_CHILD] = "child", [WAIT_SYSCALL] = "syscall",
};

static const char *const actions[] = {
    [WAIT_TO_READ] = "read", [WAIT_TO_WRITE] = "write", [WAIT_TO_ACCEPT] = "accept", [WAIT_TO_CONNECT] = "connect",
    [WAIT_TO_LOCK] = "lock", [WAIT_TO_SYNC] = "sync",   [WAIT_TO_OPEN] = "open",     [WAIT_FOR_EVENTS] = "events",
};

static void append_word(struct buffer *json, const char *name, const char *word)
{
    if (word)
        buffer_format(json, ", \"%s\": \"%s\"", name, word);
    else
        buffer_format(json, ", \"%s\": null", name);
}

static void append_number(struct buffer *json, const char *name, uint64_t number)
{
    if (number != 0)
        buffer_format(json, ", \"%s\": %" PRIu64, name, number);
    else
        buffer_format(json, ", \"%s\": null", name);
}

static void append_seconds(struct buffer *json, const char *name, int64_t ns)
{
    if (ns >= 0)
        buffer_format(json, ", \"%s\": %.6f", name, (double)ns / NS);
    else
        buffer_format(json, ", \"%s\": null", name);
}

static void append_string(struct buffer *json, const char *name, const struct dump_text *text)
{
    buffer_format(json, ", \"%s\": ", name);
    if (text->bytes)
        escape_json(json, text->bytes, text->len);
    else
        buffer_append_text(json, "null");
}

void dump_wait_append_json(struct buffer *json, const struct dump_wait *wait)
{
    if (wait->kind == WAIT_NONE) {
        buffer_append_text(json, "null");
        return;
    }
    bool has_action = wait->kind == WAIT_IO && wait->action < array_size(actions);
    buffer_format(json, "{\"kind\": \"%s\"", kinds[wait->kind]);
    append_word(json, "system_call", wait->system_call);
    append_word(json, "action", has_action ? actions[wait->action] : NULL);
    append_number(json, "owner", wait->owner);
    append_number(json, "owner_os_id", wait->owner_os_id);
    append_number(json, "address", wait->address);
    append_seconds(json, "remaining", wait->remaining_ns);
    append_seconds(json, "limit", wait->limit_ns);
    append_number(json, "pid", wait->pid > 0 ? (uint64_t)wait->pid : 0);
    append_string(json, "target", &wait->target);
    if (wait->poller >= 0)
        buffer_format(json, ", \"epoll\": %" PRId32, wait->poller);
    else
        buffer_append_text(json, ", \"epoll\": null");
    buffer_append_text(json, ", \"files\": [");
    for (uint32_t i = 0; i < wait->file_count; i++) {
        buffer_format(json, "%s{\"fd\": %" PRId32, i > 0 ? ", " : "", wait->files[i].number);
        append_string(json, "target", &wait->files[i].target);
        buffer_append_char(json, '}');
    }
    buffer_format(json, "], \"more_files\": %" PRIu32 "}", wait->more_files);
}
