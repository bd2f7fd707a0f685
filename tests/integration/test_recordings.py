"""Recordings: kept, cut off, still written, on a full disk; and what 'report' makes of them.

    PYSPYC=build/pyspyc python3 test_recordings.py [VERSION | PYTHON]

PYSPYC_LONG=1 kills a hundred profilers instead of ten.
"""
import glob
import gzip
import os
import random
import re
import resource
import signal
import subprocess
import time
import unittest

import harness

FAST = ("-r", "200")
KILLS = 100 if os.environ.get("PYSPYC_LONG") else 10
AT_ONCE = 10
#: Between savings, and what a busy machine may add to that.
SAVED_EACH_S = 1.0
ROOM_S = 1.0 * harness.SLOWNESS


class RecordingCase(harness.TestCase):

    def report(self, recording, *arguments, **options):
        """The stacks that 'report' finds, and what it says."""
        outcome = self.run_pyspyc("report", recording, "-f", "raw", *arguments, **options)
        self.assertEqual(outcome.status, 0, outcome)
        return harness.Stacks(outcome.output), outcome

    def recordings(self, folder):
        return glob.glob(os.path.join(folder, "*.pyspyc"))

    def assert_pairs(self, stacks, least=20):
        """What was recorded of pairs.py is true: no stack is impossible."""
        self.assertGreater(stacks.total(stacks.with_function("one_round")), least)


class TestKept(RecordingCase):

    def setUp(self):
        super().setUp()
        self.target, _ = self.start_target("pairs.py")

    def record_target(self, *arguments, **options):
        outcome = self.run_pyspyc("record", *FAST, "-d", "2", "-p", self.target.pid, *arguments, **options)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def test_several_outputs_are_of_one_recording(self):
        outcome = self.record_target("-o", "a.raw", "-o", "a.pyspyc", "-o", "a.svg", "-f", "raw", "-o", "-")
        with open(self.path("a.raw"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text, outcome.output)
        self.assert_pairs(harness.Stacks(text))
        reported, said = self.report("a.pyspyc")
        self.assertEqual(reported.counts, harness.Stacks(text).counts)
        self.assertNotIn("not finished", said.errors)
        with open(self.path("a.svg"), encoding="utf-8") as file:
            self.assertIn("one_round", file.read())
        self.assertEqual(sorted(name for name in os.listdir(self.folder) if name != "state"),
                         ["a.pyspyc", "a.raw", "a.svg"])

    def test_what_is_told_apart_can_be_chosen_later(self):
        self.record_target("-o", "a.pyspyc")
        by_line = self.report("a.pyspyc")[0]
        by_function = self.report("a.pyspyc", "--function")[0]
        without = self.report("a.pyspyc", "--nolineno")[0]
        by_thread = self.report("a.pyspyc", "--threads")[0]
        self.assertEqual(len({stacks.total() for stacks in (by_line, by_function, without, by_thread)}), 1)
        self.assertLess(len(by_function.counts), len(by_line.counts))
        self.assertFalse(any(re.search(r":\d+\)", frame) for stack in without.counts for frame in stack[1:]))
        self.assertTrue(all(stack[1].startswith("thread (%d)" % self.target.pid) for stack in by_thread.counts))

    def test_filters_are_the_same_before_and_after(self):
        outcome = self.record_target("-o", "a.pyspyc", "--focus", "one_round", "--hide", "^<module>", "-f", "raw",
                                     "-o", "-")
        reported, said = self.report("a.pyspyc", "--focus", "one_round", "--hide", "^<module>")
        self.assertEqual(reported.counts, harness.Stacks(outcome.output).counts)
        self.assertFalse(any("<module>" in frame for stack in reported.counts for frame in stack))
        self.assertEqual(self.report("a.pyspyc", "--ignore", "one_round")[0].total(reported.with_function("one_round")), 0)

    def test_pictures_mark_where_threads_wait(self):
        target, _ = self.start_target("sleeper.py")
        outcome = self.run_pyspyc("record", *FAST, "-i", "-d", "1", "-p", target.pid, "-o", "a.svg", "-o", "a.raw")
        self.assertEqual(outcome.status, 0, outcome)
        with open(self.path("a.svg"), encoding="utf-8") as file:
            self.assertRegex(file.read(), r">idle (100|9\d)\.\d %<")
        with open(self.path("a.raw"), encoding="utf-8") as file:
            self.assertNotIn("<idle>", file.read())

    def test_times_cut_the_recording(self):
        self.record_target("-o", "a.pyspyc")
        whole = self.report("a.pyspyc")[0].total()
        first = self.report("a.pyspyc", "--end", "1")[0].total()
        second = self.report("a.pyspyc", "--begin", "1")[0].total()
        self.assertEqual(first + second, whole)
        self.assertGreater(min(first, second), whole * 0.25)

    def test_times_without_samples_say_so(self):
        self.record_target("-o", "a.pyspyc")
        self.assertEqual(self.report("a.pyspyc", "--begin", "0")[0].total(), self.report("a.pyspyc")[0].total())
        outcome = self.run_pyspyc("report", "a.pyspyc", "--begin", "7")
        self.assertRegex(outcome.output, r"none of the \d+ samples that were recorded is in view: from 7\.000 s on")

    def test_a_recording_is_only_copied_whole(self):
        self.record_target("-o", "a.pyspyc")
        self.assertEqual(self.run_pyspyc("report", "a.pyspyc", "-o", "b.pyspyc").status, 0)
        self.assertEqual(self.report("b.pyspyc")[0].counts, self.report("a.pyspyc")[0].counts)
        for option in ("--main-thread", "--gil", "--begin=1"):
            outcome = self.run_pyspyc("report", "a.pyspyc", option, "-o", "c.pyspyc")
            self.assertEqual(outcome.status, 2, outcome)
            self.assertFalse(os.path.exists(self.path("c.pyspyc")))

    def test_one_file_for_two_outputs(self):
        for names in (("a.svg", "a.svg"), ("a.svg", "./a.svg")):
            outcome = self.run_pyspyc("record", "-d", "1", "-p", self.target.pid, "-o", names[0], "-o", names[1])
            self.assertEqual(outcome.status, 2, outcome)

    def test_a_reader_that_does_not_read_does_not_hold_us(self):
        """The picture is more than a pipe holds."""
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        process = self.start_pyspyc("record", "-d", "0.5", "-p", self.target.pid, "-f", "flamegraph", "-o", "pipe")
        harness.wait_until(lambda: "intervals:" in process.stderr(), "the recording is over")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.finish()[0], 128 + signal.SIGTERM)

    def test_an_expression_that_is_none(self):
        outcome = self.run_pyspyc("record", "-d", "1", "-p", self.target.pid, "-o", "a.raw", "--focus", "(")
        self.assertEqual(outcome.status, 2, outcome)
        self.assertIn("focus", outcome.errors)

    def test_standard_output_leaves_nothing_behind(self):
        self.record_target("-f", "raw", "-o", "-")
        self.assertEqual(self.recordings(self.folder) + self.recordings(self.path("state", "pyspyc")), [])

    def test_a_recording_through_a_pipe_and_packed(self):
        self.record_target("-o", "a.pyspyc")
        reported, _ = self.report("a.pyspyc")
        with open(self.path("a.pyspyc"), "rb") as file:
            recording = file.read()
        for name, content in (("a.pyspyc.gz", gzip.compress(recording)), ("b.pyspyc", recording)):
            with open(self.path(name), "wb") as file:
                file.write(content)
            for words in ("report %s", "report - < %s", "cat %s | exec report -", "cat %s | exec report /dev/stdin"):
                with self.subTest(words=words, name=name):
                    command = (words % self.path(name)).replace("report", harness.pyspyc() + " report -f raw", 1)
                    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=harness.DEADLINE)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(harness.Stacks(done.stdout).total(), reported.total())

    def test_a_file_that_is_none(self):
        with open(self.path("x.pyspyc"), "wb") as file:
            file.write(b"\x93pyspyc\n\x09\0\0\0rest")
        outcome = self.run_pyspyc("report", "x.pyspyc")
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("form 9", outcome.errors)


class TestCutOff(RecordingCase):

    def setUp(self):
        super().setUp()
        self.target, _ = self.start_target("pairs.py")

    def start_recording(self, name, *arguments):
        return self.start_pyspyc("record", *FAST, "-p", self.target.pid, "-o", name, *arguments, stdin=subprocess.DEVNULL)

    def test_killed_profilers_lose_a_second_at_most(self):
        for first in range(0, KILLS, AT_ONCE):
            self.kill_some(range(first, first + AT_ONCE))
        self.assert_unharmed(self.target)

    def kill_some(self, numbers):
        started = {number: (self.start_recording("%d.svg" % number), time.monotonic()) for number in numbers}
        ends = {number: start + random.uniform(1.5, 4) * harness.SLOWNESS for number, (_, start) in started.items()}
        for number in sorted(ends, key=ends.get):
            process, start = started[number]
            harness.wait_until(lambda: time.monotonic() >= ends[number], "it is time")
            process.child.kill()
            lived = time.monotonic() - start
            process.child.wait()
            self.check_killed(number, lived)

    def check_killed(self, number, lived):
        (recording,) = glob.glob(self.path("%d.svg.*.pyspyc" % number))
        stacks, outcome = self.report(recording)
        self.assertIn("is not finished", outcome.errors)
        recorded = float(re.search(r"its first ([\d.]+) seconds", outcome.errors).group(1))
        self.assertGreater(recorded, lived - SAVED_EACH_S - ROOM_S, outcome)
        self.assert_pairs(stacks, 10)
        os.unlink(recording)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".pyspyc-")], [])

    def test_a_recording_that_is_still_written_can_be_reported(self):
        process = self.start_recording("a.svg")
        name = harness.wait_until(lambda: glob.glob(self.path("a.svg.*.pyspyc")), "there is a recording")[0]
        counts = []
        for _ in range(3):
            before = os.stat(name).st_size
            harness.wait_until(lambda: os.stat(name).st_size > before, "more is saved")
            counts.append(self.report(name)[0].total())
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[2], counts[0])
        process.signal(signal.SIGINT)
        self.assertEqual(process.finish()[0], 0)
        self.assertEqual(self.recordings(self.folder), [])

    def test_a_killed_recording_without_a_file_is_in_the_users_folder(self):
        process = self.start_recording("-", "-f", "raw")
        folder = self.path("state", "pyspyc")
        name = harness.wait_until(lambda: self.recordings(folder), "there is a recording")[0]
        harness.wait_until(lambda: os.stat(name).st_size > 100, "something is saved")
        process.child.kill()
        process.child.wait()
        self.assert_pairs(self.report(name)[0], 10)


class TestFullDisk(RecordingCase):

    LIMIT = 12288

    def limit(self):
        """A file that would become longer cannot be written to: as on a full disk, but for this process alone."""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.LIMIT, self.LIMIT))

    def test_what_was_recorded_until_then_is_kept(self):
        target, _ = self.start_target("pairs.py")
        # With its own standard error, which the limit is for, too.
        process = self.start_pyspyc("record", "-r", "2000", "-d", "60", "-p", target.pid, "-o", "a.svg",
                                    preexec_fn=self.limit, stderr=subprocess.PIPE)
        errors = process.child.stderr.read().decode()
        process.child.stderr.close()
        self.assertEqual(process.finish()[0], 1, errors)
        self.assertIn("File too large", errors)
        (recording,) = glob.glob(self.path("a.svg.*.pyspyc"))
        self.assertIn(os.path.basename(recording), errors)
        self.assertLessEqual(os.stat(recording).st_size, self.LIMIT)
        stacks, said = self.report(recording)
        self.assert_pairs(stacks)
        self.assertIn("is not finished", said.errors)
        self.assertFalse(os.path.exists(self.path("a.svg")))
        self.assert_unharmed(target)


class TestForgetting(RecordingCase):
    """When there are too many stacks to hold, they are in the file alone."""

    LIMIT = 6000  # less than what pairs.py takes, so that they are forgotten at each saving
    SECONDS = 4

    def test_no_stack_is_impossible_and_none_is_lost(self):
        tool = os.environ.get("PYSPYC_FORGETFUL_RECORD")
        self.assertTrue(tool, "PYSPYC_FORGETFUL_RECORD does not name the tool")
        target, _ = self.start_target("pairs.py")
        name = self.path("a.pyspyc")
        process = self.start(tool, self.LIMIT, target.pid, self.SECONDS, name)
        self.assertEqual(process.finish()[0], 0, process.stderr())
        stacks, said = self.report(name)
        self.assertNotIn("not finished", said.errors)
        self.assert_pairs(stacks, 0.8 * 1000 * self.SECONDS)
        for stack in stacks.counts:
            functions = [harness.function_name(frame) for frame in stack]
            for caller, callee in zip(functions, functions[1:]):
                if callee.startswith("b_"):
                    self.assertEqual(caller, callee.replace("b_", "a_"))


class TestBlocks(RecordingCase):
    """Recording a part of a program."""

    def test_signals_start_and_pause(self):
        outcome = self.run_pyspyc("record", "--start-paused", "-r", "500", "-o", "a.raw", "--", self.python,
                                  harness.program("block.py"))
        self.assertEqual(outcome.status, 0, outcome)
        spent = float(outcome.output.split()[-1])
        with open(self.path("a.raw"), encoding="utf-8") as file:
            stacks = harness.Stacks(file.read())
        in_block = stacks.total(stacks.with_function("block"))
        # A signal takes some time on a busy machine: what is before and after the block can have some samples.
        self.assertGreater(in_block, 0.95 * stacks.total(), outcome)
        self.assertAlmostEqual(in_block / 500, spent, delta=0.1 * spent, msg=outcome)
        self.assertLess(outcome.counts()["missed"], 0.05 * outcome.counts()["intervals"], outcome)
        self.assertAlmostEqual(outcome.counts()["intervals"] / 500, spent, delta=0.1 * spent, msg=outcome)

    def test_pauses_are_no_part_of_the_time(self):
        outcome = self.run_pyspyc("record", "--start-paused", "-r", "500", "-o", "a.pyspyc", "--", self.python,
                                  harness.program("block.py"))
        half = float(outcome.output.split()[-1]) / 2
        whole = self.report("a.pyspyc")[0].total()
        first = self.report("a.pyspyc", "--end", "%.3f" % half)[0].total()
        self.assertAlmostEqual(first / whole, 0.5, delta=0.05)
        self.assertAlmostEqual(self.report("a.pyspyc", "--begin", "%.3f" % half)[0].total(), whole - first, delta=0)

    def test_a_recording_that_was_never_started_says_so(self):
        outcome = self.run_pyspyc("record", "--start-paused", "-o", "a.raw", "--", self.python, "-c", "sum(range(10**6))")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("SIGUSR1", outcome.errors)

    def test_a_block_is_shown_from_its_function_on(self):
        outcome = self.run_pyspyc("record", "-r", "200", "--show-from", r"^block ", "-o", "a.raw", "--", self.python,
                                  harness.program("block.py"))
        with open(self.path("a.raw"), encoding="utf-8") as file:
            stacks = harness.Stacks(file.read())
        self.assertEqual({harness.function_name(stack[1]) for stack in stacks.counts}, {"block"}, outcome)
        self.assertGreater(stacks.total(), 100, outcome)


if __name__ == "__main__":
    harness.main()
