"""The benchmark's own arithmetic: it finds what is false, and nothing else. No profiler is run."""
import os
import random
import sys
import tempfile
import unittest

import count_calls
import measure
import profilers
import shares
from common import harness
from workloads import WORKLOADS

sys.path.insert(0, harness.PROGRAMS)

import pairs  # noqa: E402
import rounds  # noqa: E402


def stack_of(path):
    return ("process", *("%s (program.py:1)" % name for name in path.split("/")))


class TestChiSquare(unittest.TestCase):

    def test_tail(self):
        """The 5 % points of the tables."""
        for degrees, point in ((1, 3.8415), (2, 5.9915), (5, 11.0705), (10, 18.3070), (31, 44.9853)):
            self.assertAlmostEqual(shares.upper_tail(point, degrees), 0.05, places=5)
        self.assertEqual(shares.upper_tail(0, 3), 1)
        self.assertLess(shares.upper_tail(5000, 3), 1e-300)

    def draw(self, generator, weights, samples):
        return shares.collections.Counter(generator.choices(list(weights), weights.values(), k=samples))

    def test_fair_samples_pass(self):
        """p is uniform when there is no bias."""
        generator, truth = random.Random(1), {"half": 50, "thirty": 30, "fifteen": 15, "five": 5}
        values = [shares.chi_square_p(self.draw(generator, truth, 2000), truth) for _ in range(400)]
        for limit in (0.01, 0.1, 0.5):
            self.assertAlmostEqual(sum(value < limit for value in values) / 400, limit, delta=0.08)

    def test_planted_bias_is_found(self):
        truth, biased = {"plain": 49, "generator": 49, "consumer": 2}, {"plain": 45, "generator": 49, "consumer": 6}
        self.assertLess(shares.chi_square_p(self.draw(random.Random(2), biased, 3000), truth), 0.001)

    def test_too_little_to_say(self):
        self.assertIsNone(shares.chi_square_p({}, {"a": 1, "b": 1}))
        self.assertIsNone(shares.chi_square_p({"a": 3}, {"a": 1, "b": 1}))
        self.assertIsNotNone(shares.chi_square_p({"a": 30, "c": 1}, {"a": 1, "b": 1, "c": 0}))


class TestShares(unittest.TestCase):

    def test_innermost_phase(self):
        phases = {"consumer", "generator"}
        self.assertEqual(shares.phase_of(stack_of("main/consumer/generator/clock"), phases), "generator")
        self.assertEqual(shares.phase_of(stack_of("main/consumer"), phases), "consumer")
        self.assertEqual(shares.phase_of(stack_of("main"), phases), shares.OTHER)

    def test_thinned_samples_keep_their_shares(self):
        thinned = shares.thin({"a": 6000, "b": 4000}, 10)
        self.assertEqual(sum(thinned.values()), 1000)
        self.assertAlmostEqual(thinned["a"], 600, delta=60)
        self.assertEqual(shares.thin({"a": 7}, 1), {"a": 7})

    def test_error(self):
        comparison = shares.Comparison()
        comparison.add({"a": 60, "b": 40, "sleeping": 500}, {"a": 0.2, "b": 0.2})
        comparison.add({"a": 100, "b": 0}, {"a": 1, "b": 0})
        self.assertEqual(comparison.errors(), {"a": 5, "b": -5})
        self.assertEqual(comparison.largest_error(), 5)
        self.assertIsNone(shares.Comparison().largest_error())

    def test_true_shares(self):
        self.assertEqual(shares.true_shares({"a": 50, "b": 25}, 100), {"a": 0.5, "b": 0.25, shares.OTHER: 0.25})

    def test_counted_calls(self):
        counts = count_calls.calls_of(pairs.one_round)
        self.assertEqual((counts["one_round"], counts["a_3"], counts["b_5"]), (1, pairs.INNER, 3 * pairs.INNER))


class TestAccount(unittest.TestCase):
    """rounds.py tells what happened in a stretch of time."""

    def test_stretch(self):
        account = rounds.Account("working")
        for second in range(5):
            account.rounds, account.used[0] = 10 * second, second * 400000000
            account.note(second * 1000000000)
        answer = account.between(1500000000, 3000000000)
        self.assertEqual((answer["rounds"], answer["seconds"]), (15, 1.5))
        self.assertEqual(answer["used"], {"working": 600000000})
        self.assertEqual(answer["whole"], 1500000000)
        self.assertEqual(account.between(-7, 9000000000)["rounds"], 40)


class TestRules(unittest.TestCase):
    """What a workload cannot contain is found, and what it does contain is not."""

    DEEP = "<module>/main/down/down/run/one_round"
    THREAD = "_bootstrap/_bootstrap_inner/run"
    POSSIBLE = {
        "pairs": ["<module>/run/one_round/a_1/b_1", "<module>/run/one_round", "<module>/run/one_round/a_1/<GC>", "<module>"],
        "shared": ["<module>/run/one_round/r_1/m/x_1", "<module>/run/one_round/r_1/m", "<module>/run"],
        "generators": ["<module>/run/one_round/u_1/g_1", "<module>/run/one_round/u_1"],
        "deep-6": ["<module>/main/run/one_round/a_1/b_1"],
        "deep-100": ["<module>/main/" + 94 * "down/" + "run/one_round/a_2/b_2", "<module>/main/" + 94 * "down/" + "run"],
        "idle-100": ["<module>/main/run/one_round/a_1/b_1"],
        "threads-32": [THREAD + "/sleeper/rest", "<module>/main/run/one_round/a_1/b_1"],
        "gil-8": [THREAD + "/worker_1/work/one_round/a_2/b_2", "<module>/main/run/look_on"],
    }
    IMPOSSIBLE = {
        "pairs": ["<module>/run/one_round/a_1/b_2", "<module>/run/one_round/b_2", "a_1/b_1", "<module>/run/a_1/b_1",
                  "<module>/run/one_round/a_1/b_1/a_1", "<module>/run/one_round/a_1/one_round/a_1"],
        "shared": ["<module>/run/one_round/r_1/m/x_2", "<module>/run/one_round/m/x_2", "<module>/run/one_round/m",
                   "<module>/run/one_round/r_2/x_2", "r_2/m"],
        "generators": ["<module>/run/one_round/u_1/g_2", "<module>/run/one_round/g_1"],
        "deep-6": ["<module>/main/down/run/one_round/a_1/b_1", "run/one_round/a_1"],
        "deep-100": ["<module>/main/" + 93 * "down/" + "run/one_round/a_2/b_2", "<module>/main/" + 94 * "down/" + "run/a_2"],
        "idle-100": [THREAD + "/sleeper/rest", "<module>/main/run/one_round/a_1/b_2"],
        "threads-32": [THREAD + "/sleeper/rest/b_1"],
        "gil-8": [THREAD + "/worker_1/work/one_round/a_2/b_1", THREAD + "/worker_1/work/a_2"],
    }

    def check(self, table, is_possible):
        workloads = {workload.name: workload for workload in WORKLOADS}
        for name, paths in table.items():
            for path in paths:
                with self.subTest(workload=name, path=path):
                    self.assertEqual(workloads[name].is_possible(stack_of(path)), is_possible)

    def test_possible(self):
        self.check(self.POSSIBLE, True)

    def test_impossible(self):
        self.check(self.IMPOSSIBLE, False)

    def test_every_program_is_there(self):
        for workload in WORKLOADS:
            self.assertTrue(os.path.exists(workload.path), workload.path)


class TestReaders(unittest.TestCase):
    """What the profilers write, as their manuals say."""

    def read(self, profiler, text):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            return profiler.stacks(file.name).counts

    def test_stacks(self):
        stack = ("process", "<module> (a/p.py:12)", "f (a/p.py:3)")
        self.assertEqual(self.read(profilers.PySpy(), "<module> (a/p.py:12);f (a/p.py:3) 7\n"), {stack: 7})
        self.assertEqual(self.read(profilers.Tachyon("python"), "tid:9;a/p.py:<module>:12;a/p.py:f:3 7\n"), {stack: 7})
        self.assertEqual(self.read(profilers.Austin(), "# mode: wall\nP1;T2;a/p.py:<module>:12;a/p.py:f:3 1005\n"), {stack: 1})

    def test_losses(self):
        said = "9 samples in 1 s; of 20 intervals: 9 ok, 3 idle, 5 torn, 1 unreadable, 2 missed"
        self.assertEqual(profilers.Pyspyc().lost(said, 9), 8)
        said = "Captured 2000 samples in 2.00 seconds\nSample rate: 999.97 samples/sec\nError rate: 24.40\n"
        self.assertEqual(profilers.Tachyon("python").lost(said, 1512), 488)


class TestSearch(unittest.TestCase):

    def test_highest_rate(self):
        found = measure.search_rate(lambda rate: rate <= 17300)
        self.assertLessEqual(found, 17300)
        self.assertGreater(found * measure.RATE_PRECISION, 17200)
        self.assertIsNone(measure.search_rate(lambda rate: False))


if __name__ == "__main__":
    unittest.main()
