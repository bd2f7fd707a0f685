/* SPDX-License-Identifier: MIT */
#include "target/process_memory.h"

#include "base/cleanup.h"
#include "living_thread.h"
#include "pid_namespace.h"
#include "target/privileges.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>

struct process_memory {
    struct memory memory;
    pid_t pid; /* of a living thread, as system calls know it */
    int mem;   /* /proc/PID/mem when process_vm_readv is refused, else -1 */
    struct iovec local[IOV_MAX];
    struct iovec remote[IOV_MAX];
};

static enum memory_status status_of_errno(int errno_value)
{
    switch (errno_value) {
    case ESRCH:
        return MEMORY_GONE;
    case EFAULT:
    case EIO:
    case EINVAL:
        return MEMORY_FAULT;
    default:
        return MEMORY_DENIED;
    }
}

/* How many leading pieces `len` bytes fill. */
static size_t count_whole_pieces(const struct memory_piece *pieces, size_t count, size_t len)
{
    size_t done = 0;
    while (done < count && pieces[done].len <= len)
        len -= pieces[done++].len;
    return done;
}

/* One system call for at most IOV_MAX pieces. */
static enum memory_status read_vector(struct process_memory *self, const struct memory_piece *pieces, size_t count,
                                      size_t *ret_done)
{
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        self->local[i] = (struct iovec){pieces[i].destination, pieces[i].len};
        self->remote[i] = (struct iovec){(void *)(uintptr_t)pieces[i].address, pieces[i].len};
        wanted += pieces[i].len;
    }
    self->memory.remote_reads++;
    *ret_done = 0;
    ssize_t len = process_vm_readv(self->pid, self->local, count, self->remote, count, 0);
    if (len < 0)
        return status_of_errno(errno);
    *ret_done = count_whole_pieces(pieces, count, (size_t)len);
    return (size_t)len == wanted ? MEMORY_OK : MEMORY_FAULT;
}

static enum memory_status read_pieces(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                      size_t *ret_done)
{
    struct process_memory *self = (struct process_memory *)memory;
    enum memory_status status = MEMORY_OK;
    *ret_done = 0;
    while (*ret_done < count && status == MEMORY_OK) {
        size_t left = count - *ret_done, done;
        status = read_vector(self, pieces + *ret_done, left < IOV_MAX ? left : IOV_MAX, &done);
        *ret_done += done;
    }
    return status;
}

static enum memory_status read_pieces_of_file(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                              size_t *ret_done)
{
    struct process_memory *self = (struct process_memory *)memory;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        const struct memory_piece *piece = &pieces[*ret_done];
        self->memory.remote_reads++;
        ssize_t len = pread(self->mem, piece->destination, piece->len, (off_t)piece->address);
        if (len < 0)
            return status_of_errno(errno);
        if (len == 0 && piece->len > 0)
            return MEMORY_GONE;
        if ((size_t)len != piece->len)
            return MEMORY_FAULT;
    }
    return MEMORY_OK;
}

static const struct memory_ops vector_ops = {.read = read_pieces};
static const struct memory_ops file_ops = {.read = read_pieces_of_file};

/* Tries the system call. Address 0 is never mapped: permission is checked first, so MEMORY_FAULT means that we may. */
static enum memory_status try_system_call(struct process_memory *self)
{
    char byte;
    if (self->pid == 0)
        return MEMORY_DENIED;
    enum memory_status status = memory_read(&self->memory, 0, &byte, sizeof(byte));
    self->memory.remote_reads = 0;
    return status;
}

struct error *process_memory_create(const struct process *process, struct memory **ret)
{
    struct process_memory *self = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory();
    cleanup_process_memory struct memory *memory = &self->memory;
    cleanup_fd int folder = living_thread_open_folder(process->proc, process->pid, process->directory);
    memory->ops = &vector_ops;
    self->pid = pid_namespace_own_number(folder, process->pid, process->own_place);
    self->mem = -1;
    /*
     * What is read with lent privileges has to be of the caller's process for sure. The file stays that of the memory
     * that there was when it was opened, while the system call reads what an exec may have put in its place meanwhile
     * (Linux fs/proc/base.c: __mem_open()).
     */
    enum memory_status status = privileges_are_lent() ? MEMORY_DENIED : try_system_call(self);
    if (status == MEMORY_GONE)
        return error_create(ERROR_TARGET_GONE, "process %d has ended", process->pid);
    if (status == MEMORY_DENIED) {
        memory->ops = &file_ops;
        self->mem = openat(folder, "mem", O_RDONLY | O_CLOEXEC);
        if (self->mem < 0)
            return error_from_errno(errno, "cannot read the memory of process %d", process->pid);
        struct error *error = privileges_check(folder, process->pid);
        if (error)
            return error;
    }
    *ret = hand_over(&memory);
    return NULL;
}

bool process_memory_is_direct(const struct memory *memory)
{
    return memory->ops == &vector_ops;
}

bool process_memory_has_call(void)
{
    char source = 'x', copy = '\0';
    const struct iovec local = {&copy, sizeof(copy)}, remote = {&source, sizeof(source)};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)sizeof(copy);
}

void process_memory_destroy(struct memory *memory)
{
    struct process_memory *self = (struct process_memory *)memory;
    if (!self)
        return;
    cleanup_close_fd(&self->mem);
    free(self);
}
