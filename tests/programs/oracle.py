"""Programs that know their own stacks.

An oracle program blocks threads at known places, writes down the stack of every thread as the interpreter itself
sees it, and holds still until its standard input closes. Whoever reads the stacks from outside must see the same.

A program is a set of cases. Each case runs in a thread of its own, named after it, and ends up in block():

    import oracle

    @oracle.case
    def list_in_list():
        return [[oracle.block() for _ in "a"] for _ in "b"]

    if __name__ == "__main__":
        oracle.main()

`python program.py` runs all cases, `python program.py NAME ...` some of them, `python program.py --list` names them.

When everything is in place one line of JSON goes to standard output:

    {"ready": true, "pid": 1, "python": "3.11.2", "implementation": "cpython", "reporter": IDENT,
     "threads": [{"ident": IDENT, "name": "MainThread", "native_id": TID,
                  "frames": [[filename, name, line], ... innermost first]}, ...]}

The thread "reporter" takes the stacks, so it cannot write down its own; everybody else's is there.
"""
import functools
import json
import os
import sys
import threading
import time
import traceback

DEADLINE_SECONDS = 60
POLL_SECONDS = 0.005
SETTLED_POLLS = 4

_gate_reader, _gate_writer = os.pipe()

#: Waits until standard input closes, without a Python frame of its own: call announce() first.
wait = functools.partial(os.read, _gate_reader, 1)

_lock = threading.Lock()
_cases = {}
_threads_of_case = {}
_announced = {}
_failures = []


def case(function=None, threads=1):
    """Registers a case; `threads` says how many threads announce themselves in it."""
    if function is None:
        return functools.partial(case, threads=threads)
    _cases[function.__name__] = function
    _threads_of_case[function.__name__] = threads
    return function


def announce():
    """Says that the calling thread is about to come to rest."""
    with _lock:
        _announced[threading.get_ident()] = threading.get_native_id()


def block(result=None):
    """Announces the calling thread, blocks it until standard input closes, and returns `result`."""
    announce()
    wait()
    return result


def wait_for(condition):
    """Returns once `condition()` holds, for a case whose threads depend on each other."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("not in place in time; threads that announced themselves: %d" % len(_announced))
        time.sleep(POLL_SECONDS)


def main(main_thread=block):
    """Runs the cases, and `main_thread` in the main thread; reports; returns when standard input has closed."""
    if "--list" in sys.argv:
        print("\n".join(_cases))
        return
    names = sys.argv[1:] or list(_cases)
    expected = 1 + sum(_threads_of_case[name] for name in names)
    workers = [threading.Thread(target=_run, args=(_cases[name],), name=name) for name in names]
    reporter = threading.Thread(target=_report, args=(expected,), name="reporter")
    for thread in workers:
        thread.start()
    reporter.start()
    _run(main_thread)
    for thread in workers + [reporter]:
        thread.join()
    if _failures:
        sys.exit(1)


def _run(function):
    try:
        function()
    except BaseException as error:
        traceback.print_exc()
        _failures.append(error)


def _report(expected):
    """The reporter's whole life: wait for rest, print, wait for the end of standard input, open the gate."""
    try:
        wait_for(lambda: _failures or _at_rest(expected))
        if not _failures:
            print(json.dumps(_snapshot()), flush=True)
            sys.stdin.read()
    except BaseException as error:
        traceback.print_exc()
        _failures.append(error)
    finally:
        os.close(_gate_writer)


def _at_rest(expected):
    """Whether `expected` threads have announced themselves and sleep."""
    with _lock:
        tids = list(_announced.values())
    return len(tids) == expected and asleep(tids)


def asleep(tids):
    """Whether these threads of this process are in their last wait.

    A thread that waits for the GIL or for a CPU would have got both while we slept: so it is one whose count of
    voluntary context switches stays the same over several of our sleeps, and whose state is S.
    """
    before = [_run_state(tid) for tid in tids]
    for _ in range(SETTLED_POLLS):
        time.sleep(POLL_SECONDS)
        if [_run_state(tid) for tid in tids] != before:
            return False
    return all(state == "S" for state, _ in before)


def _run_state(tid):
    """(state letter, voluntary context switches) of a thread of this process."""
    with open("/proc/self/task/%d/status" % tid) as status:
        fields = dict(line.split(":", 1) for line in status)
    return fields["State"].split()[0], int(fields["voluntary_ctxt_switches"])


def _snapshot():
    reporter = threading.get_ident()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    threads = [
        {"ident": ident, "name": names.get(ident), "native_id": _announced.get(ident), "frames": _stack(frame)}
        for ident, frame in sys._current_frames().items()
        if ident != reporter
    ]
    return {
        "ready": True,
        "pid": os.getpid(),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "implementation": sys.implementation.name,
        "reporter": reporter,
        "threads": threads,
    }


def _stack(frame):
    stack = []
    while frame is not None:
        code = frame.f_code
        stack.append([code.co_filename, getattr(code, "co_qualname", code.co_name), frame.f_lineno])
        frame = frame.f_back
    return stack
