/* SPDX-License-Identifier: MIT */
#include "target/sockets.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_folder.h"
#include "target/open_file.h"
#include "target/process.h"
#include "target/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char stat_text[] = "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 "
                                "0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n";

static const char tcp_text[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0000 100 0 0 10 "
    "0\n"
    "   1: 0100007F:1F40 0200000A:CBB0 01 00000000:00000000 00:00000000 00000000  1000        0 102 1 0000 20 4 30 10 "
    "-1\n"
    "   2: 0100007F:CBB0 0100007F:1F40 02 00000000:00000000 00:00000000 00000000  1000        0 103 1 0000\n"
    "   3: 0100007F:CBB0 0100007F:1F40 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0000\n";

static const char tcp6_text[] =
    "  sl  local_address                         remote_address                        st\n"
    "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 "
    "00:00000000 00000000     0        0 201 1 0000\n"
    "   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:CBB0 01 00000000:00000000 "
    "00:00000000 00000000     0        0 202 1 0000\n";

static const char udp_text[] =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer\n"
    "  226: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 301 2 0000 0\n"
    "  227: 0100007F:0035 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 302 2 0000 0\n";

static const char unix_text[] = "Num       RefCount Protocol Flags    Type St Inode Path\n"
                                "0000000000000000: 00000002 00000000 00010000 0001 01 401 /run/a b.sock\n"
                                "0000000000000000: 00000003 00000000 00000000 0001 03 402\n"
                                "0000000000000000: 00000002 00000000 00010000 0001 01 403 @abstract\n";

struct scene {
    struct proc_folder proc;
    struct process *process;
    struct sockets sockets;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    proc_folder_create(&scene->proc);
    proc_folder_put_text(&scene->proc, "7/stat", stat_text);
    proc_folder_put_text(&scene->proc, "7/task/7/stat", stat_text);
    assert_null(process_open(scene->proc.path, 7, &scene->process));
    scene->sockets.process = scene->process;
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    sockets_deinit(&scene->sockets);
    process_destroy(scene->process);
    proc_folder_destroy(&scene->proc);
    free(scene);
    return 0;
}

static void check(struct scene *scene, uint64_t inode, const char *expected)
{
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, "before");
    assert_int_equal(sockets_describe(&scene->sockets, inode, &text), expected != NULL);
    if (expected)
        assert_string_equal(buffer_text(&text), expected);
}

static void each_kind_of_socket_is_told(void **state)
{
    struct scene *scene = *state;
    proc_folder_put_text(&scene->proc, "7/net/tcp", tcp_text);
    proc_folder_put_text(&scene->proc, "7/net/tcp6", tcp6_text);
    proc_folder_put_text(&scene->proc, "7/net/udp", udp_text);
    proc_folder_put_text(&scene->proc, "7/net/unix", unix_text);
    check(scene, 101, "socket 127.0.0.1:8000, listening");
    check(scene, 102, "socket 127.0.0.1:8000 -> 10.0.0.2:52144");
    check(scene, 103, "socket 127.0.0.1:52144 -> 127.0.0.1:8000, connecting");
    check(scene, 201, "socket [::1]:80, listening");
    check(scene, 202, "socket [::ffff:127.0.0.1]:80 -> [::ffff:127.0.0.1]:52144");
    check(scene, 301, "udp socket 0.0.0.0:53");
    check(scene, 302, "udp socket 127.0.0.1:53 -> 127.0.0.1:8000");
    check(scene, 401, "unix socket /run/a b.sock");
    check(scene, 402, "unix socket");
    check(scene, 403, "unix socket @abstract");
    check(scene, 0, NULL);
    check(scene, 999, NULL);
}

static void a_process_without_tables_has_no_sockets(void **state)
{
    check(*state, 101, NULL);
}

/* Each line is cut at every place; whatever is left does no harm, and says nothing false. */
static void cut_lines_do_no_harm(void **state)
{
    struct scene *scene = *state;
    const char *line = strchr(tcp_text, '\n') + 1;
    size_t line_len = (size_t)(strchr(line, '\n') - line);
    for (size_t len = 0; len < line_len; len++) {
        char text[256];
        cleanup_buffer struct buffer found = {0};
        snprintf(text, sizeof(text), "%.*s\n", (int)len, line);
        proc_folder_put_text(&scene->proc, "7/net/tcp", text);
        struct sockets sockets = {.process = scene->process};
        if (sockets_describe(&sockets, 101, &found))
            assert_string_equal(buffer_text(&found), "socket 127.0.0.1:8000, listening");
        sockets_deinit(&sockets);
    }
}

static void odd_lines_do_no_harm(void **state)
{
    struct scene *scene = *state;
    static const char *const lines[] = {
        "0: 0100007F 00000000:0000 0A 0 0 0 0 0 101\n",
        "0: 0100007F:1F4 00000000:0000 0A 0 0 0 0 0 101\n",
        "0: x100007F:1F40 00000000:0000 0A 0 0 0 0 0 101\n",
        "0: 0100007F:1F40 00000000:0000 0G 0 0 0 0 0 101\n",
        "0: 0100007F:1F40 0000 01 0 0 0 0 0 101\n",
        "0: 0100007F:1F40 00000000:0000 0A 0 0 0 0 0 -101\n",
        "0: 0100007F:1F40 00000000:0000 0A 0 0 0 0 0 101x\n",
        "\n\n\n",
        "                                                           ",
        "",
    };
    for (size_t i = 0; i < array_size(lines); i++) {
        cleanup_buffer struct buffer found = {0};
        proc_folder_put_text(&scene->proc, "7/net/tcp", lines[i]);
        struct sockets sockets = {.process = scene->process};
        assert_false(sockets_describe(&sockets, 101, &found));
        sockets_deinit(&sockets);
    }
    /* A state that is not known is left out. */
    proc_folder_put_text(&scene->proc, "7/net/tcp", "0: 0100007F:1F40 0100007F:1F40 FF 0 0 0 0 0 101\n");
    check(scene, 101, "socket 127.0.0.1:8000 -> 127.0.0.1:8000");
}

static void check_link(struct scene *scene, const char *target, const char *expected)
{
    struct task task;
    cleanup_buffer struct buffer text = {0};
    assert_null(task_init(&task, scene->process, 7));
    if (target)
        proc_folder_link(&scene->proc, "7/task/7/fd/3", target);
    assert_int_equal(open_file_read(&task, 3, &text), expected != NULL);
    if (expected)
        assert_string_equal(buffer_text(&text), expected);
    if (target)
        proc_folder_remove(&scene->proc, "7/task/7/fd/3");
    assert_false(open_file_read(&task, -1, &text));
    assert_false(open_file_read_info(&task, -1, &text));
    task_deinit(&task);
}

static void what_a_descriptor_leads_to_is_told(void **state)
{
    struct scene *scene = *state;
    check_link(scene, NULL, NULL);
    check_link(scene, "/var/log/x", "/var/log/x");
    check_link(scene, "pipe:[1234]", "pipe:[1234]");
    check_link(scene, "anon_inode:[eventfd]", "eventfd");
    check_link(scene, "anon_inode:inotify", "inotify");
    check_link(scene, "anon_inode:[]", "[]");
    check_link(scene, "anon_inode:", "");
}

static void sockets_are_told_by_their_links(void **state)
{
    (void)state;
    uint64_t inode = 0;
    static const char *const others[] = {"",           "socket:[]",    "socket:[0]",  "socket:[12",
                                         "socket:12",  "socket:[12]x", "xsocket:[1]", "pipe:[12]",
                                         "socket:[x]", "socket:"};
    assert_true(open_file_is_socket("socket:[1234]", &inode));
    assert_int_equal(inode, 1234);
    for (size_t i = 0; i < array_size(others); i++)
        assert_false(open_file_is_socket(others[i], &inode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_of_socket_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_without_tables_has_no_sockets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_lines_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_lines_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_descriptor_leads_to_is_told, set_up, tear_down),
        cmocka_unit_test(sockets_are_told_by_their_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
