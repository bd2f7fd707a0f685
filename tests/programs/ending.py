"""Ends in a chosen way.

    ending.py exit N        with status N
    ending.py signal N      by signal N
    ending.py fast          at once, by os._exit(0)
    ending.py echo WORD...  copies standard input to standard output, says its WORDs on standard error, status 3

`exit` and `signal` compute for a moment before (or, as `exit N SECONDS`, for that long).
"""
import os
import resource
import signal
import sys
import time


def work(seconds, clock=getattr(time, "perf_counter", time.time)):
    deadline = clock() + seconds
    while clock() < deadline:
        pass


def echo(words):
    sys.stdout.write(sys.stdin.read())
    sys.stderr.write("\n".join(words))
    return 3


def main(kind, *words):
    if kind == "fast":
        os._exit(0)
    if kind == "echo":
        sys.exit(echo(words))
    work(float(words[1]) if len(words) > 1 else 0.2)
    if kind == "exit":
        sys.exit(int(words[0]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(int(words[0]), signal.SIG_DFL) if int(words[0]) not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), int(words[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
