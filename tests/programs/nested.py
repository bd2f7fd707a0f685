"""Is busy at the end of a stack in which C calls Python again and again: 39 Python frames and 34 C frames on CPython 3.12.

    nested.py [TIMES]
"""
import sys


def spin():
    number = 0
    while True:
        for i in range(1000):
            number += i * i % 7


def a(times): return b(times)
def b(times): return c(times)
def c(times): return d(times)
def d(times): return e(times)
def e(times): return f(times)
def f(times): return g(times)
def g(times): return nest(times)


def nest(times):
    if times == 0:
        print("ready")
        sys.stdout.flush()
        spin()
    return max([times], key=lambda left: a(left - 1))


nest(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
