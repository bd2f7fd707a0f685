/* SPDX-License-Identifier: MIT */
/* What pictures have to be, whatever the names in them are. */
#ifndef TESTS_FUZZ_PICTURES_H
#define TESTS_FUZZ_PICTURES_H

#include "texts.h"

#include <libxml/parser.h>

/* An input for profiles.h with a sample of one frame, and none of them has a name that means anything. */
#define PICTURES_INNOCENT                                                                                              \
    1, 'a', 1, 'b', 0, 1, 'f', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 255, 0, 1, 0, 255, 0, 0, 0, 0, 255, 0, 0, 1, 0,  \
        0, 1, 0, 0, 1, 1, 1

/* How often a script begins or ends in a text. */
static inline size_t pictures_count_scripts(const char *text, size_t len)
{
    size_t count = 0;
    for (const char *at = text; (at = memchr(at, '<', (size_t)(text + len - at))); at++)
        count += strncasecmp(at + 1, "script", 6) == 0 || strncasecmp(at + 1, "/script", 7) == 0;
    return count;
}

/*
 * A picture is an SVG file, or a page around it. It has as many scripts as an innocent one, or as one without samples,
 * which has none.
 */
static inline void pictures_check(const char *text, size_t len, size_t innocent_scripts)
{
    size_t scripts = pictures_count_scripts(text, len);
    texts_check(text, len, "\n");
    check(scripts == innocent_scripts || scripts == 0);
    const char *begin = strstr(text, "<svg"), *end = begin;
    check(begin != NULL);
    for (const char *at = begin; (at = strstr(at, "</svg>")); at++)
        end = at + strlen("</svg>");
    xmlDoc *document =
        xmlReadMemory(begin, (int)(end - begin), "flame.svg", NULL, XML_PARSE_NONET | XML_PARSE_PEDANTIC);
    check(document != NULL);
    xmlFreeDoc(document);
}

#endif
