"""What a recording says of itself: each interval, each signal, what was lost; and what it does not say, secrets.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 -B tests/faults/test_accounting.py
"""
import glob
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zlib

import harness

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import accounts

LONG = bool(os.environ.get("PYSPYC_LONG"))
KEPT_SHARE = 0.9


class AccountingCase(harness.TestCase):

    def pairs(self):
        return self.start_target("pairs.py")[0]

    def outputs(self, name="a"):
        return [word for ending in accounts.ENDINGS + ("pyspyc",) for word in ("-o", "%s.%s" % (name, ending))]

    def files(self, name="a"):
        found = {}
        for ending in accounts.ENDINGS:
            with open(self.path("%s.%s" % (name, ending)), "rb") as file:
                found[ending] = file.read()
        return found

    def outcome(self, process):
        status, output = process.finish()
        return harness.Outcome(process.arguments, status, output, process.stderr())

    def start_recording(self, *arguments, **options):
        """Starts a recording, and returns when it has begun."""
        ready, told = os.pipe()
        process = self.start_pyspyc("record", "--ready-fd", told, *arguments, pass_fds=[told], **options)
        os.close(told)
        self.assertTrue(select.select([ready], [], [], harness.DEADLINE)[0])
        os.close(ready)
        return process


class TestIntervals(AccountingCase):
    """Each interval that was due is one of ok, idle, torn, unreadable and missed, in every format."""

    def test_of_a_busy_program(self):
        outcome = self.run_pyspyc("record", "-r", "200", "-d", "1", "-p", self.pairs().pid, *self.outputs())
        intervals = accounts.assert_accounted(self, outcome, self.files(), (200, 4))
        self.assertGreater(intervals["ok"], 100 / harness.SLOWNESS, outcome)

    def test_of_an_idle_program(self):
        target, _ = self.start_target("sleeper.py")
        outcome = self.run_pyspyc("record", "-r", "200", "-d", "1", "-p", target.pid, *self.outputs())
        intervals = accounts.assert_accounted(self, outcome, self.files(), (200, 4))
        self.assertGreater(intervals["idle"], 100 / harness.SLOWNESS, outcome)

    def check_report(self, outcome, intervals):
        """What is made of the recording later says the same; of two, the sum."""
        self.assertEqual(self.run_pyspyc("report", "a.pyspyc", *self.outputs("b")[:-2]).status, 0)
        for ending, content in self.files("b").items():
            self.assertEqual(accounts.intervals_in(ending, content), intervals, ending)
        merged = self.run_pyspyc("merge", "a.pyspyc", "a.pyspyc", "-o", "m.jsonl", "-o", "m.svg")
        self.assertEqual(merged.status, 0, merged)
        with open(self.path("m.jsonl"), "rb") as file:
            self.assertEqual(accounts.intervals_in("jsonl", file.read()), {name: 2 * n for name, n in intervals.items()})
        with open(self.path("m.svg"), "rb") as file:
            self.assertGreater(accounts.warning_in("svg", file.read()), 1)
        compared = self.run_pyspyc("diff", "a.pyspyc", "a.pyspyc", "-o", "-", "-o", "d.svg")
        self.assertEqual(len(accounts.WARNING.findall(compared.output)), 2, compared)
        with open(self.path("d.svg"), encoding="utf-8") as file:
            self.assertGreaterEqual(len(accounts.WARNING.findall(file.read())), 2)

    def test_of_a_profiler_that_is_stopped(self):
        process = self.start_recording("-r", "200", "-d", "1.5", "-p", self.pairs().pid, *self.outputs())
        process.signal(signal.SIGSTOP)
        time.sleep(0.6)  # it is the fault
        process.signal(signal.SIGCONT)
        outcome = self.outcome(process)
        intervals = accounts.assert_accounted(self, outcome, self.files(), (300, 4))
        self.assertGreaterEqual(intervals["missed"], 0.6 * 200 * KEPT_SHARE, outcome)
        self.check_report(outcome, intervals)

    def test_of_a_profiler_that_is_stopped_at_the_end(self):
        """What passed after its last look was due, too: until the end of -d, and until a signal that ends it."""
        for number, due in ((None, 1.0), (signal.SIGTERM, 1.2)):
            with self.subTest(signal=number):
                duration = () if number else ("-d", "1")
                process = self.start_recording("-r", "200", *duration, "-p", self.pairs().pid, *self.outputs())
                start = time.monotonic()
                harness.wait_until(lambda: time.monotonic() > start + 0.5, "it is time")
                process.signal(signal.SIGSTOP)
                harness.wait_until(lambda: time.monotonic() > start + 1.2, "it is time")
                if number:
                    process.signal(number)
                process.signal(signal.SIGCONT)
                outcome = self.outcome(process)
                self.assertEqual(outcome.status, 0, outcome)
                intervals = accounts.assert_accounted(self, outcome, self.files(), (due * 200, 4 if not number else 30))
                self.assertGreaterEqual(intervals["missed"], (due - 0.55) * 200, outcome)

    def test_of_readings_that_are_torn(self):
        """strace delays every system call of ours, so that hardly a reading is of one moment."""
        target = self.pairs()
        done = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=process_vm_readv", harness.pyspyc(), "record",
                               "-r", "200", "-d", "1", "-p", str(target.pid), *self.outputs()], cwd=self.folder,
                              env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.DEADLINE)
        outcome = harness.Outcome([], done.returncode, "", done.stderr.decode())
        intervals = accounts.assert_accounted(self, outcome, self.files(), (200, 30))
        self.assertGreater(intervals["torn"] + intervals["missed"], 30, outcome)
        self.assert_unharmed(target)

    def test_of_a_program_that_cannot_be_read(self):
        """Its process becomes something else, and nothing of it is due any more; causes are counted, too."""
        outcome = self.run_pyspyc("record", "-r", "200", *self.outputs(), "--", self.python, harness.program("exec_chain.py"),
                                  harness.program("ending.py"), "exit", "0", "1")
        self.assertEqual(outcome.status, 0, outcome)
        accounts.assert_accounted(self, outcome, self.files())

    def test_of_each_part(self):
        process = self.start_recording("-r", "200", "-d", "1.6", "--every", "0.5", "-o", "a.jsonl", "-p", self.pairs().pid)
        outcome = self.outcome(process)
        self.assertEqual(outcome.status, 0, outcome)
        sums = []
        for name in sorted(glob.glob(self.path("a-*.jsonl"))):
            with open(name, "rb") as file:
                sums.append(sum(accounts.intervals_in("jsonl", file.read()).values()))
        self.assertLessEqual(abs(sum(sums) - 320), 10, (sums, outcome))


class TestSignals(AccountingCase):
    """Whatever signal ends a recording, in whatever mode, its profile is whole."""

    MODES = {"default": (), "native": ("--native",), "blocking": ("--blocking",), "subprocesses": ("-s",), "idle": ("-i",)}
    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    SECONDS, RATE = 0.5, 100

    def check(self, outcome, status, seconds, name="a.jsonl"):
        self.assertEqual(outcome.status, status, outcome)
        with open(self.path(name), "rb") as file:
            content = file.read()
        end = json.loads(content.splitlines()[-1])
        self.assertEqual(end["type"], "end")
        intervals = sum(end["intervals"].values())
        self.assertGreaterEqual(intervals, KEPT_SHARE * seconds * self.RATE - 2, outcome)
        if outcome.errors:  # all that was counted is in the profile
            self.assertEqual((end["weight"], intervals), (outcome.counts()["samples"], outcome.counts()["intervals"]), outcome)
        self.assertGreater(end["weight"], 0.3 * intervals / harness.SLOWNESS, outcome)

    def run_for_a_while(self, number, *arguments, **options):
        process = self.start_recording("-r", self.RATE, "-o", "a.jsonl", *arguments, **options)
        start = time.monotonic()
        time.sleep(self.SECONDS)
        seconds = time.monotonic() - start
        process.signal(number)
        return process, seconds

    def test_attached(self):
        cases = [(mode, number) for mode in self.MODES for number in self.SIGNALS]
        if not LONG:  # each mode, and each signal
            cases = list(zip(self.MODES, self.SIGNALS * 2))
        target = self.pairs()
        for mode, number in cases:
            with self.subTest(mode=mode, signal=number.name):
                process, seconds = self.run_for_a_while(number, *self.MODES[mode], "-p", target.pid)
                self.check(self.outcome(process), 0, seconds)
                self.assert_unharmed(target)

    def test_started(self):
        """The program gets the signal, and ends as it would without us; its status is ours."""
        for mode, number in list(zip(self.MODES, self.SIGNALS * 2))[:None if LONG else 3]:
            with self.subTest(mode=mode, signal=number.name):
                process, seconds = self.run_for_a_while(number, *self.MODES[mode], "--", self.python, harness.program("split.py"),
                                                        "60")
                self.check(self.outcome(process), 128 + number, seconds)

    def test_two_signals_end_the_recording_of_a_program_that_goes_on(self):
        process, seconds = self.run_for_a_while(signal.SIGTERM, "--", self.python, harness.program("signal_counter.py"))
        harness.wait_until(lambda: b"SIGTERM" in process.buffered or process.read_line() == "SIGTERM", "the program has it")
        process.signal(signal.SIGTERM)
        harness.wait_until(lambda: os.path.exists(self.path("a.jsonl")), "the profile is written")
        self.check(self.outcome(process), 0, seconds)

    def test_signals_that_are_ignored(self):
        """nohup, and a job in the background of a script: SIGINT and SIGHUP do nothing, SIGTERM ends the recording."""
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        process = self.start_recording("-r", self.RATE, "-o", "a.jsonl", "-p", self.pairs().pid, preexec_fn=ignore)
        start = time.monotonic()
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGINT, signal.SIGHUP):
            process.signal(number)
            time.sleep(0.2)
        self.assertTrue(process.alive(), process.stderr())
        seconds = time.monotonic() - start
        process.signal(signal.SIGTERM)
        self.check(self.outcome(process), 0, seconds)

    def test_a_terminal_that_is_closed(self):
        master, slave = pty.openpty()
        target = self.pairs()
        process = subprocess.Popen([harness.pyspyc(), "record", "-r", "100", "-o", "a.jsonl", "-p", str(target.pid)], stdin=slave,
                                   stdout=slave, stderr=slave, cwd=self.folder, start_new_session=True,
                                   env=self.environment(TERM="xterm"),
                                   preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(slave)
        seen = b""
        while b" samples" not in seen:
            seen += os.read(master, 1000)
        time.sleep(0.5)
        os.close(master)
        self.assertEqual(process.wait(harness.DEADLINE), 0)
        self.check(harness.Outcome([], 0, "", ""), 0, 0.5)

    def test_signals_that_kill(self):
        """What SIGQUIT and SIGKILL leave is the recording, up to a second before."""
        target = self.pairs()
        for number in (signal.SIGQUIT, signal.SIGKILL) if LONG else (signal.SIGQUIT,):
            with self.subTest(signal=number.name):
                process = self.start_recording("-r", self.RATE, "-o", "a.svg", "-p", target.pid,
                                               preexec_fn=lambda: __import__("resource").setrlimit(4, (0, 0)))
                start = time.monotonic()
                time.sleep(2.2 * harness.SLOWNESS)
                process.signal(number)
                lived = time.monotonic() - start
                self.assertEqual(process.finish()[0], 128 + number)
                (kept,) = glob.glob(self.path("a.svg.*.pyspyc"))
                outcome = self.run_pyspyc("report", kept, "-f", "json")
                saved = json.loads(outcome.output.splitlines()[-1])["intervals"]
                self.assertGreaterEqual(sum(saved.values()) / self.RATE, lived - 1 - 0.5 * harness.SLOWNESS, outcome)
                os.unlink(kept)
                self.assert_unharmed(target)

    def test_pauses(self):
        """SIGUSR2 and SIGUSR1: what passes between them is due to nobody."""
        process = self.start_recording("-r", self.RATE, "-o", "a.jsonl", "-p", self.pairs().pid)
        time.sleep(0.5)
        process.signal(signal.SIGUSR2)
        time.sleep(0.7)
        process.signal(signal.SIGUSR1)
        time.sleep(0.5)
        process.signal(signal.SIGINT)
        outcome = self.outcome(process)
        self.check(outcome, 0, 0.9)
        self.assertLess(outcome.counts()["intervals"], 1.5 * self.RATE * harness.SLOWNESS, outcome)


class TestSecrets(AccountingCase):
    """What is passed on with a profile: no arguments, no environment, no values."""

    ARGUMENT, VARIABLE, VALUE = "argument-0f1e2d", "variable-3c4b5a", "value-69788f"
    PROGRAM = """if 1:
        import multiprocessing, os, sys, threading, time
        def work(token, until):
            secret = "val" + token
            while time.monotonic() < until:
                sum(range(1000))
            return secret
        if __name__ == "__main__":
            print("ready", flush=True)
            until = time.monotonic() + float(sys.argv[1])
            child = multiprocessing.get_context("spawn").Process(target=work, args=("ue-69788f", until))
            child.start()
            work("ue-69788f", until)
            child.join()"""

    def write_program(self):
        path = self.path("program.py")
        with open(path, "w") as file:
            file.write(self.PROGRAM)
        return path

    @staticmethod
    def unpacked(ending, content):
        """As somebody reads it who looks for it."""
        if ending == "pb.gz":
            return "\n".join(accounts.pprof_strings(content))
        if ending == "pyspyc":  # src/profile/RECORDING.md
            text, at = b"", 12
            while at < len(content):
                length = int.from_bytes(content[at:at + 4], "little")
                text += zlib.decompress(content[at + 12:at + 12 + length])
                at += 12 + length
            return text.decode(errors="replace")
        return content.decode()

    def record(self, *options):
        outputs = self.outputs("s") + ["-o", "s.txt"]
        outcome = self.run_pyspyc("record", "-r", "100", *options, *outputs, "--", self.python, self.write_program(), "0.7",
                                  "--password=" + self.ARGUMENT, env=self.environment(SECRET=self.VARIABLE))
        self.assertEqual(outcome.status, 0, outcome)
        texts = {"messages": outcome.errors}
        for ending in accounts.ENDINGS + ("pyspyc", "txt"):
            with open(self.path("s." + ending), "rb") as file:
                texts[ending] = self.unpacked(ending, file.read())
                self.assertIn("program.py", texts[ending])
        return texts

    def test_nothing_is_told(self):
        for options in ((), ("-s", "-t", "-i", "--native", "--full-filenames")):
            for ending, text in self.record(*options).items():
                for secret in (self.ARGUMENT, self.VARIABLE, self.VALUE):
                    self.assertNotIn(secret, text, (ending, options))

    def test_command_lines_are_told_when_wanted(self):
        texts = self.record("-s", "--command-lines")
        for ending in set(texts) - {"messages"}:
            self.assertIn(self.ARGUMENT, texts[ending], ending)
            self.assertNotIn(self.VARIABLE, texts[ending], ending)
            self.assertNotIn(self.VALUE, texts[ending], ending)

    def test_dump_and_top(self):
        """They show the command line, as ps does, and values only when asked to."""
        target = self.start(self.python, self.write_program(), "20", env=self.environment(SECRET=self.VARIABLE))
        self.assertEqual(target.read_line(), "ready")
        for arguments in (("dump",), ("dump", "-s"), ("dump", "--json"), ("dump", "--native"), ("top", "--once", "-d", "0.3"),
                          ("top", "--once", "-d", "0.3", "--json", "-s")):
            outcome = self.run_pyspyc(*arguments, "-p", target.pid)
            self.assertEqual(outcome.status, 0, outcome)
            for secret in (self.VARIABLE, self.VALUE):
                self.assertNotIn(secret, outcome.output + outcome.errors, arguments)
        harness.wait_until(lambda: self.VALUE in self.run_pyspyc("dump", "-l", "-p", target.pid).output, "the value is shown")


if __name__ == "__main__":
    harness.main()
