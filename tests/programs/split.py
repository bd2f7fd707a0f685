"""Four functions whose shares of the time are known: half, thirty, fifteen and five per cent.

    split.py [SECONDS]      3 seconds by default

Each function computes until its slice is used up by the program's own clock, in slices of some milliseconds and in
an order that changes. Prints "ready" at the start, and at the end the shares it has measured, as one line of JSON.
"""
import json
import random
import sys
import time

SLICES_MS = {"half": 10.0, "thirty": 6.0, "fifteen": 3.0, "five": 1.0}
clock = getattr(time, "perf_counter", time.time)


def half(end):
    while clock() < end:
        pass


def thirty(end):
    while clock() < end:
        pass


def fifteen(end):
    while clock() < end:
        pass


def five(end):
    while clock() < end:
        pass


def main():
    functions = [half, thirty, fifteen, five]
    used = {function.__name__: 0.0 for function in functions}
    order = random.Random(5)
    deadline = clock() + float(sys.argv[1] if len(sys.argv) > 1 else 3)
    print("ready")
    sys.stdout.flush()
    while clock() < deadline:
        order.shuffle(functions)
        for function in functions:
            started = clock()
            function(started + SLICES_MS[function.__name__] / 1000)
            used[function.__name__] += clock() - started
    total = sum(used.values())
    print(json.dumps({name: value / total for name, value in used.items()}))


if __name__ == "__main__":
    main()
