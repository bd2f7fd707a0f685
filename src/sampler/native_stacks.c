/* SPDX-License-Identifier: MIT */
#include "native_stacks.h"

#include "base/cleanup.h"
#include "core/core.h"
#include "method_names.h"
#include "native/modules.h"
#include "native/symbolizer.h"
#include "native/unwinder.h"
#include "openers.h"
#include "schedule.h"
#include "target/process.h"
#include "target/process_memory.h"

#include <stdlib.h>

enum {
    UPDATE_EACH_NS = 100000000, /* at most so often is looked for code that was mapped meanwhile, */
    UPDATE_REST = 50,           /* and so many times as long as the last look took */
    SPARE_FILES = 6,            /* what is opened later to be kept, and for a moment by each of our threads */
};

struct native_stacks {
    struct module_opener opener;
    const struct process *process; /* NULL: nothing changes any more */
    struct maps maps;              /* of the process */
    struct memory *memory;         /* of the process, for us alone; NULL without one */
    struct modules *modules;
    struct unwinder *unwinder;
    struct symbolizer *symbolizer;
    struct frame_merge merge;
    struct method_names methods;
    struct python_version version;
    bool is_outdated;        /* there is code of which no module is known */
    uint64_t next_update_ns; /* not before */
};

/* Makes known what is mapped. The maps must outlive the stacks, or the next update. */
static struct error *update(struct native_stacks *stacks, const struct maps *maps)
{
    struct error *error = modules_update(stacks->modules, maps);
    stacks->is_outdated = false;
    stacks->methods.maps = maps;
    unwinder_update(stacks->unwinder);
    symbolizer_update(stacks->symbolizer);
    frame_merge_update(&stacks->merge);
    return error;
}

static struct error *create(struct native_stacks *stacks, const struct maps *maps, struct memory *memory)
{
    struct error *error = modules_create(&stacks->opener, memory, &stacks->modules);
    if (!error)
        error = unwinder_create(stacks->modules, &stacks->unwinder);
    if (!error)
        error = symbolizer_create(stacks->modules, &stacks->symbolizer);
    stacks->methods = (struct method_names){.memory = memory, .modules = stacks->modules};
    stacks->merge.methods = &stacks->methods;
    return error ? error : update(stacks, maps);
}

static struct native_stacks *allocate(const struct python_version *version, bool with_all)
{
    struct native_stacks *stacks = calloc(1, sizeof(*stacks));
    if (stacks) {
        stacks->version = *version;
        stacks->merge.with_all = with_all;
    }
    return stacks;
}

struct error *native_stacks_of_process(const struct process *process, const struct python_version *version,
                                       bool with_all, struct native_stacks **ret)
{
    cleanup_native_stacks struct native_stacks *stacks = allocate(version, with_all);
    if (!stacks)
        return error_no_memory();
    stacks->process = process;
    stacks->opener = opener_of_process(process);
    struct error *error = process_read_maps(process, &stacks->maps);
    if (!error)
        error = process_memory_create(process, &stacks->memory);
    if (!error)
        error = create(stacks, &stacks->maps, stacks->memory);
    if (!error)
        error = process_check_spare_files(SPARE_FILES);
    if (error)
        return error;
    *ret = hand_over(&stacks);
    return NULL;
}

struct error *native_stacks_of_core(struct core *core, const struct python_version *version, bool with_all,
                                    struct native_stacks **ret)
{
    cleanup_native_stacks struct native_stacks *stacks = allocate(version, with_all);
    if (!stacks)
        return error_no_memory();
    stacks->opener = opener_of_core(core);
    struct error *error = create(stacks, core_maps(core), core_memory(core));
    if (error)
        return error;
    *ret = hand_over(&stacks);
    return NULL;
}

void native_stacks_destroy(struct native_stacks *stacks)
{
    if (!stacks)
        return;
    frame_merge_deinit(&stacks->merge);
    method_names_deinit(&stacks->methods);
    maps_deinit(&stacks->maps);
    symbolizer_destroy(stacks->symbolizer);
    unwinder_destroy(stacks->unwinder);
    modules_destroy(stacks->modules);
    process_memory_destroy(stacks->memory);
    free(stacks);
}

/* Looks for code that was mapped since, when there is some, and the last look is some time ago. */
static void update_if_due(struct native_stacks *stacks)
{
    cleanup_maps struct maps maps = {0};
    uint64_t begin_ns = monotonic_now_ns();
    if (!stacks->is_outdated || !stacks->process || begin_ns < stacks->next_update_ns)
        return;
    /* What fails here costs names, and is tried again. */
    struct error *error = process_read_maps(stacks->process, &maps);
    if (!error) {
        const struct maps before = stacks->maps;
        stacks->maps = maps;
        maps = before;
        error = update(stacks, &stacks->maps);
    }
    error_destroy(error);
    uint64_t end_ns = monotonic_now_ns(), rest_ns = UPDATE_REST * (end_ns - begin_ns);
    stacks->next_update_ns = end_ns + (rest_ns > UPDATE_EACH_NS ? rest_ns : UPDATE_EACH_NS);
}

/* Whether code was met that no module has. Where unwinding was lost, the last frame is no code, maybe. */
static bool meets_unknown(const struct native_stacks *stacks, const struct frame_merge_input *input)
{
    for (uint32_t i = 0; i < input->native_count; i++) {
        if (!modules_find(stacks->modules, input->native_frames[i].pc))
            return true;
    }
    return false;
}

void native_stacks_unwind(struct native_stacks *stacks, const struct native_stack *c_stack,
                          struct frame_merge_input *ret)
{
    update_if_due(stacks);
    *ret = (struct frame_merge_input){
        .stack_start = c_stack->start,
        .stack_end = c_stack->start + c_stack->len,
        .system_call = c_stack->registers.system_call,
    };
    ret->end = unwinder_run(stacks->unwinder, c_stack, &ret->native_frames, &ret->native_count);
    stacks->is_outdated |= meets_unknown(stacks, ret);
}

enum native_result native_stacks_merge(struct native_stacks *stacks, struct frame_merge_input *input,
                                       const struct merged_python *python_frames, uint32_t python_count,
                                       const struct stack_frame **ret_frames, uint32_t *ret_count)
{
    bool is_matched;
    input->version = &stacks->version;
    input->symbolizer = stacks->symbolizer;
    input->python_frames = python_frames;
    input->python_count = python_count;
    if (!frame_merge_run(&stacks->merge, input, &is_matched))
        return NATIVE_NO_MEMORY;
    *ret_frames = stacks->merge.frames;
    *ret_count = stacks->merge.count;
    return is_matched ? NATIVE_JOINED : NATIVE_UNMATCHED;
}
