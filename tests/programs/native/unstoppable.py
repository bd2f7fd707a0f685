"""One thread works, another one is in state D for most of the time.

    unstoppable.py LIBRARY

Prints "ready" once both are at it, and ends when standard input closes.
"""
import ctypes
import sys
import threading

library = ctypes.CDLL(sys.argv[1])


def wait():
    library.wait_unstoppably(5)


def wait_always():
    while True:
        wait()


def work():
    while True:
        sum(range(1000))


for function in (wait_always, work):
    thread = threading.Thread(target=function, name=function.__name__)
    thread.daemon = True
    thread.start()
print("ready")
sys.stdout.flush()
sys.stdin.read()
