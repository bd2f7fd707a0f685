"""Threads blocked in with, try, finally and except blocks, and in loops whose conditions are looked at again."""
import oracle


class Manager:
    """Blocks where `stage` says."""

    def __init__(self, stage):
        self.stage = stage

    def __enter__(self):
        if self.stage == "enter":
            oracle.block()
        return self

    def __exit__(self, *exception):
        if self.stage == "exit":
            oracle.block()
        return True


@oracle.case
def entering():
    first = 1
    with Manager("body"), \
            Manager("enter"):
        first += 1
    return first


@oracle.case
def leaving():
    first = 1
    with Manager("exit"):
        first += 1
        first += 1
    return first


@oracle.case
def leaving_inner_of_two():
    first = 1
    with Manager("body") as outer, \
            Manager("exit") as inner:
        first += 1
    return first, outer, inner


@oracle.case
def leaving_by_return():
    with Manager("exit"):
        first = 1
        return first


@oracle.case
def leaving_by_exception():
    with Manager("exit"):
        first = 1
        raise ValueError(first)


@oracle.case
def leaving_by_break():
    for value in range(3):
        with Manager("exit" if value else "body"):
            if value:
                break
            first = value
    return first


@oracle.case
def with_body():
    with Manager("body"):
        oracle.block()


@oracle.case
def try_body():
    try:
        oracle.block()
    finally:
        first = 1
    return first


@oracle.case
def except_body():
    try:
        raise KeyError(1)
    except ValueError:
        return 1
    except (
        KeyError,
        TypeError,
    ) as error:
        oracle.block(error)
    return 2


@oracle.case
def except_expression():
    try:
        raise KeyError(1)
    except ValueError:
        return 1
    except oracle.block(
        KeyError
    ):
        return 2


@oracle.case
def else_body():
    try:
        first = 1
    except ValueError:
        return 1
    else:
        oracle.block(first)
    finally:
        first = 2
    return first


@oracle.case
def finally_body():
    try:
        first = 1
    finally:
        oracle.block()
    return first


@oracle.case
def finally_after_return():
    try:
        return 1
    finally:
        oracle.block()


@oracle.case
def finally_after_exception():
    def inner():
        try:
            raise ValueError(1)
        finally:
            oracle.block()

    try:
        inner()
    except ValueError as error:
        return error


@oracle.case
def finally_after_continue():
    for value in range(2):
        try:
            if not value:
                continue
            break
        finally:
            if not value:
                oracle.block()
    return value


@oracle.case
def nested_handlers():
    try:
        try:
            raise KeyError(1)
        except KeyError:
            try:
                raise ValueError(2)
            finally:
                try:
                    raise TypeError(3)
                except TypeError:
                    oracle.block()
    except ValueError as error:
        return error


@oracle.case
def while_condition_again():
    """The condition stands above the body, but blocks when it is looked at for the second time."""
    count = 0
    while (
        count < 1
        or
        oracle.block(False)
        or
        count < 1
    ):
        count += 1
        if count > 5:
            return count
    return count


@oracle.case
def for_iterable_again():
    def values():
        yield 1
        oracle.block()
        yield 2

    total = 0
    for value in values(
    ):
        total += value

        total += 1
    return total


@oracle.case
def while_else():
    count = 2
    while count:
        count -= 1
    else:
        oracle.block()
    return count


@oracle.case
def nested_loops():
    total = 0
    for outer in range(2):
        total += outer
        for inner in range(
            2
        ):
            while (
                total < 3
                and (outer, inner) != (1, 1)
                or oracle_blocks(outer, inner)
            ):
                total += 1
                if total > 2:
                    break
    return total


def oracle_blocks(outer, inner):
    if (outer, inner) == (1, 0):
        oracle.block()
    return False


@oracle.case
def long_jump_back():
    count = 0
    while count < 2:
        if count == 1:
            oracle.block()
        count += 1
        # Lines without code, so that the way back to the condition is a long one.




























    return count


@oracle.case
def statement_after_long_gap():
    first = 1























    oracle.block(first)
    return first


@oracle.case
def deleted_items():
    class Table:
        def __delitem__(self, key):
            oracle.block(key)

    table = Table()
    del (
        table[1],
    )


@oracle.case
def asserted():
    assert (
        1
        and oracle.block(True)
    ), "never"


if __name__ == "__main__":
    oracle.main()
