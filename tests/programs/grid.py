"""A program that wakes up at each whole millisecond, and works for 0.6 ms: a profiler that beats at the same time is blind.

The account has what each phase used of wall time. Runs and reports as rounds.py does. Needs Python 3.7.
"""
import time
from time import perf_counter_ns as clock

import rounds

GRID_NS = 1000000
account = rounds.Account("waiting", "first_part", "second_part")


def waiting(end):
    """Until a time; none at all when that has passed."""
    time.sleep(max(0, end - clock()) / 1e9)


def first_part(end):
    while clock() < end:
        pass


def second_part(end):
    while clock() < end:
        pass


def one_round():
    account.call(waiting, (clock() // GRID_NS + 1) * GRID_NS)
    account.call(first_part, clock() + 400000)
    account.call(second_part, clock() + 200000)


if __name__ == "__main__":
    rounds.run(one_round, account)
