"""Counts the calls of one round of a program of tests/programs, by sys.setprofile: the truth that no clock is needed for.

    count_calls.py PROGRAM

Prints one line of JSON: how often each function was called.
"""
import collections
import importlib
import json
import os
import sys


def calls_of(function):
    counts = collections.Counter()

    def count(frame, event, argument):
        if event == "call":
            counts[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return counts


def main():
    folder, name = os.path.split(os.path.abspath(sys.argv[1]))
    sys.path.insert(0, folder)
    module = importlib.import_module(os.path.splitext(name)[0])
    print(json.dumps(calls_of(module.one_round)))


if __name__ == "__main__":
    main()
