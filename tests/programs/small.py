# -*- coding: utf-8 -*-
"""A few small stacks that have everything once, for images of memory: see tests/images.

Methods, a recursion, a generator, a coroutine, a call through C code, a closure, and names in each width of characters.
"""
import functools
import sys
import threading

import oracle


class Box(object):
    """A class, for qualified names; it calls itself, then a generator, and that one, by way of C code, a closure."""

    def open(self, depth):
        if depth:
            return self.open(depth - 1)
        return next([each] for each in Box.look(self))

    @staticmethod
    def look(box):
        def closure(a, b):
            return oracle.block(None)

        yield functools.reduce(closure, [1, 2])


@oracle.case
def calls():
    Box().open(2)


COROUTINE = '''
async def inner():
    return oracle.block()


async def outer():
    return await inner()

coroutine = outer()
try:
    coroutine.send(None)
except StopIteration:
    pass
'''

NAMES = u'''
def größe(): return oracle.block()

def функция():
    return größe()

class \U00010400\U00010401:
    def method(self): return (
        функция()
    )

threading.current_thread().name = "нить"
\U00010400\U00010401().method()
'''


def run(source, filename):
    exec(compile(source, filename, "exec"), {"oracle": oracle, "threading": threading})


if sys.version_info >= (3,):
    @oracle.case
    def coroutine():
        run(COROUTINE, "größe.py")

    @oracle.case
    def names():
        run(NAMES, u"модуль_\U0001f40d.py")
else:
    @oracle.case
    def unicode_name():
        # Python 2 makes a str of what one asks for.
        setattr(threading.current_thread(), "_Thread__name", u"größe нить \U0001f40d")
        oracle.block()


if __name__ == "__main__":
    oracle.main()
