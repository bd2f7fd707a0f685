# SPDX-License-Identifier: MIT
"""The HTML page with the time axis, as people use it, in Chromium: of a recording of a real program.

    /usr/bin/python3 tests/browser/test_page.py PYSPYC
"""
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import page
import webdriver

PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs", "phases.py")
PYSPYC = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.exists(sys.argv[1]) else os.environ.get("PYSPYC")


class PageTest(page.PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = os.path.join(cls.folder.name, "page.html")
        for _ in range(5):
            subprocess.run([PYSPYC, "record", "-F", "-r", "500", "-o", cls.page, "--", sys.executable, "-B", PROGRAM],
                           check=True, stderr=subprocess.DEVNULL)
            # On a busy machine its thread may have ended before it is looked at.
            with open(cls.page, encoding="utf-8") as file:
                if ': beside"' in file.read():
                    break

    def open(self, hash=""):
        self.browser.resize(1200, 900)
        self.browser.open("about:blank")
        self.browser.open("file://" + self.page + hash)

    def samples(self, function):
        """The share of a function in the graph that is shown, as its search says."""
        field = self.browser.find(".search input")
        self.browser.click(field)
        self.browser.press_with("Control", "a")
        self.browser.press(*(r"^%s\b" % function))
        return float(self.texts(".search output")[0].split("matched ")[1].split(" ")[0])

    def area(self):
        return self.run_js("""
            const area = document.querySelector('svg.time').getBoundingClientRect();
            return [area.left, area.top, area.width, area.height]""")

    def drag(self, begin, end):
        """From one share of the time axis to another."""
        left, top, width, height = self.area()
        at = lambda share: {"type": "pointerMove", "duration": 20, "x": round(left + share * width), "y": round(top + 20)}
        self.browser._request("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                at(begin), {"type": "pointerDown", "button": 0}, at((begin + end) / 2), at(end),
                {"type": "pointerUp", "button": 0}]}]})
        self.next_frame()

    def fields(self):
        return self.run_js("return Array.from(document.querySelectorAll('.time-row input'), (input) => Number(input.value))")

    def test_at_first_all_of_the_time_is_shown(self):
        self.open()
        self.assertGreater(self.samples("first"), 20)
        self.assertGreater(self.samples("second"), 20)
        begin, end = self.fields()
        self.assertEqual(begin, 0)
        self.assertGreater(end, 1.9)

    def test_each_thread_has_a_lane(self):
        self.open()
        lanes = self.texts(".lane-label")
        self.assertEqual(len(lanes), 2)
        self.assertEqual(lanes, ["MainThread", "beside"])
        titles = self.run_js("return Array.from(document.querySelectorAll('.lane-label'), (label) => label.title)")
        self.assertRegex(titles[1], r"thread \(\d+\): beside: click to show it alone$")
        self.assertGreaterEqual(self.run_js("return document.querySelectorAll('svg.time path').length"), 2)

    def show_folded(self, lines):
        self.browser.open("about:blank")
        path = os.path.join(self.folder.name, "folded.html")
        subprocess.run([PYSPYC, "report", self.file("folded.txt", lines), "-o", path], check=True, stderr=subprocess.DEVNULL)
        self.browser.open("file://" + path)

    def test_the_main_thread_has_a_lane_among_many(self):
        lines = ["app;thread (%d): pool-%d;f (a.py:1) %d" % (i, i, 20 + i) for i in range(20, 40)]
        self.show_folded("\n".join(["app;thread (1): MainThread;f (a.py:1) 3"] + lines).encode() + b"\n")
        lanes = self.texts(".lane-label")
        self.assertEqual((lanes[0], lanes[1], lanes[-1], len(lanes)), ("MainThread", "pool-39", "10 other threads", 12))

    def test_lanes_of_several_processes_tell_which(self):
        self.show_folded(b"".join(b"app;process %d: python /home/me/a.py;thread (%d): MainThread;f (a.py:1) 9\n" % (i, i)
                                  for i in (12, 34)))
        self.assertEqual(self.texts(".lane-label"), ["MainThread of 12", "MainThread of 34"])

    def test_dragging_selects_a_range(self):
        self.open()
        self.drag(0.70, 0.95)
        self.assertEqual(self.samples("first"), 0)
        self.assertGreater(self.samples("second"), 95)
        begin, end = self.fields()
        self.assertAlmostEqual((end - begin) / begin, 0.25 / 0.70, delta=0.02)
        self.drag(0.15, 0.30)
        self.assertGreater(self.samples("first"), 30)
        self.assertEqual(self.samples("second"), 0)

    def test_an_edge_can_be_moved(self):
        self.open()
        self.drag(0.50, 0.60)
        begin, _ = self.fields()
        self.drag(0.60, 0.90)
        moved, end = self.fields()
        self.assertAlmostEqual(moved, begin, delta=0.01)
        self.assertAlmostEqual(end / begin, 0.90 / 0.50, delta=0.03)

    def test_the_range_can_be_typed(self):
        self.open()
        inputs = self.browser.run("return Array.from(document.querySelectorAll('.time-row input'))")
        end = self.fields()[1]
        times = ["%.1f" % (end - 0.8), "%.1f" % (end - 0.3)]  # in the second phase
        for element, text in zip(inputs, times):
            self.browser.click(element)
            self.browser.press_with("Control", "a")
            self.browser.press(*text, "Tab")
        self.assertEqual(self.fields(), [float(time) for time in times])
        self.assertGreater(self.samples("second"), 95)

    def test_all_shows_all_again_and_so_does_the_back_button(self):
        self.open()
        before = self.samples("first")
        self.search("")
        self.drag(0.70, 0.95)
        self.push("All", ".time-row")
        self.assertAlmostEqual(self.samples("first"), before, delta=0.01)
        self.open()
        self.drag(0.70, 0.95)
        self.assertIn("time=", self.hash())
        self.browser.run("history.back()")
        self.browser.run_async("setTimeout(arguments[0], 100)")
        self.assertNotIn("time=", self.hash())
        self.assertAlmostEqual(self.samples("first"), before, delta=0.01)

    def test_a_link_shows_the_range(self):
        self.open()
        end = self.fields()[1]
        times = [round(end - 0.8, 1), round(end - 0.3, 1)]  # in the second phase
        self.open("#time=%.1f-%.1f" % tuple(times))
        self.assertEqual(self.fields(), times)
        self.assertEqual(self.samples("first"), 0)
        self.assertGreater(self.samples("second"), 95)
        self.open("#time=9-3")
        self.assertEqual(self.fields()[0], 0)

    def test_a_lane_shows_its_thread_alone(self):
        self.open()
        self.push(self.texts(".lane-label")[1], ".lane-labels")
        self.assertGreater(self.samples("aside"), 95)
        self.assertEqual(self.samples("first"), 0)
        self.push(self.texts(".lane-label")[1], ".lane-labels")
        self.assertGreater(self.samples("first"), 20)

    def test_without_scripts_it_is_a_picture(self):
        with open(self.page, "rb") as file:
            content = file.read()
        plain = self.file("plain.html", content.replace(
            b"<head>", b"<head><meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">", 1))
        self.browser.open("file://" + plain)
        labels = self.browser.run("return Array.from(document.querySelectorAll('svg .labels text, svg text'), "
                                  "(text) => text.textContent).join()")
        self.assertIn("first", labels)
        self.browser.messages()  # of the refusal


if __name__ == "__main__":
    if not PYSPYC:
        sys.exit("usage: test_page.py PYSPYC")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the browser is ended, too
    unittest.main()
