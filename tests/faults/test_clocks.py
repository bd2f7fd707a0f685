"""Clocks that jump, differ or stand still, and a profiler that is stopped for long (F-29).

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_clocks.py [VERSION | PYTHON]

A machine cannot be suspended here: tests/unit/test_suspension.c does that to a clock of its own.
"""
import json
import os
import re
import signal
import subprocess
import time
import unittest

import harness

LONG = bool(os.environ.get("PYSPYC_LONG"))
STOP_SECONDS = 5 if LONG else 1.5
SECONDS = STOP_SECONDS + 1.5
RATE = 500
DAY = 86400
FAKETIME = "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1" % os.uname().machine


class TestClocks(harness.TestCase):

    def json_of(self, name, *options):
        outcome = self.run_pyspyc("report", name, "-f", "json", "-o", "-", *options)
        self.assertEqual(outcome.status, 0, outcome)
        entries = [json.loads(line) for line in outcome.output.splitlines()]
        return entries[0], [entry for entry in entries if entry["type"] == "sample"], entries[-1]

    def check_whole(self, head, samples, end, seconds=SECONDS):
        """All intervals that were due are accounted for, no sample is outside, and one thread has no time twice."""
        self.assertEqual(sum(end["intervals"].values()), seconds * RATE, end)
        self.assertAlmostEqual(head["duration_ns"] / 1e9, seconds, delta=0.1)
        self.assertLessEqual(self.busiest(samples), seconds * RATE)
        self.assertTrue(all(0 <= sample["time_ns"] < seconds * 1e9 for sample in samples))

    def busiest(self, samples):
        """How many intervals the thread with the most of them has."""
        weights = {}
        for sample in samples:
            weights[sample["thread"]] = weights.get(sample["thread"], 0) + sample["weight"]
        return max(weights.values())

    def check_label(self, head, began):
        """The recording begins when it did by the wall clock."""
        self.assertAlmostEqual(head["start_unix_us"] / 1e6, began, delta=10)

    def start_recording(self, *arguments, **options):
        reader, writer = os.pipe()
        process = self.start_pyspyc("record", "-r", RATE, "-o", "run.pyspyc", "--ready-fd", writer, *arguments,
                                    pass_fds=[writer], **options)
        os.close(writer)
        self.assertEqual(os.read(reader, 1), b"\n", process.stderr())
        os.close(reader)
        return process

    def finish(self, process):
        status, _ = process.finish()
        self.assertEqual(status, 0, process.stderr())
        return self.json_of("run.pyspyc")

    def check_stop(self, *options):
        """The intervals of a stop are missed; nobody is charged with them, and a hole is where they would have been."""
        target, _ = self.start_target("threads.py", "1", "0")
        process = self.start_recording("-p", target.pid, "-d", SECONDS, *options)
        time.sleep(0.7)
        process.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        self.assert_unharmed(target)
        time.sleep(STOP_SECONDS)
        process.signal(signal.SIGCONT)
        stop = time.monotonic() - stopped
        head, samples, end = self.finish(process)
        self.check_whole(head, samples, end)
        self.assertGreaterEqual(end["intervals"]["missed"], int((stop - 0.2) * RATE))
        self.assertLessEqual(self.busiest(samples), (SECONDS - stop + 0.2) * RATE)
        self.assertLess(max(sample["weight"] for sample in samples) / RATE, 0.1)  # no single stack has the hole
        self.check_mark(end, stop)
        ends = sorted(sample["time_ns"] for sample in samples)
        holes = [after - before for before, after in zip(ends, ends[1:])]
        self.assertAlmostEqual(max(holes) / 1e9, stop, delta=0.5)
        self.check_timeline(stop)
        self.assert_unharmed(target)

    def check_mark(self, end, stop):
        """The recording, and so what is made of it, tells where the hole is."""
        marks = [re.fullmatch(r"intervals missed while pyspyc did not run, from second ([\d.]+) to ([\d.]+)", loss["cause"])
                 for loss in end["losses"]]
        marks = [mark for mark in marks if mark]
        self.assertEqual(len(marks), 1, end)
        begin, finish = map(float, marks[0].groups())
        self.assertAlmostEqual(finish - begin, stop, delta=0.5)
        self.assertGreater(begin, 0.3)
        self.assertLess(finish, SECONDS)

    def check_timeline(self, stop):
        """No event of the trace covers the hole."""
        self.run_pyspyc("report", "run.pyspyc", "-o", "run.trace.json")
        with open(self.path("run.trace.json")) as file:
            events = json.load(file)
        events = events["traceEvents"] if isinstance(events, dict) else events
        levels, begun, covered = {}, {}, {}
        for event in events:
            if event.get("ph") not in ("B", "E"):
                continue
            thread = event["tid"]
            level = levels[thread] = levels.get(thread, 0) + (1 if event["ph"] == "B" else -1)
            if event["ph"] == "B" and level == 1:
                begun[thread] = event["ts"]
            elif level == 0:
                covered[thread] = covered.get(thread, 0) + event["ts"] - begun[thread]
        covered = max(covered.values())
        self.assertGreater(covered / 1e6, 0.5)
        self.assertLess(covered / 1e6, SECONDS - stop + 0.2)

    def test_stopped_profiler(self):
        self.check_stop()

    def test_stopped_profiler_that_counts_idle_threads(self):
        self.check_stop("-i")

    @unittest.skipUnless(LONG, "the long form does")
    def test_stopped_profiler_with_c_names(self):
        self.check_stop("--native")

    def fake_clock(self, **more):
        """The environment of a program whose clock shows the time that the file 'clock' says."""
        self.assertTrue(os.path.exists(FAKETIME), "scripts/packages test installs faketime")
        with open(self.path("clock"), "w") as file:
            file.write("+0")
        return self.environment(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=self.path("clock"), FAKETIME_NO_CACHE="1",
                                FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1", **more)

    def set_clock(self, text):
        with open(self.path("clock.new"), "w") as file:
            file.write(text)
        os.rename(self.path("clock.new"), self.path("clock"))

    def jump(self):
        """A day ahead, and two days back, as somebody sets the clock."""
        for text in ("+1d", "-1d", "+0"):
            time.sleep(0.3)
            self.set_clock(text)

    def test_profiler_whose_clock_jumps(self):
        target, _ = self.start_target("threads.py", "1", "0")
        began = time.time()
        process = self.start_recording("-p", target.pid, "-d", 2, env=self.fake_clock())
        self.jump()
        head, samples, end = self.finish(process)
        self.check_whole(head, samples, end, 2)
        self.check_label(head, began)

    def test_target_whose_clock_jumps(self):
        """Its own clock says nothing about its samples; it is the same process before and after."""
        target, _ = self.start_target("new_functions.py", "same", env=self.fake_clock())
        began = time.time()
        process = self.start_recording("-p", target.pid, "-d", 2)
        self.jump()
        head, samples, end = self.finish(process)
        self.check_whole(head, samples, end, 2)
        self.check_label(head, began)
        self.assertGreater(self.busiest(samples), RATE)

    def in_other_time(self, *arguments):
        """Words that run a program whose CLOCK_BOOTTIME and CLOCK_MONOTONIC are weeks ahead (time_namespaces(7))."""
        return ["unshare", "--time", "--fork", "--monotonic", 20 * DAY, "--boottime", 30 * DAY] + list(arguments)

    def need_time_namespaces(self):
        words = [str(word) for word in self.in_other_time("true")]
        tried = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertEqual(tried.returncode, 0, tried.stderr)

    def test_target_in_another_time_namespace(self):
        """The kernel shows us its begin by our clock; it is found, read, followed over an exec, and its children too."""
        self.need_time_namespaces()
        ended, _ = self.start_target("sleeper.py")
        parent = self.start(*self.in_other_time(self.python, harness.program("threads.py"), "1", "0"))
        parent.read_line()
        pid = harness.children_of(parent.pid)[0]
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        began = time.time()
        process = self.start_recording("-p", pid, "-d", 2)
        head, samples, end = self.finish(process)
        self.check_whole(head, samples, end, 2)
        self.check_label(head, began)
        self.assertGreater(self.busiest(samples), RATE)
        dumped = self.run_pyspyc("dump", "-p", pid)
        self.assertEqual(dumped.status, 0, dumped)
        # Lines of the source, which has not changed since the program began, by whichever clock.
        with open(harness.program("threads.py")) as file:
            lines = {line.strip() for line in file}
        self.assertTrue(lines & {line.strip() for line in dumped.output.splitlines()}, dumped)
        ended.end()

    def test_profiler_in_another_time_namespace(self):
        self.need_time_namespaces()
        target, _ = self.start_target("threads.py", "1", "0")
        began = time.time()
        words = self.in_other_time(harness.pyspyc(), "record", "-r", RATE, "-p", target.pid, "-d", 2, "-o", "run.pyspyc")
        process = self.start(*words, cwd=self.folder)
        head, samples, end = self.finish(process)
        self.check_whole(head, samples, end, 2)
        self.check_label(head, began)
        dumped = self.start(*self.in_other_time(harness.pyspyc(), "dump", "-p", target.pid), cwd=self.folder)
        status, output = dumped.finish()
        self.assertEqual(status, 0, dumped.stderr())
        with open(harness.program("threads.py")) as file:
            lines = {line.strip() for line in file}
        self.assertTrue(lines & {line.strip() for line in output.splitlines()}, output)


if __name__ == "__main__":
    harness.main()
