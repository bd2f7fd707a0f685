"""Counts each signal that it is given, also those that come together, while one thread computes and another one sleeps.

Prints "ready" first; each line on standard input is answered by how many have come so far. Signals are those from
SIGRTMIN on, of which the kernel forgets none. Ends when standard input closes.

Linux signal(7); the interpreter writes a byte for each signal from its handler (signal.set_wakeup_fd).
"""
import os
import select
import signal
import sys
import threading
import time

KINDS = 4
LONG_SECONDS = 3600


def work():
    return sum(range(1000))


def sleep():
    time.sleep(LONG_SECONDS)


def drain(reading):
    """How many bytes there are to be read."""
    try:
        return len(os.read(reading, 1 << 16))
    except BlockingIOError:
        return 0


def main():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for kind in range(KINDS):
        signal.signal(signal.SIGRTMIN + kind, lambda number, frame: None)
    threading.Thread(target=sleep, daemon=True).start()
    print("ready", flush=True)
    came = 0
    while True:
        work()
        came += drain(reading)
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                break
            print(came, flush=True)


if __name__ == "__main__":
    main()
