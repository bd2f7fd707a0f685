"""No stack that the program does not contain: 0 of thousands of samples, of targets that call as fast as they can.

    PYSPYC=build/pyspyc python3 test_impossible.py [INTERPRETER]

With PYSPYC_LONG=1 there are at least 100,000 samples, else 5,000; most at 10 kHz. What the profiler has left out is printed.
"""
import os

import harness
import possible

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
#: For each rate the samples that each of four programs has to give, whose sum is what is wanted of a version.
WANTED = {1000: 4000, 10000: 21000} if IS_LONG else {1000: 500, 10000: 1000}
#: A recording's length. There are several where the machine is too busy for one to have so many samples.
SECONDS = 5 if IS_LONG else 1
MOST_RECORDINGS = 30


class TestImpossible(possible.PossibleCase):

    def check(self, name, *arguments, rule):
        for rate, wanted in WANTED.items():
            self.check_at(rate, wanted, name, *arguments, rule=rule)

    def check_at(self, rate, wanted, name, *arguments, rule):
        target, _ = self.start_target(name, *arguments)
        case = " ".join([name, *arguments])
        samples = 0
        for _ in range(MOST_RECORDINGS):
            samples += self.record_possible(target, rule, rate, SECONDS, case)
            if samples >= wanted:
                break
        target.end()
        self.assertGreaterEqual(samples, wanted, case)

    def test_pairs(self):
        self.check("pairs.py", rule=possible.PAIRS)

    def test_shared(self):
        self.check("shared.py", rule=possible.SHARED)

    def test_deep(self):
        """All but the last frames stand still, and take many pieces to read."""
        if self.version < (3,):
            self.skipTest("deep_calls.py needs Python 3")
        for depth in (100, 500):
            self.check("deep_calls.py", str(depth), rule=possible.deep_rule(depth))

    def test_interpreter_of_another_thread(self):
        """Before 3.10 nothing tells who runs it, so that nothing can be proved while he does."""
        if self.version < (3, 8):
            self.skipTest("Python %d.%d has no module that makes interpreters" % self.version[:2])
        self.check_at(1000, 0 if self.version < (3, 10) else WANTED[1000], "interpreter_pairs.py", rule=possible.PAIRS)


if __name__ == "__main__":
    harness.main()
