#!/usr/bin/env python3
"""What the profilers cost, and how true their stacks and shares are: one table, and a JSON file with all the numbers.

    PYSPYC=build/pyspyc python3 tests/bench/bench.py --quick
    PYSPYC=build/pyspyc python3 tests/bench/bench.py --workloads pairs mix --versions 3.10 3.13 --rates 1000 10000

A benchmark, not a test: nothing here passes or fails. README.md, beside this file, says what the workloads and the
columns are.
"""
import argparse
import contextlib
import json
import os
import platform
import shlex
import sys
import tempfile

import profilers
from common import harness
from measure import Case
from runs import Competitors, build_tick
from workloads import WORKLOADS

COLUMNS = [
    ("workload", "%-13s"), ("python", "%-7s"), ("rate", "%6s"), ("profiler", "%-29s"), ("samples", "%8s"),
    ("impossible", "%11s"), ("lost %", "%7s"), ("error", "%6s"), ("p", "%6s"), ("cpu us", "%7s"), ("ticks", "%6s"),
    ("slow %", "%7s"), ("attach ms", "%10s"), ("HWM MB", "%7s"),
]
GROWTH_COLUMN = ("grown MB", "%9s")
RATE_COLUMNS = [("top rate", "%9s"), ("top tick", "%9s")]
#: How a number is written, where one digit behind the point is not right.
FORMATS = {"p": "%.3f", "ticks": "%.2f", "grown MB": "%.2f"}
QUICK = {"versions": ["system"], "rates": [1000], "seconds": 1.0, "repeats": 1}
DEFAULT = {"versions": ["3.8", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"], "rates": [1000], "seconds": 5.0,
           "repeats": 3}


def parse_options():
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a second each, once, on the system's Python")
    parser.add_argument("--workloads", nargs="+", default=names, choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--versions", nargs="+", help="of Python, or 'system' (%s)" % " ".join(DEFAULT["versions"]))
    parser.add_argument("--rates", nargs="+", type=int, help="samples a second (1000)")
    parser.add_argument("--seconds", type=float, help="length of a run (5)")
    parser.add_argument("--repeats", type=int, help="how often everybody has his turn (3)")
    parser.add_argument("--profilers", nargs="+", metavar="NAME", help="only these, as the table calls them")
    parser.add_argument("--competitors", type=int, default=0, metavar="N", help="busy processes beside everything (0)")
    parser.add_argument("--apart", action="store_true", help="each competitor in an autogroup of its own")
    parser.add_argument("--top-rate", action="store_true", help="search the highest rate that is kept, too")
    parser.add_argument("--shares", action="store_true", help="below each row, how far off the share of each phase is")
    parser.add_argument("--json", default="bench.json", help="where all the numbers go (bench.json)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else DEFAULT).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def interpreters(wanted):
    """[(name, path, version)] of those that are there; says which are not."""
    found = []
    for name in wanted:
        python = harness.system_python() if name == "system" else harness.find_interpreter(name)
        if python:
            found.append((name, python, harness.version_of(python)))
        else:
            print("Python %s is not here: left out" % name, file=sys.stderr)
    return found


def cases(options, tick):
    """Each workload on each interpreter that can run it; those of the system's Python once."""
    wanted = interpreters(options.versions)
    system = interpreters(["system"])
    for workload in WORKLOADS:
        if workload.name not in options.workloads:
            continue
        for name, python, version in system if workload.is_system else wanted:
            if workload.can_run(python, version):
                yield Case(workload, name, python, tick, options), version


def results(options, everyone, tick):
    """All rows, a rate of a case at a time, and how many runs of it have failed."""
    for case, version in cases(options, tick):
        able = [profiler for profiler in everyone if profiler.can_profile(version)]
        rates = {}
        if options.top_rate:
            rates = {"top rate": {profiler.name: case.highest_rate(profiler) for profiler in able},
                     "top tick": dict.fromkeys((profiler.name for profiler in able), case.highest_tick_rate())}
        for rate in options.rates:
            rows = case.rows(able, rate)
            for row in rows:
                row.update({title: values[row["profiler"]] for title, values in rates.items()})
            yield rows, case.failures


def machine():
    with open("/proc/cpuinfo") as file:
        models = {line.split(":", 1)[1].strip() for line in file if line.startswith("model name")}
    system = platform.uname()
    return {"kernel": system.release, "machine": system.machine, "cpus": os.cpu_count(), "models": sorted(models),
            "load": os.getloadavg()}


def columns(options):
    chosen = list(COLUMNS)
    if options.seconds > 60:
        chosen.append(GROWTH_COLUMN)
    return chosen + (RATE_COLUMNS if options.top_rate else [])


def cell(title, value):
    if value is None:
        return "-"
    return FORMATS.get(title, "%.1f") % value if isinstance(value, float) else str(value)


def print_row(chosen, row, with_shares=False):
    print(" ".join(form % cell(title, row[title]) for title, form in chosen), flush=True)
    if with_shares and row["errors"]:
        print("    " + "  ".join("%s %+.1f" % pair for pair in sorted(row["errors"].items())), flush=True)


def write_json(options, facts, rows):
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump({"command": shlex.join(sys.argv), "machine": facts, "options": vars(options), "rows": rows}, file,
                  indent=1)


def main():
    options = parse_options()
    everyone = [profiler for profiler in profilers.installed()
                if not options.profilers or profiler.name in options.profilers]
    facts, rows, failed, chosen = machine(), [], 0, columns(options)
    print_row(chosen, {title: title for title, _ in chosen})
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(Competitors(options.competitors, options.apart))
        for more, failures in results(options, everyone, build_tick(folder)):
            for row in more:
                print_row(chosen, row, options.shares)
            rows, failed = rows + more, failed + failures
            write_json(options, facts, rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
