"""Becomes other programs, one after the other: itself in other interpreters, and a shell in between.

    exec_through.py SECONDS INTERPRETER|sh...    works so long in each, in work_0(), work_1()..., then execs the next

Prints "ready" first, and "work_N began" with the time each time, by the clock that does not jump.
"""
import os
import sys
import time


def work(end):
    while time.time() < end:
        sum(range(1000))


def work_0(end):
    work(end)


def work_1(end):
    work(end)


def work_2(end):
    work(end)


def work_3(end):
    work(end)


def main():
    seconds, number = float(sys.argv[1]), int(os.environ.get("PYSPYC_STAGE", "0"))
    print("work_%d began" % number if number else "ready")
    sys.stdout.flush()
    globals()["work_%d" % number](time.time() + seconds)
    rest = sys.argv[2:]
    if not rest:
        return
    os.environ["PYSPYC_STAGE"] = str(number + 1)
    shell = ["sh", "-c", 'sleep %s; exec "$@"' % seconds, "sh"] if rest[0] == "sh" else []
    rest = rest[len(shell) > 0:]
    words = shell + [rest[0], os.path.abspath(__file__), sys.argv[1]] + rest[1:]
    os.execvp(words[0], words)


if __name__ == "__main__":
    main()
