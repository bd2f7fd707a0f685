"""Does one thing after another, each for a second of its own clock: first(), second(); and beside it a thread in aside().

    phases.py
"""
import threading
import time

SECONDS = 1.0


def busy(seconds):
    end = time.time() + seconds
    while time.time() < end:
        sum(range(200))


def first():
    busy(SECONDS)


def second():
    busy(SECONDS)


def aside():
    busy(SECONDS / 2)


if __name__ == "__main__":
    thread = threading.Thread(target=aside, name="beside")
    thread.start()
    first()
    second()
    thread.join()
