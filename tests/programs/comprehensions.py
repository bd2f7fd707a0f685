"""Threads blocked in comprehensions, generator expressions and lambdas."""
import oracle


@oracle.case
def list_in_list():
    return [
        [
            oracle.block(inner + outer)
            for inner in range(1)
        ]
        for outer in range(1)
    ]


@oracle.case
def set_in_dict():
    return {
        key: {
            oracle.block(value)
            for value in range(3)
            if value > 1
        }
        for key in "k"
    }


@oracle.case
def dict_key():
    return {
        oracle.block(key):
            key
        for key in range(2)
    }


@oracle.case
def dict_value():
    return {
        key:
            oracle.block(key)
        for key in range(2)
    }


@oracle.case
def condition():
    return [
        value
        for value in range(2)
        if value == 1
        if oracle.block(True)
    ]


@oracle.case
def outer_iterable():
    return [
        value
        for value in
        oracle.block([1, 2])
    ]


@oracle.case
def inner_iterable():
    return [
        (left, right)
        for left in range(2)
        for right in
        oracle.block([1, 2])
    ]


@oracle.case
def generator_expression():
    return sum(
        oracle.block(value)
        for value in range(2)
    )


@oracle.case
def all_four():
    return list(
        {
            key: [
                {
                    oracle.block((key, value, other))
                    for other in
                    range(1)
                }
                for value in range(1)
            ]
            for key in range(1)
        }
        for _ in range(1)
    )


@oracle.case
def lambda_lines():
    function = (
        lambda first,
               second=None: (
            first,
            oracle.block(second),
        )
    )
    return function(
        1
    )


@oracle.case
def lambda_in_lambda():
    return (lambda: (
        lambda value: (
            oracle.block(
                value
            )
        )
    )(
        1
    ))()


@oracle.case
def lambda_in_comprehension():
    return [
        (
            lambda bound:
            oracle.block(bound)
        )(value)
        for value in range(1)
    ]


@oracle.case
def conditional_expression():
    return (
        1
        if oracle.block(False)
        else 2
    )


@oracle.case
def boolean_chain():
    return (
        not 1
        or 0
        or oracle.block(0)
        or 3
    )


@oracle.case
def subscript():
    table = {1: 2}
    return table[
        oracle.block(
            1
        )
    ]


if __name__ == "__main__":
    oracle.main()
