"""Single runs: a target alone, a profiler beside it, a bare tick beside it, and what competes with them for the CPUs."""
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from common import HERE, harness

ATTACH_DEADLINE = 5.0
ATTACH_POLL = 0.0003
MEMORY_POLL = 0.05
#: Memory that is asked for after this is growth.
SETTLED_SECONDS = 60
#: The numbers of clock_nanosleep and of futex, whose fourth argument is the time limit.
SLEEP_CALLS = {"x86_64": ("230", "202"), "aarch64": ("115", "98")}


class Target:
    """A program of tests/programs that works until its end is asked for, and then gives its account (rounds.py)."""

    def __init__(self, python, workload, folder):
        self.process = harness.Process([python, "-B", workload.path, *workload.arguments], folder)
        self.pid = self.process.pid

    def __enter__(self):
        try:
            self.process.read_line()
        except BaseException:
            self.process.end()
            raise
        return self

    def __exit__(self, *exception):
        self.process.end()

    def accounts(self, stretches):
        """Ends the program; its accounts of stretches of time, pairs of perf_counter_ns()."""
        for stretch in stretches:
            self.process.child.stdin.write(b"%d %d\n" % stretch)
        status, output = self.process.finish()
        if status != 0:
            raise RunFailed("the target ended with status %d\n%s" % (status, self.process.stderr()))
        return [json.loads(line) for line in output.splitlines()]

    def account(self, begin_ns, end_ns):
        """The same of one stretch."""
        return self.accounts([(begin_ns, end_ns)])[0]

    def move_to_one_cpu(self):
        """Keeps all threads on the CPU where the main one ran last; returns its number."""
        with open("/proc/%d/stat" % self.pid) as file:
            cpu = int(file.read().rsplit(")", 1)[1].split()[36])
        for tid in os.listdir("/proc/%d/task" % self.pid):
            os.sched_setaffinity(int(tid), {cpu})
        return cpu


class RunFailed(Exception):
    """A profiler or a target has not ended well."""


class Recording:
    """One run of a profiler: stacks, CPU time, memory, the time until it began to sample."""

    def __init__(self, profiler, target, rate, seconds, with_idle, folder):
        output = os.path.join(folder, "recording")
        command = profiler.command(target.pid, rate, seconds, output, with_idle)
        with tempfile.TemporaryFile(dir=folder) as errors:
            before = cpu_of_children()
            started_ns = time.perf_counter_ns()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            try:
                self.begin_ns = watch_attach(process, started_ns)
                self.memory_mb, self.growth_mb = watch_memory(process, seconds)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            self.end_ns = time.perf_counter_ns()
            self.cpu_seconds = cpu_of_children() - before
            errors.seek(0)
            self.errors = errors.read().decode(errors="replace")
        if process.returncode != 0:
            raise RunFailed("%s\nended with status %s\n%s" % (" ".join(command), process.returncode, self.errors))
        self.attach_ms = (self.begin_ns - started_ns) / 1e6 if self.begin_ns else None
        self.begin_ns = self.begin_ns or started_ns
        if profiler.is_wall_time:
            self.end_ns = min(self.end_ns, self.begin_ns + int(seconds * 1e9))
        self.stacks = profiler.stacks(output)
        self.samples = self.stacks.total()
        self.lost = profiler.lost(self.errors, self.samples)
        self.unseen = profiler.unseen(self.errors)
        os.unlink(output)


def watch_attach(process, started_ns):
    """When a thread of the profiler is first in a timed sleep, in perf_counter_ns(); None where that is not seen."""
    while process.poll() is None and time.perf_counter_ns() - started_ns < ATTACH_DEADLINE * 1e9:
        if any(is_timed_sleep(text) for text in syscalls_of(process.pid)):
            return time.perf_counter_ns()
        time.sleep(ATTACH_POLL)
    return None


def watch_memory(process, seconds):
    """VmHWM at the end, and how much of it came after the first minute (None in a shorter run), in megabytes."""
    started = time.monotonic()
    megabytes, settled = 0.0, None
    while process.poll() is None and time.monotonic() < started + seconds + 60:
        megabytes = high_water_mb(process.pid) or megabytes
        if settled is None and time.monotonic() > started + SETTLED_SECONDS:
            settled = megabytes
        try:
            process.wait(MEMORY_POLL)
        except subprocess.TimeoutExpired:
            pass
    return megabytes, None if settled is None else megabytes - settled


def high_water_mb(pid):
    fields = harness.status_of(pid)
    return int(fields["VmHWM"].split()[0]) / 1024 if "VmHWM" in fields else None


def cpu_of_children():
    """User and system time of all children that have been waited for, from their wait4 records."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def is_timed_sleep(text):
    """Whether a line of /proc/PID/syscall is a sleep until a time: clock_nanosleep, or a futex with a limit."""
    nanosleep, futex = SLEEP_CALLS.get(platform.machine(), (None, None))
    words = text.split()
    return bool(words) and (words[0] == nanosleep or (words[0] == futex and int(words[4], 16) != 0))


def syscalls_of(pid):
    """/proc/PID/task/*/syscall: the call each thread sleeps in; nothing where it may not be read."""
    texts = []
    try:
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/syscall" % (pid, tid)) as file:
                texts.append(file.read())
    except OSError:
        pass
    return texts


def run_alone(python, workload, seconds, folder):
    """The account of a target that nobody looks at."""
    with Target(python, workload, folder) as target:
        begin_ns = time.perf_counter_ns()
        time.sleep(seconds)
        return target.account(begin_ns, time.perf_counter_ns())


def run_beside(profiler, python, workload, rate, seconds, folder):
    """The account of a target that is profiled, for just this time, and the recording."""
    with Target(python, workload, folder) as target:
        recording = Recording(profiler, target, rate, seconds, workload.with_idle, folder)
        return target.account(recording.begin_ns, recording.end_ns), recording


def build_tick(folder):
    """Compiles tick.c; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        print("there is no C compiler: nothing to measure a bare tick with", file=sys.stderr)
        return None
    tick = os.path.join(folder, "tick")
    subprocess.run([compiler, "-O2", "-o", tick, os.path.join(HERE, "tick.c")], check=True)
    return tick


def run_tick(tick, python, workload, rate, seconds, folder):
    """What tick.c says of itself, on the CPU of a target whose threads are kept there."""
    with Target(python, workload, folder) as target:
        cpu = target.move_to_one_cpu()
        answer = subprocess.run([tick, str(rate), str(seconds), str(cpu)], stdout=subprocess.PIPE, check=True,
                                timeout=seconds + 60)
    return json.loads(answer.stdout)


class Competitors:
    """Busy processes beside everything else: in our autogroup, or each in a session and so in an autogroup of its own."""

    def __init__(self, count, are_apart):
        self.count, self.are_apart = count, are_apart
        self.processes = []

    def __enter__(self):
        command = [sys.executable, "-c", "while True: pass"]
        self.processes = [subprocess.Popen(command, start_new_session=self.are_apart) for _ in range(self.count)]
        return self

    def __exit__(self, *exception):
        for process in self.processes:
            process.kill()
            process.wait()
