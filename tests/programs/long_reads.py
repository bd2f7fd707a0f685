"""Spends most of its time in reads of a big file, each of which is one system call of many milliseconds.

Runs until standard input closes; prints "ready" first. The file is in the folder for temporary files.
"""
import os
import select
import sys
import tempfile

FILE_BYTES = 96 << 20


def read_all(file):
    os.lseek(file, 0, os.SEEK_SET)
    return len(os.read(file, FILE_BYTES))


def main():
    with tempfile.TemporaryFile() as temporary:
        file = temporary.fileno()
        temporary.truncate(FILE_BYTES)
        read_all(file)
        print("ready")
        sys.stdout.flush()
        while not select.select([sys.stdin], [], [], 0)[0]:
            read_all(file)


if __name__ == "__main__":
    main()
