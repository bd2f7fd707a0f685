"""No stack that the program does not contain: 0 of some thousands of samples, of targets that call as fast as they can.

    PYSPYC=build/pyspyc python3 test_impossible.py [INTERPRETER]
"""
import re

import harness

RATE = 1000
SECONDS = 5
#: Fewer samples than this would prove nothing. They may be fewer than RATE * SECONDS where the machine is busy.
LEAST_SAMPLES = 2000


def functions_of(stack):
    """The names of a stack's Python functions, root first."""
    return [harness.function_name(frame) for frame in stack[1:]]


def pairs_are_possible(stack):
    """one_round calls a_k, a_k calls b_k; a_k and b_k have no other callers and call nobody else."""
    names = functions_of(stack)
    for caller, name in zip([None] + names, names):
        kind, number = split_name(name)
        if kind == "a" and caller != "one_round":
            return False
        if kind == "b" and caller != "a_" + number:
            return False
        if split_name(caller or "")[0] == "b":
            return False
    return True


def shared_is_possible(stack):
    """r_k calls m, and that m calls x_k."""
    names = functions_of(stack)
    for position, name in enumerate(names):
        kind, number = split_name(name)
        if kind == "r" and names[position - 1] != "one_round":
            return False
        if name == "m" and split_name(names[position - 1])[0] != "r":
            return False
        if kind == "x" and names[position - 2:position] != ["r_" + number, "m"]:
            return False
    return True


def split_name(name):
    """('a', '3') of a_3; ('', '') of anything else."""
    match = re.fullmatch(r"([abrx])_(\d)", name)
    return match.groups() if match else ("", "")


class TestTheRules(harness.unittest.TestCase):
    """The rules themselves: they must see what is false."""

    def stack(self, *names):
        return ("process",) + tuple("%s (program.py:1)" % name for name in names)

    def test_pairs(self):
        self.assertTrue(pairs_are_possible(self.stack("<module>", "main", "one_round", "a_1", "b_1")))
        self.assertTrue(pairs_are_possible(self.stack("<module>", "main", "one_round")))
        self.assertFalse(pairs_are_possible(self.stack("<module>", "main", "one_round", "a_1", "b_2")))
        self.assertFalse(pairs_are_possible(self.stack("<module>", "main", "one_round", "b_2")))
        self.assertFalse(pairs_are_possible(self.stack("a_1", "b_1")))
        self.assertFalse(pairs_are_possible(self.stack("one_round", "a_1", "b_1", "a_1")))

    def test_shared(self):
        self.assertTrue(shared_is_possible(self.stack("<module>", "main", "one_round", "r_1", "m", "x_1")))
        self.assertTrue(shared_is_possible(self.stack("<module>", "main", "one_round", "r_1", "m")))
        self.assertFalse(shared_is_possible(self.stack("<module>", "main", "one_round", "r_1", "m", "x_2")))
        self.assertFalse(shared_is_possible(self.stack("<module>", "main", "one_round", "m", "x_2")))
        self.assertFalse(shared_is_possible(self.stack("<module>", "main", "one_round", "r_2", "x_2")))
        self.assertFalse(shared_is_possible(self.stack("r_2", "m", "x_2")))


class TestImpossible(harness.TestCase):

    def check(self, program, is_possible, least=LEAST_SAMPLES):
        target, _ = self.start_target(program)
        outcome, stacks = self.record("-r", RATE, "-d", SECONDS, "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_unharmed(target)
        false = {stack: count for stack, count in stacks.counts.items() if not is_possible(stack)}
        self.assertFalse(false, "%d of %d samples are impossible, such as\n%s\n%s" % (
            sum(false.values()), stacks.total(), "\n".join(";".join(stack) for stack in list(false)[:10]), outcome))
        self.assertGreater(stacks.total(stacks.with_function("one_round")), least, outcome)

    def test_pairs(self):
        self.check("pairs.py", pairs_are_possible)

    def test_shared(self):
        self.check("shared.py", shared_is_possible)

    def test_interpreter_of_another_thread(self):
        """Before 3.10 nothing tells who runs it, so that nothing can be proved while he does."""
        if self.version < (3, 8):
            self.skipTest("Python %d.%d has no module that makes interpreters" % self.version[:2])
        self.check("interpreter_pairs.py", pairs_are_possible, -1 if self.version < (3, 10) else LEAST_SAMPLES)


if __name__ == "__main__":
    harness.main()
