"""Runs that go on for hours (F-13), scaled down: what is bounded must be so after seconds.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_long_runs.py [VERSION | PYTHON]

What can grow with time grows with the number of new stacks and threads. new_functions.py has a new stack of 40 new
frames for nearly each sample, some 350 a second: what fills the tables of a recording (2 MiB) takes 2 seconds. So the
fast form sees the tables begin anew a few times, and the long one (PYSPYC_LONG, five minutes) a hundred times, as often
as a program that calls 100 functions in a new way each second would in 8 hours.
"""
import json
import os
import signal
import sys
import time

import harness

LONG = bool(os.environ.get("PYSPYC_LONG"))
SECONDS = 300 if LONG else 9
SHORT_SECONDS = 60 if LONG else 3
RATE = 500
MEMORY_LIMIT = 20000000   # bytes, while recording
#: Of the highest value, from the second third of a run to the last one. In seconds not every third sees the tables full; what
#: is kept of each stack would be three times as much.
GROWTH_LIMIT = (2 if LONG else 4) << 20
THREAD_LIMIT = 200        # bytes a thread that there was; it takes 60, and the tables double
CPU_LIMIT = 0.02          # of one CPU; 0.003 to 0.007 on a machine that is not busy
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def resident(pid):
    try:
        with open("/proc/%d/statm" % pid) as file:
            return int(file.read().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class TestLongRuns(harness.TestCase):

    def watch(self, profiler, seconds):
        """The memory of a process, four times a second, for so long."""
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end and profiler.alive():
            seen.append(resident(profiler.pid))
            time.sleep(0.25)
        return [value for value in seen if value > 0]

    def check_growth(self, what, seen, limit=GROWTH_LIMIT):
        """Says how much more memory the last third of a run took than the second one, and that this is little."""
        third = len(seen) // 3
        middle, last = max(seen[third:2 * third]), max(seen[2 * third:])
        sys.stderr.write("%s: %.1f MB after a third, %.1f MB after two, %.1f MB at the end, at most %.1f MB\n" % (
            what, max(seen[:third]) / 1e6, middle / 1e6, last / 1e6, max(seen) / 1e6))
        self.assertLess(last - middle, limit)

    def begin(self, target, *arguments, rate=RATE):
        """Starts to record, and returns the profiler when it does."""
        reader, writer = os.pipe()
        profiler = self.start_pyspyc("record", "-p", target.pid, "-r", rate, "--ready-fd", writer, *arguments,
                                     pass_fds=[writer])
        os.close(writer)
        self.assertEqual(os.read(reader, 1), b"\n", profiler.stderr())
        os.close(reader)
        return profiler

    def facts(self, name):
        """The head and the end of a recording as JSON, and the time of its last sample."""
        outcome = self.run_pyspyc("report", name, "-f", "json", "-o", "facts.jsonl")
        self.assertEqual(outcome.status, 0, outcome)
        last_ns = 0
        with open(self.path("facts.jsonl")) as file:
            head = json.loads(file.readline())
            for line in file:
                entry = json.loads(line) if line.startswith(('{"type":"sample"', '{"type":"end"')) else {}
                last_ns = max(last_ns, entry.get("time_ns", 0))
        return head, entry, last_ns

    def test_new_stacks(self):
        """Memory does not grow with stacks, and no interval is lost or made up: the clock does not drift."""
        target, _ = self.start_target("new_functions.py")
        profiler = self.begin(target, "-d", SECONDS, "-o", "run.pyspyc")
        began = time.monotonic()
        seen = self.watch(profiler, SECONDS - 0.5)
        status, _ = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())
        self.check_growth("new stacks", seen)
        self.assertLess(max(seen), MEMORY_LIMIT)
        self.assertGreaterEqual(time.monotonic() - began, SECONDS - 0.5)
        head, end, last_ns = self.facts("run.pyspyc")
        self.assertEqual(sum(end["intervals"].values()), SECONDS * RATE, end)
        self.assertAlmostEqual(head["duration_ns"] / 1e9, SECONDS, delta=0.05)
        self.assertLess(last_ns, SECONDS * 1e9)
        self.assertGreater(last_ns, (SECONDS - 1) * 1e9)
        self.assert_unharmed(target)

    def test_the_same_functions(self):
        """What is known of functions does not grow when they are made again and again."""
        target, _ = self.start_target("new_functions.py", "same")
        profiler = self.begin(target, "-d", SHORT_SECONDS, "-o", "run.pyspyc", rate=1000)
        seen = self.watch(profiler, SHORT_SECONDS - 0.5)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        self.check_growth("the same functions", seen)
        self.assertLess(max(seen), MEMORY_LIMIT)

    def test_threads_that_come_and_go(self):
        target, _ = self.start_target("thread_waves.py")
        profiler = self.begin(target, "-d", SHORT_SECONDS + 2, "-o", "run.pyspyc", rate=100)
        descriptors = os.listdir("/proc/%d/fd" % profiler.pid)
        seen = self.watch(profiler, SHORT_SECONDS + 1.5)
        self.assertLess(len(descriptors), 2000)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        _, output = target.finish()
        threads = int(output)
        sys.stderr.write("%d threads; " % threads)
        self.check_growth("threads that come and go", seen, limit=GROWTH_LIMIT + THREAD_LIMIT * threads)
        self.assertLess(max(seen), MEMORY_LIMIT + THREAD_LIMIT * threads)

    def test_a_target_that_sleeps(self):
        """Who watches a program that sleeps, or is busy for 1 % of the time, takes next to nothing."""
        for program, arguments in (("sleeper.py", []), ("busy_percent.py", ["1"])):
            target, _ = self.start_target(program, *arguments)
            profiler = self.begin(target, "-d", SHORT_SECONDS, "-o", "run.pyspyc", rate=100)
            before, began = cpu_seconds(profiler.pid), time.monotonic()
            seen = self.watch(profiler, SHORT_SECONDS - 1)
            share = (cpu_seconds(profiler.pid) - before) / (time.monotonic() - began)
            sys.stderr.write("%s: %.2f %% of a CPU; " % (program, 100 * share))
            self.check_growth(program, seen, limit=1 << 20)
            self.assertLess(share, CPU_LIMIT * harness.SLOWNESS)
            self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
            target.end()

    def test_files_on_the_disk(self):
        """--every SIZE and --keep bound what is on the disk, and no time is lost between the parts."""
        size, keep = 64 << 10, 3
        target, _ = self.start_target("new_functions.py")
        with open(self.path("run-1000.pyspyc"), "w") as file:
            file.write("somebody else's")
        profiler = self.begin(target, "--every", "64K", "--keep", keep, "-o", "run.pyspyc", "-o", "%n.raw")
        counts = []

        def is_long_enough():
            counts.append(sum(name.startswith("run-") and "pyspyc." not in name for name in os.listdir(self.folder)))
            return "run-%d.pyspyc" % (keep * (10 if LONG else 1) + 1) in profiler.stderr()

        harness.wait_until(is_long_enough, "so many parts were written", 300)
        profiler.signal(signal.SIGTERM)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        names = sorted((name for name in os.listdir(self.folder) if name.endswith(".pyspyc") and name != "run-1000.pyspyc"),
                       key=lambda name: int(name[4:-7]))
        self.assertEqual(len(names), keep)
        self.assertEqual(len([name for name in os.listdir(self.folder) if name.endswith(".raw")]), keep)
        # The file of another one, and the one that is just written before the oldest is removed.
        self.assertLessEqual(max(counts), keep + 2)
        self.assertGreater(int(names[-1][4:-7]), keep)
        self.assertTrue(os.path.exists(self.path("run-1000.pyspyc")))
        heads = [self.facts(name)[0] for name in names]
        for name, head, following in zip(names, heads, heads[1:]):
            self.assertLess(os.stat(self.path(name)).st_size, 4 * size)
            end_us = head["start_unix_us"] + head["duration_ns"] / 1000
            self.assertAlmostEqual(end_us, following["start_unix_us"], delta=50000)

    def test_mistakes(self):
        for words in (["--every", "1K"], ["--every", "5X"], ["--every", "M"], ["--every", "1MM"], ["--every", "0G"],
                      ["--every", "9999999999K"], ["--keep", "2"], ["--every", "1M", "--keep", "0"]):
            outcome = self.run_pyspyc("record", "-p", "1", *words)
            self.assertEqual(outcome.status, 2, outcome)

    def test_files_that_are_somebody_elses(self):
        """A file that took the place of one that was written is not removed."""
        target, _ = self.start_target("threads.py", "1", "1")
        profiler = self.begin(target, "--every", "0.3", "--keep", "1", "-o", "run.raw")
        first = self.path("run-1.raw")
        harness.wait_until(lambda: os.path.exists(first), "the first part was written")
        os.rename(first, self.path("mine"))
        with open(first, "w") as file:
            file.write("mine")
        harness.wait_until(lambda: not os.path.exists(first) or "run-4.raw" in profiler.stderr(), "four parts were written")
        profiler.signal(signal.SIGTERM)
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())
        with open(first) as file:
            self.assertEqual(file.read(), "mine")
        self.assertFalse(os.path.exists(self.path("run-2.raw")))


if __name__ == "__main__":
    harness.main()
