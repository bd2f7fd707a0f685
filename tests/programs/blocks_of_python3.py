"""Threads blocked in exceptions with causes and in contextlib.suppress(). Needs Python 3."""
import contextlib

import oracle


class Manager:
    """Blocks when it is left."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        oracle.block()
        return True


@oracle.case
def suppressed():
    with contextlib.suppress(ValueError):
        with Manager():
            raise ValueError(
                "suppressed"
            )


@oracle.case
def raised_from():
    try:
        try:
            raise KeyError(1)
        except KeyError as error:
            raise ValueError(2) from oracle.block(
                error
            )
    except ValueError as error:
        return error.__cause__


@oracle.case
def context_of_exception():
    try:
        try:
            raise KeyError(1)
        finally:
            raise ValueError(
                oracle.block(2)
            )
    except ValueError as error:
        return error.__context__


if __name__ == "__main__":
    oracle.main()
