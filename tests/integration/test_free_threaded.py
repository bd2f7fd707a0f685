"""A build without a GIL: threads that run at the same time have their shares of the samples, and hardly a stack is torn.

    PYSPYC=build/pyspyc python3 test_free_threaded.py 3.13t
"""
import json
import sys
import time

import harness

RATE, SECONDS = 1000, 4
#: How far off a thread's share of the samples may be, and how much less of the intervals may have it than it was busy in.
#: They may be more: where others want the CPUs, too, many are looked at late, and count for running.
POINTS = 0.03
#: Of the intervals. A thread that was just going to another CPU at each of the tries leaves one.
MOST_TORN = 0.01


class TestFreeThreaded(harness.TestCase):

    def setUp(self):
        super().setUp()
        if not self.is_free_threaded:
            self.skipTest("this build has a GIL")

    def record_duties(self, *arguments):
        """(what was counted, {thread: samples}, {thread: share of the time that it was busy})"""
        target, _ = self.start_target("duties.py", *arguments)
        begin = time.perf_counter_ns()
        outcome, stacks = self.record("-t", "-r", RATE, "-d", SECONDS, "-p", target.pid)
        target.child.stdin.write(b"%d %d\n" % (begin, time.perf_counter_ns()))
        account = json.loads(target.finish()[1])
        busy = {name: used / account["whole"] for name, used in account["used"].items()}
        samples = {name: stacks.total(lambda stack: name in stack[1]) for name in busy}
        for name in busy:
            mixed = stacks.total(lambda stack: stacks.with_function(name)(stack) and name not in stack[1])
            self.assertEqual(mixed, 0, "%s() in other threads" % name)
        print("busy %s, samples %s, %s" % (busy, samples, outcome.counts()), file=sys.stderr)
        return outcome.counts(), samples, busy

    def check_shares(self, *arguments):
        counts, samples, busy = self.record_duties(*arguments)
        looks = counts["ok"] + counts["idle"]
        for name in busy:
            self.assertAlmostEqual(samples[name] / sum(samples.values()), busy[name] / sum(busy.values()), delta=POINTS,
                                   msg="%s's share of the samples" % name)
            self.assertGreater(samples[name] / looks, busy[name] - POINTS, "the share of intervals with " + name)
        self.assertLessEqual(counts["torn"], MOST_TORN * counts["intervals"])

    def test_three_threads(self):
        self.check_shares(3)

    def test_four_threads(self):
        self.check_shares(4)

    def test_beside_idle_threads(self):
        """It does not matter how many others sleep: who wakes up counts from then on."""
        self.check_shares(3, 30)


if __name__ == "__main__":
    harness.main()
