"""A thread that computes in Python and holds the GIL, beside one that computes in C without it.

Runs until standard input closes; prints "ready" first. `spin` needs the GIL all the time; `digest` and `pack` give it
up while they work on BUFFER_BYTES.
"""
import hashlib
import sys
import threading
import zlib

BUFFER_BYTES = 4 << 20
buffer = bytes(range(256)) * (BUFFER_BYTES // 256)
finished = threading.Event()


def spin():
    return sum(range(100))


def digest():
    return hashlib.sha256(buffer).digest()


def pack():
    return zlib.compress(buffer, 6)


def in_python(started):
    started.wait()
    while not finished.is_set():
        spin()


def in_c(started):
    started.wait()
    while not finished.is_set():
        digest()
        pack()


def main():
    started = threading.Barrier(3)
    for target in (in_python, in_c):
        threading.Thread(target=target, args=(started,), name=target.__name__, daemon=True).start()
    started.wait()
    print("ready", flush=True)
    sys.stdin.read()
    finished.set()


if __name__ == "__main__":
    main()
