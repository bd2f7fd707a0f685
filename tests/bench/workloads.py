"""What is profiled: each workload is a program of tests/programs, and what is known to be true of it."""
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common import HERE, harness, possible
from shares import OTHER


@dataclass
class Workload:
    name: str
    program: str
    arguments: tuple = ()
    rule: str = ".*"            # the rule that each stack follows
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
        return possible.is_possible(stack, self.rule)

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
    return Workload("deep-%d" % depth, "deep_calls.py", (str(depth),), rule=possible.deep_rule(depth))


def threads(count):
    return Workload("threads-%d" % count, "busy_and_idle.py", (str(count), "100"), rule=possible.PAIRS)


WORKLOADS = [
    Workload("pairs", "pairs.py", rule=possible.PAIRS, counted=r"a_\d"),
    Workload("shared", "shared.py", rule=possible.SHARED, counted=r"r_\d"),
    deep(6), deep(100), deep(500),
    threads(32), threads(128),
    # An idle thread is never shown as active, so a stack with rest() is false.
    Workload("idle-100", "busy_and_idle.py", ("100",), rule=r"(?!.*/rest(?:/|$))(?:%s)" % possible.PAIRS),
    # The account is of the eight; the main thread, which only looks on, is none of them.
    Workload("gil-8", "gil_fight.py", rule=possible.PAIRS, has_account=True, ignored=(OTHER,), turn_ms=50),
    Workload("generators", "generator_pairs.py", rule=possible.GENERATORS, counted=r"u_\d"),
    Workload("split", "known_split.py", has_account=True, turn_ms=4),
    Workload("alternating", "alternating.py", has_account=True, ignored=(OTHER,), compared=("plain", "generator")),
    Workload("mix", "mix.py", has_account=True, with_idle=True, turn_ms=10),
    Workload("mix-active", "mix.py", has_account=True, ignored=("sleeping",), turn_ms=10),
    Workload("grid", "grid.py", has_account=True, with_idle=True),
    Workload("conv2d-torch", "conv2d_rounds.py", has_account=True, turn_ms=500, is_system=True),
    Workload("algebra", "algebra.py", has_account=True, turn_ms=500, is_system=True),
]
