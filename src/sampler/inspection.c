/* SPDX-License-Identifier: MIT */
#include "sampler/inspection.h"

#include "base/cleanup.h"
#include "interpreter.h"
#include "memory/maps.h"
#include "openers.h"
#include "python/runtime.h"
#include "target/cpu.h"
#include "target/process.h"
#include "target/process_images.h"
#include "target/process_memory.h"
#include "target/task.h"
#include "target/thread_area.h"

#include <stdio.h>

static void inspect_main_thread(const struct process *process, struct inspection *inspection)
{
    struct task task = TASK_NONE;
    struct task_state state;
    cleanup_error struct error *error = task_init(&task, process, process->pid);
    if (error)
        return;
    inspection->barred_cpus = cpu_count_barred(task.system_tid);
    inspection->is_urgent = task_read_state(&task, &state) && state.is_urgent;
    task_deinit(&task);
}

struct error *inspection_run(const struct process *process, struct inspection *ret)
{
    struct inspection inspection = {.barred_cpus = -1};
    cleanup_process_memory struct memory *memory = NULL;
    cleanup_maps struct maps maps = {0};
    cleanup_python_runtime struct python_runtime runtime = {0};
    const struct module_opener opener = opener_of_process(process);
    struct thread_area area;
    struct error *error = process_memory_create(process, &memory);
    if (!error)
        error = process_read_maps(process, &maps);
    if (!error)
        error = interpreter_find(&opener, process_executable_mapping(process, &maps), &maps, memory, &runtime);
    if (error)
        return error;
    char version[PYTHON_VERSION_TEXT_LEN];
    python_version_format(&runtime.version, version);
    snprintf(inspection.version, sizeof(inspection.version), "%s", version);
    inspection.is_untested = runtime.is_untested;
    inspection.is_direct = process_memory_is_direct(memory);
    thread_area_find(process, &maps, memory, &area);
    inspection.has_cpu_number = area.has_cpu_id;
    inspect_main_thread(process, &inspection);
    *ret = inspection;
    return NULL;
}
