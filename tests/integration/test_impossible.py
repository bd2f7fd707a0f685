"""No stack that the program does not contain: 0 of some thousands of samples, of targets that call as fast as they can.

    PYSPYC=build/pyspyc python3 test_impossible.py [INTERPRETER]
"""
import harness
import possible

RATE = 1000
SECONDS = 5
#: Fewer samples than this would prove nothing. They may be fewer than RATE * SECONDS where the machine is busy.
LEAST_SAMPLES = 2000


class TestImpossible(harness.TestCase):

    def check(self, program, rule, least=LEAST_SAMPLES):
        target, _ = self.start_target(program)
        outcome, stacks = self.record("-r", RATE, "-d", SECONDS, "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_unharmed(target)
        false = {stack: count for stack, count in stacks.counts.items() if not possible.is_possible(stack, rule)}
        self.assertFalse(false, "%d of %d samples are impossible, such as\n%s\n%s" % (
            sum(false.values()), stacks.total(), "\n".join(";".join(stack) for stack in list(false)[:10]), outcome))
        self.assertGreater(stacks.total(stacks.with_function("one_round")), least, outcome)

    def test_pairs(self):
        self.check("pairs.py", possible.PAIRS)

    def test_shared(self):
        self.check("shared.py", possible.SHARED)

    def test_interpreter_of_another_thread(self):
        """Before 3.10 nothing tells who runs it, so that nothing can be proved while he does."""
        if self.version < (3, 8):
            self.skipTest("Python %d.%d has no module that makes interpreters" % self.version[:2])
        self.check("interpreter_pairs.py", possible.PAIRS, -1 if self.version < (3, 10) else LEAST_SAMPLES)


if __name__ == "__main__":
    harness.main()
