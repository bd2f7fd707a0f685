"""Control groups that limit a process's CPU time or memory: Linux Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.

A group is made for a test and removed with it; nothing else is touched. Where groups cannot be made, MISSING says why.
"""
import errno
import os
import sys
import tempfile

import harness

ROOT = "/sys/fs/cgroup"
MEMORY = 64 << 20
AT_ONCE = 46 << 20  # is taken at once when memory is made short


class Group:
    """A control group. Version 2 has one tree for all limits, version 1 one for each controller."""

    def __init__(self, case, controller):
        self.is_new = os.path.exists(os.path.join(ROOT, "cgroup.controllers"))
        parent = ROOT if self.is_new else os.path.join(ROOT, controller)
        if self.is_new:
            self._enable(parent, controller)
        self.path = tempfile.mkdtemp(prefix="pyspyc-test-", dir=parent)
        case.addCleanup(harness.wait_until, self._remove, "the control group was empty")

    def _remove(self):
        """A group can be removed when the last process of it has been collected, whoever does that."""
        try:
            os.rmdir(self.path)
        except OSError as error:
            return error.errno != errno.EBUSY
        return True

    @staticmethod
    def _enable(parent, controller):
        with open(os.path.join(parent, "cgroup.subtree_control")) as file:
            if controller in file.read().split():
                return
        with open(os.path.join(parent, "cgroup.subtree_control"), "w") as file:
            file.write("+" + controller)

    def set(self, name, value):
        with open(os.path.join(self.path, name), "w") as file:
            file.write(str(value))

    def get(self, name):
        with open(os.path.join(self.path, name)) as file:
            return file.read()

    def add(self, pid):
        self.set("cgroup.procs", pid)


def make_cpu_group(case):
    """Its processes can be throttled."""
    return Group(case, "cpu")


def throttle(group, share, period_us=100000):
    """Gives a group so much of one CPU; None: as much as it wants."""
    quota = None if share is None else int(share * period_us)
    if group.is_new:
        group.set("cpu.max", "%s %d" % (quota or "max", period_us))
    else:
        group.set("cpu.cfs_period_us", period_us)
        group.set("cpu.cfs_quota_us", quota or -1)


def make_memory_group(case, limit=MEMORY):
    """Its processes get so many bytes, and the kernel kills one when that is not enough."""
    group = Group(case, "memory")
    group.set("memory.max" if group.is_new else "memory.limit_in_bytes", limit)
    return group


def periods(group):
    """How many periods there were in which a group's processes ran."""
    return int(dict(line.split() for line in group.get("cpu.stat").splitlines())["nr_periods"])


def throttled(group):
    """In how many of them its processes had to wait for the next one."""
    return int(dict(line.split() for line in group.get("cpu.stat").splitlines())["nr_throttled"])


def missing(make):
    """Why groups of a kind cannot be made here, or None."""
    class Cleanups:
        def __init__(self):
            self.done = []

        def addCleanup(self, function, *arguments):
            self.done.append((function, arguments))

    cleanups = Cleanups()
    try:
        make(cleanups)
        return None
    except OSError as error:
        return "no control group can be made here: %s" % error
    finally:
        for function, arguments in cleanups.done:
            function(*arguments)


# It fills a file without a name, which is in memory, and in nobody's part of it: so the kernel does not look at the hog.
# The last of it in small pieces, as whoever is killed may have no more than that. One piece may still take the memory
# of everybody else, and then the hog itself is killed.
HOG = """
import os, sys
PIECE = bytes(8 * 4096)
def killed(name):
    with open(name) as file:
        return [int(line.split()[1]) for line in file if line.startswith("oom_kill ")][0]
for line in sys.stdin:
    first, file = killed(line.strip()), os.memfd_create("hog")
    os.posix_fallocate(file, 0, int(sys.argv[1]))
    os.lseek(file, 0, os.SEEK_END)
    while killed(line.strip()) == first:
        try:
            os.write(file, PIECE)
        except OSError:
            pass
    os.close(file)
    print("killed", flush=True)
"""


class Shortage:
    """A group in which memory can be made short on demand: the kernel then kills whoever has joined, and is no hog."""

    def __init__(self, case):
        self.case, self.group = case, make_memory_group(case)
        case.addCleanup(self._leave)
        self._start_hog()

    def _start_hog(self):
        """Ahead of time, as its start would disturb whoever is watched."""
        self.hog = self.case.start(sys.executable, "-c", HOG, str(AT_ONCE),
                                   preexec_fn=lambda: self.group.add(os.getpid()))

    def join(self):
        """What a process that is to be killed does first: man 5 proc, oom_score_adj."""
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        self.group.add(os.getpid())

    def _leave(self):
        """The group can be removed when its last process is gone."""
        harness.wait_until(lambda: not self.group.get("cgroup.procs").split(), "the group is empty")

    def make(self):
        """Takes memory until somebody was killed."""
        name = "memory.events" if self.group.is_new else "memory.oom_control"
        self.hog.child.stdin.write((os.path.join(self.group.path, name) + "\n").encode())
        self.hog.child.stdin.flush()
        if not self.hog.child.stdout.readline():
            self._start_hog()
