# SPDX-License-Identifier: MIT
"""The flame graph of two recordings: what changed, in colours and words, in every view of it.

    PYSPYC_RENDER_FOLDED=build/tests/render-folded /usr/bin/python3 tests/browser/test_flamegraph_diff.py
"""
import math
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import page

# Of 1000 and 2000 samples: grow takes 10 points more, shrink 20 less, old goes (5), new comes (15), steady stays.
BEFORE = b"""\
main (app/main.py:1);grow (app/main.py:10) 200
main (app/main.py:1);shrink (app/main.py:20);helper (app/main.py:50) 400
main (app/main.py:1);old (app/main.py:30);helper (app/main.py:50) 50
main (app/main.py:1);steady (app/main.py:40) 350
"""
AFTER = b"""\
main (app/main.py:1);grow (app/main.py:10) 600
main (app/main.py:1);shrink (app/main.py:20);helper (app/main.py:50) 400
main (app/main.py:1);new (app/main.py:60) 300
main (app/main.py:1);steady (app/main.py:40) 700
"""


def error_in_points(before, after):
    """The standard error of a change, by the textbook, with one sample more on either side of the share."""
    share = (before + after + 1) / 3002
    return 100 * math.sqrt(share * (1 - share) * (1 / 1000 + 1 / 2000))


class DiffTest(page.PageTest):
    def classes(self):
        return self.run_js("""return Object.fromEntries(labels().map((label) =>
            [label.textContent.split(' ')[0], rectOf(label.textContent).getAttribute('class')]))""")

    def test_colours_tell_how_total_time_changed(self):
        self.show(AFTER, before=BEFORE)
        classes = self.classes()
        for name, wanted in (("all", "same"), ("main", "same"), ("grow", "u2"), ("shrink", "d2"), ("old", "d2 gone"),
                             ("new", "u2"), ("steady", "same")):
            self.assertEqual(classes[name], wanted, name)
        helpers = self.run_js("""return labels().filter((label) => label.textContent.startsWith('helper')).map((label) =>
            rects().find((rect) => number(rect, 'y') + 13 === number(label, 'y') &&
                Math.abs(number(rect, 'x') + 4 - number(label, 'x')) < 0.1).getAttribute('class'))""")
        self.assertEqual(sorted(helpers), ["d2", "d2 gone"])

    def test_the_tip_tells_from_and_to(self):
        self.show(AFTER, before=BEFORE)
        for name, rows in (
                ("grow", ["total | 2.000 s → 6.000 s | +4.000 s | 20.00 % → 30.00 % | +10.00 points | ",
                          "self | 2.000 s → 6.000 s | +4.000 s | 20.00 % → 30.00 % | +10.00 points | "]),
                ("new", ["total | 0.000 s → 3.000 s | +3.000 s | 0.00 % → 15.00 % | +15.00 points | new",
                         "self | 0.000 s → 3.000 s | +3.000 s | 0.00 % → 15.00 % | +15.00 points | new"]),
                ("old", ["total | 0.500 s → 0.000 s | -0.500 s | 5.00 % → 0.00 % | -5.00 points | gone",
                         "self | 0.000 s → 0.000 s | +0.000 s | 0.00 % → 0.00 % | +0.00 points | "]),
                ("steady", ["total | 3.500 s → 7.000 s | +3.500 s | 35.00 % → 35.00 % | +0.00 points | may be noise",
                            "self | 3.500 s → 7.000 s | +3.500 s | 35.00 % → 35.00 % | +0.00 points | may be noise"])):
            self.point(name)
            self.assertEqual(self.tip()[3:], rows, name)

    def test_what_is_gone_is_as_wide_as_it_was(self):
        self.show(AFTER, before=BEFORE)
        self.assertAlmostEqual(self.width("old"), 100 / 2100, delta=0.001)
        self.assertAlmostEqual(self.width("new"), 300 / 2100, delta=0.001)
        self.assertAlmostEqual(self.width("shrink"), 400 / 2100, delta=0.001)

    def test_callees_first_adds_changes_up(self):
        self.show(AFTER, before=BEFORE, hash="#order=callee")
        self.point("helper")
        self.assertEqual(self.tip()[3:], [
            "total | 4.500 s → 4.000 s | -0.500 s | 45.00 % → 20.00 % | -25.00 points | ",
            "self | 4.500 s → 4.000 s | -0.500 s | 45.00 % → 20.00 % | -25.00 points | "])
        self.assertEqual(self.classes()["helper"], "d2")
        self.assertEqual(self.classes()["old"], "d2 gone")

    def test_hidden_frames_give_their_change_to_their_callers(self):
        self.show(AFTER, before=BEFORE, hash="#hide=frame:helper (app/main.py)")
        self.point("shrink")
        self.assertEqual(self.tip()[-1],
                         "self | 4.000 s → 4.000 s | +0.000 s | 40.00 % → 20.00 % | -20.00 points | ")

    def test_colours_can_be_of_self_time_or_kinds(self):
        self.show(AFTER, before=BEFORE)
        self.choose("Colours", "Change of self")
        self.assertEqual(self.classes()["shrink"], "same")
        self.assertEqual(self.hash(), "#colours=self")
        self.choose("Colours", "Colours by kind")
        self.assertEqual(self.classes()["shrink"][0], "o")

    def test_a_key_goes_through_the_colours(self):
        self.show(AFTER, before=BEFORE)
        self.browser.press("k")
        self.assertEqual(self.hash(), "#colours=self")
        self.browser.press("k", "k", "k")
        self.assertEqual(self.hash(), "")
        self.assertEqual(self.classes()["grow"], "u2")

    def test_noise_begins_where_it_should(self):
        """What changed by a bit more than three errors and half a look is seen; by a bit less, it is not."""
        for after in range(200, 300):
            points = 100 * (after / 2000 - 100 / 1000) - 100 * (1 / 1000 + 1 / 2000) / 2
            if abs(points) > 3 * error_in_points(100, after):
                break
        for samples, expected in ((after, "u1"), (after - 1, "same")):
            self.show(b"one (a.py:1) %d\nrest (a.py:2) %d\n" % (samples, 2000 - samples),
                      before=b"one (a.py:1) 100\nrest (a.py:2) 900\n")
            self.assertEqual(self.classes()["one"], expected)

    def test_the_still_picture_has_the_same_colours(self):
        path = self.render(AFTER, before=BEFORE)
        with open(path, encoding="utf-8") as file:
            still = file.read()
        for name, class_name in (("grow", "u2"), ("shrink", "d2"), ("old", "gone"), ("new", "u2"), ("steady", "same")):
            self.assertRegex(still, r'<rect class="%s"[^>]*><title>%s \(' % (class_name, name))
        self.assertIn("total 2.000 s → 6.000 s (+4.000 s), 20.00 % → 30.00 % (+10.00 points)", still)

    def test_a_picture_of_one_recording_knows_no_changes(self):
        self.show(AFTER, hash="#colours=total")
        self.assertEqual(self.classes()["grow"][0], "o")
        self.assertEqual(self.run_js("return document.querySelector('select[aria-label^=Colours]').value"), "kind")


if __name__ == "__main__":
    page.main()
