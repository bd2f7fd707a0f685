# -*- coding: utf-8 -*-
"""Functions whose arguments and locals are of all kinds, for any Python.

Prints {function: {variable: [is it an argument, value]}} as JSON, then waits. A value is the interpreter's own repr();
but where that says nothing but the class and the address, or is the program's own, it is what `pyspyc dump` says instead.
"""
from __future__ import print_function

import collections
import datetime
import json
import math
import re
import sys

ANSWER = {}
PYTHON_2 = sys.version_info[0] == 2
if not PYTHON_2:
    unichr, xrange, long = chr, range, int


def attributes(names_and_values):
    """An object's attributes, of which those that are such objects themselves are not gone into."""
    return ", ".join("%s=%s" % (name, object.__repr__(value) if isinstance(value, Plain) else repr(value))
                     for name, value in names_and_values)


def shown(value, texts):
    """How a variable is shown: by its repr(), unless the function says otherwise."""
    for known, text in texts:
        if known is value:
            return text
    return repr(value)


def note(frame, arguments=(), texts=()):
    """Keeps what the interpreter says of a frame's variables; `texts` are what it would say otherwise."""
    variables = dict(frame.f_locals)
    variables.pop("texts", None)
    ANSWER[frame.f_code.co_name] = {name: [name in arguments, shown(value, texts)] for name, value in variables.items()}


class Plain(object):
    def method(self):
        pass

    @classmethod
    def of_class(cls):
        pass

    @staticmethod
    def static():
        pass


class Old:
    def method(self):
        pass


class Base(object):
    __slots__ = ("first", "second")


class Slotted(Base):
    __slots__ = ("third",)


class Mixed(Base):
    pass


class Integer(int):
    pass


class Text(str):
    pass


class List(list):
    pass


class Tuple(tuple):
    pass


class Dict(dict):
    pass


class Set(set):
    pass


class Error(ValueError):
    pass


class LoudError(ValueError):
    def __repr__(self):
        return "loud"


class LoudList(list):
    def __repr__(self):
        return "loud"


class LoudInteger(int):
    def __repr__(self):
        return "loud"


Point = collections.namedtuple("Point", "x y")


class Spot(Point):
    pass


def numbers(small, negative=-7, *rest, **more):
    zero, one, big, huge = 0, 1, 2 ** 30, 2 ** 64 + 1
    below, power, negative_huge = 2 ** 30 - 1, 10 ** 60, -(10 ** 40) - 3
    longs = [long(5), long(-5), long(0), 2 ** 62, 2 ** 63, -2 ** 63, -2 ** 63 - 1, 2 ** 31, -2 ** 31, 10 ** 9, 10 ** 18]
    powers = list(map(lambda n: (-3) ** n, xrange(50)))
    thousand_digits = 7 ** 1200
    four_thousand_digits = 10 ** 4200 + 1
    truths = [True, False, None, NotImplemented]
    dots = Ellipsis
    integer = Integer(12)
    note(sys._getframe(), ("small", "negative", "rest", "more"))
    return floats()


def floats():
    some = [0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1e22, 1e23, 5e-324, 2.0 ** -44,
            1.7976931348623157e308, float("inf"), -float("inf"), float("nan"), 1 / 3.0, 100.0, 9007199254740993.0]
    powers = list(map(lambda n: 2.0 ** n, xrange(-1074, 1024, 7)))
    roots = list(map(lambda n: math.sqrt(n) * 10.0 ** (n % 40 - 20), xrange(300)))
    complexes = [1 + 2j, 2j, -2j, 1 - 2.5j, complex(0.0, -0.0), complex(-0.0, 1), 1e20 + 1e-7j,
                 complex(float("nan"), float("inf"))]
    note(sys._getframe())
    return texts("it", "two")


def texts(argument, another="default"):
    empty, plain, quote, double, both = "", "plain", "it's", 'say "no"', "'\""
    escapes = "tab\tnewline\nreturn\rback\\slash\x00\x1b\x7f"
    latin, wide, astral = u"caf\xe9 \xa0\xad", u"\u0444\u0443\u043d \u200b\u2028\ufeff\ud800", u"\U0001f600 \U000e0041"
    letters = u"".join(map(unichr, xrange(0x20, 0x500)))
    data, data_quote, all_bytes = b"bytes", b"it's", bytes(bytearray(xrange(256)))
    array, empty_array = bytearray(b"abc\xff'"), bytearray()
    text = Text("subclass")
    note(sys._getframe(), ("argument", "another"))
    return containers([1, 2], {})


def containers(items, mapping):
    empty = [[], (), {}, set(), frozenset()]
    nested = [1, [2, (3, {4: [5]})], {"a": {"b": ("c",)}}]
    one, two = (1,), (1, 2)
    longs = list(xrange(500))
    combined = {"x": 1, 2: "y", (3, 4): None, 1.5: b"z"}
    removed = dict.fromkeys(xrange(20))
    for key in xrange(0, 20, 3):
        del removed[key]
    large = dict(zip(map(str, xrange(300)), xrange(300)))
    sets = [{1}, {"a", "b", 3}, frozenset([1, 2]), set(xrange(40))]
    sparse = set(xrange(100))
    for key in xrange(2, 100):
        sparse.discard(key)
    bag = Plain()
    bag.b, bag.a, bag.c = 1, "two", [3]
    split = bag.__dict__
    del bag
    subclasses = [List([1]), Tuple((1, 2)), Dict(a=1), Set([1])]
    tuples = [Point(1, "y"), Spot([], {})]
    circle = [1]
    circle.append(circle)
    ring = {"self": None}
    ring["self"] = ring
    knot = ([],)
    knot[0].append(knot)
    deep = []
    for _ in xrange(15):
        deep = [deep]
    ranges = [xrange(5), xrange(2, 10), xrange(10, 0, -3), slice(1, None, 2)]
    note(sys._getframe(), ("items", "mapping"))
    return more_containers()


def more_containers():
    made = []
    if not PYTHON_2:
        made = [collections.deque([1, 2]), collections.deque(xrange(200), 150), collections.deque(),
                collections.defaultdict(list, {1: [2]}), collections.defaultdict(None),
                collections.OrderedDict([("a", 1), ("b", 2)]), collections.OrderedDict()]
        made[0].rotate(1)
    if sys.version_info >= (3, 15):
        made += [frozendict(a=1), frozendict()]
    note(sys._getframe())
    return times()


def times():
    dates = [datetime.date(2024, 2, 29), datetime.date.min]
    moments = [datetime.datetime(2024, 2, 29), datetime.datetime(1, 2, 3, 4, 5, 6, 7), datetime.datetime(1, 2, 3, 4, 5, 6),
               datetime.datetime(1, 2, 3, 4, 5, 0, 7), datetime.time(), datetime.time(1, 2, 3), datetime.time(1, 2, 0, 4)]
    spans = [datetime.timedelta(0), datetime.timedelta(5), datetime.timedelta(0, 1), datetime.timedelta(-1, 2, 3),
             datetime.timedelta(0, 0, 4), datetime.timedelta(1, 0, 4)]
    zones = []
    if not PYTHON_2:
        hour = datetime.timedelta(0, 3600)
        zones = [datetime.timezone.utc, datetime.timezone(hour), datetime.timezone(-hour, "X"),
                 datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), datetime.time(1, tzinfo=datetime.timezone(hour)),
                 datetime.datetime(2024, 2, 29, 1, 30, fold=1), datetime.time(2, fold=1)]
        del hour
    note(sys._getframe())
    return code()


def code():
    functions = [code, len, Plain.static, lambda: 0]
    methods = [[].append, "".join]
    if not PYTHON_2:
        methods.append({}.get)
    modules = [sys, math, json, datetime, collections]
    classes = [int, Plain, Old, collections.OrderedDict, datetime.date, ValueError, Point]
    codes = [code.__code__]
    generators = [(n for n in ())] if not PYTHON_2 else []
    errors = [ValueError("x"), ValueError(), KeyError("a", 1), Error(1, "two"), OSError(2, "no")]
    note(sys._getframe())
    return objects()


def objects():
    bare, full, shared = Plain(), Plain(), Plain()
    full.name, full.other, full.items = "n", bare, [1, "two"]
    shared.z, shared.name = 1, 2
    slotted, half, mixed = Slotted(), Slotted(), Mixed()
    slotted.first, slotted.second, slotted.third = 1, "b", None
    half.third = 3
    mixed.second, mixed.extra = 2, 3
    old, old_bare = Old(), Old()
    old.a = 1
    loud, loud_integer, loud_error = LoudList([1, 2]), LoudInteger(3), LoudError("x")
    loud.mark = "m"
    integer = Integer(5)
    integer.unit = "m"
    in_list = [full]
    bound = full.method
    texts = [(full, "<__main__.Plain %s>" % attributes([("name", "n"), ("other", bare), ("items", [1, "two"])])),
             (shared, "<__main__.Plain z=1, name=2>"),
             (slotted, "<__main__.Slotted first=1, second='b', third=None>"),
             (half, "<__main__.Slotted third=3>"),
             (mixed, "<__main__.Mixed second=2, extra=3>"),
             (old, "<__main__.Old a=1>"),
             (loud, "<__main__.LoudList [1, 2], mark='m'>"), (loud_integer, "<__main__.LoudInteger 3>"),
             (loud_error, "<__main__.LoudError LoudError('x')>" if sys.version_info >= (3, 7)
              else "<__main__.LoudError LoudError('x',)>")]
    texts.append((in_list, "[%s]" % texts[0][1]))
    if PYTHON_2:
        # The order of a dict is its table's.
        texts[0] = (full, "<__main__.Plain %s>" % attributes(full.__dict__.items()))
        texts[1] = (shared, "<__main__.Plain %s>" % attributes(shared.__dict__.items()))
        texts[-1] = (in_list, "[%s]" % texts[0][1])
        texts.append((bound, "<instancemethod object at %#x>" % id(bound)))
    note(sys._getframe(), (), texts)
    del texts
    return enums()


def enums():
    members, data = [], None
    if not PYTHON_2:
        import enum

        class Color(enum.Enum):
            RED = 1
            BLUE = "b"

        class Number(enum.IntEnum):
            ONE = 1

        class Permission(enum.Flag):
            READ = 1
            WRITE = 2

        members = [Color.RED, Color.BLUE, Number.ONE, Permission.READ, Color]
        if sys.version_info >= (3, 11):
            members += [Permission.READ | Permission.WRITE, Permission(0)]
    if sys.version_info >= (3, 7):
        import dataclasses
        Order = dataclasses.make_dataclass("Order", [("id", int), ("items", list), (
            "secret", str, dataclasses.field(default="s", repr=False))])
        Derived = dataclasses.make_dataclass("Derived", [("more", object, None)], bases=(Order,))
        Frozen = dataclasses.make_dataclass("Frozen", [("x", int)], frozen=True)
        data = [Order(1, ["a"]), Derived(2, [], more=Order(3, [])), Frozen(5)]
        data[1].items.append(data[1])
        data[0].added = 5
    if sys.version_info >= (3, 10):
        Slotted = dataclasses.make_dataclass("Slotted", [("x", int), ("y", int)], slots=True)
        data.append(Slotted(1, 2))
    note(sys._getframe())
    return closures("captured", [1])


def closures(captured, also, unused=None):
    cell, unset = 5, None

    def inner(own):
        def innermost():
            return captured, cell, also, own
        local = captured, cell
        note(sys._getframe(), ("own",))
        return generator_holder()
    del unset
    note(sys._getframe(), ("captured", "also", "unused"))
    return inner("o")


def generator(start):
    value = start + 1
    note(sys._getframe(), ("start",))
    yield next_part()
    return


def generator_holder():
    run = generator(6)
    note(sys._getframe(), (), [(run, repr(run) if not PYTHON_2 else "<generator object at %#x>" % id(run))])
    return list(run)


def next_part():
    part = arrays if PYTHON_2 else keywords
    note(sys._getframe())
    return arrays() if PYTHON_2 else keywords(1, 2, b=3, e=4)


if not PYTHON_2:
    exec("""
def keywords(a, *c, b, d=9, **e):
    x = a + b
    note(sys._getframe(), ("a", "b", "c", "d", "e"))
    return arrays()
""")


def arrays():
    scalars, grid, line, point, bits = [], None, None, None, None
    texts = []
    try:
        import numpy
    except ImportError:
        numpy = None
    if numpy:
        scalars = [numpy.float64(0.1), numpy.float32(0.1), numpy.float16(0.1), numpy.float32(1e-4), numpy.float32(1e20),
                   numpy.float16(65504), numpy.int8(-3), numpy.uint8(200), numpy.int16(-300), numpy.uint16(60000),
                   numpy.int32(-70000), numpy.uint32(4000000000), numpy.int64(-2 ** 62), numpy.uint64(2 ** 63),
                   numpy.bool_(True), numpy.complex64(1 + 2.5j), numpy.complex128(1 + 2.5j), numpy.str_("s"),
                   numpy.bytes_(b"b"), numpy.longlong(5)]
        grid, line = numpy.zeros((3, 4), dtype="float32"), numpy.arange(5)
        point, bits = numpy.array(1.5), numpy.array([True])
        texts = [(scalars, "[%s]" % ", ".join(re.sub(r"^np\.\w+\((.*)\)$", r"\1", repr(value)) for value in scalars)),
                 (grid, "<numpy.ndarray shape=(3, 4) dtype=float32>"), (line, "<numpy.ndarray shape=(5,) dtype=int64>"),
                 (point, "<numpy.ndarray shape=() dtype=float64>"), (bits, "<numpy.ndarray shape=(1,) dtype=bool>")]
    note(sys._getframe(), (), texts)
    del texts
    return wait()


def wait():
    print(json.dumps(ANSWER))
    sys.stdout.flush()
    sys.stdin.read()


numbers(1, -7, "rest", 2.5, more=[True])
