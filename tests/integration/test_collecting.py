"""Garbage collection is a frame of its own, <GC>, where the version lets us see it: its share, its place, and its thread.

    PYSPYC=build/pyspyc python3 test_collecting.py [INTERPRETER]
"""
import json

import harness

RATE = 500
MARK = "<GC>"


def is_collection(stack):
    return MARK in stack


def is_in(function):
    return lambda stack: any(harness.function_name(frame) == function for frame in stack)


class TestCollecting(harness.TestCase):

    def setUp(self):
        super().setUp()
        self.shows_collections = self.version >= (3, 9)
        self.knows_where_it_began = self.version >= (3, 15)

    def record_target(self, mode, seconds):
        target, _ = self.start_target("collecting.py", mode)
        outcome, stacks = self.record("-r", RATE, "-d", seconds, "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_unharmed(target)
        return stacks

    def test_share(self):
        """Four standard deviations of as many samples if they were independent, and one point for what is not chance."""
        target, _ = self.start_target("collecting.py", "share", 3)
        outcome, stacks = self.record("-r", RATE, "-p", target.pid)
        truth = json.loads(target.finish()[1])
        samples = stacks.total(is_in("share"))
        self.assertGreater(samples, 1000, outcome)
        if not self.shows_collections:
            self.assertEqual(stacks.total(is_collection), 0)
            return
        found = stacks.share(is_collection, is_in("share"))
        bound = 4 * (truth * (1 - truth) / samples) ** 0.5 + 0.01
        self.assertLess(abs(found - truth), bound, "%.4f of %d samples, %.4f of the time" % (found, samples, truth))
        for stack in filter(is_collection, stacks.counts):
            self.assertEqual(harness.function_name(stack[-2]), "collect", stack)
            self.assertEqual(stack[-1], MARK)

    def test_program_that_never_collects(self):
        stacks = self.record_target("never", 1)
        self.assertGreater(stacks.total(is_in("never")), 200)
        self.assertEqual(stacks.total(is_collection), 0)

    def test_other_threads_do_not_collect(self):
        stacks = self.record_target("beside", 1)
        self.assertGreater(stacks.total(is_in("spin")), 100)
        self.assertEqual(stacks.total(lambda stack: is_in("spin")(stack) and is_collection(stack)), 0)
        if self.shows_collections:
            self.assertGreater(stacks.total(lambda stack: is_in("collect")(stack) and is_collection(stack)), 50)

    def test_finalizers(self):
        """They are called by the collection; before 3.15, where it began is not known, and it seems innermost."""
        if self.version < (3, 4):
            self.skipTest("Python %d.%d does not collect objects with finalizers" % self.version[:2])
        stacks = self.record_target("finalize", 1)
        finalizing = [stack for stack in stacks.counts if is_in("finalize")(stack)]
        self.assertGreater(stacks.total(is_in("finalize")), 100)
        for stack in finalizing:
            names = [harness.function_name(frame) for frame in stack]
            if self.knows_where_it_began:
                self.assertEqual(names[names.index("collect") + 1:][:3], [MARK, "__del__", "finalize"], stack)
            elif self.shows_collections:
                self.assertEqual(names[-1], MARK, stack)


if __name__ == "__main__":
    harness.main()
