"""What we never do to a target, by the system calls that we make: no byte is written, no signal sent, no file of it run.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 test_harm_calls.py [INTERPRETER] [TestClass.test_name]

strace is asked for all the calls that could. PYSPYC_LONG=1 looks for longer.
"""
import os
import re
import shutil

import harness

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
SECONDS = "5" if IS_LONG else "0.15"
#: Of man 2 ptrace: what stops a thread, looks at it and lets it go.
STOPPING = {"PTRACE_SEIZE", "PTRACE_INTERRUPT", "PTRACE_GETREGSET", "PTRACE_CONT", "PTRACE_LISTEN", "PTRACE_DETACH"}
SIGNALLING = ("kill", "tkill", "tgkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
#: What changes another process, or lets us into what is its own.
CHANGING = ("process_vm_writev", "process_madvise", "process_mrelease", "move_pages", "migrate_pages", "setns",
            "pidfd_getfd", "kcmp", "bpf", "init_module", "finit_module")
#: What changes the process that is named first, if that is not oneself.
NAMING = ("sched_setaffinity", "sched_setattr", "sched_setscheduler", "sched_setparam", "setpgid", "prlimit64")
OPENING = ("open", "openat", "openat2", "creat")
RUNNING = ("execve", "execveat")
REMOVING = ("unlink", "unlinkat", "rename", "renameat", "renameat2", "truncate", "ftruncate", "chmod", "fchmod", "fchmodat",
            "chown", "fchown", "fchownat", "mkdir", "mkdirat", "mount", "umount2", "utimensat", "link", "linkat", "symlinkat")
#: clone() is seen by itself: strace -f tells of the new thread.
TRACED = (SIGNALLING + CHANGING + NAMING + OPENING + RUNNING + REMOVING +
          ("ptrace", "perf_event_open", "mmap", "mprotect", "process_vm_readv", "setpriority", "ioprio_set", "fork", "vfork", "clone", "clone3"))
CALL = re.compile(r"(\d+) +(\w+)\((.*)")
MADE = re.compile(r"(?:clone3?|v?fork)(?:\(| resumed>).* = (\d+)$")
FILE = re.compile(r"\d+<([^<>]+)>")


class Trace:
    """The calls of a profiler and of what it starts: [(who, name, arguments, as strace writes them)]."""

    def __init__(self, path):
        with open(path, errors="replace") as file:
            lines = file.readlines()
        self.calls = [match.groups() for match in map(CALL.match, lines) if match]
        #: Where a call is interrupted, strace tells what is asked for when it goes on.
        self.events = [line for line in lines if "perf_event_open" in line and "unfinished" not in line]
        self.made = {match.group(1) for match in map(MADE.search, lines) if match}

    def named(self, *names):
        return [(who, name, arguments) for who, name, arguments in self.calls if name in names]

    def processes(self):
        return {who for who, _, _ in self.calls} | self.made

    def mapped_as_code(self):
        """The files."""
        found = set()
        for _, _, arguments in self.named("mmap", "mprotect"):
            if "PROT_EXEC" in arguments:
                found.update(FILE.findall(arguments) or ["no file: " + arguments])
        return found

    def mapped(self):
        return {path for _, _, arguments in self.named("mmap") for path in FILE.findall(arguments)}


def files_of(pid):
    """The files that a process has mapped."""
    with open("/proc/%d/maps" % pid) as maps:
        return {line.split(None, 5)[5].rstrip("\n") for line in maps if "/" in line}


class TestCalls(harness.TestCase):

    @classmethod
    def setUpClass(cls):
        if not shutil.which("strace"):
            raise harness.unittest.SkipTest("there is no strace")

    def trace(self, *arguments):
        path = self.path("trace")
        process = self.start("strace", "-f", "-y", "-s", "300", "-o", path, "-e", "trace=" + ",".join("?" + name for name in TRACED),
                             harness.pyspyc(), *arguments, cwd=self.folder)
        status, output = process.finish()
        self.assertEqual(status, 0, harness.Outcome(process.arguments, status, output, process.stderr()))
        return Trace(path)

    def our_own_code(self):
        """What we map as code when we do nothing: ourselves and our libraries."""
        return self.trace("--version").mapped_as_code()

    def start_children(self):
        target = self.start(self.python, harness.program("children.py"), "fork", 2)
        self.assertEqual(target.read_line(), "ready")
        return target, [target.pid] + [int(target.read_line()) for _ in range(2)]

    def start_threads(self):
        target, _ = self.start_target("threads.py", 2, 2)
        return target, [target.pid]

    def check(self, trace, pids, own_code, may_stop=False, started=0):
        tids = {tid for pid in pids for tid in os.listdir("/proc/%d/task" % pid)} if not started else set()
        foreign = {path for pid in pids for path in files_of(pid)} - own_code if not started else set()
        self.assertTrue(trace.named("process_vm_readv"), "nothing was read")
        self.assertEqual(trace.named(*CHANGING), [])
        self.check_ptrace(trace, may_stop)
        self.check_events(trace, may_stop, tids)
        self.check_names(trace, tids)
        self.check_opened(trace)
        if not started:
            # The first is strace's own, which becomes the profiler.
            self.assertEqual([arguments for _, _, arguments in trace.named(*RUNNING)][1:], [])
            self.assertEqual(trace.mapped_as_code() - own_code, set())
            self.assertTrue(foreign)
            self.assertEqual(trace.mapped() & foreign, set())

    def check_ptrace(self, trace, may_stop):
        requests = {arguments.split(",")[0] for _, _, arguments in trace.named("ptrace")}
        # One that asks whether there is ptrace at all.
        self.assertLessEqual(requests, STOPPING if may_stop else set(), requests)
        self.assertEqual("PTRACE_SEIZE" in requests, may_stop)

    def check_events(self, trace, may_stop, tids):
        """What the kernel writes down of a thread is when it leaves its CPU, and with C stacks its registers."""
        read = {arguments.split(",")[0] for _, _, arguments in trace.named("process_vm_readv")}
        whom = {int(tid) for tid in {"0"} | tids | read}
        for event in trace.events:
            self.assertIn(int(re.search(r"\}, (-?\d+), -1, -1, ", event).group(1)), whom, event)
            self.assertIn("type=PERF_TYPE_SOFTWARE", event)
            if may_stop:
                self.assertIn("config=PERF_COUNT_SW_CONTEXT_SWITCHES", event)
                self.assertIn("sample_type=PERF_SAMPLE_REGS_USER,", event)
            else:
                self.assertIn("config=PERF_COUNT_SW_DUMMY", event)
                self.assertIn("sample_type=0,", event)
                self.assertIn("exclude_kernel=1", event)

    def check_names(self, trace, tids):
        """No signal but to ourselves, and nobody else's CPUs, priority or limits are changed."""
        for _, name, arguments in trace.named(*SIGNALLING, *NAMING):
            whom = re.match(r"-?\d*", arguments).group()  # a process group has a minus, and kill() takes 0 for our own
            ours = trace.processes() if name in SIGNALLING else trace.processes() | {"0"}
            self.assertIn(whom, ours, (name, arguments))
            self.assertNotIn(whom, tids, (name, arguments))
        self.assertEqual(trace.named("setpriority", "ioprio_set"), [])

    def check_opened(self, trace):
        """What is opened for writing, made or removed is in the folder of the output."""
        for who, name, arguments in trace.named(*OPENING):
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE", arguments) or name == "creat":
                path = re.search(r'"([^"]*)"', arguments).group(1)
                self.assertTrue(self.is_ours(path, arguments), (who, name, arguments))
        for who, name, arguments in trace.named(*REMOVING):
            paths = re.findall(r'"([^"]*)"', arguments) + FILE.findall(arguments)
            self.assertTrue(any(self.is_ours(path, arguments) for path in paths), (who, name, arguments))

    def is_ours(self, path, arguments):
        folder = FILE.search(arguments) or re.search(r"AT_FDCWD<([^>]*)>", arguments)
        where = os.path.join(folder.group(1) if folder else self.folder, path)
        return os.path.normpath(where).startswith(self.folder) or path in ("/dev/null", "/dev/tty")

    def check_modes(self, start, *modes):
        own_code = self.our_own_code()
        target, pids = start()
        for arguments in modes:
            with self.subTest(arguments=arguments):
                may_stop = bool({"--blocking", "--native", "--native-all"} & set(arguments))
                trace = self.trace(*arguments, "--pid", target.pid)
                self.check(trace, pids, own_code, may_stop)
                self.assert_unharmed(target)
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_record(self):
        record = ("record", "-o", self.path("x.svg"), "-d", SECONDS, "-r", "500")
        seldom = ((*record, "--idle", "--threads"), (*record, "--native-all")) if IS_LONG else ()
        self.check_modes(self.start_threads, record, (*record, "--gil"), (*record, "--blocking"), (*record, "--native"), *seldom)

    def test_subprocesses(self):
        record = ("record", "-o", self.path("x.svg"), "-d", SECONDS, "-r", "500", "--subprocesses")
        seldom = ((*record, "--blocking"), ("dump", "--subprocesses")) if IS_LONG else ()
        self.check_modes(self.start_children, record, (*record, "--native"), *seldom)

    def test_dump(self):
        seldom = (("dump", "--locals", "--full-filenames"),
                  ("dump", "--repeat", "3", "--every", "0.01", "--native-all")) if IS_LONG else ()
        self.check_modes(self.start_threads, ("dump",), ("dump", "--blocking", "--json"), ("dump", "--locals", "--native"), *seldom)

    def test_top(self):
        top = ("top", "--once", "-d", SECONDS)
        seldom = ((*top, "--blocking"),) if IS_LONG else ()
        self.check_modes(self.start_threads, top, (*top, "--native"), *seldom)

    def test_started_program(self):
        """It is the only thing that is run, by a child that becomes it; its own calls are its own."""
        trace = self.trace("record", "-o", self.path("x.svg"), "-r", "500", "--", self.python, harness.program("sleeper.py"), "0.3")
        ran = trace.named(*RUNNING)
        program = ran[1][0]
        self.assertEqual(len({who for who, _, _ in ran[1:]}), 1, ran)
        self.assertIn(self.python, ran[-1][2])
        threads = self.threads_of(trace, program)
        trace.calls = [call for call in trace.calls if call[0] not in threads]
        self.check(trace, [], set(), started=1)

    @staticmethod
    def threads_of(trace, program):
        """What the program's own clone() calls have made is the program's too."""
        found = {program}
        for who, name, arguments in trace.calls:
            made = re.search(r"= (\d+)$", arguments)
            if name in ("clone", "clone3", "fork", "vfork") and who in found and made:
                found.add(made.group(1))
        return found


if __name__ == "__main__":
    harness.main()
