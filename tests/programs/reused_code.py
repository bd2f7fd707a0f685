"""Makes and drops code objects that take each other's memory: same names, other lines.

    reused_code.py      runs until standard input closes

Prints "ready" first. first() is called in line 3 of "<made>" and second() in line 9; another line is false.
"""
import select
import sys


def first():
    return sum(range(2000))


def second():
    return sum(range(2000))


def main():
    print("ready")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0)[0]:
        exec(compile("pass\n\nfirst()", "<made>", "exec"))
        exec(compile("pass" + "\n" * 8 + "second()", "<made>", "exec"))


main()
