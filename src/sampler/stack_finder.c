/* SPDX-License-Identifier: MIT */
#include "stack_finder.h"

#include "native/symbolizer.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "python/runtime.h"
#include "stack_frame.h"
#include "target/command_words.h"
#include "target/process.h"

#include <stdlib.h>
#include <string.h>

/* A program that makes its functions again and again has the same frames with new numbers each time. */
enum { KNOWN_LIMIT = 1 << 15 };

struct error *stack_finder_init(struct stack_finder *finder, const struct process *process, struct session *session,
                                bool with_arguments, struct profile *profile)
{
    char version[PYTHON_VERSION_TEXT_LEN];
    *finder = (struct stack_finder){.profile = profile, .process = PROFILE_NONE, .pid = process->pid};
    cleanup_error struct error *error = command_words_read(process, with_arguments, &finder->command_line);
    if (error)
        buffer_clear(&finder->command_line); /* it does not tell its words any more */
    python_version_format(&python_runtime(session_python(session))->version, version);
    buffer_append_text(&finder->python_version, version);
    return finder->python_version.failed ? error_no_memory() : NULL;
}

void stack_finder_deinit(struct stack_finder *finder)
{
    free(finder->known);
    free(finder->path);
    free(finder->joined);
    table_deinit(&finder->known_table);
    free(finder->threads);
    buffer_deinit(&finder->command_line);
    buffer_deinit(&finder->python_version);
    *finder = (struct stack_finder){0};
}

/* Forgets what frames are called, which the profile still knows. */
static void forget_known(struct stack_finder *finder)
{
    finder->known_count = 0;
    table_clear(&finder->known_table);
}

void stack_finder_forget(struct stack_finder *finder)
{
    finder->path_len = finder->joined_len = 0;
    forget_known(finder);
}

/* What the numbers of frames are numbers of; part of known_frame.key. */
enum number_kind { NUMBER_CODE, NUMBER_FUNCTION, NUMBER_CALL, NUMBER_FRAME };

static uint64_t key_of(enum number_kind kind, uint32_t number)
{
    return (uint64_t)kind << 32 | number;
}

static bool is_known_frame(const void *context, uint32_t index, const void *key)
{
    const struct known_frame *known = &((const struct stack_finder *)context)->known[index];
    const struct known_frame *wanted = key;
    return known->key == wanted->key && known->line == wanted->line;
}

static uint64_t hash_frame(const struct known_frame *frame)
{
    return hash_pair(hash_number(frame->key), (uint32_t)frame->line);
}

/* What the profile calls a frame; PROFILE_NONE when it is not known. */
static uint32_t find_known(const struct stack_finder *finder, const struct known_frame *wanted)
{
    uint32_t found = table_find(&finder->known_table, hash_frame(wanted), is_known_frame, finder, wanted);
    return found == TABLE_NONE ? PROFILE_NONE : finder->known[found].frame;
}

/* Makes a frame known, to the profile as well; PROFILE_NONE without memory. */
static uint32_t add_known(struct stack_finder *finder, struct known_frame *known, const struct profile_frame *frame)
{
    if (finder->known_count >= KNOWN_LIMIT)
        forget_known(finder);
    known->frame = profile_intern_frame(finder->profile, frame);
    if (known->frame == PROFILE_NONE ||
        !array_grow(&finder->known, finder->known_count, &finder->known_capacity, sizeof(*finder->known)) ||
        !table_insert(&finder->known_table, hash_frame(known), finder->known_count))
        return PROFILE_NONE;
    finder->known[finder->known_count++] = *known;
    return known->frame;
}

/* What the profile calls a Python frame; PROFILE_NONE without memory. */
static uint32_t find_frame(struct stack_finder *finder, const struct python_code *code, int32_t line)
{
    struct known_frame wanted = {.key = key_of(NUMBER_CODE, code->serial), .line = line};
    uint32_t found = find_known(finder, &wanted);
    if (found != PROFILE_NONE)
        return found;
    bool is_mark = code->filename_len == 0;
    const struct profile_frame frame = {
        .kind = is_mark ? FRAME_MARK : FRAME_PYTHON,
        .name = profile_intern(finder->profile, code->name, code->name_len),
        .file = is_mark ? PROFILE_NONE : profile_intern(finder->profile, code->filename, code->filename_len),
        .line = line,
        .first_line = code->first_line,
    };
    return add_known(finder, &wanted, &frame);
}

static uint32_t intern_text(struct profile *profile, const char *text)
{
    return profile_intern(profile, text, strlen(text));
}

/* A frame that is none of Python's. */
static struct known_frame native_key(const struct stack_frame *frame)
{
    if (frame->kind == FRAME_KERNEL)
        return (struct known_frame){.key = key_of(NUMBER_CALL, frame->system_call)};
    return (struct known_frame){
        .key = key_of(NUMBER_FUNCTION, frame->function->serial),
        .line = frame->function->line,
    };
}

/* What the profile calls it; PROFILE_NONE without memory. */
static uint32_t find_native(struct stack_finder *finder, const struct stack_frame *frame)
{
    bool is_call = frame->kind == FRAME_KERNEL;
    struct known_frame wanted = native_key(frame);
    uint32_t found = find_known(finder, &wanted);
    if (found != PROFILE_NONE)
        return found;
    const struct profile_frame added = {
        .kind = frame->kind,
        .name = intern_text(finder->profile, is_call ? stack_frame_call_name(frame) : frame->name),
        .file = is_call ? PROFILE_NONE : intern_text(finder->profile, stack_frame_file(frame)),
        .line = wanted.line,
    };
    return add_known(finder, &wanted, &added);
}

/* The profile's number of the process. PROFILE_NONE without memory. */
static uint32_t find_process(struct stack_finder *finder)
{
    const struct buffer *command_line = &finder->command_line, *version = &finder->python_version;
    if (finder->process != PROFILE_NONE)
        return finder->process;
    const struct profile_process process = {
        .pid = finder->pid,
        .command_line = profile_intern(finder->profile, buffer_text(command_line), command_line->len),
        .python_version = profile_intern(finder->profile, buffer_text(version), version->len),
    };
    finder->process = profile_add_process(finder->profile, &process);
    return finder->process;
}

/* Makes a thread known to the profile. */
static uint32_t add_thread(struct stack_finder *finder, struct session *session, const struct sampled_thread *thread)
{
    cleanup_buffer struct buffer name = {0};
    struct profile_thread member = {
        .process = find_process(finder),
        .os_id = thread->task.tid > 0 ? thread->task.tid : 0,
        .id = thread->id,
        .name = PROFILE_NONE,
        .is_main = thread->task.tid == finder->pid,
    };
    if (member.process == PROFILE_NONE)
        return PROFILE_NONE;
    if (session_thread_name(session, thread, &name))
        member.name = profile_intern(finder->profile, buffer_text(&name), name.len);
    return profile_add_thread(finder->profile, &member);
}

/* Makes room for the threads up to a serial. */
static bool grow_threads(struct stack_finder *finder, uint32_t count)
{
    uint32_t *threads = realloc(finder->threads, count * sizeof(*threads));
    if (!threads)
        return false;
    for (uint32_t i = finder->thread_count; i < count; i++)
        threads[i] = PROFILE_NONE;
    finder->threads = threads;
    finder->thread_count = count;
    return true;
}

uint32_t stack_finder_find_thread(struct stack_finder *finder, struct session *session,
                                  const struct sampled_thread *thread)
{
    if (thread->serial > finder->thread_count && !grow_threads(finder, thread->serial))
        return PROFILE_NONE;
    uint32_t *found = &finder->threads[thread->serial - 1];
    if (*found == PROFILE_NONE)
        *found = add_thread(finder, session, thread);
    return *found;
}

/* How far the path of the last stack leads through these frames, too. */
static uint32_t shared_len(const struct stack_finder *finder, const struct python *python,
                           const struct python_frame *frames, uint32_t count)
{
    uint32_t len = 0;
    while (len < count && len < finder->path_len) {
        const struct path_step *step = &finder->path[len];
        const struct python_frame *frame = &frames[count - 1 - len];
        if (step->line != frame->line || step->code_serial != python_code(python, frame->code)->serial)
            break;
        len++;
    }
    return len;
}

/* Makes the path that of these frames. Returns how far it was before; PROFILE_NONE without memory. */
static uint32_t follow(struct stack_finder *finder, const struct python *python, const struct python_frame *frames,
                       uint32_t count)
{
    uint32_t shared = shared_len(finder, python, frames, count);
    finder->path_len = shared;
    for (uint32_t i = count - shared; i-- > 0;) {
        const struct python_code *code = python_code(python, frames[i].code);
        struct path_step step = {code->serial, frames[i].line, find_frame(finder, code, frames[i].line), PROFILE_NONE};
        if (step.frame == PROFILE_NONE ||
            !array_grow(&finder->path, finder->path_len, &finder->path_capacity, sizeof(*finder->path))) {
            finder->path_len = shared;
            return PROFILE_NONE;
        }
        finder->path[finder->path_len++] = step;
    }
    return shared;
}

static uint32_t follow_thread(struct stack_finder *finder, struct session *session, const struct sampled_thread *thread)
{
    const struct python *python = session_python(session);
    return follow(finder, python, python_frames(python) + thread->python->first_frame, thread->python->frame_count);
}

uint32_t stack_finder_find(struct stack_finder *finder, struct session *session, const struct sampled_thread *thread)
{
    uint32_t shared = follow_thread(finder, session, thread);
    if (shared == PROFILE_NONE)
        return PROFILE_NONE;
    uint32_t node = shared > 0 ? finder->path[shared - 1].node : PROFILE_ROOT;
    for (uint32_t i = shared; i < finder->path_len && node != PROFILE_NONE; i++)
        node = finder->path[i].node = profile_child(finder->profile, node, finder->path[i].frame);
    if (node == PROFILE_NONE)
        finder->path_len = shared;
    return node;
}

bool stack_finder_find_frames(struct stack_finder *finder, struct session *session, const struct sampled_thread *thread)
{
    return follow_thread(finder, session, thread) != PROFILE_NONE;
}

/* What tells a frame from others, and of a Python frame what the profile calls it. */
static struct known_frame key_of_joined(const struct stack_frame *frame, const struct joined_python *python_frames)
{
    if (frame->kind != FRAME_PYTHON)
        return native_key(frame);
    uint32_t number = python_frames[frame->index].frame;
    return (struct known_frame){.key = key_of(NUMBER_FRAME, number), .frame = number};
}

/* Whether the stack that was joined last has the same frame at a depth. */
static bool is_joined(const struct stack_finder *finder, uint32_t depth, const struct known_frame *wanted)
{
    if (depth >= finder->joined_len)
        return false;
    const struct joined_step *step = &finder->joined[depth];
    return step->key == wanted->key && step->line == wanted->line;
}

/* Goes on from a node to a frame at a depth, up to which the stack is that which was joined last. */
static uint32_t join_frame(struct stack_finder *finder, uint32_t depth, uint32_t node, const struct stack_frame *frame,
                           const struct known_frame *wanted)
{
    uint32_t number = frame->kind == FRAME_PYTHON ? wanted->frame : find_native(finder, frame);
    uint32_t child = profile_child(finder->profile, node, number);
    finder->joined_len = depth;
    if (child == PROFILE_NONE || !array_grow(&finder->joined, depth, &finder->joined_capacity, sizeof(*finder->joined)))
        return PROFILE_NONE;
    finder->joined[finder->joined_len++] = (struct joined_step){wanted->key, wanted->line, child};
    return child;
}

uint32_t stack_finder_join(struct stack_finder *finder, const struct stack_frame *frames, uint32_t count,
                           const struct joined_python *python_frames)
{
    uint32_t node = PROFILE_ROOT;
    for (uint32_t depth = 0; depth < count && node != PROFILE_NONE; depth++) {
        const struct stack_frame *frame = &frames[count - 1 - depth];
        const struct known_frame wanted = key_of_joined(frame, python_frames);
        node = is_joined(finder, depth, &wanted) ? finder->joined[depth].node
                                                 : join_frame(finder, depth, node, frame, &wanted);
    }
    return node;
}

uint32_t stack_finder_join_python(struct stack_finder *finder, const struct joined_python *frames, uint32_t count)
{
    uint32_t node = PROFILE_ROOT;
    for (uint32_t i = count; i-- > 0;)
        node = profile_child(finder->profile, node, frames[i].frame);
    return node;
}
