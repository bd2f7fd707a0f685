"""Threads blocked inside generators: yield from, nested loops, send, throw, close."""
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
def thirty_loops():
    total = 0
    for value in looping(DEPTH):
        total += value
    return total


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

    def outer():
        yield from generator()

    running = outer()
    next(running)
    return running.throw(
        ValueError("thrown")
    )


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
    oracle.main()
