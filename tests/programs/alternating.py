"""A plain function and a generator take turns at the same loop: their shares of the time are equal.

    alternating.py [STEPS]      of the loop, 100 by default: some microseconds

No clock is read meanwhile, as that would take its time too. The account says that both have used one part a turn. What
`consumer`, which resumes the generator, does itself is next to nothing: by how much its fastest calls take longer than
those of the plain function, measured before the start. Runs and reports as rounds.py does. Needs Python 3.7.
"""
import sys
from time import perf_counter_ns as clock

import rounds

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
TURNS = 50
TRIALS = 2000
account = rounds.Account("plain", "generator", "consumer")
account.is_time = False


def plain():
    total = 0
    for step in range(STEPS):
        total += step
    return total


def generator():
    total = 0
    for step in range(STEPS):
        total += step
    yield total


def consumer():
    for total in generator():
        pass


def fastest(function):
    """Nanoseconds of the fastest of many calls."""
    best = None
    for _ in range(TRIALS):
        started = clock()
        function()
        took = clock() - started
        best = took if best is None else min(best, took)
    return best


def one_round():
    for _ in range(TURNS):
        plain()
        consumer()
    for number, part in enumerate(parts):
        account.used[number] += part


if __name__ == "__main__":
    parts = [1, 1, max(0, fastest(consumer) / fastest(plain) - 1)]
    rounds.run(one_round, account)
