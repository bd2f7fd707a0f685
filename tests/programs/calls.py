"""Threads blocked in calls that go over several lines: arguments, chains, keywords, decorators, defaults."""
import functools

import oracle


def add(*values, **named):
    return sum(values) + sum(named.values())


def give_way(*values, **named):
    return oracle.block(add(*values, **named))


class Chain:
    """Each method returns the chain; stop() blocks."""

    def __init__(self):
        self.steps = 0

    def step(self, *_):
        self.steps += 1
        return self

    def stop(self):
        oracle.block()
        return self


@oracle.case
def argument_on_third_line():
    return add(
        1,
        give_way(2),
        3,
        4,
    )


@oracle.case
def outer_of_six_lines():
    return give_way(
        1,
        add(2),
        3,
        named=4,
    )


@oracle.case
def argument_in_argument():
    return add(
        add(
            1,
            add(
                2,
                give_way(
                    3,
                    4,
                ),
            ),
        ),
        5,
    )


@oracle.case
def function_on_its_own_line():
    return (
        give_way
    )(
        1
    )


@oracle.case
def keyword_arguments():
    return add(
        1,
        first=add(2),
        second=give_way(
            3,
            named=4,
        ),
        third=5,
    )


@oracle.case
def unpacked_arguments():
    return add(
        *[
            1,
            2,
        ],
        **{
            "key": give_way(
                3
            ),
        }
    )


@oracle.case
def call_with_unpacking():
    return give_way(
        *(1, 2),
        **{"key": 3}
    )


@oracle.case
def chain_first():
    return (
        Chain()
        .stop()
        .step()
        .step()
    )


@oracle.case
def chain_middle():
    return (
        Chain()
        .step()
        .stop()
        .step()
    )


@oracle.case
def chain_last():
    return (
        Chain()
        .step(
            1,
            2,
        )
        .step()
        .stop()
    )


@oracle.case
def chain_with_arguments():
    return Chain().step(
        1,
    ).step(
        2,
        give_way(3),
    ).step(
        4,
    )


@oracle.case
def attribute_chain():
    chain = Chain()
    return chain \
        .step() \
        .stop() \
        .steps


@oracle.case
def operators():
    return (
        1
        + 2
        + give_way(3)
        + 4
    )


@oracle.case
def comparison_chain():
    return (
        1
        < 2
        < give_way(3)
        < 4
    )


@oracle.case
def one_line():
    return add(1, give_way(2), 3); add(4)  # noqa: E702


@oracle.case
def waits_in_the_case():
    """No Python frame below the call: its line is the innermost one."""
    oracle.announce()
    return add(
        1,
        len(
            oracle.wait(
            )
        ),
        2,
    )


@oracle.case
def waits_as_positional_callable():
    oracle.announce()
    return (
        oracle
        .wait
        ()
    )


def decorate(value):
    def decorator(function):
        oracle.block()

        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments) + value

        return wrapper

    return decorator


@oracle.case
def decorator_factory():
    @decorate(
        add(
            1,
            give_way(2),
        ),
    )
    def decorated():
        return 1

    return decorated()


@oracle.case
def default_values():
    def function(
        first=1,
        second=give_way(
            2,
        ),
        third=3
    ):
        return first + second + third

    return function()


@oracle.case
def assignment_targets():
    table = {}
    table[
        give_way(1)
    ] = \
        add(2)
    return table


@oracle.case
def augmented_assignment():
    table = {0: 0, 1: 1}
    table[
        1
    ] += give_way(
        1,
    )
    return table


@oracle.case
def returned_tuple():
    return (
        1,
        add(2),
        give_way(
            3
        ),
        4,
    )


@oracle.case
def assert_message():
    try:
        assert add(0), (
            "first "
            + str(give_way(1))
        )
    except AssertionError as error:
        return str(error)


@oracle.case
def raise_arguments():
    try:
        raise ValueError(
            1,
            give_way(2),
        )
    except ValueError as error:
        return error.args


@oracle.case
def string_methods():
    return (
        "{} {}"
        .format(
            1,
            give_way(2),
        )
        .upper()
        .split(
            " "
        )
    )


@oracle.case
def string_join():
    return ", ".join(
        str(
            give_way(value)
        )
        for value in range(2)
    )


class Formatted:
    def __format__(self, specification):
        return specification + str(
            oracle.block(1)
        )

    def __str__(self):
        return str(
            oracle.block(2)
        )


@oracle.case
def string_format():
    return "{:a}{:f}".format(
        Formatted(),
        2.5,
    )


@oracle.case
def string_percent():
    return (
        "%d %s"
        % (
            1,
            Formatted(),
        )
    )


if __name__ == "__main__":
    oracle.main()
