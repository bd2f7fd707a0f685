/* SPDX-License-Identifier: MIT */
/*
 * C frames and Python frames in any order, with anchors anywhere, that are put together: whatever they are, each Python
 * frame comes out once, in its place.
 *
 * For: src/sampler/frame_merge.c src/python/plumbing.c
 * Options: -max_len=400
 */
#include "sampler/frame_merge.h"

#include "fuzz_input.h"
#include "python/version.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { STACK = 0x10000, FRAME_LIMIT = 64, NAME_COUNT = 16 };

/* What there is in stacks: loops, plumbing, how threads and programs begin, work, and what has no name. */
static const char *const names[NAME_COUNT] = {
    "_PyEval_EvalFrameDefault",
    "PyEval_EvalFrameEx",
    "_PyEval_EvalFrameDefault.cold",
    "_PyFunction_Vectorcall",
    "PyObject_Call",
    "list_sort_impl",
    "take_gil",
    "poll",
    "main",
    "__libc_start_main",
    "start_thread",
    "clone3",
    "thread_run",
    "gc_collect_main",
    "",
    "__pyx_pw_3pkg_1f",
};

static struct native_function functions[NAME_COUNT][2];

/* Stands in for the room below. One address in four has two functions, of which the first is inlined. */
const struct native_function *symbolizer_find(struct symbolizer *symbolizer, remote_addr pc, bool is_call,
                                              uint32_t *ret_count)
{
    (void)symbolizer;
    (void)is_call;
    *ret_count = pc % 4 == 0 ? 2 : 1;
    return functions[pc / 4 % NAME_COUNT];
}

static void make_functions(void)
{
    for (uint32_t i = 0; i < NAME_COUNT; i++) {
        for (uint32_t k = 0; k < 2; k++)
            functions[i][k] = (struct native_function){.serial = 2 * i + k,
                                                       .name = names[i],
                                                       .symbol = k == 0 ? names[i] : "",
                                                       .file = "",
                                                       .path = i % 4 == 1 ? "lib" : "python",
                                                       .is_named = names[i][0] != '\0'};
        functions[i][0].is_inlined = i % 5 == 0;
    }
}

static void check(const struct frame_merge *merge, const struct frame_merge_input *input)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < merge->count; i++) {
        if (merge->frames[i].kind != FRAME_NATIVE && merge->frames[i].kind != FRAME_KERNEL)
            fuzz_require(merge->frames[i].index == next++, "order of the Python frames");
        fuzz_require(merge->frames[i].kind != FRAME_NATIVE || merge->frames[i].function, "a C function");
    }
    fuzz_require(next == input->python_count, "number of Python frames");
    fuzz_require(merge->count <= input->python_count + 2 * input->native_count + 1, "number of frames");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct python_version versions[] = {
        {.major = 2, .minor = 7}, {.major = 3, .minor = 9}, {.major = 3, .minor = 12}};
    struct fuzz_input input = fuzz_begin(bytes, len);
    struct native_frame native_frames[FRAME_LIMIT];
    struct merged_python python_frames[FRAME_LIMIT];
    struct frame_merge merge = {0};
    bool is_matched;
    if (!functions[0][0].name)
        make_functions();
    uint8_t how = fuzz_byte(&input);
    struct frame_merge_input stacks = {.version = &versions[how % 3],
                                       .native_frames = native_frames,
                                       .python_frames = python_frames,
                                       .native_count = (uint32_t)fuzz_below(&input, FRAME_LIMIT + 1),
                                       .python_count = (uint32_t)fuzz_below(&input, FRAME_LIMIT + 1),
                                       .end = how >> 6 < 3 ? how >> 6 : UNWIND_LOST,
                                       .stack_start = STACK,
                                       .stack_end = STACK + fuzz_byte(&input) * 16UL,
                                       .system_call = (int8_t)fuzz_byte(&input)};
    merge.with_all = how & 8;
    stacks.handler_count = how & 16 ? (uint32_t)fuzz_below(&input, stacks.native_count + 1) : 0;
    uint64_t sp = STACK;
    for (uint32_t i = 0; i < stacks.native_count; i++) {
        uint8_t size = fuzz_byte(&input);
        native_frames[i] = (struct native_frame){.pc = fuzz_byte(&input), .sp = sp, .is_call = i > 0};
        sp = size & 0x80 ? STACK + fuzz_edge(&input) : sp + (size % 8) * 8UL;
        native_frames[i].cfa = sp;
    }
    for (uint32_t i = 0; i < stacks.python_count; i++) {
        uint8_t where = fuzz_byte(&input);
        remote_addr anchor = where & 0x40 ? fuzz_edge(&input) : STACK + (where % 64) * 8UL;
        python_frames[i] = (struct merged_python){.is_entry = where & 0x80, .anchor = where & 0x80 ? anchor : 0};
    }
    for (unsigned i = 0; i < 2; i++) {
        fuzz_require(frame_merge_run(&merge, &stacks, &is_matched), "memory");
        check(&merge, &stacks);
    }
    frame_merge_deinit(&merge);
    return 0;
}
