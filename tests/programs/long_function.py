"""Threads blocked at several lines of one function of 12,000 lines, from a real file."""
import importlib.util
import os
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
            yield from ("    if stop == %d: value += oracle.block(" % number, "        1", "    )")
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
    specification = importlib.util.spec_from_file_location("twelve_thousand_lines", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def stop_case(stop, function):
    def run():
        return function(stop)

    run.__name__ = "stop_at_line_%d" % stop
    oracle.case(run)


def main():
    with tempfile.TemporaryDirectory() as folder:
        function = load(folder).long
        for stop in STOPS:
            stop_case(stop, function)
        oracle.main()


if __name__ == "__main__":
    main()
