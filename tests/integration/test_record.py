"""What `pyspyc record` promises: statuses, streams, files, signals, options, shares, and targets that stay unharmed.

    PYSPYC=build/pyspyc python3 test_record.py [INTERPRETER] [TestClass.test_name]
"""
import ast
import json
import os
import re
import select
import signal
import stat
import time
import xml.etree.ElementTree

import harness

FAST = ("-r", "1000")
STALL_SECONDS = 0.5


def lines_of_functions(name):
    """{function: line of its def} of a program."""
    with open(harness.program(name), encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return {node.name: node.lineno for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def binomial_bound(share, samples, deviations=4.0, floor=0.01):
    """How far a share of `samples` samples may be from the truth.

    Four standard deviations of a binomial count: passed by chance once in 16,000 comparisons. The floor covers what
    is not chance: the rounding of slices to whole ticks and neighbouring samples that fall into the same slice.
    """
    return deviations * (share * (1 - share) / max(samples, 1)) ** 0.5 + floor


class RecordCase(harness.TestCase):
    """Steps that several tests share."""

    def wait_until_sampling(self, process, wakeups=100):
        """Returns once the profiler has woken up often: it samples by then."""
        def woken():
            total = 0
            for tid in os.listdir("/proc/%d/task" % process.pid):
                try:
                    with open("/proc/%d/task/%s/status" % (process.pid, tid)) as status:
                        fields = dict(line.split(":", 1) for line in status)
                    total += int(fields["voluntary_ctxt_switches"])
                except (FileNotFoundError, ProcessLookupError):
                    pass
            return total >= wakeups

        harness.wait_until(lambda: not process.alive() or woken(), "the profiler samples")
        self.assertTrue(process.alive(), process.stderr())

    def read_stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks(file.read())

    def assert_failed(self, outcome, status=None, words=()):
        """A failure: a status, one sentence on standard error with these words, and no traceback of ours."""
        if status is None:
            self.assertNotEqual(outcome.status, 0, outcome)
            self.assertLess(outcome.status, 128, outcome)
        else:
            self.assertEqual(outcome.status, status, outcome)
        for word in words:
            self.assertIn(word, outcome.errors, outcome)
        self.assertTrue(outcome.errors.strip(), outcome)

    def leftovers(self):
        return sorted(os.listdir(self.folder))


class TestWrapped(RecordCase):
    """A program that the profiler has started."""

    def run_ending(self, *words, **options):
        return self.record(*FAST, "--", self.python, harness.program("ending.py"), *words, **options)

    def test_status_0(self):
        outcome, stacks = self.run_ending("exit", "0")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)

    def test_status_7(self):
        outcome, _ = self.run_ending("exit", "7")
        self.assertEqual(outcome.status, 7, outcome)

    def test_killed_by_signal(self):
        for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM, signal.SIGABRT):
            with self.subTest(signal=number.name):
                outcome, stacks = self.run_ending("signal", str(int(number)))
                self.assertEqual(outcome.status, 128 + number, outcome)
                self.assertGreater(stacks.total(), 0)

    def test_program_that_ends_at_once(self):
        outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("fast.raw"), "--",
                                  self.python, harness.program("ending.py"), "fast")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertTrue(os.path.exists(self.path("fast.raw")), outcome)

    def test_program_that_ends_while_python_starts(self):
        """It lives for some ten milliseconds, so now and then there is nothing to attach to."""
        for _ in range(20):
            outcome = self.run_pyspyc("record", "-f", "raw", "-o", self.path("short.raw"), "--",
                                      self.python, "-c", "raise SystemExit(7)")
            self.assertEqual(outcome.status, 7, outcome)

    def test_the_first_interval_counts_too(self):
        outcome, stacks = self.record("-r", "4", "-d", "0.75", "--", self.python, harness.program("ending.py"), "exit", "0", "1.5")
        self.assertEqual(outcome.counts()["idle"], 0, outcome)
        self.assertEqual(stacks.total(), 3, outcome)

    def test_parent_that_ignores_the_end_of_children(self):
        """An ignored SIGCHLD is inherited, and the kernel would collect the program behind our back."""
        process = self.start_pyspyc(
            "record", "-f", "raw", "-o", self.path("x.raw"), "--", self.python, harness.program("ending.py"), "exit", "7",
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(process.finish()[0], 7)

    def test_reader_of_messages_that_goes_away(self):
        """A broken pipe of our messages does not cost the program's status."""
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "--", self.python,
                                    harness.program("ending.py"), "exit", "7", stderr=writing)
        os.close(writing)
        self.assertEqual(process.finish()[0], 7)

    def test_streams_are_the_programs(self):
        process = self.start_pyspyc("record", "-f", "raw", "-o", self.path("echo.raw"), "--",
                                    self.python, harness.program("ending.py"), "echo", "first", "second")
        process.child.stdin.write("in and out äß\n".encode())
        status, output = process.finish()
        self.assertEqual(status, 3, process.stderr())
        self.assertEqual(output, "in and out äß\n")
        self.assertIn("first\nsecond", process.stderr())

    def test_options_after_the_program_are_its_own(self):
        words = ["-o", "theirs.svg", "--rate", "5", "-h", "--help", "--", "-d", "1"]
        process = self.start_pyspyc("record", "-f", "raw", "-o", self.path("echo.raw"), "--",
                                    self.python, harness.program("ending.py"), "echo", *words)
        status, _ = process.finish()
        self.assertEqual(status, 3, process.stderr())
        self.assertIn("\n".join(words), process.stderr())
        self.assertFalse(os.path.exists(self.path("theirs.svg")))

    def test_shell_and_env_exec_the_interpreter(self):
        command = "exec env PYSPYC_NOTHING=1 '%s' '%s' exit 4" % (self.python, harness.program("ending.py"))
        outcome, stacks = self.record(*FAST, "--", "sh", "-c", command)
        self.assertEqual(outcome.status, 4, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)

    def test_python_execs_python(self):
        outcome, stacks = self.record(*FAST, "--", self.python, harness.program("exec_chain.py"),
                                      harness.program("ending.py"), "exit", "4")
        self.assertEqual(outcome.status, 4, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)

    def test_long_exec_chain(self):
        chain = [harness.program("exec_chain.py")] * 3
        command = "exec env '%s' %s '%s' exit 4" % (
            self.python, " ".join("'%s'" % word for word in chain), harness.program("ending.py"))
        outcome, stacks = self.record(*FAST, "--", "sh", "-c", command)
        self.assertEqual(outcome.status, 4, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)

    def test_pyenv_shim(self):
        version = "%d.%d" % self.version[:2]
        shim = os.path.expanduser("~/.pyenv/shims/python" + version)
        if not os.access(shim, os.X_OK):
            self.skipTest("there is no pyenv shim for Python " + version)
        full = ".".join(map(str, self.version))
        if full not in os.listdir(os.path.expanduser("~/.pyenv/versions")):
            self.skipTest("the interpreter under test is not pyenv's")
        outcome, stacks = self.record(*FAST, "--", shim, harness.program("ending.py"), "exit", "4",
                                      env=self.environment(PYENV_VERSION=full))
        self.assertEqual(outcome.status, 4, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)

    def test_program_outlives_the_duration(self):
        """-d ends the recording, not the program: its own status is the result, its output arrives."""
        outcome, stacks = self.record(*FAST, "-d", "1", "--", self.python, harness.program("split.py"), "3")
        self.assertEqual(outcome.status, 0, outcome)
        shares = json.loads(outcome.output.splitlines()[-1])
        self.assertEqual(len(shares), 4)
        self.assertGreater(stacks.total(), 100)
        self.assertLessEqual(stacks.total(), 1100)
        outcome, _ = self.record(*FAST, "-d", "1", "--", self.python, harness.program("ending.py"), "exit", "6", "2")
        self.assertEqual(outcome.status, 6, outcome)

    def test_program_not_found(self):
        outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "--", "no-such-program-anywhere")
        self.assert_failed(outcome, 127, ["no-such-program-anywhere"])
        self.assertFalse(os.path.exists(self.path("x.svg")))

    def test_program_not_executable(self):
        plain = self.path("plain.txt")
        with open(plain, "w") as file:
            file.write("text\n")
        outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "--", plain)
        self.assert_failed(outcome, 126, ["plain.txt"])

    def test_own_failure_is_125(self):
        outcome = self.run_pyspyc("record", "-o", self.path("missing", "x.svg"), "--",
                                  self.python, harness.program("ending.py"), "exit", "0")
        self.assert_failed(outcome, 125, ["missing"])
        outcome = self.run_pyspyc("record", "-f", "raw", "-o", "/dev/full", "--",
                                  self.python, harness.program("ending.py"), "exit", "0")
        self.assert_failed(outcome, 125)
        self.assertNotIn("wrote", outcome.errors)

    def test_program_that_is_not_python(self):
        """Its status is the result where it has one of its own; that nothing was recorded is said.

        Which of the two it is depends on whether it was still there when it was looked at: 20 show both.
        """
        for _ in range(20):
            outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "--", "sh", "-c", "exit 9")
            self.assertIn(outcome.status, (9, 125), outcome)
            self.assertIn("Python", outcome.errors, outcome)

    def test_signal_is_passed_on(self):
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            with self.subTest(signal=name):
                output = self.path(name + ".raw")
                process = self.start_pyspyc("record", "-f", "raw", "-o", output, *FAST, "--",
                                            self.python, harness.program("signal_counter.py"), name)
                self.assertEqual(process.read_line(), "ready")
                self.wait_until_sampling(process)
                process.signal(getattr(signal, name))
                self.assertEqual(process.read_line(), name)
                self.assertEqual(json.loads(process.read_line())[name], 1)
                status, _ = process.finish()
                self.assertEqual(status, 5, process.stderr())
                self.assertGreater(self.read_stacks(output).total(), 0)

    def test_second_signal_ends_the_recording(self):
        """The program takes the first one and goes on; the second makes the profiler write what it has."""
        output = self.path("second.raw")
        process = self.start_pyspyc("record", "-f", "raw", "-o", output, *FAST, "--",
                                    self.python, harness.program("signal_counter.py"))
        self.assertEqual(process.read_line(), "ready")
        self.wait_until_sampling(process)
        process.signal(signal.SIGTERM)
        self.assertEqual(process.read_line(), "SIGTERM")
        self.assertFalse(os.path.exists(output))
        process.signal(signal.SIGTERM)
        harness.wait_until(lambda: os.path.exists(output), "the second signal has made the profiler write")
        self.assertGreater(self.read_stacks(output).total(), 0)
        process.finish()


class TestAttached(RecordCase):
    """A process that runs already."""

    def test_target_lives_on(self):
        target, _ = self.start_target("signal_counter.py")
        outcome, stacks = self.record(*FAST, "-d", "1", "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20)
        self.assert_unharmed(target)
        status, output = target.finish()
        self.assertEqual(status, 0, target.stderr())
        self.assertEqual(set(json.loads(output).values()), {0}, "the target has been given signals")

    def test_duration_is_wall_time(self):
        """An idle program has as many intervals as a busy one."""
        target, _ = self.start_target("sleeper.py")
        _, stacks = self.record("-i", "-r", "100", "-d", "2", "-p", target.pid)
        self.assertGreater(stacks.total(), 120)
        self.assertLessEqual(stacks.total(), 210)
        self.assert_unharmed(target)

    def start_with_ready_fd(self, *arguments):
        """Starts a recording that tells when it has begun; returns (process, the descriptor that says so)."""
        ready, told = os.pipe()
        self.addCleanup(os.close, ready)
        process = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "--ready-fd", told, *arguments,
                                    pass_fds=[told])
        os.close(told)
        return process, ready

    def read_to_end(self, ready):
        """All that comes through a pipe until nobody can write to it any more."""
        received = b""
        while True:
            self.assertTrue(select.select([ready], [], [], harness.DEADLINE)[0], "nothing comes")
            piece = os.read(ready, 100)
            if not piece:
                return received
            received += piece

    def test_ready_fd_tells_when_recording_has_begun(self):
        target, _ = self.start_target("split.py", "3600")
        process, ready = self.start_with_ready_fd("--pid", target.pid, "-r", "1")
        self.assertEqual(self.read_to_end(ready), b"\n")
        self.assertTrue(process.alive())
        process.signal(signal.SIGINT)
        self.assertEqual(process.finish()[0], 0)

    def test_ready_fd_of_a_recording_that_never_begins(self):
        target = self.start("sleep", "3600")
        process, ready = self.start_with_ready_fd("--pid", target.pid)
        self.assertEqual(self.read_to_end(ready), b"")
        self.assertEqual(process.finish()[0], 1)

    def test_ready_fd_is_not_the_programs(self):
        process, ready = self.start_with_ready_fd("--", self.python, harness.program("ending.py"), "echo")
        self.assertEqual(self.read_to_end(ready), b"\n")
        self.assertTrue(process.alive(), "the end of the pipe came only with that of the program")
        self.assertEqual(process.finish()[0], 3)

    def test_target_that_ends(self):
        """The end of the target is a normal end of the recording."""
        target, _ = self.start_target("split.py", "2")
        outcome, stacks = self.record(*FAST, "-d", "60", "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("half")), 20)

    def test_signals_end_the_recording(self):
        target, _ = self.start_target("pairs.py")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                output = self.path(number.name + ".raw")
                process = self.start_pyspyc("record", "-f", "raw", "-o", output, *FAST, "-p", target.pid)
                self.wait_until_sampling(process)
                process.signal(number)
                status, _ = process.finish()
                self.assertEqual(status, 0, process.stderr())
                self.assertGreater(self.read_stacks(output).total(), 0)
                self.assert_unharmed(target)

    def test_killed_profiler_leaves_the_target_running(self):
        target, _ = self.start_target("heartbeat.py")
        for round_number in range(20):
            process = self.start_pyspyc("record", "-o", self.path("x.svg"), *FAST, "-p", target.pid)
            self.wait_until_sampling(process, wakeups=20 + 7 * round_number)
            process.signal(signal.SIGKILL)
            process.finish()
            self.assert_unharmed(target)
            target.child.stdin.write(b"\n")
            target.child.stdin.flush()
            self.assertGreater(json.loads(target.read_line())["looks"], 0)
        self.assertEqual(target.finish()[0], 0)

    def check_stall(self, name, *arguments):
        """What a stopped profiler did not see is missed: it is no stack's, neither that before nor that after."""
        target, _ = self.start_target(name)
        output = self.path("stall.raw")
        process = self.start_pyspyc("record", "-f", "raw", "-o", output, *FAST, "-d", "2", *arguments, "-p", target.pid)
        self.wait_until_sampling(process)
        process.signal(signal.SIGSTOP)
        time.sleep(STALL_SECONDS)
        process.signal(signal.SIGCONT)
        status, text = process.finish()
        outcome = harness.Outcome(process.arguments, status, text, process.stderr())
        self.assertEqual(status, 0, outcome)
        counts, stacks = outcome.counts(), self.read_stacks(output)
        self.assertGreaterEqual(counts["missed"], STALL_SECONDS * 1000 * 0.99, outcome)
        self.assertLessEqual(stacks.total(), counts["intervals"] - counts["missed"], outcome)
        self.assertGreater(stacks.total(), 500, outcome)

    def test_stopped_profiler(self):
        self.check_stall("pairs.py")

    def test_stopped_profiler_of_an_idle_program(self):
        self.check_stall("sleeper.py", "-i")

    def test_idle_program(self):
        """An empty picture is a picture, and the sentence says how to see the waiting."""
        target, _ = self.start_target("sleeper.py")
        output = self.path("idle.svg")
        outcome = self.run_pyspyc("record", "-o", output, "-d", "1", "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        xml.etree.ElementTree.parse(output)
        self.assertRegex(outcome.errors, r"(^|\s|[(`'\"])(-i\b|--idle)")
        self.assert_unharmed(target)

    def test_no_such_process(self):
        gone = self.start("true")
        gone.finish()
        outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "-d", "1", "-p", gone.pid)
        self.assert_failed(outcome, words=[str(gone.pid)])

    def test_process_that_is_not_python(self):
        sleep = self.start("sleep", "3600")
        outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "-d", "1", "-p", sleep.pid)
        self.assert_failed(outcome, words=["Python"])
        self.assertTrue(sleep.alive())


class TestOutput(RecordCase):
    """Where the result goes, and in which form."""

    def setUp(self):
        super().setUp()
        self.target, _ = self.start_target("pairs.py")

    def record_target(self, *arguments, **options):
        return self.run_pyspyc("record", *FAST, "-d", "1", "-p", self.target.pid, *arguments, **options)

    def assert_svg(self, path):
        tree = xml.etree.ElementTree.parse(path)
        self.assertTrue(tree.getroot().tag.endswith("svg"), tree.getroot().tag)
        with open(path, encoding="utf-8") as file:
            self.assertIn("one_round", file.read())

    def test_standard_output(self):
        outcome = self.record_target("-f", "raw", "-o", "-")
        self.assertEqual(outcome.status, 0, outcome)
        stacks = harness.Stacks(outcome.output)
        self.assertGreater(stacks.total(stacks.with_function("one_round")), 20)
        self.assertEqual([name for name in self.leftovers() if name == "-"], [])

    def test_frames_of_raw_lines(self):
        outcome = self.record_target("-f", "raw", "-o", "-")
        for stack in harness.Stacks(outcome.output).counts:
            self.assertIn("pairs.py", stack[0], "the root is the process")
            for frame in stack[1:]:
                self.assertRegex(frame, r"^.+ \(.+:\d+\)$")

    def test_format_by_ending(self):
        for name, check in (("x.svg", self.assert_svg), ("x.raw", self.read_stacks)):
            outcome = self.record_target("-o", self.path(name))
            self.assertEqual(outcome.status, 0, outcome)
            check(self.path(name))

    def test_format_option_wins_over_ending(self):
        outcome = self.record_target("-f", "raw", "-o", self.path("x.svg"))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(self.read_stacks(self.path("x.svg")).total(), 0)

    def test_default_file_name(self):
        """It is in the working directory, ends in .svg, and any file system can hold it."""
        folder = self.path("work")
        os.mkdir(folder)
        outcome = self.record_target(cwd=folder)
        self.assertEqual(outcome.status, 0, outcome)
        names = os.listdir(folder)
        self.assertEqual(len(names), 1, names)
        self.assertTrue(names[0].endswith(".svg"), names)
        self.assertNotRegex(names[0], r'[:*?"<>|\\\s]')
        self.assertIn(names[0], outcome.errors + outcome.output)
        self.assert_svg(os.path.join(folder, names[0]))

    def test_existing_file_is_replaced(self):
        path = self.path("x.svg")
        with open(path, "w") as file:
            file.write("old " * 100000)
        outcome = self.record_target("-o", path)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_svg(path)

    def test_existing_file_survives_a_failure(self):
        path = self.path("x.svg")
        with open(path, "w") as file:
            file.write("old")
        sleep = self.start("sleep", "3600")
        outcome = self.run_pyspyc("record", "-o", path, "-d", "1", "-p", sleep.pid)
        self.assert_failed(outcome)
        with open(path) as file:
            self.assertEqual(file.read(), "old")

    def test_symbolic_link_is_followed(self):
        with open(self.path("real.svg"), "w") as file:
            file.write("old")
        os.symlink("real.svg", self.path("link.svg"))
        outcome = self.record_target("-o", self.path("link.svg"))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertTrue(os.path.islink(self.path("link.svg")))
        self.assert_svg(self.path("real.svg"))

    def test_mode_of_a_replaced_file_is_kept(self):
        path = self.path("x.svg")
        with open(path, "w"):
            os.chmod(path, 0o600)
        self.record_target("-o", path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_names_in_messages_are_harmless(self):
        outcome = self.record_target("-o", self.path("line\n\033[31m.svg"))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("line\\x0a\\x1b[31m.svg", outcome.errors)
        outcome = self.run_pyspyc("record", "-o", self.path("x.svg"), "--", "nosuch\033[31m")
        self.assert_failed(outcome, 127, ["nosuch\\x1b[31m"])

    def test_signal_ends_the_wait_for_a_reader(self):
        path = self.path("fifo")
        os.mkfifo(path)
        process = self.start_pyspyc("record", "-d", "1", "-p", self.target.pid, "-f", "raw", "-o", path)
        harness.wait_until(lambda: harness.status_of(process.pid)["State"].startswith("S"), "the profiler waits")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.finish()[0], 128 + signal.SIGTERM)

    def test_closed_standard_output(self):
        process = self.start_pyspyc("record", *FAST, "-d", "1", "-p", self.target.pid, "-f", "raw", "-o", "-",
                                    preexec_fn=lambda: os.close(1))
        self.assertEqual(process.finish()[0], 1)

    def test_nothing_is_left_beside_the_result(self):
        before = self.leftovers()
        self.record_target("-o", self.path("x.svg"))
        self.assertEqual(self.leftovers(), sorted(before + ["x.svg"]))

    def test_fifo_is_written_directly(self):
        path = self.path("fifo")
        os.mkfifo(path)
        process = self.start_pyspyc("record", "-f", "raw", *FAST, "-d", "1", "-p", self.target.pid, "-o", path)
        reader = self.start("cat", path)
        status, text = reader.finish()
        self.assertEqual(status, 0)
        self.assertEqual(process.finish()[0], 0, process.stderr())
        self.assertGreater(harness.Stacks(text).total(), 0)
        self.assertTrue(stat.S_ISFIFO(os.stat(path).st_mode))

    def test_full_device(self):
        outcome = self.record_target("-f", "raw", "-o", "/dev/full", "-o", self.path("good.svg"))
        self.assert_failed(outcome)
        self.assertEqual(re.findall("wrote (.*)", outcome.errors), [self.path("good.svg")])
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/full").st_mode))
        with open("/dev/full", "w") as full:
            outcome = self.record_target("-f", "raw", "-o", "-", stdout=full)
        self.assert_failed(outcome)

    def test_unwritable_directory(self):
        for path in (self.path("missing", "x.svg"), "/proc/x.svg"):
            outcome = self.record_target("-o", path)
            self.assert_failed(outcome, words=[path])

    def test_directory_as_output(self):
        self.assert_failed(self.record_target("-o", self.folder), words=[self.folder])
        self.assertTrue(os.path.isdir(self.folder))

    def test_reader_that_goes_away(self):
        """A closed pipe is a failure to write, not a death by signal; the target does not notice."""
        reading, writing = os.pipe()
        os.close(reading)
        try:
            outcome = self.record_target("-f", "raw", "-o", "-", stdout=writing)
        finally:
            os.close(writing)
        self.assertNotEqual(outcome.status, 0, outcome)
        self.assert_unharmed(self.target)


class TestUsage(RecordCase):
    """Mistakes on the command line: status 2, and a sentence that helps."""

    def assert_usage(self, *arguments, words=()):
        outcome = self.run_pyspyc(*arguments)
        self.assert_failed(outcome, 2, words)

    def test_unknown_option(self):
        self.assert_usage("record", "--no-such-option", "-p", "1", words=["no-such-option"])

    def test_unknown_format_names_the_nearest(self):
        self.assert_usage("record", "-f", "flamegrph", "-p", "1", words=["flamegrph", "flamegraph"])
        for word, name in (("svg", "flamegraph"), ("pb.gz", "pprof"), ("txt", "raw")):
            outcome = self.run_pyspyc("report", "x", "-f", word)
            self.assert_failed(outcome, 2, ["did you mean '%s'" % name])

    def test_neither_process_nor_program(self):
        self.assert_usage("record", "-o", self.path("x.svg"))

    def test_both_process_and_program(self):
        self.assert_usage("record", "-p", "1", "--", self.python, "-c", "pass")

    def test_unknown_verb(self):
        self.assert_usage("recrod", words=["recrod", "record"])

    def test_numbers(self):
        for option, value in (("-r", "0"), ("-r", "many"), ("-r", "-5"), ("-d", "0x"), ("-d", "-1"),
                              ("-d", "0.0000000001"), ("-p", "abc"), ("--ready-fd", "999"), ("--ready-fd", "-1"),
                              ("-p", "0"), ("-p", "99999999999999999999")):
            with self.subTest(option=option, value=value):
                self.assert_usage("record", "-o", self.path("x.svg"), "-p", "1", option, value, words=[value])

    def test_ambiguous_abbreviation_names_the_meanings(self):
        self.assert_usage("record", "--no", words=["--nolineno", "--nonblocking"])

    def test_thread_of_the_kernel(self):
        if not os.path.exists("/proc/2/status") or harness.command_line(2):
            self.skipTest("no thread of the kernel is to be seen here")
        self.assert_failed(self.run_pyspyc("dump", "--pid", "2"), 1, ["kernel"])

    def test_help_and_version(self):
        for arguments in (("--help",), ("record", "--help"), ("--version",)):
            outcome = self.run_pyspyc(*arguments)
            self.assertEqual(outcome.status, 0, outcome)
            self.assertTrue(outcome.output.strip(), outcome)


class TestOptions(RecordCase):
    """Options that change what a stack looks like or which ones count."""

    def test_threads_are_roots(self):
        target, _ = self.start_target("threads.py", "2", "1")
        _, stacks = self.record(*FAST, "-t", "-d", "1", "-p", target.pid)
        spinning = [stack for stack in stacks.counts if stacks.with_function("spin")(stack)]
        self.assertTrue(spinning)
        seen = {name for stack in spinning for name in ("busy-0", "busy-1") if name in stack[1]}
        self.assertEqual(seen, {"busy-0", "busy-1"})
        self.assertTrue(all("busy" in stack[1] for stack in spinning), spinning)

    def test_without_threads_there_is_no_thread_frame(self):
        target, _ = self.start_target("threads.py", "2", "1")
        _, stacks = self.record(*FAST, "-d", "1", "-p", target.pid)
        self.assertFalse([stack for stack in stacks.counts if any("busy-0" in frame for frame in stack)])

    def split(self, *options):
        _, stacks = self.record(*FAST, *options, "--", self.python, harness.program("split.py"), "1")
        return stacks

    def test_first_line_of_functions(self):
        lines = lines_of_functions("split.py")
        seen = {}
        for stack in self.split("-F").counts:
            for frame in stack[1:]:
                match = re.fullmatch(r"(?:.*\.)?(\w+) \(split\.py:(\d+)\)", frame)
                if match and match.group(1) in lines:
                    seen.setdefault(match.group(1), set()).add(int(match.group(2)))
        self.assertIn("half", seen)
        self.assertEqual(seen, {name: {lines[name]} for name in seen})

    def test_no_lines(self):
        stacks = self.split("--nolineno")
        self.assertGreater(stacks.total(lambda stack: "half (split.py)" in stack), 0)
        self.assertFalse([stack for stack in stacks.counts if re.search(r"\.py:\d+\)", ";".join(stack[1:]))])

    def test_full_file_names(self):
        full = harness.program("split.py")
        stacks = self.split("--full-filenames")
        half = [frame for stack in stacks.counts for frame in stack if harness.function_name(frame) == "half"]
        self.assertTrue(half)
        self.assertTrue(all(full in frame for frame in half), half[:3])

    def test_nonblocking_is_accepted(self):
        self.assertGreater(self.split("--nonblocking").total(), 0)

    def test_only_with_gil(self):
        """With -g the thread that computes without the GIL is all but gone; without it, it has its share."""
        target, _ = self.start_target("without_gil.py")

        def share(stacks):
            return stacks.share(lambda stack: harness.function_name(stack[-1]) == "pack")

        _, everything = self.record(*FAST, "-d", "2", "-p", target.pid)
        _, holders = self.record(*FAST, "-g", "-d", "2", "-p", target.pid)
        self.assertGreater(share(everything), 0.2)
        if self.is_free_threaded:
            self.assertEqual(holders.total(), 0, "there is no such lock in this build")
            return
        self.assertLess(share(holders), 0.1)
        self.assertGreater(holders.total(holders.with_function("spin")), 100)

    def test_idle_threads_are_left_out(self):
        """Not one sample of a hundred threads that sleep, or of the main one, which waits for input."""
        target, _ = self.start_target("threads.py", "1", "100")
        outcome, stacks = self.record(*FAST, "-d", "2", "-p", target.pid)
        busy = stacks.with_function("busy")
        self.assertGreater(stacks.total(busy), 500, outcome)
        self.assertEqual(stacks.total(lambda stack: not busy(stack)), 0, outcome)

    def test_idle_threads_on_demand(self):
        """With -i every thread counts in every interval: eight of ten are at rest."""
        target, _ = self.start_target("threads.py", "1", "8")
        _, stacks = self.record("-r", "100", "-i", "-d", "2", "-p", target.pid)
        share = stacks.share(stacks.with_function("rest"))
        self.assertGreater(share, 0.75)
        self.assertLess(share, 0.85)


class TestShares(RecordCase):
    """The shares of the samples are the shares of the time."""

    def test_known_shares(self):
        outcome, stacks = self.record("-r", "500", "--", self.python, harness.program("split.py"), "4")
        self.assertEqual(outcome.status, 0, outcome)
        measured = json.loads(outcome.output.splitlines()[-1])
        functions = {name: stacks.with_function(name) for name in measured}
        samples = sum(stacks.total(accept) for accept in functions.values())
        self.assertGreater(samples, 1000)
        for name, truth in measured.items():
            found = stacks.total(functions[name]) / samples
            self.assertLess(abs(found - truth), binomial_bound(truth, samples), "%s: %.4f of the samples, %.4f of the "
                            "time, %d samples" % (name, found, truth, samples))


if __name__ == "__main__":
    harness.main()
