/* SPDX-License-Identifier: MIT */
/* What the targets of both kinds of foreign profiles share. */
#ifndef TESTS_FUZZ_FORMATS_IMPORTS_H
#define TESTS_FUZZ_FORMATS_IMPORTS_H

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/imported.h"
#include "input.h"
#include "profile/recording_file.h"

/* Small ones, so that a small input reaches them. */
static const struct import_limits imports_limits = {
    .text_len = 1 << 16,
    .pprof_len = 1 << 16,
    .memory = 1 << 18,
    .frames = 4096,
    .nodes = 1024,
    .samples = UINT64_C(1) << 36, /* a sample counts for less than 2^32, so that one line can make many */
};

/*
 * Imports bytes; when that succeeds, it has to be a recording without a fault. But what is a recording already is
 * copied as it is, damage and all: may_be_one tells whether the bytes may be that, packed or not.
 */
static inline void imports_try(const char *bytes, size_t len, bool may_be_one)
{
    static int in = -1, out = -1;
    cleanup_buffer struct buffer notes = {0};
    cleanup_error struct error *error =
        import_within(input_file(&in, bytes, len), "some", input_file(&out, "", 0), &imports_limits, &notes);
    if (error) {
        check(error->kind == ERROR_BAD_DATA);
        return;
    }
    if (may_be_one)
        return;
    cleanup_recording_file struct recording_file *file = NULL;
    check(!recording_file_open(dup(out), "imported", &file));
    check(recording_file_is_finished(file) && recording_file_lost_bytes(file) == 0);
}

#endif
