"""A thread that computes in Python and holds the GIL, beside one that computes in C without it.

Runs until standard input closes; prints "ready" first. `spin` needs the GIL all the time; `pack` gives it up while it
works on BUFFER_BYTES. (What hashlib does depends on whether OpenSSL was there when the interpreter was built.)
"""
import sys
import zlib

import oracle

BUFFER_BYTES = 4 << 20
data = bytes(bytearray(range(256))) * (BUFFER_BYTES // 256)
finished = []


def spin():
    return sum(range(100))


def pack():
    return zlib.compress(data, 6)


def in_python(started):
    started.append(1)
    while not finished:
        spin()


def in_c(started):
    started.append(1)
    while not finished:
        pack()


def main():
    started = []
    for target in (in_python, in_c):
        oracle.start_daemon(target, name=target.__name__, args=(started,))
    oracle.wait_for(lambda: len(started) == 2)
    oracle.say("ready")
    sys.stdin.read()
    finished.append(1)


if __name__ == "__main__":
    main()
