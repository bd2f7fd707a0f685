"""A program for interpreters of any kind: it imports nothing that does not lie inside the interpreter itself.

One thread computes in outer -> inner, each on a single line; another waits for standard input, whose end ends the program.
Prints "ready" first.
"""
import sys

try:
    import _thread
except ImportError:
    import thread as _thread

running = True
waiting = _thread.allocate_lock()


def wait():
    global running
    waiting.release(); sys.stdin.readline()
    running = False


def inner():
    while running: pass


def outer():
    inner()


def main():
    waiting.acquire()
    _thread.start_new_thread(wait, ())
    waiting.acquire()
    print("ready")
    sys.stdout.flush()
    outer()


main()
