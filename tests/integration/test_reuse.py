"""Code objects whose memory is used again for others: each is shown with its own names and lines.

    PYSPYC=build/pyspyc python3 test_reuse.py [INTERPRETER]
"""
import json
import re

import harness
from test_record import RecordCase

RATE = 1000
FUNCTIONS = 500
MEAN_ERROR = 2  # samples of fifteen, by which a function's count may be off on the average; it is 0.4 on an idle machine


class TestReuse(RecordCase):

    def test_lines_of_reused_code(self):
        target, _ = self.start_target("reused_code.py")
        _, stacks = self.record("-r", RATE, "-d", "2", "-p", target.pid)
        found = {stack[i] + " > " + harness.function_name(stack[i + 1])
                 for stack in stacks.counts for i in range(len(stack) - 1)
                 if harness.function_name(stack[i + 1]) in ("first", "second")}
        self.assertEqual(found, {"<module> (<made>:3) > first", "<module> (<made>:9) > second"})

    def assert_consistent(self, frame):
        """
        Name, file and line belong to one function, or to the module that it is made in. A module's first instruction has no
        line (0 in co_lines(), from 3.11 on) and counts for its first one.
        """
        match = re.fullmatch(r"(?:made_(\d+)|<module>) \(<made (\d+)>:(\d+)\)", frame)
        self.assertTrue(match, frame)
        name, file, line = match.groups()
        self.assertIn(name, (file, None), frame)
        lines = [int(file) + 1, int(file) + 2] if name else [int(file) + 1, 1]
        self.assertIn(int(line), lines, frame)

    def test_five_hundred_functions(self):
        """Each of them runs for fifteen intervals, at an address that others had before."""
        output = self.path("made.raw")
        target, _ = self.start_target("made_functions.py")
        process = self.start_pyspyc("record", "-f", "raw", "-o", output, "-r", RATE, "-p", target.pid)
        self.wait_until_sampling(process)
        target.child.stdin.write(b"\n")
        target.child.stdin.flush()
        truth = json.loads(target.read_line())
        self.assertEqual(process.finish()[0], 0, process.stderr())
        self.assertLess(truth["addresses"], FUNCTIONS if self.is_free_threaded else 10)
        stacks = self.read_stacks(output)
        for frame in {frame for stack in stacks.counts for frame in stack if "<made" in frame}:
            self.assert_consistent(frame)
        found = {name: stacks.total(stacks.with_function(name)) for name in truth["seconds"]}
        self.assertEqual([name for name, count in found.items() if count == 0], [], process.stderr())
        errors = [abs(found[name] - seconds * RATE) for name, seconds in truth["seconds"].items()]
        self.assertLess(sum(errors) / FUNCTIONS, MEAN_ERROR, process.stderr())


if __name__ == "__main__":
    harness.main()
