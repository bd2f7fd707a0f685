"""An interpreter that was made by the main thread and runs the calls of pairs.py in another one.

Runs until standard input closes; prints "ready" first.
"""
import os
import sys
import threading

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import pairs
def work():
    while True:
        pairs.one_round()
work()
"""


def main():
    script = SCRIPT.format(folder=os.path.dirname(os.path.abspath(__file__)))
    made_here = interpreters.create()
    thread = threading.Thread(target=interpreters.run_string, args=(made_here, script))
    thread.daemon = True
    thread.start()
    print("ready")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
