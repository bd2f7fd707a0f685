/* SPDX-License-Identifier: MIT */
#include "stack_counter.h"

#include "profile/profile.h"
#include "target/process.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LABEL_COMMAND_LIMIT = 200 }; /* bytes of a command line that a label shows; they can be millions */

void stack_counter_init(struct stack_counter *counter, const struct recording_options *options, struct profile *profile)
{
    *counter = (struct stack_counter){
        .profile = profile,
        .lines = options->lines,
        .with_threads = options->with_threads,
        .process_node = PROFILE_NONE,
    };
}

void stack_counter_deinit(struct stack_counter *counter)
{
    free(counter->known);
    free(counter->path);
    table_deinit(&counter->known_table);
    free(counter->thread_nodes);
    buffer_deinit(&counter->process_label);
    buffer_deinit(&counter->scratch);
    *counter = (struct stack_counter){0};
}

bool stack_counter_name_process(struct stack_counter *counter, const struct process *process)
{
    cleanup_buffer struct buffer command = {0};
    cleanup_error struct error *error = process_command_line(process, &command);
    struct buffer *label = &counter->process_label;
    buffer_format(label, "process %d", process->pid);
    if (!error && command.len > 0) {
        buffer_append_text(label, ": ");
        buffer_append(label, command.data, command.len < LABEL_COMMAND_LIMIT ? command.len : LABEL_COMMAND_LIMIT);
        if (command.len > LABEL_COMMAND_LIMIT)
            buffer_append_text(label, "...");
    }
    return !label->failed;
}

static bool is_known_frame(const void *context, uint32_t index, const void *key)
{
    const struct known_frame *known = &((const struct stack_counter *)context)->known[index];
    const struct known_frame *wanted = key;
    return known->code_serial == wanted->code_serial && known->line == wanted->line;
}

static int32_t wanted_line(const struct stack_counter *counter, const struct python_code *code, int32_t line)
{
    switch (counter->lines) {
    case RECORDING_CURRENT_LINE:
        return line;
    case RECORDING_FUNCTION_LINE:
        return code->first_line;
    case RECORDING_NO_LINE:
        break;
    }
    return 0;
}

/* What the profile calls a frame; PROFILE_NONE without memory. */
static uint32_t find_frame(struct stack_counter *counter, const struct python_code *code, int32_t line)
{
    struct known_frame wanted = {.code_serial = code->serial, .line = wanted_line(counter, code, line)};
    uint64_t hash = hash_number((uint64_t)wanted.code_serial << 32 | (uint32_t)wanted.line);
    uint32_t found = table_find(&counter->known_table, hash, is_known_frame, counter, &wanted);
    if (found != TABLE_NONE)
        return counter->known[found].frame;
    const struct profile_frame frame = {
        .kind = code->filename_len > 0 ? FRAME_PYTHON : FRAME_MARK,
        .name = profile_intern(counter->profile, code->name, code->name_len),
        .file = profile_intern(counter->profile, code->filename, code->filename_len),
        .line = wanted.line,
    };
    wanted.frame = profile_intern_frame(counter->profile, &frame);
    if (wanted.frame == PROFILE_NONE ||
        !array_grow(&counter->known, counter->known_count, &counter->known_capacity, sizeof(*counter->known)) ||
        !table_insert(&counter->known_table, hash, counter->known_count))
        return PROFILE_NONE;
    counter->known[counter->known_count++] = wanted;
    return wanted.frame;
}

/* A node that stands for a thread or a process. */
static uint32_t make_group(struct stack_counter *counter, uint32_t parent, enum frame_kind kind,
                           const struct buffer *label)
{
    const struct profile_frame frame = {
        .kind = kind,
        .name = profile_intern(counter->profile, buffer_text(label), label->len),
        .file = PROFILE_NONE,
    };
    return profile_child(counter->profile, parent, profile_intern_frame(counter->profile, &frame));
}

/* The root of the process's stacks. */
static uint32_t find_process_node(struct stack_counter *counter)
{
    if (counter->process_label.len == 0)
        return PROFILE_ROOT;
    if (counter->process_node == PROFILE_NONE)
        counter->process_node = make_group(counter, PROFILE_ROOT, FRAME_PROCESS, &counter->process_label);
    return counter->process_node;
}

/* Makes the root of a thread's stacks, "thread (1234): name". */
static uint32_t make_thread_node(struct stack_counter *counter, struct session *session,
                                 const struct sampled_thread *thread)
{
    cleanup_buffer struct buffer name = {0};
    struct buffer *label = &counter->scratch;
    buffer_clear(label);
    if (thread->task.tid > 0)
        buffer_format(label, "thread (%d)", thread->task.tid);
    else
        buffer_format(label, "thread (0x%" PRIx64 ")", thread->id);
    if (session_thread_name(session, thread, &name))
        buffer_format(label, ": %s", buffer_text(&name));
    return make_group(counter, find_process_node(counter), FRAME_THREAD, label);
}

static uint32_t find_root(struct stack_counter *counter, struct session *session, const struct sampled_thread *thread)
{
    if (!counter->with_threads)
        return find_process_node(counter);
    uint32_t index = thread->serial - 1;
    if (index >= counter->thread_node_count) {
        uint32_t *nodes = realloc(counter->thread_nodes, (index + 1) * sizeof(*nodes));
        if (!nodes)
            return PROFILE_NONE;
        for (uint32_t i = counter->thread_node_count; i <= index; i++)
            nodes[i] = PROFILE_NONE;
        counter->thread_nodes = nodes;
        counter->thread_node_count = index + 1;
    }
    if (counter->thread_nodes[index] == PROFILE_NONE)
        counter->thread_nodes[index] = make_thread_node(counter, session, thread);
    return counter->thread_nodes[index];
}

/* The node of a frame under a parent, which becomes the next step of the path. PROFILE_NONE without memory. */
static uint32_t take_step(struct stack_counter *counter, uint32_t parent, const struct python_code *code, int32_t line)
{
    uint32_t node = profile_child(counter->profile, parent, find_frame(counter, code, line));
    if (!array_grow(&counter->path, counter->path_len, &counter->path_capacity, sizeof(*counter->path)))
        return PROFILE_NONE;
    counter->path[counter->path_len++] = (struct path_step){code->serial, line, node};
    return node;
}

/* How far the path of the last stack, which begins under the same node, leads through these frames, too. */
static uint32_t shared_len(const struct stack_counter *counter, const struct python *python,
                           const struct python_frame *frames, uint32_t count)
{
    uint32_t len = 0;
    while (len < count && len < counter->path_len) {
        const struct path_step *step = &counter->path[len];
        const struct python_frame *frame = &frames[count - 1 - len];
        if (step->line != frame->line || step->code_serial != python_code(python, frame->code)->serial)
            break;
        len++;
    }
    return len;
}

uint32_t stack_counter_find(struct stack_counter *counter, struct session *session, const struct sampled_thread *thread)
{
    const struct python *python = session_python(session);
    const struct python_frame *frames = python_frames(python) + thread->python->first_frame;
    uint32_t node = find_root(counter, session, thread), count = thread->python->frame_count;
    counter->path_len = node == counter->path_root ? shared_len(counter, python, frames, count) : 0;
    counter->path_root = node;
    if (counter->path_len > 0)
        node = counter->path[counter->path_len - 1].node;
    for (uint32_t i = count - counter->path_len; i-- > 0;)
        node = take_step(counter, node, python_code(python, frames[i].code), frames[i].line);
    return node;
}
