# -*- coding: utf-8 -*-
"""Programs that know their own stacks, under every Python from 2.7 on.

An oracle program blocks threads at known places, writes down the stack of every thread as the interpreter itself
sees it, and holds still until its standard input closes. Whoever reads the stacks from outside must see the same.

A program is a set of cases. Each case runs in a thread of its own, named after it, and ends up in block():

    import oracle

    @oracle.case
    def list_in_list():
        return [[oracle.block() for _ in "a"] for _ in "b"]

    if __name__ == "__main__":
        oracle.main()

`python program.py` runs all cases, `python program.py NAME ...` some of them, `python program.py --list` names them.
A case that needs a newer Python than its program does says so: @oracle.case(since=(3, 4)). Newer syntax has a program
of its own.

When everything is in place one line of JSON goes to standard output:

    {"ready": true, "pid": 1, "python": "3.11.2", "implementation": "cpython", "reporter": IDENT,
     "threads": [{"ident": IDENT, "name": "MainThread", "native_id": TID,
                  "frames": [[filename, name, line, method, piece], ... innermost first]}, ...]}

The name is the qualified one from 3.11 on. Before, it is the plain one, and `method` is the qualified name of a method
where that is certain, else null. `piece` is [end line, column, end column] of the expression that is evaluated, null
before 3.11, and "other" where that is not what will be found. The thread "reporter" takes the stacks, so it cannot write down its own; everybody else's is there.
"""
from __future__ import print_function

import codecs
import collections
import functools
import itertools
import json
import os
import platform
import sys
import threading
import time
import traceback
import types

try:
    from _thread import get_ident
except ImportError:
    from thread import get_ident

DEADLINE_SECONDS = 60
POLL_SECONDS = 0.005
SETTLED_POLLS = 4
CLASS_NAME_BYTES = 127  # what is longer counts as not certain
clock = getattr(time, "monotonic", time.time)
KNOWS_QUALIFIED_NAMES = sys.version_info >= (3, 11)

_gate_reader, _gate_writer = os.pipe()

#: Waits until standard input closes, without a Python frame of its own: call announce() first.
wait = functools.partial(os.read, _gate_reader, 1)

_lock = threading.Lock()
_cases = collections.OrderedDict()
_threads_of_case = {}
_announced = {}
_failures = []


def get_native_id():
    """The kernel's number of the calling thread, which Python itself tells from 3.8 on."""
    return int(os.path.basename(os.readlink("/proc/thread-self")))


def case(function=None, threads=1, since=(2, 7)):
    """Registers a case; `threads` says how many threads announce themselves in it."""
    if function is None:
        return functools.partial(case, threads=threads, since=since)
    if sys.version_info >= since:
        _cases[function.__name__] = function
        _threads_of_case[function.__name__] = threads
    return function


def announce():
    """Says that the calling thread is about to come to rest."""
    with _lock:
        _announced[get_ident()] = get_native_id()


def block(result=None):
    """Announces the calling thread, blocks it until standard input closes, and returns `result`."""
    announce()
    wait()
    return result


def wait_for(condition):
    """Returns once `condition()` holds, for a case whose threads depend on each other."""
    deadline = clock() + DEADLINE_SECONDS
    while not condition():
        if clock() > deadline:
            raise RuntimeError("not in place in time; threads that announced themselves: %d" % len(_announced))
        time.sleep(POLL_SECONDS)


def say(text):
    """Writes a line to standard output, at once."""
    print(text)
    sys.stdout.flush()


def start_daemon(target, name=None, args=()):
    """Starts a thread that does not keep the program from ending."""
    thread = threading.Thread(target=target, name=name, args=args)
    thread.daemon = True
    thread.start()
    return thread


def main(main_thread=block):
    """Runs the cases, and `main_thread` in the main thread; reports; returns when standard input has closed."""
    if "--list" in sys.argv:
        print("\n".join(_cases))
        return
    names = sys.argv[1:] or list(_cases)
    expected = 1 + sum(_threads_of_case[name] for name in names)
    workers = [threading.Thread(target=_run, args=(_cases[name],), name=name) for name in names]
    reporter = threading.Thread(target=_report, args=(expected,), name="reporter")
    for thread in workers:
        thread.start()
    reporter.start()
    _run(main_thread)
    for thread in workers + [reporter]:
        thread.join()
    if _failures:
        sys.exit(1)


def _run(function):
    try:
        function()
    except BaseException as error:
        traceback.print_exc()
        _failures.append(error)


def _report(expected):
    """The reporter's whole life: wait for rest, print, wait for the end of standard input, open the gate."""
    try:
        wait_for(lambda: _failures or _at_rest(expected))
        if not _failures:
            say(json.dumps(_snapshot()))
            sys.stdin.read()
    except BaseException as error:
        traceback.print_exc()
        _failures.append(error)
    finally:
        os.close(_gate_writer)


def _at_rest(expected):
    """Whether `expected` threads have announced themselves and sleep."""
    with _lock:
        tids = list(_announced.values())
    return len(tids) == expected and asleep(tids)


def asleep(tids):
    """Whether these threads of this process are in their last wait.

    A thread that waits for the GIL or for a CPU would have got both while we slept: so it is one whose count of
    voluntary context switches stays the same over several of our sleeps, and whose state is S.
    """
    before = [_run_state(tid) for tid in tids]
    for _ in range(SETTLED_POLLS):
        time.sleep(POLL_SECONDS)
        if [_run_state(tid) for tid in tids] != before:
            return False
    return all(state == "S" for state, _ in before)


def _run_state(tid):
    """(state letter, voluntary context switches) of a thread of this process."""
    with open("/proc/self/task/%d/status" % tid) as status:
        fields = dict(line.split(":", 1) for line in status)
    return fields["State"].split()[0], int(fields["voluntary_ctxt_switches"])


def _snapshot():
    reporter = get_ident()
    names = dict((thread.ident, thread.name) for thread in threading.enumerate())
    threads = [
        {"ident": ident, "name": text(names.get(ident)), "native_id": _announced.get(ident), "frames": stack_of(frame)}
        for ident, frame in sys._current_frames().items()
        if ident != reporter
    ]
    return {
        "ready": True,
        "pid": os.getpid(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation().lower(),
        "reporter": reporter,
        "threads": threads,
    }


def stack_of(frame):
    """The stack from this frame outwards."""
    stack = []
    while frame is not None:
        code = frame.f_code
        name = code.co_qualname if KNOWS_QUALIFIED_NAMES else code.co_name
        stack.append([text(code.co_filename), text(name), frame.f_lineno, _method_name(frame), _piece(frame)])
        frame = frame.f_back
    return stack


def _piece(frame):
    """[end line, column, end column] of what a frame evaluates, each of them None where the code does not say it."""
    if not hasattr(frame.f_code, "co_positions") or frame.f_lasti < 0:
        return None
    positions = itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    return list(next(positions))[1:]


def text(value):
    """A name as text: in Python 2 names are bytes, UTF-8 by custom; others are shown as escapes."""
    return value.decode("utf-8", "escape bytes") if isinstance(value, bytes) else value


def _escaped(error):
    return u"".join(u"\\x%02x" % byte for byte in bytearray(error.object[error.start:error.end])), error.end


codecs.register_error("escape bytes", _escaped)


def _method_name(frame):
    """The qualified name of the method that a frame runs; None where it is not certain, and from 3.11 on.

    It is certain where the first argument is called `self` or `cls` and the first class of its method resolution order
    that has a function with the frame's very code has it under the function's name.
    """
    code = frame.f_code
    if KNOWS_QUALIFIED_NAMES or not code.co_argcount or code.co_varnames[0] not in ("self", "cls"):
        return None
    first = frame.f_locals.get(code.co_varnames[0])
    # Not isinstance(), which asks the object for its __class__, and that may be code of the case.
    owners = (first.__mro__ if issubclass(type(first), type) else ()) + type(first).__mro__
    for owner in owners:
        for function in _functions_of(owner.__dict__.get(_mangled(code.co_name, owner.__name__))):
            if function.__code__ is code and len(text(owner.__name__).encode("utf-8")) <= CLASS_NAME_BYTES:
                return text(getattr(function, "__qualname__", owner.__name__ + "." + code.co_name))
    return None


def _mangled(name, class_name):
    """The name under which a class keeps a private one."""
    is_private = name.startswith("__") and not name.endswith("__") and class_name.strip("_")
    return "_%s%s" % (class_name.lstrip("_"), name) if is_private else name


def _functions_of(attribute):
    """The functions that an attribute of a class may stand for."""
    functions = (attribute,)
    if type(attribute) is property:
        functions = (attribute.fget, attribute.fset, attribute.fdel)
    elif type(attribute) in (staticmethod, classmethod):
        functions = (attribute.__func__,)
    return [function for function in functions if isinstance(function, types.FunctionType)]
