/* SPDX-License-Identifier: MIT */
#include "stack_frame.h"

#include "native/symbolizer.h"
#include "target/waiting.h"

const char *stack_frame_call_name(const struct stack_frame *frame)
{
    const char *name = system_call_name(frame->system_call);
    return name ? name : "unknown system call";
}

const char *stack_frame_file(const struct stack_frame *frame)
{
    return *frame->function->file ? frame->function->file : frame->function->path;
}
