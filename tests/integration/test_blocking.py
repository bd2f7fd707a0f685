"""What `--blocking` promises: stacks and shares that are true, wherever the profiler runs, and a program that is unharmed.

    PYSPYC=build/pyspyc python3 test_blocking.py [INTERPRETER] [TestClass.test_name]
"""
import json
import os
import random
import re
import signal
import time

import harness
import possible
import test_oracle
from heart import state_of
from test_record import RecordCase, binomial_bound

FAST = ("--blocking", "-r", "1000")
SECONDS = 3
LEAST_SAMPLES = 1000
ORACLES = ("calls.py", "many_threads.py", "generators.py", "callbacks.py")
SIGNALS = 300


class BlockingCase(RecordCase):

    def start_recording(self, target, *options, **popen):
        """A profiler that samples the target by now."""
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), *FAST, *options,
                                     "-p", target.pid, **popen)
        self.wait_until_sampling(profiler)
        return profiler

    def assert_runs(self, target):
        """A heartbeat program goes on, and nobody traces it."""
        harness.wait_until(lambda: state_of(target.pid) not in "Tt", "the target runs on", 5)
        self.assertEqual(harness.status_of(target.pid)["TracerPid"], "0")
        target.child.stdin.write(b"\n")
        target.child.stdin.flush()
        self.assertGreater(json.loads(target.read_line())["looks"], 0)


class TestTruth(BlockingCase):
    """What is recorded."""

    def record_blocking(self, pid, *options, **popen):
        outcome, stacks = self.record(*FAST, "-d", SECONDS, "-p", pid, *options, **popen)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome, stacks

    def check(self, program, rule, **popen):
        target, _ = self.start_target(program)
        outcome, stacks = self.record_blocking(target.pid, **popen)
        self.assert_unharmed(target)
        false = [";".join(stack) for stack in stacks.counts if not possible.is_possible(stack, rule)]
        self.assertFalse(false, "\n".join(false[:10]) + str(outcome))
        self.assertGreater(stacks.total(stacks.with_function("one_round")), LEAST_SAMPLES, outcome)
        return target, outcome

    def test_pairs(self):
        self.check("pairs.py", possible.PAIRS)

    def test_shared(self):
        self.check("shared.py", possible.SHARED)

    def test_from_another_cpu(self):
        """Where the profiler may not run on the program's CPU, nothing is torn either."""
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest("there is one CPU only")
        target, _ = self.start_target("pairs.py", preexec_fn=lambda: os.sched_setaffinity(0, cpus[:1]))
        elsewhere = {"preexec_fn": lambda: os.sched_setaffinity(0, cpus[1:])}
        outcome, stacks = self.record_blocking(target.pid, **elsewhere)
        false = [";".join(stack) for stack in stacks.counts if not possible.is_possible(stack, possible.PAIRS)]
        self.assertFalse(false, "\n".join(false[:10]) + str(outcome))
        self.assertGreater(stacks.total(stacks.with_function("one_round")), LEAST_SAMPLES, outcome)
        self.assertNotIn("cpuset", outcome.errors)
        self.assert_unharmed(target)

    def test_real_time_program(self):
        """It never lets the profiler on to its CPU."""
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest("there is one CPU only")

        def become_urgent():
            os.sched_setaffinity(0, cpus[1:2])
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))

        try:
            target, _ = self.start_target("pairs.py", preexec_fn=become_urgent)
        except harness.subprocess.SubprocessError:
            self.skipTest("we may not make a real-time program")
        outcome, stacks = self.record("--blocking", "-r", "100", "-d", SECONDS, "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("one_round")), 50 * SECONDS, outcome)
        self.assertFalse([stack for stack in stacks.counts if not possible.is_possible(stack, possible.PAIRS)], outcome)
        self.assert_unharmed(target)

    def test_threads_that_fight_for_the_lock(self):
        target, _ = self.start_target("threads.py", 3, 2)
        outcome, stacks = self.record_blocking(target.pid, "-t")
        self.assertGreater(stacks.total(), LEAST_SAMPLES, outcome)
        self.assert_unharmed(target)

    def test_threads_that_come_and_go(self):
        target, _ = self.start_target("thread_churn.py")
        outcome, stacks = self.record_blocking(target.pid, "-i")
        self.assertGreater(stacks.total(stacks.with_function("short_life")), LEAST_SAMPLES / 2, outcome)
        self.assert_unharmed(target)
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_long_system_calls(self):
        """A thread that does not stop in time runs no code of its own either: what it waits in is not left out."""
        target, _ = self.start_target("long_reads.py")
        outcome, stacks = self.record_blocking(target.pid)
        self.assertGreater(stacks.share(stacks.with_function("read_all")), 0.8, outcome)
        self.assertGreater(stacks.total(), 100, outcome)
        self.assert_unharmed(target)
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_known_shares(self):
        outcome, stacks = self.record("--blocking", "-r", "500", "--", self.python, harness.program("split.py"), "4")
        self.assertEqual(outcome.status, 0, outcome)
        measured = json.loads(outcome.output.splitlines()[-1])
        functions = {name: stacks.with_function(name) for name in measured}
        samples = sum(stacks.total(accept) for accept in functions.values())
        self.assertGreater(samples, LEAST_SAMPLES)
        for name, truth in measured.items():
            found = stacks.total(functions[name]) / samples
            self.assertLess(abs(found - truth), binomial_bound(truth, samples), "%s: %.4f of the samples, %.4f of the "
                            "time, %d samples" % (name, found, truth, samples))


class TestDump(BlockingCase):

    def dump_blocking(self, pid):
        outcome = self.run_pyspyc("dump", "--blocking", "--json", "--pid", pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.errors, "", outcome)
        return json.loads(outcome.output)

    def test_oracle(self):
        for name in ORACLES:
            with self.subTest(program=name):
                target, line = self.start_target(name)
                texts = test_oracle.differences(json.loads(line), self.dump_blocking(target.pid))
                self.assertFalse(texts, "\n".join(texts))
                self.assert_unharmed(target)
                self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_busy_program(self):
        target, _ = self.start_target("pairs.py")
        for _ in range(50):
            threads = self.dump_blocking(target.pid)
            self.assertTrue(threads[0]["active"], threads)
            names = [frame["name"] + " (" for frame in reversed(threads[0]["frames"])]
            self.assertTrue(possible.is_possible(("process", *names), possible.PAIRS), names)
        self.assert_unharmed(target)


class TestUnharmed(BlockingCase):
    """What becomes of the program."""

    def test_killed_profiler_leaves_the_target_running(self):
        target, _ = self.start_target("heartbeat.py")
        for _ in range(20):
            profiler = self.start_recording(target)
            time.sleep(random.uniform(0, 0.01))  # any time will do
            profiler.signal(signal.SIGKILL)
            profiler.finish()
            self.assert_runs(target)
        self.assertEqual(target.finish()[0], 0)

    def test_stopped_profiler_leaves_the_target_running(self):
        """Ctrl-Z, of a job that a shell would have made."""
        target, _ = self.start_target("heartbeat.py")
        profiler = self.start_recording(target, preexec_fn=os.setpgrp)
        for _ in range(20):
            time.sleep(random.uniform(0, 0.01))
            profiler.signal(signal.SIGTSTP)
            harness.wait_until(lambda: state_of(profiler.pid) == "T", "the profiler is stopped")
            self.assert_runs(target)
            profiler.signal(signal.SIGCONT)
            harness.wait_until(lambda: state_of(profiler.pid) != "T", "the profiler runs on")
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        self.assertGreater(self.read_stacks(self.path("x.raw")).total(), 100)
        self.assert_unharmed(target)

    def test_signals_are_delivered_once(self):
        target, _ = self.start_target("signal_counter.py")
        profiler = self.start_recording(target)
        names = ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGHUP")
        for number in range(SIGNALS):
            name = names[number % len(names)]
            target.signal(getattr(signal, name))
            self.assertEqual(target.read_line(), name)
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        status, output = target.finish()
        self.assertEqual(status, 0, target.stderr())
        expected = {name: SIGNALS // len(names) for name in names}
        self.assertEqual(json.loads(output), dict(expected, SIGINT=0))

    def test_timer(self):
        """None is doubled; a few may fall together, as with any program that has to wait for its CPU."""
        outcome, stacks = self.record(*FAST, "--", self.python, harness.program("timer_signals.py"), "2")
        self.assertEqual(outcome.status, 0, outcome)
        told = json.loads(outcome.output.splitlines()[-1])
        self.assertLessEqual(told["came"], told["intervals"] + 1)
        self.assertGreater(told["came"], 0.7 * told["intervals"])
        self.assertGreater(stacks.total(), 500)

    def test_stopped_target_stays_stopped(self):
        target, _ = self.start_target("pairs.py")
        profiler = self.start_recording(target)
        for _ in range(20):
            target.signal(signal.SIGSTOP)
            harness.wait_until(lambda: state_of(target.pid) == "T", "the target is stopped")
            time.sleep(random.uniform(0, 0.01))
            self.assertEqual(state_of(target.pid), "T")
            target.signal(signal.SIGCONT)
            harness.wait_until(lambda: state_of(target.pid) in "RSt", "the target runs on")
        target.signal(signal.SIGSTOP)
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        self.assertEqual(self.run_pyspyc("dump", "--blocking", "-p", target.pid).status, 0)
        self.assertEqual(state_of(target.pid), "T")
        self.assertEqual(harness.status_of(target.pid)["TracerPid"], "0")
        target.signal(signal.SIGCONT)
        target.finish()

    def test_status_of_a_program(self):
        """Its end is seen while it may be stopped, by its tracer and its parent, which are one process."""
        for _ in range(20):
            outcome, _ = self.record(*FAST, "--", self.python, harness.program("ending.py"), "exit", "7")
            self.assertEqual(outcome.status, 7, outcome)
        outcome, _ = self.record(*FAST, "--", self.python, harness.program("ending.py"), "signal", str(signal.SIGKILL))
        self.assertEqual(outcome.status, 128 + signal.SIGKILL, outcome)
        outcome, _ = self.record(*FAST, "--", self.python, harness.program("exec_chain.py"),
                                 harness.program("exec_chain.py"), harness.program("ending.py"), "exit", "4")
        self.assertEqual(outcome.status, 4, outcome)

    def test_children_that_end(self):
        """Their parent collects each of them, though we trace it."""
        target, _ = self.start_target("children.py", "storm", "30")
        outcome, stacks = self.record(*FAST, "-s", "-d", SECONDS, "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(), 100, outcome)
        status, _ = target.finish()
        self.assertEqual(status, 0, target.stderr())


class TestUsage(BlockingCase):

    def test_both_options(self):
        for verb in ("record", "dump"):
            for options in (("--blocking", "--nonblocking"), ("--nonblocking", "--blocking")):
                outcome = self.run_pyspyc(verb, *options, "-p", "1")
                self.assert_failed(outcome, 2, ["--blocking and --nonblocking exclude each other"])

    def test_traced_target(self):
        target, _ = self.start_target("pairs.py")
        tracer = self.start("strace", "-f", "-o", "/dev/null", "-p", target.pid)
        harness.wait_until(lambda: harness.status_of(target.pid)["TracerPid"] != "0", "strace traces the target")
        for arguments in (("dump",), ("record", "-d", "1", "-o", self.path("x.svg"))):
            outcome = self.run_pyspyc(*arguments, "--blocking", "-p", target.pid)
            self.assert_failed(outcome, 1, [str(target.pid), str(tracer.pid), "traces it already", "without --blocking"])
            self.assertEqual(len(re.findall("\n", outcome.errors)), 1, outcome)
        self.assertEqual(self.run_pyspyc("dump", "-p", target.pid).status, 0)
        self.assertEqual(harness.status_of(target.pid)["TracerPid"], str(tracer.pid))
        tracer.signal(signal.SIGINT)
        tracer.finish()
        self.assert_unharmed(target)


if __name__ == "__main__":
    harness.main()
