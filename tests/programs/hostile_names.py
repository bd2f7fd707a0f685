# -*- coding: utf-8 -*-
"""Threads that wait in functions, and files, whose names try to get out of wherever they are written.

    hostile_names.py [ARGUMENTS...]

Each thread is called like the function that it waits in, and so is the function's file. Ends with standard input.
"""
import sys
import threading

NAMES = {
    "escape": "esc\x1b[31mred\x1b[2J",
    "title of the terminal": "\x1b]0;owned\x07\x1b\\",
    "C1": "c1\x9b31m\x85\x90x\x9c",
    "delete and backspace": "a\x7f\x08\x08b",
    "right to left": "\u202eevil\u2066\u061c",
    "unseen": "un\u200bseen\ufeff\U000e0041",
    "NUL": "a\0b",
    "new lines": "a\nb\r\nc 7\n",
    "line separators": "a\u2028b\u2029c",
    "semicolon": "a;b;c 12",
    "script": "<script>document.title='owned';alert(1)</script>",
    "end of everything": "]]>--></script></style></metadata></title></svg><script>alert(2)</script>",
    "image": "<img src=http://127.0.0.1:9/x onerror=alert(3)>",
    "handler": "\" onload=\"alert(4)\" x='",
    "entity": "&lt;&#60;&amp;&x;",
    "quotes": "\"'`\\\\\"${7*7}",
    "JSON": "\"},{\"name\":\"forged\"",
    "lone surrogate": "\udc80\udcff\ud800",
    "no characters": "\ufffe\uffff",
    "leading space": "  leading",
    "trailing number": "trailing 12 ",
    "comment": "# 12",
    "table": "=1+1,\"a\tb\"",
    "format": "%s%n%1000000d",
    "path": "../../../etc/passwd",
    "beyond a plane": "𝒜é語",
    "long": "L" * 1000000,
}

SOURCE = "def block(ready, end):\n    ready.release()\n    end.wait()\n"


def renamed(function, name):
    """The same function, of another name and from another file."""
    code = function.__code__
    names = {"co_name": name, "co_filename": name}
    if hasattr(code, "co_qualname"):
        names["co_qualname"] = name
    function.__code__ = code.replace(**names)
    return function


def make(name):
    space = {}
    exec(SOURCE, space)
    return renamed(space["block"], name)


def main():
    ready, end = threading.Semaphore(0), threading.Event()
    for name in NAMES.values():
        threading.Thread(target=make(name), args=(ready, end), name=name, daemon=True).start()
    for _ in NAMES:
        ready.acquire()
    print("ready")
    sys.stdout.flush()
    sys.stdin.read()
    end.set()


if __name__ == "__main__":
    main()
