"""Becomes itself again and again, as soon as it can: exec_loop.py COUNT. Its status is 5."""
import os
import sys


def main():
    count = int(sys.argv[1])
    if count == 0:
        sys.exit(5)
    os.execv(sys.executable, [sys.executable, "-S", "-E", __file__, str(count - 1)])


if __name__ == "__main__":
    main()
