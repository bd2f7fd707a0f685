"""Threads blocked in assignment expressions. Needs Python 3.8."""
import oracle


@oracle.case
def walrus():
    if (
        first := len("a")
    ) and (
        second := oracle.block(first)
    ):
        return second
    return None


@oracle.case
def walrus_in_comprehension():
    return [
        last
        for value in range(2)
        if (last := oracle.block(value)) is not None
    ]


if __name__ == "__main__":
    oracle.main()
