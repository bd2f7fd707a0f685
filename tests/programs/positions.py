# -*- coding: utf-8 -*-
"""A stack of calls in many places of a line, and what the interpreter itself says of each.

    python positions.py

Prints one line of JSON and holds still until standard input closes:

    {"frames": [{"name": name with its class, "line": n, "position": [end line, column, end column] or null,
                 "shown": lines that Python's own traceback prints under the frame}, ... innermost first]}

Runs on every version from 2.7 on. From 3.11 on positions are known, and "shown" has a line of marks where the
traceback has one. Before that names are written down here, as code objects do not know their classes.
"""
from __future__ import print_function

import json
import linecache
import os
import sys
import traceback

KNOWS_POSITIONS = sys.version_info >= (3, 11)
NAMES = {}


def named(name):
    """Says the qualified name of a function, for versions that do not know it."""
    def decorate(function):
        NAMES[function.__code__] = name
        return function
    return decorate


def position_of(frame):
    if not KNOWS_POSITIONS:
        return None
    return list(frame.f_code.co_positions())[frame.f_lasti // 2]


def shown_of(frame, position):
    path, name, line = frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno
    if not position:
        source = linecache.getline(path, line).strip()
        return [source] if source else []
    summary = traceback.FrameSummary(path, line, name, end_lineno=position[1], colno=position[2],
                                     end_colno=position[3])
    return [text[4:] for text in "".join(traceback.StackSummary.from_list([summary]).format()).splitlines()[1:]]


def report(frame):
    frames = []
    while frame:
        code, position = frame.f_code, position_of(frame)
        name = code.co_qualname if KNOWS_POSITIONS else NAMES.get(code, code.co_name)
        frames.append({"name": name, "line": frame.f_lineno, "position": position and position[1:],
                       "shown": shown_of(frame, position)})
        frame = frame.f_back
    print(json.dumps({"frames": frames}))
    sys.stdout.flush()


def block(*values):
    report(sys._getframe()); sys.stdin.read()
    os._exit(0)


def identity(value):
    return value


class Outer(object):
    class Inner(object):
        @named("Outer.Inner.plain")
        def plain(self):
            return 1 + block(2) * 3

        @property
        @named("Outer.Inner.value")
        def value(self):
            return [self.plain()][0]

        @classmethod
        @named("Outer.Inner.create")
        def create(cls):
            return identity(cls().value)

        @named("Outer.Inner.__private")
        def __private(self):
            captured = lambda: self
            return captured().create().value

        @named("Outer.Inner.start")
        def start(self):
            x = {"a": (1, self.__private(), 3)}
            return x

        @staticmethod
        @named("Outer.Inner.without")
        def without(self):
            return self.start() if self else None


class Derived(Outer.Inner):
    pass


@identity
@named("decorated")
def decorated(argument):
    return identity(
        argument) + identity(Derived.without(Derived(
            )))


def generate():
    for number in range(2):
        yield (number, decorated(number + 1), number)


def comprehend():
    return [value for value in generate() if value]


def wide():
    text = u"名前é"; return text + u"字" + comprehend() + text


def with_tabs():
	return	(1,	wide(),	2)


def hostile():
    return "[31m" + with_tabs() + "‮"


def long_line():
    return ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", hostile(), 1]


call = lambda: (0, long_line())


def main():
    exec(compile("def unknown():\n    call()\nunknown()", "<string>", "exec"), {"call": call})


if __name__ == "__main__":
    main()
