"""What `--native` does to programs, when they are stopped for each sample: nothing that they notice, whatever becomes of us.

And that they are not stopped where the kernel writes down the registers of a thread that leaves its CPU.

    PYSPYC=build/pyspyc python3 test_native_harm.py [INTERPRETER] [TestClass.test_name]

PYSPYC_LONG=1 ends a thousand profilers instead of thirty.
"""
import concurrent.futures
import json
import os
import random
import signal
import time
import unittest

import harness
import test_native
from heart import Heart, state_of

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
ENDINGS = 1000 if IS_LONG else 30
TARGETS = 4
RATE = ("-r", "1000")
QUEUED = 2000


class StoppingCase(test_native.NativeCase):
    prefix = harness.BY_STOPPING


class TestEndings(StoppingCase):
    """Profilers that are ended, or stopped, at any time."""

    def start_recording(self, heart, number):
        output = self.path("%d.raw" % number)
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", output, "--native", *RATE, "-p", heart.process.pid,
                                     preexec_fn=os.setpgrp)
        self.wait_until_sampling(profiler)
        return profiler, output

    def end_often(self, heart, numbers, number_of_signal):
        for number in numbers:
            profiler, output = self.start_recording(heart, number)
            time.sleep(random.uniform(0, 0.02))  # any time will do
            profiler.signal(number_of_signal)
            status, _ = profiler.finish()
            heart.assert_runs()
            if number_of_signal == signal.SIGTERM:
                self.assertEqual(status, 0, profiler.stderr())
                os.remove(output)
            profiler.end()

    def end_all(self, number_of_signal, count):
        """Several at a time, each with a program of its own."""
        hearts = [Heart(self) for _ in range(TARGETS)]
        with concurrent.futures.ThreadPoolExecutor(TARGETS) as pool:
            jobs = [pool.submit(self.end_often, heart, range(first, count, TARGETS), number_of_signal)
                    for first, heart in enumerate(hearts)]
            for job in jobs:
                job.result()
        for heart in hearts:
            self.assert_unharmed(heart.process)
            self.assertEqual(heart.process.finish()[0], 0)

    def test_killed(self):
        self.end_all(signal.SIGKILL, ENDINGS)

    def test_terminated(self):
        self.end_all(signal.SIGTERM, ENDINGS // 3)

    def test_stopped(self):
        """SIGSTOP cannot be seen coming: a profiler that holds somebody at that moment goes on, and lets him go."""
        heart = Heart(self)
        profiler, _ = self.start_recording(heart, 0)
        for _ in range(ENDINGS // 3):
            time.sleep(random.uniform(0, 0.02))
            profiler.signal(signal.SIGSTOP)
            self.assertTrue(heart.beats(5), "the target stands still")
            profiler.signal(signal.SIGCONT)
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        heart.assert_runs()

    def test_stopped_by_the_terminal(self):
        """SIGTSTP is seen coming."""
        heart = Heart(self)
        profiler, _ = self.start_recording(heart, 0)
        for _ in range(ENDINGS // 3):
            time.sleep(random.uniform(0, 0.02))
            profiler.signal(signal.SIGTSTP)
            harness.wait_until(lambda: state_of(profiler.pid) == "T", "the profiler is stopped")
            heart.assert_runs()
            profiler.signal(signal.SIGCONT)
            harness.wait_until(lambda: state_of(profiler.pid) != "T", "the profiler runs on")
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        heart.assert_runs()


class TestEndingsWithoutStops(TestEndings):
    """The same where the kernel writes registers down, and nobody who computes is held when pyspyc is stopped."""
    prefix = ()

    def test_killed(self):
        self.end_all(signal.SIGKILL, ENDINGS // 3)

    test_stopped = test_stopped_by_the_terminal = None


class TestUnstoppable(StoppingCase):
    """A thread in state D is left alone, and does not hold the others."""

    def states_of(self, target):
        """A letter for each thread."""
        states = []
        for tid in os.listdir("/proc/%d/task" % target.pid):
            with open("/proc/%d/task/%s/stat" % (target.pid, tid)) as stat:
                states.append(stat.read().rsplit(")", 1)[1].split()[0])
        return states

    def start_waiter(self):
        library = self.build("unstoppable.c", "-g", "-O2")
        target, _ = self.start_native("unstoppable.py", library)
        harness.wait_until(lambda: "D" in self.states_of(target), "a thread is in state D")
        return target

    def test_others_are_not_held(self):
        """Nobody is stopped while we would wait for the thread in state D, which is 5 ms of each 2."""
        target = self.start_waiter()
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "--native", "-i", "-r", "500",
                                     "-p", target.pid)
        self.wait_until_sampling(profiler)
        held = 0
        for _ in range(200):
            time.sleep(random.uniform(0, 0.004))
            held += "t" in self.states_of(target)
        self.assertLess(held, 100)
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        target.end()

    def test_thread_in_state_d(self):
        target = self.start_waiter()
        outcome, stacks = self.record_native(target.pid, "-i", "--native")
        missing, unmatched = test_native.losses_of(outcome)
        at_work = stacks.with_function("work")
        waiting = stacks.with_function("wait")
        self.assertGreater(stacks.total(at_work), test_native.LEAST, outcome)
        self.assertGreater(stacks.total(waiting), test_native.LEAST, outcome)
        self.assertEqual(unmatched, 0, outcome)
        # What is missing is the waiting thread's, nearly all.
        whole = stacks.total(lambda stack: at_work(stack) and harness.function_name(stack[-1]) != "work")
        self.assertGreater(whole, 0.5 * stacks.total(at_work), outcome)
        threads = self.dump_native(target.pid)
        self.assertEqual(len(threads), 3)
        self.assertIn("wait", [frame["name"] for frame in threads["wait_always"]])
        fields = harness.status_of(target.pid)
        self.assertEqual(fields["TracerPid"], "0")
        target.end()


class TestSignals(StoppingCase):
    """What signals.c is sent comes, and its system calls do what they should."""

    def record_while(self, *arguments):
        """What signals.c has to say when it has been recorded."""
        library = self.build("signals.c", "-g", "-O2")
        outcome, stacks = self.record("--native", "-i", "-r", "500", "--", self.python,
                                      harness.program("native/signals.py"), library, *arguments)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(), 100, outcome)
        return json.loads(outcome.output.splitlines()[-1])

    def test_queued_signals(self):
        """Each with its number, in order, in a thread that computes and in one that sleeps."""
        for what in ("computing", "sleeping"):
            told = self.record_while(what, str(QUEUED))
            self.assertEqual(told, {"sent": QUEUED, "came": QUEUED, "in_order": True})

    def test_timer(self):
        """One each millisecond of CPU time: the program goes on until so many have come."""
        told = self.record_while("timer", str(QUEUED))
        self.assertEqual(told["came"], QUEUED)

    def test_system_calls(self):
        """None fails with EINTR that is restarted otherwise, and no byte is lost."""
        told = self.record_while("calls", str(QUEUED))
        self.assertEqual(told, {"bytes": QUEUED, "interrupted": 0, "wrong": 0})


COMPUTING = """
import sys
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    pass
"""

#: Two threads that only wake each other up, by pipes.
SWITCHING = """
import os, sys, threading
there, back = os.pipe(), os.pipe()
def answer():
    while os.read(there[0], 1):
        os.write(back[1], b"x")
thread = threading.Thread(target=answer)
thread.daemon = True
thread.start()
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    os.write(there[1], b"x")
    os.read(back[0], 1)
"""


class TestWithoutStops(test_native.NativeCase):
    """A thread that computes is not stopped where the kernel writes its registers down."""

    def start_ready(self, program):
        target = self.start(self.python, "-c", program)
        self.assertEqual(target.read_line(), "ready")
        return target

    def count_stops(self, *prefix):
        """(stops, samples), by the kernel: a stop is a switch of a thread that could have gone on, by its own will."""
        target = self.start_ready(COMPUTING)
        before = int(harness.status_of(target.pid)["voluntary_ctxt_switches"])
        self.prefix = prefix
        outcome, stacks = self.record("--native", "-r", "200", "-d", "1", "--pid", target.pid)
        after = int(harness.status_of(target.pid)["voluntary_ctxt_switches"])
        self.assertEqual(outcome.status, 0, outcome)
        missing, unmatched = test_native.losses_of(outcome)
        self.assertLess(missing, 0.2 * stacks.total(), outcome)
        self.assertEqual(unmatched, 0, outcome)
        target.end()
        return after - before, stacks.total()

    def test_forked_behind_the_interpreters_back(self):
        """There is a thread state that no thread of the process runs."""
        _, child = self.start_target("forked_behind.py")
        for option in "--native", "--blocking", "--idle":
            outcome, stacks = self.record(option, "-r", "100", "-d", "1", "--pid", child)
            self.assertEqual(outcome.status, 0, outcome)
            self.assertGreater(stacks.total(stacks.with_function("busy")), 20, outcome)

    @unittest.skipUnless(harness.may_have_registers(), "we may not have registers written down here")
    def test_not_stopped(self):
        stops, samples = self.count_stops()
        self.assertGreater(samples, 20)
        self.assertLess(stops, 0.2 * samples)

    @unittest.skipUnless(harness.may_have_registers(), "we may not have registers written down here")
    def test_not_even_at_the_first_look(self):
        """On a machine where nothing else comes between, which one of some tries will have."""
        self.assertTrue(any(self.count_stops()[0] == 0 for _ in range(10)))

    @unittest.skipIf(harness.may_have_registers(*harness.BY_STOPPING), "anybody may have registers written down here")
    def test_stopped_where_that_is_not_allowed(self):
        stops, samples = self.count_stops(*harness.BY_STOPPING)
        self.assertGreater(samples, 20)
        self.assertGreater(stops, 0.5 * samples)

    def share_of_time_noted(self, target):
        """In which share of the looks, while a target is recorded, the kernel writes registers of it down."""
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "--native", "-r", "200", "-p", target.pid)
        self.wait_until_sampling(profiler)
        noted, looks = 0, 200
        for _ in range(looks):
            time.sleep(0.01)
            events = 0
            for fd in os.listdir("/proc/%d/fd" % profiler.pid):
                try:
                    events += "perf_event" in os.readlink("/proc/%d/fd/%s" % (profiler.pid, fd))
                except FileNotFoundError:
                    pass
            noted += events > 1  # one is of pyspyc itself
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        target.end()
        return noted / looks

    @unittest.skipUnless(harness.may_have_registers(), "we may not have registers written down here")
    def test_thread_that_leaves_its_cpu_often(self):
        """To write its registers down each time would cost too much."""
        self.assertGreater(self.share_of_time_noted(self.start_ready(COMPUTING)), 0.5)
        self.assertLess(self.share_of_time_noted(self.start_ready(SWITCHING)), 0.3)


if __name__ == "__main__":
    harness.main()
