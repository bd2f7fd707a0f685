"""Calls a function from the bottom of a deep stack, until standard input closes: busy_deep.py FRAMES.

Prints "ready" first.
"""
import os
import sys
import threading

#: What the C stack needs for a Python call: up to 3.10 each one is a call in C, too.
THREAD_STACK_BYTES = 1 << 30


def leaf():
    return sum(range(30))


def descend(frames):
    if frames > 1:
        return descend(frames - 1)
    while True:
        leaf()


def main():
    frames = int(sys.argv[1])
    sys.setrecursionlimit(frames + 1000)
    threading.stack_size(THREAD_STACK_BYTES)
    thread = threading.Thread(target=descend, args=(frames,))
    thread.daemon = True
    thread.start()
    print("ready")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
