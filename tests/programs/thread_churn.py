"""Short-lived busy threads, one after another, beside one that rests, until standard input closes.

Prints "ready" first.
"""
import select
import sys
import threading
import time

import oracle

LIFE_SECONDS = 0.02
LONG_SECONDS = 3600


def short_life():
    end = oracle.clock() + LIFE_SECONDS
    while oracle.clock() < end:
        sum(range(100))


def rest():
    time.sleep(LONG_SECONDS)


def main():
    oracle.start_daemon(rest)
    print("ready")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0)[0]:
        thread = threading.Thread(target=short_life)
        thread.start()
        thread.join()


if __name__ == "__main__":
    main()
