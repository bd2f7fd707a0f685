# SPDX-License-Identifier: MIT
"""The flame graph's page, as tests use it: what they render, and what a person does there."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest

import webdriver

RENDER = os.environ.get("PYSPYC_RENDER_FOLDED")

SMALL = b"""\
MainThread;main (app/main.py:1);work (app/main.py:10);decode (json/decoder.py:20) 300
MainThread;main (app/main.py:1);work (app/main.py:10) 100
MainThread;main (app/main.py:1);fit_transform (sklearn/pipeline/base.py:5);score (app/main.py:20) 200
Thread-1;wait (threading.py:300) 400
"""

# Two processes, three threads, functions with several lines, recursion, importing and collecting.
FINE = b"""\
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:40/1);work (app/main.py:22/20);decode (json/decoder.py:355/337) 300
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:40/1);work (app/main.py:24/20) 100
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:40/1);work (app/main.py:24/20);<GC> 60
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:41/1);fib (app/main.py:52/50);fib (app/main.py:52/50);fib (app/main.py:52/50) 60
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:41/1);fib (app/main.py:52/50) 20
process 100: python app.py;thread (100): MainThread;<module> (app/main.py:2/1);_find_and_load (<frozen importlib._bootstrap>:1176/1165);setup (numpy/__init__.py:130/120) 100
process 100: python app.py;thread (101): Worker;run (threading.py:982/975);decode (json/decoder.py:355/337) 200
process 200: python child.py;thread (200): MainThread;<module> (app/child.py:9/1);decode (json/decoder.py:361/337) 160
"""

# Code in C with and without its source, of a library that is called at two lines, and a system call.
NATIVE = b"""\
MainThread;<module> (app/main.py:40/1);train (app/main.py:22/20);conv (torch/lib/libtorch_cpu.so) 300
MainThread;<module> (app/main.py:40/1);train (app/main.py:23/20);conv (torch/lib/libtorch_cpu.so) 200
MainThread;<module> (app/main.py:40/1);step (fast.pyx:31) 150
MainThread;<module> (app/main.py:40/1);step (fast.pyx:33) 50
MainThread;<module> (app/main.py:40/1);load (app/main.py:52/50);read (libc.so.6);read (kernel) 300
"""

HELPERS = """
const rects = (svg) => Array.from((svg || document).querySelectorAll('.boxes rect'));
const labels = (svg) => Array.from((svg || document).querySelectorAll('.labels text'));
const number = (element, key) => Number(element.getAttribute(key));
const shown = (selector) => Array.from(document.querySelectorAll(selector), (element) => element.textContent);
const rectOf = (name) => {
    const label = labels().find((text) => text.textContent.startsWith(name));
    return rects().find((rect) => number(rect, 'y') + 13 === number(label, 'y') &&
        Math.abs(number(rect, 'x') + 4 - number(label, 'x')) < 0.1);
};
const tip = () => {
    const panel = document.querySelector('.tip-panel');
    if (panel.getAttribute('display') === 'none')
        return null;
    const rows = Array.from(panel.querySelectorAll('tr'), (row) =>
        Array.from(row.children, (cell) => cell.textContent).join(' | '));
    return [...Array.from(panel.querySelectorAll('.name, .note'), (line) => line.textContent), ...rows];
};
"""


def many_stacks(count):
    """Stacks of a big program, most of them far too narrow to be drawn."""
    chance = random.Random(3)
    names = ["%s_%s (app/m%d.py:%d)" % (verb, noun, i, i) for i in (1, 2) for verb in ("get", "put", "send")
             for noun in ("socket", "node", "token")]
    lines = []
    for _ in range(count):
        depth = chance.randint(3, 30)
        stack = [names[int(chance.random() ** 3 * 15)] for _ in range(depth)]
        lines.append("%s %d" % (";".join(stack), chance.randint(1, 9)))
    return lines


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="pyspyc-flamegraph-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.browser = cls.enterClassContext(webdriver.Browser(1200, 900))

    def tearDown(self):
        errors = [message for message in self.browser.messages() if message["level"] == "SEVERE"]
        self.assertEqual(errors, [])

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def render(self, stacks, name="flame.svg", title="python app.py", detail="", before=None):
        comparing = ["-b", self.file("before.folded", before)] if before else []
        svg = subprocess.run([RENDER, "-t", title, "-d", detail, *comparing], input=stacks, stdout=subprocess.PIPE, check=True).stdout
        return self.file(name, svg)

    def show(self, stacks, hash="", **how):
        self.browser.resize(1200, 900)
        self.browser.open("about:blank")
        self.browser.open("file://" + self.render(stacks, **how) + hash)

    def run_js(self, body, *arguments):
        return self.browser.run(HELPERS + body, *arguments)

    def labels(self):
        return self.run_js("return labels().map((text) => text.textContent)")

    def texts(self, selector):
        return self.run_js("return shown(arguments[0])", selector)

    def tip(self):
        return self.run_js("return tip()")

    def hash(self):
        return self.run_js("return decodeURIComponent(location.hash)")

    def centre(self, name):
        return self.run_js("""
            const area = rectOf(arguments[0]).getBoundingClientRect();
            return [area.left + area.width / 2, area.top + area.height / 2]""", name)

    def click(self, name, button=0):
        self.browser.point(*self.centre(name), click=True, button=button)

    def point(self, name):
        self.browser.point(*self.centre(name))

    def push(self, text, within=""):
        """Clicks the button with this text, or whose text begins so."""
        element = self.browser.run("""
            const [selector, wanted] = arguments;
            const buttons = Array.from(document.querySelectorAll(`${selector} button, ${selector} a`));
            const named = (button) => [button.textContent, button.getAttribute('aria-label') || ''];
            return buttons.find((button) => named(button).includes(wanted)) ||
                buttons.find((button) => named(button).some((name) => name.startsWith(wanted)))""", within, text)
        self.assertIsNotNone(element, text)
        self.browser.click(element)

    def choose(self, label, text):
        """Chooses from a list as a person does: to the list, and its option by the first letters or arrows."""
        select = self.browser.find("select[aria-label^='%s']" % label)
        option = self.browser.run("""return Array.from(arguments[0].options).findIndex(
            (option) => option.textContent.startsWith(arguments[1]))""", select, text)
        self.assertGreaterEqual(option, 0, text)
        self.browser.run("arguments[0].focus()", select)
        at = self.browser.run("return arguments[0].selectedIndex", select)
        for _ in range(abs(option - at)):
            self.browser.press("ArrowDown" if option > at else "ArrowUp")

    def search(self, pattern):
        self.browser.type(self.browser.find(".search input"), pattern)
        return self.texts("output")[0]

    def next_frame(self):
        self.browser.run_async("requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))")

    def width(self, name):
        """Of a box, as a share of the whole picture's."""
        return self.run_js("return number(rectOf(arguments[0]), 'width') / number(rects()[0], 'width')", name)


def main():
    global RENDER
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        RENDER = sys.argv.pop(1)
    if not RENDER:
        sys.exit("usage: %s RENDER-FOLDED, or set PYSPYC_RENDER_FOLDED" % sys.argv[0])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the browser is ended, too
    unittest.main(module="__main__")
