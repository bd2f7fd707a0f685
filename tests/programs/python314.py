"""Threads blocked in annotations evaluated late, template strings, unparenthesised except. Needs Python 3.14."""
import annotationlib

import oracle


@oracle.case
def annotation_of_function():
    def function(
        first: int,
        second: oracle.block(1) = 2,
    ) -> None:
        return first, second

    return function.__annotations__


@oracle.case
def annotation_of_class():
    class Annotated:
        first: int
        second: list[
            oracle.block(int)
        ]

    return Annotated.__annotations__


@oracle.case
def annotation_by_annotationlib():
    class Annotated:
        def method(self) -> [oracle.block(value) for value in range(1)]:
            return self

    return annotationlib.get_annotations(
        Annotated.method,
        format=annotationlib.Format.VALUE,
    )


@oracle.case
def conditional_annotation():
    class Annotated:
        if oracle.wait:
            first: (
                oracle.block(1)
            )

    return Annotated.__annotations__


@oracle.case
def lazy_type_alias():
    class Owner:
        value = 1
        type Alias = oracle.block(
            value
        )

    return Owner.Alias.__value__


@oracle.case
def template_string():
    width = 4
    return t"{1} {
        oracle.block(2)
    :>{width}} {3}"


@oracle.case
def template_in_template():
    return t"{t"{
        oracle.block(1)!r
    }"}"


@oracle.case
def except_without_parentheses():
    try:
        raise KeyError(1)
    except ValueError, KeyError:
        oracle.block()


@oracle.case
def except_expressions():
    try:
        raise KeyError(1)
    except ValueError, \
            oracle.block(KeyError):
        return 1


@oracle.case
def except_star_without_parentheses():
    try:
        raise ExceptionGroup("group", [ValueError(1), TypeError(2)])
    except* ValueError, TypeError:
        oracle.block()


if __name__ == "__main__":
    oracle.main()
