"""A process that was forked behind Python's back, as some servers do: it has a thread state more than it has threads.

    forked_behind.py

Prints its number, and computes until the process that forked it, which reads standard input, ends.
"""
import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
library = ctypes.PyDLL(None)


def busy():
    while True:
        sum(range(100))


thread = threading.Thread(target=time.sleep, args=(3600,))
thread.daemon = True
thread.start()
child = library.fork()
if child == 0:
    library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    busy()
print(child)
sys.stdout.flush()
sys.stdin.read()
os._exit(0)
