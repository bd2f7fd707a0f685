"""Which stacks a program of tests/programs contains, for the tests and the benchmark.

A rule is a pattern for a stack's names from the root on: "<module>/main/run/one_round/a_1". That the rules find what is
false is tested in tests/bench/test_bench.py.
"""
import re
import sys

import harness

#: What a profiler puts in for the garbage collector is no function of the program.
MARKERS = {"<GC>", "~:<GC>"}
CALLED = r"(?:[abrxug]_\d|m)(?=/|$)"
ELSEWHERE = r"(?!(?:.*/)?" + CALLED + r").*"
CALLER = r"(?:(?!" + CALLED + r")[^/]+/)*one_round/"
PAIR = r"a_(\d)(?:/b_\1)?"


def rule(calls):
    """The stacks of a program whose one_round() makes these calls, and where else these functions do not appear."""
    return "%s|%s%s" % (ELSEWHERE, CALLER, calls)


def deep_rule(depth):
    """The stacks of deep_calls.py: down() is on them just so often. (clock() is written in Python before 3.7.)"""
    return r"<module>/main/(?:down/){%d}run(?:/is_told_to_end|/note|/clock|/one_round(?:/%s)?)?" % (depth - 6, PAIR)


PAIRS = rule(PAIR)
SHARED = rule(r"r_(\d)(?:/m(?:/x_\1)?)?")
GENERATORS = rule(r"u_(\d)(?:/g_\1)?")


def is_possible(stack, pattern):
    """Whether a stack of harness.Stacks, whose first frame is the process, follows the rule."""
    names = [harness.function_name(frame) for frame in stack[1:]]
    return bool(re.fullmatch(pattern, "/".join(name for name in names if name not in MARKERS)))


class PossibleCase(harness.TestCase):
    """A test of whose samples none may be impossible."""

    def record_possible(self, target, rule, rate, seconds, case, **options):
        """Records, and prints what was counted; returns how many stacks with one_round() there were."""
        outcome, stacks = self.record("-r", rate, "-d", seconds, "-p", target.pid, **options)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_unharmed(target)
        false = {stack: count for stack, count in stacks.counts.items() if not is_possible(stack, rule)}
        counted = ", ".join("%g %s" % (count, name) for name, count in outcome.counts().items())
        print("%s, %d Hz: %d impossible; %s" % (case, rate, sum(false.values()), counted), file=sys.stderr)
        self.assertEqual(sum(false.values()), 0, "impossible stacks, such as\n%s\n%s" % (
            "\n".join(";".join(stack) for stack in list(false)[:3]), outcome))
        return stacks.total(stacks.with_function("one_round"))
