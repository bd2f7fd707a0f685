/* SPDX-License-Identifier: MIT */
#include "target/proc_text.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAST_FIELD = 52 };

/* Writes a stat text: field n holds 1000 + n, except the first three. */
static void write_stat(struct buffer *text, const char *name, char state)
{
    buffer_format(text, "1234 (%s) %c", name, state);
    for (int field = 4; field <= LAST_FIELD; field++)
        buffer_format(text, " %d", 1000 + field);
    buffer_append_char(text, '\n');
}

/* Parses from memory that ends right behind the text, so that reading on is noticed. */
static bool parse(const char *text, size_t len, struct proc_stat *ret)
{
    char *bytes = malloc(len ? len : 1);
    memcpy(bytes, text, len);
    bool is_stat = proc_stat_parse(bytes, len, ret);
    free(bytes);
    return is_stat;
}

static bool status_number(const char *text, const char *field, int base, uint64_t *ret)
{
    size_t len = strlen(text);
    char *bytes = malloc(len ? len : 1);
    memcpy(bytes, text, len);
    bool has_number = proc_status_number(bytes, len, field, base, ret);
    free(bytes);
    return has_number;
}

static void check_name(const char *name)
{
    cleanup_buffer struct buffer text = {0};
    struct proc_stat stat;
    write_stat(&text, name, 'S');
    assert_true(parse(text.data, text.len, &stat));
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.start_time, 1022);
    assert_int_equal(stat.code_start, 1026);
    assert_int_equal(stat.stack_start, 1028);
    assert_int_equal(stat.cpu, 1039);
    assert_int_equal(stat.policy, 1041);
}

static void fields_are_counted_behind_the_name_whatever_it_holds(void **state)
{
    (void)state;
    static const char *const names[] = {"python",    "",     " ",  "a (b) c) R 1", ")",   "(",
                                        ") R 1 2 3", "a\nb", "\n", "\xff\x1b",     "a) Z"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_name(names[i]);
}

static void an_overlong_name_is_read(void **state)
{
    (void)state;
    char name[100001];
    memset(name, ')', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    check_name(name);
}

static void a_text_that_is_cut_is_no_stat(void **state)
{
    (void)state;
    cleanup_buffer struct buffer text = {0};
    write_stat(&text, "a (b", 'R');
    const char *field_41 = strstr(text.data, " 1041");
    size_t enough = (size_t)(field_41 - text.data) + 2;
    for (size_t len = 0; len < text.len; len++) {
        struct proc_stat stat = {.state = '?', .cpu = -7};
        assert_int_equal(parse(text.data, len, &stat), len >= enough);
        if (len < enough) {
            assert_int_equal(stat.state, '?');
            assert_int_equal(stat.cpu, -7);
        }
    }
}

static void other_texts_are_no_stat(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",     ")",         "1 (a)",       "1 (a) ",       "1 (a)  R",     "1 (a) 7 1", "1 a R 1",
        "(a)R", "1 (a) R  ", "1 (a) R 1 x", "1 (a) R 1  2", "\xff\xff\xff", "garbage",   "1 (a)\nR 1",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct proc_stat stat;
        assert_false(parse(texts[i], strlen(texts[i]), &stat));
    }
}

static void absurd_numbers_do_no_harm(void **state)
{
    (void)state;
    static const char *const numbers[] = {"-1", "18446744073709551615", "99999999999999999999999999999999999999", "-",
                                          "abc"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        cleanup_buffer struct buffer text = {0};
        struct proc_stat stat;
        buffer_append_text(&text, "1 (a) R");
        for (int field = 4; field <= LAST_FIELD; field++)
            buffer_format(&text, " %s", numbers[i]);
        parse(text.data, text.len, &stat);
    }
}

static void a_thread_that_has_begun_to_end_does_not_live(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool lives;
    } rows[] = {
        {"1 (a) S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 0 0 0 0 17 3 0 0", true},
        {"1 (a) S 1 1 1 0 -1 4194564 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 0 0 0 0 17 3 0 0", false},
        {"1 (a) Z 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 0 0 0 0 17 3 0 0", false},
        {"1 (a) X 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 0 0 0 0 17 3 0 0", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct proc_stat stat;
        assert_true(parse(rows[i].text, strlen(rows[i].text), &stat));
        assert_int_equal(proc_stat_lives(&stat), rows[i].lives);
    }
}

static const char status_text[] = "Name:\tUid:\t7\n"
                                  "Tgid:\t1234\n"
                                  "NStgid:\t99\t1\n"
                                  "Pid:\t1235\n"
                                  "\n"
                                  "Uid:\t1000\t1001\t1002\t1003\n"
                                  "Empty:\t\n"
                                  "CapEff:\t000001ffffffffff\n"
                                  "Last:  5";

static void a_status_field_is_found_at_the_start_of_its_line(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(status_number(status_text, "Tgid", 10, &number));
    assert_int_equal(number, 1234);
    assert_true(status_number(status_text, "Pid", 10, &number));
    assert_int_equal(number, 1235);
    assert_true(status_number(status_text, "Uid", 10, &number));
    assert_int_equal(number, 1000);
    assert_true(status_number(status_text, "CapEff", 16, &number));
    assert_int_equal(number, 0x1ffffffffff);
    assert_true(status_number(status_text, "Last", 10, &number));
    assert_int_equal(number, 5);
}

static void a_status_field_that_is_missing_or_has_no_number_is_none(void **state)
{
    (void)state;
    static const char *const fields[] = {"tgid", "Tgi", "gid", "Ui", "Empty", "Name", "Nowhere", ""};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        uint64_t number = 42;
        assert_false(status_number(status_text, fields[i], 10, &number));
        assert_int_equal(number, 42);
    }
}

static void odd_status_texts_do_no_harm(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "\n\n\n", ":", "Uid", "Uid:", "Uid:\t", "Uid:\n", "\nUid", "Uid:\tx"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t number;
        assert_false(status_number(texts[i], "Uid", 10, &number));
    }
    uint64_t number;
    assert_true(status_number("\n\nUid:3", "Uid", 10, &number));
    assert_int_equal(number, 3);
    assert_true(status_number("Uid:99999999999999999999999999999999999999", "Uid", 10, &number));
}

static void runs_and_their_time_are_read_from_schedstat(void **state)
{
    (void)state;
    struct proc_schedstat schedstat = {0};
    assert_true(proc_schedstat_parse("2463 1 77\n", &schedstat));
    assert_int_equal(schedstat.runs, 77);
    assert_int_equal(schedstat.run_ns, 2463);
    assert_int_equal(schedstat.wait_ns, 1);
    static const char *const texts[] = {"", "\n", "0 0 0\n", "1", "1 2", "1 2 x\n", "1 2 3x\n", "1 2 "};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(proc_schedstat_parse(texts[i], &schedstat));
    assert_int_equal(schedstat.runs, 77);
}

static void where_a_thread_sleeps_is_read_from_syscall(void **state)
{
    (void)state;
    struct proc_syscall call = {0};
    assert_true(
        proc_syscall_parse("202 0x7f1e175ad108 0x89 0x0 0x7f1e16da0840 0x5 0xffffffff 0x7f1e16da0710 0x7f1e\n", &call));
    const uint64_t expected[] = {0x7f1e175ad108, 0x89, 0, 0x7f1e16da0840, 5, 0xffffffff};
    assert_int_equal(call.number, 202);
    assert_memory_equal(call.arguments, expected, sizeof(expected));
    assert_int_equal(call.sp, 0x7f1e16da0710);
    assert_int_equal(call.pc, 0x7f1e);
    static const char *const texts[] = {"",
                                        "\n",
                                        "running\n",
                                        "-1 0x7f1e16da0710 0x7f1e\n",
                                        "-1 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n",
                                        "202",
                                        "202 ",
                                        "202 0x1",
                                        "202 x 0x1\n",
                                        "202 0x1 0x2 0x3 0x4 0x5\n",
                                        "202 0x1 0x2 0x3 0x4 0x5 \n",
                                        "202 0x1 0x2 0x3 0x4 0x5 0x6",
                                        "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n",
                                        "202 0x1 0x2 x 0x4 0x5 0x6 0x7 0x8\n",
                                        " 202 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(proc_syscall_parse(texts[i], &call));
    assert_int_equal(call.number, 202);
}

static void when_a_thread_had_a_cpu_last_is_read_from_sched(void **state)
{
    (void)state;
    int64_t stamp_ns = 0;
    assert_true(proc_sched_stamp("python (7, #threads: 1)\n-----\n"
                                 "se.exec_start                                :      24003862.382624\n"
                                 "se.vruntime                                  :             1.000000\n",
                                 &stamp_ns));
    assert_int_equal(stamp_ns, INT64_C(24003862382624));
    static const char *const texts[] = {"",
                                        "se.exec_start : 1.000000\n",
                                        "\nse.exec_start",
                                        "\nse.exec_start\n",
                                        "\nse.exec_start :",
                                        "\nse.exec_start : -1.000000\n",
                                        "\nse.exec_start : 1\n",
                                        "\nse.exec_start : 1.\n",
                                        "\nse.exec_start : 1.00000\n",
                                        "\nse.exec_start : 1..000000\n",
                                        "\nse.exec_start : x\n",
                                        "\nse.exec_start : 99999999999999999999999999999.000000\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(proc_sched_stamp(texts[i], &stamp_ns));
    assert_int_equal(stamp_ns, INT64_C(24003862382624));
}

/* Reads all numbers of a field, and checks that nothing is written beyond the limit. */
static uint32_t status_numbers(const char *text, const char *field, uint64_t *ret, uint32_t limit)
{
    size_t len = strlen(text);
    char *bytes = malloc(len ? len : 1);
    uint64_t *numbers = malloc((limit + 1) * sizeof(*numbers));
    memcpy(bytes, text, len);
    numbers[limit] = 4711;
    uint32_t count = proc_status_numbers(bytes, len, field, numbers, limit);
    assert_int_equal(numbers[limit], 4711);
    assert_true(count <= limit);
    memcpy(ret, numbers, count * sizeof(*numbers));
    free(numbers);
    free(bytes);
    return count;
}

static void all_numbers_of_a_field_are_read(void **state)
{
    (void)state;
    uint64_t numbers[4];
    assert_int_equal(status_numbers(status_text, "Uid", numbers, 4), 4);
    assert_int_equal(numbers[0], 1000);
    assert_int_equal(numbers[3], 1003);
    assert_int_equal(status_numbers(status_text, "NStgid", numbers, 4), 2);
    assert_int_equal(numbers[1], 1);
    assert_int_equal(status_numbers(status_text, "Last", numbers, 4), 1);
    assert_int_equal(numbers[0], 5);
    assert_int_equal(status_numbers("NSpid:\t7\t \n", "NSpid", numbers, 4), 1);
    assert_int_equal(status_numbers("NSpid:8 9", "NSpid", numbers, 4), 2);
    assert_int_equal(numbers[1], 9);
}

static void a_field_of_something_else_has_no_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = {"",           "NSpid",      "NSpid:",       "NSpid:\t\n", "NSpid:\tx",
                                        "NSpid: 1 x", "NSpid: 1x",  "NSpid: 1,2",   "NSpid: -1",  "NSpid: 1 -2",
                                        "NSpid: a1",  "NSpid: 0x1", "NSpid: 1\x01", "Tgid:\t7\n", "xNSpid: 7"};
    uint64_t numbers[4];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(status_numbers(texts[i], "NSpid", numbers, 4), 0);
}

static void more_numbers_than_there_is_room_for_are_none(void **state)
{
    (void)state;
    uint64_t numbers[4];
    assert_int_equal(status_numbers("NSpid: 1 2 3 4", "NSpid", numbers, 4), 4);
    assert_int_equal(status_numbers("NSpid: 1 2 3 4 5", "NSpid", numbers, 4), 0);
    assert_int_equal(status_numbers("NSpid: 1", "NSpid", numbers, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_counted_behind_the_name_whatever_it_holds),
        cmocka_unit_test(an_overlong_name_is_read),
        cmocka_unit_test(a_text_that_is_cut_is_no_stat),
        cmocka_unit_test(other_texts_are_no_stat),
        cmocka_unit_test(absurd_numbers_do_no_harm),
        cmocka_unit_test(a_thread_that_has_begun_to_end_does_not_live),
        cmocka_unit_test(a_status_field_is_found_at_the_start_of_its_line),
        cmocka_unit_test(a_status_field_that_is_missing_or_has_no_number_is_none),
        cmocka_unit_test(odd_status_texts_do_no_harm),
        cmocka_unit_test(runs_and_their_time_are_read_from_schedstat),
        cmocka_unit_test(where_a_thread_sleeps_is_read_from_syscall),
        cmocka_unit_test(when_a_thread_had_a_cpu_last_is_read_from_sched),
        cmocka_unit_test(all_numbers_of_a_field_are_read),
        cmocka_unit_test(a_field_of_something_else_has_no_numbers),
        cmocka_unit_test(more_numbers_than_there_is_room_for_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
