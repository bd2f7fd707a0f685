"""Makes functions without end: each round compiles 40 of them, and calls them in a chain that computes for 2 ms.

    new_functions.py [same]

They have new names in a new file each time, so that no frame is ever seen again, nor a stack; or with "same", the same
source is made again and again. Prints "ready" first, and ends when standard input does.
"""
import select
import sys
import time

DEPTH, SECONDS = 40, 0.002
KEPT = 50  # rounds whose functions stay, so that others do not get their memory at once
clock = getattr(time, "perf_counter", time.time)


def spin():
    end = clock() + SECONDS
    while clock() < end:
        pass


def make(number):
    lines = ["def made_%d_%d(): made_%d_%d()" % (number, i, number, i + 1) for i in range(DEPTH - 1)]
    lines.append("def made_%d_%d(): spin()" % (number, DEPTH - 1))
    names = {"spin": spin}
    exec(compile("\n".join(lines), "<made %d>" % number, "exec"), names)
    return names


def main():
    step = 0 if sys.argv[1:] == ["same"] else 1
    kept = [None] * KEPT
    rounds = number = 0
    print("ready")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0)[0]:
        kept[rounds % KEPT] = made = make(number)
        made["made_%d_0" % number]()
        rounds += 1
        number += step


main()
