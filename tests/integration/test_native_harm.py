"""What `--native` does to programs, which are stopped for each sample: nothing that they notice, whatever becomes of us.

    PYSPYC=build/pyspyc python3 test_native_harm.py [INTERPRETER] [TestClass.test_name]

PYSPYC_LONG=1 ends a thousand profilers instead of thirty.
"""
import concurrent.futures
import json
import os
import random
import signal
import sys
import time

import harness
import test_native
from test_blocking import state_of

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
ENDINGS = 1000 if IS_LONG else 30
TARGETS = 4
RATE = ("-r", "1000")
QUEUED = 2000


class Heart:
    """A heartbeat.py that can be asked whether it goes on."""

    def __init__(self, case):
        self.case = case
        self.process, _ = case.start_target("heartbeat.py")

    def beats(self, deadline=1):
        """Whether the program has looked at the clock, and does so again within the deadline."""
        for _ in range(2):
            self.process.child.stdin.write(b"\n")
            self.process.child.stdin.flush()
            try:
                looks = json.loads(self.process.read_line(deadline * harness.SLOWNESS))["looks"]
            except AssertionError:
                return False
        return looks > 0

    def assert_runs(self):
        fields = {}

        def is_let_go():
            fields.update(harness.status_of(self.process.pid))
            return fields["TracerPid"] == "0" and fields["State"][0] not in "Tt"

        harness.wait_until(is_let_go, "the target is let go: %s" % fields, 1 * harness.SLOWNESS)
        self.case.assertTrue(self.beats(5), "the target stands still")


class TestEndings(test_native.NativeCase):
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
        """SIGSTOP cannot be seen coming: who is held at that moment stands still until SIGCONT."""
        heart = Heart(self)
        profiler, _ = self.start_recording(heart, 0)
        held = 0
        for _ in range(ENDINGS // 3):
            time.sleep(random.uniform(0, 0.02))
            profiler.signal(signal.SIGSTOP)
            harness.wait_until(lambda: state_of(profiler.pid) == "T", "the profiler is stopped")
            is_held = not heart.beats(0.5)
            held += is_held
            profiler.signal(signal.SIGCONT)
            if is_held:
                self.assertTrue(heart.process.read_line())
            self.assertTrue(heart.beats(5), "the target stands still")
        print("the target stood still with %d of %d stopped profilers" % (held, ENDINGS // 3), file=sys.stderr)
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


class TestUnstoppable(test_native.NativeCase):
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


class TestSignals(test_native.NativeCase):
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


if __name__ == "__main__":
    harness.main()
