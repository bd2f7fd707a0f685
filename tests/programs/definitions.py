"""Threads blocked in class bodies, metaclasses, descriptors, closures, super() calls and generated code.

Needs Python 3.6.
"""
import collections
import contextlib
import enum
import functools
import typing

import oracle


@oracle.case
def class_body():
    class Body:
        first = 1
        second = oracle.block(
            first
        )

    return Body


@oracle.case
def nested_class_bodies():
    class Outer:
        class Middle:
            first = 1

            class Inner:
                second = [
                    oracle.block(value)
                    for value in range(1)
                ]

    return Outer


@oracle.case
def class_arguments():
    class Derived(
        oracle.block(dict),
    ):
        pass

    return Derived


class BlockingMeta(type):
    def __new__(mcs, name, bases, namespace, stage=None):
        created = super().__new__(
            mcs, name,
            oracle.block(bases) if stage == "new" else bases,
            namespace,
        )
        return created

    def __init__(cls, name, bases, namespace, stage=None):
        super().__init__(name, bases, namespace)
        if stage == "init":
            oracle.block()

    def __call__(cls, *values):
        return super().__call__(*values, oracle.block(1))

    @classmethod
    def __prepare__(mcs, name, bases, stage=None):
        return oracle.block({}) if stage == "prepare" else {}


@oracle.case
def metaclass_prepare():
    class Made(metaclass=BlockingMeta, stage="prepare"):
        pass

    return Made


@oracle.case
def metaclass_new():
    class Made(
        metaclass=BlockingMeta,
        stage="new",
    ):
        first = 1

    return Made


@oracle.case
def metaclass_init():
    class Made(
        metaclass=BlockingMeta,
        stage="init",
    ):
        def method(self):
            return self

    return Made


@oracle.case
def metaclass_call():
    class Made(metaclass=BlockingMeta):
        def __init__(self, *values):
            self.values = values

    return Made(
        1,
        2,
    )


class Base:
    def method(self, value=0):
        return oracle.block(value)

    @staticmethod
    def static(value):
        return oracle.block(value)

    @classmethod
    def of_class(cls, value):
        return cls.static(
            value
        )

    def __init_subclass__(cls, blocks=False):
        super().__init_subclass__()
        if blocks:
            oracle.block()


class Middle(Base):
    def method(self, value=0):
        return super().method(
            value
        )


class Derived(Middle):
    def method(self, value=0):
        return 1 + super(Derived, self).method(value)

    @property
    def attribute(self):
        return self.method(1)


@oracle.case
def super_calls():
    return Derived().method()


@oracle.case
def inherited_method():
    return Middle().method(1)


@oracle.case
def property_of_subclass():
    return Derived().attribute


@oracle.case
def static_method():
    return Base.static(1)


@oracle.case
def class_method():
    return Derived.of_class(1)


@oracle.case
def init_subclass():
    class Subclass(Base, blocks=True):
        pass

    return Subclass


class Descriptor:
    def __set_name__(self, owner, name):
        if name == "named":
            oracle.block()

    def __get__(self, instance, owner):
        return oracle.block(1)

    def __set__(self, instance, value):
        oracle.block(value)

    def __delete__(self, instance):
        oracle.block()


class Described:
    attribute = Descriptor()


@oracle.case
def descriptor_get():
    return Described().attribute


@oracle.case
def descriptor_set():
    Described().attribute = \
        1


@oracle.case
def descriptor_delete():
    del Described().attribute


@oracle.case
def descriptor_set_name():
    return type("Made", (), {"named": Descriptor()})


@oracle.case
def closures():
    first = 1

    def outer(second):
        def middle(third):
            def inner():
                nonlocal third
                third += first
                return oracle.block(
                    (first, second, third)
                )

            return inner

        return middle

    return outer(2)(3)()


@oracle.case
def partial():
    return functools.partial(
        functools.partial(Base.static, 1),
    )()


@oracle.case
def partial_method():
    class Partial(Base):
        one = functools.partialmethod(Base.method, 1)

    return Partial().one()


@oracle.case
def lru_cache():
    @functools.lru_cache(maxsize=2)
    def cached(value):
        return oracle.block(value)

    return cached(1)


@oracle.case(since=(3, 8))
def cached_property():
    class Cached:
        @functools.cached_property
        def attribute(self):
            return oracle.block(1)

    return Cached().attribute


@oracle.case
def single_dispatch():
    @functools.singledispatch
    def dispatched(value):
        return value

    @dispatched.register(int)
    def _(value):
        return oracle.block(value)

    return dispatched(
        1
    )


@oracle.case
def wrapped():
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments)

        return wrapper

    @decorator
    @decorator
    def decorated(value):
        return oracle.block(value)

    return decorated(1)


class Blocking:
    """Blocks when it is compared, hashed, shown or called."""

    def __eq__(self, other):
        return oracle.block(True)

    def __hash__(self):
        return oracle.block(1)

    def __repr__(self):
        return oracle.block("shown")

    def __call__(self, *values):
        return oracle.block(values)


@oracle.case
def named_tuple_repr():
    pair = collections.namedtuple("Pair", "first second")
    return repr(pair(1, second=Blocking()))


@oracle.case
def named_tuple_method():
    class Pair(typing.NamedTuple):
        first: int
        second: int = 2

        def total(self):
            return self.first + oracle.block(
                self.second
            )

    return Pair(1).total()


@oracle.case
def callable_instance():
    return Blocking()(
        1,
        2,
    )


@oracle.case
def enumeration():
    class Colour(enum.Enum):
        RED = 1

        @classmethod
        def _missing_(cls, value):
            oracle.block()
            return cls.RED

    return Colour(
        2
    )


@oracle.case
def context_manager_function():
    @contextlib.contextmanager
    def managed():
        oracle.block()
        yield

    with managed():
        pass


@oracle.case
def exit_stack():
    with contextlib.ExitStack() as stack:
        stack.callback(
            Blocking(), 1
        )


if __name__ == "__main__":
    oracle.main()
