"""Threads blocked in except* blocks. Needs Python 3.11."""
import oracle


@oracle.case
def first_group():
    try:
        raise ExceptionGroup("group", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        oracle.block(group)
    except* TypeError:
        pass


@oracle.case
def second_group():
    try:
        raise ExceptionGroup("group", [ValueError(1), TypeError(2)])
    except* ValueError:
        pass
    except* (
        TypeError,
        KeyError,
    ) as group:
        oracle.block(
            group
        )


@oracle.case
def finally_after_groups():
    try:
        raise ExceptionGroup("group", [ValueError(1)])
    except* ValueError:
        pass
    finally:
        oracle.block()


@oracle.case
def naked_exception():
    try:
        raise ValueError(1)
    except* oracle.block(
        ValueError
    ):
        pass


@oracle.case
def split_function():
    def condition(error):
        return isinstance(
            oracle.block(error), ValueError
        )

    return ExceptionGroup("group", [ValueError(1)]).split(
        condition
    )


if __name__ == "__main__":
    oracle.main()
