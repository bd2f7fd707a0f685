"""Threads that wait, each for something else, and are named after it. Prints, as JSON, what they wait for; ends when
standard input does.

    waits.py FOLDER
"""
from __future__ import print_function

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

try:
    import queue
except ImportError:
    import Queue as queue

LONG = 10000
IS_NEW = sys.version_info[0] > 2
folder = sys.argv[1]
facts = {}


def start(name, function, *arguments):
    thread = threading.Thread(target=function, name=name, args=arguments)
    thread.daemon = True
    thread.start()
    return thread


def hold(*locks):
    """A thread that has locks and keeps them."""
    has_them = threading.Event()

    def run():
        for acquire in locks:
            acquire()
        has_them.set()
        time.sleep(LONG)

    start("holder", run)
    has_them.wait()


def wait_with(lock):
    with lock:
        pass


def poll_one(file, events):
    poller = select.poll()
    poller.register(file, events)
    poller.poll(LONG * 1000)


def wait_by_epoll(files):
    poller = select.epoll()
    facts["epoll"]["epoll"] = poller.fileno()
    for file in files:
        poller.register(file, select.EPOLLIN)
    poller.poll(LONG)


def write_until_full():
    """A pipe that nobody reads from."""
    reader, writer = os.pipe()
    facts["write"] = {"fd": writer}
    start("write", os.write, writer, b"x" * (1 << 21))
    return reader


def wait_for_lock_of(path):
    with open(path) as file:
        facts["flock"]["fd"] = file.fileno()
        fcntl.flock(file, fcntl.LOCK_EX)


def start_locks():
    plain, again, shared = threading.Lock(), threading.RLock(), threading.RLock()
    plain.acquire()
    facts["lock"] = {"address": id(plain)}
    start("lock", plain.acquire)
    start("lock-with", wait_with, plain)
    # In Python 2.7 it is made of a plain lock.
    facts["rlock"] = {"address": id(getattr(again, "_RLock__block", again))}
    facts["condition"] = {"address": id(getattr(shared, "_RLock__block", shared))}
    hold(again.acquire, again.acquire, shared.acquire)
    start("rlock", again.acquire)
    start("rlock-with", wait_with, again)
    start("condition", wait_with, threading.Condition(shared))
    start("queue", queue.Queue().get, True, LONG)
    if IS_NEW:
        start("lock-timed", plain.acquire, True, LONG)
        start("join", start("joined", time.sleep, LONG).join)


def start_mutex():
    """A mutex of C code, which somebody else has."""
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)
    facts["mutex"] = {"address": ctypes.addressof(mutex)}
    hold(lambda: libc.pthread_mutex_lock(mutex))
    start("mutex", libc.pthread_mutex_lock, mutex)


def start_files():
    reader, writer = os.pipe()
    facts["pipe"] = {"fd": reader, "target": os.readlink("/proc/self/fd/%d" % reader)}
    start("pipe", os.read, reader, 1)

    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(5)
    port = server.getsockname()[1]
    facts["accept"] = {"fd": server.fileno(), "target": "socket 127.0.0.1:%d, listening" % port}
    client = socket.create_connection(("127.0.0.1", port))
    peer, _ = server.accept()
    start("accept", server.accept)
    facts["recv"] = {"fd": client.fileno(),
                     "target": "socket 127.0.0.1:%d -> 127.0.0.1:%d" % (client.getsockname()[1], port)}
    client.settimeout(None)
    start("recv", client.recv, 1)
    peer.settimeout(LONG)
    facts["recv-timed"] = {"fd": peer.fileno(),
                           "target": "socket 127.0.0.1:%d -> 127.0.0.1:%d" % (port, client.getsockname()[1])}
    start("recv-timed", peer.recv, 1)

    path = os.path.join(folder, "socket")
    local = socket.socket(socket.AF_UNIX)
    local.bind(path)
    local.listen(5)
    facts["unix"] = {"fd": local.fileno(), "target": "unix socket " + path}
    start("unix", local.accept)

    facts["select"] = {"fds": sorted([reader, server.fileno()])}
    start("select", select.select, [reader, server], [], [], LONG)
    facts["poll"] = {"fd": reader}
    start("poll", poll_one, reader, select.POLLIN)
    facts["epoll"] = {"fds": sorted([reader, server.fileno()])}
    start("epoll", wait_by_epoll, [reader, server])
    unread = write_until_full()
    return unread, reader, writer, server, client, peer, local


def start_paths():
    fifo, locked = os.path.join(folder, "fifo"), os.path.join(folder, "locked")
    os.mkfifo(fifo)
    facts["open"] = {"target": fifo}
    start("open", os.open, fifo, os.O_RDONLY)
    file = open(locked, "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    facts["flock"] = {"target": locked}
    start("flock", wait_for_lock_of, locked)
    return file


def start_child():
    """One that ends with us, whatever ends us."""
    child = subprocess.Popen(["cat", "-"], stdin=subprocess.PIPE)
    facts["child"] = {"pid": child.pid, "target": "cat -"}
    start("child", child.wait)
    return child


def main():
    start("sleep", time.sleep, LONG)
    start_locks()
    start_mutex()
    kept = start_files(), start_paths()
    child = start_child()
    if IS_NEW:
        start("signal", signal.sigwait, [signal.SIGUSR2])
    while "fd" not in facts["flock"] or "epoll" not in facts["epoll"]:
        time.sleep(0.001)
    print(json.dumps(facts))
    sys.stdout.flush()
    sys.stdin.read()
    child.stdin.close()
    return kept


main()
