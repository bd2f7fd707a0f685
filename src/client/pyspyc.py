# SPDX-License-Identifier: MIT
"""Records the program that imports this, with the profiler pyspyc: for the time of a block, or of a function.

    import pyspyc

    with pyspyc.record("out.svg"):
        work()

    @pyspyc.profiled("work.svg", rate=1000)
    def work():
        ...

The profiler is a process of its own, which looks at this one from outside. So all threads of the program are in a
recording, not only the one that is in the block, and stacks begin at the program's outermost function.

One file for Python 2.7 and 3.6 to 3.15, with nothing but the standard library. It needs the binary: the one that the
environment variable PYSPYC names, else ../../bin/pyspyc as seen from this file, else the first pyspyc on PATH.
"""
import os
import sys

__all__ = ["Error", "profiled", "record"]

YAMA_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
YAMA_ONLY_ANCESTORS = "1"
PR_SET_PTRACER = 0x59616D61  # linux/prctl.h
READY_TRIES = 600  # each of READY_MS: how long the profiler is given to attach, which takes it some 10 ms
READY_MS = 100
CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200  # Include/code.h

# The recording that goes on in a process, by the process's number: a fork leaves its child with none. There is no lock
# that a fork could leave locked; setdefault() and pop() are atomic.
_active = {}
_is_registered = []


class Error(Exception):
    """The profiler is not there, or has failed. The text is for people; it may have several lines."""


# --- the profiler's process ----------------------------------------------------------------------------------------

def _is_executable(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _find_binary():
    named = os.environ.get("PYSPYC")
    if named:
        if not _is_executable(named):
            raise Error("the environment variable PYSPYC names %r, which is not an executable file" % named)
        return os.path.abspath(named)
    beside = os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../bin/pyspyc"))
    search_path = os.environ.get("PATH", os.defpath)
    candidates = [os.path.join(folder, "pyspyc") for folder in search_path.split(os.pathsep) if folder]
    for candidate in [beside] + candidates:
        if _is_executable(candidate):
            return candidate
    raise Error("the profiler's binary was not found: the environment variable PYSPYC is not set, there is no %s, and "
                "no pyspyc in the folders of PATH (%s)" % (beside, search_path))


def _own_number():
    """This process's number, as /proc shows it: that may be of another pid namespace than os.getpid()."""
    try:
        return int(os.readlink("/proc/self"))
    except (OSError, ValueError):
        return os.getpid()


def _end_signal():
    """A signal that ends the profiler. Which are ignored is inherited, as SIGINT is in a shell's background jobs."""
    import signal
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            return number
    raise Error("this program ignores SIGINT, SIGTERM and SIGHUP, and so would the profiler, which needs one to end")


def _needs_leave():
    """Whether this process can be read only by its ancestors, and by whom it names."""
    try:
        with open(YAMA_SCOPE) as scope:
            return scope.read().strip() == YAMA_ONLY_ANCESTORS
    except (IOError, OSError):
        return False


def _name_reader(pid):
    """Lets a process and its descendants read this one, in the place of whoever was named before; 0: nobody."""
    try:
        import ctypes
    except ImportError:
        raise Error("%s is %s, so this program has to allow the profiler to read it, which takes the module ctypes"
                    % (YAMA_SCOPE, YAMA_ONLY_ANCESTORS))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_PTRACER, ctypes.c_ulong(pid), zero, zero, zero) != 0:
        raise Error("cannot allow the profiler to read this program: %s" % os.strerror(ctypes.get_errno()))


def _decode(said):
    """Bytes of UTF-8 as the text that this version's streams take."""
    return said if str is bytes else said.decode("utf-8", "replace")


def _write(stream, text):
    """Writes text to a stream, whatever its encoding is."""
    if stream is None or not text:
        return
    if str is not bytes:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "replace").decode(encoding)
    stream.write(text)
    stream.flush()


class _Profiler(object):
    """A profiler that is attached to this process. What it says goes to files, where it waits for nobody."""

    def __init__(self, arguments, wants_text, has_our_output):
        import tempfile
        self.signal = _end_signal()
        command = [_find_binary(), "record", "--pid", str(_own_number()), "--ready-fd", "0"] + arguments
        self.errors = tempfile.TemporaryFile()
        self.text = tempfile.TemporaryFile() if wants_text else None
        self.output = self.text or (None if has_our_output else self.errors)
        self.child = None
        self.needs_leave = _needs_leave()
        self.has_named = False
        try:
            self._start(command)
        except:  # whatever it is, KeyboardInterrupt too: nothing is left running
            if self.child is not None and self.child.poll() is None:
                self.child.kill()
                self.child.wait()
            self._close()
            raise

    def _start(self, command):
        import fcntl
        ready, told = os.pipe()
        try:
            for fd in (ready, told):
                fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
            try:
                # The child's number is only known when it may already have looked. It is a descendant of ours.
                if self.needs_leave:
                    _name_reader(os.getpid())
                    self.has_named = True
                self._spawn(command, told)
            finally:
                os.close(told)
            if self.needs_leave:
                _name_reader(self.child.pid)
            is_ready = self._wait_until_ready(ready)
        finally:
            os.close(ready)
        if not is_ready:
            raise Error(self._failure(self.child.wait()))

    def _spawn(self, command, told):
        import subprocess
        # A session of its own, so that Ctrl-C and Ctrl-Z at the terminal are for the program alone. Its standard input
        # is the end of the pipe to write to: the one way to hand a descriptor over that each version has.
        session = {"preexec_fn": os.setsid} if sys.version_info[0] == 2 else {"start_new_session": True}
        try:
            self.child = subprocess.Popen(command, stdin=told, stdout=self.output, stderr=self.errors, close_fds=True,
                                          **session)
        except OSError as error:
            raise Error("cannot start %s: %s" % (command[0], error.strerror or error))

    def _wait_until_ready(self, ready):
        """Whether the profiler has attached. Its end may not be that of the pipe, which forked processes hold, too."""
        import errno
        import select
        poll = select.poll()
        poll.register(ready, select.POLLIN)
        for _ in range(READY_TRIES):
            try:
                if poll.poll(READY_MS):
                    return os.read(ready, 1) != b""
            except (OSError, select.error) as error:
                if error.args[0] != errno.EINTR:
                    raise
            if self.child.poll() is not None:
                return False
        raise Error("the profiler did not attach within %d s" % (READY_TRIES * READY_MS // 1000))

    def stop(self):
        """Ends the recording. Returns the messages and, if asked for, the text; raises Error if it failed."""
        try:
            if self.child.poll() is None:
                self._tell_to_end()
            status = self.child.wait()
            if status != 0:
                raise Error(self._failure(status))
            return self._read(self.errors), self._read(self.text) if self.text else ""
        finally:
            self._close()

    def _tell_to_end(self):
        import errno
        try:
            os.kill(self.child.pid, self.signal)
        except OSError as error:
            if error.errno == errno.ESRCH:  # it has just ended
                return
            raise Error("cannot end the profiler, which now goes on to this program's end: %s" % error.strerror)

    def _read(self, file):
        file.seek(0)
        return _decode(file.read())

    def _failure(self, status):
        """What an exception says of a profiler that has ended too early, or with a failure."""
        said = self._read(self.errors).strip()
        if status < 0:
            said = "signal %d ended the profiler\n%s" % (-status, said)
        elif not said:
            said = "the profiler ended with status %d" % status
        # What went wrong is said last, behind the counts; before it, where the recording is, if it was kept.
        kept = said.find("pyspyc: what was recorded is in ")
        counts = said.rfind("\npyspyc: ") if kept < 0 and " intervals: " in said else kept
        said = said[max(counts, 0):].strip()
        return said[len("pyspyc: "):] if said.startswith("pyspyc: ") else said

    def _close(self):
        if self.has_named:
            _name_reader(0)
        self.errors.close()
        if self.text is not None:
            self.text.close()


# --- recordings ------------------------------------------------------------------------------------------------------

def _path(output):
    if hasattr(os, "fspath"):
        return os.fsdecode(output)
    if isinstance(output, bytes):
        return output
    if not isinstance(output, type(u"")):
        raise TypeError("output is a path, not %s" % type(output).__name__)
    return output.encode(sys.getfilesystemencoding() or "utf-8")


class record(object):
    """A recording of this program, for `with`.

    output          file to write; its ending says the format; "-" is standard output
    format          as in `pyspyc record --format`
    rate            samples a second (default: 100)
    tree            print the tree of calls on standard error, too (default: yes, unless quiet)
    quiet           do not print what the profiler says at the end
    threads, subprocesses, gil, idle, function, nolineno, full_filenames, blocking
                    as the options of `pyspyc record`

    The block begins when the profiler is attached, which takes some tens of milliseconds, and the output is complete
    when the block has ended. An exception in the block goes on, and what was recorded is written. Error is raised when
    there is no profiler or it fails; with an exception on its way, that is only printed.

    There is one recording at a time in a process: another block, nested or in another thread, raises Error. A process
    that is forked in the block is not recorded (but with subprocesses), and its end of the block does nothing; it can
    have a recording of its own. The profiler ends with the program, however that ends, and writes what there is.

    The profiler is a child of this process: os.wait() in the block may wait for it.
    """

    def __init__(self, output=None, format=None, rate=None, tree=None, quiet=False, threads=False, subprocesses=False,
                 gil=False, idle=False, function=False, nolineno=False, full_filenames=False, blocking=False):
        flags = (("--threads", threads), ("--subprocesses", subprocesses), ("--gil", gil), ("--idle", idle),
                 ("--function", function), ("--nolineno", nolineno), ("--full-filenames", full_filenames),
                 ("--blocking", blocking))
        self.output = None if output is None else _path(output)
        self.format = format
        self.tree = self.output != "-" and (not quiet if tree is None else bool(tree))
        self.quiet = quiet
        self._arguments = [option for option, is_set in flags if is_set]
        if rate is not None:
            self._arguments += ["--rate", str(rate)]
        self._joins = False  # another recording that goes on is as good

    def _outputs(self):
        arguments = [] if self.output is None else ["--output", self.output]
        arguments += [] if self.format is None else ["--format", self.format]
        return arguments + (["--output", "-"] if self.tree else [])

    def __enter__(self):
        pid, claim = os.getpid(), object()
        if _active.setdefault(pid, claim) is not claim:
            if self._joins:
                return self
            raise Error("a recording of this process goes on already, and there can be only one at a time")
        try:
            _end_at_exit()
            self._profiler = _Profiler(self._outputs() + self._arguments, self.tree, self.output == "-")
            _active[pid] = self
        except:
            _active.pop(pid, None)
            raise
        return self

    def __exit__(self, kind, error, traceback):
        profiler = self.__dict__.pop("_profiler", None)
        # There is nothing to end in a forked process, nor where this joined another recording or the exit was faster.
        if profiler is None or _active.get(os.getpid()) is not self:
            return False
        try:
            messages, text = profiler.stop()
        except Error as failure:
            if kind is None:
                raise
            _write(sys.stderr, "pyspyc: %s\n" % failure)
            return False
        finally:
            _active.pop(os.getpid(), None)
        _write(sys.stderr, text)
        if not self.quiet:
            _write(sys.stderr, messages)
        return False


def _end_at_exit():
    """Sees to it that a block in a thread that the program's end does not wait for has its output by then."""
    if _is_registered:
        return
    import atexit

    def end():
        recording = _active.get(os.getpid())
        if isinstance(recording, record):
            recording.__exit__(None, None, None)

    _is_registered.append(True)
    atexit.register(end)


# --- the decorator ---------------------------------------------------------------------------------------------------

# Not a syntax for each version; the signature is that of the wrapper below.
_COROUTINE_WRAPPER = """
def wrap(function, begin):
    async def wrapper(*args, **kwargs):
        with begin():
            return await function(*args, **kwargs)
    return wrapper
"""


def _wrap_coroutine(function, begin):
    namespace = {"__name__": __name__}
    exec(compile(_COROUTINE_WRAPPER, __file__, "exec"), namespace)
    return namespace["wrap"](function, begin)


def _wrap(function, begin):
    import functools
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    flags = getattr(code, "co_flags", 0)
    if flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        raise TypeError("a generator is not one call that could be recorded: use pyspyc.record() where it is consumed")
    if flags & CO_COROUTINE:
        wrapper = _wrap_coroutine(function, begin)
    else:
        def wrapper(*args, **kwargs):
            with begin():
                return function(*args, **kwargs)
    names = [name for name in functools.WRAPPER_ASSIGNMENTS if hasattr(function, name)]
    functools.update_wrapper(wrapper, function, names)
    wrapper.__wrapped__ = function
    return wrapper


def profiled(output=None, *args, **options):
    """Records each call of a function: `@pyspyc.profiled`, or `@pyspyc.profiled("out.svg", ...)` as for record().

    What is recorded is the whole program from the call's beginning to its end; of an `async def`, from its first step
    to its last, with whatever else its loop does meanwhile. Each recording takes the place of the one before. A call
    while a recording goes on (recursion, another thread, another decorated function, a block) is in that one, and has
    none of its own.
    """
    is_bare = callable(output) and not args and not options
    function, output = (output, None) if is_bare else (None, output)

    def begin():
        recording = record(output, *args, **options)
        recording._joins = True
        return recording

    begin()  # mistakes are told here, not at the first call
    if is_bare:
        return _wrap(function, begin)
    return lambda function: _wrap(function, begin)
