"""What is profiled: each workload is a program of tests/programs, and what is known to be true of it."""
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common import HERE, harness
from shares import OTHER

#: Stacks are compared as names from the root on: "<module>/main/run/one_round/a_1". What a profiler puts in for the garbage
#: collector is no function of the program.
MARKERS = {"<GC>", "~:<GC>"}
CALLED = r"(?:[abrxug]_\d|m)(?=/|$)"
ELSEWHERE = r"(?!(?:.*/)?" + CALLED + r").*"
CALLER = r"(?:(?!" + CALLED + r")[^/]+/)*one_round/"
PAIR = r"a_(\d)(?:/b_\1)?"


def rule(calls):
    """The stacks of a program whose one_round() makes these calls, and where else these functions do not appear."""
    return "%s|%s%s" % (ELSEWHERE, CALLER, calls)


def deep_rule(depth):
    """The stacks of deep_calls.py: down() is on them just so often."""
    return r"<module>/main/(?:down/){%d}run(?:/is_told_to_end|/note|/one_round(?:/%s)?)?" % (depth - 6, PAIR)


@dataclass
class Workload:
    name: str
    program: str
    arguments: tuple = ()
    possible: str = ".*"        # what the names of each stack match
    counted: str = ""           # functions whose calls cost the same: the truth is how often each is called
    has_account: bool = False   # the program says what each phase has used
    with_idle: bool = False     # sleeping threads are recorded, too
    ignored: tuple = ()         # phases that are left out, of the samples and of the truth
    compared: tuple = ()        # the phases whose shares the chi-square is about; all of them by default
    turn_ms: float = 0          # samples so far from each other do not tell of the same turn
    is_system: bool = False     # runs in the system's Python alone, which has what it imports

    @property
    def path(self):
        return harness.program(self.program)

    def is_possible(self, stack):
        names = [harness.function_name(frame) for frame in stack[1:]]
        return bool(re.fullmatch(self.possible, "/".join(name for name in names if name not in MARKERS)))

    def count_calls(self, python):
        """{function: share of the calls}, of those that `counted` matches."""
        answer = subprocess.run([python, "-B", str(Path(HERE) / "count_calls.py"), self.path], stdout=subprocess.PIPE,
                                check=True, timeout=harness.DEADLINE)
        counts = {name: count for name, count in json.loads(answer.stdout).items() if re.fullmatch(self.counted, name)}
        return {name: count / sum(counts.values()) for name, count in counts.items()}

    def can_run(self, python, version):
        """Whether this interpreter has what the program needs; says why not."""
        needed = re.search(r"Needs Python (\d)\.(\d+)", Path(self.path).read_text(encoding="utf-8"))
        if needed and version < (int(needed.group(1)), int(needed.group(2))):
            return False
        modules = {"conv2d-torch": "torch", "algebra": "sympy"}
        if self.name not in modules:
            return True
        has = subprocess.run([python, "-c", "import " + modules[self.name]], stderr=subprocess.DEVNULL).returncode == 0
        if not has:
            print("%s: %s has no %s: left out" % (self.name, python, modules[self.name]), file=sys.stderr)
        return has


def deep(depth):
    return Workload("deep-%d" % depth, "deep_calls.py", (str(depth),), possible=deep_rule(depth))


def threads(count):
    return Workload("threads-%d" % count, "busy_and_idle.py", (str(count), "100"), possible=rule(PAIR))


WORKLOADS = [
    Workload("pairs", "pairs.py", possible=rule(PAIR), counted=r"a_\d"),
    Workload("shared", "shared.py", possible=rule(r"r_(\d)(?:/m(?:/x_\1)?)?"), counted=r"r_\d"),
    deep(6), deep(100), deep(500),
    threads(32), threads(128),
    # An idle thread is never shown as active, so a stack with rest() is false.
    Workload("idle-100", "busy_and_idle.py", ("100",), possible=r"(?!.*/rest(?:/|$))(?:%s)" % rule(PAIR)),
    # The account is of the eight; the main thread, which only looks on, is none of them.
    Workload("gil-8", "gil_fight.py", possible=rule(PAIR), has_account=True, ignored=(OTHER,), turn_ms=50),
    Workload("generators", "generator_pairs.py", possible=rule(r"u_(\d)(?:/g_\1)?"), counted=r"u_\d"),
    Workload("split", "known_split.py", has_account=True, turn_ms=4),
    Workload("alternating", "alternating.py", has_account=True, ignored=(OTHER,), compared=("plain", "generator")),
    Workload("mix", "mix.py", has_account=True, with_idle=True, turn_ms=10),
    Workload("mix-active", "mix.py", has_account=True, ignored=("sleeping",), turn_ms=10),
    Workload("grid", "grid.py", has_account=True, with_idle=True),
    Workload("conv2d-torch", "conv2d_rounds.py", has_account=True, turn_ms=500, is_system=True),
    Workload("algebra", "algebra.py", has_account=True, turn_ms=500, is_system=True),
]
