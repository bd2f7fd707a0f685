"""dump: several processes, those that they have started, and again and again.

    PYSPYC=build/pyspyc python3 test_readings.py [INTERPRETER]
"""
import json
import re
import signal
import time

import harness

HEAD = re.compile(r"--- reading (\d+) at \d\d:\d\d:\d\d\.\d\d\d: (.*) ---")

MOVING = """
import sys
def first():
    return sum(range(20000))
def second():
    return sum(range(20000))
print("ready")
sys.stdout.flush()
while True:
    first()
    second()
"""


class TestReadings(harness.TestCase):

    def start_idle(self, threads=1):
        return self.start_target("threads.py", "0", threads)[0]

    def start_shell(self):
        """A shell that has started a Python program; returns both and the program's number."""
        shell = self.start("sh", "-c", '"$0" "$1" 0 1; true', self.python, harness.program("threads.py"))
        self.assertEqual(shell.read_line(), "ready")
        return shell, harness.children_of(shell.pid)[0]

    def read(self, *arguments):
        outcome = self.run_pyspyc("dump", *arguments)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def processes(self, *arguments):
        """The numbers of the processes in a JSON reading, each once, in order."""
        return list(dict.fromkeys(thread["pid"] for thread in json.loads(self.read(*arguments, "--json").output)))

    def test_several_processes(self):
        first, second = self.start_idle(), self.start_idle(2)
        numbers = ["--pid", first.pid, "--pid", second.pid]
        self.assertEqual(self.processes(*numbers, "--pid", first.pid), [first.pid, second.pid])
        text = self.read(*numbers).output
        self.assertEqual(re.findall(r"^Process (\d+): ", text, re.M), [str(first.pid), str(second.pid)])
        self.assertEqual(len(re.findall(r"^Thread ", text, re.M)), 2 + 3)

    def test_one_that_cannot_be_read_does_not_keep_others_from_it(self):
        target, other = self.start_idle(), self.start("sleep", "1000")
        outcome = self.run_pyspyc("dump", "--pid", other.pid, "--pid", target.pid)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("process %d is not a Python process" % other.pid, outcome.errors)
        self.assertRegex(outcome.output, r"(?m)^Process %d: " % target.pid)

    def test_what_processes_have_started(self):
        shell, program = self.start_shell()
        self.assertEqual(self.run_pyspyc("dump", "--pid", shell.pid).status, 1)
        self.assertEqual(self.processes("--pid", shell.pid, "-s"), [program])
        # What is below another is not there twice.
        self.assertEqual(self.processes("--pid", shell.pid, "--pid", program, "-s"), [program])
        self.assertRegex(self.read("--pid", shell.pid, "-s").output,
                         r"(?m)^Process %d, child of %d: " % (program, shell.pid))

    def test_children_know_their_parents(self):
        parent = self.start_target("waits.py", self.folder)[0]
        below = self.start(self.python, "-c", "import subprocess, sys; subprocess.call(sys.argv[1:])",
                           self.python, harness.program("threads.py"), "0", "1")
        self.assertEqual(below.read_line(), "ready")
        threads = json.loads(self.read("--pid", below.pid, "--pid", parent.pid, "-s", "--json").output)
        parents = {thread["pid"]: (thread["process_info"]["parent"] or {"pid": None})["pid"] for thread in threads}
        program = harness.children_of(below.pid)[0]
        self.assertEqual(parents, {below.pid: None, parent.pid: None, program: below.pid})

    def test_nothing_below_that_is_a_python(self):
        other = self.start("sleep", "1000")
        outcome = self.run_pyspyc("dump", "--pid", other.pid, "-s")
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("neither the process nor any process below is a Python process", outcome.errors)

    def test_repeated_text(self):
        target = self.start_idle()
        text = self.read("--pid", target.pid, "--repeat", "3", "--every", "0.01").output
        self.assertEqual(HEAD.findall(text), [("1", "2 threads"), ("2", "2 of 2 threads are where they were"),
                                              ("3", "2 of 2 threads are where they were")])
        heads = re.findall(r"^Thread \d+ \((.*)\): \"idle-0\"", text, re.M)
        self.assertEqual(heads, ["idle", "idle, unchanged for 1 reading", "idle, unchanged for 2 readings"])
        self.assert_unharmed(target)

    def test_repeated_json(self):
        target = self.start_idle()
        start = time.monotonic()
        lines = self.read("--pid", target.pid, "--repeat", "3", "--every", "0.2", "--json").output.splitlines()
        self.assertGreaterEqual(time.monotonic() - start, 2 * 0.2)
        readings = [json.loads(line) for line in lines]
        self.assertEqual([reading["reading"] for reading in readings], [1, 2, 3])
        self.assertEqual([{thread["unchanged"] for thread in reading["threads"]} for reading in readings], [{0}, {1}, {2}])
        times = [reading["time"] for reading in readings]
        self.assertTrue(time.time() - harness.DEADLINE < times[0] < times[1] < times[2] < time.time(), times)

    def test_a_thread_that_moves_is_not_unchanged(self):
        target = self.start(self.python, "-c", MOVING)
        self.assertEqual(target.read_line(), "ready")
        lines = self.read("--pid", target.pid, "--repeat", "20", "--every", "0.003", "--json").output.splitlines()
        unchanged = [thread["unchanged"] for line in lines for thread in json.loads(line)["threads"]]
        self.assertIn(0, unchanged[1:], lines)

    def test_until_the_last_process_ends(self):
        first, second = self.start_idle(), self.start_idle()
        profiler = self.start_pyspyc("dump", "--pid", first.pid, "--pid", second.pid, "--repeat", "forever", "--every",
                                     "0.01", "--json")
        profiler.read_line()
        first.finish()
        while {thread["pid"] for thread in json.loads(profiler.read_line())["threads"]} != {second.pid}:
            pass
        second.finish()
        status, _ = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())
        for target in (first, second):
            self.assertEqual(profiler.stderr().count("process %d has ended" % target.pid), 1, profiler.stderr())

    def test_until_a_signal(self):
        target = self.start_idle()
        for number in (signal.SIGINT, signal.SIGTERM):
            # --every alone goes on, too.
            profiler = self.start_pyspyc("dump", "--pid", target.pid, "--every", "0.01", "--json")
            profiler.read_line()
            profiler.signal(number)
            status, rest = profiler.finish()
            self.assertEqual(status, 0, profiler.stderr())
            for line in rest.splitlines():
                json.loads(line)
        self.assert_unharmed(target)

    def test_a_signal_ends_a_long_rest(self):
        target = self.start_idle()
        profiler = self.start_pyspyc("dump", "--pid", target.pid, "--repeat", "0", "--every", "10000", "--json")
        profiler.read_line()
        profiler.signal(signal.SIGINT)
        self.assertEqual(profiler.finish(), (0, ""))

    def test_blocking(self):
        target, _ = self.start_target("threads.py", "2", "1")
        self.read("--pid", target.pid, "--repeat", "20", "--every", "0.01", "--blocking")
        self.assert_unharmed(target)

    def test_mistakes(self):
        for arguments in (["--repeat", "x"], ["--repeat", "-1"], ["--every", "0"], ["--every", "x"], ["--repeat"]):
            outcome = self.run_pyspyc("dump", "--pid", "1", *arguments)
            self.assertEqual(outcome.status, 2, outcome)
        many = [word for number in range(1, 1026) for word in ("--pid", number)]
        self.assertEqual(self.run_pyspyc("dump", *many).status, 2)


if __name__ == "__main__":
    harness.main()
