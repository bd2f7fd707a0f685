"""No impossible stack of a target that is thrown between CPUs, fights over the GIL, or has to share the CPUs.

    PYSPYC=build/pyspyc python3 test_disturbed.py [INTERPRETER]

What the profiler has left out, and how much of it was late, is printed. Without root most of it is left out, which is said.
"""
import os
import sys

import harness
import possible

RATE = 2000
SECONDS = 2
#: Fewer samples than this would prove nothing.
LEAST_SAMPLES = 200
#: How much of the moves that were wanted has to be made. A virtual machine can lose its CPUs for a while.
LEAST_MOVES = 0.5
#: It ends when the test does, whatever ends that.
COMPETITOR = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(1000))"


class TestDisturbed(possible.PossibleCase):

    def need_root(self, reason):
        if os.geteuid() != 0:
            print("%s is left out: %s takes root" % (self.id(), reason), file=sys.stderr)
            self.skipTest(reason)

    def check(self, name, rule, disturbance, competitors=()):
        """Competitors come when the target is there: a free-threaded build takes many seconds to start beside them."""
        target, _ = self.start_target(name)
        started = [self.start_competitor(*competitor) for competitor in competitors]
        case = "%s, %s" % (name, disturbance)
        self.assertGreater(self.record_possible(target, rule, RATE, SECONDS, case), LEAST_SAMPLES, case)
        for process in [target] + started:
            process.end()

    def check_thrown(self, name, rule, period_us, note="", **options):
        target, _ = self.start_target(name, **options)
        mover = self.start(sys.executable, os.path.join(harness.HERE, "mover.py"), target.pid, period_us)
        self.assertEqual(mover.read_line(), "ready")
        case = "%s, thrown every %g ms%s" % (name, period_us / 1000, note)
        samples = self.record_possible(target, rule, RATE, SECONDS, case, **options)
        moves, seconds = [float(word) for word in mover.finish()[1].split()]
        print("moved %d times in %.1f s" % (moves, seconds), file=sys.stderr)
        self.assertGreater(samples, LEAST_SAMPLES, case)
        self.assertGreater(moves, LEAST_MOVES * seconds / period_us * 1e6, case)
        target.end()

    def start_competitor(self, is_apart, nice):
        """A busy process in our autogroup, or apart in one of its own, where it is the group that is niced (sched(7))."""
        def be_nice():
            if is_apart:
                with open("/proc/self/autogroup", "w") as file:
                    file.write(str(nice))
            os.nice(nice)

        return self.start(sys.executable, "-c", COMPETITOR, start_new_session=is_apart, preexec_fn=be_nice)

    def test_thrown(self):
        self.need_root("throwing so often")
        for period_us in (10000, 1000, 100):
            self.check_thrown("pairs.py", possible.PAIRS, period_us)
            self.check_thrown("shared.py", possible.SHARED, period_us)

    def test_thrown_without_rseq(self):
        """Neither the program nor the profiler has the kernel's word for where it is, and whether it was preempted."""
        self.need_root("throwing so often")
        environment = self.environment(GLIBC_TUNABLES="glibc.pthread.rseq=0")
        for period_us in (10000, 1000):
            self.check_thrown("pairs.py", possible.PAIRS, period_us, ", without rseq", env=environment)

    def test_fight_for_the_gil(self):
        if self.version < (3,):
            self.skipTest("gil_fight.py needs Python 3")
        self.check("gil_fight.py", possible.PAIRS, "eight threads")

    def test_fight_for_the_gil_while_thrown(self):
        if self.version < (3,):
            self.skipTest("gil_fight.py needs Python 3")
        self.need_root("throwing so often")
        self.check_thrown("gil_fight.py", possible.PAIRS, 1000)

    def test_competitors(self):
        competitors = [(False, 0)] * 4
        self.check("pairs.py", possible.PAIRS, "4 competitors", competitors)
        self.check("shared.py", possible.SHARED, "4 competitors", competitors)

    def test_unequal_competitors(self):
        self.need_root("a higher priority")
        competitors = [(is_apart, nice) for is_apart in (False, True) for nice in (-5, 5)]
        self.check("pairs.py", possible.PAIRS, "4 unequal competitors", competitors)
        self.check("shared.py", possible.SHARED, "4 unequal competitors", competitors)


if __name__ == "__main__":
    harness.main()
