/* SPDX-License-Identifier: MIT */
#include "own_process.h"

#include "base/cleanup.h"
#include "image/loaded_image.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct error *open_file(void *context, const struct maps *maps, const struct mapping *mapping,
                               struct loaded_image *ret)
{
    (void)context;
    (void)maps;
    cleanup_fd int fd = open(mapping->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_create(ERROR_NOT_FOUND, "cannot open '%s'", mapping->path);
    struct error *error = image_open(fd, &ret->image);
    if (!error && !image_load_bias(ret->image, mapping->start, mapping->offset, true, &ret->bias))
        error = error_create(ERROR_BAD_DATA, "'%s' is not mapped as it says", mapping->path);
    return error;
}

const struct module_opener own_opener = {.open = open_file};

static enum memory_status read_own(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                   size_t *ret_done)
{
    (void)memory;
    for (size_t i = 0; i < count; i++)
        memcpy(pieces[i].destination, (const void *)(uintptr_t)pieces[i].address, pieces[i].len);
    *ret_done = count;
    return MEMORY_OK;
}

static const struct memory_ops own_memory_ops = {.read = read_own};
struct memory own_memory = {.ops = &own_memory_ops};

void own_maps_init(struct maps *maps)
{
    cleanup_file FILE *file = fopen("/proc/self/maps", "re");
    cleanup_free char *text = NULL;
    size_t capacity = 0;
    require(file);
    ssize_t len = getdelim(&text, &capacity, '\0', file);
    require(len > 0);
    require(!maps_init(maps, text, (size_t)len));
}

/* Takes the kernel's registers out of what getcontext() wrote. */
static void take_registers(const ucontext_t *context, struct registers *ret)
{
    *ret = (struct registers){.system_call = -1};
#if defined(__aarch64__)
    memcpy(ret->values, context->uc_mcontext.regs, sizeof(context->uc_mcontext.regs));
    ret->values[REGISTER_SP] = context->uc_mcontext.sp;
    ret->values[REGISTER_PC] = context->uc_mcontext.pc;
#else
    static const int order[REGISTER_COUNT] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                              REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                              REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (size_t i = 0; i < REGISTER_COUNT; i++)
        ret->values[i] = (uint64_t)context->uc_mcontext.gregs[order[i]];
#endif
}

remote_addr own_stack_end(void)
{
    pthread_attr_t attributes;
    void *start;
    size_t len;
    require(pthread_getattr_np(pthread_self(), &attributes) == 0);
    require(pthread_attr_getstack(&attributes, &start, &len) == 0);
    pthread_attr_destroy(&attributes);
    return (remote_addr)(uintptr_t)start + len;
}

/* By the kernel: what checks that accesses stay inside of variables, and that these have values, is not to look. */
static void copy_bytes(unsigned char *destination, remote_addr source, size_t len)
{
    const struct iovec to = {.iov_base = destination, .iov_len = len};
    const struct iovec from = {.iov_base = (void *)(uintptr_t)source, .iov_len = len};
    require(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)len);
}

/* glibc's, whoever else has a function of that name: libunwind and sanitizers do. */
static int (*find_backtrace(void))(void **, int)
{
    int (*function)(void **, int);
    void *library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *symbol = library ? dlsym(library, "backtrace") : NULL;
    require(symbol);
    dlclose(library);
    memcpy(&function, &symbol, sizeof(function));
    return function;
}

__attribute__((noinline)) void own_stack_take(struct own_stack *own, remote_addr end)
{
    ucontext_t context = {0}; /* which getcontext() does not fill */
    struct native_stack *stack = &own->stack;
    int (*glibc_backtrace)(void **, int) = find_backtrace();
    getcontext(&context);
    own->truth_count = glibc_backtrace(own->truth, OWN_STACK_LIMIT);
    take_registers(&context, &stack->registers);
    stack->start = stack->registers.values[REGISTER_SP];
    stack->len = end - stack->start;
    unsigned char *bytes = malloc(stack->len);
    require(bytes);
    copy_bytes(bytes, stack->start, stack->len);
    stack->bytes = bytes;
}
