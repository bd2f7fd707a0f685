/* SPDX-License-Identifier: MIT */
/* The service here is a thread of the test, not a process, so that valgrind sees what it does. */
#include "native/code_service.h"

#include "base/cleanup.h"
#include "native/code_messages.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

struct scene {
    int socket;
    int other_end;
    pthread_t thread;
    char answer[CODE_ANSWER_LIMIT];
};

static void *serve(void *context)
{
    const struct scene *scene = context;
    code_service_run(scene->other_end);
    return NULL;
}

static int set_up(void **state)
{
    static struct scene scene;
    int sockets[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
    scene.socket = sockets[0];
    scene.other_end = sockets[1];
    assert_int_equal(pthread_create(&scene.thread, NULL, serve, &scene), 0);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    close(scene->socket);
    pthread_join(scene->thread, NULL);
    close(scene->other_end);
    return 0;
}

static void ask(const struct scene *scene, struct code_question question)
{
    assert_int_equal(write(scene->socket, &question, sizeof(question)), sizeof(question));
}

static void open_file(const struct scene *scene, uint32_t module, const char *path)
{
    struct code_question question = {.kind = CODE_OPEN, .module = module};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec content = {.iov_base = &question, .iov_len = sizeof(question)};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    assert_int_equal(sendmsg(scene->socket, &message, 0), sizeof(question));
}

static struct code_description find(struct scene *scene, uint32_t module, uint64_t address)
{
    struct code_description description;
    ask(scene, (struct code_question){.kind = CODE_FIND, .module = module, .address = address});
    ssize_t len = read(scene->socket, scene->answer, sizeof(scene->answer));
    assert_true(len > 0);
    assert_true(code_answer_read(scene->answer, (size_t)len, &description));
    return description;
}

static uint64_t address_of(const char *path, const char *symbol)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    cleanup_image struct image *image = NULL;
    struct image_range range;
    assert_null(image_open(fd, &image));
    assert_true(image_find_symbol(image, symbol, &range));
    return range.address;
}

static const char path[] = CODE_FOLDER "/inlined.so";

static void files_are_read(void **state)
{
    open_file(*state, 7, path);
    struct code_description found = find(*state, 7, address_of(path, "mark_innermost"));
    assert_int_equal(found.count, 3);
    assert_string_equal(found.symbol, "outermost");
    assert_string_equal(found.places[0].name, "innermost");
    assert_int_equal(found.places[0].line, 12);
}

static void nothing_is_known_of_what_was_not_opened(void **state)
{
    struct code_description found = find(*state, 1, 0x1000);
    assert_int_equal(found.count, 1);
    assert_false(found.is_found);
    assert_string_equal(found.symbol, "");
}

static void what_is_forgotten_can_be_opened_anew(void **state)
{
    uint64_t address = address_of(path, "outermost");
    open_file(*state, 7, path);
    open_file(*state, 8, path);
    ask(*state, (struct code_question){.kind = CODE_FORGET, .module = 7});
    ask(*state, (struct code_question){.kind = CODE_FORGET, .module = 7});
    assert_string_equal(find(*state, 7, address).symbol, "");
    assert_string_equal(find(*state, 8, address).symbol, "outermost");
    open_file(*state, 7, path);
    assert_string_equal(find(*state, 7, address).symbol, "outermost");
}

static void a_file_that_is_no_elf_file_has_no_names(void **state)
{
    open_file(*state, 7, "/dev/null");
    assert_string_equal(find(*state, 7, 0).symbol, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_known_of_what_was_not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_can_be_opened_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_elf_file_has_no_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
