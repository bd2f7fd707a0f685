/* SPDX-License-Identifier: MIT */
#include "formats/gzip_stream.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

/* What zlib makes of a gzip file; compares it with the text. */
static void check_unpacked(const char *packed, size_t packed_len, const char *text, size_t len)
{
    z_stream inflater = {.next_in = (Bytef *)packed, .avail_in = (uInt)packed_len};
    cleanup_free char *unpacked = malloc(len + 1);
    assert_int_equal(inflateInit2(&inflater, MAX_WBITS + 16), Z_OK);
    inflater.next_out = (Bytef *)unpacked;
    inflater.avail_out = (uInt)len + 1;
    assert_int_equal(inflate(&inflater, Z_FINISH), Z_STREAM_END);
    assert_int_equal(inflater.total_out, len);
    assert_int_equal(inflater.avail_in, 0);
    assert_memory_equal(unpacked, text, len);
    inflateEnd(&inflater);
}

/* Packs a text in pieces of some size. */
static void check(const char *text, size_t len, size_t piece)
{
    cleanup_free char *packed = NULL;
    size_t packed_len;
    cleanup_gzip_stream struct gzip_stream *stream = NULL;
    FILE *out = open_memstream(&packed, &packed_len);
    assert_null(gzip_stream_create(out, &stream));
    for (size_t at = 0; at < len; at += piece)
        gzip_stream_write(stream, text + at, piece < len - at ? piece : len - at);
    gzip_stream_finish(stream);
    fclose(out);
    check_unpacked(packed, packed_len, text, len);
}

static void nothing_is_a_file_too(void **state)
{
    (void)state;
    check("", 0, 1);
}

static void pieces_come_out_as_one(void **state)
{
    (void)state;
    check("a text that is short", 20, 3);
}

/* More than the stream's buffer, and nothing that gets shorter by packing. */
static void large_texts_come_out_whole(void **state)
{
    (void)state;
    cleanup_buffer struct buffer text = {0};
    uint32_t random = 1;
    while (text.len < 300000) {
        random = random * 1664525 + 1013904223;
        buffer_append_char(&text, (char)(random >> 24));
    }
    check(text.data, text.len, 1000);
    check(text.data, text.len, text.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_a_file_too),
        cmocka_unit_test(pieces_come_out_as_one),
        cmocka_unit_test(large_texts_come_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
