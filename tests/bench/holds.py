#!/usr/bin/python3
"""For how long `record --native` and `record --blocking` hold a thread: from within pyspyc, and as the program sees it.

  PYSPYC=build/pyspyc python3 tests/bench/holds.py [--python PYTHON] [--rate 100] [--seconds 10]

As root, `--native` is measured twice: as it is, and without the right to have registers written down, when it stops threads.

asked: from PTRACE_INTERRUPT to the end of PTRACE_DETACH, more than the thread can have stood still; held: from when pyspyc
came to know that it stood still. gaps: the longest stretches in which a C function that only reads the clock did not run,
one for each sample, beside those of a run in which nobody looks, which other programs and the kernel make.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BY_STOPPING = ("setpriv", "--bounding-set", "-sys_admin,-perfmon", "--inh-caps", "-sys_admin,-perfmon")

TARGET = """
import ctypes, json, sys, threading
library = ctypes.PyDLL(sys.argv[1])
library.measure_gaps.argtypes = [ctypes.c_double, ctypes.c_void_p, ctypes.c_int]
gaps = (ctypes.c_uint32 * 200000)()
def deep(n):
    return deep(n - 1) if n else library.measure_gaps(float(sys.argv[2]), gaps, len(gaps))
print("ready", flush=True)
input()
count = deep(20)
print(json.dumps(list(gaps[:count])), flush=True)
"""


def compile_library(folder, name, *options):
    output = os.path.join(folder, name + ".so")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", *options, "-o", output,
                    os.path.join(HERE, name + ".c"), "-ldl"], check=True)
    return output


class Target:
    """A thread that reads the clock and nothing else, 20 Python calls deep, and tells its gaps."""

    def __init__(self, python, library, seconds):
        self.process = subprocess.Popen([python, "-c", TARGET, library, str(seconds)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def start(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def gaps(self):
        text, _ = self.process.communicate()
        return sorted((int(gap) for gap in text.strip("[]\n").split(",") if gap), reverse=True)


def tell(name, values_ns):
    values = sorted(value / 1000 for value in values_ns)
    if not values:
        print("%-28s none" % name)
        return
    at = lambda share: values[min(len(values) - 1, int(len(values) * share))]
    print("%-28s %6d   median %6.0f   90 %% %6.0f   99 %% %6.0f   max %6.0f us" % (
        name, len(values), statistics.median(values), at(0.9), at(0.99), values[-1]))


def measure(options, mode, holds, gaps, prefix=()):
    """A recording from before the first gap to the end."""
    target = Target(options.python, gaps, options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "holds")
        environment = dict(os.environ, HOLDS=out, LD_PRELOAD=holds)
        target.start()
        recorder = subprocess.Popen(
            [*prefix, os.environ["PYSPYC"], "record", *mode, "-r", str(options.rate), "-d", str(options.seconds - 0.5), "-f", "raw",
             "-o", os.path.join(folder, "raw"), "-p", str(target.process.pid)], env=environment,
            stderr=subprocess.PIPE, text=True)
        _, said = recorder.communicate()
        seen = target.gaps()
        lines = []
        if os.path.exists(out):
            with open(out, encoding="utf-8") as file:
                lines = [tuple(map(int, line.split())) for line in file]
    name = " ".join(mode) or "(never stops)"
    print("-- record %s%s: %s" % (name, " by stopping" if prefix else "", said.splitlines()[0] if said else ""))
    if lines:
        print("first: asked %.0f us, held %.0f us" % (lines[0][0] / 1000, lines[0][1] / 1000))
        tell("asked", [line[0] for line in lines])
        tell("held", [line[1] for line in lines if line[1]])
    tell("gaps", seen[:round(options.rate * (options.seconds - 0.5))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        holds = compile_library(folder, "holds", "-Wno-nonnull")
        gaps = compile_library(folder, "gaps")
        target = Target(options.python, gaps, options.seconds)
        target.start()
        print("-- nobody looks")
        tell("gaps", target.gaps()[:round(options.rate * (options.seconds - 0.5))])
        for mode in ([], ["--blocking"], ["--native"]):
            measure(options, mode, holds, gaps)
        if os.geteuid() == 0:
            measure(options, ["--native"], holds, gaps, BY_STOPPING)


if __name__ == "__main__":
    main()
