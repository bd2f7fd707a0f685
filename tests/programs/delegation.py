"""Threads blocked behind yield from. Needs Python 3."""
import sys
import threading

import oracle

DEPTH = 30


def delegating(depth):
    if depth:
        yield from delegating(
            depth - 1
        )
    else:
        yield 1
        yield oracle.block(
            2
        )
        yield 3


def delegating_plainly(depth):
    if depth:
        yield from delegating_plainly(depth - 1)
    else:
        yield oracle.block(0)


def looping(depth):
    if depth == 0:
        yield 1
        oracle.block()
        yield 2
        return
    for value in looping(depth - 1):
        yield value + 1


@oracle.case
def thirty_yield_from():
    return list(delegating(DEPTH))


@oracle.case
def nine_hundred_yield_from():
    return next(delegating_plainly(900))


@oracle.case
def mixed_chain():
    def odd(depth):
        if depth:
            yield from even(depth - 1)
        else:
            yield oracle.block(1)

    def even(depth):
        for value in (
            each
            for each in odd(depth - 1)
        ):
            yield value

    return list(odd(8))


@oracle.case
def thrown_exception():
    def generator():
        try:
            yield 1
        except ValueError:
            oracle.block()
            yield 2

    def outer():
        yield from generator()

    running = outer()
    next(running)
    return running.throw(
        ValueError("thrown")
    )


@oracle.case
def many_suspended_beside():
    """The running one is the innermost of a chain while others hang half-way."""
    suspended = [looping(3) for _ in range(20)]
    for each in suspended:
        next(each)
    return list(delegating(3)), suspended


@oracle.case
def iterator_class():
    class Iterator:
        def __init__(self):
            self.left = 2

        def __iter__(self):
            return self

        def __next__(self):
            self.left -= 1
            if not self.left:
                oracle.block()
                raise StopIteration
            return self.left

    def generator():
        yield from Iterator()

    return sum(generator())


if __name__ == "__main__":
    sys.setrecursionlimit(9000)
    threading.stack_size(128 << 20)
    oracle.main()
