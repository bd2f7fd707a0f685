"""diff and merge: recordings of two versions of a program are compared, and recordings put together.

    PYSPYC=build/pyspyc python3 test_diff.py [VERSION | PYTHON]
"""
import json
import os
import re
import unittest
import xml.etree.ElementTree as ElementTree

import harness

ROUNDS = 150
#: Points and shares of seconds by which the table may differ from what the program has measured.
POINTS_OFF = 8.0
SECONDS_OFF = 0.25
#: How a program starts differs from run to run; what it then does is known.
WORK = r"^main .*versions"

ROW = re.compile(r"\s*(?P<before>-|[\d.]+ s)\s+(?P<before_share>-|[\d.]+ %)\s+(?P<after>-|[\d.]+ s)\s+"
                 r"(?P<after_share>-|[\d.]+ %)\s+(?P<more>[+-][\d.]+) s\s+(?P<points>[+-][\d.]+) pt "
                 r"(?P<noise>[~ ]) (?P<note>new |gone|    ) (?P<name>.+?)(?: \((?P<place>.*)\))?")


def number(text):
    return 0.0 if text == "-" else float(text.split()[0])


class Table:
    """What a diff's table says: rows by name of its two parts."""

    def __init__(self, text):
        parts = re.split(r"^(?:Self|Total) time: .*$", text, flags=re.MULTILINE)
        self.head = parts[0]
        self.self, self.total = ({match["name"]: match for match in map(ROW.fullmatch, part.splitlines()) if match}
                                 for part in parts[1:])


class VersionsTest(harness.TestCase):

    def keep(self, name, version, *options, rounds=ROUNDS):
        """Records a version of the program; returns the recording's path and what the program has measured."""
        path = self.path(name)
        outcome = self.run_pyspyc("record", "-r", "500", "-o", path, *options, "--", self.python,
                                  harness.program("versions.py"), version, str(rounds))
        self.assertEqual(outcome.status, 0, outcome)
        return path, json.loads(outcome.output)

    def raw(self, *arguments):
        outcome = self.run_pyspyc(*arguments, "-f", "raw", "-o", "-")
        self.assertEqual(outcome.status, 0, outcome)
        return harness.Stacks(outcome.output)


class TestDiff(VersionsTest):

    def diff(self, *arguments):
        outcome = self.run_pyspyc("diff", *arguments)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def test_the_table_tells_what_the_program_has_measured(self):
        before, old = self.keep("before.pyspyc", "before")
        after, new = self.keep("after.pyspyc", "after", rounds=ROUNDS // 2)
        outcome = self.diff(before, after, "-o", "-", "--noise", "--top", "1000", "--focus", WORK)
        table = Table(outcome.output)
        self.assertIn('focus "%s"' % WORK, table.head)
        old_all, new_all = sum(old.values()), sum(new.values())
        for name in sorted(set(old) | set(new)):
            row = table.self[name]
            with self.subTest(name, row=row[0]):
                was, now = old.get(name, 0.0), new.get(name, 0.0)
                self.assertAlmostEqual(number(row["before_share"]), 100 * was / old_all, delta=POINTS_OFF)
                self.assertAlmostEqual(number(row["after_share"]), 100 * now / new_all, delta=POINTS_OFF)
                self.assertAlmostEqual(float(row["points"]), 100 * (now / new_all - was / old_all), delta=POINTS_OFF)
                self.assertAlmostEqual(float(row["more"]), now - was, delta=SECONDS_OFF * max(was, now) + 0.05)
                self.assertEqual(row["noise"], " ")
        self.assertEqual(table.self["removed"]["note"], "gone")
        self.assertEqual(table.self["added"]["note"], "new ")
        self.assertEqual(table.total["main"]["noise"], "~")
        self.assertRegex(table.self["changed"]["place"], r"versions\.py:\d+$")

    def test_seconds_are_compared_when_wanted(self):
        before, _ = self.keep("before.pyspyc", "before")
        after, _ = self.keep("after.pyspyc", "after")
        outcome = self.diff(before, after, "-o", "-", "--normalize", "none", "--focus", WORK)
        table = Table(outcome.output)
        self.assertIn("Compared are seconds", table.head)
        self.assertGreater(float(table.self["changed"]["more"]), 0.5)
        self.assertGreater(float(table.total["main"]["more"]), 0.5)
        if "steady" in table.self:  # when something else had the CPU
            self.assertLess(float(table.self["steady"]["more"]), float(table.self["changed"]["more"]) / 2)

    def test_the_same_program_did_not_change(self):
        before, _ = self.keep("one.pyspyc", "after")
        after, _ = self.keep("two.pyspyc", "after", rounds=2 * ROUNDS)
        table = Table(self.diff(before, after, "-o", "-", "--focus", WORK).output)
        self.assertEqual([row[0] for row in table.self.values()], [])
        self.assertEqual([row[0] for row in table.total.values()], [])

    def test_without_an_output_there_are_a_table_and_a_picture(self):
        before, _ = self.keep("before.pyspyc", "before", rounds=30)
        after, _ = self.keep("after.pyspyc", "after", rounds=30)
        outcome = self.diff(before, after)
        self.assertIn("Self time", outcome.output)
        self.assertNotIn("\033", outcome.output)
        names = [name for name in os.listdir(self.folder) if name.endswith(".svg")]
        self.assertEqual(len(names), 1)
        self.assertIn("wrote", outcome.errors)
        picture = ElementTree.parse(self.path(names[0]))
        classes = {rect.get("class") for rect in picture.iter("{http://www.w3.org/2000/svg}rect")}
        self.assertTrue({"gone", "u2", "same"} <= classes, classes)

    def test_outputs_are_chosen_by_ending(self):
        before, _ = self.keep("before.pyspyc", "before", rounds=10)
        outcome = self.diff(before, before, "-o", self.path("d.svg"), "-o", self.path("d.txt"))
        self.assertEqual(outcome.output, "")
        with open(self.path("d.svg"), encoding="utf-8") as picture, open(self.path("d.txt"), encoding="utf-8") as table:
            self.assertTrue(picture.read().startswith("<?xml"))
            self.assertIn("Self time", table.read())

    def fail_over(self, *arguments):
        """The status, and {function: (share after, share before, points)} of those that are named."""
        outcome = self.run_pyspyc("diff", *arguments)
        named = re.findall(r"^pyspyc: (\S+) \(\S+\) takes ([\d.]+) % of the time .*, ([\d.]+) % before: \+([\d.]+) points$",
                           outcome.errors, re.MULTILINE)
        return outcome, {name: tuple(map(float, numbers)) for name, *numbers in named}

    def test_growth_can_fail_a_job(self):
        before, old = self.keep("before.pyspyc", "before")
        after, new = self.keep("after.pyspyc", "after")
        old_all, new_all = sum(old.values()), sum(new.values())
        outcome, named = self.fail_over(before, after, "--fail-over", "5", "-o", "-", "-o", self.path("d.svg"), "--focus", WORK)
        self.assertEqual(outcome.status, 3, outcome)
        self.assertEqual(set(named), {"changed", "added"})
        for name, (now, was, points) in named.items():
            self.assertAlmostEqual(now, 100 * new[name] / new_all, delta=POINTS_OFF)
            self.assertAlmostEqual(was, 100 * old.get(name, 0) / old_all, delta=POINTS_OFF)
            self.assertAlmostEqual(points, now - was, delta=0.11)
        self.assertIn("2 functions grew by more than 5 points", outcome.errors)
        # The outputs are there, as without it.
        self.assertIn("Self time", outcome.output)
        ElementTree.parse(self.path("d.svg"))
        # The shares are of what is shown: of what is hidden nothing is said, and its time is that of its caller.
        outcome, named = self.fail_over(before, after, "--fail-over", "5", "-o", "-", "--focus", WORK, "--hide", "^added ")
        self.assertEqual((outcome.status, set(named)), (3, {"changed", "main"}), outcome)
        outcome, named = self.fail_over(before, after, "--fail-over", "5", "-o", "-", "--focus", "^steady ")
        self.assertEqual((outcome.status, named), (0, {}), outcome)
        # It grew by some 18 points, of which chance can take a few.
        self.assertEqual(self.fail_over(before, after, "--fail-over", "60", "-o", "-", "--focus", WORK)[0].status, 0)
        # With what they call, which here only main does, to which all time belongs in both.
        outcome, named = self.fail_over(before, after, "--fail-over", "total:5", "-o", "-", "--focus", WORK)
        self.assertEqual((outcome.status, set(named)), (3, {"changed", "added"}), outcome)
        self.assertIn("with what it calls", outcome.errors)
        # The other way around, what fell grew.
        outcome, named = self.fail_over(after, before, "--fail-over", "5", "-o", "-", "--focus", WORK)
        self.assertEqual((outcome.status, set(named)), (3, {"steady", "removed"}), outcome)

    def test_chance_does_not_fail_a_job(self):
        one, _ = self.keep("one.pyspyc", "after")
        two, _ = self.keep("two.pyspyc", "after")
        outcome, named = self.fail_over(one, two, "--fail-over", "0", "-o", "-", "--focus", WORK)
        self.assertEqual((outcome.status, named), (0, {}), outcome)

    def test_a_job_that_can_tell_nothing_says_so(self):
        before, _ = self.keep("before.pyspyc", "before", rounds=8)
        after, _ = self.keep("after.pyspyc", "after", rounds=8)
        outcome, named = self.fail_over(before, after, "--fail-over", "1", "-o", "-", "--focus", "^steady ")
        self.assertEqual((outcome.status, named), (0, {}), outcome)
        self.assertRegex(outcome.errors, r"of so few samples \(\d+ before, \d+ after\), growth by 1 points may go unnoticed")
        outcome, named = self.fail_over(before, after, "--fail-over", "1", "-o", self.path("d.txt"), "--focus", "^removed ")
        self.assertEqual((outcome.status, named), (1, {}), outcome)
        self.assertIn("the recording after has no samples to show", outcome.errors)
        self.assertTrue(os.path.exists(self.path("d.txt")))

    def test_mistakes_are_named(self):
        before, _ = self.keep("before.pyspyc", "before", rounds=2)
        for arguments, message in (
                (("diff", before), "diff needs two recordings"),
                (("diff", before, before, before), "diff takes two recordings; 'pyspyc merge'"),
                (("diff", before, before, "-o", "d.json"), "no format of a diff is known for 'd.json'"),
                (("diff", before, before, "-f", "tabel"), "did you mean 'table'?"),
                (("diff", before, before, "--normalize", "time"), "'share' or 'none'"),
                (("diff", before, before, "--lines", "-F"), "exclude each other"),
                (("diff", before, before, "--focus", "("), "not a regular expression"),
                (("diff", before, before, "--fail-over", "5%"), "--fail-over takes percentage points, 0 to 100"),
                (("diff", before, before, "--fail-over", "5", "--normalize", "none"), "--fail-over compares shares"),
                (("merge", before), "merge needs a file to write, with -o: pyspyc merge -o all.pyspyc"),
                (("merge", "-o", "all.pyspyc"), "merge needs recordings")):
            outcome = self.run_pyspyc(*arguments)
            self.assertEqual(outcome.status, 2, outcome)
            self.assertIn(message, outcome.errors)
        outcome = self.run_pyspyc("diff", before, self.path("nothing.pyspyc"))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("nothing.pyspyc", outcome.errors)


class TestMerge(VersionsTest):

    def test_the_sum_has_what_its_parts_have(self):
        parts = [self.keep("%d.pyspyc" % i, version, rounds=40)[0] for i, version in enumerate(("before", "after"))]
        merged = self.path("all.pyspyc")
        outcome = self.run_pyspyc("merge", "-o", merged, *parts)
        self.assertEqual(outcome.status, 0, outcome)
        counts = {}
        for part in parts:
            for stack, count in self.raw("report", part).counts.items():
                counts[stack[1:]] = counts.get(stack[1:], 0) + count
        whole = self.raw("report", merged)
        self.assertEqual({stack[1:]: count for stack, count in whole.counts.items()}, counts)
        apart = self.raw("report", merged, "-s")
        self.assertEqual(len({stack[1] for stack in apart.counts}), 2)
        self.assertEqual(apart.total(), whole.total())

    def test_a_picture_can_be_made_at_once(self):
        part, _ = self.keep("part.pyspyc", "before", rounds=20)
        outcome = self.run_pyspyc("merge", "-o", self.path("all.svg"), part, part)
        self.assertEqual(outcome.status, 0, outcome)
        ElementTree.parse(self.path("all.svg"))
        self.assertEqual(sorted(os.listdir(self.folder)), ["all.svg", "part.pyspyc"])
        self.assertEqual(self.raw("merge", part, part).total(), 2 * self.raw("report", part).total())

    def test_a_recording_that_was_cut_off_is_taken_as_far_as_it_goes(self):
        whole, _ = self.keep("whole.pyspyc", "before", rounds=100)
        cut = self.path("cut.pyspyc")
        with open(whole, "rb") as file, open(cut, "wb") as out:
            out.write(file.read()[:-20])
        outcome = self.run_pyspyc("merge", "-o", self.path("all.pyspyc"), whole, cut)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("cut.pyspyc is not finished", outcome.errors)
        both = self.raw("report", self.path("all.pyspyc")).total()
        self.assertEqual(both, self.raw("report", whole).total() + self.raw("report", cut).total())


if __name__ == "__main__":
    harness.main()
