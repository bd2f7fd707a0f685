"""Keeps some 200 threads, each of which computes now and then for a short life and is followed by another one.

    thread_waves.py [COUNT [SECONDS]]     200 that live for about 0.5 seconds

Prints "ready" first, and ends when standard input does; then it prints how many threads there were.
"""
import random
import select
import sys
import threading
import time

COUNT, SECONDS = int((sys.argv[1:] + ["200"])[0]), float((sys.argv[2:] + ["0.5"])[0])
is_over = False
lives = [0] * COUNT


def live(number, seconds):
    end = time.time() + seconds
    while time.time() < end:
        sum(range(300))
        time.sleep(0.05)
    if not is_over:
        follow(number)


def follow(number):
    lives[number] += 1
    thread = threading.Thread(target=live, args=(number, SECONDS * random.uniform(0.5, 1.5)))
    thread.daemon = True
    thread.start()


def main():
    global is_over
    for number in range(COUNT):
        follow(number)
    print("ready")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
    is_over = True
    print(sum(lives))


main()
