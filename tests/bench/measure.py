"""From runs to rows: everybody in turn, and what the runs of one profiler say together."""
import os
import statistics
import sys
import tempfile

import shares
from runs import Recording, RunFailed, Target, run_alone, run_beside, run_tick

SHORT_SECONDS = 0.5
TICK_SECONDS = 3
#: The search for the highest rate: where it begins, how exactly it ends, and what it allows to be missed.
FIRST_RATE = 1000
LAST_RATE = 100000  # more is no rate for pyspyc
RATE_PRECISION = 1.05
RATE_SECONDS = 2
RATE_TRIES = 3  # one that is kept is enough: what else the machine has to do must not end the search
MISSED_ALLOWED = 0.01


class Case:
    """A workload on an interpreter: what every row of it needs."""

    def __init__(self, workload, version, python, tick, options):
        self.workload, self.version, self.python, self.tick, self.options = workload, version, python, tick, options
        self.failures = 0
        self.counts = workload.count_calls(python) if workload.counted else {}

    def rows(self, profilers, rate):
        """One row for each profiler that has done a run. They take turns, each beside a run alone, before it or after."""
        runs = {profiler: [] for profiler in profilers}
        ticks = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(self.options.repeats):
                if self.tick:
                    seconds = min(self.options.seconds, TICK_SECONDS)
                    ticks.append(run_tick(self.tick, self.python, self.workload, rate, seconds, folder))
                for profiler in profilers:
                    try:
                        runs[profiler].append(self.run(profiler, rate, number % 2 == 0, folder))
                    except RunFailed as failure:
                        self.failures += 1
                        print(failure, file=sys.stderr)
        return [self.row(profiler, rate, runs[profiler], ticks) for profiler in profilers if runs[profiler]]

    def run(self, profiler, rate, is_alone_first, folder):
        """A run alone, one with the profiler, and a short one, without which the CPU time would have the start in it."""
        seconds = self.options.seconds
        if is_alone_first:
            alone = run_alone(self.python, self.workload, seconds, folder)
        beside, recording = run_beside(profiler, self.python, self.workload, rate, seconds, folder)
        if not is_alone_first:
            alone = run_alone(self.python, self.workload, seconds, folder)
        with Target(self.python, self.workload, folder) as target:
            short = Recording(profiler, target, rate, SHORT_SECONDS, self.workload.with_idle, folder)
        truth = self.truth_of(beside)
        counts = shares.count_phases(recording.stacks, set(truth) | set(self.workload.ignored)) if truth else {}
        return {
            "alone": alone["rounds_per_second"],
            "beside": beside["rounds_per_second"],
            "slow %": 100 * (alone["rounds_per_second"] / max(beside["rounds_per_second"], 1e-9) - 1),
            "samples": recording.samples,
            "lost": recording.lost,
            "impossible": recording.stacks.total(lambda stack: not self.workload.is_possible(stack)),
            "impossible stacks": self.examples(recording.stacks),
            "cpu us": cpu_per_sample(recording, short),
            "cpu s": recording.cpu_seconds,
            "attach ms": recording.attach_ms,
            "HWM MB": recording.memory_mb,
            "grown MB": recording.growth_mb,
            "truth": truth,
            "counts": shares.without(counts, self.workload.ignored),
            "load": os.getloadavg()[0],
            "said": recording.errors.strip().splitlines()[-6:],
        }

    def truth_of(self, account):
        """{phase: share}; {} where nothing is known."""
        if self.workload.has_account:
            return shares.without(shares.true_shares(account["used"], account["whole"]), self.workload.ignored)
        return self.counts

    def examples(self, stacks):
        return [";".join(stack) for stack in stacks.counts if not self.workload.is_possible(stack)][:5]

    def row(self, profiler, rate, runs, ticks):
        comparison = shares.Comparison()
        for run in runs:
            comparison.add(run["counts"], run["truth"])
        tick_us = median(tick["cpu_us_per_tick"] for tick in ticks)
        cpu_us = median(run["cpu us"] for run in runs)
        samples, lost = (sum(run[key] for run in runs) for key in ("samples", "lost"))
        return {
            "profiler": profiler.name,
            "python": self.version,
            "workload": self.workload.name,
            "rate": rate,
            "samples": samples,
            "impossible": sum(run["impossible"] for run in runs),
            "lost %": 100 * lost / (samples + lost) if samples + lost else None,
            "error": comparison.largest_error(),
            "p": self.p_value(comparison, rate),
            "cpu us": cpu_us,
            "ticks": cpu_us / tick_us if cpu_us is not None and tick_us else None,
            "slow %": median(run["slow %"] for run in runs),
            "attach ms": median(run["attach ms"] for run in runs),
            "HWM MB": max(run["HWM MB"] for run in runs),
            "grown MB": max((run["grown MB"] for run in runs if run["grown MB"] is not None), default=None),
            "errors": comparison.errors(),
            "runs": runs,
            "tick runs": ticks,
        }

    def p_value(self, comparison, rate):
        """Calls that cost the same do so only nearly, so that a chi-square of enough samples always finds something."""
        if not self.workload.has_account:
            return None
        every = max(1, round(self.workload.turn_ms * rate / 1000))
        return comparison.p_value(every, self.workload.compared)

    def highest_rate(self, profiler):
        """What the profiler keeps of this workload with less than MISSED_ALLOWED of the intervals without a look."""

        def is_kept(rate):
            with tempfile.TemporaryDirectory() as folder, Target(self.python, self.workload, folder) as target:
                recording = Recording(profiler, target, rate, RATE_SECONDS, self.workload.with_idle, folder)
            return recording.samples - recording.unseen >= (1 - MISSED_ALLOWED) * rate * RATE_SECONDS
        return search_rate(lambda rate: any(is_kept(rate) for _ in range(RATE_TRIES)))

    def highest_tick_rate(self):
        """What a bare tick keeps beside this workload; None where there is none."""
        if not self.tick:
            return None

        def is_kept(rate):
            with tempfile.TemporaryDirectory() as folder:
                answer = run_tick(self.tick, self.python, self.workload, rate, RATE_SECONDS, folder)
            return answer["missed"] <= MISSED_ALLOWED * (answer["ticks"] + answer["missed"])
        return search_rate(lambda rate: any(is_kept(rate) for _ in range(RATE_TRIES)))


def search_rate(is_kept):
    """The highest rate for which is_kept(rate), to RATE_PRECISION; None when not even FIRST_RATE is kept."""
    kept, failed = None, FIRST_RATE
    while failed <= LAST_RATE and is_kept(failed):
        kept, failed = failed, failed * 2
    if kept is None:
        return None
    while failed > kept * RATE_PRECISION:
        middle = round((kept * failed) ** 0.5)
        if is_kept(middle):
            kept = middle
        else:
            failed = middle
    return kept


def cpu_per_sample(recording, short):
    samples = recording.samples - short.samples
    return 1e6 * (recording.cpu_seconds - short.cpu_seconds) / samples if samples > 0 else None


def median(values):
    """Of those that are known; None when none is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
