"""More than two million frames through every format: none is lost, and memory stays within bounds.

    PYSPYC=build/pyspyc python3 test_torture.py [VERSION | PYTHON]

Prints what each format took. The stacks are made up; what is expected of each format is counted here.
"""
import gzip
import json
import os
import random
import sys
import time
import unittest
import xml.etree.ElementTree

import harness

STACKS = 200000
MEMORY_KB = 800 * 1024


def make_stacks():
    """So many different stacks, of 23 frames on average, as in a big program: {stack: count}."""
    chance = random.Random(7)
    functions = ["%s_%d (/app/m%d.py:%d)" % (verb, i, i % 97, 10 * i) for i in range(400) for verb in ("get", "put")]
    stacks = {}
    while len(stacks) < STACKS:
        base = [chance.choice(functions[:40]) for _ in range(chance.randint(3, 8))]
        for _ in range(50):
            tail = [chance.choice(functions) for _ in range(chance.randint(5, 30))]
            stacks[";".join(base + tail)] = chance.randint(1, 9)
    return stacks


def frames_of(stacks):
    """How many nodes the call tree of the stacks has, but for the root."""
    seen = set()
    for stack in stacks:
        at = 0
        while at >= 0:
            at = stack.find(";", at + 1)
            seen.add(hash(stack if at < 0 else stack[:at]))
    return len(seen)


class TestTorture(harness.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.stacks = make_stacks()
        cls.frames = frames_of(cls.stacks)
        cls.samples = sum(cls.stacks.values())

    def setUp(self):
        super().setUp()
        self.recording = self.path("torture.pyspyc")
        with open(self.path("in.folded"), "w") as file:
            file.writelines("all;%s %d\n" % stack for stack in self.stacks.items())
        self.render("in.folded", self.recording)
        self.assertGreater(self.frames, 2000000)

    def render(self, source, output, *arguments):
        """Runs 'report', says what it took, and returns the output's path."""
        began = time.monotonic()
        process = self.start_pyspyc("report", source, "-o", output, *arguments)
        _, status, usage = os.wait4(process.pid, 0)
        process.child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(status, 0, process.stderr())
        path = self.path(output)
        sys.stderr.write("%-22s %5.2f s, %5.2f s of CPU, %4d MB of memory, %6.1f MB of output\n" % (
            output.rsplit("/", 1)[-1], time.monotonic() - began, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024, os.stat(path).st_size / 1e6))
        self.assertLess(usage.ru_maxrss, MEMORY_KB)
        return path

    def test_every_format(self):
        self.check_collapsed(self.render(self.recording, "out.raw"))
        self.check_picture(self.render(self.recording, "out.svg"))
        self.check_page(self.render(self.recording, "out.html"))
        self.check_tree(self.render(self.recording, "out.tree"))
        self.check_pprof(self.render(self.recording, "out.pb.gz"))
        self.check_speedscope(self.render(self.recording, "out.speedscope.json"))
        self.check_firefox(self.render(self.recording, "out.firefox.json"))
        self.check_trace(self.render(self.recording, "out.trace.json"))
        self.check_json(self.render(self.recording, "out.jsonl"))

    def check_collapsed(self, path):
        seen = {}
        with open(path) as file:
            for line in file:
                stack, count = line.rsplit(" ", 1)
                seen[stack.split(";", 1)[1]] = int(count)
        self.assertEqual(len(seen), STACKS)
        self.assertEqual(sum(seen.values()), self.samples)

    def check_picture(self, path):
        self.assertLess(os.stat(path).st_size, 14e6)
        info = None
        for _, element in xml.etree.ElementTree.iterparse(path):
            if element.get("data-pyspyc") == "info":
                info = json.loads(element.text)
        # The frames, the root, and the roots of the process and the thread.
        self.assertIn(info["nodes"] - self.frames, (1, 2, 3))

    def check_page(self, path):
        with open(path, encoding="utf-8") as file:
            self.assertTrue(file.read().endswith("</html>\n"))

    def check_tree(self, path):
        with open(path, encoding="utf-8") as file:
            self.assertIn("{:,}".format(self.samples), file.read())

    def check_pprof(self, path):
        with gzip.open(path) as file:
            self.assertGreater(len(file.read()), 10 * STACKS)
        again = self.render(path, "again.raw")
        self.check_collapsed(again)

    def check_speedscope(self, path):
        with open(path) as file:
            profile = json.load(file)["profiles"][0]
        self.assertEqual(len(profile["samples"]), len(profile["weights"]))
        self.assertEqual(len({tuple(stack) for stack in profile["samples"] if stack}), STACKS)

    def check_firefox(self, path):
        with open(path) as file:
            table = json.load(file)["shared"]["stackTable"]
        self.assertIn(table["length"] - self.frames, (0, 1))

    def check_trace(self, path):
        depth = {"B": 1, "E": -1}
        level = begun = 0
        with open(path) as file:
            for line in file:
                kind = line[7:8] if line.startswith('{"ph":"') else ""
                level += depth.get(kind, 0)
                begun += kind == "B"
                self.assertGreaterEqual(level, 0)
        self.assertEqual(level, 0)
        self.assertGreater(begun, self.frames * 0.9)

    def check_json(self, path):
        counts = {}
        with open(path) as file:
            for line in file:
                kind = line[9:line.index('"', 9)]
                counts[kind] = counts.get(kind, 0) + 1
        self.assertEqual(counts["end"], 1)
        self.assertGreaterEqual(counts["stack"], self.frames)


if __name__ == "__main__":
    harness.main()
