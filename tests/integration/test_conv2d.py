"""The teaching example: its import, its convolution and its loading hold the shares that the program itself measures.

    PYSPYC=build/pyspyc python3 test_conv2d.py [INTERPRETER]

The interpreter is the distribution's python3 with torch unless another one is named (then without torch there is no
import worth seeing, and only the other two are looked for).
"""
import ast
import json
import os
import re

import harness
from test_record import binomial_bound

RATE = 200
#: On top of four standard deviations. Samples of one phase are neighbours in time, so they are not independent: what is
#: at the edge of a phase moves together. And the clock of the program starts a little after the first import does.
NEIGHBOURS = 0.015
PROGRAM = "conv2d.py"


def import_lines():
    """The lines of conv2d.py's try statement that imports: samples whose root is there belong to the import."""
    with open(harness.program(PROGRAM), encoding="utf-8") as source:
        tree = ast.parse(source.read())
    attempt = next(node for node in tree.body if isinstance(node, ast.Try))
    return range(attempt.lineno, attempt.end_lineno + 1)


def line_in_program(frame):
    """The line of a frame `name (conv2d.py:LINE)`, or None for a frame of another file."""
    match = re.search(r"\(conv2d\.py:(\d+)\)$", frame)
    return int(match.group(1)) if match else None


class TestConv2d(harness.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.lines = import_lines()

    def setUp(self):
        super().setUp()
        self.has_torch = self.warm_up()
        if not self.has_torch and os.environ.get("PYSPYC_REQUIRE_TORCH"):
            self.fail("%s has no torch and torchvision" % self.python)

    def warm_up(self):
        """Imports torch once, so that the disk is not what the recording waits for; says whether there is one."""
        process = self.start(self.python, "-c", "import torch, torchvision")
        return process.finish(deadline=3 * harness.DEADLINE)[0] == 0

    def in_program(self, stack):
        return len(stack) > 1 and line_in_program(stack[1]) is not None

    def in_import(self, stack):
        return self.in_program(stack) and line_in_program(stack[1]) in self.lines

    def phases(self, stacks):
        """How to find the phases in the stacks. Without torch an image is a list of numbers, and a fifth of the loading
        goes into freeing the last one, which load_batch does itself when it asks for the next."""
        accept = {
            "conv2d_forward": stacks.with_function("conv2d_forward"),
            "MNIST.__getitem__": stacks.with_function("__getitem__" if self.has_torch else "load_batch"),
        }
        if self.has_torch:
            accept["import"] = self.in_import
        return accept

    def recorded(self):
        """(the program's own seconds, the stacks, the total of samples inside the program)."""
        outcome, stacks = self.record("-r", RATE, "--", self.python, harness.program(PROGRAM))
        self.assertEqual(outcome.status, 0, outcome)
        seconds = json.loads(outcome.output.splitlines()[-1])
        samples = stacks.total(self.in_program)
        self.assertGreater(samples, RATE, outcome)
        return seconds, stacks, samples

    def test_shares(self):
        seconds, stacks, samples = self.recorded()
        shares = {name: stacks.total(accept) / samples for name, accept in self.phases(stacks).items()}
        for name, found in shares.items():
            truth = seconds[name] / seconds["total"]
            bound = binomial_bound(truth, samples, floor=NEIGHBOURS)
            self.assertLess(abs(found - truth), bound, "%s: %.3f of %d samples, %.3f of the time" % (
                name, found, samples, truth))
        rest = 1 - sum(shares.values())
        others = ("open_dataset", "write_dataset", "check_equal", "conv2d_im2col")
        largest_other = max(stacks.total(stacks.with_function(name)) / samples for name in others)
        if self.has_torch:
            self.assertGreater(min(shares.values()), largest_other)
            self.assertLess(rest, 0.10)

    def test_nested_calls_are_seen(self):
        """The loops of the convolution are below conv2d_forward, which is below main."""
        _, stacks, _ = self.recorded()
        inner = "window_sum" if self.has_torch else "convolve_rows"
        names = [[harness.function_name(frame) for frame in stack] for stack in stacks.counts]
        chains = [chain for chain in names if inner in chain]
        self.assertTrue(chains)
        for chain in chains:
            self.assertLess(chain.index("main"), chain.index("conv2d_forward"))
            self.assertLess(chain.index("conv2d_forward"), chain.index(inner))


if __name__ == "__main__":
    harness.main()
