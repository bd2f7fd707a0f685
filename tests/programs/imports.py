"""Threads blocked in the middle of an import: a module, a package in a package, and one that waits for another.

Needs Python 3: before, one lock lets one import at a time happen.
"""
import importlib
import os
import sys
import tempfile
import threading

import oracle

FILES = {
    "plain_module.py": """\
        import oracle

        VALUE = oracle.block(
            1
        )
        """,
    "outer_package/__init__.py": """\
        first = 1
        from . import inner_package
        """,
    "outer_package/inner_package/__init__.py": """\
        import importlib

        leaf = importlib.import_module(
            ".leaf",
            __name__,
        )
        """,
    "outer_package/inner_package/leaf.py": """\
        import oracle


        class Body:
            oracle.block()
        """,
    "contended.py": """\
        import oracle

        reached = True
        oracle.block()
        """,
    "lazy.py": """\
        import oracle


        def __getattr__(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return oracle.block(name)
        """,
    "from_module.py": """\
        from lazy import (
            anything,
        )
        """,
    "reloaded.py": """\
        import sys

        import oracle

        if "reloading" in globals():
            oracle.block()
        reloading = True
        """,
}


@oracle.case
def plain_import():
    import plain_module
    return plain_module


@oracle.case
def nested_packages():
    import outer_package.inner_package.leaf
    return outer_package


@oracle.case(since=(3, 7))
def from_import():
    from from_module import \
        anything
    return anything


@oracle.case(threads=2)
def waits_for_other_import():
    """Comes second, and waits in the import system until the thread that came first has imported."""
    first = threading.Thread(target=lambda: __import__(
        "contended"
    ), name="comes first")
    first.start()
    oracle.wait_for(lambda: hasattr(sys.modules.get("contended"), "reached"))
    oracle.announce()
    import contended
    first.join()
    return contended


@oracle.case
def reload():
    module = importlib.import_module("reloaded")
    return importlib.reload(
        module
    )


def write(folder):
    for name, source in FILES.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as module:
            module.writelines(line[8:] or "\n" for line in source.splitlines(keepends=True))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        write(made)
        sys.path.insert(0, made)
        oracle.main()
