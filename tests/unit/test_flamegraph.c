/* SPDX-License-Identifier: MIT */
/* What is written is read back with libxml2 as strictly as it goes: no recovery, its limits on sizes kept. */
#include "formats/formats.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/members.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static const struct profile_detail everything_apart = {.with_threads = true, .with_processes = true};
static struct format_options options = {.detail = {.with_threads = true, .with_processes = true}};

static char *write_svg(const struct profile *profile, size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    assert_null(format_by_name("flamegraph")->write(profile, &options, out));
    fclose(out);
    return text;
}

static void free_document(xmlDoc **document)
{
    xmlFreeDoc(*document);
}

#define cleanup_document __attribute__((cleanup(free_document)))

static xmlDoc *parse(const struct profile *profile)
{
    size_t len;
    cleanup_free char *text = write_svg(profile, &len);
    xmlDoc *document = xmlReadMemory(text, (int)len, "flame.svg", NULL, XML_PARSE_NONET | XML_PARSE_PEDANTIC);
    assert_non_null(document);
    return document;
}

/* What an XPath expression gives, as text; `s:` is SVG. */
static char *evaluate(xmlDoc *document, const char *expression)
{
    xmlXPathContext *context = xmlXPathNewContext(document);
    xmlXPathRegisterNs(context, BAD_CAST "s", BAD_CAST "http://www.w3.org/2000/svg");
    xmlXPathObject *object = xmlXPathEvalExpression(BAD_CAST expression, context);
    assert_non_null(object);
    xmlChar *text = xmlXPathCastToString(object);
    char *copy = strdup((const char *)text);
    xmlFree(text);
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
    return copy;
}

static void assert_evaluates(xmlDoc *document, const char *expression, const char *expected)
{
    cleanup_free char *text = evaluate(document, expression);
    assert_string_equal(text, expected);
}

static int digit_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(digits, digit);
    return found ? (int)(found - digits) : 0;
}

/* Appends the numbers of a column in decimal, each with a space behind it. */
static void read_column(xmlDoc *document, const char *name, struct buffer *numbers)
{
    char expression[100];
    snprintf(expression, sizeof(expression), "string(//s:metadata[@data-pyspyc='%s'])", name);
    cleanup_free char *text = evaluate(document, expression);
    uint64_t number = 0;
    unsigned shift = 0;
    for (size_t bit = 0; text[bit / 6] && text[(bit + 7) / 6] != '='; bit += 8) {
        unsigned pair = (unsigned)digit_value(text[bit / 6]) << 6;
        if (!text[bit / 6 + 1])
            break;
        pair |= (unsigned)digit_value(text[bit / 6 + 1]);
        unsigned byte = pair >> (4 - bit % 6) & 0xff;
        number |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) {
            buffer_format(numbers, "%llu ", (unsigned long long)number);
            number = 0;
            shift = 0;
        }
    }
}

static void assert_column(xmlDoc *document, const char *name, const char *expected)
{
    cleanup_buffer struct buffer numbers = {0};
    read_column(document, name, &numbers);
    assert_string_equal(buffer_text(&numbers), expected);
}

static void the_document_says_what_it_is(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 5);
    profile_info(profile)->interval_ns = 10000000;
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "string(/s:svg/s:title)", "python app.py - flame graph");
    assert_evaluates(document, "string(/s:svg/@aria-label)", "Flame graph of python app.py");
    assert_evaluates(document, "string(/s:svg/@role)", "img");
    assert_evaluates(document, "string(//s:text[@class='title'])", "python app.py");
    assert_evaluates(document, "string(//s:text[@class='facts'])", "5 samples, 0 s, 100 per second");
    assert_evaluates(document, "count(//s:script)", "1");
    assert_evaluates(document, "count(//@id)", "0");
    assert_evaluates(document, "count(//@href)", "0");
}

static void the_still_picture_has_boxes_and_labels(void **state)
{
    struct profile *profile = *state;
    uint32_t thread = build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 25);
    build_child(profile, thread, build_frame(profile, "work", "/home/a.py", 7), 75);
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect)", "3");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:text[3])", "work (/home/a.py:7)");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:rect[3]/s:title)",
                     "work (/home/a.py:7)\n75 samples, 75.00 %");
    /* A node's own samples stand left of its children: a quarter of 1180 pixels behind the margin of 10. */
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:rect[3]/@x)", "305");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:rect[3]/@width)", "884.5");
    assert_evaluates(document, "//s:g[@class='boxes']/s:rect[3]/@y < //s:g[@class='boxes']/s:rect[1]/@y", "true");
    assert_evaluates(document, "starts-with(//s:g[@class='boxes']/s:rect[3]/@class, 'o')", "true");
    assert_evaluates(document, "starts-with(//s:g[@class='boxes']/s:rect[1]/@class, 'r')", "true");
}

static void the_data_has_every_node(void **state)
{
    struct profile *profile = *state;
    uint32_t thread = build_child(profile, PROFILE_ROOT, build_thread(profile, "T"), 0);
    uint32_t a = build_child(profile, thread, build_frame(profile, "a", "/x/f.py", 300), 1);
    build_child(profile, a, build_frame(profile, "b", "/x/f.py", 2), 999999);
    build_child(profile, thread, build_frame(profile, "b", "/x/f.py", 2), 1);
    profile_set_short_file(profile, profile_intern(profile, "/x/f.py", 7), profile_intern(profile, "f.py", 4));
    cleanup_document xmlDoc *document = parse(profile);
    /* The last b is a millionth of the picture: no box, but a node. */
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect)", "4");
    assert_column(document, "nodes", "0 2 5 1 0 7 999999 2 7 1 3 ");
    assert_evaluates(document, "string(//s:metadata[@data-pyspyc='strings'])",
                     "[\"app\",\"T\",\"a\",\"b\",\"/x/f.py\",\"f.py\"]");
    assert_column(document, "name", "1 2 3 4 ");
    assert_column(document, "file", "0 0 5 5 ");
    assert_column(document, "short", "0 0 6 6 ");
    assert_column(document, "line", "0 0 300 2 ");
}

static uint32_t fine_thread(struct profile *profile, uint32_t process_node, uint32_t process, const char *label)
{
    const struct profile_thread thread = {.process = process, .name = PROFILE_NONE, .is_main = true};
    const struct profile_frame frame = {
        .kind = FRAME_THREAD,
        .name = profile_intern(profile, label, strlen(label)),
        .file = PROFILE_NONE,
        .member = profile_add_thread(profile, &thread),
    };
    return build_child(profile, process_node, profile_intern_frame(profile, &frame), 0);
}

static uint32_t fine_line(struct profile *profile, const char *name, int32_t line, int32_t first_line)
{
    const struct profile_frame frame = {
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, "/a.py", 5),
        .line = line,
        .first_line = first_line,
    };
    return profile_intern_frame(profile, &frame);
}

/* Two processes whose main threads do the same in two lines of one function. */
static void build_fine(struct profile *profile)
{
    for (int64_t pid = 1; pid <= 2; pid++) {
        const struct profile_process process = {.pid = pid, .command_line = 0, .python_version = PROFILE_NONE};
        const struct profile_frame frame = {
            .kind = FRAME_PROCESS,
            .name = profile_intern(profile, pid == 1 ? "process 1" : "process 2", 9),
            .file = PROFILE_NONE,
            .member = profile_add_process(profile, &process),
        };
        uint32_t group = build_child(profile, PROFILE_ROOT, profile_intern_frame(profile, &frame), 0);
        uint32_t thread = fine_thread(profile, group, frame.member, pid == 1 ? "thread 1" : "thread 2");
        build_child(profile, thread, fine_line(profile, "f", 12, 10), 3);
        build_child(profile, thread, fine_line(profile, "f", 14, 10), 4);
    }
}

static void the_picture_has_less_detail_than_the_data(void **state)
{
    struct profile *profile = *state;
    build_fine(profile);
    options.detail = (struct profile_detail){.lines = PROFILE_FUNCTION_LINE};
    cleanup_document xmlDoc *document = parse(profile);
    options.detail = everything_apart;
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect)", "2");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:text[2])", "f (/a.py:10)");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:rect[2]/s:title)", "f (/a.py:10)\n14 samples, 100.00 %");
    assert_evaluates(document,
                     "contains(//s:metadata[@data-pyspyc='info'],"
                     " '\"shown\":{\"level\":\"function\",\"threads\":false,\"processes\":false}')",
                     "true");
    assert_evaluates(document, "contains(//s:metadata[@data-pyspyc='info'], '\"threads\":[[0,1],[1,1]]')", "true");
    assert_column(document, "nodes", "0 2 4 7 3 1 9 4 3 10 12 7 3 1 9 4 4 ");
    assert_column(document, "kind", "2 2 1 0 0 2 1 ");
    assert_column(document, "member", "0 0 0 0 0 1 1 ");
    assert_column(document, "line", "0 0 0 12 14 0 0 ");
    assert_column(document, "first", "0 0 0 10 10 0 0 ");
}

static void the_legend_tells_shares(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/a.py", 1), 5);
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "<frozen importlib._bootstrap>", 1), 2);
    build_child(profile, PROFILE_ROOT, build_group(profile, FRAME_MARK, "<GC>"), 1);
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:g[@class='legend']/s:rect)", "4");
    assert_evaluates(document, "string(//s:g[@class='legend']/s:text[1])", "own code 62.5 %");
    assert_evaluates(document, "string(//s:g[@class='legend']/s:text[2])", "import system 25.0 %");
    assert_evaluates(document, "string(//s:g[@class='legend']/s:text[3])", "garbage collector 12.5 %");
    assert_evaluates(document, "string(//s:g[@class='legend']/s:text[4])", "process, thread");
}

static void a_long_legend_has_several_rows(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/a.py", 1), 5);
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/usr/lib/python3/dist-packages/a/b.py", 1), 5);
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/usr/lib/python3.11/json/decoder.py", 1), 5);
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "<frozen importlib._bootstrap>", 1), 2);
    build_child(profile, PROFILE_ROOT, build_native(profile, "f", "/lib/libf.so", 0), 3);
    build_child(profile, PROFILE_ROOT, build_kernel(profile, "read"), 1);
    build_child(profile, PROFILE_ROOT, build_group(profile, FRAME_MARK, "<GC>"), 1);
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:g[@class='legend']/s:text)", "8");
    assert_evaluates(document, "count(//s:g[@class='legend']/s:text[@x + 7.3 * string-length(.) > 1190])", "0");
    assert_evaluates(document, "string(//s:g[@class='legend']/s:text[last()]/@y - //s:g[@class='legend']/s:text[1]/@y)",
                     "18");
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect[@y < //s:g[@class='legend']/s:text[last()]/@y])",
                     "0");
}

static void what_is_left_out_is_said_in_full(void **state)
{
    struct profile *profile = *state;
    char selection[400];
    for (size_t i = 0; i < sizeof(selection); i++)
        selection[i] = i % 10 == 9 ? ' ' : 'a';
    build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/a.py", 1), 5);
    profile_info(profile)->selection = profile_intern(profile, selection, sizeof(selection));
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:text[@class='facts'])", "3");
    assert_evaluates(document, "count(//s:text[@class='facts'][string-length(.) > 161])", "0");
    assert_evaluates(document, "contains(//s:text[@class='facts'][3], 'aaaaaaaaa aaaaaaaaa')", "true");
    assert_evaluates(document, "//s:text[@class='facts'][3]/@y < //s:g[@class='legend']/s:text/@y", "true");
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect[@y < //s:g[@class='legend']/s:text/@y])", "0");
}

static void many_nodes_are_cut_into_elements(void **state)
{
    struct profile *profile = *state;
    for (uint32_t i = 0; i < 600000; i++) {
        char name[16];
        int len = snprintf(name, sizeof(name), "f%u", i);
        const struct profile_frame frame = {
            .kind = FRAME_PYTHON,
            .name = profile_intern(profile, name, (size_t)len),
            .file = PROFILE_NONE,
        };
        build_child(profile, PROFILE_ROOT, profile_intern_frame(profile, &frame), UINT64_C(1) << 20);
    }
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:metadata[@data-pyspyc='nodes']) > 1", "true");
    assert_evaluates(document, "count(//s:metadata[@data-pyspyc='strings']) > 1", "true");
    assert_evaluates(document, "string-length(//s:metadata[@data-pyspyc='nodes'][1])", "4194304");
}

static void hostile_names_are_inert(void **state)
{
    struct profile *profile = *state;
    static const char *const names[] = {
        "<script>alert(1)</script>", "]]></style></svg>",        "\"' onload='x", "&amp;&#0;",    "\x1b[31m\x01\x7f",
        "\xff\xfe\xed\xb2\x80",      "\xef\xbf\xbf\xef\xbf\xbe", "-->",           "\u202e\u2028", "</metadata><script>",
    };
    uint32_t node = build_child(profile, PROFILE_ROOT, build_frame_bytes(profile, "nul\0nul", 7, "a\0.py", 1), 1);
    for (size_t i = 0; i < array_size(names); i++)
        node = build_child(profile, node, build_frame(profile, names[i], names[array_size(names) - 1 - i], -1), 1);
    profile_info(profile)->title = profile_intern(profile, names[0], strlen(names[0]));
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:script)", "1");
    assert_evaluates(document, "count(//s:style)", "1");
    assert_evaluates(document, "count(//@*[starts-with(name(), 'on')])", "0");
    assert_evaluates(document, "string(/s:svg/s:title)", "<script>alert(1)</script> - flame graph");
    assert_evaluates(document, "count(//s:text[starts-with(., 'nul\\x00nul')])", "1");
    assert_evaluates(document, "count(//s:text[starts-with(., '\\x1b[31m\\x01\\x7f')])", "1");
    assert_evaluates(document, "count(//s:text[starts-with(., '\\xff\\xfe\\udc80')])", "1");
    assert_evaluates(document, "contains(//s:metadata[@data-pyspyc='strings'], '\\u003cscript\\u003e')", "true");
}

static void names_of_a_megabyte_are_kept_and_cut_in_boxes(void **state)
{
    struct profile *profile = *state;
    enum { LEN = 1 << 20 };
    cleanup_free char *name = malloc(LEN);
    uint32_t node = PROFILE_ROOT;
    for (char letter = 'a'; letter < 'n'; letter++) {
        memset(name, letter, LEN);
        node = build_child(profile, node, build_frame_bytes(profile, name, LEN, "a.py", 1), 1);
    }
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:metadata[@data-pyspyc='strings']) > 3", "true");
    assert_evaluates(document, "string-length(//s:g[@class='boxes']/s:text[2]) < 200", "true");
    assert_evaluates(document, "string-length(//s:g[@class='boxes']/s:rect[2]/s:title) < 250", "true");
}

static void an_empty_profile_is_a_picture_that_says_why(void **state)
{
    struct profile *profile = *state;
    profile_info(profile)->intervals.idle = 512;
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:text[1])", "No samples to show.");
    assert_evaluates(document, "string(//s:g[@class='boxes']/s:text[2])",
                     "512 of 512 samples were idle; -i shows them");
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect)", "0");
    assert_evaluates(document, "count(//s:script)", "0");
}

static void an_empty_picture_has_no_line_that_is_too_long(void **state)
{
    struct profile *profile = *state;
    char selection[1000];
    memset(selection, 'a', sizeof(selection));
    profile_info(profile)->all_samples = 7;
    profile_info(profile)->selection = profile_intern(profile, selection, sizeof(selection));
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "string(/s:svg/@width)", "640");
    assert_evaluates(document, "count(//s:text[@x + 7.3 * string-length(.) > 640])", "0");
    assert_evaluates(document, "count(//s:text[@class='message'][@x + 8.5 * string-length(.) > 640])", "0");
    assert_evaluates(document, "/s:svg/@height > //s:g[@class='boxes']/s:text[last()]/@y", "true");
}

static void a_very_deep_stack_is_drawn(void **state)
{
    struct profile *profile = *state;
    uint32_t node = PROFILE_ROOT;
    for (int32_t i = 0; i < 20000; i++)
        node = build_child(profile, node, build_frame(profile, "f", "a.py", i), 0);
    profile_count(profile, node, 1);
    cleanup_document xmlDoc *document = parse(profile);
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect)", "20001");
}

static void equal_profiles_give_equal_files(void **state)
{
    struct profile *profile = *state;
    cleanup_profile struct profile *other = NULL;
    assert_null(profile_create("app", "python app.py", &other));
    for (char name[] = "a"; *name <= 'z'; (*name)++)
        build_child(profile, PROFILE_ROOT, build_frame(profile, name, "a.py", 1), 3);
    for (char name[] = "z"; *name >= 'a'; (*name)--)
        build_child(other, PROFILE_ROOT, build_frame(other, name, "a.py", 1), 3);
    size_t len, other_len;
    cleanup_free char *text = write_svg(profile, &len);
    cleanup_free char *other_text = write_svg(other, &other_len);
    assert_string_equal(text, other_text);
}

static int clean_up_parser(void **state)
{
    (void)state;
    xmlCleanupParser();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document_says_what_it_is, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_still_picture_has_boxes_and_labels, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_data_has_every_node, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_picture_has_less_detail_than_the_data, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_legend_tells_shares, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(many_nodes_are_cut_into_elements, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(hostile_names_are_inert, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(names_of_a_megabyte_are_kept_and_cut_in_boxes, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_long_legend_has_several_rows, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(what_is_left_out_is_said_in_full, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(an_empty_picture_has_no_line_that_is_too_long, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(an_empty_profile_is_a_picture_that_says_why, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_very_deep_stack_is_drawn, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(equal_profiles_give_equal_files, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up_parser);
}
