# SPDX-License-Identifier: MIT
"""How big, and how fast, flame graphs of many stacks are: in Chromium, on this machine.

    /usr/bin/python3 tests/browser/bench_flamegraph.py RENDER-FOLDED FOLDED...

Prints one line for each file of folded stacks: its size; the time to write it; the time from the start of navigation to the
second frame behind the script's end; of a click that zooms, to the second frame behind it; and of the views. Each is the
median of several. Nothing is asserted: see what a change did on the same machine.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import webdriver

ROUNDS = 5
FRAMES = "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));"


def write(render, folded, path):
    with open(folded, "rb") as stacks, open(path, "wb") as out:
        answer = subprocess.run([render, "-T"], stdin=stacks, stdout=out, stderr=subprocess.PIPE, check=True)
    return float(answer.stderr.split()[0])


def paint(browser, url):
    begin = time.monotonic()
    browser.open(url)
    browser.run_async("const done = arguments[0]; const start = 0;" + FRAMES)
    return time.monotonic() - begin


def zoom(browser):
    """A click on the box of a middling width, and back; the slower one counts."""
    times = [browser.run_async("""
        const done = arguments[1];
        const rects = Array.from(document.querySelectorAll('.boxes rect'));
        const whole = rects[0].getBBox().width;
        const box = arguments[0] ? rects[0] : rects.find((rect) => rect.getBBox().width < whole * 0.7);
        const start = performance.now();
        box.dispatchEvent(new MouseEvent('click', {bubbles: true}));""" + FRAMES, back) for back in (False, True)]
    return max(times) / 1000


def press(browser, key):
    return browser.run_async("""
        const done = arguments[1];
        const start = performance.now();
        document.documentElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}));
        """ + FRAMES, key) / 1000


def search(browser, pattern):
    return browser.run_async("""
        const done = arguments[1];
        const start = performance.now();
        const input = document.querySelector('input');
        input.value = arguments[0];
        input.dispatchEvent(new InputEvent('input', {bubbles: true}));""" + FRAMES, pattern) / 1000


def median(measure, *arguments):
    return statistics.median(measure(*arguments) for _ in range(ROUNDS))


def main(render, files):
    with tempfile.TemporaryDirectory(prefix="pyspyc-bench-") as folder, webdriver.Browser(1200, 900) as browser:
        path = os.path.join(folder, "flame.svg")
        for folded in files:
            results = {"write": median(write, render, folded, path)}
            results["paint"] = median(paint, browser, "file://" + path)
            results["zoom"] = median(zoom, browser)
            results["search"] = median(search, browser, "socket")
            search(browser, "")
            for name, key in (("callee order", "c"), ("recursion", "r")):
                results[name] = press(browser, key)
                results[name + ", back"] = press(browser, key)
            times = ", ".join("%s %.2f s" % pair for pair in results.items())
            print("%s: %.2f MB, %s" % (os.path.basename(folded), os.path.getsize(path) / 1e6, times), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    main(sys.argv[1], sys.argv[2:])
