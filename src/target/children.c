/* SPDX-License-Identifier: MIT */
#include "target/children.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "pid_namespace.h"
#include "proc_file.h"
#include "target/process.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { CHILD_LIMIT = 1 << 22 }; /* the kernel's own limit of pid_max */

struct child_list {
    pid_t *numbers;
    uint32_t count, capacity;
};

static void free_list(struct child_list *list)
{
    free(list->numbers);
}

/* Adds the numbers of a text such as "12 34 ". Returns false without memory. */
static bool add_numbers(struct child_list *list, const char *text)
{
    char *end;
    for (long number = strtol(text, &end, 10); end != text; number = strtol(text, &end, 10)) {
        text = end;
        if (number <= 0 || number > INT32_MAX || list->count >= CHILD_LIMIT)
            continue;
        if (!array_grow(&list->numbers, list->count, &list->capacity, sizeof(*list->numbers)))
            return false;
        list->numbers[list->count++] = (pid_t)number;
    }
    return true;
}

struct error *children_list(const struct process *process, pid_t **ret, uint32_t *ret_count)
{
    cleanup_free pid_t *tids = NULL;
    uint32_t tid_count;
    __attribute__((cleanup(free_list))) struct child_list list = {0};
    cleanup_buffer struct buffer text = {0};
    bool is_any_read = false;
    struct error *error = process_thread_ids(process, &tids, &tid_count);
    if (error)
        return error;
    for (uint32_t i = 0; i < tid_count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "task/%d/children", tids[i]);
        /* A thread that has ended meanwhile has left its children to another one, which is for the next time. */
        cleanup_error struct error *gone = proc_file_read(process->directory, name, &text);
        if (gone)
            continue;
        is_any_read = true;
        if (!add_numbers(&list, buffer_text(&text)))
            return error_no_memory();
    }
    if (!is_any_read && process_is_running(process))
        return error_create(ERROR_NOT_FOUND, "this kernel has no lists of children (CONFIG_PROC_CHILDREN)");
    *ret = hand_over(&list.numbers);
    *ret_count = list.count;
    return NULL;
}

/* By which number a parent that has so many knows its child; 0 when it has ended. */
static pid_t read_number(const struct process *parent, uint32_t parent_numbers, pid_t child)
{
    char path[PATH_MAX];
    struct pid_numbers numbers;
    snprintf(path, sizeof(path), "%s/%d/status", parent->proc, child);
    pid_numbers_read(AT_FDCWD, path, child, &numbers);
    return parent_numbers > 0 && parent_numbers <= numbers.count ? numbers.numbers[parent_numbers - 1] : 0;
}

pid_t children_find(const struct process *process, pid_t inner)
{
    cleanup_free pid_t *children = NULL;
    uint32_t count = 0;
    struct pid_numbers own;
    if (!process->has_inner_ids)
        return inner;
    pid_numbers_read(process->directory, "status", process->pid, &own);
    cleanup_error struct error *error = children_list(process, &children, &count);
    for (uint32_t i = 0; !error && i < count; i++) {
        if (read_number(process, own.count, children[i]) == inner)
            return children[i];
    }
    return 0;
}

/* "0.00 0.01 0.05 1/123 4567\n": Linux fs/proc/loadavg.c, loadavg_proc_show(). */
pid_t children_last_number(const char *proc)
{
    char path[PATH_MAX];
    cleanup_buffer struct buffer text = {0};
    snprintf(path, sizeof(path), "%s/loadavg", proc);
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, &text);
    const char *last = error ? NULL : strrchr(buffer_text(&text), ' ');
    long number = last ? strtol(last, NULL, 10) : 0;
    return number > 0 && number <= INT32_MAX ? (pid_t)number : 0;
}
