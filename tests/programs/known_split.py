"""The functions of split.py, half, thirty, fifteen and five per cent of the time, in slices ten times as short.

A round is 2 ms, in an order that changes. Runs and reports as rounds.py does. Needs Python 3.
"""
import random

import rounds
import split

account = rounds.Account("half", "thirty", "fifteen", "five")
functions = [split.half, split.thirty, split.fifteen, split.five]
order = random.Random(5)


def one_round():
    order.shuffle(functions)
    for function in functions:
        account.call(function, split.clock() + split.SLICES_MS[function.__name__] / 10000)


if __name__ == "__main__":
    rounds.run(one_round, account)
