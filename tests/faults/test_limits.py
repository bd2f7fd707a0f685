"""Limits of our own process, and memory that runs out (F-30).

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_limits.py [VERSION | PYTHON]

tests/tools/fail-malloc.c makes the N-th allocation of the real binary fail, or that and all behind it. Each run has to
end with the right result and status 0, or with a sentence and another status, with what was recorded and the files that
there were intact. The long form (PYSPYC_LONG) tries each N, the fast one some of them, other ones each time.

C names are not among what is tried: libdw (elfutils 0.188) ends the process itself when it has no memory.
"""
import os
import random
import resource
import sys
import unittest

import harness

LONG = bool(os.environ.get("PYSPYC_LONG"))
FAST_RUNS = 5  # of each kind
LONG_RUNS = 2000
FORMATS = ("svg", "html", "raw", "tree", "pb.gz", "speedscope.json", "trace.json", "firefox.json", "jsonl", "pyspyc")
LIBRARY = os.path.join(os.path.dirname(harness.pyspyc()), "tests", "tools", "fail-malloc.so")
OLD = b"what was there before"
HANG_SECONDS = 20 * harness.SLOWNESS


def is_sentence(errors):
    """Whether something is said that a person can read."""
    return any(line.startswith("pyspyc: ") and len(line.split()) >= 4 for line in errors.splitlines())


class TestLimits(harness.TestCase):

    def run_failing(self, arguments, **variables):
        environment = self.environment(LD_PRELOAD=LIBRARY, **{name: str(value) for name, value in variables.items()})
        process = self.start_pyspyc(*arguments, env=environment)
        status, output = process.finish(HANG_SECONDS)
        outcome = harness.Outcome(["%s" % variables] + process.arguments, status, output, process.stderr())
        process.end()
        # A signal would be 128 and more; 125 is our own failure with a program that was started.
        self.assertLess(status, 126, outcome)
        return outcome

    def count_allocations(self, arguments):
        """How many there are in a run in which none fails, and what that leaves."""
        path = self.path("count")
        if os.path.exists(path):
            os.unlink(path)
        outcome = self.run_failing(arguments, FAIL_MALLOC_COUNT=path)
        self.assertEqual(outcome.status, 0, outcome)
        with open(path) as file:
            return int(file.read().split()[0]), outcome

    def failures(self, count, runs=FAST_RUNS):
        """The variables for each run: all of them, or a few from all over."""
        step = max(1, count // (LONG_RUNS if LONG else runs))
        for mode in ("FAIL_MALLOC_AT", "FAIL_MALLOC_FROM"):
            for number in range(1 + random.randrange(step), count + 1, step):
                yield {mode: number}

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def put_old(self, *names):
        for name in names:
            with open(self.path(name), "wb") as file:
                file.write(OLD)

    def check_files(self, arguments, *names):
        """Makes files of a recording: those that there are afterwards are right, or as they were."""
        count, outcome = self.count_allocations(arguments)
        right = {name: self.content(name) for name in names}
        text = outcome.output
        ends = [0, 0]
        for failure in self.failures(count):
            self.put_old(*names)
            outcome = self.run_failing(arguments, **failure)
            found = {name: self.content(name) for name in names}
            ends[outcome.status != 0] += 1
            if outcome.status == 0:
                self.assertEqual(found, right, outcome)
                self.assertEqual(outcome.output, text, outcome)
            else:
                self.assertTrue(is_sentence(outcome.errors), outcome)
                for name in names:
                    self.assertIn(found[name], (OLD, right[name]), outcome)
            left = [name for name in os.listdir(self.folder) if name.startswith(".pyspyc-")]
            self.assertEqual(left, [], outcome)
        sys.stderr.write("%s %s: %d allocations, %d runs with a result, %d with a message\n" % (
            arguments[0], names, count, ends[0], ends[1]))

    def record_calls(self, *names):
        self.target, _ = self.start_target("threads.py", "1", "1")
        for name in names:
            outcome = self.run_pyspyc("record", "-i", "-p", self.target.pid, "-d", "0.3", "-o", name)
            self.assertEqual(outcome.status, 0, outcome)

    def test_no_memory_for_report(self):
        self.record_calls("a.pyspyc")
        for ending in FORMATS:
            self.check_files(["report", "a.pyspyc", "-o", "out." + ending], "out." + ending)

    def test_no_memory_for_import(self):
        self.record_calls("a.pyspyc")
        for ending in ("raw", "pb.gz"):
            self.run_pyspyc("report", "a.pyspyc", "-o", "in." + ending)
            self.check_files(["report", "in." + ending, "-o", "out.svg"], "out.svg")

    def test_no_memory_for_diff_and_merge(self):
        self.record_calls("a.pyspyc", "b.pyspyc")
        self.check_files(["diff", "a.pyspyc", "b.pyspyc", "-o", "out.svg", "-o", "-"], "out.svg")
        self.check_files(["merge", "a.pyspyc", "b.pyspyc", "-o", "out.pyspyc"], "out.pyspyc")

    def check_dump(self, *words):
        self.record_calls()
        arguments = ["dump", "-p", self.target.pid, *words]
        count, _ = self.count_allocations(arguments)
        for failure in self.failures(count):
            outcome = self.run_failing(arguments, **failure)
            self.assertTrue(outcome.status == 0 or is_sentence(outcome.errors), outcome)
        self.assert_unharmed(self.target)

    def test_no_memory_for_dump(self):
        self.check_dump()

    def test_no_memory_for_dump_of_values(self):
        self.check_dump("--json", "-l")

    def test_no_memory_for_dump_of_c_frames(self):
        self.check_dump("--native-all", "-l")

    def check_recording(self, outcome):
        """One that was cut short: what is said of it is true, and the file of the same name is complete, or the old one."""
        kept = [name for name in os.listdir(self.folder) if name.startswith("out.raw.")]
        found = self.content("out.raw")
        if outcome.status == 0:
            self.assertTrue(b";" in found or "no samples" in outcome.errors, outcome)
            self.assertEqual(kept, [], outcome)
            return
        self.assertTrue(is_sentence(outcome.errors), outcome)
        self.assertTrue(found == OLD or b";" in found, outcome)
        if found == OLD and "what was recorded is in" in outcome.errors:
            self.assertEqual(len(kept), 1, outcome)
            again = self.run_pyspyc("report", kept[0], "-f", "raw", "-o", "-")
            self.assertEqual(again.status, 0, "%s\n%s" % (outcome, again))
        for name in kept:
            os.unlink(self.path(name))

    def check_record(self, *words):
        self.record_calls()
        arguments = ["record", "-i", "-p", self.target.pid, "-r", "200", "-d", "0.15", "-o", "out.raw", *words]
        count, _ = self.count_allocations(arguments)
        for failure in self.failures(count, 5):
            self.put_old("out.raw")
            self.check_recording(self.run_failing(arguments, **failure))
        self.assert_unharmed(self.target)

    def test_no_memory_for_record(self):
        self.check_record()

    def test_no_memory_for_record_of_c_frames(self):
        self.check_record("--native")

    def test_no_memory_after_a_while(self):
        """What was saved before there was no memory any more can be read."""
        self.record_calls()
        self.put_old("out.raw")
        outcome = self.run_failing(["record", "-i", "-p", self.target.pid, "-r", "200", "-d", "5", "-o", "out.raw"],
                                   FAIL_MALLOC_AFTER=2)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertEqual(self.content("out.raw"), OLD)
        kept = [name for name in os.listdir(self.folder) if name.startswith("out.raw.")]
        self.assertEqual(len(kept), 1, outcome)
        again = self.run_pyspyc("report", kept[0], "-f", "raw", "-o", "-")
        self.assertEqual(again.status, 0, again)
        self.assertGreater(harness.Stacks(again.output).total(), 150)

    def run_limited(self, limit, value, *arguments):
        return self.run_pyspyc(*arguments, preexec_fn=lambda: resource.setrlimit(limit, (value, value)))

    def check_limited(self, limit, values, target):
        """Under each limit: a result, or a sentence; and what is left out is said. Returns in how many there was a result."""
        commands = [["record", "-i", "-p", target.pid, "-d", "0.3", "-o", "out.raw"],
                    ["record", "-i", "-s", "-p", target.pid, "-d", "0.7", "-o", "out.raw", "-o", "out.pyspyc"],
                    ["dump", "-p", target.pid, "-l"]]
        results = 0
        for value in values:
            for arguments in commands:
                self.put_old("out.raw")
                outcome = self.run_limited(limit, value, *arguments)
                self.assertIn(outcome.status, (0, 1), outcome)
                self.assertNotRegex(outcome.errors, r"\d{12}")  # a count below 0
                results += outcome.status == 0
                if outcome.status != 0:
                    self.assertTrue(is_sentence(outcome.errors), outcome)
                if arguments[0] == "record" and (outcome.status == 0 or "wrote out.raw" in outcome.errors):
                    self.assertIn(b";", self.content("out.raw"), outcome)
                else:
                    self.assertEqual(self.content("out.raw"), OLD, outcome)
                if "-s" in arguments and outcome.status == 0:
                    is_whole = "of 4 processes" in outcome.errors
                    self.assertTrue(is_whole or "not in the recording" in outcome.errors or "cannot" in outcome.errors, outcome)
        self.assert_unharmed(target)
        sys.stderr.write("%d of %d with a result\n" % (results, len(values) * len(commands)))
        return results

    def start_family(self):
        """A process with 40 threads and three child processes."""
        target = self.start(self.python, "-c", """
import os, sys, threading, time
for number in range(3):
    if os.fork() == 0:
        while os.getppid() != 1: time.sleep(0.01)
        os._exit(0)
def nap():
    while True: time.sleep(0.01)
for number in range(40):
    thread = threading.Thread(target=nap)
    thread.daemon = True
    thread.start()
print("ready")
sys.stdout.flush()
sys.stdin.read()
""")
        target.read_line()
        for pid in harness.children_of(target.pid):
            self.addCleanup(os.kill, pid, 9)
        return target

    def test_few_descriptors(self):
        self.assertGreater(self.check_limited(resource.RLIMIT_NOFILE, (8, 16, 24), self.start_family()), 0)

    def test_few_descriptors_when_threads_are_stopped(self):
        """The files of libraries leave some to look at threads with; where there are too few for that, it says so."""
        target = self.start(self.python, "-c", "print('ready', flush=True)\nwhile True: sum(range(100))")
        self.assertEqual(target.read_line(), "ready")
        for mode in ("--native", "--blocking"):
            seen = []
            for limit in (14, 16, 17, 20, 24, 32):
                outcome = self.run_limited(resource.RLIMIT_NOFILE, limit, "record", mode, "-r", "100", "-d", "1",
                                           "-f", "raw", "-o", "out.raw", "-p", target.pid)
                if outcome.status != 0:
                    self.assertRegex(outcome.errors, "ulimit -n|Too many open files")
                    continue
                self.assertGreater(int(outcome.errors.split(" samples in ")[0].split()[-1]), 50, outcome)
                seen.append(limit)
            self.assertIn(32, seen)

    def test_little_address_space(self):
        self.assertGreater(self.check_limited(resource.RLIMIT_AS, [n << 20 for n in (8, 12, 32)], self.start_family()), 0)

    def test_small_stack(self):
        """With C names, which take the deepest calls."""
        target = self.start_family()
        self.assertEqual(self.check_limited(resource.RLIMIT_STACK, [128 << 10], target), 3)
        for arguments in (["record", "--native", "-i", "-p", target.pid, "-d", "0.5", "-o", "out.svg", "-o", "out.pyspyc"],
                          ["dump", "--native", "-l", "-p", target.pid]):
            outcome = self.run_limited(resource.RLIMIT_STACK, 128 << 10, *arguments)
            self.assertEqual(outcome.status, 0, outcome)
        self.assert_unharmed(target)


if __name__ == "__main__":
    harness.main()
