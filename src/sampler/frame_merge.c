/* SPDX-License-Identifier: MIT */
#include "frame_merge.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "method_names.h"
#include "python/plumbing.h"

#include <stdlib.h>
#include <string.h>

/* A merge that is under way. */
struct work {
    struct frame_merge *merge;
    const struct frame_merge_input *input;
    uint32_t next;        /* of the Python frames: the first one that is not placed yet */
    bool was_unnamed;     /* the last frame that was shown is one of the interpreter without a name */
    uint32_t loops_found; /* C frames of evaluation loops */
    uint32_t loops_told;  /* groups of Python frames */
};

void frame_merge_deinit(struct frame_merge *merge)
{
    free(merge->frames);
    free(merge->roles);
    free(merge->named);
    *merge = (struct frame_merge){0};
}

void frame_merge_update(struct frame_merge *merge)
{
    merge->interpreter = NULL;
    for (uint32_t i = 0; i < merge->named_capacity; i++)
        merge->named[i].functions = NULL;
}

static void append(struct frame_merge *merge, const struct stack_frame *frame)
{
    if (array_grow(&merge->frames, merge->count, &merge->capacity, sizeof(*merge->frames)))
        merge->frames[merge->count++] = *frame;
    else
        merge->has_failed = true;
}

static void append_python(struct frame_merge *merge, uint32_t index)
{
    const struct stack_frame frame = {.kind = FRAME_PYTHON, .index = index};
    append(merge, &frame);
}

/* Makes room for the role of a function. */
static bool grow_roles(struct frame_merge *merge, uint32_t serial)
{
    uint32_t capacity = merge->role_capacity > 0 ? merge->role_capacity : 1024;
    while (capacity <= serial)
        capacity *= 2;
    uint8_t *roles = realloc(merge->roles, capacity);
    if (!roles)
        return false;
    memset(roles + merge->role_capacity, 0, capacity - merge->role_capacity);
    merge->roles = roles;
    merge->role_capacity = capacity;
    return true;
}

static enum python_role role_of(struct work *work, const struct native_function *function)
{
    struct frame_merge *merge = work->merge;
    const char *name = *function->symbol ? function->symbol : function->name;
    if (function->serial >= merge->role_capacity && !grow_roles(merge, function->serial)) {
        merge->has_failed = true;
        return PYTHON_ROLE_WORK;
    }
    uint8_t *role = &merge->roles[function->serial];
    if (*role == 0)
        *role = (uint8_t)(1 + python_native_role(name, work->input->version));
    return (enum python_role)(*role - 1);
}

/* Makes room for so many C frames. */
static bool grow_named(struct frame_merge *merge, uint32_t count)
{
    if (count <= merge->named_capacity)
        return true;
    uint32_t capacity = count + count / 2;
    struct named_frame *named = realloc(merge->named, capacity * sizeof(*named));
    if (!named)
        return false;
    memset(named + merge->named_capacity, 0, (capacity - merge->named_capacity) * sizeof(*named));
    merge->named = named;
    merge->named_capacity = capacity;
    return true;
}

static const struct native_function *functions_of(const struct work *work, uint32_t native, uint32_t *ret_count)
{
    const struct native_frame *frame = &work->input->native_frames[native];
    struct named_frame *named = &work->merge->named[work->input->native_count - 1 - native];
    if (named->functions && named->pc == frame->pc && named->is_call == frame->is_call) {
        *ret_count = named->count;
        return named->functions;
    }
    const struct native_function *functions =
        symbolizer_find(work->input->symbolizer, frame->pc, frame->is_call, ret_count);
    if (*ret_count > 0 && functions[0].is_in_file) /* a just-in-time compiler may name its code later, or anew */
        *named = (struct named_frame){frame->pc, frame->is_call, *ret_count, functions};
    return functions;
}

static bool is_loop(struct work *work, uint32_t native)
{
    uint32_t count;
    const struct native_function *functions = functions_of(work, native, &count);
    return count > 0 && role_of(work, &functions[count - 1]) == PYTHON_ROLE_EVAL;
}

/* Whether a file is the C library, or that of its threads. */
static bool is_c_library(const char *path)
{
    static const char *const names[] = {"libc.so", "libc-", "libpthread", "ld-musl-"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < array_size(names); i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

/* Whether a function without a name is one of those that begin a thread: further out than all of Python. */
static bool is_start(const struct work *work, const struct native_function *function)
{
    bool is_outside = work->input->python_count > 0 && work->next == work->input->python_count;
    return is_outside && !function->is_named && is_c_library(function->path);
}

/*
 * Whether a function is shown. What an interpreter without symbols does is only told by its innermost function, in
 * the innermost part of the stack: there is no telling work from machinery.
 */
static bool is_shown(struct work *work, const struct native_function *function, bool is_method)
{
    const struct frame_merge *merge = work->merge;
    bool is_unnamed =
        !function->is_named && !is_method && merge->interpreter && strcmp(function->path, merge->interpreter) == 0;
    bool was_unnamed = work->was_unnamed;
    if (merge->with_all)
        return true;
    work->was_unnamed = is_unnamed;
    if (is_start(work, function))
        return false;
    if (is_unnamed)
        return !was_unnamed && work->next == 0;
    return is_method || role_of(work, function) == PYTHON_ROLE_WORK;
}

/* Whether a function is Cython's way into the one that was placed last, and called as that one is. */
static bool is_wrapper(const struct work *work, const struct native_function *function)
{
    static const char wrapper[] = "__pyx_pw_";
    const struct frame_merge *merge = work->merge;
    const struct stack_frame *last = merge->count > 0 ? &merge->frames[merge->count - 1] : NULL;
    return last && last->kind == FRAME_NATIVE && !merge->with_all &&
           strncmp(function->symbol, wrapper, sizeof(wrapper) - 1) == 0 && strcmp(function->name, last->name) == 0;
}

static void place_native(struct work *work, uint32_t native)
{
    uint32_t count;
    const struct native_function *functions = functions_of(work, native, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct method_names *methods = work->merge->methods;
        const char *method = methods ? method_names_find(methods, &functions[i]) : NULL;
        const struct stack_frame frame = {
            .kind = FRAME_NATIVE,
            .function = &functions[i],
            .name = method ? method : functions[i].name,
        };
        if (is_shown(work, &functions[i], method != NULL) && !is_wrapper(work, &functions[i]))
            append(work->merge, &frame);
    }
}

/* The end of the group of Python frames that begins at a frame: behind its entry. */
static uint32_t group_end(const struct frame_merge_input *input, uint32_t first)
{
    while (first < input->python_count && !input->python_frames[first].is_entry)
        first++;
    return first < input->python_count ? first + 1 : first;
}

/* Places the Python frames up to one. */
static void place_python(struct work *work, uint32_t end)
{
    for (; work->next < end; work->next++)
        append_python(work->merge, work->next);
}

/* The next group whose evaluation loop is in the copy of the C stack; the end of it, or 0 when there is none. */
static uint32_t find_anchored(const struct work *work, remote_addr *ret_anchor)
{
    const struct frame_merge_input *input = work->input;
    for (uint32_t end = group_end(input, work->next); end > work->next; end = group_end(input, end)) {
        remote_addr anchor = input->python_frames[end - 1].anchor;
        if (anchor >= input->stack_start && anchor < input->stack_end) {
            *ret_anchor = anchor;
            return end;
        }
        if (end == input->python_count)
            break;
    }
    return 0;
}

static bool is_around(const struct native_frame *frame, remote_addr anchor)
{
    return anchor >= frame->sp && anchor < frame->cfa;
}

/* The function of a C frame, into which the others that it has there are inlined; NULL when there is none. */
static const struct native_function *outer_function(const struct work *work, uint32_t native)
{
    uint32_t count;
    const struct native_function *functions = functions_of(work, native, &count);
    return count > 0 ? &functions[count - 1] : NULL;
}

/*
 * Whether a loop has nothing in it, as that of a tail-calling interpreter: 201 to 746 bytes in builds of 3.14 and 3.15
 * by clang 21 and gcc 16. Others have 75,000, if in two parts, of which the smaller had 1,271.
 */
static bool is_empty_loop(const struct work *work, uint32_t native)
{
    enum { EMPTY_LOOP_LEN = 1024 };
    const struct native_function *loop = outer_function(work, native);
    return loop && loop->len > 0 && loop->len < EMPTY_LOOP_LEN;
}

/* CPython has a compiler of its own since then. */
static bool may_compile(const struct python_version *version)
{
    return version->major > 3 || (version->major == 3 && version->minor >= 13);
}

/* Whether a C frame, from which to that of a loop there are only such ones, does what is the loop's own work. */
static bool is_of_loop(struct work *work, uint32_t native, uint32_t loop)
{
    const struct frame_merge *merge = work->merge;
    const struct native_function *function = outer_function(work, native);
    if (!function || function->is_named)
        return function && role_of(work, function) == PYTHON_ROLE_HANDLER;
    /* What CPython compiled (Python/jit.c); what others did is called by their own functions. */
    if (function->is_made)
        return may_compile(work->input->version);
    return native + 1 == loop && merge->interpreter && strcmp(function->path, merge->interpreter) == 0 &&
           is_empty_loop(work, loop);
}

/* The first of the C frames from one on that are of the loop that an anchor is in; their count: there is none. */
static uint32_t find_machinery(struct work *work, uint32_t first, remote_addr anchor)
{
    const struct frame_merge_input *input = work->input;
    uint32_t loop = first;
    while (loop < input->native_count && anchor >= input->native_frames[loop].cfa)
        loop++;
    if (loop == input->native_count || !is_around(&input->native_frames[loop], anchor))
        return input->native_count;
    uint32_t found = loop;
    while (found > first && is_of_loop(work, found - 1, loop))
        found--;
    return found;
}

static void merge_by_address(struct work *work)
{
    const struct frame_merge_input *input = work->input;
    remote_addr anchor = 0;
    uint32_t end = find_anchored(work, &anchor);
    uint32_t machinery = find_machinery(work, input->handler_count, anchor);
    for (uint32_t i = 0; i < input->native_count; i++) {
        const struct native_frame *frame = &input->native_frames[i];
        bool is_met = false, is_handlers = i < input->handler_count;
        while (!is_handlers && end > 0 && anchor < frame->cfa) {
            is_met |= anchor >= frame->sp;
            place_python(work, end);
            end = find_anchored(work, &anchor);
            if (end > 0)
                machinery = find_machinery(work, i, anchor);
        }
        bool is_machinery = is_met || (end > 0 && i >= machinery);
        if (!is_machinery || work->merge->with_all)
            place_native(work, i);
    }
    place_python(work, input->python_count);
}

static void count_loops(struct work *work)
{
    const struct frame_merge_input *input = work->input;
    for (uint32_t i = 0; i < input->native_count; i++)
        work->loops_found += is_loop(work, i);
    for (uint32_t i = 0; i < input->python_count; i++)
        work->loops_told += input->python_frames[i].is_entry;
}

/*
 * Whether loops and groups belong together, one by one from the innermost on. There can be one loop more, that has only
 * begun or is about to end, and one group more, that a loop is about to be begun for.
 */
static bool is_countable(const struct work *work)
{
    if (work->input->end != UNWIND_WHOLE)
        return work->loops_found <= work->loops_told;
    return work->loops_found + 1 >= work->loops_told && work->loops_found <= work->loops_told + 1 &&
           (work->loops_found > 0 || work->loops_told == 0);
}

static void merge_by_count(struct work *work)
{
    const struct frame_merge_input *input = work->input;
    bool is_whole = input->end == UNWIND_WHOLE;
    bool is_loop_extra = is_whole && work->loops_found == work->loops_told + 1;
    if (is_whole && work->loops_told == work->loops_found + 1)
        place_python(work, group_end(input, 0));
    for (uint32_t i = 0; i < input->native_count; i++) {
        bool is_met = is_loop(work, i) && !is_loop_extra;
        if (is_loop(work, i))
            is_loop_extra = false;
        if (is_met)
            place_python(work, group_end(input, work->next));
        if (!is_met || work->merge->with_all)
            place_native(work, i);
    }
    place_python(work, input->python_count);
}

/* The C frames further in than all evaluation loops, and then the Python frames. */
static void merge_unmatched(struct work *work)
{
    const struct frame_merge_input *input = work->input;
    for (uint32_t i = 0; work->loops_found > 0 && i < input->native_count && !is_loop(work, i); i++)
        place_native(work, i);
    place_python(work, input->python_count);
}

/* The C frame of an evaluation loop: by the first anchor, or else by name. Count when there is none. */
static uint32_t find_loop(struct work *work)
{
    const struct frame_merge_input *input = work->input;
    remote_addr anchor;
    bool is_anchored = find_anchored(work, &anchor) > 0;
    for (uint32_t i = input->handler_count; i < input->native_count; i++) {
        const struct native_frame *frame = &input->native_frames[i];
        if (is_anchored ? is_around(frame, anchor) : is_loop(work, i))
            return i;
    }
    return input->native_count;
}

/* Finds out which file the interpreter's code is in. */
static void find_interpreter(struct work *work)
{
    uint32_t loop = find_loop(work), count = 0;
    const struct native_function *functions =
        loop < work->input->native_count ? functions_of(work, loop, &count) : NULL;
    if (count > 0)
        work->merge->interpreter = functions[0].path;
}

static bool has_anchors(const struct frame_merge_input *input)
{
    for (uint32_t i = 0; i < input->python_count; i++) {
        if (input->python_frames[i].anchor != 0)
            return true;
    }
    return false;
}

bool frame_merge_run(struct frame_merge *merge, const struct frame_merge_input *input, bool *ret_is_matched)
{
    struct work work = {.merge = merge, .input = input};
    merge->count = 0;
    merge->has_failed = false;
    if (input->system_call >= 0) {
        const struct stack_frame frame = {.kind = FRAME_KERNEL, .system_call = (uint32_t)input->system_call};
        append(merge, &frame);
    }
    *ret_is_matched = true;
    if (!grow_named(merge, input->native_count))
        return false;
    if (!merge->interpreter)
        find_interpreter(&work);
    if (has_anchors(input)) {
        merge_by_address(&work);
        return !merge->has_failed;
    }
    count_loops(&work);
    *ret_is_matched = is_countable(&work);
    if (*ret_is_matched)
        merge_by_count(&work);
    else
        merge_unmatched(&work);
    return !merge->has_failed;
}
