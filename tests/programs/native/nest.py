"""Python and C functions take turns, and the innermost one, in C, says on which stack it is and stays there.

    nest.py LIBRARY gil|free spin|sleep main|thread

LIBRARY is made of nest.c. gil: the GIL is held in its functions. Prints one line of JSON: "python", the functions of this
file and of the library, outermost first, and "c", the C stack as glibc sees it, innermost first. Ends when standard
input closes.
"""
import ctypes
import json
import sys
import threading

#: What has been called and has not returned, outermost first. Each function enters itself, and what it calls.
trail = []
kept = []  # callbacks, which C code does not keep alive


def callback(function):
    made = prototype(function)
    kept.append(made)
    return made


def alpha():
    trail.extend(["alpha", "nest_a"])
    return library.nest_a(callback(beta), 0)


def beta(depth):
    trail.extend(["beta", "gamma"])
    return gamma()


def gamma():
    """Called by Python: from 3.11 on that needs no C function."""
    trail.extend(["nest_c"] * 4)
    return library.nest_c(callback(delta), 3)


def delta(depth):
    trail.append("delta")
    return sum(value for value in epsilon())


def epsilon():
    """A generator, called by a generator, called by sum()."""
    trail.extend(["<genexpr>", "epsilon"])
    yield sorted([1], key=zeta)[0]


def zeta(value):
    trail.extend(["zeta", "Eta.__init__"])
    return Eta().value


class Eta(object):
    def __init__(self):
        trail.append("nest_b")
        self.value = library.nest_b(callback(theta), 1)

    def __len__(self):
        """Called by len(), through a slot."""
        trail.append("__len__")
        return leave()


def theta(depth):
    trail.append("theta")
    return iota(depth, *(), **{"step": 4})


def iota(number, step):
    """Calls itself through C and Python in turns."""
    trail.append("iota")
    if step == 0:
        return len(Eta.__new__(Eta))
    if step % 2:
        return iota(number, step - 1)
    trail.append("<lambda>")
    return list(map(lambda value: iota(value, step - 1), [number]))[0]


def leave():
    trail.extend(["leave", leaf.__name__])
    words = json.dumps([name.split(".")[-1] for name in trail])
    return leaf(words.encode())


def main():
    global library, prototype, leaf
    path, lock, ending, place = sys.argv[1:]
    library = (ctypes.PyDLL if lock == "gil" else ctypes.CDLL)(path)
    prototype = (ctypes.PYFUNCTYPE if lock == "gil" else ctypes.CFUNCTYPE)(ctypes.c_int, ctypes.c_int)
    leaf = library.nest_spin if ending == "spin" else library.nest_sleep
    if library.nest_begin() != 0:
        sys.exit("cannot begin")
    if place == "main":
        alpha()
    else:
        thread = threading.Thread(target=alpha, name="nested")
        thread.start()
        thread.join()


if __name__ == "__main__":
    main()
