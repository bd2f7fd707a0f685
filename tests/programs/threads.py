"""One busy thread and some idle ones, until standard input closes.

    threads.py [BUSY [IDLE]]    1 busy and 4 idle threads by default; 0 busy for an idle program

The idle ones are in one long time.sleep, so that not one sample of theirs is an active one. Prints "ready" when the idle ones sleep.
"""
import sys
import threading
import time

import oracle

BUSY, IDLE = [int(word) for word in sys.argv[1:3] + ["1", "4"][len(sys.argv[1:3]):]]
LONG_SECONDS = 3600
finished = threading.Event()
idle_tids = []


def spin():
    return sum(range(100))


def busy(started):
    started.wait()
    while not finished.is_set():
        spin()


def rest():
    time.sleep(LONG_SECONDS)


def idle(started):
    idle_tids.append(threading.get_native_id())
    started.wait()
    rest()


def main():
    started = threading.Barrier(BUSY + IDLE + 1)
    for number in range(BUSY):
        threading.Thread(target=busy, args=(started,), name="busy-%d" % number, daemon=True).start()
    for number in range(IDLE):
        threading.Thread(target=idle, args=(started,), name="idle-%d" % number, daemon=True).start()
    started.wait()
    oracle.wait_for(lambda: oracle.asleep(idle_tids))
    print("ready", flush=True)
    sys.stdin.read()
    finished.set()


if __name__ == "__main__":
    main()
