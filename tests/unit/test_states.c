/* SPDX-License-Identifier: MIT */
#include "sampler/states.h"

#include "base/cleanup.h"
#include "proc_folder.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "python_heap.h"
#include "sampler/schedule.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREAD_COUNT = 40, FIRST_TID = 100, ROUND_LIMIT = 100000 };

static const char stat_format[] = "%d (python3) %c 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 "
                                  "0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n";

/* A process of the test's own making: the kernel has no CPU clock of it, so its sleepers are looked at in turn. */
struct scene {
    struct proc_folder proc;
    struct process *process;
    struct python *python;
    struct python_thread python_threads[THREAD_COUNT];
    struct sampled_thread threads[THREAD_COUNT];
    struct thread_list list;
    struct states states;
    struct python_heap *heap; /* NULL: it has no GIL */
    remote_addr interpreter;
    bool is_unlocked; /* the GIL, at the second look */
};

static void put_waiting_thread(struct scene *scene, uint32_t index, char state, unsigned run_ns, unsigned wait_ns)
{
    char name[64], text[256];
    int tid = FIRST_TID + (int)index;
    snprintf(name, sizeof(name), "7/task/%d/stat", tid);
    snprintf(text, sizeof(text), stat_format, tid, state);
    proc_folder_put_text(&scene->proc, name, text);
    snprintf(name, sizeof(name), "7/task/%d/schedstat", tid);
    snprintf(text, sizeof(text), "%u %u 6\n", run_ns, wait_ns);
    proc_folder_put_text(&scene->proc, name, text);
}

static void put_thread(struct scene *scene, uint32_t index, char state, unsigned run_ns)
{
    put_waiting_thread(scene, index, state, run_ns, 5);
}

/* Of thread 3: what it does, for who asks that alone. */
static void put_activity(struct scene *scene, const char *text)
{
    proc_folder_put_text(&scene->proc, "7/task/103/syscall", text);
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct python_runtime runtime = {0};
    char text[256];
    proc_folder_create(&scene->proc);
    snprintf(text, sizeof(text), stat_format, 7, 'S');
    proc_folder_put_text(&scene->proc, "7/stat", text);
    assert_null(process_open(scene->proc.path, 7, &scene->process));
    assert_null(python_create(&runtime, &scene->python));
    for (uint32_t i = 0; i < THREAD_COUNT; i++) {
        put_thread(scene, i, 'S', 1000);
        scene->threads[i] = (struct sampled_thread){.python = &scene->python_threads[i], .address = i + 1};
        assert_null(task_init(&scene->threads[i].task, scene->process, FIRST_TID + (int)i));
    }
    scene->list = (struct thread_list){.threads = scene->threads, .count = THREAD_COUNT};
    scene->states.process = scene->process;
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (uint32_t i = 0; i < THREAD_COUNT; i++)
        task_deinit(&scene->threads[i].task);
    python_destroy(scene->python);
    if (scene->heap)
        python_heap_destroy(scene->heap);
    process_destroy(scene->process);
    proc_folder_destroy(&scene->proc);
    free(scene);
    return 0;
}

/* One interval after such a sleep. Returns how many threads are active in it. */
static uint32_t look_after(struct scene *scene, uint64_t slept_ns)
{
    uint32_t active = 0;
    states_begin_interval(&scene->states, &scene->list, slept_ns);
    states_read(&scene->states, &scene->list, scene->python);
    states_settle(&scene->states, &scene->list, scene->python);
    for (uint32_t i = 0; i < THREAD_COUNT; i++) {
        assert_true(scene->threads[i].has_state);
        active += scene->threads[i].is_active;
    }
    return active;
}

static uint32_t look(struct scene *scene)
{
    return look_after(scene, 0);
}

static void at_first_everybody_is_looked_at(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 3, 'R', 1000);
    put_thread(scene, 31, 'R', 1000);
    assert_int_equal(look(scene), 2);
    assert_true(scene->threads[3].is_active && scene->threads[31].is_active);
}

static void who_ran_is_looked_at_in_each_interval(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 3, 'R', 1000);
    look(scene);
    put_thread(scene, 3, 'S', 2000);
    assert_int_equal(look(scene), 0);
}

enum { SLEPT_NS = 1, PAUSE_US = 1000, LONG_NS = 1000000000 }; /* longer than the test takes */

/* Thread 3 was found running, and has run and waited for so long when it is looked at a moment later. */
static uint32_t look_a_moment_later(struct scene *scene, unsigned run_ns, unsigned wait_ns)
{
    put_thread(scene, 3, 'R', 1000);
    assert_int_equal(look(scene), 1);
    usleep(PAUSE_US);
    put_waiting_thread(scene, 3, 'S', 1000 + run_ns, 5 + wait_ns);
    return look_after(scene, SLEPT_NS);
}

static void who_was_busy_since_the_last_look_is_not_asked(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(look_a_moment_later(scene, LONG_NS, 0), 1);
    assert_true(scene->threads[3].has_run);
}

static void who_was_not_busy_for_a_part_of_it_is_asked(void **state)
{
    enum { LEAST_US = PAUSE_US / 2 };
    assert_int_equal(look_a_moment_later(*state, LEAST_US * 1000, 0), 0);
}

static void who_slept_at_the_last_look_is_asked(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(look(scene), 0);
    put_thread(scene, 3, 'S', 1000 + LONG_NS);
    assert_int_equal(look_after(scene, SLEPT_NS), 0);
}

static void who_waited_for_us_while_we_looked_was_busy(void **state)
{
    assert_int_equal(look_a_moment_later(*state, LONG_NS, PAUSE_US * 1000), 1);
}

static void who_waited_for_longer_than_for_us_is_asked(void **state)
{
    assert_int_equal(look_a_moment_later(*state, 0, LONG_NS), 0);
}

static void put_lock(struct scene *scene, uint32_t last_holder, int locked)
{
    python_heap_set_gil(scene->heap, scene->interpreter, scene->threads[last_holder].address, locked);
    python_begin_sample(scene->python);
    assert_int_equal(python_list_threads(scene->python, &scene->heap->fake.memory), PYTHON_OK);
}

/* Gives the program a GIL, and lets it be read. */
static void put_gil(struct scene *scene, uint32_t last_holder, uint64_t switches)
{
    if (!scene->heap) {
        python_destroy(scene->python);
        scene->heap = python_heap_create_with_gil(PYTHON_HEAP_LEN);
        assert_non_null(scene->heap);
        scene->interpreter = python_heap_interpreter(scene->heap);
        scene->python = python_heap_open(scene->heap);
    }
    python_heap_set_switches(scene->heap, scene->interpreter, switches);
    put_lock(scene, last_holder, 1);
}

static void unlock_gil(struct scene *scene, uint32_t last_holder)
{
    put_lock(scene, last_holder, 0);
}

/* Thread 3 waits for that GIL. */
static void put_waiting(struct scene *scene)
{
    char text[128];
    uint32_t count;
    const struct python_gil *gils = python_gils(scene->python, &count);
    assert_int_equal(count, 1);
    snprintf(text, sizeof(text), "202 0x%llx 0x0 0x0 0x0 0x0 0x0 0x1 0x1\n", (unsigned long long)gils->condition + 8);
    put_activity(scene, text);
}

/*
 * Thread 3 was seen to wait for the GIL that thread 5 had. Its files then say something else, which is only found by
 * who looks: *ret_found tells.
 */
static void look_at_one_that_waited(struct scene *scene, uint32_t holder, uint64_t switches, bool *ret_found)
{
    put_gil(scene, 5, 10);
    look(scene);
    put_waiting(scene);
    put_thread(scene, 3, 'S', 2000);
    look(scene);
    assert_true(scene->threads[3].waits_for_gil);
    put_activity(scene, "running\n");
    put_thread(scene, 3, 'R', 3000);
    states_begin_interval(&scene->states, &scene->list, 0);
    states_read(&scene->states, &scene->list, scene->python);
    assert_false(scene->threads[3].has_state);
    assert_true(scene->threads[2].has_state);
    put_gil(scene, holder, switches);
    if (scene->is_unlocked)
        unlock_gil(scene, holder);
    states_settle(&scene->states, &scene->list, scene->python);
    assert_true(scene->threads[3].has_state);
    assert_int_equal(scene->threads[3].waits_for_gil, !scene->threads[3].is_active);
    *ret_found = scene->threads[3].is_active;
}

static void who_waits_for_the_gil_is_not_asked(void **state)
{
    bool is_found;
    look_at_one_that_waited(*state, 5, 10, &is_found);
    assert_false(is_found);
}

static void who_waits_for_the_gil_while_another_one_gets_it_is_not_asked(void **state)
{
    bool is_found;
    look_at_one_that_waited(*state, 7, 11, &is_found);
    assert_false(is_found);
}

static void who_has_got_the_gil_is_asked(void **state)
{
    bool is_found;
    look_at_one_that_waited(*state, 3, 11, &is_found);
    assert_true(is_found);
}

/* That it had the GIL was so in the copy before, which says so until there is a new one. */
static void who_has_lost_the_gil_waits_for_it(void **state)
{
    struct scene *scene = *state;
    put_gil(scene, 3, 10);
    put_thread(scene, 3, 'R', 1000);
    scene->python_threads[3].holds_gil = true;
    assert_int_equal(look(scene), 1);
    put_waiting(scene);
    put_thread(scene, 3, 'S', 2000);
    states_begin_interval(&scene->states, &scene->list, 0);
    states_read(&scene->states, &scene->list, scene->python);
    assert_false(scene->threads[3].waits_for_gil);
    scene->python_threads[3].holds_gil = false;
    put_gil(scene, 5, 11);
    states_settle(&scene->states, &scene->list, scene->python);
    assert_true(scene->threads[3].waits_for_gil);
}

static void who_may_have_had_the_gil_is_asked(void **state)
{
    bool is_found;
    look_at_one_that_waited(*state, 5, 12, &is_found);
    assert_true(is_found);
}

/* It may be ready, and wait for a CPU. */
static void who_may_have_been_given_the_gil_is_asked(void **state)
{
    struct scene *scene = *state;
    bool is_found;
    put_gil(scene, 5, 10);
    scene->is_unlocked = true;
    look_at_one_that_waited(scene, 5, 10, &is_found);
    assert_true(is_found);
}

static void who_has_to_be_known_beforehand_is_asked(void **state)
{
    struct scene *scene = *state;
    put_gil(scene, 5, 10);
    look(scene);
    put_waiting(scene);
    put_thread(scene, 3, 'S', 2000);
    look(scene);
    scene->states.asks_beforehand = true;
    states_begin_interval(&scene->states, &scene->list, 0);
    states_read(&scene->states, &scene->list, scene->python);
    assert_true(scene->threads[3].has_state);
}

static void who_waits_for_the_gil_is_asked_all_the_same_now_and_then(void **state)
{
    struct scene *scene = *state;
    bool is_found;
    look_at_one_that_waited(scene, 5, 10, &is_found);
    usleep(STATES_SWEEP_NS / 1000 + 1000);
    assert_int_equal(look(scene), 1);
}

/* Thread 3 was found running, and then looked at once more. */
static void look_again(struct scene *scene, unsigned run_ns, unsigned wait_ns, uint64_t since_deadline_ns)
{
    put_activity(scene, "running\n");
    put_thread(scene, 3, 'R', 1000);
    look(scene);
    usleep(PAUSE_US);
    assert_int_equal(look(scene), 1);
    put_waiting_thread(scene, 3, 'R', run_ns, wait_ns);
    states_revise(&scene->states, &scene->list, monotonic_now_ns() - since_deadline_ns);
}

static void who_goes_to_sleep_before_a_further_look_is_noticed(void **state)
{
    struct scene *scene = *state;
    look_again(scene, 1000, 5, 0);
    assert_false(scene->threads[3].fell_asleep);
    put_activity(scene, "230 0x0 0x0 0x0 0x0 0x0 0x0 0x1 0x1\n");
    states_revise(&scene->states, &scene->list, monotonic_now_ns());
    assert_true(scene->threads[3].fell_asleep);
    assert_false(scene->threads[2].fell_asleep);
}

enum { SINCE_NS = 1000000000, SHORT_NS = 1000 };

static void who_has_run_for_a_moment_slept_at_the_deadline(void **state)
{
    struct scene *scene = *state;
    look_again(scene, 1000 + SHORT_NS, 5, SINCE_NS);
    assert_true(scene->threads[3].was_asleep);
}

/*
 * Thread 3 has waited for a tenth of a millisecond, got a CPU so often, and ran only since the deadline, after so many
 * looks of which all but the last did not read its times.
 */
static bool has_risen_after(struct scene *scene, uint64_t runs, uint32_t looks)
{
    enum { WAIT_NS = 100000 };
    look_again(scene, 1000, 5, 0);
    scene->threads[3].growth.slept_ns = SINCE_NS;
    scene->threads[3].growth.looks = looks;
    scene->threads[3].runs -= runs;
    put_waiting_thread(scene, 3, 'R', 1000 + SHORT_NS, 5 + WAIT_NS);
    states_revise(&scene->states, &scene->list, monotonic_now_ns() - SINCE_NS);
    return scene->threads[3].was_asleep;
}

static void who_was_kept_waiting_once_may_have_been_ready_at_the_deadline(void **state)
{
    assert_false(has_risen_after(*state, 1, 1));
}

/* He may have waited for us at each of these looks. */
static void who_was_passed_over_may_have_slept_at_the_deadline(void **state)
{
    assert_true(has_risen_after(*state, 1, 4));
}

static void who_has_waited_for_a_moment_many_times_slept_at_the_deadline(void **state)
{
    assert_true(has_risen_after(*state, 10, 1));
}

static void who_has_run_since_the_deadline_did_not_sleep_then(void **state)
{
    struct scene *scene = *state;
    look_again(scene, 1000 + SHORT_NS, 5, 0);
    assert_false(scene->threads[3].was_asleep);
}

static void who_has_waited_may_have_been_ready_at_the_deadline(void **state)
{
    struct scene *scene = *state;
    look_again(scene, 1000 + SHORT_NS, 5 + SINCE_NS, SINCE_NS);
    assert_false(scene->threads[3].was_asleep);
}

static void who_has_not_run_at_all_may_have_been_ready_at_the_deadline(void **state)
{
    struct scene *scene = *state;
    look_again(scene, 1000, 5, SINCE_NS);
    assert_false(scene->threads[3].was_asleep);
}

/* Thread 3 slept at the first look in an interval, and then was looked at once more. */
static bool was_asleep_before_it_ran(struct scene *scene, unsigned run_ns)
{
    scene->states.with_idle = true;
    put_thread(scene, 3, 'R', 1000);
    look(scene);
    put_thread(scene, 3, 'S', 2000);
    assert_int_equal(look(scene), 0);
    put_thread(scene, 3, 'R', run_ns);
    states_revise(&scene->states, &scene->list, monotonic_now_ns());
    assert_false(scene->threads[3].is_active);
    return scene->threads[3].was_asleep;
}

static void who_slept_and_has_run_since_slept_at_the_deadline(void **state)
{
    assert_true(was_asleep_before_it_ran(*state, 2001));
}

static void who_sleeps_on_is_as_it_was(void **state)
{
    assert_false(was_asleep_before_it_ran(*state, 2000));
}

static void who_is_done_is_not_looked_at_again(void **state)
{
    struct scene *scene = *state;
    scene->threads[3].is_done = true;
    look_again(scene, 1000 + SHORT_NS, 5, SINCE_NS);
    assert_false(scene->threads[3].was_asleep);
}

static void who_wakes_up_is_found_in_turn(void **state)
{
    struct scene *scene = *state;
    look(scene);
    put_thread(scene, 17, 'R', 1001);
    uint32_t round = 0;
    while (look(scene) == 0)
        assert_true(++round < ROUND_LIMIT);
    assert_true(scene->threads[17].is_active);
}

/* However seldom it is looked at, all in all it counts for as many intervals as there are. */
static void who_is_looked_at_in_turn_counts_for_the_turns(void **state)
{
    enum { INTERVALS = 3200, RUN_NS = 1 };
    struct scene *scene = *state;
    uint64_t counted = 0;
    look(scene);
    put_thread(scene, 17, 'R', 1000);
    for (unsigned i = 0; i < INTERVALS; i++) {
        /* It is never followed, but runs whenever it is looked at. */
        scene->threads[17].is_active = false;
        scene->threads[17].followed_until_ns = 0;
        put_thread(scene, 17, 'R', 1001 + i * RUN_NS);
        if (look(scene) > 0)
            counted += scene->threads[17].turns;
    }
    assert_in_range(counted, INTERVALS * 0.9, INTERVALS * 1.1);
}

static void who_was_busy_is_followed_for_a_while(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 3, 'R', 1000);
    look(scene);
    put_thread(scene, 3, 'S', 2000);
    assert_int_equal(look(scene), 0);
    put_thread(scene, 3, 'R', 2000);
    assert_int_equal(look(scene), 1);
    assert_int_equal(scene->threads[3].turns, 1);
}

static void who_holds_the_gil_is_looked_at(void **state)
{
    struct scene *scene = *state;
    look(scene);
    scene->python_threads[17].holds_gil = true;
    put_thread(scene, 17, 'R', 1000);
    assert_int_equal(look(scene), 1);
}

static void few_threads_are_all_looked_at(void **state)
{
    struct scene *scene = *state;
    look(scene);
    scene->list.count = 2;
    put_thread(scene, 1, 'R', 1000);
    assert_int_equal(look(scene), 1);
}

static void a_thread_that_ends_is_noticed(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 5, 'R', 1000);
    look(scene);
    proc_folder_put_text(&scene->proc, "7/task/105/stat", "");
    assert_int_equal(look(scene), 0);
    assert_true(scene->threads[5].has_ended);
}

static void a_thread_that_the_kernel_does_not_tell_runs_when_it_has_the_gil(void **state)
{
    struct scene *scene = *state;
    task_deinit(&scene->threads[5].task);
    scene->threads[5].task = TASK_NONE;
    assert_int_equal(look(scene), 0);
    scene->python_threads[5].holds_gil = true;
    assert_int_equal(look(scene), 1);
    assert_false(scene->threads[5].has_ended);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(at_first_everybody_is_looked_at),
        TEST(who_ran_is_looked_at_in_each_interval),
        TEST(who_was_busy_since_the_last_look_is_not_asked),
        TEST(who_was_not_busy_for_a_part_of_it_is_asked),
        TEST(who_slept_at_the_last_look_is_asked),
        TEST(who_waited_for_us_while_we_looked_was_busy),
        TEST(who_waited_for_longer_than_for_us_is_asked),
        TEST(who_waits_for_the_gil_is_not_asked),
        TEST(who_waits_for_the_gil_while_another_one_gets_it_is_not_asked),
        TEST(who_has_got_the_gil_is_asked),
        TEST(who_has_lost_the_gil_waits_for_it),
        TEST(who_may_have_had_the_gil_is_asked),
        TEST(who_may_have_been_given_the_gil_is_asked),
        TEST(who_has_to_be_known_beforehand_is_asked),
        TEST(who_waits_for_the_gil_is_asked_all_the_same_now_and_then),
        TEST(who_goes_to_sleep_before_a_further_look_is_noticed),
        TEST(who_has_run_for_a_moment_slept_at_the_deadline),
        TEST(who_was_kept_waiting_once_may_have_been_ready_at_the_deadline),
        TEST(who_was_passed_over_may_have_slept_at_the_deadline),
        TEST(who_has_waited_for_a_moment_many_times_slept_at_the_deadline),
        TEST(who_has_run_since_the_deadline_did_not_sleep_then),
        TEST(who_has_waited_may_have_been_ready_at_the_deadline),
        TEST(who_has_not_run_at_all_may_have_been_ready_at_the_deadline),
        TEST(who_slept_and_has_run_since_slept_at_the_deadline),
        TEST(who_sleeps_on_is_as_it_was),
        TEST(who_is_done_is_not_looked_at_again),
        TEST(who_wakes_up_is_found_in_turn),
        TEST(who_is_looked_at_in_turn_counts_for_the_turns),
        TEST(who_was_busy_is_followed_for_a_while),
        TEST(who_holds_the_gil_is_looked_at),
        TEST(few_threads_are_all_looked_at),
        TEST(a_thread_that_ends_is_noticed),
        TEST(a_thread_that_the_kernel_does_not_tell_runs_when_it_has_the_gil),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
