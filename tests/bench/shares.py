"""Shares of samples beside a known truth: how far off they are, and whether chance alone can explain it.

A stack belongs to the innermost function of it that is a phase; to OTHER when none is. The truth is a share for each phase.
"""
import collections
import math
import random

from common import harness

OTHER = "other"
#: A chi-square needs so many expected samples in each class.
LEAST_EXPECTED = 5


def phase_of(stack, phases):
    """The innermost function that is a phase."""
    names = (harness.function_name(frame) for frame in reversed(stack))
    return next((name for name in names if name in phases), OTHER)


def count_phases(stacks, phases):
    """{phase: samples} of harness.Stacks."""
    counts = collections.Counter()
    for stack, count in stacks.counts.items():
        counts[phase_of(stack, phases)] += count
    return counts


def true_shares(used, whole):
    """{phase: share}, with what no phase used as OTHER."""
    shares = {phase: part / whole for phase, part in used.items()}
    shares[OTHER] = max(0.0, 1 - sum(shares.values()))
    return shares


def only(values, names):
    return {name: value for name, value in values.items() if name in names}


def without(values, names):
    return {name: value for name, value in values.items() if name not in names}


class Comparison:
    """Samples of several runs beside what each run's truth lets expect of so many samples."""

    def __init__(self):
        self.observed = collections.Counter()
        self.expected = collections.Counter()

    def add(self, counts, truth):
        """Takes in a run. Only phases of the truth count, whose shares need not add up to 1."""
        counts = only(counts, truth)
        samples, whole = sum(counts.values()), sum(truth.values())
        self.observed.update(counts)
        self.expected.update({phase: samples * share / whole for phase, share in truth.items()} if whole else {})

    def errors(self):
        """{phase: points by which its share is too large}."""
        samples = sum(self.observed.values())
        if not samples:
            return {}
        return {phase: 100 * (self.observed[phase] - count) / samples for phase, count in self.expected.items()}

    def largest_error(self):
        """In points; None without samples."""
        return max((abs(error) for error in self.errors().values()), default=None)

    def p_value(self, every=1, among=None):
        """
        How likely a sampler without bias is at least so far off. `every`: one of so many samples is looked at, chosen at random,
        since samples that are near each other in time tell of the same turn of the program. `among` these phases only.
        """
        observed, expected = (only(values, among or self.expected) for values in (self.observed, self.expected))
        return chi_square_p(thin(observed, every), expected)


def thin(counts, every):
    """
    Chooses one of `every` samples: always the same ones for the same counts, but others for other counts, so that the
    luck of the choice is not the same in every row of a table.
    """
    if every <= 1:
        return dict(counts)
    samples = [phase for phase in sorted(counts) for _ in range(counts[phase])]
    choice = random.Random(repr(sorted(counts.items())))
    return collections.Counter(choice.sample(samples, len(samples) // every))


def chi_square_p(observed, expected):
    """p of Pearson's test. `expected` is scaled to the observed samples; None where there are too few to say anything."""
    samples, whole = sum(observed.values()), sum(expected.values())
    if not samples or not whole:
        return None
    scaled = {phase: count * samples / whole for phase, count in expected.items()}
    classes = pool(observed, scaled)
    if len(classes) < 2:
        return None
    statistic = sum((seen - awaited) ** 2 / awaited for seen, awaited in classes)
    return upper_tail(statistic, len(classes) - 1)


def pool(observed, expected):
    """[(observed, expected)] with the rarest phases taken together until LEAST_EXPECTED can be expected of each."""
    classes, seen, awaited = [], 0, 0.0
    for phase in sorted(expected, key=expected.get):
        seen += observed.get(phase, 0)
        awaited += expected[phase]
        if awaited >= LEAST_EXPECTED:
            classes.append((seen, awaited))
            seen, awaited = 0, 0.0
    return classes


def upper_tail(statistic, degrees):
    """
    P(chi-square of so many degrees of freedom > statistic). With x half the statistic and a half the degrees, it is the
    regularized upper incomplete gamma function Q(a, x): Q(1/2, x) = erfc(sqrt(x)), Q(1, x) = exp(-x), and
    Q(a + 1, x) = Q(a, x) + x^a exp(-x) / Gamma(a + 1).
    """
    x = statistic / 2
    if x <= 0:
        return 1.0
    a, tail = (0.5, math.erfc(math.sqrt(x))) if degrees % 2 else (1.0, math.exp(-x))
    while a < degrees / 2:
        tail += math.exp(a * math.log(x) - x - math.lgamma(a + 1))
        a += 1
    return tail
