"""Notices when it is not allowed to run: looks at the clock all the time and keeps the longest gap between two looks.

Prints "ready" first; each line on standard input is answered by a line of JSON: the number of looks and the longest gap
since the last answer, in milliseconds. Ends when standard input closes.
"""
import json
import select
import sys
import time


def look(clock=getattr(time, "perf_counter", time.time)):
    """Looks at the clock for a while: (how often, the longest gap in seconds)."""
    longest, previous, looks = 0.0, clock(), 2000
    for _ in range(looks):
        now = clock()
        if now - previous > longest:
            longest = now - previous
        previous = now
    return looks, longest


def main():
    looks, longest = 0, 0.0
    print("ready")
    sys.stdout.flush()
    while True:
        more, gap = look()
        looks, longest = looks + more, max(longest, gap)
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps({"looks": looks, "longest_gap_ms": longest * 1000}))
            sys.stdout.flush()
            looks, longest = 0, 0.0


if __name__ == "__main__":
    main()
