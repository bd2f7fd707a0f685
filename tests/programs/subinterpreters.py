"""Threads whose calls go through several interpreters of one process, and rest in the innermost. Needs Python 3.8.

Each thread goes from the main interpreter into a second and from there into a third one, which has a thread of its own
as well. One chain of interpreters shares the main interpreter's GIL; from 3.12 on, the interpreters of another chain
have a GIL each. Rests until standard input closes.

An interpreter does not see the others' frames, so each part of a stack is written down by who owns it. Prints what
oracle.py prints, with the number of the interpreter for each part; the main thread is the reporter.
"""
import json
import os
import sys
import threading

import oracle

try:
    import _interpreters as api
except ImportError:
    import _xxsubinterpreters as api

DEPTH = 2
#: Parts of a chain's stacks: one for each interpreter, and the innermost one's own thread.
PARTS = DEPTH + 2
SCRIPT = """\
import sys
sys.path.insert(0, {folder!r})
import subinterpreters

subinterpreters.descend({depth}, {kind!r}, {writer}, {gate})
"""


def create(kind):
    """A new interpreter, which is "legacy" (shares the GIL) or "isolated". To 3.12 it lives as long as what is returned."""
    if api.__name__ == "_interpreters":
        return api.create(kind)
    return api.create(isolated=kind == "isolated") if sys.version_info >= (3, 9) else api.create()


def current():
    number = api.get_current()
    return int(number[0] if isinstance(number, tuple) else number)


def tell(writer):
    """Writes down the caller's stack. What rests in the line that calls us is found in that very line."""
    part = {
        "interpreter": current(),
        "ident": threading.get_ident(),
        "name": threading.current_thread().name,
        "native_id": oracle.get_native_id(),
        "frames": oracle.stack_of(sys._getframe(1)),
    }
    part["frames"][0][-1] = "other"
    os.write(writer, json.dumps(part).encode() + b"\n")


def rest(writer, gate):
    tell(writer), os.read(gate, 1)


def descend(depth, kind, writer, gate):
    if depth == 0:
        thread = threading.Thread(target=rest, args=(writer, gate), name="inside")
        thread.start()
        rest(writer, gate)
        thread.join()
        return
    interpreter = create(kind)
    script = SCRIPT.format(folder=os.path.dirname(os.path.abspath(__file__)), depth=depth - 1, kind=kind,
                           writer=writer, gate=gate)
    tell(writer), api.run_string(interpreter, script)
    api.destroy(interpreter)


def parts_from(reader, count):
    """What `count` calls of tell() have written."""
    written = b""
    while written.count(b"\n") < count:
        written += os.read(reader, 1 << 16)
    return [json.loads(line) for line in written.decode().splitlines()]


def main():
    kinds = ["legacy"] + ["isolated"] * (sys.version_info >= (3, 12))
    reader, writer = os.pipe()
    gate, opened = os.pipe()
    threads = [threading.Thread(target=descend, args=(DEPTH, kind, writer, gate), name=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    parts = parts_from(reader, PARTS * len(kinds))
    oracle.wait_for(lambda: oracle.asleep([part["native_id"] for part in parts]))
    oracle.say(json.dumps({"ready": True, "pid": os.getpid(), "reporter": threading.get_ident(), "threads": parts}))
    sys.stdin.read()
    os.close(opened)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
