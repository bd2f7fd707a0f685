"""Python functions that C functions call, again and again.

Prints "ready", and ends when standard input closes, at once: -X perf frees its code while other threads are still in it
(CPython 3.12 and 3.13).
"""
import os
import sys
import threading


def inner(count):
    total = 0
    for number in range(count):
        total += number
    return total


def outer():
    return max([3000], key=inner)


def repeat():
    while True:
        outer()


thread = threading.Thread(target=repeat)
thread.daemon = True
thread.start()
print("ready")
sys.stdout.flush()
sys.stdin.read()
os._exit(0)
