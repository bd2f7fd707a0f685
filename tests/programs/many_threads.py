# -*- coding: utf-8 -*-
"""Thirty named threads, each at a line of its own, and threads that the threading module does not know."""
import threading

import oracle

try:
    import _thread
except ImportError:
    import thread as _thread

FIRST = 1
LAST = 30


def line_by_number(number):
    """Blocks at a line that depends on `number`: one branch for each."""
    if number == 1:
        oracle.block()
    elif number == 2:
        oracle.block()
    elif number == 3:
        oracle.block()
    elif number == 4:
        oracle.block()
    elif number == 5:
        oracle.block()
    elif number == 6:
        oracle.block()
    elif number == 7:
        oracle.block()
    elif number == 8:
        oracle.block()
    elif number == 9:
        oracle.block()
    else:
        {
            10: lambda: oracle.block(),
            11: lambda: oracle.block(),
            12: lambda: oracle.block(),
            13: lambda: oracle.block(),
            14: lambda: oracle.block(),
            15: lambda: oracle.block(),
            16: lambda: oracle.block(),
            17: lambda: oracle.block(),
            18: lambda: oracle.block(),
            19: lambda: oracle.block(),
            20: lambda: oracle.block(),
            21: lambda: oracle.block(),
            22: lambda: oracle.block(),
            23: lambda: oracle.block(),
            24: lambda: oracle.block(),
            25: lambda: oracle.block(),
            26: lambda: oracle.block(),
            27: lambda: oracle.block(),
            28: lambda: oracle.block(),
            29: lambda: oracle.block(),
            30: lambda: oracle.block(),
        }[number]()


def thread_name(number):
    """Plain, long, non-ASCII and odd names in turn."""
    odd = {5: "Grüße", 6: "поток шесть", 7: "スレッド", 8: "𝓣hread", 9: "a;b (c:1)", 10: "n" * 300, 11: "two\nlines"}
    return odd.get(number, "thread number %d" % number)


@oracle.case(threads=LAST - FIRST + 2)
def thirty():
    threads = [
        threading.Thread(target=line_by_number, args=(number,), name=thread_name(number))
        for number in range(FIRST, LAST + 1)
    ]
    for thread in threads:
        thread.start()
    oracle.block()
    for thread in threads:
        thread.join()


@oracle.case(threads=4)
def without_threading_module():
    ended = _thread.allocate_lock()
    ended.acquire()
    left = [1, 2, 3]

    def unnamed(number):
        line_by_number(number)
        left.remove(number)
        if not left:
            ended.release()

    for number in tuple(left):
        _thread.start_new_thread(unnamed, (number,))
    oracle.block()
    ended.acquire()


@oracle.case(threads=2)
def renamed():
    def rename():
        threading.current_thread().name = "after"
        oracle.block()

    thread = threading.Thread(target=rename, name="before")
    thread.start()
    oracle.block()
    thread.join()


@oracle.case(threads=2)
def subclass_and_daemon():
    class Worker(threading.Thread):
        def run(self):
            oracle.block()

    worker = Worker(name="a daemon")
    worker.daemon = True
    worker.start()
    oracle.block()
    worker.join()


@oracle.case(threads=3)
def churned():
    """Threads that have come and gone before leave nothing behind."""
    for _ in range(50):
        thread = threading.Thread(target=len, args=("",))
        thread.start()
        thread.join()
    workers = [threading.Thread(target=oracle.block, name="survivor %d" % index) for index in range(2)]
    for worker in workers:
        worker.start()
    oracle.block()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    oracle.main()
