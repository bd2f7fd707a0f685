"""Spends its time in one C function: what it spends it in, its argument says.

    leafs.py NAME

Prints "ready" once it is there, and ends when standard input closes.
"""
import hashlib
import json
import re
import sys
import threading
import time
import zlib

data = b"".join(b"%d" % number if sys.version_info >= (3, 5) else str(number) for number in range(100000))
document = json.dumps({"numbers": list(range(100000))})
numbers = [(number * 7919) % 100003 for number in range(100000)]
pattern = re.compile(r"(a|b)*c")
letters = "ab" * 20000
lock = threading.Lock()


def compress():
    zlib.compress(data)


def sort():
    sorted(numbers)


def sort_by_key():
    sorted(numbers, key=str)


def match():
    pattern.search(letters, len(letters) - 2000)


def digest():
    hashlib.sha256(data).digest()


def add():
    sum(numbers)


def parse():
    json.loads(document)


def sleep():
    time.sleep(1000)


def wait():
    lock.acquire()


def multiply():
    matrix.dot(matrix)


def prepare(name):
    global matrix
    if name == "multiply":
        import numpy
        matrix = numpy.random.rand(700, 700)
    if name == "wait":
        lock.acquire()


def repeat(function):
    function()
    print("ready")
    sys.stdout.flush()
    while True:
        function()


def main():
    name = sys.argv[1]
    prepare(name)
    function = globals()[name]
    if name in ("sleep", "wait"):
        print("ready")
        sys.stdout.flush()
    thread = threading.Thread(target=function if name in ("sleep", "wait") else lambda: repeat(function), name="leaf")
    thread.daemon = True
    thread.start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
