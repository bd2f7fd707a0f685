"""Two threads that run as fast as they can, with locals that belong together whenever the GIL is let go of.

In step(), first == second, and both are the last of count() further out or the one after it. `shared` is one list that one
thread replaces the content of, by one operation, and both show: its two items are always equal.
"""
import sys
import threading


def step(first, second):
    third = first
    return third


def count(shared, is_writer):
    number = 0
    while True:
        number += 1
        both = (number, str(number))
        if is_writer:
            shared[:] = both
        step(number, number)


def main():
    shared = [0, "0"]
    thread = threading.Thread(target=count, args=(shared, False))
    thread.daemon = True
    thread.start()
    print("ready")
    sys.stdout.flush()
    count(shared, True)


main()
