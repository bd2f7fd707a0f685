"""Two versions of a program: what one function takes is known, another is there in only one of them.

    versions.py before|after [ROUNDS]      100 rounds by default

In each round functions compute for some milliseconds by the program's own clock: `steady` 6 in both versions, `changed` 3
before and 9 after, `removed` 3 only before, `added` 6 only after. Prints what each has taken, in seconds, as one line of
JSON. Needs Python 3.
"""
import json
import sys
import time

clock = time.perf_counter


def steady(end):
    while clock() < end:
        pass


def changed(end):
    while clock() < end:
        pass


def removed(end):
    while clock() < end:
        pass


def added(end):
    while clock() < end:
        pass


VERSIONS = {
    "before": {steady: 6, changed: 3, removed: 3},
    "after": {steady: 6, changed: 9, added: 6},
}


def main():
    slices = VERSIONS[sys.argv[1]]
    used = {function.__name__: 0.0 for function in slices}
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 100):
        for function, milliseconds in slices.items():
            started = clock()
            function(started + milliseconds / 1000)
            used[function.__name__] += clock() - started
    print(json.dumps(used))


if __name__ == "__main__":
    main()
