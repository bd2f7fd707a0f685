/* SPDX-License-Identifier: MIT */
/* The style and the script (folder script) of the flame graph; made into arrays by the build. */
#ifndef FORMATS_EMBEDDED_H
#define FORMATS_EMBEDDED_H

#include <stddef.h>

extern const unsigned char flamegraph_css[];
extern const size_t flamegraph_css_len;
extern const unsigned char flamegraph_js[];
extern const size_t flamegraph_js_len;
extern const unsigned char start_js[];
extern const size_t start_js_len;
extern const unsigned char page_css[];
extern const size_t page_css_len;
extern const unsigned char start_page_js[];
extern const size_t start_page_js_len;

#endif
