"""Notices when it is not allowed to run: looks at the clock all the time, and keeps the gaps between two looks.

    heartbeat.py [LIBRARY]    with that of native/unstoppable.c, another thread is in state D most of the time

Prints "ready" first; each line on standard input is answered by a line of JSON, about the time since the last answer, in
milliseconds: the number of looks, the longest gap, and the gaps that are longer than one, each with how much of it was not
spent in waiting for a CPU (which the kernel counts): that is for how long somebody held it. Ends when standard input
closes.
"""
import json
import select
import sys
import threading
import time

GAP_SECONDS = 0.001
GAPS_LIMIT = 10000
LOOKS = 2000
clock = getattr(time, "perf_counter", time.time)


def waited():
    """Linux Documentation/scheduler/sched-stats.rst: seconds that this thread was ready to run and had no CPU."""
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


class Pulse:

    def __init__(self):
        self.last, self.waited = clock(), waited()
        self.begin()

    def begin(self):
        self.looks, self.longest, self.gaps = 0, 0.0, []

    def look(self):
        """Looks at the clock for a while."""
        longest, previous = 0.0, self.last
        for _ in range(LOOKS):
            now = clock()
            if now - previous > longest:
                longest = now - previous
            previous = now
        self.last = previous
        self.looks += LOOKS
        self.longest = max(self.longest, longest)
        self.note(longest)

    def note(self, gap):
        now = waited()
        if gap > GAP_SECONDS and len(self.gaps) < GAPS_LIMIT:
            self.gaps.append([gap * 1000, max(0.0, gap - (now - self.waited)) * 1000])
        self.waited = now

    def tell(self):
        print(json.dumps({"looks": self.looks, "longest_gap_ms": self.longest * 1000, "gaps_ms": self.gaps}))
        sys.stdout.flush()
        self.begin()


def wait_always(library):
    while True:
        library.wait_unstoppably(1)


def start_waiting(path):
    import ctypes
    thread = threading.Thread(target=wait_always, args=(ctypes.CDLL(path),))
    thread.daemon = True
    thread.start()


def main():
    if len(sys.argv) > 1:
        start_waiting(sys.argv[1])
    pulse = Pulse()
    print("ready")
    sys.stdout.flush()
    while True:
        pulse.look()
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            pulse.tell()


if __name__ == "__main__":
    main()
