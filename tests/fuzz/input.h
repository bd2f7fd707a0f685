/* SPDX-License-Identifier: MIT */
/*
 * What targets that read files or make something of bytes share: a file with the bytes in it, and numbers and texts out
 * of them. An input that is used up gives zeros and empty texts.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the run as a finding where what has to be so is not. Not inlined, so that the stack has the line. */
__attribute__((noinline, unused)) static void check(bool is_so)
{
    if (!is_so)
        abort();
}

/*
 * Fills a file in memory, at its begin, and returns its descriptor; it is made once, as each file that is made takes a
 * while. *fd is -1 at first.
 */
static inline int input_file(int *fd, const void *bytes, size_t len)
{
    if (*fd < 0)
        *fd = memfd_create("input", MFD_CLOEXEC);
    check(ftruncate(*fd, 0) == 0);
    check(len == 0 || pwrite(*fd, bytes, len, 0) == (ssize_t)len);
    check(lseek(*fd, 0, SEEK_SET) == 0);
    return *fd;
}

/* An input that is taken piece by piece. */
struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint64_t input_number(struct input *input, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len && input->at < input->end; i++)
        number |= (uint64_t)*input->at++ << (8 * i);
    return number;
}

static inline uint8_t input_byte(struct input *input)
{
    return (uint8_t)input_number(input, 1);
}

/* A number of any size, small ones in few bytes: the length, in 3 bits, then so many bytes. */
static inline uint64_t input_any(struct input *input)
{
    uint8_t first = input_byte(input);
    return first < 0xf8 ? first : input_number(input, (size_t)(first - 0xf8) + 1);
}

/* A piece: a byte for its length, then so many bytes. */
static inline const char *input_text(struct input *input, size_t *ret_len)
{
    size_t len = input_byte(input), left = (size_t)(input->end - input->at);
    const char *text = (const char *)input->at;
    *ret_len = len < left ? len : left;
    input->at += *ret_len;
    return text;
}

/* A copy with a NUL behind it, which the caller frees. */
static inline char *input_string(const void *bytes, size_t len)
{
    char *string = malloc(len + 1);
    check(string != NULL);
    memcpy(string, len > 0 ? bytes : "", len);
    string[len] = '\0';
    return string;
}

#endif
