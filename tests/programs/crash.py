"""Writes down its stacks and crashes in C code, in a thread of its own, while the main thread holds still.

    python crash.py

One line of JSON goes to standard output before: {"MainThread": [[name, line], ... innermost first], "faulty": [...]}.
"""
import ctypes
import json
import sys
import threading


def stack_of(frame):
    stack = []
    while frame:
        stack.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return stack


def report():
    frames = sys._current_frames()
    stacks = {"faulty": stack_of(sys._getframe(1)), "MainThread": stack_of(frames[main_thread])}
    print(json.dumps(stacks))
    sys.stdout.flush()


class Faulty(object):

    def fall(self, depth):
        if depth > 0:
            return self.fall(depth - 1)
        return report(), ctypes.string_at(1)


def rest():
    waiting.set()
    never.acquire()


def fault():
    waiting.wait()
    while stack_of(sys._current_frames()[main_thread])[0][0] != "rest":
        pass
    Faulty().fall(3)


main_thread = next(iter(sys._current_frames()))
waiting = threading.Event()
never = threading.Lock()
never.acquire()
threading.Thread(target=fault, name="faulty").start()
rest()
