"""Threads blocked where functions are made: keyword-only defaults, annotations, caches. Needs Python 3."""
import functools

import oracle


def add(*values, **named):
    return sum(values) + sum(named.values())


def give_way(*values, **named):
    return oracle.block(add(*values, **named))


def decorate(value):
    def decorator(function):
        oracle.block()

        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments) + value

        return wrapper

    return decorator


@oracle.case
def decorator_application():
    @functools.lru_cache(
        maxsize=None,
    )
    @decorate(
        1,
    )
    @functools.lru_cache(
        maxsize=None,
    )
    def decorated(
        first=1,
    ):
        return first

    return decorated()


@oracle.case
def default_values():
    def function(
        first=1,
        second=give_way(
            2,
        ),
        *,
        third=3,
    ):
        return first + second + third

    return function()


@oracle.case
def annotations():
    def function(
        first: int,
        second: give_way(1) = 2,
    ) -> add(3):
        return first + second

    return function.__annotations__


if __name__ == "__main__":
    oracle.main()
