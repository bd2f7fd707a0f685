"""A thread that computes in Python and holds the GIL, beside one that computes in C without it.

Runs until standard input closes; prints "ready" first. `spin` needs the GIL all the time; `digest` and `pack` give it
up while they work on BUFFER_BYTES.
"""
import hashlib
import sys
import zlib

import oracle

BUFFER_BYTES = 4 << 20
data = bytes(bytearray(range(256))) * (BUFFER_BYTES // 256)
finished = []


def spin():
    return sum(range(100))


def digest():
    return hashlib.sha256(data).digest()


def pack():
    return zlib.compress(data, 6)


def in_python(started):
    started.append(1)
    while not finished:
        spin()


def in_c(started):
    started.append(1)
    while not finished:
        digest()
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
