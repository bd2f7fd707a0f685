"""Throws all threads of a process to another CPU and back, once in each period, until standard input closes.

    mover.py PID PERIOD_US

Prints "ready" first, and at the end how often it has moved them and in how many seconds. Runs with SCHED_FIFO, which takes
root: others are not woken up in time on CPUs that are busy.
"""
import os
import select
import sys
import time


def is_over(until):
    """Sleeps until then; whether standard input has closed meanwhile."""
    return bool(select.select([sys.stdin], [], [], max(0, until - time.monotonic()))[0])


def main(pid, period_us):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    cpus = sorted(os.sched_getaffinity(0))[:2]
    tids = [int(name) for name in os.listdir("/proc/%d/task" % pid)]
    print("ready", flush=True)
    moves, started = 0, time.monotonic()
    due = started
    while not is_over(due):
        for tid in tids:
            os.sched_setaffinity(tid, {cpus[moves % 2]})
        moves += 1
        due = max(due + period_us / 1e6, time.monotonic())
    print(moves, time.monotonic() - started)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
