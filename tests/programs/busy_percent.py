"""Computes for so many percent of the time, in short pieces, until standard input closes.

    busy_percent.py PERCENT

Prints "ready" first.
"""
import select
import sys
import time

PERIOD_SECONDS = 0.1
share = float(sys.argv[1]) / 100


def compute():
    end = time.perf_counter() + PERIOD_SECONDS * share
    while time.perf_counter() < end:
        pass


def main():
    print("ready")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], PERIOD_SECONDS * (1 - share))[0]:
        compute()


main()
