"""Threads that are busy for 80, 60, 40 and 20 per cent of the time, each in turns of its own, on a build without a GIL.

    duties.py [BUSY [IDLE]]     so many of them, the busiest first, and so many that sleep for ever; 4 and none by default

Thread busy_80 works in busy_80(). It is busy from when its sleep is due to end until it sleeps again, by its own clock: so
while it runs or waits for a CPU. Turns are 5 to 15 ms long. Runs and reports as rounds.py does. Needs Python 3.
"""
import random
import sys
import threading
import time

import rounds

DUTIES = (80, 60, 40, 20)
TURN_NS = (5000000, 15000000)
LOOK_SECONDS = 0.002
LONG_SECONDS = 3600


def spin():
    return sum(range(100))


def work(number, due, end):
    """The account is kept up to date, so that a stretch can begin and end within a turn."""
    before, now = account.used[number], due
    while now < end:
        spin()
        now = rounds.clock()
        account.used[number] = before + now - due


def busy_80(due, end): work(0, due, end)
def busy_60(due, end): work(1, due, end)
def busy_40(due, end): work(2, due, end)
def busy_20(due, end): work(3, due, end)


def live(busy, number):
    lengths = random.Random(number)
    due = rounds.clock()
    while True:
        length = lengths.uniform(*TURN_NS)
        busy(due, due + length * DUTIES[number] / 100)
        due = max(due + length, rounds.clock())
        time.sleep(max(0, due - rounds.clock()) / 1e9)


def rest():
    time.sleep(LONG_SECONDS)


def look_on():
    """The main thread's round: it only writes down what the others have done."""
    time.sleep(LOOK_SECONDS)


def start(name, function, *arguments):
    threading.Thread(target=function, name=name, args=arguments, daemon=True).start()


def main():
    for number, busy in enumerate(workers):
        start(busy.__name__, live, busy, number)
    for number in range(idle):
        start("idle-%d" % number, rest)
    rounds.run(look_on, account)


if __name__ == "__main__":
    count, idle = [int(word) for word in sys.argv[1:3] + ["4", "0"][len(sys.argv[1:3]):]]
    workers = (busy_80, busy_60, busy_40, busy_20)[:count]
    account = rounds.Account(*[busy.__name__ for busy in workers])
    main()
