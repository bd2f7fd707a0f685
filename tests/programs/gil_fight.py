"""Eight threads that all want the GIL, all the time, for the calls of pairs.py.

Thread k works in worker_k(). Each round costs the same, so a thread's share of the rounds is its share of the GIL, and
that is what the account says is used (rounds, not time; all of them together are the whole). Runs and reports as
rounds.py does. Needs Python 3.
"""
import threading
import time

import pairs
import rounds

account = rounds.Account(*["worker_%d" % number for number in range(8)])
account.is_time = False


def work(number):
    while True:
        pairs.one_round()
        account.used[number] += 1


def worker_0(): work(0)
def worker_1(): work(1)
def worker_2(): work(2)
def worker_3(): work(3)
def worker_4(): work(4)
def worker_5(): work(5)
def worker_6(): work(6)
def worker_7(): work(7)


def look_on():
    """The main thread's round: it only counts what the others do."""
    time.sleep(0.05)
    account.rounds = sum(account.used) - 1


def main():
    for worker in (worker_0, worker_1, worker_2, worker_3, worker_4, worker_5, worker_6, worker_7):
        threading.Thread(target=worker, daemon=True).start()
    rounds.run(look_on, account)


if __name__ == "__main__":
    main()
