"""One thread that makes the calls of pairs.py, and many that sleep.

    busy_and_idle.py IDLE [PAUSE_MS]

The IDLE threads sleep for ever or, with PAUSE_MS, wake up after about so long each time and stir for a moment. In none
of them is a sleep ever something that runs. Runs and reports as rounds.py does, when all threads are there. Needs Python 3.
"""
import random
import sys
import threading
import time

import pairs
import rounds

LONG_SECONDS = 3600


def stir():
    return sum(range(1000))


def rest(seconds):
    time.sleep(seconds)


def sleeper(begun, pause_seconds, seed):
    pauses = random.Random(seed)
    begun.release()
    while True:
        rest(pause_seconds * pauses.uniform(0.5, 1.5) if pause_seconds else LONG_SECONDS)
        stir()


def main():
    count = int(sys.argv[1])
    pause_seconds = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0
    begun = threading.Semaphore(0)
    for number in range(count):
        threading.Thread(target=sleeper, args=(begun, pause_seconds, number), daemon=True).start()
    for number in range(count):
        begun.acquire()
    rounds.run(pairs.one_round, batch=50)


if __name__ == "__main__":
    main()
