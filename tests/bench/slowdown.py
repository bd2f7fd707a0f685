#!/usr/bin/python3
"""By how much a program is slower while it is recorded, by its own count of rounds.

  PYSPYC=build/pyspyc python3 tests/bench/slowdown.py [--python PYTHON] [--workloads deep-6 gil-8] [--rate 1000]
      [--turns 30] [--options="--native"]

One recording is paused (SIGUSR2) and goes on in turn, half a second each, and each turn in which it goes on is compared
with the two beside it. So what others do to the machine meanwhile is the same on both sides, as far as it lasts longer than a
second. Told are the median of all turns, and the quartiles: how much is chance.
"""
import argparse
import statistics
import sys
import tempfile
import time

import common
import recorders
import runs
import workloads

TURN_SECONDS = 0.5
SETTLE_SECONDS = 0.05


def stretch():
    """A turn, of which the beginning does not count."""
    time.sleep(SETTLE_SECONDS)
    begin = time.perf_counter_ns()
    time.sleep(TURN_SECONDS)
    return begin, time.perf_counter_ns()


def measure(workload, options, folder):
    """By what part the program was slower, for each turn."""
    stretches = []
    with runs.Target(options.python, workload, folder) as target:
        with recorders.Recorder(common.harness.pyspyc(), target.pid, options.rate, options.options.split(),
                                folder) as recorder:
            for number in range(2 * options.turns + 1):
                if number % 2 == 0:
                    recorder.pause()
                else:
                    recorder.go_on()
                stretches.append(stretch())
        speeds = [account["rounds_per_second"] for account in target.accounts(stretches)]
    return [1 - 2 * speeds[i] / (speeds[i - 1] + speeds[i + 1]) for i in range(1, len(speeds), 2)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workloads", nargs="+", default=["deep-6", "deep-100", "deep-500", "gil-8"])
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--options", default="", help="further options of record")
    options = parser.parse_args()
    for workload in workloads.WORKLOADS:
        if workload.name not in options.workloads:
            continue
        with tempfile.TemporaryDirectory() as folder:
            slower = sorted(100 * value for value in measure(workload, options, folder))
        quarter = len(slower) // 4
        print("%-12s %5.1f %%   quartiles %.1f, %.1f" % (
            workload.name, statistics.median(slower), slower[quarter], slower[-1 - quarter]), flush=True)


if __name__ == "__main__":
    main()
