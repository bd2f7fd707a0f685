"""How often a program's memory is read for one look at all of its threads: one system call, or two when something is new.

    PYSPYC_COUNT_READS=build/tests/tools/count-reads python3 test_reads.py [VERSION | PYTHON]
"""
import os
import subprocess

import harness

RATE, SECONDS = 1000, 2
MOST_READS = 2.1
LEAST_LOOKS = 200


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


if __name__ == "__main__":
    harness.main()
