# -*- coding: utf-8 -*-
"""Threads blocked in what only Python 2 has: old-style classes, statements that became functions, names that are bytes."""
import threading
import types

import oracle
from code_objects import replaced


class OldStyle:
    """Has no method resolution order: its instances are all of one type."""

    def __init__(self, depth=0):
        self.depth = depth

    def method(self):
        return oracle.block(
            self.depth
        )

    def __getattr__(self, name):
        if name != "missing":
            raise AttributeError(name)
        return oracle.block(name)

    def __add__(self, other):
        return oracle.block(other)

    def __coerce__(self, other):
        return None

    def __cmp__(self, other):
        return oracle.block(0)

    def __getslice__(self, first, last):
        return oracle.block([first, last])


class OldDerived(OldStyle):
    def method(self):
        return OldStyle.method(
            self
        )


@oracle.case
def method_of_old_style_class():
    return OldStyle().method()


@oracle.case
def inherited_by_old_style_class():
    return OldDerived(1).method()


@oracle.case
def missing_attribute_of_old_style_class():
    return OldStyle().missing


@oracle.case
def operator_of_old_style_class():
    return (
        OldStyle()
        + 1
    )


@oracle.case
def comparison_by_cmp():
    return OldStyle() < \
        OldStyle()


@oracle.case
def slice_of_old_style_class():
    return OldStyle()[
        1:
        2
    ]


@oracle.case
def body_of_old_style_class():
    class Body:
        first = 1
        second = oracle.block(
            first
        )

    return Body


class Base(object):
    def method(self):
        return oracle.block(1)

    @classmethod
    def of_class(cls):
        return cls.static()

    @staticmethod
    def static():
        return oracle.block(2)


class Derived(Base):
    def method(self):
        return super(Derived, self).method()

    @property
    def attribute(self):
        return self.method()

    attribute_by_another_name = attribute


@oracle.case
def methods_of_new_style_classes():
    return Derived().attribute


@oracle.case
def another_name():
    return Derived().attribute_by_another_name


@oracle.case
def class_method():
    return Derived.of_class()


@oracle.case
def metaclass_by_attribute():
    class Meta(type):
        def __new__(mcs, name, bases, namespace):
            return oracle.block(type.__new__(mcs, name, bases, namespace))

    class Made(object):
        __metaclass__ = Meta

    return Made


@oracle.case
def exec_statement():
    namespace = {"oracle": oracle}
    exec "first = 1\n\noracle.block(\n    first\n)\n" in namespace


@oracle.case
def exec_in_own_scope():
    value = 3
    exec "oracle.block(value)"


@oracle.case
def print_statement():
    class Shown(object):
        def __str__(self):
            return str(oracle.block("shown"))

    class Stream(object):
        def write(self, text):
            pass

    print >>Stream(), "a", \
        Shown()


@oracle.case
def print_to_blocking_stream():
    class Stream(object):
        def write(self, text):
            oracle.block()

    print >>Stream(), "a",


@oracle.case
def backticks():
    class Shown(object):
        def __repr__(self):
            return oracle.block("shown")

    return `Shown()`


@oracle.case
def variable_of_list_comprehension():
    """A list comprehension has no frame of its own; a set comprehension has."""
    values = [
        oracle.block(value)
        for value in
        {each for each in (1,)}
    ]
    return values, value


@oracle.case
def tuple_parameter():
    def function(first, (second, third)):
        return oracle.block(first + second + third)

    return function(1, (
        2, 3))


@oracle.case
def raise_with_three():
    try:
        raise ValueError, oracle.block(1), \
            None
    except ValueError, error:
        return error


@oracle.case
def map_of_python2():
    return map(
        lambda value:
        oracle.block(value),
        [1],
    )


@oracle.case
def sort_by_compare():
    return sorted([2, 1], lambda left, right:
                  oracle.block(left - right))


@oracle.case
def unicode_source():
    exec compile(u"# größe\n\n\noracle.block()", "größe.py", "exec") in {"oracle": oracle}


@oracle.case
def file_name_in_latin_1():
    """Bytes that are no UTF-8."""
    exec compile("\noracle.block()", "gr\xf6\xdfe.py", "exec") in {"oracle": oracle}


@oracle.case
def function_name_in_utf_8():
    def inner():
        return oracle.block()

    code = replaced(inner.__code__, co_name="größe")
    return types.FunctionType(code, globals(), closure=inner.__closure__)()


@oracle.case
def function_name_with_null():
    def inner():
        return oracle.block()

    code = replaced(inner.__code__, co_name="first\0second")
    return types.FunctionType(code, globals(), closure=inner.__closure__)()


class Named(threading.Thread):
    """A thread whose name is a unicode object: threading makes a str of what it is given."""

    def __init__(self, name):
        threading.Thread.__init__(self)
        self._Thread__name = name

    def run(self):
        oracle.block()


@oracle.case(threads=5)
def unicode_thread_names():
    threads = [Named(name) for name in (u"plain", u"Grüße", u"スレッド", u"\U0001d4e3hread")]
    for thread in threads:
        thread.start()
    oracle.block()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    oracle.main()
