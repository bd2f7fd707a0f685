"""Phases of work, one after the other, of which one is another thread's.

The main thread works for a while, so that who looks is there, and in first() for SECONDS; it waits for a thread that works in between() as long, works in second() as
long, and then collects garbage again and again in third() as long. Prints "ready" first, and at the end one line of JSON: how long each
phase and the collections took by its own clock, when it began since 1970, and the kernel's numbers of its threads.
"""
import gc
import json
import os
import sys
import threading
import time

import oracle

SECONDS = 0.7
NAME = "b\u00e9tween <\"'>;\\\n\u202e"
clock = time.perf_counter
told = {"pid": os.getpid()}


def compute(seconds):
    end = clock() + seconds
    while clock() < end:
        pass


def first():
    compute(SECONDS)


def between():
    told["tid"] = oracle.get_native_id()
    compute(SECONDS)


def second():
    compute(SECONDS)


def collect():
    gc.collect()


def third():
    graph = []
    for number in range(100000):
        graph.append([number, graph])
    collected, end = 0.0, clock() + SECONDS
    while clock() < end:
        began = clock()
        collect()
        collected += clock() - began
        compute(0.05)
    told["collected"] = collected


def wait_for_between():
    thread = threading.Thread(target=between, name=NAME)
    thread.start()
    thread.join()


def run(name, function):
    began = clock()
    function()
    told[name] = clock() - began


gc.disable()
print("ready")
sys.stdout.flush()
told["began"] = time.time()
compute(SECONDS)
run("first", first)
run("between", wait_for_between)
run("second", second)
run("third", third)
print(json.dumps(told))
sys.stdout.flush()
os._exit(0)
