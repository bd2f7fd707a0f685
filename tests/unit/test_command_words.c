/* SPDX-License-Identifier: MIT */
#include "target/command_words.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WORDS = 10 };

static void arguments_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS];
        const char *expected;
    } cases[] = {
        {{NULL}, ""},
        {{"python3"}, "python3"},
        {{"/usr/bin/python3", "/srv/app.py"}, "/usr/bin/python3 /srv/app.py"},
        {{"python3", "app.py", "--password=x"}, "python3 app.py …"},
        {{"python3", "-X", "dev", "-u", "-W", "error", "app.py", "-x"}, "python3 -X dev -u -W error app.py …"},
        {{"python3", "-m", "http.server", "8000"}, "python3 -m http.server …"},
        {{"python3", "-m"}, "python3 -m"},
        {{"python3", "-c", "key = 'x'"}, "python3 -c …"},
        {{"python3", "-", "x"}, "python3 - …"},
        {{"python3", "-Ic", "key = 'x'"}, "python3 -Ic …"},
        {{"python3", "-ckey = 'x'"}, "python3 -c …"},
        {{"python3", "-uckey = 'x'", "y"}, "python3 -uc …"},
        {{"python3", "-mhttp.server", "8000"}, "python3 -mhttp.server …"},
        {{"python3", "-um", "http.server", "8000"}, "python3 -um http.server …"},
        {{"python3", "-uW", "ignore", "-Xdev", "app.py", "x"}, "python3 -uW ignore -Xdev app.py …"},
        {{"python3", "--check-hash-based-pycs", "always", "app.py", "x"},
         "python3 --check-hash-based-pycs always app.py …"},
        {{"python3", "-X"}, "python3 -X"},
        {{"sh", "-c", "KEY=x python3 app.py"}, "sh …"},
        {{"gunicorn: worker [app]"}, "gunicorn: worker [app]"},
        {{"/lib64/ld-linux-x86-64.so.2", "--argv0", "a", "/usr/bin/python3.11", "app.py", "x"},
         "/lib64/ld-linux-x86-64.so.2 --argv0 a /usr/bin/python3.11 app.py …"},
        {{"ld-linux-x86-64.so.2"}, "ld-linux-x86-64.so.2"},
        {{"ld-linux-x86-64.so.2", "--argv0"}, "ld-linux-x86-64.so.2 …"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_buffer struct buffer out = {0};
        command_words_append(&out, cases[i].words, false);
        assert_string_equal(buffer_text(&out), cases[i].expected);
    }
}

static void all_words_are_kept_when_wanted(void **state)
{
    (void)state;
    cleanup_buffer struct buffer out = {0};
    command_words_append(&out, (const char *const[]){"python3", "app.py", "--password=x", NULL}, true);
    assert_string_equal(buffer_text(&out), "python3 app.py --password=x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_left_out),
        cmocka_unit_test(all_words_are_kept_when_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
