"""Profilers that are killed, stopped, throttled or out of memory at any moment: their targets do not notice.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_harm.py [INTERPRETER] [TestClass.test_name]

Each mode of each verb is ended so. For how long the target was held is compared with what it sees while the same is done
to a profiler of another process, as other programs and the kernel make gaps, too. PYSPYC_LONG=1 ends a thousand.
"""
import functools
import itertools
import os
import random
import signal
import subprocess
import sys
import time

import harness
import limits
from heart import Gaps, Heart, is_let_go, state_of
from test_record import RecordCase

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
DEFAULT, BLOCKING, NATIVE = (), ("--blocking",), ("--native",)
MODES = (DEFAULT, BLOCKING, NATIVE)
VERBS = {
    "record": ("record", "-f", "raw", "-o", "x.raw", "-r", "1000"),
    "dump": ("dump", "--repeat", "forever", "--every", "0.001"),
    "top": ("top", "--json", "-r", "1000"),
}
ALL = tuple(itertools.product(VERBS, MODES))
SOME = ALL if IS_LONG else (("record", DEFAULT), ("dump", BLOCKING), ("top", NATIVE))
AGE_SECONDS = 0.15   # of a profiler, at most, when its fault comes
STOP_SECONDS = 0.06  # for how long one is stopped
HELD_MS = 5          # how much longer than without us a target may stand still, where it is stopped for each sample
THROTTLED_MS = 20    # who is held by somebody throttled stands still for several times as long
TRIES = 3
KILLS = 60 if IS_LONG else 2
STOPS = 24 if IS_LONG else 1
STOPS_IN_SAMPLING = 50 if IS_LONG else 9
SHORTAGES = 12 if IS_LONG else 1
PERIODS = 40 if IS_LONG else 10  # of 100 ms, in which a profiler has a small share of a CPU
LOOK_PERIODS = 14                 # within which it looks how much that is
SHARE = 0.05


class HarmCase(RecordCase):
    prefix = harness.BY_STOPPING

    def setUp(self):
        super().setUp()
        self.heart, self.other = Heart(self), Heart(self)

    def begin(self, verb, mode, target, **options):
        return self.start_pyspyc(*VERBS[verb], *mode, "-p", target.pid, stdout=subprocess.DEVNULL, **options)

    def compare(self, name, limit_ms, rounds):
        """Runs each round(target) for both targets in turn, and all again when it seems that the heart was held."""
        for _ in range(TRIES):
            gaps = Gaps(limit_ms)
            for one_round, target in itertools.product(rounds, (self.other, self.heart)):
                self.heart.take_gaps()
                one_round(target)
                gaps.note(self.heart.take_gaps(), target is self.heart)
            if gaps.are_alike():
                break
        print("%s: %s" % (name, gaps), file=sys.stderr)
        self.assertTrue(gaps.are_alike(), "%s: %s" % (name, gaps))

    def end_many(self, name, kinds, fault, **options):
        """Ends profilers of all kinds by fault(profiler); the heart has to beat afterwards."""
        def one_round(verb, mode, target):
            profiler = self.begin(verb, mode, target, **options)
            time.sleep(random.uniform(0, AGE_SECONDS))  # any time will do
            fault(profiler)
            profiler.child.wait(harness.DEADLINE)
            target.assert_runs()
            profiler.end()

        self.compare("%d ended by %s" % (len(kinds), name), HELD_MS,
                     [functools.partial(one_round, *kind) for kind in kinds])
        self.assertEqual(self.heart.process.finish()[0], 0)
        self.assertEqual(self.other.process.finish()[0], 0)


class TestEndings(HarmCase):

    def test_killed(self):
        self.end_many("SIGKILL", ALL * KILLS, lambda profiler: profiler.signal(signal.SIGKILL))

    def test_killed_while_stopped(self):
        def fault(profiler):
            profiler.signal(signal.SIGSTOP)
            time.sleep(STOP_SECONDS)
            profiler.signal(signal.SIGKILL)

        self.end_many("SIGSTOP and SIGKILL", ALL * STOPS, fault)

    def test_out_of_memory(self):
        why = limits.missing(limits.make_memory_group)
        if why:
            self.skipTest(why)
        shortage = limits.Shortage(self)

        def is_killed(profiler):
            """With --native, the kernel may choose the process that reads symbols, without which the profiler goes on."""
            shortage.make()
            try:
                return profiler.child.wait(0.5)
            except subprocess.TimeoutExpired:
                return None

        def fault(profiler):
            status = harness.wait_until(lambda: is_killed(profiler), "the profiler was killed")
            self.assertEqual(status, -signal.SIGKILL, profiler.stderr())

        self.end_many("lack of memory", SOME * SHORTAGES, fault, preexec_fn=shortage.join)


class TestStops(HarmCase):
    """SIGSTOP, which nobody sees coming, in the middle of sampling: a profiler that holds somebody then goes on."""

    def stop_often(self, verb, mode, target):
        profiler = self.begin(verb, mode, target)
        if verb != "dump":
            self.wait_until_sampling(profiler)
        for _ in range(STOPS_IN_SAMPLING):
            time.sleep(random.uniform(0, 0.01))
            profiler.signal(signal.SIGSTOP)
            time.sleep(STOP_SECONDS)
            self.heart.ask()
            if not mode:
                harness.wait_until(lambda: state_of(profiler.pid) == "T", "the profiler is stopped")
            profiler.signal(signal.SIGCONT)
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        target.assert_runs()

    def check(self, mode, *verbs):
        # Whoever is held through a stop that lasts stands still for longer than that.
        self.compare("stopped in %s" % " ".join(mode or ("default mode",)), STOP_SECONDS * 1000 * 2 / 3,
                     [functools.partial(self.stop_often, verb, mode) for verb in verbs])

    def test_default(self):
        self.check(DEFAULT, *(VERBS if IS_LONG else ("record",)))

    def test_blocking(self):
        self.check(BLOCKING, *(VERBS if IS_LONG else ("record", "top")))

    def test_native(self):
        self.check(NATIVE, *(VERBS if IS_LONG else ("record", "top")))


class TestThrottled(HarmCase):
    """A twentieth of a CPU, as a small container has it: a profiler that has used it up stands still for the rest of 100 ms."""

    def wait_for_periods(self, group, count):
        end = limits.periods(group) + count
        harness.wait_until(lambda: limits.periods(group) >= end, "%d periods are over" % count)

    def throttle(self, group, mode, target):
        limits.throttle(group, None)
        profiler = self.begin("record", mode, target, preexec_fn=lambda: group.add(os.getpid()))
        self.wait_until_sampling(profiler)
        limits.throttle(group, SHARE)
        self.wait_for_periods(group, LOOK_PERIODS)
        before = limits.throttled(group)
        self.heart.take_gaps()
        self.wait_for_periods(group, PERIODS)
        print("throttled %d times in %d periods" % (limits.throttled(group) - before, PERIODS), file=sys.stderr)
        profiler.signal(signal.SIGKILL)
        profiler.child.wait(harness.DEADLINE)
        target.assert_runs()

    def test_throttled(self):
        why = limits.missing(limits.make_cpu_group)
        if why:
            self.skipTest(why)
        group = limits.make_cpu_group(self)
        for mode in MODES if IS_LONG else (NATIVE,):
            self.compare("throttled in %s" % " ".join(mode or ("default mode",)), THROTTLED_MS,
                         [functools.partial(self.throttle, group, mode)] * (5 if IS_LONG else 1))


class TestTerminalStop(HarmCase):
    """Ctrl-Z is seen coming: nobody is held when we stop."""

    def test_stopped_by_the_terminal(self):
        for verb, mode in SOME:
            profiler = self.begin(verb, mode, self.heart, preexec_fn=os.setpgrp)
            time.sleep(random.uniform(0.1, 0.1 + AGE_SECONDS))
            profiler.signal(signal.SIGTSTP)
            harness.wait_until(lambda: state_of(profiler.pid) == "T", "the profiler is stopped")
            self.assertTrue(is_let_go(self.heart.pid))
            self.heart.assert_runs()
            profiler.signal(signal.SIGCONT)
            harness.wait_until(lambda: state_of(profiler.pid) != "T", "the profiler goes on")
            profiler.signal(signal.SIGINT)
            self.assertEqual(profiler.finish()[0], 0, profiler.stderr())


if __name__ == "__main__":
    harness.main()
