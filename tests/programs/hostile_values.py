"""Locals that are large, deep, circular, or would do something if anybody asked them what they are.

Prints "ready"; when a line has come, what was called of them in the meantime, as JSON.
"""
import json
import sys

CALLED = []
MANY = 10 ** 6


class Trap(object):
    """Notes whatever is called."""

    def __repr__(self):
        CALLED.append("__repr__")
        return "trap"

    __str__ = __repr__

    def __getattr__(self, name):
        CALLED.append(name)
        raise AttributeError(name)

    @property
    def __class__(self):
        CALLED.append("__class__")
        return int

    @property
    def __dict__(self):
        CALLED.append("__dict__")
        return {}

    def __len__(self):
        CALLED.append("__len__")
        return 0

    def __iter__(self):
        CALLED.append("__iter__")
        return iter(())

    def __hash__(self):
        CALLED.append("__hash__")
        return 1

    def __eq__(self, other):
        CALLED.append("__eq__")
        return True


class TrapDict(dict):
    __repr__ = Trap.__repr__

    def keys(self):
        CALLED.append("keys")
        return []

    items = values = __iter__ = keys


def named(name):
    return type(name, (object,), {})


def nest(inner, around):
    for _ in range(10 ** 4):
        inner = around(inner)
    return inner


def unnest(outer):
    """Lets go of what is nested so deep that letting go of it all would overflow the stack."""
    while outer:
        outer = outer[0]


def hold():
    trap, trap_dict = Trap(), TrapDict(a=1)
    numbers = list(range(MANY))
    row = tuple(numbers)
    text, data = "x" * 10 ** 8, b"y" * 10 ** 8
    big = 1 << 10 ** 7
    deep = nest([], lambda inner: [inner])
    deep_row = nest((), lambda inner: (inner,))
    mapping, bag = dict.fromkeys(numbers), set(numbers)
    emptied_mapping, emptied_bag = dict.fromkeys(numbers), set(numbers)
    for key in range(MANY - 1):
        del emptied_mapping[key]
        emptied_bag.discard(key)
    emptied = [emptied_mapping] * 1000
    circle = {}
    circle["self"] = circle
    circle["list"] = [circle]
    loner = named("Loner")()
    loner.self = loner
    full = named("Full")()
    for number in range(10 ** 4):
        setattr(full, "a%d" % number, number)
    not_a_list = named("list")()
    escapes = named("\x1b[31m" if sys.version_info[0] == 2 else "\x1b[31m\u202e")()
    method = trap.__len__
    del key, number, CALLED[:]
    print("ready")
    sys.stdout.flush()
    sys.stdin.readline()
    called = list(CALLED)
    unnest(deep)
    print(json.dumps(called))
    sys.stdout.flush()
    sys.stdin.read()


hold()
