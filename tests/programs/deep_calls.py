"""The calls of pairs.py at the end of a stack of DEPTH frames: all but the last few stand still.

    deep_calls.py DEPTH     6 or more, the frames of a stack that ends in b_k

A stack with another number of frames of down() is false. Runs and reports as rounds.py does. Needs Python 3.
"""
import sys

import pairs
import rounds

#: <module>, main and run, one_round, a_k and b_k.
OTHER_FRAMES = 6


def down(left):
    if left:
        down(left - 1)
    else:
        rounds.run(pairs.one_round, batch=50)


def main():
    depth = int(sys.argv[1])
    sys.setrecursionlimit(depth + 100)
    if depth == OTHER_FRAMES:
        rounds.run(pairs.one_round, batch=50)
    else:
        down(depth - OTHER_FRAMES - 1)


if __name__ == "__main__":
    main()
