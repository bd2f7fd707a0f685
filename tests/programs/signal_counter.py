"""Counts the signals it gets, and goes on working: SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2.

    signal_counter.py [ENDING]    ends when standard input closes or, with ENDING, at the first of that signal (a name)

Prints "ready" first, then the name of each signal that came, and at the end the counts as one line of JSON. The status is 0, or 5 when a signal has ended it.
"""
import json
import select
import signal
import sys

COUNTED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
names = dict((getattr(signal, name), name) for name in COUNTED)
counts = dict.fromkeys(COUNTED, 0)


def count(number, frame):
    counts[names[number]] += 1


def say(text):
    print(text)
    sys.stdout.flush()


def is_told_to_end():
    try:
        return bool(select.select([sys.stdin], [], [], 0)[0])
    except select.error:  # interrupted by a signal, in Python 2
        return False


def work():
    return sum(range(1000))


def main():
    ending = sys.argv[1] if len(sys.argv) > 1 else None
    for name in COUNTED:
        signal.signal(getattr(signal, name), count)
    say("ready")
    told = dict(counts)
    while not is_told_to_end():
        work()
        for name in COUNTED:
            if counts[name] > told[name]:
                told[name] += 1
                say(name)
        if ending and counts[ending]:
            break
    say(json.dumps(counts))
    sys.exit(5 if ending and counts[ending] else 0)


if __name__ == "__main__":
    main()
