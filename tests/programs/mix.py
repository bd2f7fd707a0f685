"""What programs do in turns: computes in C without the GIL and with it, sleeps, does I/O, runs Python.

    mix.py [SHORTEST_MS LONGEST_MS]     of a phase; 0.3 and 5 by default

Each phase is a function of its own, and takes a random time, short ones being as likely as long ones (the logarithm is
uniform). The account has what each of them used of wall time, waiting for a CPU included. `sleeping` comes twice a
round, as what follows a sleep is what a late sample misses. `doing_io` never sleeps: it writes to a pipe and reads from it.
Runs and reports as rounds.py does. Needs Python 3.7.
"""
import math
import os
import random
import sys
import time
import zlib
from time import perf_counter_ns as clock

import rounds

DATA = os.urandom(1 << 16) * (1 << 8)  # what computes the longest phase in one call
MESSAGE = DATA[:2000]
pipe_reader, pipe_writer = os.pipe()
speed = {}  # units of work a nanosecond, of those that are told how much to do, not until when


def sleeping(ns):
    time.sleep(ns / 1e9)


def in_c_without_gil(ns):
    """One call of C; it lets others have the GIL."""
    zlib.crc32(DATA[:int(ns * speed["crc32"])])


def in_c_with_gil(ns):
    """One call of C that keeps the GIL."""
    sum(range(int(ns * speed["sum"])))


def doing_io(ns):
    end = clock() + ns
    while clock() < end:
        os.write(pipe_writer, MESSAGE)
        os.read(pipe_reader, len(MESSAGE))


def in_python(ns):
    total = 0
    for step in range(int(ns * speed["loop"])):
        total += step


PHASES = (in_c_without_gil, sleeping, in_c_with_gil, doing_io, sleeping, in_python)
account = rounds.Account("in_c_without_gil", "sleeping", "in_c_with_gil", "doing_io", "in_python")


def calibrate(name, function, ns):
    """Sets speed[name]: the fastest of some trials counts."""
    speed[name] = 0.05
    for _ in range(5):
        started = clock()
        function(ns)
        took = clock() - started
        speed[name] = max(speed[name], ns * 0.05 / took)


def one_round():
    for phase in PHASES:
        account.call(phase, shortest_ns * math.exp(lengths.uniform(0, ratio)))


def main():
    calibrate("crc32", in_c_without_gil, 1e6)
    calibrate("sum", in_c_with_gil, 1e6)
    calibrate("loop", in_python, 1e6)
    rounds.run(one_round, account)


if __name__ == "__main__":
    shortest_ns, longest_ns = [float(word) * 1e6 for word in sys.argv[1:3] or (0.3, 5)]
    ratio = math.log(longest_ns / shortest_ns)
    lengths = random.Random(5)
    main()
