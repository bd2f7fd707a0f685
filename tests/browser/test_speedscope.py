# SPDX-License-Identifier: MIT
"""speedscope itself opens what is written for it: its viewer, which scripts/get-schemas fetches, in Chromium.

    PYSPYC=build/pyspyc /usr/bin/python3 tests/browser/test_speedscope.py
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import webdriver

GET_SCHEMAS = os.path.join(ROOT, "scripts", "get-schemas")
PROGRAM = os.path.join(ROOT, "tests", "programs", "timed_phases.py")
PYSPYC = os.environ.get("PYSPYC")
SECONDS = 60


def viewer():
    """The path of the viewer's page; fails by name where it cannot be had."""
    subprocess.run([GET_SCHEMAS], check=True, stdout=subprocess.DEVNULL, timeout=SECONDS)
    folder = subprocess.run([GET_SCHEMAS, "--folder"], check=True, stdout=subprocess.PIPE, timeout=SECONDS)
    return os.path.join(folder.stdout.decode().strip(), "speedscope", "dist", "release", "index.html")


class Speedscope(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="pyspyc-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.files = {name: os.path.join(cls.folder, name) for name in ("a.speedscope.json", "a.trace.json")}
        outputs = [word for path in cls.files.values() for word in ("-o", path)]
        subprocess.run([PYSPYC, "record", "-r", "200", *outputs, "--", "/usr/bin/python3", "-B", PROGRAM], check=True,
                       cwd=cls.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS)
        cls.page = viewer()

    def open(self, browser, name):
        """Opens a file as speedscope's own command does, and returns the page's text when it shows a profile."""
        with open(self.files[name], "rb") as file:
            content = base64.b64encode(file.read()).decode()
        script = os.path.join(self.folder, name + ".js")
        with open(script, "w", encoding="utf-8") as file:
            file.write("speedscope.loadFileFromBase64(%s, %s)" % (json.dumps(name), json.dumps(content)))
        browser.open("file://%s#localProfilePath=%s" % (self.page, script))
        end = time.monotonic() + SECONDS
        while True:
            text = browser.run("return document.body.innerText")
            if "Left Heavy" in text:
                return text
            self.assertLess(time.monotonic(), end, "no profile is shown: " + text)
            time.sleep(0.05)

    def warnings(self, name, expected):
        """Opens a file, and returns what speedscope warns of."""
        with webdriver.Browser() as browser:
            self.assertIn(expected, self.open(browser, name))
            return [entry["message"] for entry in browser.messages()
                    if entry["source"] == "console-api" and entry["level"] in ("WARNING", "SEVERE")]

    def test_speedscope(self):
        self.assertEqual(self.warnings("a.speedscope.json", "All threads (1/3)"), [])

    def test_chrometrace(self):
        """It warns of frames that do not end, or end in another order than they began."""
        self.assertEqual(self.warnings("a.trace.json", "MainThread"), [])
        with open(self.files["a.trace.json"], encoding="utf-8") as file:
            events = json.load(file)
        self.files["broken.trace.json"] = os.path.join(self.folder, "broken.trace.json")
        with open(self.files["broken.trace.json"], "w", encoding="utf-8") as file:
            json.dump([event for event in events if event["ph"] != "E"], file)
        self.assertNotEqual(self.warnings("broken.trace.json", "MainThread"), [])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PYSPYC = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    unittest.main()
