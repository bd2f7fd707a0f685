"""One thread computes, and another one starts programs all the time and waits for each, until standard input closes.

Prints "ready" first, and at the end how many programs there were, and how many of them did not end with status 0.
"""
import os
import sys
import threading

counts = [0, 0]
is_over = threading.Event()


def spawn():
    """posix_spawn() of glibc waits for its child like vfork()."""
    while not is_over.is_set():
        pid = os.posix_spawn("/bin/true", ["true"], os.environ)
        status = os.waitpid(pid, 0)[1]
        counts[0] += 1
        counts[1] += status != 0


def work():
    while not is_over.is_set():
        sum(range(1000))


def main():
    threads = [threading.Thread(target=function) for function in (spawn, work)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join()
    print(*counts)


if __name__ == "__main__":
    main()
