"""Threads blocked inside generators: nested loops, send, throw, close."""
import oracle

DEPTH = 30


def looping(depth):
    if depth == 0:
        yield 1
        oracle.block()
        yield 2
        return
    for value in looping(depth - 1):
        yield value + 1


@oracle.case
def thirty_loops():
    total = 0
    for value in looping(DEPTH):
        total += value
    return total


@oracle.case
def first_step():
    def generator():
        oracle.block()
        yield 1

    return next(
        generator()
    )


@oracle.case
def last_step():
    def generator():
        yield 1
        oracle.block()

    return [
        value for value in
        generator()
    ]


@oracle.case
def sent_value():
    def generator():
        received = yield
        while received:
            received = yield oracle.block(
                received
            )

    running = generator()
    next(running)
    return running.send(
        1
    )


@oracle.case
def thrown_exception():
    def generator():
        try:
            yield 1
        except ValueError:
            oracle.block()
            yield 2

    running = generator()
    next(running)
    return running.throw(
        ValueError("thrown")
    )


@oracle.case
def iterator_class():
    class Iterator(object):
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

        next = __next__

    return sum(Iterator())


@oracle.case
def closed():
    def generator():
        try:
            yield 1
        finally:
            oracle.block()

    running = generator()
    next(running)
    running.close()


@oracle.case
def exhausted_by_unpacking():
    def generator():
        yield 1
        yield oracle.block(2)

    first, \
        second = \
        generator()
    return first, second


@oracle.case
def driven_from_c():
    def generator():
        yield 1
        yield oracle.block(2)

    return dict(
        zip(
            generator(),
            map(str, generator()),
        )
    )


if __name__ == "__main__":
    oracle.main()
