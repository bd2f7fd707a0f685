"""Functions a_k that call b_k and nobody else, as fast as they can: a stack in which b_k's caller is not a_k is false.

    pairs.py [SECONDS]      without SECONDS it runs until standard input closes

Prints "ready" at the start, and at the end one line of JSON: rounds done, seconds, rounds a second. A round is
PAIRS * INNER calls of a_k.
"""
import json
import select
import sys
import time

PAIRS = 8
INNER = 20
clock = getattr(time, "perf_counter", time.time)


def b_0(): pass
def b_1(): pass
def b_2(): pass
def b_3(): pass
def b_4(): pass
def b_5(): pass
def b_6(): pass
def b_7(): pass


def a_0(): b_0(); b_0(); b_0()
def a_1(): b_1(); b_1(); b_1()
def a_2(): b_2(); b_2(); b_2()
def a_3(): b_3(); b_3(); b_3()
def a_4(): b_4(); b_4(); b_4()
def a_5(): b_5(); b_5(); b_5()
def a_6(): b_6(); b_6(); b_6()
def a_7(): b_7(); b_7(); b_7()


def one_round():
    for _ in range(INNER):
        a_0()
        a_1()
        a_2()
        a_3()
        a_4()
        a_5()
        a_6()
        a_7()


def ended(deadline):
    """Whether the seconds have passed or, without any, standard input has closed."""
    if deadline is not None:
        return clock() >= deadline
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main():
    started = clock()
    deadline = started + float(sys.argv[1]) if len(sys.argv) > 1 else None
    rounds = 0
    print("ready")
    sys.stdout.flush()
    while not ended(deadline):
        for _ in range(50):
            one_round()
        rounds += 50
    seconds = clock() - started
    print(json.dumps({"rounds": rounds, "seconds": seconds, "rounds_per_second": rounds / seconds}))


if __name__ == "__main__":
    main()
