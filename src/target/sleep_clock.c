/* SPDX-License-Identifier: MIT */
#include "target/sleep_clock.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "clock.h"
#include "proc_file.h"
#include "target/cpu.h"
#include "target/proc_text.h"
#include "target/process.h"
#include "target/task.h"

#include <fcntl.h>

static bool read_stamp(int folder, const char *name, int64_t *ret_ns)
{
    cleanup_buffer struct buffer text = {0};
    cleanup_error struct error *error = proc_file_read(folder, name, &text);
    return !error && proc_sched_stamp(buffer_text(&text), ret_ns);
}

bool sleep_start_read(const struct task *task, struct sleep_start *ret)
{
    char name[64];
    struct task_state state;
    struct sleep_start start;
    snprintf(name, sizeof(name), "task/%d/sched", task->tid);
    if (!task_read_state(task, &state) || state.cpu < 0 || !read_stamp(task->process->directory, name, &start.stamp_ns))
        return false;
    start.cpu = state.cpu;
    start.now_ns = (int64_t)clock_now_ns();
    *ret = start;
    return true;
}

/* What a thread of ours sees that has just begun to run on a CPU. */
struct probe {
    bool is_known;
    int64_t behind_ns;
};

static void *look_at_clock(void *argument)
{
    struct probe *probe = argument;
    int64_t stamp_ns;
    probe->is_known = read_stamp(AT_FDCWD, "/proc/thread-self/sched", &stamp_ns);
    if (probe->is_known)
        probe->behind_ns = (int64_t)clock_now_ns() - stamp_ns;
    return NULL;
}

bool sleep_clocks_find_length(struct sleep_clocks *clocks, const struct sleep_start *start, int64_t *ret_ns)
{
    uint32_t i = 0;
    while (i < clocks->count && clocks->clocks[i].cpu != start->cpu)
        i++;
    if (i == SLEEP_CLOCK_LIMIT)
        return false;
    if (i == clocks->count) {
        pthread_t thread;
        struct probe probe = {0};
        if (cpu_start_thread(start->cpu, look_at_clock, &probe, &thread))
            pthread_join(thread, NULL);
        clocks->clocks[i].cpu = start->cpu;
        clocks->clocks[i].is_known = probe.is_known;
        clocks->clocks[i].behind_ns = probe.behind_ns;
        clocks->count++;
    }
    if (!clocks->clocks[i].is_known)
        return false;
    *ret_ns = start->now_ns - (start->stamp_ns + clocks->clocks[i].behind_ns);
    return true;
}
