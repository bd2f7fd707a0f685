"""Lets signals.c count what comes.

    signals.py LIBRARY computing|sleeping|timer|calls COUNT

Prints "ready" first, and one line of JSON at the end.
"""
import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
count = int(sys.argv[3])
print("ready")
sys.stdout.flush()
if sys.argv[2] == "timer":
    sys.exit(library.signals_timer(count))
elif sys.argv[2] == "calls":
    sys.exit(library.signals_calls(count))
else:
    sys.exit(library.signals_queued(count, sys.argv[2] == "sleeping"))
