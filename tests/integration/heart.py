"""A program that can be asked whether it goes on, and whether somebody held it: what tests of harm share."""
import json
import os

import harness


def state_of(pid):
    """The letter of a process's state: R, S, D, T, t, Z."""
    return harness.status_of(pid)["State"][0]


def threads_of(pid):
    """The fields of /proc/TID/status of each thread of a process."""
    try:
        tids = [int(name) for name in os.listdir("/proc/%d/task" % pid)]
    except FileNotFoundError:
        return []
    return [fields for fields in map(harness.status_of, tids) if fields]


def is_let_go(pid):
    """Whether nobody traces any thread of a process, and none is stopped."""
    return all(fields["TracerPid"] == "0" and fields["State"][0] not in "Tt" for fields in threads_of(pid))


class Heart:
    """A heartbeat.py that can be asked whether it goes on."""

    def __init__(self, case, *arguments):
        self.case = case
        self.process, _ = case.start_target("heartbeat.py", *arguments)
        self.pid = self.process.pid
        self.asked = 0  # questions without an answer
        self.gaps = []  # that it has told of, and nobody has taken

    def question(self):
        self.process.child.stdin.write(b"\n")
        self.process.child.stdin.flush()
        self.asked += 1

    def ask(self, deadline=None):
        """How often it has looked at the clock since the last question."""
        self.question()
        while self.asked:
            answer = json.loads(self.process.read_line(deadline))
            self.asked -= 1
            self.gaps += answer["gaps_ms"]
        return answer["looks"]

    def take_gaps(self):
        """All gaps since the last call: [(ms, ms of it that it did not wait for a CPU)]."""
        self.ask()
        taken, self.gaps = self.gaps, []
        return taken

    def beats(self, deadline=1):
        """Whether the program has looked at the clock, and does so again within the deadline."""
        try:
            self.ask(deadline * harness.SLOWNESS)
            return self.ask(deadline * harness.SLOWNESS) > 0
        except AssertionError:
            return False

    def assert_runs(self):
        harness.wait_until(lambda: is_let_go(self.pid), "the target is let go", 1 * harness.SLOWNESS)
        self.case.assertTrue(self.beats(5), "the target stands still")


class Gaps:
    """How often a heart stood still for longer than a limit, while it was looked at and while another process was."""

    def __init__(self, limit_ms):
        self.limit_ms = limit_ms
        self.seen, self.control, self.longest = 0, 0, {True: 0.0, False: 0.0}

    def note(self, gaps, is_target):
        """Where a thread waits for a CPU nobody holds it: that is left out."""
        for _, held_ms in gaps:
            self.longest[is_target] = max(self.longest[is_target], held_ms)
            if held_ms > self.limit_ms:
                self.seen += is_target
                self.control += not is_target

    def are_alike(self):
        """Counts of rare events: one standard deviation of their difference, and one that is anybody's. Whoever tries three
        times is wrong seldom enough."""
        return self.seen - self.control <= 1 + (self.seen + self.control) ** 0.5

    def __str__(self):
        return "gaps over %g ms: %d of the target, %d without us; the longest %.1f and %.1f ms" % (
            self.limit_ms, self.seen, self.control, self.longest[True], self.longest[False])
