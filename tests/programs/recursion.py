"""Threads and a main thread blocked 900 calls deep, in several shapes of recursion."""
import functools
import sys
import threading

import oracle

DEPTH = 900
DEPTH_THROUGH_C = 150
THREAD_STACK_BYTES = 128 << 20


def down(depth):
    if depth == 0:
        return oracle.block(0)
    return 1 + down(
        depth - 1
    )


def big_frame(depth):
    """A frame that needs many slots, so that the interpreter's stack of frames takes several pieces."""
    a = b = c = d = e = f = g = h = i = j = k = m = n = o = p = q = r = s = t = u = depth
    if depth == 0:
        return oracle.block(0)
    return max(a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s, t, u, big_frame(depth - 1))


def ping(depth):
    return pong(depth - 1) if depth > 0 else oracle.block(0)


def pong(depth):
    if depth > 0:
        return (
            ping(depth - 1)
        )
    return oracle.block(0)


def looping(depth):
    if depth == 0:
        yield oracle.block(0)
        return
    for value in looping(depth - 1):
        yield value


class Recursive(object):
    def __init__(self, depth):
        self.child = Recursive(depth - 1) if depth else oracle.block()


def through_c(depth):
    if depth == 0:
        return oracle.block(0)
    return functools.reduce(lambda _, value: through_c(value), [0, depth - 1])


@oracle.case
def plain():
    return down(DEPTH)


@oracle.case
def big_frames():
    return big_frame(DEPTH)


@oracle.case
def mutual():
    return ping(DEPTH)


@oracle.case
def generators():
    return list(looping(DEPTH))


@oracle.case
def constructors():
    return Recursive(2 * DEPTH_THROUGH_C)


@oracle.case
def with_c_between():
    return through_c(DEPTH_THROUGH_C)


@oracle.case
def closures():
    function = oracle.block
    for _ in range(DEPTH):
        function = (lambda inner: lambda: inner())(function)
    return function()


def in_main_thread():
    return down(DEPTH)


if __name__ == "__main__":
    sys.setrecursionlimit(10 * DEPTH)
    threading.stack_size(THREAD_STACK_BYTES)
    oracle.main(in_main_thread)
