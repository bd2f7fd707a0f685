"""Threads blocked in lazy imports and in comprehensions that unpack. Needs Python 3.15."""
import os
import shutil
import sys
import tempfile

import oracle

lazy import imported_at_first_use
lazy from imported_by_name import VALUE

MODULES = ("imported_at_first_use", "imported_by_name")
SOURCE = """\
import oracle


VALUE = oracle.block(
    1
)
"""


@oracle.case
def lazy_import():
    return (
        imported_at_first_use
        .VALUE
    )


@oracle.case
def lazy_from_import():
    return [
        1,
        VALUE,
    ]


@oracle.case
def unpacking_list():
    return [
        *oracle.block([value])
        for value in range(1)
    ]


@oracle.case
def unpacking_set():
    return {
        *values for values in [
            [1],
            oracle.block([2]),
        ]
    }


@oracle.case
def unpacking_dict():
    return {
        **oracle.block({value: value})
        for value in range(1)
    }


@oracle.case
def unpacking_generator():
    return list(
        *oracle.block([value])
        for value in range(1)
    )


@oracle.case
def unpacked_generators():
    def generator():
        yield 1
        yield oracle.block(2)

    return list((
        *each
        for each in [generator()]
    ))


if __name__ == "__main__":
    folder = tempfile.mkdtemp()
    try:
        for name in MODULES:
            with open(os.path.join(folder, name + ".py"), "w") as source:
                source.write(SOURCE)
        sys.path.insert(0, folder)
        oracle.main()
    finally:
        shutil.rmtree(folder)
