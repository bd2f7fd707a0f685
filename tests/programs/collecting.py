"""Garbage collection for a known share of the time.

    collecting.py share [SECONDS]   collects a large graph again and again; until SECONDS, 3 by default, are over
    collecting.py beside            the same, while another thread computes; until standard input closes
    collecting.py finalize          collects objects whose finalizers compute; likewise
    collecting.py never             computes with objects, and without the collector; likewise

Nothing is collected but by gc.collect() in `collect`. Prints "ready" first; `share` ends with the share of its time that
was spent there by its own clock, as one line of JSON, and without the collection of garbage at the interpreter's end.
"""
import gc
import json
import os
import random
import sys
import threading
import time

NODES = 40000
clock = getattr(time, "perf_counter", time.time)
graph = []
finished = []


def collect():
    gc.collect()


def compute(seconds):
    end = clock() + seconds
    while clock() < end:
        pass


def build():
    for number in range(NODES):
        graph.append([number, graph])


def share(seconds):
    """Computes for about as long as collections take, but never in step with them."""
    order = random.Random(7)
    collected, started = 0.0, clock()
    while clock() < started + seconds:
        before = clock()
        collect()
        after = clock()
        collected += after - before
        compute((after - before) * order.uniform(0.5, 1.5))
    print(json.dumps(collected / (clock() - started)))
    sys.stdout.flush()
    os._exit(0)


def beside():
    def spin():
        while not finished:
            compute(0.001)

    threading.Thread(target=spin).start()
    while not finished:
        collect()
        compute(0.005)


class Finalized(object):
    def __init__(self):
        self.me = self

    def __del__(self):
        finalize()


def finalize():
    compute(0.003)


def collect_finalized():
    while not finished:
        Finalized()
        collect()


def never():
    while not finished:
        build()
        del graph[:]


def wait_for_end():
    sys.stdin.read()
    finished.append(1)


def main():
    gc.disable()
    mode, words = sys.argv[1], sys.argv[2:]
    if mode in ("share", "beside"):
        build()
    print("ready")
    sys.stdout.flush()
    if mode == "share":
        share(float(words[0]) if words else 3)
    threading.Thread(target=wait_for_end).start()
    {"beside": beside, "finalize": collect_finalized, "never": never}[mode]()


if __name__ == "__main__":
    main()
