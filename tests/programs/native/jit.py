"""Makes code in memory, names it in /tmp/perf-PID.map as just-in-time compilers do, and spins in it.

    jit.py NAME

Prints "ready" once all is in place, and ends when standard input closes. The file is removed then.
"""
import ctypes
import mmap
import os
import sys
import threading

#: x86-64: a function that makes a frame and counts rdi down, and one that does so by calling it.
INNER = b"\x55\x48\x89\xe5\x48\xff\xcf\x75\xfb\x5d\xc3"
OUTER = b"\x55\x48\x89\xe5\xff\xd6\x5d\xc3"
OUTER_AT = 64


def make_code():
    memory = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
                       prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory[:len(INNER)] = INNER
    memory[OUTER_AT:OUTER_AT + len(OUTER)] = OUTER
    return memory, ctypes.addressof(ctypes.c_char.from_buffer(memory))


def main():
    kept, address = make_code()
    path = "/tmp/perf-%d.map" % os.getpid()
    with open(path, "w") as names:
        names.write("%x %x %s_inner\n" % (address, len(INNER), sys.argv[1]))
        names.write("%x %x %s outer(int, long)\n" % (address + OUTER_AT, len(OUTER), sys.argv[1]))
    call = ctypes.CFUNCTYPE(None, ctypes.c_long, ctypes.c_void_p)(address + OUTER_AT)

    def spin():
        while True:
            call(100000000, address)

    thread = threading.Thread(target=spin)
    thread.daemon = True
    thread.start()
    print("ready")
    sys.stdout.flush()
    sys.stdin.read()
    os.remove(path)
    os._exit(0)


if __name__ == "__main__":
    main()
