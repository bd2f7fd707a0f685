"""Threads blocked in type aliases, type parameters and the newer f-strings. Needs Python 3.12."""
import oracle


@oracle.case
def type_alias():
    type Alias[T] = oracle.block(
        list
    )[T]
    return Alias.__value__


@oracle.case
def bound_of_parameter():
    def function[T: (
        oracle.block(int)
    )](value: T) -> T:
        return value

    return function.__type_params__[0].__bound__


@oracle.case
def default_value():
    def function[T](
        value: T =
        oracle.block(1),
    ):
        return value

    return function()


@oracle.case
def annotation():
    def function[T](
        value: oracle.block(int),
    ):
        return value

    return function.__annotations__


@oracle.case
def base_class():
    class Generic[T](
        oracle.block(dict),
    ):
        pass

    return Generic


@oracle.case
def body_of_generic_class():
    class Generic[T]:
        class Inner[U]:
            first = oracle.block(1)

    return Generic


@oracle.case
def comprehension_in_class():
    class Body:
        first = [
            (lambda: oracle.block(value))()
            for value in range(1)
        ]

    return Body


@oracle.case
def f_string():
    return f"{
        1
    } {
        f"{
            oracle.block(
                2
            )
        }"
    }"


if __name__ == "__main__":
    oracle.main()
