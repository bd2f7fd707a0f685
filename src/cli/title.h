/* SPDX-License-Identifier: MIT */
/*
 * Names for a program, from the words of its command line.
 */
#ifndef CLI_TITLE_H
#define CLI_TITLE_H

struct buffer;

/* Appends a short name: "python3 conv2d.py", "python -m http.server", "gunicorn". Arguments may be secret: none of
 * them. words ends with NULL. */
void title_append_short(struct buffer *buffer, const char *const *words);

/* Appends a default file name: the name, the local time (without colons, which some file systems forbid), the ending.
 */
void title_append_file_name(struct buffer *buffer, const char *name, const char *extension);

#endif
