/* SPDX-License-Identifier: MIT */
/*
 * What the writer and the reader of recordings have to agree on: see RECORDING.md.
 */
#ifndef PROFILE_RECORDING_FORM_H
#define PROFILE_RECORDING_FORM_H

enum {
    RECORDING_VERSION = 2,
    RECORDING_FIRST_VERSION = 1, /* has no native frames and none of the kernel */
    RECORDING_MAGIC_LEN = 8,
    RECORDING_HEAD_LEN = 12,             /* the magic, then the version in 4 bytes */
    RECORDING_BLOCK_HEAD_LEN = 12,       /* three numbers of 4 bytes: stored length, length, CRC */
    RECORDING_BLOCK_LIMIT = 1 << 28,     /* bytes of one block */
    RECORDING_ENTRY_LIMIT = 1 << 24,     /* strings, frames or stacks, since the tables were begun anew */
    RECORDING_LOSS_LIMIT = 64,           /* causes of losses */
    RECORDING_TEXT_LIMIT = 16 * 1048576, /* bytes of one string */
};

/* A byte above 127 and a line end, which a transfer as text would spoil. */
static const char recording_magic[RECORDING_MAGIC_LEN + 1] = "\x93pyspyc\n";

enum recording_section {
    SECTION_ANEW = 1,
    SECTION_INFO = 2,
    SECTION_STRINGS = 3,
    SECTION_FRAMES = 4,
    SECTION_SHORT_FILES = 5,
    SECTION_STACKS = 6,
    SECTION_PROCESSES = 7,
    SECTION_THREADS = 8,
    SECTION_THREAD_NAMES = 9,
    SECTION_SAMPLES = 10,
    SECTION_END = 11,
};

#endif
