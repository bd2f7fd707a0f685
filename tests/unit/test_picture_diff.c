/* SPDX-License-Identifier: MIT */
/* The flame graph of two recordings, read back with libxml2. */
#include "formats/picture_diff.h"

#include "base/cleanup.h"
#include "formats/diff_formats.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

/* A child of main for each name that has samples. */
struct functions {
    uint64_t grow, shrink, old, new, steady;
};

static const struct functions before_samples = {.grow = 200, .shrink = 400, .old = 50, .steady = 350};
static const struct functions after_samples = {.grow = 600, .shrink = 400, .new = 300, .steady = 700};

static void add(struct profile *profile, uint32_t parent, const char *name, uint64_t samples)
{
    if (samples > 0)
        build_child(profile, parent, build_frame(profile, name, "app.py", 1), samples);
}

static struct profile *build(const char *title, const struct functions *samples)
{
    struct profile *profile = NULL;
    assert_null(profile_create("app", title, &profile));
    profile_info(profile)->interval_ns = 10000000;
    uint32_t node = build_child(profile, PROFILE_ROOT, build_frame(profile, "main", "app.py", 1), 0);
    add(profile, node, "grow", samples->grow);
    add(profile, node, "shrink", samples->shrink);
    add(profile, node, "old", samples->old);
    add(profile, node, "new", samples->new);
    add(profile, node, "steady", samples->steady);
    return profile;
}

static struct diff *compare(const struct functions *before, const struct functions *after, const char *title)
{
    cleanup_profile struct profile *one = build("python a.py", before), *two = build(title, after);
    const struct diff_source sources[] = {{one, 1}, {two, 1}};
    struct diff *diff = NULL;
    assert_null(diff_create(&sources[0], &sources[1], &(struct diff_options){0}, &diff));
    return diff;
}

static xmlDoc *draw(const struct diff *diff)
{
    cleanup_free char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_null(diff_format_by_name("flamegraph")->write(diff, &(struct diff_format_options){0}, out));
    fclose(out);
    xmlDoc *document = xmlReadMemory(text, (int)len, "diff.svg", NULL, XML_PARSE_NONET | XML_PARSE_PEDANTIC);
    assert_non_null(document);
    return document;
}

static void assert_evaluates(xmlDoc *document, const char *expression, const char *expected)
{
    xmlXPathContext *context = xmlXPathNewContext(document);
    xmlXPathRegisterNs(context, BAD_CAST "s", BAD_CAST "http://www.w3.org/2000/svg");
    xmlXPathObject *object = xmlXPathEvalExpression(BAD_CAST expression, context);
    assert_non_null(object);
    xmlChar *text = xmlXPathCastToString(object);
    assert_string_equal((const char *)text, expected);
    xmlFree(text);
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
}

#define BOX(name) "//s:g[@class='boxes']/s:rect[starts-with(s:title,'" name " ')]"

static void boxes_have_the_colour_of_their_change(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff = compare(&before_samples, &after_samples, "python b.py");
    xmlDoc *document = draw(diff);
    assert_evaluates(document, "string(" BOX("grow") "/@class)", "u2");
    assert_evaluates(document, "string(" BOX("shrink") "/@class)", "d2");
    assert_evaluates(document, "string(" BOX("old") "/@class)", "gone");
    assert_evaluates(document, "string(" BOX("new") "/@class)", "u2");
    assert_evaluates(document, "string(" BOX("steady") "/@class)", "same");
    assert_evaluates(document, "string(" BOX("main") "/@class)", "same");
    assert_evaluates(document, "count(//s:g[@class='legend']/s:rect)", "4");
    xmlFreeDoc(document);
}

static void boxes_tell_from_and_to(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff = compare(&before_samples, &after_samples, "python b.py");
    xmlDoc *document = draw(diff);
    assert_evaluates(document, "string(" BOX("grow") "/s:title)",
                     "grow (app.py:1)\n"
                     "total 2.000 s \u2192 6.000 s (+4.000 s), 20.00 % \u2192 30.00 % (+10.00 points)\n"
                     "self 2.000 s \u2192 6.000 s (+4.000 s), 20.00 % \u2192 30.00 % (+10.00 points)\n");
    assert_evaluates(document, "contains(" BOX("old") "/s:title, '(-5.00 points), gone')", "true");
    assert_evaluates(document, "contains(" BOX("new") "/s:title, '(+15.00 points), new')", "true");
    assert_evaluates(document, "contains(" BOX("steady") "/s:title, '(+0.00 points), may be noise')", "true");
    assert_evaluates(document, "string(//s:text[@class='title'])", "python a.py \u2192 python b.py");
    xmlFreeDoc(document);
}

static void what_is_gone_keeps_its_width(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff = compare(&before_samples, &after_samples, "python b.py");
    xmlDoc *document = draw(diff);
    /* 50 of 1000 are 100 of 2000, in a picture of 2100 that is 1180 wide; half a pixel is the gap. */
    assert_evaluates(document, "string(" BOX("old") "/@width)", "55.7");
    assert_evaluates(document, "string(" BOX("shrink") "/@width)", "224.3");
    xmlFreeDoc(document);
}

static void few_samples_are_grey(void **state)
{
    (void)state;
    const struct functions few = {.grow = 3, .old = 1}, more = {.grow = 4, .new = 2};
    cleanup_diff struct diff *diff = compare(&few, &more, "python a.py");
    xmlDoc *document = draw(diff);
    assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect[@class!='same' and @class!='same gone'])", "0");
    assert_evaluates(document, "string(" BOX("old") "/@class)", "same gone");
    assert_evaluates(document, "string(//s:text[@class='title'])", "python a.py, before \u2192 after");
    xmlFreeDoc(document);
}

static void a_side_without_samples_is_drawn(void **state)
{
    (void)state;
    const struct functions none = {0};
    cleanup_diff struct diff *began = compare(&none, &after_samples, "python b.py");
    cleanup_diff struct diff *ended = compare(&before_samples, &none, "python b.py");
    cleanup_diff struct diff *never = compare(&none, &none, "python b.py");
    struct diff *const all[] = {began, ended, never};
    for (size_t i = 0; i < array_size(all); i++) {
        xmlDoc *document = draw(all[i]);
        assert_evaluates(document, "count(//s:g[@class='boxes']/s:rect[not(starts-with(@class,'same'))])", "0");
        assert_evaluates(document, "count(//s:script)", i < 2 ? "1" : "0");
        xmlFreeDoc(document);
    }
}

static void hostile_titles_are_harmless(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff = compare(&before_samples, &after_samples, "]]></script><b>\033\xff");
    xmlDoc *document = draw(diff);
    assert_evaluates(document, "count(//s:b | //b)", "0");
    xmlFreeDoc(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_have_the_colour_of_their_change), cmocka_unit_test(boxes_tell_from_and_to),
        cmocka_unit_test(what_is_gone_keeps_its_width),          cmocka_unit_test(few_samples_are_grey),
        cmocka_unit_test(a_side_without_samples_is_drawn),       cmocka_unit_test(hostile_titles_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
