"""Crashes in C code, in one of several ways, and says before where it is and what its variables are.

    python crash_in_c.py WAY

One line of JSON goes to standard output before: {thread: [[name of a Python function, {variable: repr()}], ... innermost
first]}. A thread "sleeper" sleeps meanwhile. The ways:

    callback  a bad address, in a C function that Python called, which C called, which Python called
    handler   the same, with a signal handler of faulthandler on a stack of its own, which raises the signal once more
    abort     abort()
    overflow  C functions call each other until there is no stack left
    unknown   a bad address, in a thread that Python knows nothing of
    rest      nothing: it waits for the end of its input
"""
import ctypes
import json
import os
import sys
import threading
import time

libc = ctypes.CDLL(None)
compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
FUTEX = {"aarch64": "98"}.get(os.uname()[4], "202")
KEPT = (int, float, str, list, tuple, dict, type(None))
answer = {}


def note(thread, frame):
    """Keeps what the interpreter says of a stack: plain and short values only, as a dump has no repr() of others."""
    answer[thread] = stack = []
    while frame:
        variables = {} if frame.f_code.co_name == "<module>" else frame.f_locals
        texts = {name: repr(value) for name, value in variables.items() if type(value) in KEPT}
        stack.append([frame.f_code.co_name, {name: text for name, text in texts.items() if len(text) <= 128}])
        frame = frame.f_back


def tell():
    print(json.dumps(answer))
    sys.stdout.flush()


def fail(way, depth=3):
    level = {"depth": depth, "way": (way, 1.5)}
    if depth > 0:
        return fail(way, depth - 1)
    return WAYS[way](level)


def fall(a, b):
    """Called by C code."""
    where = ["in", "C", 2 ** 70]
    note("MainThread", sys._getframe())
    tell()
    libc.swab(ctypes.c_void_p(1), ctypes.c_void_p(1), ctypes.c_ssize_t(8))
    return 0


def by_callback(level):
    numbers = (ctypes.c_int * 2)(2, 1)
    libc.qsort(numbers, ctypes.c_size_t(2), ctypes.c_size_t(4), compare_type(fall))


def by_handler(level):
    import faulthandler
    faulthandler.enable()
    by_callback(level)


def by_abort(level):
    note("MainThread", sys._getframe())
    tell()
    os.abort()


def by_overflow(level):
    pattern = b"(" * 1000000
    note("MainThread", sys._getframe())
    tell()
    libc.regcomp(ctypes.create_string_buffer(1024), pattern, 1)


def by_unknown(level):
    thread, routine = ctypes.c_ulong(), ctypes.cast(libc.rewind, ctypes.c_void_p)
    note("MainThread", sys._getframe())
    tell()
    libc.pthread_create(ctypes.byref(thread), None, routine, ctypes.c_void_p(1))
    libc.pause()


def by_rest(level):
    note("MainThread", sys._getframe())
    tell()
    sys.stdin.read()


def sleep(seconds, why=None):
    words = [u"z" * 5, seconds]
    note("sleeper", sys._getframe())
    asleep.set()
    time.sleep(seconds)


WAYS = {"callback": by_callback, "handler": by_handler, "abort": by_abort, "overflow": by_overflow,
        "unknown": by_unknown, "rest": by_rest}
asleep = threading.Event()
sleeper = threading.Thread(target=sleep, name="sleeper", args=(1000, ("x", {1: 2})))
sleeper.daemon = True
sleeper.start()
asleep.wait()


def is_asleep():
    """Whether the kernel says of the other thread that it waits for something, but for no lock (proc_pid_syscall(5))."""
    for number in os.listdir("/proc/self/task"):
        if int(number) != os.getpid():
            with open("/proc/self/task/%s/syscall" % number) as file:
                return file.read().split()[0] not in ("running", FUTEX)


while not is_asleep():
    pass
fail(sys.argv[1])
