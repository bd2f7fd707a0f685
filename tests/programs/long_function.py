"""Threads blocked at several lines of one function of 12,000 lines, from a real file."""
import os
import shutil
import tempfile

import oracle

LINES = 12000
STOPS = (3, 130, 258, 4097, 8191, LINES - 1)


def source_lines():
    """A function of LINES lines: simple statements, empty lines and, at the stops, a call over three lines."""
    yield "import oracle"
    yield "def long(stop, value=0):"
    number = 2
    while number < LINES:
        number += 1
        if number in STOPS:
            yield "    if stop == %d: value += oracle.block(" % number
            yield "        1"
            yield "    )"
            number += 2
        elif number % 7:
            yield "    value += %d + (value & %d)" % (number, number % 3)
        else:
            yield ""
    yield "    return value"


def load(folder):
    path = os.path.join(folder, "twelve_thousand_lines.py")
    with open(path, "w") as source:
        source.write("\n".join(source_lines()) + "\n")
    namespace = {}
    with open(path) as source:
        exec(compile(source.read(), path, "exec"), namespace)
    return namespace["long"]


def stop_case(stop, function):
    def run():
        return function(stop)

    run.__name__ = "stop_at_line_%d" % stop
    oracle.case(run)


def main():
    folder = tempfile.mkdtemp()
    try:
        function = load(folder)
        for stop in STOPS:
            stop_case(stop, function)
        oracle.main()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
