"""Threads blocked in code that has run often before: the interpreter has specialised it (3.11 and later), so that
properties, constructors, __getitem__ and generators are entered without a call through C."""
import oracle

ROUNDS = 300


def give_way(stop):
    return oracle.block(1) if stop else 1


def stops():
    """False for a long time, then True once."""
    yield from [False] * ROUNDS
    yield True


@oracle.case
def function():
    for stop in stops():
        give_way(
            stop
        )


@oracle.case
def keywords_and_defaults():
    def inner(first, second=2, *, third=3):
        return give_way(first)

    for stop in stops():
        inner(
            first=stop,
            third=4,
        )


@oracle.case
def bound_method():
    class Owner:
        def method(self, stop):
            return give_way(
                stop
            )

    owner = Owner()
    for stop in stops():
        owner \
            .method(stop)


@oracle.case
def constructor():
    class Made:
        def __init__(self, stop):
            self.value = (
                give_way(stop)
            )

    for stop in stops():
        Made(
            stop
        )


@oracle.case
def constructors_in_each_other():
    class Inner:
        def __init__(self, stop):
            self.value = give_way(stop)

    class Outer(Inner):
        def __init__(self, stop):
            super().__init__(
                False
            )
            self.inner = Inner(stop)

    for stop in stops():
        Outer(
            stop
        )


@oracle.case
def property_getter():
    class Owner:
        stop = False

        @property
        def attribute(self):
            return give_way(self.stop)

    owner = Owner()
    for owner.stop in stops():
        (
            owner
            .attribute
        )


@oracle.case
def getattribute():
    class Owner:
        def __getattribute__(self, name):
            return give_way(name == "last")

    owner = Owner()
    for stop in stops():
        owner.last if stop else \
            owner.first


@oracle.case
def getitem():
    class Table:
        def __getitem__(self, stop):
            return give_way(
                stop
            )

    table = Table()
    for stop in stops():
        table[
            stop
        ]


@oracle.case
def comparison():
    class Item:
        def __init__(self, stop):
            self.stop = stop

        def __lt__(self, other):
            return give_way(self.stop)

    for item in [Item(stop) for stop in stops()]:
        if (
            item
            < 3
        ):
            pass


@oracle.case
def for_over_generator():
    def generator():
        for stop in stops():
            yield give_way(
                stop
            )

    for _ in \
            generator():
        pass


@oracle.case
def delegating_generators():
    def delegating(depth):
        if depth:
            yield from \
                delegating(depth - 1)
            return
        for stop in stops():
            yield give_way(stop)

    return len(list(
        delegating(5)
    ))


@oracle.case
def awaits():
    async def inner(stop):
        return give_way(stop)

    async def outer():
        for stop in stops():
            await inner(
                stop
            )

    try:
        outer().send(None)
    except StopIteration:
        pass


@oracle.case
def comprehension():
    for last in stops():
        [
            give_way(stop)
            for stop in (False, False, last)
        ]


@oracle.case
def unpacking_call():
    for stop in stops():
        give_way(
            *(stop,),
            **{},
        )


@oracle.case
def recursion():
    def down(depth, stop):
        return down(depth - 1, stop) if depth else give_way(stop)

    for stop in stops():
        down(20, stop)


@oracle.case
def with_statement():
    class Manager:
        def __init__(self, stop):
            self.stop = stop

        def __enter__(self):
            return give_way(self.stop)

        def __exit__(self, *exception):
            return None

    for manager in map(Manager, stops()):
        with (
            manager
        ):
            pass


if __name__ == "__main__":
    oracle.main()
