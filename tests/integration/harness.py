"""What the integration tests share: interpreters, targets that say "ready", the profiler, and cleaning up.

Environment:
    PYSPYC               the profiler's binary (needed)
    PYSPYC_TEST_PYTHON   the interpreter under test: a version ("3.11", "3.11.7", "3.14t") or a program; Debian's by default
    PYSPYC_TEST_SLOW     a factor for every deadline, for slow builds (sanitizers, valgrind)

Nothing here waits a fixed time: what is awaited is a condition, and every wait has a deadline. Every process is ended
by its own id, also when a test fails. Each target has a folder of its own for temporary files, which goes with it.
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(os.path.dirname(HERE), "programs")
LIST_PYTHONS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "scripts", "pythons")
SLOWNESS = float(os.environ.get("PYSPYC_TEST_SLOW", "1"))
DEADLINE = 60 * SLOWNESS
POLL = 0.01


# --- the interpreters ------------------------------------------------------------------------------------------

def interpreters():
    """[(version text, path)] of every CPython of this machine, as scripts/pythons lists them: oldest first."""
    listing = subprocess.run([LIST_PYTHONS], stdout=subprocess.PIPE, check=True, timeout=DEADLINE)
    return [tuple(line.split(" ", 1)) for line in listing.stdout.decode().splitlines()]


def describe(python):
    """((3, 11, 7), whether it is a free-threaded build), or (None, False) where `python` does not run."""
    question = "import sys; print('%d %d %d' % sys.version_info[:3]); print(getattr(sys, 'abiflags', ''))"
    try:
        answer = subprocess.run([python, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                timeout=DEADLINE)
        numbers, flags = answer.stdout.decode().split("\n")[:2]
        return tuple(int(part) for part in numbers.split()), "t" in flags
    except (OSError, subprocess.SubprocessError, ValueError):
        return None, False


def version_of(python):
    return describe(python)[0]


def find_interpreter(wanted):
    """The path of an interpreter: `wanted` is a path, or a version such as 3.11, 3.11.7, 3.14t. None if there is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+){1,2})(t?)", wanted)
    if not match:
        return os.path.realpath(shutil.which(wanted)) if shutil.which(wanted) else None
    pattern = re.escape(match.group(1)) + r"(?!\d)[^t]*" + match.group(2)
    return next((path for version, path in interpreters() if re.fullmatch(pattern, version)), None)


def system_python():
    """The distribution's own python3, the one with torch on a Debian machine that has it."""
    return os.path.realpath(shutil.which("python3", path=os.defpath) or sys.executable)


def interpreter_under_test():
    wanted = os.environ.get("PYSPYC_TEST_PYTHON")
    if not wanted:
        return system_python()
    found = find_interpreter(wanted)
    if not found:
        raise SystemExit("no interpreter %s on this machine" % wanted)
    return found


def pyspyc():
    path = os.environ.get("PYSPYC")
    if not path:
        raise SystemExit("PYSPYC does not name the profiler's binary")
    return os.path.abspath(path)


def program(name):
    return os.path.join(PROGRAMS, name)


# --- conditions ------------------------------------------------------------------------------------------------

def wait_until(condition, what, deadline=None):
    """Waits until condition() is true and returns its value; fails with `what` when the deadline has passed."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited in vain until " + what)
        time.sleep(POLL)


def status_of(pid):
    """The fields of /proc/PID/status, or {} when there is no such process."""
    try:
        with open("/proc/%d/status" % pid) as status:
            return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except (FileNotFoundError, ProcessLookupError):
        return []


def children_of(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


# --- processes -------------------------------------------------------------------------------------------------

class Process:
    """A process that a test has started: its lines can be awaited, and it is ended by its id."""

    def __init__(self, arguments, folder, **options):
        options.setdefault("stdin", subprocess.PIPE)
        options.setdefault("stdout", subprocess.PIPE)
        self.errors = tempfile.TemporaryFile(dir=folder)
        options.setdefault("stderr", self.errors)
        self.arguments = arguments
        self.child = subprocess.Popen(arguments, **options)
        self.pid = self.child.pid
        self.buffered = b""

    def read_line(self, deadline=None):
        """The next line of standard output, without its end; fails at the deadline or at the end of output."""
        end = time.monotonic() + (deadline or DEADLINE)
        while b"\n" not in self.buffered:
            if not select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("no line from %s in time\n%s" % (self.arguments, self.stderr()))
            piece = os.read(self.child.stdout.fileno(), 1 << 16)
            if not piece:
                raise AssertionError("%s ended too early\n%s" % (self.arguments, self.stderr()))
            self.buffered += piece
        line, self.buffered = self.buffered.split(b"\n", 1)
        return line.decode()

    def stderr(self):
        """What has come on standard error so far."""
        position = os.lseek(self.errors.fileno(), 0, os.SEEK_CUR)
        text = os.pread(self.errors.fileno(), max(position, 1 << 20), 0)
        return text.decode(errors="replace")

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def close_stdin(self):
        if self.child.stdin and not self.child.stdin.closed:
            try:
                self.child.stdin.close()
            except BrokenPipeError:
                pass

    def finish(self, deadline=None):
        """Closes standard input and returns (status, rest of standard output), status as a shell would say it."""
        self.close_stdin()
        end = time.monotonic() + (deadline or DEADLINE)
        rest = self._drain(end)
        try:
            status = self.child.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError("%s did not end in time\n%s" % (self.arguments, self.stderr()))
        return (status if status >= 0 else 128 - status), rest

    def _drain(self, end):
        while self.child.stdout:
            if not select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("%s did not end in time\n%s" % (self.arguments, self.stderr()))
            piece = os.read(self.child.stdout.fileno(), 1 << 16)
            if not piece:
                break
            self.buffered += piece
        rest, self.buffered = self.buffered, b""
        return rest.decode(errors="replace")

    def end(self):
        """Ends the process whatever it does."""
        if self.alive():
            self.child.kill()
            self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.errors):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                pass


class Outcome:
    """What a run of the profiler has left: status, output, errors."""

    def __init__(self, arguments, status, output, errors):
        self.arguments, self.status, self.output, self.errors = arguments, status, output, errors

    def __str__(self):
        return "%s\nstatus %d\nstdout:\n%s\nstderr:\n%s" % (
            " ".join(self.arguments), self.status, self.output[:4000], self.errors[:4000])

    def counts(self):
        """What the closing message of a recording counts: {"samples": 9, "intervals": 10, "ok": 9, "torn": 1, ..., "late": 0, "ms late": 0.0}."""
        message = re.search(r"(\d+) samples.* in [\d.]+ s; of (\d+) intervals: (.*)", self.errors)
        # Not said of less than 2 %.
        late = re.search(r"(\d+) of the intervals were looked at late, by ([\d.]+) ms", self.errors)
        counts = {"samples": int(message.group(1)), "intervals": int(message.group(2))}
        counts.update((name, int(count)) for count, name in re.findall(r"(\d+) (\w+)", message.group(3)))
        counts.update({"late": int(late.group(1)), "ms late": float(late.group(2))} if late else {"late": 0, "ms late": 0.0})
        return counts


class Stacks:
    """A recording in raw format: how many samples each stack has. A stack is a tuple of frames, root first."""

    LINE = re.compile(r"(.*) (\d+)")

    def __init__(self, text):
        self.counts = {}
        for line in text.splitlines():
            match = self.LINE.fullmatch(line)
            if not match:
                raise AssertionError("not a line of a raw recording: %r" % line[:200])
            stack = tuple(match.group(1).split(";"))
            self.counts[stack] = self.counts.get(stack, 0) + int(match.group(2))

    def total(self, accept=lambda stack: True):
        return sum(count for stack, count in self.counts.items() if accept(stack))

    def share(self, accept, among=lambda stack: True):
        """The share of samples that `accept` takes, of those that `among` takes."""
        whole = self.total(among)
        return self.total(lambda stack: among(stack) and accept(stack)) / whole if whole else 0.0

    def with_function(self, name):
        return lambda stack: any(function_name(frame) == name for frame in stack)


def function_name(frame):
    """'a' of 'a (file.py:3)'; for a qualified name only the last part."""
    return frame.split(" (")[0].rsplit(".", 1)[-1]


#: Takes from a command the right to have a thread's registers written down by the kernel, for want of which `--native` stops
#: it. Who is not root seldom has it.
BY_STOPPING = ("setpriv", "--bounding-set", "-sys_admin,-perfmon", "--inh-caps", "-sys_admin,-perfmon")
BY_STOPPING = BY_STOPPING if os.geteuid() == 0 else ()

ASK_FOR_EVENT = """
import ctypes, platform, struct
attributes = struct.pack("IIQQQQQ", 1, 112, %d, %d, 0, 0, %d) + bytes(64)
number = {"x86_64": 298, "aarch64": 241}[platform.machine()]
raise SystemExit(ctypes.CDLL(None).syscall(number, attributes, 0, -1, -1, 0) < 0)
"""
# As in src/target/departures.c: a kind, a period, and flags.
WITH_REGISTERS = 3, 1, 0
WITHOUT_REGISTERS = 9, 0, 1 << 5 | 1 << 26 | 1 << 27


def may_have_event(attributes, *prefix):
    """Whether a command may have the kernel note that a thread leaves its CPU."""
    command = [*prefix, sys.executable, "-c", ASK_FOR_EVENT % attributes]
    return subprocess.run(command, timeout=DEADLINE, check=False).returncode == 0


def may_have_registers(*prefix):
    """Whether it may have it write down with which registers."""
    return may_have_event(WITH_REGISTERS, *prefix)


def may_have_departures(*prefix):
    return may_have_event(WITHOUT_REGISTERS, *prefix)


class TestCase(unittest.TestCase):
    """A test with a temporary folder and processes that are gone when it ends."""

    maxDiff = None
    prefix = ()  # of the command of each profiler

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="pyspyc-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.python = interpreter_under_test()
        self.version, self.is_free_threaded = describe(self.python)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def environment(self, **more):
        """The environment of everything that runs here: temporary files stay in the test's folder."""
        variables = dict(os.environ, TMPDIR=self.folder, XDG_STATE_HOME=self.path("state"), PYTHONDONTWRITEBYTECODE="1")
        variables.update(more)
        variables.pop("PYTHONPATH", None)
        return variables

    def start(self, *arguments, **options):
        """Starts a process that is ended with the test."""
        options.setdefault("env", self.environment())
        process = Process([str(argument) for argument in arguments], self.folder, **options)
        self.addCleanup(process.end)
        return process

    def start_target(self, name, *arguments, **options):
        """Starts tests/programs/NAME under the interpreter; returns (process, its first line)."""
        process = self.start(self.python, program(name), *arguments, **options)
        return process, process.read_line()

    def run_pyspyc(self, *arguments, **options):
        """Runs the profiler to its end."""
        process = self.start_pyspyc(*arguments, **options)
        status, output = process.finish()
        return Outcome(process.arguments, status, output, process.stderr())

    def start_pyspyc(self, *arguments, **options):
        options.setdefault("cwd", self.folder)
        return self.start(*self.prefix, pyspyc(), *arguments, **options)

    def dump(self, pid, *options):
        outcome = self.run_pyspyc("dump", "--pid", pid, "--json", *options)
        self.assertEqual(outcome.status, 0, outcome)
        return json.loads(outcome.output)

    def record(self, *arguments, **options):
        """Records in raw format to a file; returns (outcome, stacks)."""
        output = self.path("recording.raw")
        outcome = self.run_pyspyc("record", "-f", "raw", "-o", output, *arguments, **options)
        with open(output, encoding="utf-8") as file:
            return outcome, Stacks(file.read())

    def assert_unharmed(self, process):
        """The target runs: nobody traces it, and it is not stopped."""
        fields = status_of(process.pid)
        self.assertTrue(process.alive(), "the target has ended\n" + process.stderr())
        self.assertEqual(fields["TracerPid"], "0")
        self.assertNotIn(fields["State"][0], "Tt")


def main():
    """Runs the calling module's tests; a first argument that is no option names the interpreter."""
    if len(sys.argv) > 1 and (os.sep in sys.argv[1] or sys.argv[1][0].isdigit()):
        os.environ["PYSPYC_TEST_PYTHON"] = sys.argv.pop(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A shell that starts us in the background has it ignored, and then profilers leave it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    python = interpreter_under_test()
    print("interpreter: %s, version %s" % (python, ".".join(map(str, version_of(python) or ()))), file=sys.stderr)
    unittest.main()
