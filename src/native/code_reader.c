/* SPDX-License-Identifier: MIT */
#include "code_reader.h"

#include "base/cleanup.h"
#include "base/confined.h"
#include "base/table.h"
#include "code_service.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/*
 * The tables of the largest files are read in less than one second, on a machine with nothing else to do. Who asks may
 * be waited for himself, so what files take is bounded in all.
 */
enum {
    SLOW_MS = 1000,         /* what takes longer is counted */
    MODULE_SLOW_MS = 20000, /* so much of it one module may take, */
    ALL_SLOW_MS = 60000,    /* and all together */
    START_LIMIT = 32,       /* processes; so many files may make one fail */
    FAILURE_LIMIT = 2,      /* of processes that a module was asked about: it need not have been the file */
};

/* A module that was asked about. */
struct told_module {
    uint32_t number;
    remote_addr start;
    bool is_known; /* the process has its files */
    int slow_ms, failures;
};

struct code_reader {
    struct confined process;
    unsigned starts_left;
    int slow_left_ms;
    struct told_module *told;
    uint32_t told_count, told_capacity;
    char answer[CODE_ANSWER_LIMIT];
};

/* Without a process there are no names, and it is tried again with the next address. */
static bool start(struct code_reader *reader)
{
    if (reader->starts_left == 0)
        return false;
    reader->starts_left--;
    cleanup_error struct error *error = confined_start(code_service_run, &reader->process);
    return !error;
}

struct error *code_reader_create(struct code_reader **ret)
{
    struct code_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return error_no_memory();
    reader->starts_left = START_LIMIT;
    reader->slow_left_ms = ALL_SLOW_MS;
    start(reader);
    *ret = reader;
    return NULL;
}

void code_reader_destroy(struct code_reader *reader)
{
    if (!reader)
        return;
    confined_stop(&reader->process);
    free(reader->told);
    free(reader);
}

static bool send_question(const struct code_reader *reader, const struct code_question *question,
                          const int files[CODE_FILE_LIMIT], unsigned file_count)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(CODE_FILE_LIMIT * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec content = {.iov_base = (void *)question, .iov_len = sizeof(*question)};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    if (file_count > 0) {
        const size_t len = file_count * sizeof(int);
        control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(len)};
        memcpy(CMSG_DATA(&control.header), files, len);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(len);
    }
    return sendmsg(reader->process.socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*question);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* How long a module may still take. */
static int time_left_ms(const struct code_reader *reader, const struct told_module *told)
{
    int left_ms = MODULE_SLOW_MS - told->slow_ms;
    left_ms = left_ms < reader->slow_left_ms ? left_ms : reader->slow_left_ms;
    return left_ms > 0 ? left_ms : 0;
}

/* Waits until there is an answer, or no time left. */
static bool wait_for_answer(struct code_reader *reader, struct told_module *told)
{
    struct pollfd wanted = {.fd = reader->process.socket, .events = POLLIN};
    uint64_t begin_ms = now_ms();
    int count;
    do
        count = poll(&wanted, 1, time_left_ms(reader, told));
    while (count < 0 && errno == EINTR);
    int taken_ms = (int)(now_ms() - begin_ms);
    if (taken_ms >= SLOW_MS) {
        told->slow_ms += taken_ms;
        reader->slow_left_ms -= taken_ms;
    }
    return count > 0;
}

/* Returns the answer's length; 0 when there is none. */
static size_t receive_answer(struct code_reader *reader, struct told_module *told)
{
    if (!wait_for_answer(reader, told))
        return 0;
    ssize_t len = recv(reader->process.socket, reader->answer, sizeof(reader->answer), MSG_DONTWAIT);
    return len > 0 ? (size_t)len : 0;
}

/* NULL without memory. */
static struct told_module *find_told(struct code_reader *reader, const struct native_module *module)
{
    for (uint32_t i = 0; i < reader->told_count; i++) {
        if (reader->told[i].number == module->number)
            return &reader->told[i];
    }
    if (!array_grow(&reader->told, reader->told_count, &reader->told_capacity, sizeof(*reader->told)))
        return NULL;
    struct told_module *told = &reader->told[reader->told_count++];
    *told = (struct told_module){.number = module->number, .start = module->start};
    return told;
}

/* Lets the process have a module's files. */
static bool send_module(const struct code_reader *reader, const struct native_module *module)
{
    const struct code_question question = {.kind = CODE_OPEN, .module = module->number};
    cleanup_fd int own = image_duplicate_file(module->image);
    cleanup_fd int debug = module->debug ? image_duplicate_file(module->debug) : -1;
    const int files[CODE_FILE_LIMIT] = {own, debug};
    const unsigned count = own < 0 ? 0 : debug < 0 ? 1 : 2;
    return send_question(reader, &question, files, count);
}

/* Ends the process. The next one is told of its modules anew, as they are asked about. */
static void stop(struct code_reader *reader)
{
    confined_stop(&reader->process);
    for (uint32_t i = 0; i < reader->told_count; i++)
        reader->told[i].is_known = false;
}

void code_reader_update(struct code_reader *reader, struct modules *modules)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reader->told_count; i++) {
        const struct told_module *told = &reader->told[i];
        const struct native_module *module = modules_find(modules, told->start);
        const struct code_question question = {.kind = CODE_FORGET, .module = told->number};
        if (module && module->number == told->number)
            reader->told[kept++] = *told;
        else if (told->is_known)
            send_question(reader, &question, NULL, 0);
    }
    reader->told_count = kept;
}

static bool ask(struct code_reader *reader, struct told_module *told, const struct native_module *module,
                uint64_t address, struct code_description *ret)
{
    const struct code_question question = {.kind = CODE_FIND, .module = told->number, .address = address};
    told->is_known = told->is_known || send_module(reader, module);
    return told->is_known && send_question(reader, &question, NULL, 0) &&
           code_answer_read(reader->answer, receive_answer(reader, told), ret);
}

bool code_reader_find(struct code_reader *reader, const struct native_module *module, uint64_t address,
                      struct code_description *ret)
{
    struct told_module *told = find_told(reader, module);
    while (told && told->failures < FAILURE_LIMIT && time_left_ms(reader, told) > 0 &&
           (reader->process.pid != 0 || start(reader))) {
        if (ask(reader, told, module, address, ret))
            return true;
        told->failures++;
        stop(reader);
    }
    return false;
}
