"""A main thread blocked in the search for a module: alone, because newer versions hold the import lock meanwhile."""
import sys
import types

import oracle


class BlockingFinder(object):
    """Blocks in the search for a module."""

    PATH = "a path that only this finder takes"

    def __init__(self, path):
        if path != self.PATH:
            raise ImportError(path)

    def find_spec(self, name, target=None):
        if name != "found_by_nobody_else":
            return None
        oracle.block()
        from importlib.machinery import ModuleSpec
        return ModuleSpec(name, self)

    def create_module(self, specification):
        return None

    def exec_module(self, module):
        module.value = 1

    def find_module(self, name, path=None):
        """Python 2's find_spec(), and load_module() its create_module() and exec_module()."""
        if name != "found_by_nobody_else":
            return None
        oracle.block()
        return self

    def load_module(self, name):
        return sys.modules.setdefault(name, types.ModuleType(name))


def in_main_thread():
    sys.path_hooks.append(BlockingFinder)
    sys.path.append(BlockingFinder.PATH)
    import found_by_nobody_else
    return found_by_nobody_else


if __name__ == "__main__":
    oracle.main(in_main_thread)
