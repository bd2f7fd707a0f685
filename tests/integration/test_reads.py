"""How often a program's memory is read for one look at all of its threads: one system call, or two when something is new.
And how often the kernel is asked about a thread that computes.

    PYSPYC_COUNT_READS=build/tests/tools/count-reads python3 test_reads.py [VERSION | PYTHON]
"""
import os
import subprocess
import time

import harness

RATE, SECONDS = 1000, 2
MOST_READS = 2.1
LEAST_LOOKS = 200
ASKING_RATE, ASKING_SECONDS = 200, 4


class TestReads(harness.TestCase):

    def check(self, name, *arguments):
        target, line = self.start_target(name, *arguments)
        self.assertEqual(line, "ready")
        command = [os.environ["PYSPYC_COUNT_READS"], target.pid, RATE, SECONDS]
        answer = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, timeout=harness.DEADLINE)
        self.assertEqual(answer.returncode, 0)
        reads, looks = [int(word) for word in answer.stdout.split()]
        self.assertGreater(looks, LEAST_LOOKS)
        self.assertLessEqual(reads / looks, MOST_READS, "%d reads, %d looks" % (reads, looks))

    def test_pairs(self):
        self.check("pairs.py")

    def test_shared(self):
        self.check("shared.py")

    def test_deep(self):
        self.check("deep_calls.py", 500)

    def test_idle_threads(self):
        self.check("threads.py", 1, 100)

    def files_read(self, process):
        """How often a process has read from a file so far."""
        with open("/proc/%d/io" % process.pid, encoding="utf-8") as file:
            return int(dict(line.split(": ") for line in file.read().splitlines())["syscr"])

    def count_questions(self, *arguments):
        """How often files were read for a look at a program with one busy thread."""
        target, _ = self.start_target(*arguments)
        profiler = self.start_pyspyc("record", "-r", ASKING_RATE, "-d", ASKING_SECONDS, "-f", "raw", "-o",
                                     self.path("asking.raw"), "--pid", target.pid)
        time.sleep(ASKING_SECONDS / 4)
        begin, before = time.monotonic(), self.files_read(profiler)
        time.sleep(ASKING_SECONDS / 2)
        questions = self.files_read(profiler) - before
        looks = ASKING_RATE * (time.monotonic() - begin)
        self.assertEqual(profiler.finish()[0], 0)
        return questions / looks

    def test_questions(self):
        """Where its departures are noted, they tell that a thread is busy. Else one or two files are read for each look.

        On a busy machine, it is seldom that nothing else had the CPU.
        """
        may_be_noted = harness.may_have_departures()
        for program, most in (("pairs.py",), 0.8), (("threads.py", 1, 40), 1.3):
            questions = min(self.count_questions(*program) for _ in range(2))
            self.assertLess(questions, most if may_be_noted else 3.5, program)


if __name__ == "__main__":
    harness.main()
