"""pprof files: what google's pprof reads in ours, and what we read in those of Go programs.

    PYSPYC=build/pyspyc python3 test_pprof.py [INTERPRETER]

Google's pprof is built from the sources that Debian packages (golang-github-google-pprof-dev), without a network. Builds
are kept in the folder that PYSPYC_TEST_PPROF names, if it does.
"""
import collections
import gzip
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

GO_SOURCES = "/usr/share/gocode"
BUILD_DEADLINE = 240 * harness.SLOWNESS
INTERVAL_NS = 10**7
EVERYTHING = ["--nodecount=0", "--nodefraction=0", "--edgefraction=0", "--unit=ns"]

# A program of known shape that the compiler takes square() into sum() of; main.burn calls both.
GO_PROGRAM = """
package main

import (
	"os"
	"runtime/pprof"
	"time"
)

func square(x int) int { return x * x % (x | 1) } // takes longer than the loop around it

//go:noinline
func sum(count int) int {
	all := 0
	for i := 0; i < count; i++ {
		all += square(i)
	}
	return all
}

//go:noinline
func burn(until time.Time) int {
	all := 0
	for time.Now().Before(until) {
		all += sum(100000)
	}
	return all
}

func main() {
	file, _ := os.Create(os.Args[1])
	pprof.StartCPUProfile(file)
	burn(time.Now().Add(time.Second))
	pprof.StopCPUProfile()
	file.Close()
}
"""


def go(folder, *arguments):
    environment = dict(os.environ, GO111MODULE="off", GOPATH=GO_SOURCES, GOCACHE=os.path.join(folder, "cache"),
                       GOTMPDIR=folder, GOFLAGS="", CGO_ENABLED="0", GOTOOLCHAIN="local")
    subprocess.run(["go", *arguments], env=environment, check=True, timeout=BUILD_DEADLINE, cwd=folder)


class Stacks(collections.Counter):
    """{(root frame, ..., leaf frame): samples}"""

    def flat(self):
        return collections.Counter(self._sums(lambda stack: stack[-1:]))

    def cumulative(self):
        return collections.Counter(self._sums(set))

    def _sums(self, frames_of):
        sums = collections.Counter()
        for stack, count in self.items():
            for frame in frames_of(stack):
                sums[frame] += count
        return sums


def without_place(frame):
    """'f' of 'f (/a.py:3)'"""
    return re.sub(r" \([^()]*\)$", "", frame)


class TestPprof(harness.TestCase):

    process = None  # that was recorded

    @classmethod
    def setUpClass(cls):
        kept = os.environ.get("PYSPYC_TEST_PPROF")
        cls.build = kept or tempfile.mkdtemp(prefix="pyspyc-test-pprof-")
        if not kept:
            cls.addClassCleanup(shutil.rmtree, cls.build, ignore_errors=True)
        os.makedirs(cls.build, exist_ok=True)
        cls.google_pprof = os.path.join(cls.build, "pprof")
        go(cls.build, "build", "-o", cls.google_pprof, "github.com/google/pprof")

    def pprof(self, *arguments):
        """Output of google's pprof, which has nothing to complain of."""
        expected = "".join("Generating report in %s\n" % word.split("=")[1] for word in arguments
                           if word.startswith("-output="))
        environment = self.environment(PPROF_TMPDIR=self.folder, HOME=self.folder)
        result = subprocess.run([self.google_pprof, *arguments], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=harness.DEADLINE, check=False)
        self.assertEqual((result.returncode, result.stderr.decode()), (0, expected))
        return result.stdout.decode()

    def top(self, *arguments):
        """({function: own value}, {function: value with callees}) of `pprof -top`."""
        flat, cumulative = collections.Counter(), collections.Counter()
        number = r"(-?[\d.]+)(?:ns)?"
        row = re.compile(r"\s*" + number + r"\s+[\d.]+%\s+[\d.]+%\s+" + number + r"\s+[\d.]+%\s+(.*)")
        text = self.pprof("-top", *EVERYTHING, *arguments)
        for line in text.split("cum%\n")[1].splitlines():
            own, whole, name = row.fullmatch(line).groups()
            flat[name.removesuffix(" (inline)").removesuffix(" (partial-inline)")] += int(float(own))
            cumulative[name.removesuffix(" (inline)").removesuffix(" (partial-inline)")] += int(float(whole))
        return +flat, +cumulative

    def traces(self, *arguments):
        """Stacks of `pprof -traces`."""
        stacks = Stacks()
        for block in self.pprof("-traces", "--unit=ns", *arguments).split("-+-------")[1:]:
            lines = [line for line in block.splitlines()[1:] if not re.match(r" *[\w ]+:  ", line)]
            match = re.fullmatch(r" *(\d+)(?:ns)?   (.*)", lines[0]) if lines else None
            if match:
                frames = [match.group(2)] + [line.strip() for line in lines[1:] if not line.startswith("---")]
                frames = [frame.removesuffix(" (inline)") for frame in frames]
                stacks[tuple(reversed(frames))] += int(match.group(1))
        return stacks

    def report(self, path, *options):
        """Output of report, in raw format unless the options choose another."""
        outcome = self.run_pyspyc("report", *(options or ["-f", "raw"]), path)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome.output

    def raw(self, path, *options):
        """Stacks as report tells them, without the root."""
        stacks = Stacks()
        for line in self.report(path, "-f", "raw", *options).splitlines():
            stack, count = line.rsplit(" ", 1)
            stacks[tuple(stack.split(";")[1:])] += int(count)
        return stacks

    def record_threads(self):
        """Records, once, a program of which one thread computes and two sleep; returns the paths of recording and pprof file."""
        recording, profile = (os.path.join(self.build, "run" + ending) for ending in (".pyspyc", ".pb.gz"))
        if not TestPprof.process:
            target, _ = self.start_target("busy_and_idle.py", 2)
            outcome = self.run_pyspyc("record", "-i", "-d", 2, "-o", recording, "-o", profile, "--pid", target.pid)
            self.assertEqual(outcome.status, 0, outcome)
            self.assert_unharmed(target)
            TestPprof.process = target.pid
        return recording, profile

    def test_google_reads_what_we_show(self):
        """Tables and stacks of pprof are ours."""
        recording, profile = self.record_threads()
        functions = Stacks()
        for stack, count in self.raw(recording, "--nolineno").items():
            functions[tuple(map(without_place, stack))] += count
        self.assertGreater(sum(functions.values()), 300)
        for index, unit in (("samples", 1), ("wall", INTERVAL_NS)):
            flat, cumulative = self.top("--sample_index=" + index, profile)
            self.assertEqual(flat, {name: count * unit for name, count in functions.flat().items()})
            self.assertEqual(cumulative, {name: count * unit for name, count in functions.cumulative().items()})
        self.assertEqual(self.top(profile), self.top("--sample_index=wall", profile))
        self.assertEqual(self.traces("--sample_index=samples", profile), functions)

    def test_google_reads_lines(self):
        recording, profile = self.record_threads()
        lines = Stacks()
        for stack, count in self.raw(recording, "--full-filenames").items():
            lines[tuple(re.sub(r" \(([^()]*)\)$", r" \1", frame) for frame in stack)] += count
        flat, cumulative = self.top("-lines", "--sample_index=samples", profile)
        self.assertEqual(flat, lines.flat())
        self.assertEqual(cumulative, lines.cumulative())
        self.assertEqual(self.traces("-lines", "--sample_index=samples", profile), lines)

    def test_google_reads_who(self):
        """Threads and processes are tags, time on a CPU is that of the thread that computes, and comments tell the rest."""
        recording, profile = self.record_threads()
        threads = collections.Counter()
        for stack, count in self.raw(recording, "-t").items():
            threads[stack[0].split(": ", 1)[1]] += count
        self.assertEqual(len(threads), 3)
        tags = self.pprof("-tags", "--sample_index=samples", profile)
        self.assertEqual(set(re.findall(r"^ *(\w+): Total", tags, re.M)),
                         {"pid", "process", "python", "thread", "thread_id"})
        self.assertIn(": %d\n" % self.process, tags)
        for name, count in threads.items():
            focused, _ = self.top("--sample_index=samples", "--tagfocus=thread=^%s$" % re.escape(name), profile)
            self.assertEqual(sum(focused.values()), count)
        busy, _ = self.top("--sample_index=cpu", "--tagfocus=thread=MainThread", profile)
        all_threads, _ = self.top("--sample_index=cpu", profile)
        self.assertGreater(sum(busy.values()), 0.9 * sum(all_threads.values()))
        self.assertGreater(sum(busy.values()), 0.5 * threads["MainThread"] * INTERVAL_NS)
        self.assertRegex(self.pprof("-comments", profile), r"command: .*busy_and_idle.py …\n(.*\n)*intervals: \d+ ok, ")

    def test_there_and_back(self):
        """What is made of a pprof file is what is made of the recording, packed or not, and after google's pprof had it."""
        recording, profile = self.record_threads()
        unpacked, rewritten = self.path("run.pb"), self.path("again.pb.gz")
        with gzip.open(profile) as packed, open(unpacked, "wb") as file:
            shutil.copyfileobj(packed, file)
        self.pprof("-proto", "-output=" + rewritten, profile)
        for options in (["-f", "raw"], ["-f", "raw", "-s", "-t"], ["-f", "raw", "-F"], ["-f", "flamegraph"]):
            expected = self.report(recording, *options)
            self.assertEqual(self.report(profile, *options), expected)
            self.assertEqual(self.report(unpacked, *options), expected)
            if "raw" in options:
                self.assertEqual(self.report(rewritten, *options), expected)

    def test_collapsed_there_and_back(self):
        recording, _ = self.record_threads()
        for options in ([], ["-s", "-t"], ["-F"], ["--nolineno"]):
            stacks = self.report(recording, "-f", "raw", *options)
            for name in ("stacks.txt", "stacks.txt.gz"):
                with (gzip.open if name.endswith("gz") else open)(self.path(name), "wb") as file:
                    file.write(stacks.encode())
                self.assertEqual(self.report(self.path(name), "-f", "raw", *options), stacks)

    def test_google_reads_native_frames(self):
        """Functions of the C library and of the kernel that have one name stay apart, and all come back."""
        stacks, profile, rewritten = (self.path(name) for name in ("stacks.txt", "run.pb.gz", "again.pb.gz"))
        text = ("all;main (a.py:3);load (fast.pyx:7);read (libc.so.6);read (kernel) 50\n"
                "all;main (a.py:3);load (fast.pyx:7);read (libc.so.6) 7\n"
                "all;main (a.py:4);list_sort (python3.11) 20\n")
        with open(stacks, "w") as file:
            file.write(text)
        self.report(stacks, "-o", profile)
        flat, cumulative = self.top("--sample_index=samples", profile)
        self.assertEqual(flat, {"read (kernel)": 50, "read": 7, "list_sort": 20})
        self.assertEqual(cumulative["load"], 57)
        self.pprof("-proto", "-output=" + rewritten, profile)
        raw = self.pprof("-raw", profile)
        for mapping in ("libc.so.6", "[kernel]", "python3.11"):
            self.assertIn(mapping, raw.split("Mappings")[1])
        self.assertEqual(self.report(profile, "-f", "raw"), "".join(sorted(text.splitlines(True))))
        self.assertEqual(self.report(rewritten, "-f", "raw"), self.report(profile, "-f", "raw"))

    def test_go_programs(self):
        """A profile that we have no part in: what we show of it is what pprof shows."""
        source, binary, profile = self.path("main.go"), os.path.join(self.build, "go-program"), self.path("go.prof")
        with open(source, "w") as file:
            file.write(GO_PROGRAM)
        go(self.build, "build", "-o", binary, source)
        subprocess.run([binary, profile], check=True, timeout=harness.DEADLINE)
        functions = Stacks()
        for stack, count in self.raw(profile, "--nolineno").items():
            functions[tuple(map(without_place, stack))] += count * INTERVAL_NS
        flat, cumulative = self.top(profile)
        self.assertEqual(flat, functions.flat())
        self.assertEqual(cumulative, functions.cumulative())
        called = {pair for stack in functions for pair in zip(stack, stack[1:])}
        self.assertIn(("main.burn", "main.sum"), called)
        self.assertIn(("main.sum", "main.square"), called)

    def test_other_files_are_refused(self):
        """With one sentence that names the file, and no output."""
        _, profile = self.record_threads()
        with open(profile, "rb") as file:
            content = file.read()
        for name, wrong in (("cut.pb.gz", content[:-9]), ("empty", b""), ("page.html", b"<html>\n</html>\n")):
            with open(self.path(name), "wb") as file:
                file.write(wrong)
            outcome = self.run_pyspyc("report", "-f", "raw", self.path(name))
            self.assertEqual((outcome.status, outcome.output), (1, ""), outcome)
            self.assertRegex(outcome.errors, r"\Apyspyc: .*%s.*\n\Z" % re.escape(name))


if __name__ == "__main__":
    harness.main()
