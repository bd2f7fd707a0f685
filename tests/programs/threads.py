"""One busy thread and some idle ones, until standard input closes.

    threads.py [BUSY [IDLE]]    1 busy and 4 idle threads by default; 0 busy for an idle program

The idle ones are in one long time.sleep, so that not one sample of theirs is an active one. Prints "ready" when the idle ones sleep.
"""
import sys
import time

import oracle

BUSY, IDLE = [int(word) for word in sys.argv[1:3] + ["1", "4"][len(sys.argv[1:3]):]]
LONG_SECONDS = 3600
finished = []
busy_tids = []
idle_tids = []


def spin():
    return sum(range(100))


def busy():
    busy_tids.append(oracle.get_native_id())
    while not finished:
        spin()


def rest():
    time.sleep(LONG_SECONDS)


def idle():
    idle_tids.append(oracle.get_native_id())
    rest()


def is_in_place():
    return len(busy_tids) == BUSY and len(idle_tids) == IDLE and oracle.asleep(idle_tids)


def main():
    for number in range(BUSY):
        oracle.start_daemon(busy, name="busy-%d" % number)
    for number in range(IDLE):
        oracle.start_daemon(idle, name="idle-%d" % number)
    oracle.wait_for(is_in_place)
    oracle.say("ready")
    sys.stdin.read()
    finished.append(1)


if __name__ == "__main__":
    main()
