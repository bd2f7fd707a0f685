/* SPDX-License-Identifier: MIT */
#include "code_service.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "code_messages.h"
#include "image/debug_lines.h"
#include "image/function_names.h"
#include "image/image.h"
#include "symbol_name.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_SECONDS = 30 }; /* longer than anybody waits; a file may make it go on for ever */

/* A module. What its files lack is NULL. */
struct code {
    struct code *next;
    uint32_t module; /* its number */
    struct image *image, *debug;
    struct function_names *names;
    struct debug_lines *lines;
    bool is_read;
};

struct service {
    int socket;
    struct code *codes; /* a list */
    struct buffer symbol, name, answer;
};

static void code_destroy(struct code *code)
{
    debug_lines_destroy(code->lines);
    function_names_destroy(code->names);
    image_destroy(code->debug);
    image_destroy(code->image);
    free(code);
}

/* The link of the list that leads to a module, or the last one, which is NULL. */
static struct code **find_link(struct service *service, uint32_t module)
{
    struct code **link = &service->codes;
    while (*link && (*link)->module != module)
        link = &(*link)->next;
    return link;
}

/* Without memory, nothing is known of the module. */
static void open_code(struct service *service, uint32_t module, const int files[CODE_FILE_LIMIT])
{
    struct code **link = find_link(service, module);
    struct code *code = *link ? NULL : calloc(1, sizeof(*code));
    if (!code)
        return;
    code->module = module;
    if (files[0] >= 0)
        error_destroy(image_open(files[0], &code->image));
    if (files[1] >= 0)
        error_destroy(image_open(files[1], &code->debug));
    *link = code;
}

static void forget_code(struct code **link)
{
    struct code *code = *link;
    if (!code)
        return;
    *link = code->next;
    code_destroy(code);
}

/* The tables are read when an address is asked for first: those of most modules never are, and it takes a while. */
static void read_tables(struct code *code)
{
    code->is_read = true;
    if (!code->image)
        return;
    error_destroy(function_names_create(code->image, code->debug, &code->names));
    if (code->debug)
        error_destroy(debug_lines_create(code->debug, &code->lines));
    if (!code->lines)
        error_destroy(debug_lines_create(code->image, &code->lines));
}

/* Appends a text with its end. */
static void put_text(struct buffer *out, const char *text)
{
    size_t len = strnlen(text, CODE_TEXT_LIMIT - 1);
    buffer_append(out, text, len);
    buffer_append_char(out, '\0');
}

static void put_place(struct service *service, const char *symbol, const struct debug_place *place)
{
    const char is_of_cython = symbol_is_of_cython(symbol);
    buffer_append(&service->answer, &place->line, sizeof(place->line));
    buffer_append_char(&service->answer, is_of_cython);
    buffer_clear(&service->name);
    symbol_name_append(symbol, &service->name);
    put_text(&service->answer, buffer_text(&service->name));
    put_text(&service->answer, place->file);
}

/* Writes the answer about places, the last of which is the function that has the others inlined. */
static void put_answer(struct service *service, struct code *code, const struct code_question *question,
                       const struct image_range *range, const struct debug_place *places, uint32_t count)
{
    const struct code_answer head = {
        .start = range ? range->address : 0, .len = range ? range->len : 0, .is_found = range != NULL, .count = count};
    const struct debug_place *last = &places[count - 1];
    const char *symbol = service->symbol.len > 0 ? buffer_text(&service->symbol) : last->name;
    buffer_clear(&service->answer);
    buffer_append(&service->answer, &head, sizeof(head));
    put_text(&service->answer, symbol);
    put_text(&service->answer, code->lines ? debug_lines_folder(code->lines, question->address) : "");
    for (uint32_t i = 0; i + 1 < count; i++)
        put_place(service, places[i].name, &places[i]);
    put_place(service, symbol, last);
}

/* Without what is inlined when that is too long. */
static void find_place(struct service *service, struct code *code, const struct code_question *question)
{
    struct debug_place places[DEBUG_PLACE_LIMIT];
    struct image_range range;
    if (!code->is_read)
        read_tables(code);
    buffer_clear(&service->symbol);
    bool is_found = code->names && function_names_find(code->names, question->address, &range, &service->symbol);
    uint32_t count = code->lines ? debug_lines_find(code->lines, question->address, places) : 0;
    if (count == 0)
        places[count++] = (struct debug_place){"", "", 0};
    put_answer(service, code, question, is_found ? &range : NULL, places, count);
    if (service->answer.len > CODE_ANSWER_LIMIT)
        put_answer(service, code, question, is_found ? &range : NULL, &places[count - 1], 1);
}

/* False when there is nobody to be answered, or no memory to do it with. */
static bool answer(struct service *service, const struct code_question *question)
{
    struct code nothing = {.is_read = true};
    struct code *code = *find_link(service, question->module);
    find_place(service, code ? code : &nothing, question);
    return !service->answer.failed &&
           write(service->socket, service->answer.data, service->answer.len) == (ssize_t)service->answer.len;
}

/* Takes the descriptors out of a message; -1 where there is none. */
static void take_files(struct msghdr *message, int ret_files[CODE_FILE_LIMIT])
{
    for (unsigned i = 0; i < CODE_FILE_LIMIT; i++)
        ret_files[i] = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            memcpy(ret_files, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
    }
}

/* False when there will be no question any more. */
static bool receive(int socket, struct code_question *ret, int ret_files[CODE_FILE_LIMIT])
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(CODE_FILE_LIMIT * sizeof(int))];
    } control;
    struct iovec content = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t len;
    do
        len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    if (len != (ssize_t)sizeof(*ret))
        return false;
    take_files(&message, ret_files);
    return true;
}

/* False when nobody is left to ask. */
static bool serve(struct service *service)
{
    struct code_question question;
    int files[CODE_FILE_LIMIT];
    if (!receive(service->socket, &question, files))
        return false;
    bool is_good = true;
    if (question.kind == CODE_OPEN)
        open_code(service, question.module, files);
    else if (question.kind == CODE_FORGET)
        forget_code(find_link(service, question.module));
    else {
        alarm(ANSWER_SECONDS);
        is_good = answer(service, &question);
        alarm(0);
    }
    for (unsigned i = 0; i < CODE_FILE_LIMIT; i++)
        cleanup_close_fd(&files[i]);
    return is_good;
}

void code_service_run(int socket)
{
    struct service service = {.socket = socket};
    while (serve(&service))
        ;
    while (service.codes)
        forget_code(&service.codes);
    buffer_deinit(&service.symbol);
    buffer_deinit(&service.name);
    buffer_deinit(&service.answer);
}
