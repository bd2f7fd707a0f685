"""Makes children, until standard input closes.

    children.py fork COUNT           busy ones that were only forked
    children.py exec COUNT           busy ones that run this program anew
    children.py late                 a shell that sleeps a while and then execs Python
    children.py reuse                one after another with the same number; needs a pid namespace of its own
    children.py storm EACH_SECOND    short ones, a Python and a shell in turn

Prints "ready" first, and the number of each child as it is made. Children end with their parent, whatever ends that.
"""
import os
import select
import subprocess
import sys
import time

import oracle

SHORT_SECONDS = 0.05
LATE_SECONDS = 1.5
parent = os.getpid()


def tell(text):
    print(text)
    sys.stdout.flush()


def is_over():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def spin():
    return sum(range(100))


def work(parent_number):
    while os.getppid() == parent_number:
        spin()


def work_first(parent_number):
    work(parent_number)


def work_second(parent_number):
    work(parent_number)


def work_shortly(parent_number):
    end = oracle.clock() + SHORT_SECONDS
    while oracle.clock() < end and os.getppid() == parent_number:
        spin()


def fork(function):
    pid = os.fork()
    if pid == 0:
        function(parent)
        os._exit(0)
    tell(pid)
    return pid


def run(*words):
    child = subprocess.Popen(words)
    tell(child.pid)
    return child


def run_worker():
    return run(sys.executable, __file__, "work", str(parent))


def wait():
    sys.stdin.read()


def make_late():
    run("sh", "-c", 'sleep %s; exec "$@"' % LATE_SECONDS, "sh", sys.executable, __file__, "work", str(parent))


def end_child(pid):
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def reuse_number():
    """Linux Documentation/admin-guide/sysctl/kernel.rst, ns_last_pid: the number before that of the next process."""
    first = fork(work_first)
    sys.stdin.readline()
    end_child(first)
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(first - 1))
    fork(work_second)


def storm(each_second):
    children = []
    while not is_over():
        if len(children) % 2:
            children.append(run("sh", "-c", "exit 0").pid)
        else:
            children.append(fork(work_shortly))
        time.sleep(1.0 / each_second)
        try:
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        except OSError:
            pass


def main(kind, number=0):
    if kind == "work":
        return work(number)
    tell("ready")
    if kind == "storm":
        return storm(number)
    if kind == "reuse":
        reuse_number()
    if kind == "late":
        make_late()
    for _ in range(number):
        fork(work) if kind == "fork" else run_worker()
    wait()


if __name__ == "__main__":
    main(sys.argv[1], *[int(word) for word in sys.argv[2:]])
