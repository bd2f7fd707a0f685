"""A program for a live view: a thread `worker` and the main thread compute, one sleeps; ends when standard input does.

Arguments: "children" starts a child that computes, too; "output" prints lines for ever.
"""
import os
import subprocess
import sys
import threading
import time


def leaf(count):
    total = 0
    for number in range(count):
        total += number
    return total


def middle():
    return leaf(2000)


def work():
    remembered = "a value to be seen"
    while remembered:
        middle()


def sleep_on():
    while True:
        time.sleep(3600)


def child_work():
    while True:
        leaf(2000)


def print_on():
    number = 0
    while True:
        number += 1
        print("written line %d" % number)
        sys.stdout.flush()
        time.sleep(0.02)


def start(name, function):
    thread = threading.Thread(target=function, name=name)
    thread.daemon = True
    thread.start()


def watch_input():
    sys.stdin.read()
    os._exit(0)


def main():
    if sys.argv[1:] == ["child"]:
        start("input", watch_input)
        child_work()
    start("input", watch_input)
    start("sleeper", sleep_on)
    if "children" in sys.argv:
        child = subprocess.Popen([sys.executable, __file__, "child"], stdin=subprocess.PIPE)
        print("child %d" % child.pid)
    if "output" in sys.argv:
        start("printer", print_on)
    start("worker", work)
    print("ready")
    sys.stdout.flush()
    work()


main()
