"""Makes, runs and drops one function after the other, so that their code objects take each other's memory.

    made_functions.py [COUNT [SECONDS]]     500 functions by default, each of which runs for 0.015 seconds

Function number 7 is made_007 of the file <made 007>, begins in line 8 and computes in line 9; another line of that name
or file is false. Prints "ready", begins when a line comes on standard input, and ends with one line of JSON: how many
seconds each function ran by its own clock, and how many addresses their code objects had.
"""
import json
import sys
import time

COUNT, SECONDS = int((sys.argv[1:] + ["500"])[0]), float((sys.argv[2:] + ["0.015"])[0])
clock = getattr(time, "perf_counter", time.time)


def name_of(number):
    return "made_%03d" % number


def run(number):
    """Returns how long the function ran, and the address of the code object, which nothing needs any more."""
    source = "%sdef %s(end):\n while clock() < end: pass\n" % ("\n" * number, name_of(number))
    names = {"clock": clock}
    exec(compile(source, "<made %03d>" % number, "exec"), names)
    function = names.pop(name_of(number))
    started = clock()
    function(started + SECONDS)
    return clock() - started, id(function.__code__)


def main():
    print("ready")
    sys.stdout.flush()
    sys.stdin.readline()
    seconds, addresses = zip(*[run(number) for number in range(COUNT)])
    names = [name_of(number) for number in range(COUNT)]
    print(json.dumps({"seconds": dict(zip(names, seconds)), "addresses": len(set(addresses))}))


main()
