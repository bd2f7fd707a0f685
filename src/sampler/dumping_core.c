/* SPDX-License-Identifier: MIT */
#include "sampler/dumping.h"

#include "base/cleanup.h"
#include "core/core.h"
#include "core_stacks.h"
#include "dump_builder.h"
#include "dump_variables.h"
#include "dump_weave.h"
#include "interpreter.h"
#include "native_stacks.h"
#include "openers.h"
#include "profile/process_dump.h"
#include "python/frame_details.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "sources.h"
#include "target/source_file.h"

#include <string.h>
#include <sys/syscall.h>

enum {
    ARGUMENT_REGISTER = 5, /* DWARF's number of rdi, in which x86-64's system calls have their first argument */
#if defined(__aarch64__)
    /* glibc sysdeps/aarch64/nptl/tls.h: the thread pointer is the end of struct pthread, which has about 1,900 bytes.
     */
    THREAD_AREA_LIMIT = 4096,
#else
    THREAD_AREA_LIMIT = 1, /* the thread pointer and pthread_t are the same */
#endif
};

struct core_dumping {
    const struct core_thread *threads;
    uint32_t thread_count;
    bool *is_known;               /* by Python, of each of them */
    struct native_stacks *native; /* NULL: no C frames are wanted */
    struct core_stacks stacks;
    struct dump_builder builder;
};

/*
 * The thread of the core that runs a thread state: the one with its pthread_t, which Python knows in all versions, or
 * else with its number, as far as Python has that. NULL when there is none.
 */
static const struct core_thread *find_thread(const struct core_dumping *dumping, const struct python_thread *python)
{
    for (uint32_t i = 0; i < dumping->thread_count; i++) {
        const struct core_thread *thread = &dumping->threads[i];
        if (thread->thread_pointer != 0 && thread->thread_pointer - python->id < THREAD_AREA_LIMIT)
            return thread;
    }
    for (uint32_t i = 0; i < dumping->thread_count; i++) {
        if (python->native_id != 0 && (uint64_t)dumping->threads[i].tid == python->native_id)
            return &dumping->threads[i];
    }
    return NULL;
}

/* Whether a thread sleeps until it is given the GIL, as far as its registers tell. */
static bool waits_for_gil(const struct core_dumping *dumping, const struct core_thread *thread,
                          const struct python_thread *python)
{
#ifdef __x86_64__
    uint32_t count;
    const struct python_gil *gils = python_gils(dumping->builder.python, &count);
    return thread->has_registers && python->gil < count && !python->holds_gil &&
           thread->registers.system_call == SYS_futex &&
           python_gil_is_awaited(&gils[python->gil], thread->registers.values[ARGUMENT_REGISTER]);
#else
    (void)dumping;
    (void)thread;
    (void)python;
    return false;
#endif
}

/* Puts the C frames of a thread between its Python frames; false without memory. */
static bool weave_native(struct core_dumping *dumping, const struct core_thread *thread,
                         const struct python_thread *python, struct dump_thread *copy)
{
    struct frame_merge_input unwound;
    const struct python_frame *frames = python_frames(dumping->builder.python) + python->first_frame;
    if (!dumping->native || !thread->has_registers)
        return true;
    return core_stacks_unwind(&dumping->stacks, thread, &unwound) &&
           dump_weave(copy, dumping->native, frames, &unwound);
}

/* Adds what was found of a thread; false without memory. thread: NULL when it is not in the core. */
static bool add_thread(struct core_dumping *dumping, const struct core_thread *thread,
                       const struct python_thread *python, uint32_t place)
{
    struct dump_thread *copy = dump_builder_append(&dumping->builder, place);
    if (!copy)
        return false;
    if (thread) {
        copy->os_id = (uint64_t)thread->tid;
        copy->signal = thread->signal;
        copy->waits_for_gil = waits_for_gil(dumping, thread, python);
        dumping->is_known[thread - dumping->threads] = true;
    }
    return dump_builder_copy(&dumping->builder, python, copy) &&
           (!thread || weave_native(dumping, thread, python, copy));
}

static struct error *add_threads(struct core_dumping *dumping)
{
    uint32_t count;
    struct python *python = dumping->builder.python;
    struct dump_variables *variables = dumping->builder.variables;
    python_keep_tables(python);
    if (dumping->native)
        python_keep_anchors(python);
    python_take_as_it_is(python);
    python_limit_threads(python, dumping->thread_count);
    python_begin_sample(python);
    enum python_status status = python_list_threads(python, dumping->builder.memory);
    if (status != PYTHON_OK)
        return error_create(ERROR_BAD_DATA, "cannot read its threads: %s", python_status_text(status));
    struct python_thread *threads = python_threads(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        python_walk_thread(python, dumping->builder.memory, &threads[i]);
        dump_variables_read(variables, python, dumping->builder.memory, &threads[i]);
        if (variables->failed || !add_thread(dumping, find_thread(dumping, &threads[i]), &threads[i], i))
            return error_no_memory();
    }
    return NULL;
}

/* Adds threads without a Python state: all of them, or else the one that got the signal. */
static struct error *add_bare(struct core_dumping *dumping, bool with_all)
{
    static const struct python_thread none = {.gil = PYTHON_NO_GIL, .status = PYTHON_OK};
    for (uint32_t i = 0; i < dumping->thread_count; i++) {
        const struct core_thread *thread = &dumping->threads[i];
        if (dumping->is_known[i] || !(with_all || thread->signal != 0))
            continue;
        if (!add_thread(dumping, thread, &none, 0))
            return error_no_memory();
        struct dump_thread *added = &dumping->builder.dump->threads[dumping->builder.dump->thread_count - 1];
        if (added->frame_count == 0)
            added->failure = "Python knows nothing of the thread, and C frames were not asked for";
    }
    return NULL;
}

/* Makes ready what C frames take, and adds all threads. */
static struct error *dump_threads(struct core_dumping *dumping, struct core *core,
                                  const struct dumping_options *options)
{
    cleanup_free bool *is_known = NULL;
    cleanup_native_stacks struct native_stacks *native = NULL;
    struct error *error = NULL;
    dumping->threads = core_threads(core, &dumping->thread_count);
    dumping->is_known = is_known = calloc(dumping->thread_count + 1, sizeof(*is_known));
    if (!is_known)
        return error_no_memory();
    if (options->with_native)
        error = native_stacks_of_core(core, &python_runtime(dumping->builder.python)->version, options->with_all_native,
                                      &native);
    if (error)
        return error;
    dumping->native = native;
    core_stacks_init(&dumping->stacks, core, native);
    error = add_threads(dumping);
    if (!error)
        error = add_bare(dumping, options->with_all_native);
    core_stacks_deinit(&dumping->stacks);
    return error;
}

static struct error *find_python(struct core *core, struct python **ret)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    const struct module_opener opener = opener_of_core(core);
    struct error *error =
        interpreter_find(&opener, core_executable(core), core_maps(core), core_memory(core), &runtime);
    return error ? error : python_create(&runtime, ret);
}

static struct error *describe_core(const struct core_process *process, const char *path, struct process_dump *ret)
{
    ret->pid = process->pid;
    ret->is_proved = true;
    ret->core_file = dump_text_copy(path, strlen(path));
    ret->command_line = dump_text_copy(process->command_line, strlen(process->command_line));
    ret->executable = dump_text_copy(process->executable, strlen(process->executable));
    return ret->core_file.bytes && ret->command_line.bytes && ret->executable.bytes ? NULL : error_no_memory();
}

struct error *dumping_run_core(struct core *core, const char *path, const struct dumping_options *options,
                               struct process_dump *ret)
{
    cleanup_python struct python *python = NULL;
    cleanup_dump_variables struct dump_variables variables = {0};
    cleanup_process_dump struct process_dump dump = {0};
    const struct core_process *process = core_process(core);
    struct error *error = find_python(core, &python);
    if (!error)
        error = describe_core(process, path, &dump);
    if (!error)
        error = dump_variables_init(&variables, python, options->text_limit);
    if (error)
        return error;
    struct core_dumping dumping = {
        .builder = {.python = python, .memory = core_memory(core), .dump = &dump, .variables = &variables}};
    const struct source_reader reader = {
        .since_ns = process->written_ns, .user = process->user, .group = process->group};
    error = dump_threads(&dumping, core, options);
    if (!error)
        error = sources_add_own(&reader, &dump);
    if (!error)
        error = dump_builder_finish(&dumping.builder);
    if (error)
        return error;
    *ret = dump;
    dump = (struct process_dump){0};
    return NULL;
}
