"""Attaching to a target and leaving it, thousands of times: neither of us is any bigger afterwards.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_harm_cycles.py [INTERPRETER] [TestClass.test_name]

PYSPYC_ATTACH_OFTEN names build/tests/tools/attach-often, which does in one process what `record` and `dump` do in one
each. PYSPYC_LONG=1 makes it 5000 cycles of each kind, and 200 of those that read symbols of C first.
"""
import os
import re
import sys

import harness
from heart import is_let_go

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
CYCLES = 5000 if IS_LONG else 100
NATIVE_CYCLES = 200 if IS_LONG else 5
RUNS = 50 if IS_LONG else 1
ROOM_KB = 256          # for what an allocator does between the fifth part of the cycles and the last
NATIVE_ROOM_KB = 8192 if IS_LONG else 32768  # symbols come and go, and with them what the allocator keeps
LINE = re.compile(r"(\d+) descriptors (\d+) threads (\d+) kB (\d+)")


def tool():
    path = os.environ.get("PYSPYC_ATTACH_OFTEN")
    return path or os.path.join(os.path.dirname(harness.pyspyc()), "tests", "tools", "attach-often")


class TestCycles(harness.TestCase):

    def setUp(self):
        super().setUp()
        self.target, _ = self.start_target("linked_values.py")  # which by itself does not grow

    def size_of_target(self):
        """(descriptors, threads, kB), the last as exactly as the kernel can count, which is not so in status."""
        with open("/proc/%d/smaps_rollup" % self.target.pid) as file:
            size, = re.findall(r"^Rss: +(\d+) kB", file.read(), re.MULTILINE)
        threads = harness.status_of(self.target.pid)["Threads"]
        return len(os.listdir("/proc/%d/fd" % self.target.pid)), int(threads), int(size)

    def attach(self, count, *kind):
        process = self.start(tool(), self.target.pid, count, *kind)
        status, output = process.finish(3600 * harness.SLOWNESS)
        self.assertEqual(status, 0, process.stderr())
        return [tuple(map(int, line.groups()[1:])) for line in LINE.finditer(output)]

    def check(self, count, room_kb, *kind):
        # Pages of its files that it has not touched yet are counted as its own once we have read them.
        self.attach(1, *kind)
        before = self.size_of_target()
        sizes = self.attach(count, *kind)
        after = self.size_of_target()
        print("%d of %s: (descriptors, threads, kB) %s, then %s; the target %s, then %s" % (
            count, " ".join(kind), sizes[len(sizes) // 5], sizes[-1], before, after), file=sys.stderr)
        early, late = sizes[len(sizes) // 5], sizes[-1]
        self.assertEqual(len(sizes), min(10, count))
        self.assertEqual(late[:2], early[:2])
        self.assertLess(late[2] - early[2], room_kb)
        self.assertEqual(after[:2], before[:2])
        self.assertLess(after[2] - before[2], ROOM_KB)
        harness.wait_until(lambda: is_let_go(self.target.pid), "the target is let go")

    def test_record(self):
        self.check(CYCLES, ROOM_KB, "record")

    def test_record_blocking(self):
        self.check(CYCLES, ROOM_KB, "record", "blocking")

    def test_record_native(self):
        self.check(NATIVE_CYCLES, NATIVE_ROOM_KB, "record", "native")

    def test_dump(self):
        self.check(CYCLES, ROOM_KB, "dump")

    def test_dump_blocking(self):
        self.check(CYCLES, ROOM_KB, "dump", "blocking")

    def test_dump_native(self):
        self.check(NATIVE_CYCLES, NATIVE_ROOM_KB, "dump", "native")

    def test_many_profilers(self):
        """The program itself, in each mode; the target is as big as before."""
        for number in range(RUNS + 1):
            if number == 1:
                before = self.size_of_target()
            for mode in ((), ("--blocking",), ("--native",)):
                for verb in (("dump",), ("record", "-d", "0.05", "-f", "raw", "-o", self.path("x.raw"))):
                    outcome = self.run_pyspyc(*verb, *mode, "-p", self.target.pid)
                    self.assertEqual(outcome.status, 0, outcome)
        after = self.size_of_target()
        self.assertEqual(after[:2], before[:2])
        self.assertLess(after[2] - before[2], ROOM_KB)
        self.assert_unharmed(self.target)


if __name__ == "__main__":
    harness.main()
