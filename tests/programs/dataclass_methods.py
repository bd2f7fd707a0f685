"""Threads blocked in the methods that a dataclass is given. Needs Python 3.7."""
import dataclasses
import typing

import oracle


class Blocking:
    """Blocks when it is compared or shown."""

    def __eq__(self, other):
        return oracle.block(True)

    def __repr__(self):
        return oracle.block("shown")


@oracle.case
def dataclass_init():
    @dataclasses.dataclass
    class Data:
        first: int
        second: typing.List[int] = dataclasses.field(
            default_factory=lambda: oracle.block([])
        )

    return Data(1)


@oracle.case
def dataclass_post_init():
    @dataclasses.dataclass
    class Data:
        first: int = 1

        def __post_init__(self):
            oracle.block(self.first)

    return Data()


@oracle.case
def dataclass_eq():
    @dataclasses.dataclass
    class Data:
        first: Blocking

    return Data(Blocking()) == Data(Blocking())


@oracle.case
def dataclass_repr():
    @dataclasses.dataclass
    class Data:
        first: Blocking

    return repr(Data(Blocking()))


if __name__ == "__main__":
    oracle.main()
