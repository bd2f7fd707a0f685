"""A program that does nothing: it sleeps in a loop, for SECONDS or until standard input closes.

    sleeper.py [SECONDS]

Prints "ready" first.
"""
import select
import sys
import time


def nap():
    select.select([sys.stdin], [], [], 3600)


def main():
    print("ready")
    sys.stdout.flush()
    if len(sys.argv) == 1:
        nap()
        return
    clock = getattr(time, "monotonic", time.time)
    deadline = clock() + float(sys.argv[1])
    while clock() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
