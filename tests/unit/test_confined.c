/* SPDX-License-Identifier: MIT */
#include "base/confined.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct confined start(confined_work *work)
{
    struct confined confined = {0};
    cleanup_error struct error *error = confined_start(work, &confined);
    assert_null(error);
    return confined;
}

/* Sends what was read back, until there is nothing any more. */
static void echo(int socket)
{
    char bytes[16];
    ssize_t len;
    while ((len = read(socket, bytes, sizeof(bytes))) > 0)
        if (write(socket, bytes, (size_t)len) != len)
            return;
}

static void assert_echoes(const struct confined *confined)
{
    char answer[16] = "";
    assert_int_equal(write(confined->socket, "hello", 6), 6);
    assert_int_equal(read(confined->socket, answer, sizeof(answer)), 6);
    assert_string_equal(answer, "hello");
}

static void it_answers(void **state)
{
    (void)state;
    struct confined confined = start(echo);
    assert_echoes(&confined);
    confined_stop(&confined);
    assert_int_equal(confined.pid, 0);
    confined_stop(&confined);
}

/* What each call that it must not make came to: errno, or 0. */
enum {
    OPEN_FILE,
    MAKE_SOCKET,
    START_PROGRAM,
    FORK,
    SIGNAL_PARENT,
    TRACE_PARENT,
    MAP_CODE,
    MAKE_CODE,
    REMOVE,
    CALL_COUNT
};

static int result_of(long result)
{
    return result < 0 ? errno : 0;
}

static void try_what_is_forbidden(int socket)
{
    int results[CALL_COUNT] = {0};
    char name[] = "true";
    char *const arguments[] = {name, NULL};
    const size_t page = 4096;
    results[OPEN_FILE] = result_of(open("/", O_RDONLY | O_CLOEXEC));
    results[MAKE_SOCKET] = result_of(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
    results[START_PROGRAM] = result_of(execve("/bin/true", arguments, arguments + 1));
    pid_t child = fork();
    results[FORK] = result_of(child);
    results[SIGNAL_PARENT] = result_of(kill(getppid(), 0));
    results[TRACE_PARENT] = result_of(ptrace(PTRACE_SEIZE, getppid(), 0, 0));
    void *code = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    results[MAP_CODE] = code == MAP_FAILED ? errno : 0;
    void *memory = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    results[MAKE_CODE] = memory == MAP_FAILED ? -1 : result_of(mprotect(memory, page, PROT_READ | PROT_EXEC));
    results[REMOVE] = result_of(unlink("/nonexistent/file"));
    if (write(socket, results, sizeof(results)) < 0)
        return;
}

static void what_it_does_not_need_is_forbidden(void **state)
{
    (void)state;
    int results[CALL_COUNT] = {0};
    struct confined confined = start(try_what_is_forbidden);
    assert_int_equal(read(confined.socket, results, sizeof(results)), sizeof(results));
    for (unsigned i = 0; i < CALL_COUNT; i++)
        assert_int_equal(results[i], EPERM);
    confined_stop(&confined);
}

/* Tells which of the first descriptors are open. */
static void tell_descriptors(int socket)
{
    char are_open[256];
    for (int fd = 0; fd < (int)sizeof(are_open); fd++)
        are_open[fd] = fcntl(fd, F_GETFD) >= 0;
    if (write(socket, are_open, sizeof(are_open)) < 0)
        return;
}

static void it_has_no_descriptor_but_its_socket(void **state)
{
    (void)state;
    char are_open[256] = {0};
    cleanup_fd int secret = open("/dev/null", O_RDONLY); /* not even closed on exec */
    assert_true(secret >= 0);
    struct confined confined = start(tell_descriptors);
    assert_int_equal(read(confined.socket, are_open, sizeof(are_open)), sizeof(are_open));
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof(are_open); i++)
        count += are_open[i] != 0;
    assert_int_equal(count, 1);
    confined_stop(&confined);
}

static void hang(int socket)
{
    volatile bool is_endless = true;
    while (is_endless)
        (void)socket;
}

static void one_that_hangs_is_ended(void **state)
{
    (void)state;
    struct confined confined = start(hang);
    const pid_t pid = confined.pid;
    confined_stop(&confined);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void what_all_have_used_is_known(void **state)
{
    (void)state;
    uint64_t before_ns = confined_used_ns();
    struct confined first = start(hang), second = start(hang);
    while (confined_used_ns() < before_ns + 20000000)
        ;
    before_ns = confined_used_ns();
    confined_stop(&first);
    assert_true(confined_used_ns() >= before_ns);
    before_ns = confined_used_ns();
    while (confined_used_ns() < before_ns + 1000000)
        ;
    before_ns = confined_used_ns();
    confined_stop(&second);
    uint64_t ended_ns = confined_used_ns();
    assert_true(ended_ns >= before_ns);
    assert_int_equal(confined_used_ns(), ended_ns);
}

static void it_ends_with_us(void **state)
{
    (void)state;
    struct confined confined = start(echo);
    assert_echoes(&confined);
    close(confined.socket);
    assert_int_equal(waitpid(confined.pid, NULL, 0), confined.pid);
}

static void signals_from_a_terminal_are_not_for_it(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP};
    struct confined confined = start(echo);
    assert_echoes(&confined);
    for (size_t i = 0; i < array_size(signals); i++)
        assert_int_equal(kill(confined.pid, signals[i]), 0);
    assert_echoes(&confined);
    confined_stop(&confined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers),
        cmocka_unit_test(what_it_does_not_need_is_forbidden),
        cmocka_unit_test(it_has_no_descriptor_but_its_socket),
        cmocka_unit_test(one_that_hangs_is_ended),
        cmocka_unit_test(what_all_have_used_is_known),
        cmocka_unit_test(it_ends_with_us),
        cmocka_unit_test(signals_from_a_terminal_are_not_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
