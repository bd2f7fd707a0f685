/* SPDX-License-Identifier: MIT */
/*
 * The input of a fuzz target as a series of decisions. Behind its end all of them are 0.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_input {
    const uint8_t *at, *end;
};

static inline struct fuzz_input fuzz_begin(const uint8_t *bytes, size_t len)
{
    return (struct fuzz_input){bytes, bytes + len};
}

static inline size_t fuzz_left(const struct fuzz_input *input)
{
    return (size_t)(input->end - input->at);
}

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

/* A number of so many bytes, at most 8. */
uint64_t fuzz_number(struct fuzz_input *input, unsigned len);

/* A number below a limit, which may be 0 and is at most 65536: then it is 0. */
size_t fuzz_below(struct fuzz_input *input, size_t limit);

/* A number that lies at the edge of something. */
uint64_t fuzz_edge(struct fuzz_input *input);

/* Fills bytes; those behind the end of the input are 0. */
void fuzz_fill(struct fuzz_input *input, void *bytes, size_t len);

/* Ends the program when something does not hold, which the fuzzer takes for a finding. */
void fuzz_require(bool condition, const char *what);

#endif
