"""Functions r_k that all go through m to x_k, as fast as they can: a stack r_1;m;x_2 is false.

    shared.py [SECONDS]     without SECONDS it runs until standard input closes

m's frame is at the same place in every stack, so a reader that mixes two instants finds nothing odd in any one frame.
Prints "ready" at the start, and at the end one line of JSON: rounds done, seconds, rounds a second.
"""
import json
import select
import sys
import time

INNER = 20
clock = getattr(time, "perf_counter", time.time)


def x_0(): pass
def x_1(): pass
def x_2(): pass
def x_3(): pass
def x_4(): pass
def x_5(): pass
def x_6(): pass
def x_7(): pass


def m(function):
    function()


def r_0(): m(x_0); m(x_0)
def r_1(): m(x_1); m(x_1)
def r_2(): m(x_2); m(x_2)
def r_3(): m(x_3); m(x_3)
def r_4(): m(x_4); m(x_4)
def r_5(): m(x_5); m(x_5)
def r_6(): m(x_6); m(x_6)
def r_7(): m(x_7); m(x_7)


def one_round():
    for _ in range(INNER):
        r_0()
        r_1()
        r_2()
        r_3()
        r_4()
        r_5()
        r_6()
        r_7()


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
