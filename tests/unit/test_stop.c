/* SPDX-License-Identifier: MIT */
#include "target/stop.h"

#include "base/cleanup.h"
#include "proc_folder.h"
#include "target/guard.h"
#include "target/launch.h"
#include "target/process.h"
#include "target/task.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

enum { SIGNAL_COUNT = 300 };

/* What a child shows us of what it does. */
struct shown {
    _Atomic uint64_t rounds;
    _Atomic uint64_t signals;
    atomic_bool may_end;
};

struct scene {
    struct shown *shown;
    pid_t child;
    struct process *process;
    struct task task;
};

static struct shown *shown_by_child; /* in the child, for its signal handler */

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&shown_by_child->signals, 1);
}

/* Starts a child that runs some work. */
static struct scene start(void (*work)(struct shown *shown))
{
    struct scene scene = {.task = TASK_NONE};
    scene.shown = mmap(NULL, sizeof(*scene.shown), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(scene.shown, MAP_FAILED);
    scene.child = fork();
    if (scene.child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        shown_by_child = scene.shown;
        work(scene.shown);
        _exit(7);
    }
    assert_true(scene.child > 0);
    while (atomic_load(&scene.shown->rounds) == 0)
        sched_yield();
    assert_null(process_open(NULL, scene.child, &scene.process));
    assert_null(task_init(&scene.task, scene.process, scene.child));
    return scene;
}

static void end(struct scene *scene)
{
    kill(scene->child, SIGKILL);
    waitpid(scene->child, NULL, 0);
    task_deinit(&scene->task);
    process_destroy(scene->process);
    munmap(scene->shown, sizeof(*scene->shown));
}

static void count_rounds(struct shown *shown)
{
    signal(SIGRTMIN, count_signal);
    while (!atomic_load(&shown->may_end))
        atomic_fetch_add(&shown->rounds, 1);
}

/* Waits for a child of its own, which no signal ends: Linux kernel/fork.c: wait_for_vfork_done(). */
static void wait_for_grandchild(struct shown *shown)
{
    atomic_fetch_add(&shown->rounds, 1);
    /* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is wanted */
    if (vfork() == 0) {
        while (!atomic_load(&shown->may_end))
            ;
        _exit(0);
    }
    for (;;)
        atomic_fetch_add(&shown->rounds, 1);
}

static char state_of(const struct scene *scene)
{
    char path[64], text[256] = "", *end_of_name;
    snprintf(path, sizeof(path), "/proc/%d/stat", scene->child);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    end_of_name = strrchr(text, ')');
    assert_non_null(end_of_name);
    return end_of_name[2];
}

static void wait_for_state(const struct scene *scene, char state)
{
    while (state_of(scene) != state)
        sched_yield();
}

static void wait_for_rounds(const struct scene *scene)
{
    uint64_t rounds = atomic_load(&scene->shown->rounds);
    while (atomic_load(&scene->shown->rounds) == rounds)
        sched_yield();
}

/* However busy the machine is. */
static void wait_on(struct stop *stop)
{
    while (stop->state == STOP_OVERDUE) {
        stop->state = STOP_ASKED;
        stop_wait(stop, 1);
    }
    assert_int_equal(stop->state, STOP_REACHED);
}

static void a_stopped_thread_runs_nothing_until_it_is_let_go(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    for (int i = 0; i < 50; i++) {
        struct stop stop;
        assert_true(stop_begin(&stop, &scene.task));
        assert_false(stop_holds(&stop));
        stop_wait(&stop, 1);
        assert_true(stop_holds(&stop));
        uint64_t rounds = atomic_load(&scene.shown->rounds);
        usleep(100);
        assert_int_equal(atomic_load(&scene.shown->rounds), rounds);
        if (stop.state == STOP_REACHED)
            assert_int_equal(state_of(&scene), 't');
        wait_on(&stop);
        assert_true(stop_end(&stop));
        assert_false(stop_holds(&stop));
        wait_for_rounds(&scene);
    }
    end(&scene);
}

/* The alarm that ends the wait for a stop is for nothing else. */
static void nothing_is_interrupted_after_a_stop(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    for (int i = 0; i < 5; i++) {
        const struct timespec longer = {.tv_nsec = 2 * STOP_WAIT_NS};
        struct stop stop;
        assert_true(stop_begin(&stop, &scene.task));
        stop_wait(&stop, 1);
        wait_on(&stop);
        assert_int_equal(nanosleep(&longer, NULL), 0);
        assert_true(stop_end(&stop));
    }
    end(&scene);
}

static void each_signal_is_delivered_once(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct stop stop;
        union sigval value = {0};
        assert_true(stop_begin(&stop, &scene.task));
        assert_int_equal(sigqueue(scene.child, SIGRTMIN, value), 0);
        stop_wait(&stop, 1);
        assert_int_equal(sigqueue(scene.child, SIGRTMIN, value), 0);
        wait_on(&stop);
        assert_true(stop_end(&stop));
    }
    while (atomic_load(&scene.shown->signals) < 2 * SIGNAL_COUNT)
        sched_yield();
    wait_for_rounds(&scene);
    assert_int_equal(atomic_load(&scene.shown->signals), 2 * SIGNAL_COUNT);
    end(&scene);
}

/* In a stop for the signal itself, with the stop that was asked for still to come. */
static void a_signal_that_stops_it_first_is_delivered_once(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    for (uint64_t i = 1; i <= 50; i++) {
        struct stop stop = {.tid = scene.child, .state = STOP_ASKED};
        assert_int_equal(ptrace(PTRACE_SEIZE, scene.child, NULL, NULL), 0);
        assert_int_equal(kill(scene.child, SIGRTMIN), 0);
        wait_for_state(&scene, 't');
        assert_int_equal(ptrace(PTRACE_INTERRUPT, scene.child, NULL, NULL), 0);
        stop_wait(&stop, 1);
        assert_int_equal(stop.state, STOP_REACHED);
        assert_int_equal(stop.signal, SIGRTMIN);
        assert_true(stop_end(&stop));
        while (atomic_load(&scene.shown->signals) < i)
            sched_yield();
        wait_for_rounds(&scene);
        assert_int_equal(atomic_load(&scene.shown->signals), i);
    }
    end(&scene);
}

static void what_is_stopped_by_a_signal_stays_so(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    struct stop stop;
    assert_int_equal(kill(scene.child, SIGSTOP), 0);
    wait_for_state(&scene, 'T');
    assert_true(stop_begin(&stop, &scene.task));
    stop_wait(&stop, 1);
    wait_on(&stop);
    assert_true(stop_end(&stop));
    wait_for_state(&scene, 'T');
    assert_int_equal(kill(scene.child, SIGCONT), 0);
    wait_for_rounds(&scene);
    assert_true(stop_begin(&stop, &scene.task));
    stop_wait(&stop, 1);
    wait_on(&stop);
    assert_int_equal(kill(scene.child, SIGSTOP), 0);
    assert_true(stop_end(&stop));
    wait_for_state(&scene, 'T');
    end(&scene);
}

static void nothing_is_held_of_what_cannot_be_seized(void **state)
{
    (void)state;
    struct stop stop;
    struct task nobody = TASK_NONE, gone = TASK_NONE;
    gone.system_tid = INT32_MAX;
    assert_false(stop_begin(&stop, &nobody));
    assert_true(stop_end(&stop));
    assert_false(stop_begin(&stop, &gone));
    stop_wait(&stop, 1);
    assert_false(stop_holds(&stop));
    assert_true(stop_end(&stop));
}

static const char *hold_one_that_is_killed(struct scene *scene)
{
    struct stop stop;
    int status;
    if (!stop_begin(&stop, &scene->task))
        return "cannot be seized";
    kill(scene->child, SIGKILL);
    while (!launch_collect(scene->child, &status))
        ;
    stop_wait(&stop, 1);
    if (stop_holds(&stop))
        return "is held";
    if (stop_end(&stop))
        return "was let go";
    return status == 128 + SIGKILL ? NULL : "has another status";
}

/* What a thread of ours does; it says what went wrong. */
struct call {
    const char *(*function)(struct scene *scene);
    struct scene *scene;
    const char *failure;
};

static void *run_call(void *argument)
{
    struct call *call = argument;
    call->failure = call->function(call->scene);
    return NULL;
}

/* Calls a function in a thread of its own, at whose end whatever it holds is let go. */
static void call_in_thread(const char *(*function)(struct scene *scene), struct scene *scene)
{
    pthread_t thread;
    struct call call = {.function = function, .scene = scene};
    assert_int_equal(pthread_create(&thread, NULL, run_call, &call), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(call.failure ? call.failure : "", "");
}

static void the_end_of_a_child_stays_for_who_waits_for_it(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    call_in_thread(hold_one_that_is_killed, &scene);
    end(&scene);
}

static const char *hold_one_in_the_kernel(struct scene *scene)
{
    struct stop stop;
    if (!stop_begin(&stop, &scene->task))
        return "cannot be seized";
    stop_wait(&stop, 1);
    if (stop.state != STOP_OVERDUE || !stop_holds(&stop))
        return "is not overdue";
    return stop_end(&stop) ? "was let go" : NULL;
}

static void the_end_of_our_thread_lets_go_of_what_has_not_stopped(void **state)
{
    (void)state;
    struct scene scene = start(wait_for_grandchild);
    wait_for_state(&scene, 'D');
    call_in_thread(hold_one_in_the_kernel, &scene);
    atomic_store(&scene.shown->may_end, true);
    wait_for_rounds(&scene);
    end(&scene);
}

/* Ends us with 0 when the child could be let go after we were stopped. */
static void *stop_ourselves(void *scene)
{
    const struct scene *held = scene;
    struct stop stop;
    if (!stop_begin(&stop, &held->task))
        _exit(1);
    stop_wait(&stop, 1);
    wait_on(&stop);
    pthread_kill(pthread_self(), SIGSTOP); /* sent to all of us, it could come when the child has been let go */
    _exit(stop_end(&stop) ? 0 : 2);
}

static void who_is_stopped_while_he_holds_a_thread_goes_on(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    int status;
    pid_t holder = fork();
    if (holder == 0) {
        pthread_t thread;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        guard_start();
        pthread_create(&thread, NULL, stop_ourselves, &scene);
        pthread_join(thread, NULL);
        _exit(3);
    }
    /* We may be too late to see the stop. */
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    wait_for_rounds(&scene);
    end(&scene);
}

/* Seizes a process from another one, until it is killed. Returns its number when it has. */
static pid_t trace_from_elsewhere(struct scene *scene)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_SEIZE, scene->child, NULL, NULL) != 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return tracer;
}

static void it_is_told_whether_threads_can_be_stopped(void **state)
{
    (void)state;
    struct scene scene = start(count_rounds);
    assert_null(stop_try(scene.process));
    pid_t tracer = trace_from_elsewhere(&scene);
    struct stop stop;
    assert_false(stop_begin(&stop, &scene.task));
    struct error *error = stop_try(scene.process);
    kill(tracer, SIGKILL);
    waitpid(tracer, NULL, 0);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BUSY);
    char words[64];
    snprintf(words, sizeof(words), "process %d (test_stop) traces it already", tracer);
    assert_non_null(strstr(error->sentence, words));
    error_destroy(error);
    end(&scene);
}

static void rest(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Ends with the child seized, and so lets go of it. */
static void *seize_for_a_moment(void *argument)
{
    const struct scene *scene = argument;
    if (ptrace(PTRACE_SEIZE, scene->child, NULL, NULL) == 0)
        rest(1);
    return NULL;
}

static void *seize_again_and_again(void *argument)
{
    const struct scene *scene = argument;
    for (long i = 0; !atomic_load(&scene->shown->may_end); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, seize_for_a_moment, argument) == 0)
            pthread_join(thread, NULL);
        rest(1 + i % 3); /* in step with nobody */
    }
    return NULL;
}

/* Another profiler is such a one. */
static void who_traces_for_a_moment_only_is_waited_for(void **state)
{
    (void)state;
    enum { TRIES = 50 };
    struct scene scene = start(count_rounds);
    pthread_t other;
    int refused = 0;
    assert_int_equal(pthread_create(&other, NULL, seize_again_and_again, &scene), 0);
    for (int i = 0; i < TRIES; i++) {
        cleanup_error struct error *error = stop_try(scene.process);
        refused += error != NULL;
    }
    atomic_store(&scene.shown->may_end, true);
    assert_int_equal(pthread_join(other, NULL), 0);
    end(&scene);
    assert_int_equal(refused, 0);
}

static void what_no_system_call_can_name_is_not_stopped(void **state)
{
    (void)state;
    struct proc_folder proc;
    struct process *process;
    struct task task;
    struct stop stop;
    static const char stat[] =
        "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 "
        "0 0 0 0 17 3 0 0 0 0 0\n";
    proc_folder_create(&proc);
    proc_folder_put_text(&proc, "7/stat", stat);
    proc_folder_put_text(&proc, "7/status", "Tgid:\t7\n");
    proc_folder_put_text(&proc, "7/task/7/stat", stat);
    assert_null(process_open(proc.path, 7, &process));
    assert_null(task_init(&task, process, 7));
    assert_int_equal(task.system_tid, 0);
    assert_false(stop_begin(&stop, &task));
    struct error *error = stop_try(process);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_OS);
    error_destroy(error);
    task_deinit(&task);
    process_destroy(process);
    proc_folder_destroy(&proc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_thread_runs_nothing_until_it_is_let_go),
        cmocka_unit_test(nothing_is_interrupted_after_a_stop),
        cmocka_unit_test(each_signal_is_delivered_once),
        cmocka_unit_test(a_signal_that_stops_it_first_is_delivered_once),
        cmocka_unit_test(what_is_stopped_by_a_signal_stays_so),
        cmocka_unit_test(nothing_is_held_of_what_cannot_be_seized),
        cmocka_unit_test(the_end_of_a_child_stays_for_who_waits_for_it),
        cmocka_unit_test(the_end_of_our_thread_lets_go_of_what_has_not_stopped),
        cmocka_unit_test(who_is_stopped_while_he_holds_a_thread_goes_on),
        cmocka_unit_test(it_is_told_whether_threads_can_be_stopped),
        cmocka_unit_test(who_traces_for_a_moment_only_is_waited_for),
        cmocka_unit_test(what_no_system_call_can_name_is_not_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
