"""Calls the function work() of a shared library, or of an extension module, again and again.

    loop_library.py PATH

Prints "ready" once it has, and ends when standard input closes.
"""
import ctypes
import os
import sys
import threading


def load(path):
    if path.endswith(".so"):
        return ctypes.CDLL(path).work
    sys.path.insert(0, os.path.dirname(path))
    return __import__(os.path.basename(path)).work


def repeat(work):
    work()
    print("ready")
    sys.stdout.flush()
    while True:
        work()


def main():
    thread = threading.Thread(target=repeat, args=(load(sys.argv[1]),))
    thread.daemon = True
    thread.start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
