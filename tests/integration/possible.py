"""Which stacks a program of tests/programs contains, for the tests and the benchmark.

A rule is a pattern for a stack's names from the root on: "<module>/main/run/one_round/a_1". That the rules find what is
false is tested in tests/bench/test_bench.py.
"""
import re

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
    """The stacks of deep_calls.py: down() is on them just so often."""
    return r"<module>/main/(?:down/){%d}run(?:/is_told_to_end|/note|/one_round(?:/%s)?)?" % (depth - 6, PAIR)


PAIRS = rule(PAIR)
SHARED = rule(r"r_(\d)(?:/m(?:/x_\1)?)?")
GENERATORS = rule(r"u_(\d)(?:/g_\1)?")


def is_possible(stack, pattern):
    """Whether a stack of harness.Stacks, whose first frame is the process, follows the rule."""
    names = [harness.function_name(frame) for frame in stack[1:]]
    return bool(re.fullmatch(pattern, "/".join(name for name in names if name not in MARKERS)))
