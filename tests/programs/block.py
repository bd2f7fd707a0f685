"""Works, and lets itself be recorded only in block(): tells the profiler by signals, whose number is in $PYSPYC_PID.

    block.py    prints "ready", then how many seconds it spent in block()
"""
import os
import signal
import sys
import time

SECONDS = 0.6
ROUNDS = 2


def busy(seconds):
    end = time.time() + seconds
    while time.time() < end:
        sum(range(1000))


def before():
    busy(SECONDS)


def block():
    busy(SECONDS)


def after():
    busy(SECONDS)


profiler = int(os.environ["PYSPYC_PID"])
sys.stdout.write("ready\n")
sys.stdout.flush()
spent = 0
for _ in range(ROUNDS):
    before()
    begin = time.time()
    os.kill(profiler, signal.SIGUSR1)
    block()
    os.kill(profiler, signal.SIGUSR2)
    spent += time.time() - begin
    after()
sys.stdout.write("%.3f\n" % spent)
