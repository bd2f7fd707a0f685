/* SPDX-License-Identifier: MIT */
/*
 * Sanitizers, one for each place that text of a target goes to. The text is hostile: any byte can be in it, a NUL and
 * broken UTF-8 too. What comes out is always valid UTF-8 and inert where it goes.
 *
 * In all of them a byte that is not UTF-8 is shown as \xNN and a lone surrogate as \udcNN, in plain characters. Each
 * function appends to the buffer; out of memory is the buffer's `failed`.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buffer.h"

#include <stddef.h>

/*
 * Text for eyes, on a terminal or in a picture: control characters (C0, DEL, C1) become \xNN; characters that reorder
 * the text around them or cannot be seen (bidi controls, line separators, byte order marks, tags) become \u{...}.
 */
void escape_visible(struct buffer *out, const char *text, size_t len);

/*
 * A file's name as one word of a shell's command line, in quotes only where it has to be, and never taken for an
 * option. Characters that cannot be seen are shown as above: such a word means no file, but does nobody harm.
 */
void escape_shell_word(struct buffer *out, const char *text, size_t len);

/*
 * Text or attribute value of XML 1.0. Characters that XML forbids are shown as \xNN or \u{...}. Tab and line ends
 * are written as references, so that parsers keep them in attributes too.
 */
void escape_xml(struct buffer *out, const char *text, size_t len);

/*
 * A JSON string with its quotes, strictly valid (RFC 8259). Safe inside a script and inside XML text as well: < > & and
 * U+2028/9 are written as \uNNNN, and so are control characters and what XML forbids.
 */
void escape_json(struct buffer *out, const char *text, size_t len);

/*
 * One name of a collapsed stack. `;` becomes `:`, control characters and line separators become spaces, others
 * that cannot be seen \u{...}, spaces at both ends go. As readers disagree about them, a name never is empty, never
 * starts with `#` (a comment) and never ends in a space and a number (a count): an underscore stands in between.
 */
void escape_collapsed(struct buffer *out, const char *text, size_t len);

#endif
