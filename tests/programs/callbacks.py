"""Threads blocked in Python functions that C code has called."""
import ctypes
import functools
import gc
import itertools
import json
import operator
import re
import weakref
import xml.parsers.expat

import oracle


def give_way(value=None):
    return oracle.block(value)


@oracle.case
def sorted_key():
    return sorted(
        [2, 1],
        key=lambda value: value if value > 1 else
        give_way(value),
    )


@oracle.case
def list_sort_compare():
    class Item:
        def __lt__(self, other):
            return oracle.block(True)

    items = [Item(), Item()]
    items.sort(
        reverse=True,
    )


@oracle.case
def cmp_to_key():
    return sorted([1, 2], key=functools.cmp_to_key(
        lambda left, right:
        give_way(0)
    ))


@oracle.case
def max_key():
    return max(
        3,
        key=give_way,
        *[1, 2]
    )


@oracle.case
def mapped():
    return list(
        map(
            give_way,
            [1],
        )
    )


@oracle.case
def filtered_in_map():
    return list(map(str, filter(
        lambda value: give_way(value),
        [1],
    )))


@oracle.case
def reduced():
    return functools.reduce(
        lambda left, right:
        left + give_way(right),
        [1, 2],
    )


@oracle.case
def re_sub():
    return re.sub(
        r"\w+",
        lambda match: give_way(
            match.group()
        ),
        "one",
    )


@oracle.case
def ctypes_callback():
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)

    def inner(value):
        return give_way(value)

    called_from_c = prototype(inner)
    return called_from_c(
        1
    )


@oracle.case
def ctypes_qsort():
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))

    @compare_type
    def compare(left, right):
        return give_way(left[0] - right[0])

    values = (ctypes.c_int * 2)(2, 1)
    ctypes.CDLL(None).qsort(
        values,
        ctypes.c_size_t(2),
        ctypes.c_size_t(ctypes.sizeof(ctypes.c_int)),
        compare,
    )
    return list(values)


class Finalised(object):
    def __del__(self):
        oracle.block()


@oracle.case
def finaliser():
    value = Finalised()
    del value


@oracle.case
def finaliser_of_item():
    values = {1: Finalised()}
    values[1] = \
        None


@oracle.case
def finaliser_at_return():
    def inner():
        value = Finalised()
        return value is None

    return inner()


@oracle.case(since=(3, 4))
def finaliser_in_cycle():
    gc.disable()
    value = Finalised()
    value.itself = value
    value = None
    gc.collect()


@oracle.case
def weak_reference():
    class Referent:
        pass

    referent = Referent()
    reference = weakref.ref(referent, lambda _: give_way())
    del referent
    return reference


@oracle.case
def property_getter():
    class Owner(object):
        @property
        def attribute(self):
            return give_way(
                1
            )

    return Owner().attribute


@oracle.case
def missing_attribute():
    class Owner(object):
        def __getattr__(self, name):
            return give_way(name)

    return getattr(
        Owner(),
        "anything",
    )


@oracle.case
def every_attribute():
    class Owner(object):
        def __getattribute__(self, name):
            return give_way(name)

    return operator.attrgetter("first")(
        Owner()
    )


@oracle.case
def binary_operators():
    class Number:
        def __radd__(self, other):
            return oracle.block(other)

    return (
        1 +
        Number()
    )


@oracle.case
def truth_and_length():
    class Sized:
        def __len__(self):
            return oracle.block(1)

    return not \
        Sized()


@oracle.case
def contains():
    class Container:
        def __contains__(self, value):
            return oracle.block(True)

    return 1 in \
        Container()


@oracle.case
def hash_in_dict():
    class Key:
        def __hash__(self):
            return oracle.block(1)

    return {
        1: 2,
        Key(): 3,
    }


@oracle.case
def missing_key():
    class Table(dict):
        def __missing__(self, key):
            return oracle.block(key)

    return Table()[
        "key"
    ]


@oracle.case
def json_object_hook():
    return json.loads(
        '{"first": {"second": [1]}}',
        object_hook=lambda value: give_way(value),
    )


@oracle.case
def json_default():
    return json.dumps(
        [1, object()],
        default=lambda value: give_way("text"),
    )


@oracle.case
def xml_handler():
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: give_way(name)
    parser.Parse("<root/>", True)


@oracle.case
def group_by_key():
    return [
        key
        for key, _ in itertools.groupby([1], give_way)
    ]


@oracle.case
def call_until_sentinel():
    return list(iter(
        lambda: give_way(0),
        0,
    ))


@oracle.case
def through_many_c_calls():
    """Python and C take turns."""
    def deeper(depth):
        if depth == 0:
            return give_way(1)
        return functools.reduce(lambda _, value: max(map(deeper, [value])), [0, depth - 1])

    return deeper(6)


if __name__ == "__main__":
    oracle.main()
