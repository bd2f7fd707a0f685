"""The profilers: how each is called, and how what it writes is read. Ours, and those that are installed.

command() and stacks() are all that the measuring knows of one. Stacks are those of harness: root first, each frame
"name (file:line)", with a root frame for the process.
"""
import re
import shutil
import subprocess
import sys

from common import harness

TACHYON_VERSION = (3, 15)


class Pyspyc:
    #: Whether -d is wall time from the attach on; otherwise the recording lasts as long as the process.
    is_wall_time = True

    def __init__(self, *options):
        self.options = list(options)
        self.name = " ".join(["pyspyc", *options])

    def command(self, pid, rate, seconds, output, with_idle):
        return [harness.pyspyc(), "record", "-f", "raw", "-o", output, "-r", str(rate), "-d", str(seconds),
                "-p", str(pid)] + ["-i"] * with_idle + self.options

    def can_profile(self, version):
        return True

    def stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks(file.read())

    def lost(self, errors, samples):
        """The samples that by its own word were left out."""
        causes = re.findall(r"(\d+) (torn|unreadable|missed)", errors)
        return sum(int(count) for count, _ in causes)

    def unseen(self, errors):
        """The samples that stand for intervals in which nobody looked, where they are many."""
        found = re.search(r"looked at late, .*not at all \((\d+)\)", errors)
        return int(found.group(1)) if found else 0


class PyspycNative(Pyspyc):
    """With C functions, which no rule about a program's stacks knows of."""

    def __init__(self):
        super().__init__("--native")

    def stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks("".join(PyspycNative.without_native(line) for line in file))

    @staticmethod
    def without_native(line):
        root, *frames = line.rstrip("\n").rsplit(" ", 1)[0].split(";")
        frames = [frame for frame in frames if re.search(r"(\.py|>):\d+\)$", frame) or frame.startswith("<")]
        return ";".join([root, *frames]) + line[line.rindex(" "):]


class PySpy(Pyspyc):
    is_wall_time = False

    def __init__(self, *options):
        self.options = list(options)
        self.name = " ".join(["py-spy", *options])

    def command(self, pid, rate, seconds, output, with_idle):
        return ["py-spy", "record", "-f", "raw", "-o", output, "-r", str(rate),
                "-d", whole(seconds), "-p", str(pid)] + ["-i"] * with_idle + self.options

    def stacks(self, path):
        with open(path, encoding="utf-8") as file:
            return harness.Stacks("".join("process;" + line for line in file))

    def lost(self, errors, samples):
        return sum(int(count) for count in re.findall(r"Errors?: (\d+)", errors))


class Austin(Pyspyc):
    def __init__(self):
        self.name = "austin"

    def command(self, pid, rate, seconds, output, with_idle):
        return ["austin", "-i", str(round(1e6 / rate)), "-x", whole(seconds), "-o", output,
                "-p", str(pid)] + ["-s"] * (not with_idle)

    def stacks(self, path):
        """Its lines are P1;T2;file:name:line;file:name:line MICROSECONDS, one a sample."""
        with open(path, encoding="utf-8") as file:
            lines = [line.rsplit(" ", 1)[0].split(";") for line in file if line.startswith("P")]
        return harness.Stacks("\n".join(stack_of_colons(line[2:], 1) for line in lines))

    def lost(self, errors, samples):
        found = re.search(r"Error rate.*?(\d+)/", errors)
        return int(found.group(1)) if found else 0


class Tachyon(Pyspyc):
    """CPython 3.15's profiling.sampling, which profiles programs of its own version."""

    def __init__(self, python, *options):
        self.python = python
        self.options = list(options)
        self.name = " ".join(["profiling.sampling", *options])

    def can_profile(self, version):
        return version[:2] == TACHYON_VERSION

    def command(self, pid, rate, seconds, output, with_idle):
        mode = "wall" if with_idle or "--blocking" in self.options else "cpu"  # who is stopped is on no CPU
        return [self.python, "-m", "profiling.sampling", "attach", "-a", "--mode", mode, "-r", str(rate),
                "-d", whole(seconds), "--collapsed", "-o", output, *self.options, str(pid)]

    def stacks(self, path):
        """Its lines are tid:1;file:name:line;file:name:line COUNT."""
        with open(path, encoding="utf-8") as file:
            lines = [line.rstrip("\n").rsplit(" ", 1) for line in file]
        return harness.Stacks("\n".join(stack_of_colons(stack.split(";")[1:], count) for stack, count in lines))

    def lost(self, errors, samples):
        """It tells the share of tries that failed; the others are the samples, for each thread one."""
        found = re.search(r"Captured (\d+) samples", errors), re.search(r"Error rate: ([\d.]+)", errors)
        return round(int(found[0].group(1)) * float(found[1].group(1)) / 100) if all(found) else 0


def whole(seconds):
    """For those that take no fractions."""
    return str(max(1, round(seconds)))


def stack_of_colons(words, count):
    """A line as harness.Stacks wants it, from frames "file:name:line"."""
    return ";".join(["process", *(frame_of_colons(word) for word in words)]) + " %s" % count


def frame_of_colons(word):
    filename, name, line = (word.rsplit(":", 2) + ["", ""])[:3]
    return "%s (%s:%s)" % (name, filename, line)


def has_module(python, name):
    return subprocess.run([python, "-c", "import " + name], stderr=subprocess.DEVNULL).returncode == 0


def installed():
    """Ours, and the others that there are; says which are not."""
    found = [Pyspyc(), Pyspyc("--blocking"), PyspycNative()]
    python = harness.find_interpreter("%d.%d" % TACHYON_VERSION)
    if python and has_module(python, "profiling.sampling"):
        found += [Tachyon(python), Tachyon(python, "--blocking")]
    else:
        print("there is no Python with profiling.sampling: left out", file=sys.stderr)
    for program, made in (("py-spy", [PySpy(), PySpy("--nonblocking")]), ("austin", [Austin()])):
        if shutil.which(program):
            found += made
        else:
            print("%s is not on PATH: left out" % program, file=sys.stderr)
    return found
