#!/usr/bin/python3
"""What a sample costs the profiler, in microseconds of CPU time: of builds, or with options, side by side.

  python3 tests/bench/cost.py --pyspyc build-before/pyspyc build/pyspyc [--options="--native"] [--rate 1000] [--turns 40]
      [--python PYTHON] [--program tests/programs/nested.py]

Each has a recording of the same process, and all but one are paused (SIGUSR2); they take turns of half a second, in an order
that is chosen anew each time. So all have the same program, in the same place, and the same minutes of a machine that others
use, too. Told are median and quartiles, and of all but the first the mean difference to that, with its standard error.
"""
import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

import recorders

TURN_SECONDS = 0.5
SETTLE_SECONDS = 0.2
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "programs", "nested.py")


def take_turn(recorder, rate):
    """Microseconds a sample, in a turn of which the beginning does not count."""
    recorder.go_on()
    time.sleep(SETTLE_SECONDS)
    before, begin = recorder.cpu_ns(), time.monotonic()
    time.sleep(TURN_SECONDS)
    used, seconds = recorder.cpu_ns() - before, time.monotonic() - begin
    recorder.pause()
    return used / 1000 / seconds / rate


def measure(options, folder):
    """The costs of each recorder, one for each turn."""
    costs = [[] for _ in options.pyspyc]
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(subprocess.Popen([options.python, options.program], stdout=subprocess.PIPE))
        stack.callback(target.kill)
        target.stdout.readline()
        everybody = []
        for binary in options.pyspyc:
            recorder = recorders.Recorder(binary, target.pid, options.rate, options.options.split(), folder)
            everybody.append(stack.enter_context(recorder))
            recorder.pause()
        for _ in range(options.turns):
            for number in random.sample(range(len(everybody)), len(everybody)):
                costs[number].append(take_turn(everybody[number], options.rate))
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyspyc", nargs="+", default=[os.environ.get("PYSPYC", "pyspyc")], metavar="BINARY")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--program", default=PROGRAM, help="prints a line when it begins")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--options", default="", help="further options of record")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(options, folder)
    for binary, cost in zip(options.pyspyc, costs):
        low, median, high = statistics.quantiles(cost, n=4)
        line = "%-40s %6.1f us a sample   quartiles %.1f, %.1f" % (binary[-40:], median, low, high)
        if cost is not costs[0]:
            less = [this - first for first, this in zip(costs[0], cost)]
            line += "   difference %.1f +- %.1f" % (
                statistics.mean(less), statistics.stdev(less) / len(less) ** 0.5)
        print(line, flush=True)


if __name__ == "__main__":
    main()
