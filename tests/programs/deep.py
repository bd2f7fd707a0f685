"""A thread with a stack of exactly as many Python frames as wanted: deep.py FRAMES."""
import sys
import threading

import oracle

#: What the C stack needs for a Python call: up to 3.10 each one is a call in C, too.
THREAD_STACK_BYTES = 2 << 30
#: The frames that are not of down(): the case, block(), what the thread starts in.
SPARE = 100


def down(depth):
    return oracle.block() if depth == 0 else down(depth - 1)


def frames_outside():
    frame, count = sys._getframe(), 0
    while frame:
        frame, count = frame.f_back, count + 1
    return count


@oracle.case
def deep():
    """frames_outside() stands where down(0) will; it calls block()."""
    return down(FRAMES - frames_outside() - 1)


if __name__ == "__main__":
    FRAMES = int(sys.argv.pop(1))
    sys.setrecursionlimit(FRAMES + SPARE)
    threading.stack_size(THREAD_STACK_BYTES)
    oracle.main()
