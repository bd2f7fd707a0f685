"""What the programs of tests/bench share: rounds of work until told to end, and an account of them for any stretch of time.

    from rounds import Account, run
    run(one_round)                          counts rounds
    account = Account("in_c", "sleeping")   knows how long each phase took, too
    run(one_round, account)                 where one_round does account.call(in_c, 2); account.call(sleeping, 3)

Prints "ready" at the start. Ends when standard input closes. A line "BEGIN END" on it, two values of perf_counter_ns(), which is
the same clock in every process, ends the program too, and asks for that stretch only: the one that was recorded. Each such
line asks for one.

At the end prints one line of JSON for each stretch: rounds, seconds and rounds_per_second, `used` (for each phase how much of the stretch was
its own) and `whole`, what that is a part of: the stretch in nanoseconds. In Python 2, which has no such clock, a stretch cannot
be asked for.
"""
import json
import select
import sys
import time
from array import array

NS_PER_S = 1000000000
#: A note is not taken sooner than this after the last one. Between two notes time is taken to be used evenly.
NOTE_NS = 500000
clock = getattr(time, "perf_counter_ns", None)
if clock is None:
    seconds_of_clock = getattr(time, "perf_counter", time.time)

    def clock():
        return int(seconds_of_clock() * NS_PER_S)


class Account(object):
    """How many rounds were done and what each phase has used, by the program's own clock."""

    def __init__(self, *phases):
        self.phases = phases
        self.numbers = {phase: number for number, phase in enumerate(phases)}
        self.used = [0] * len(phases)
        self.rounds = 0
        self.is_time = True
        self.notes = array("d")  # one after another: time, rounds, what each phase has used so far
        self.next_note = 0

    def call(self, function, argument):
        """A phase: the function's name says which. What happens between its two looks at the clock is the phase's."""
        started = clock()
        function(argument)
        ended = clock()
        self.used[self.numbers[function.__name__]] += ended - started
        if ended >= self.next_note:
            self.note(ended)

    def note(self, now):
        self.notes.append(now)
        self.notes.append(self.rounds)
        self.notes.extend(self.used)
        self.next_note = now + NOTE_NS

    def at(self, time_ns):
        """[rounds, used...] at that time, which lies between two notes or is moved there; and the time itself."""
        width = 2 + len(self.phases)
        low, high = 0, len(self.notes) // width - 1
        while low + 1 < high:
            middle = (low + high) // 2
            if self.notes[middle * width] <= time_ns:
                low = middle
            else:
                high = middle
        before = self.notes[low * width:(low + 1) * width]
        after = self.notes[high * width:(high + 1) * width]
        part = (time_ns - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0
        part = min(max(part, 0), 1)
        values = [left + part * (right - left) for left, right in zip(before, after)]
        return values[0], values[1:]

    def between(self, begin_ns, end_ns):
        begin, first = self.at(begin_ns)
        end, last = self.at(end_ns)
        difference = [right - left for left, right in zip(first, last)]
        seconds = (end - begin) / NS_PER_S
        used = dict(zip(self.phases, difference[1:]))
        return {
            "rounds": difference[0],
            "seconds": seconds,
            "rounds_per_second": difference[0] / seconds if seconds > 0 else 0.0,
            "used": used,
            "whole": end - begin if self.is_time else sum(used.values()),
        }


def is_told_to_end():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def stretches_asked_for(account):
    """The two times of each line on standard input; the whole run when there is no such line, or no such clock."""
    lines = [line.split() for line in sys.stdin.readlines()]
    if lines and hasattr(time, "perf_counter"):
        return [(int(begin), int(end)) for begin, end in lines]
    return [(account.notes[0], clock())]


def run(one_round, account=None, batch=1):
    """Does `batch` rounds at a time until told to end, and prints the account."""
    account = account or Account()
    print("ready")
    sys.stdout.flush()
    account.note(clock())
    while not is_told_to_end():
        for _ in range(batch):
            one_round()
        account.rounds += batch
        now = clock()
        if now >= account.next_note:
            account.note(now)
    account.note(clock())
    for begin, end in stretches_asked_for(account):
        print(json.dumps(account.between(begin, end)))
