"""Targets in awkward states and moments: whatever they do, they do it as without us.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_harm_targets.py [INTERPRETER] [TestClass.test_name]

PYSPYC_LONG=1 does each for longer, and more often.
"""
import json
import os
import re
import shutil
import signal
import sys
import time

import harness
import test_native
from heart import Gaps, Heart, is_let_go, threads_of
from test_record import RecordCase

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
DEFAULT, BLOCKING, NATIVE = (), ("--blocking",), ("--native",)
MODES = (DEFAULT, BLOCKING, NATIVE)
SECONDS = 5 if IS_LONG else 0.3
SIGNALS = 20000 if IS_LONG else 1000
SHORT_TARGETS = 500 if IS_LONG else 12
EXECS = 100 if IS_LONG else 6
STORM_SECONDS = 60 if IS_LONG else 1
STORM_EACH_SECOND = 40
GAP_MS = 10
TRIES = 3


class TargetCase(RecordCase):

    def record_shortly(self, pid, *options):
        outcome, stacks = self.record("-r", "1000", "-d", SECONDS, "-p", pid, *options)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome, stacks

    def start_recording(self, pid, *options):
        return self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "1000", "-p", pid, *options)

    def stop_recording(self, recording):
        recording.signal(signal.SIGINT)
        self.assertEqual(recording.finish()[0], 0, recording.stderr())
        return self.read_stacks(self.path("x.raw"))

    def say(self, process, text="\n"):
        process.child.stdin.write(text.encode())
        process.child.stdin.flush()

    def count(self, target, sent):
        """What came so far, once that is not less than what was sent."""
        came = int(target.read_line())
        if came >= sent:
            return came
        self.say(target)
        return 0


class TestStopped(TargetCase):
    """A target that SIGSTOP has stopped is read, and is stopped afterwards; what came meanwhile comes once."""

    def assert_stopped(self, pid):
        for fields in threads_of(pid):
            self.assertEqual((fields["State"][0], fields["TracerPid"]), ("T", "0"))

    def test_stopped_before(self):
        target, _ = self.start_target("signal_storm.py")
        target.signal(signal.SIGSTOP)
        self.addCleanup(target.signal, signal.SIGCONT)
        harness.wait_until(lambda: all(fields["State"][0] == "T" for fields in threads_of(target.pid)), "it is stopped")
        target.signal(signal.SIGRTMIN)
        for mode in MODES:
            for _ in range(10 if IS_LONG else 2):
                outcome = self.run_pyspyc("dump", "-p", target.pid, *mode)
                self.assertEqual(outcome.status, 0, outcome)
                self.assertIn("sleep (", outcome.output)
                self.assertIn("main (", outcome.output)
                self.assert_stopped(target.pid)
            outcome, _ = self.record_shortly(target.pid, "-i", *mode)
            self.assert_stopped(target.pid)
            self.assertEqual(self.run_pyspyc("top", "--once", "-d", "0.2", "-p", target.pid, *mode).status, 0)
            self.assert_stopped(target.pid)
        target.signal(signal.SIGCONT)
        self.say(target)
        # The thread that answers may run before the one that gets the signal.
        self.assertEqual(harness.wait_until(lambda: self.count(target, 1), "it has come"), 1)
        self.assertEqual(target.finish()[0], 0)


class TestSignals(TargetCase):

    def test_storm(self):
        """Each of many comes once, whether its thread runs, sleeps or is held."""
        target, _ = self.start_target("signal_storm.py")
        sent = 0
        for mode in MODES:
            recording = self.start_recording(target.pid, *mode)
            self.wait_until_sampling(recording)
            for number in range(SIGNALS):
                target.signal(signal.SIGRTMIN + number % 4)
                if number % 50 == 0:
                    time.sleep(0.001)
            sent += SIGNALS
            self.say(target)
            self.assertEqual(harness.wait_until(lambda: self.count(target, sent), "all have come"), sent)
            self.assertGreater(self.stop_recording(recording).total(), 10)
        self.assertEqual(target.finish()[0], 0)


class TestUnstoppable(test_native.NativeCase):
    """A thread in state D, which cannot be stopped, does not hold those that can."""

    def test_beside_it(self):
        library = self.build("unstoppable.c", "-O2")
        heart, other = Heart(self, library), Heart(self, library)
        for mode in MODES:
            for _ in range(TRIES):
                gaps = Gaps(GAP_MS)
                for target in (other, heart):
                    heart.take_gaps()
                    outcome, _ = self.record("-r", "500", "-i", "-d", SECONDS, "-p", target.pid, *mode)
                    self.assertEqual(outcome.status, 0, outcome)
                    dump = self.run_pyspyc("dump", "-p", target.pid, *mode)
                    self.assertEqual(dump.status, 0, dump)
                    gaps.note(heart.take_gaps(), target is heart)
                if gaps.are_alike():
                    break
            print("beside a thread in state D, %s: %s" % (" ".join(mode) or "default mode", gaps), file=sys.stderr)
            self.assertTrue(gaps.are_alike(), (mode, str(gaps)))
        heart.assert_runs()


class TestTracers(TargetCase):

    def test_strace_was_first(self):
        target, _ = self.start_target("pairs.py")
        tracer = self.start("strace", "-f", "-o", "/dev/null", "-p", target.pid)
        harness.wait_until(lambda: harness.status_of(target.pid)["TracerPid"] != "0", "strace traces the target")
        for mode in (BLOCKING, NATIVE):
            for verb in (("dump",), ("record", "-d", "1", "-o", self.path("x.svg")), ("top", "--once")):
                outcome = self.run_pyspyc(*verb, *mode, "-p", target.pid)
                self.assert_failed(outcome, 1, [str(tracer.pid), "(strace)", "traces it already"])
        _, stacks = self.record_shortly(target.pid)
        self.assertGreater(stacks.total(), 20)
        self.assertEqual(harness.status_of(target.pid)["TracerPid"], str(tracer.pid))
        tracer.signal(signal.SIGINT)
        tracer.finish()
        self.assert_unharmed(target)

    def test_two_of_us(self):
        """Whoever holds a thread at that moment is waited for, or missed; both see the program."""
        target, _ = self.start_target("pairs.py")
        for first in (BLOCKING, NATIVE):
            recording = self.start_recording(target.pid, *first)
            self.wait_until_sampling(recording)
            for second in MODES if IS_LONG else (DEFAULT, NATIVE):
                outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("y.raw"), "-r", "200", "-d", SECONDS,
                                          "-p", target.pid, *second)
                self.assertEqual(outcome.status, 0, outcome)
                self.assertGreater(self.read_stacks(self.path("y.raw")).total(), 10 * SECONDS, outcome)
            self.assertGreater(self.stop_recording(recording).total(), 100)
        harness.wait_until(lambda: is_let_go(target.pid), "it is let go")
        self.assert_unharmed(target)


class TestChurn(TargetCase):

    def test_threads_that_come_and_go(self):
        for mode in MODES:
            target, _ = self.start_target("thread_churn.py")
            _, stacks = self.record_shortly(target.pid, "-i", *mode)
            self.assertGreater(stacks.total(stacks.with_function("short_life")), 20)
            self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_main_thread_has_ended(self):
        target, _ = self.start_target("main_thread_ends.py")
        self.say(target, "end\n")
        harness.wait_until(lambda: harness.status_of(target.pid)["State"][0] == "Z", "the main thread has ended")
        for mode in MODES:
            _, stacks = self.record_shortly(target.pid, *mode)
            self.assertGreater(stacks.total(stacks.with_function("work")), 50)
            outcome = self.run_pyspyc("dump", "-p", target.pid, *mode)
            self.assertEqual(outcome.status, 0, outcome)
            self.assertIn("worker", outcome.output)
        harness.wait_until(lambda: is_let_go(target.pid), "it is let go")
        self.say(target, "mark\n")
        self.assertEqual(target.read_line(), "marked")
        target.finish()

    def test_programs_that_are_spawned(self):
        """Their parent waits in state D for each."""
        for mode in MODES:
            target, _ = self.start_target("spawner.py")
            _, stacks = self.record_shortly(target.pid, "-i", *mode)
            self.assertGreater(stacks.total(stacks.with_function("work")), 20)
            self.assertGreater(stacks.total(stacks.with_function("spawn")), 20)
            status, output = target.finish()
            self.assertEqual(status, 0, target.stderr())
            spawned, failed = map(int, output.split())
            self.assertGreater(spawned, 10)
            self.assertEqual(failed, 0)

    def test_storm_of_children(self):
        """Descriptors, threads and memory stay what they are; tests/integration/test_subprocesses.py looks at what is seen."""
        for mode in MODES if IS_LONG else (NATIVE,):
            target = self.start(self.python, harness.program("children.py"), "storm", STORM_EACH_SECOND)
            self.assertEqual(target.read_line(), "ready")
            recording = self.start_recording(target.pid, "-s", *mode)
            children = int(STORM_EACH_SECOND * STORM_SECONDS)
            for _ in range(children // 2):
                target.read_line()
            early = self.size_of(recording.pid)
            for _ in range(children // 2):
                target.read_line()
            late = self.size_of(recording.pid)
            print("%d children, %s: (descriptors, threads, kB) %s, then %s" % (
                children, " ".join(mode) or "default mode", early, late), file=sys.stderr)
            self.assertGreater(self.stop_recording(recording).total(), 10)
            self.assertEqual(target.finish()[0], 0, target.stderr())
            self.assertLess(late[0] - early[0], 40)
            self.assertLess(late[1] - early[1], 8)
            self.assertLess(late[2] - early[2], 65536 if mode == NATIVE and not IS_LONG else 8192)

    @staticmethod
    def size_of(pid):
        fields = harness.status_of(pid)
        return len(os.listdir("/proc/%d/fd" % pid)), int(fields["Threads"]), int(fields["VmRSS"].split()[0])


class TestExec(TargetCase):

    def test_through_interpreters(self):
        """3.11, 3.12, a shell, 3.13: each is sampled soon after its exec, the stacks of one are never the other's."""
        others = [harness.find_interpreter(version) for version in ("3.12", "3.13")]
        if not all(others):
            self.skipTest("there is no Python 3.12 or 3.13")
        seconds = 0.5
        for mode in MODES if IS_LONG else (DEFAULT, NATIVE):
            target, _ = self.start_target("exec_through.py", seconds, others[0], "sh", others[1])
            outcome, stacks = self.record("-r", "500", "-d", "20", "-p", target.pid, *mode)
            self.assertEqual(outcome.status, 0, outcome)
            self.assertEqual(target.finish()[0], 0, target.stderr())
            seen = [stacks.total(stacks.with_function("work_%d" % number)) for number in range(3)]
            print("samples of %d in each image, %s: %s" % (seconds * 500, " ".join(mode) or "default mode", seen), file=sys.stderr)
            for count in seen[1:]:
                self.assertGreater(count, 0.4 * seconds * 500, outcome)
            for stack in stacks.counts:
                self.assertLessEqual(sum("work_" in frame for frame in stack), 1, stack)

    def test_again_and_again(self):
        for mode in MODES:
            outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "1000", *mode, "--", self.python,
                                      "-S", "-E", harness.program("exec_loop.py"), EXECS)
            self.assertEqual(outcome.status, 5, outcome)

    def test_again_and_again_while_it_is_attached_to(self):
        for mode in MODES:
            target = self.start(self.python, "-S", "-E", harness.program("exec_loop.py"), EXECS)
            outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "1000", *mode, "-p", target.pid)
            self.assertLess(outcome.status, 2, outcome)
            self.assertEqual(target.finish()[0], 5, target.stderr())


class TestShort(TargetCase):
    """Targets that end in the middle of whatever we do."""

    def test_started(self):
        for number in range(SHORT_TARGETS):
            mode = MODES[number % len(MODES)]
            outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "1000", *mode, "--", self.python,
                                      "-S", "-E", "-c", "sum(range(%d)); raise SystemExit(7)" % (number * 1000))
            self.assertEqual(outcome.status, 7, outcome)

    def test_attached_to(self):
        """The end of the recording, or a sentence that it has ended before."""
        recorded = 0
        for number in range(SHORT_TARGETS):
            verb = (("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "1000"), ("dump",),
                    ("top", "--json"))[number // len(MODES) % 3]
            target = self.start(self.python, "-S", "-E", "-c",
                                "import time; end = time.time() + %g\nwhile time.time() < end: pass" % (number % 8 * 0.01))
            time.sleep(0.01)
            outcome = self.run_pyspyc(*verb, *MODES[number % len(MODES)], "-p", target.pid)
            self.assertIn(outcome.status, (0, 1), outcome)
            recorded += outcome.status == 0
            if outcome.status:  # never that it was refused
                self.assertRegex(outcome.errors, r"has ended|ended before|no such process|is not a Python process|is not up yet|there is no")
            self.assertEqual(target.finish()[0], 0, target.stderr())
            target.end()
        print("%d of %d short targets were recorded" % (recorded, SHORT_TARGETS), file=sys.stderr)
        self.assertGreater(recorded, 0)


if __name__ == "__main__":
    harness.main()
