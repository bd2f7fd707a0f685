"""record --subprocesses: every process under a root of its own, found when it comes, forgotten when it goes.

    PYSPYC=build/pyspyc python3 test_subprocesses.py [VERSION | PYTHON]
"""
import os
import re
import signal
import subprocess
import unittest

import harness

FAST = ("-r", "200")
LEAST_SAMPLES = 30
WORKERS = 16
STORM_EACH_SECOND = 40
STORM_CHILDREN = 200
#: Of the storm's Python children, which live for 50 ms each, so many have to be in the recording.
STORM_SHARE = 0.9
#: Descriptors and memory of the profiler between the storm's first fifth and its end.
DESCRIPTOR_ROOM = 24
MEMORY_ROOM_KB = 2048


def can_unshare():
    return subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], stderr=subprocess.DEVNULL).returncode == 0


class Roots:
    """The roots of a recording's processes: 'process 1234: python3 work.py'."""

    LABEL = re.compile(r"process (\d+)(?:: (.*))?")

    def __init__(self, stacks):
        self.stacks = stacks
        self.commands = {}
        for stack in stacks.counts:
            match = self.LABEL.fullmatch(stack[1])
            if not match:
                raise AssertionError("no process at the root of %r" % (stack,))
            self.commands.setdefault(int(match.group(1)), set()).add(match.group(2))

    @staticmethod
    def shown(words):
        """The command as a raw recording has it, where a blank before a number at the end would mean a count."""
        return re.sub(r" (\d+)$", r"_\1", " ".join(words))

    @staticmethod
    def without_arguments(words):
        """The words up to the script, which is the second one here."""
        return " ".join(words[:2]) + (" \N{HORIZONTAL ELLIPSIS}" if words[2:] else "")

    def samples(self, pid, function=None):
        def accept(stack):
            in_process = int(self.LABEL.fullmatch(stack[1]).group(1)) == pid
            return in_process and (function is None or self.stacks.with_function(function)(stack))
        return self.stacks.total(accept)


class TestSubprocesses(harness.TestCase):

    def start_children(self, *arguments, wrapper=(), **options):
        target = self.start(*wrapper, self.python, harness.program("children.py"), *arguments, **options)
        self.assertEqual(target.read_line(), "ready")
        return target

    def start_recording(self, pid, *arguments):
        return self.start_pyspyc("record", "-s", "-f", "raw", "-o", self.path("stacks.raw"), *FAST, "-p", pid, *arguments)

    def stop_recording(self, recording):
        recording.signal(signal.SIGINT)
        return self.finish_recording(recording)

    def finish_recording(self, recording):
        status, output = recording.finish()
        outcome = harness.Outcome(recording.arguments, status, output, recording.stderr())
        self.assertEqual(status, 0, outcome)
        with open(self.path("stacks.raw"), encoding="utf-8") as file:
            return outcome, Roots(harness.Stacks(file.read()))

    def check_workers(self, kind, count, *arguments):
        target = self.start_children(kind, count)
        pids = [int(target.read_line()) for _ in range(count)]
        shown = Roots.shown if "--command-lines" in arguments else Roots.without_arguments
        outcome, roots = self.finish_recording(self.start_recording(target.pid, "-d", "3", *arguments))
        for pid in pids:
            self.assertGreater(roots.samples(pid, "work"), LEAST_SAMPLES, outcome)
            self.assertEqual(roots.commands[pid], {shown(harness.command_line(pid))})
            self.assertEqual(harness.status_of(pid)["TracerPid"], "0")
        self.assertEqual(set(roots.commands) - {target.pid}, set(pids), outcome)
        return outcome, roots

    def test_forked(self):
        _, roots = self.check_workers("fork", 2)
        self.assertEqual(roots.stacks.total(), roots.stacks.total(roots.stacks.with_function("work")))

    def test_run_anew(self):
        self.check_workers("exec", 2, "--command-lines")

    def test_sixteen_workers(self):
        """They share two CPUs or more; each is ready to run all the time, and so counts in each interval."""
        outcome, roots = self.check_workers("fork", WORKERS)
        samples = [roots.samples(pid) for pid in roots.commands]
        self.assertGreater(min(samples), 0.5 * max(samples), outcome)

    def test_with_threads(self):
        """The processes' roots come first, then the threads'."""
        _, roots = self.check_workers("fork", 2, "--threads")
        for stack in roots.stacks.counts:
            self.assertTrue(stack[2].startswith("thread ("), stack)

    def test_exec_of_python_long_after_the_fork(self):
        target = self.start_children("late")
        pid = int(target.read_line())
        outcome, roots = self.finish_recording(self.start_recording(target.pid, "-d", "4"))
        self.assertGreater(roots.samples(pid, "work"), LEAST_SAMPLES, outcome)

    def test_a_shell_that_starts_python(self):
        """The program itself is no Python at any time."""
        command = '"$@" work $$ & "$@" work $$ & sleep 1'
        outcome, stacks = self.record("-s", *FAST, "--", "sh", "-c", command, "sh", self.python,
                                      harness.program("children.py"))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(len(Roots(stacks).commands), 2, outcome)
        self.assertIn(" of 2 processes", outcome.errors)

    def test_no_python_at_all(self):
        outcome = self.run_pyspyc("record", "-s", "-o", self.path("none.svg"), "--", "sh", "-c", "sleep 0.2; exit 3")
        self.assertEqual(outcome.status, 125, outcome)
        self.assertIn("nor in the processes that it started", outcome.errors)

    def test_only_the_process_itself_without_the_option(self):
        target = self.start_children("fork", 2)
        pids = [int(target.read_line()) for _ in range(2)]
        outcome, stacks = self.record(*FAST, "-i", "-d", "1", "-p", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(stacks.total(stacks.with_function("work")), 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("wait")), LEAST_SAMPLES, outcome)
        self.assertTrue(all(harness.status_of(pid) for pid in pids))

    @unittest.skipUnless(can_unshare(), "a pid namespace of its own takes root")
    def test_a_number_that_is_used_again(self):
        target = self.start_children("reuse", wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
        inner, = harness.children_of(target.pid)
        first = int(target.read_line())
        recording = self.start_recording(inner)
        self.let_sample(recording, inner, 1)
        target.child.stdin.write(b"\n")
        target.child.stdin.flush()
        self.assertEqual(int(target.read_line()), first)
        self.let_sample(recording, inner, 2)
        outcome, roots = self.stop_recording(recording)
        for function in ("work_first", "work_second"):
            self.assertGreater(roots.stacks.total(roots.stacks.with_function(function)), LEAST_SAMPLES, outcome)

    def let_sample(self, recording, parent, rounds):
        """Waits until the parent's one child has used as much CPU time as many samples take."""
        child, = harness.children_of(parent)
        harness.wait_until(lambda: self.cpu_ticks(child) > 100 * rounds, "the child has worked for a while")
        self.assertTrue(recording.alive(), recording.stderr())

    @staticmethod
    def cpu_ticks(pid):
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def test_a_storm_of_short_children(self):
        target = self.start_children("storm", STORM_EACH_SECOND)
        recording = self.start_recording(target.pid)
        pids = [int(target.read_line()) for _ in range(STORM_CHILDREN // 5)]
        early = self.size_of(recording.pid)
        pids += [int(target.read_line()) for _ in range(STORM_CHILDREN * 4 // 5)]
        late = self.size_of(recording.pid)
        outcome, roots = self.stop_recording(recording)
        self.assertLess(late[0] - early[0], DESCRIPTOR_ROOM, outcome)
        self.assertLess(late[1] - early[1], MEMORY_ROOM_KB, outcome)
        pythons = pids[::2]
        seen = sum(roots.samples(pid, "work_shortly") > 0 for pid in pythons)
        self.assertGreater(seen, STORM_SHARE * (len(pythons) - WORKERS), outcome)

    @staticmethod
    def size_of(pid):
        """(descriptors, kB of memory)"""
        return len(os.listdir("/proc/%d/fd" % pid)), int(harness.status_of(pid)["VmRSS"].split()[0])


if __name__ == "__main__":
    harness.main()
