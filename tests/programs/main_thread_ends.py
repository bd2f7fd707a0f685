"""The main thread ends on demand, and the process lives on in others, until standard input closes.

Prints "ready" first. "end" on standard input ends the main thread, as pthread_exit() does in C. "mark" makes the worker
go from work() to work_on() and is answered by "marked", "rounds" by how many rounds it has worked there.
"""
import ctypes
import os
import sys
import threading
import time

LONG_SECONDS = 3600
may_end = threading.Event()
is_marked = threading.Event()
rounds = 0


def tell(text):
    print(text)
    sys.stdout.flush()


def work():
    while not is_marked.is_set():
        sum(range(1000))


def work_on():
    global rounds
    while True:
        sum(range(100000))
        rounds += 1


def worker():
    work()
    work_on()


def sleep():
    time.sleep(LONG_SECONDS)


def obey():
    for line in sys.stdin:
        if line == "end\n":
            may_end.set()
        elif line == "mark\n":
            is_marked.set()
            tell("marked")
        elif line == "rounds\n":
            tell(rounds)
    os._exit(0)


def end_main_thread():
    ctypes.CDLL(None).pthread_exit(None)


def main():
    threading.Thread(target=worker, name="worker").start()
    threading.Thread(target=sleep, name="sleeper").start()
    threading.Thread(target=obey, name="obey").start()
    tell("ready")
    may_end.wait()
    end_main_thread()


if __name__ == "__main__":
    main()
