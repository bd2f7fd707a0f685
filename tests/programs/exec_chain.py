"""Replaces itself by os.execv with a program of the same interpreter: exec_chain.py PROGRAM [ARGUMENT...]."""
import os
import sys


def main():
    os.execv(sys.executable, [sys.executable] + sys.argv[1:])


if __name__ == "__main__":
    main()
