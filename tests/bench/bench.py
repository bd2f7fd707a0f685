#!/usr/bin/env python3
"""What the profiler costs, and how true its stacks are: one table. A benchmark, not a test: nothing here passes or fails.

    PYSPYC=build/pyspyc python3 tests/bench/bench.py [--versions 3.12 3.13] [--rates 1000] [--seconds 5] [--repeats 3]

Targets are pairs.py and shared.py, which call as fast as they can and know which stacks are impossible. A row holds:

    samples      samples of all repeats
    impossible   stacks among them that the program does not contain
    lost         what the profiler itself says it has left out: torn, unreadable, missed
    cpu us       the profiler's CPU time a sample: a long recording less a short one, so that the start is not in it
    tick us      the CPU time of a program that only sleeps to such deadlines on the target's CPU (tick.c)
    slow %       the target's rounds a second beside its rounds alone: medians of runs that take turns
    attach ms    from the start of the profiler to its first timed sleep (looked for every 0.3 ms)
    HWM MB       the profiler's largest resident memory

py-spy and Austin take part where they are on PATH. The numbers also go to a JSON file.
"""
import argparse
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import harness  # noqa: E402
import test_impossible  # noqa: E402

RULES = {"pairs.py": test_impossible.pairs_are_possible, "shared.py": test_impossible.shared_is_possible}
SHORT_SECONDS = 0.5
ATTACH_DEADLINE = 5.0
ATTACH_POLL = 0.0003
#: The numbers of clock_nanosleep and of futex, whose fourth argument is the time limit.
SLEEP_CALLS = {"x86_64": ("230", "202"), "aarch64": ("115", "98")}
COLUMNS = (
    ("profiler", "%-22s"), ("python", "%-7s"), ("program", "%-10s"), ("rate", "%6s"), ("samples", "%8s"),
    ("impossible", "%11s"), ("lost", "%6s"), ("cpu us", "%7s"), ("tick us", "%8s"), ("slow %", "%7s"),
    ("attach ms", "%10s"), ("HWM MB", "%7s"),
)


# --- the profilers ---------------------------------------------------------------------------------------------

class Pyspyc:
    name = "pyspyc"

    def command(self, pid, rate, seconds, output):
        return [harness.pyspyc(), "record", "-f", "raw", "-o", output, "-r", str(rate), "-d", str(seconds),
                "-p", str(pid)]

    def stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks(file.read())

    def lost(self, errors):
        """The causes by which its last lines say that samples were left out."""
        causes = re.findall(r"(\d+) (torn|unreadable|missed)", errors)
        return sum(int(count) for count, _ in causes)


class PySpy(Pyspyc):
    def __init__(self, *options):
        self.options = list(options)
        self.name = " ".join(["py-spy", *options])

    def command(self, pid, rate, seconds, output):
        return ["py-spy", "record", "-f", "raw", "-o", output, "-r", str(rate),
                "-d", str(max(1, round(seconds))), "-p", str(pid)] + self.options

    def stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks("".join("process;" + line for line in file))

    def lost(self, errors):
        return sum(int(count) for count in re.findall(r"Errors?: (\d+)", errors))


class Austin(Pyspyc):
    name = "austin"

    def command(self, pid, rate, seconds, output):
        return ["austin", "-i", str(round(1e6 / rate)), "-x", str(max(1, round(seconds))), "-o", output, "-p", str(pid)]

    def stacks(self, path):
        """Its lines are P1;T2;file:name:line;file:name:line MICROSECONDS, one a sample."""
        with open(path, encoding="utf-8") as file:
            lines = [line.rsplit(" ", 1)[0].split(";") for line in file if line.startswith("P")]
        frames = [";".join(["process"] + [self.frame(word) for word in line[2:]]) + " 1" for line in lines]
        return harness.Stacks("\n".join(frames))

    def frame(self, word):
        filename, name, line = (word.rsplit(":", 2) + ["", ""])[:3]
        return "%s (%s:%s)" % (name, filename, line)

    def lost(self, errors):
        found = re.search(r"Error rate.*?(\d+)/", errors)
        return int(found.group(1)) if found else 0


def profilers():
    """Ours, and the others that are installed; says which are not."""
    found = [Pyspyc()]
    for program, made in (("py-spy", [PySpy(), PySpy("--nonblocking")]), ("austin", [Austin()])):
        if shutil.which(program):
            found += made
        else:
            print("%s is not on PATH: left out" % program, file=sys.stderr)
    return found


# --- measuring -------------------------------------------------------------------------------------------------

class Recording:
    """One run of a profiler: stacks, CPU time, memory, the time until it began to sample."""

    def __init__(self, profiler, pid, rate, seconds, folder):
        output = os.path.join(folder, "recording")
        command = profiler.command(pid, rate, seconds, output)
        with tempfile.TemporaryFile(dir=folder) as errors:
            before = cpu_of_children()
            started = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            try:
                self.attach_ms = self.watch_attach(process, started)
                self.memory_mb = self.watch_memory(process, seconds)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            self.cpu_seconds = cpu_of_children() - before
            errors.seek(0)
            self.errors = errors.read().decode(errors="replace")
        if process.returncode != 0:
            raise RuntimeError("%s\nended with status %s\n%s" % (" ".join(command), process.returncode, self.errors))
        self.stacks = profiler.stacks(output)
        self.samples = self.stacks.total()
        self.lost = profiler.lost(self.errors)
        os.unlink(output)

    def watch_attach(self, process, started):
        """Milliseconds until a thread of the profiler is in its first timed sleep; None where that is not seen."""
        while process.poll() is None and time.perf_counter() - started < ATTACH_DEADLINE:
            if any(is_timed_sleep(text) for text in syscalls_of(process.pid)):
                return (time.perf_counter() - started) * 1000
            time.sleep(ATTACH_POLL)
        return None

    def watch_memory(self, process, seconds):
        """The last reading of VmHWM before the end, in megabytes."""
        megabytes = 0.0
        deadline = time.monotonic() + seconds + 60
        while process.poll() is None and time.monotonic() < deadline:
            fields = harness.status_of(process.pid)
            if "VmHWM" in fields:
                megabytes = int(fields["VmHWM"].split()[0]) / 1024
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        return megabytes


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


class Target:
    """A target that runs for a while and then says how many rounds a second it has done."""

    def __init__(self, python, program, folder, seconds=None):
        arguments = [python, harness.program(program)] + ([str(seconds)] if seconds else [])
        self.process = harness.Process(arguments, folder)
        self.pid = self.process.pid

    def __enter__(self):
        self.process.read_line()
        return self

    def __exit__(self, *exception):
        self.process.end()

    def rounds_per_second(self):
        status, output = self.process.finish()
        if status != 0:
            raise RuntimeError("the target ended with status %d" % status)
        return json.loads(output)["rounds_per_second"]


def run_alone(python, program, seconds, folder):
    with Target(python, program, folder, seconds) as target:
        return target.rounds_per_second()


def run_beside(profiler, python, program, rate, seconds, folder):
    """The target's rounds a second, and the recording; the target runs as long as the profiler does."""
    with Target(python, program, folder) as target:
        recording = Recording(profiler, target.pid, rate, seconds, folder)
        return target.rounds_per_second(), recording


def short_recording(profiler, python, program, rate, folder):
    with Target(python, program, folder) as target:
        return Recording(profiler, target.pid, rate, SHORT_SECONDS, folder)


def tick_cpu(tick, python, program, rate, seconds, folder):
    """Microseconds of CPU a bare timer tick costs on the CPU of a busy target, which is kept there."""
    with Target(python, program, folder) as target:
        with open("/proc/%d/stat" % target.pid) as file:
            cpu = int(file.read().rsplit(")", 1)[1].split()[36])
        os.sched_setaffinity(target.pid, {cpu})
        answer = subprocess.run([tick, str(rate), str(seconds), str(cpu)], stdout=subprocess.PIPE, check=True,
                                timeout=seconds + 60)
    return json.loads(answer.stdout)["cpu_us_per_tick"]


def build_tick(folder):
    """Compiles tick.c; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        print("there is no C compiler: no column 'tick us'", file=sys.stderr)
        return None
    tick = os.path.join(folder, "tick")
    subprocess.run([compiler, "-O2", "-o", tick, os.path.join(HERE, "tick.c")], check=True)
    return tick


# --- the table -------------------------------------------------------------------------------------------------

def measure(profiler, version, python, program, rate, tick, options):
    """One row: runs alone and runs with the profiler take turns."""
    alone, beside, recordings = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        short = short_recording(profiler, python, program, rate, folder)
        for _ in range(options.repeats):
            alone.append(run_alone(python, program, options.seconds, folder))
            rounds, recording = run_beside(profiler, python, program, rate, options.seconds, folder)
            beside.append(rounds)
            recordings.append(recording)
        tick_us = tick_cpu(tick, python, program, rate, min(options.seconds, 3), folder) if tick else None
    samples = sum(recording.samples for recording in recordings)
    return {
        "profiler": profiler.name,
        "python": version,
        "program": program,
        "rate": rate,
        "samples": samples,
        "impossible": sum(impossible(recording.stacks, program) for recording in recordings),
        "lost": sum(recording.lost for recording in recordings),
        "cpu us": statistics.median(cpu_per_sample(recording, short) for recording in recordings),
        "tick us": tick_us,
        "slow %": 100 * (statistics.median(alone) / statistics.median(beside) - 1),
        "attach ms": median_of_known(recording.attach_ms for recording in recordings),
        "HWM MB": max(recording.memory_mb for recording in recordings),
        "load average": os.getloadavg()[0],
        "rounds alone": alone,
        "rounds beside": beside,
    }


def impossible(stacks, program):
    return stacks.total(lambda stack: not RULES[program](stack))


def cpu_per_sample(recording, short):
    samples = recording.samples - short.samples
    return 1e6 * (recording.cpu_seconds - short.cpu_seconds) / samples if samples > 0 else float("nan")


def median_of_known(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def cell(value):
    if value is None:
        return "-"
    return "%.1f" % value if isinstance(value, float) else str(value)


def print_row(values):
    print(" ".join(form % cell(value) for (_, form), value in zip(COLUMNS, values)), flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", nargs="+", default=["3.10", "3.11", "3.12", "3.13"])
    parser.add_argument("--programs", nargs="+", default=list(RULES), choices=list(RULES))
    parser.add_argument("--rates", nargs="+", type=int, default=[100, 1000, 10000])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", default="bench.json", help="where the numbers go (bench.json)")
    return parser.parse_args()


def rows(options, tick):
    everyone = profilers()
    for version in options.versions:
        python = harness.find_interpreter(version)
        if not python:
            print("Python %s is not here: left out" % version, file=sys.stderr)
            continue
        for program in options.programs:
            for rate in options.rates:
                for profiler in everyone:
                    yield measure(profiler, version, python, program, rate, tick, options)


def main():
    options = parse_options()
    results = []
    print_row([title for title, _ in COLUMNS])
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(options, build_tick(folder)):
            results.append(row)
            print_row([row[title] for title, _ in COLUMNS])
    with open(options.json, "w") as file:
        json.dump({"machine": platform.uname()._asdict(), "cpus": os.cpu_count(), "options": vars(options),
                   "rows": results}, file, indent=1)


if __name__ == "__main__":
    main()
