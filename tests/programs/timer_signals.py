"""Counts the signals of its own timer, once each INTERVAL_MS, while it computes.

    timer_signals.py SECONDS

Prints "ready" first, and at the end one line of JSON: how many came, and how many intervals there were.
"""
import json
import signal
import sys
import time

INTERVAL_MS = 5
clock = getattr(time, "monotonic", time.time)
came = []


def count(number, frame):
    came.append(number)


def main():
    signal.signal(signal.SIGALRM, count)
    print("ready")
    sys.stdout.flush()
    started = clock()
    signal.setitimer(signal.ITIMER_REAL, INTERVAL_MS / 1000.0, INTERVAL_MS / 1000.0)
    while clock() < started + float(sys.argv[1]):
        sum(range(1000))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps({"came": len(came), "intervals": int((clock() - started) * 1000 / INTERVAL_MS)}))


if __name__ == "__main__":
    main()
