"""A recording that can be held, so that several of one program take turns."""
import os
import signal
import subprocess
import time

START_SECONDS = 1


def processes_of(pid):
    """A process and all that it has started."""
    found = [pid]
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, tid), encoding="ascii") as file:
            for child in file.read().split():
                found += processes_of(int(child))
    return found


class Recorder:
    """A recording by some build of pyspyc."""

    def __init__(self, binary, pid, rate, options, folder):
        self.process = subprocess.Popen(
            [binary, "record", "-f", "raw", "-o", os.path.join(folder, "%d.raw" % time.monotonic_ns()), "-r", str(rate),
             "-p", str(pid), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        time.sleep(START_SECONDS)
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)

    def pause(self):
        """Not SIGSTOP, with which the kernel would go on noting for it when the program leaves its CPU."""
        self.process.send_signal(signal.SIGUSR2)

    def go_on(self):
        self.process.send_signal(signal.SIGUSR1)

    def cpu_ns(self):
        """The CPU time of all threads that are there. Linux Documentation/scheduler/sched-stats.rst."""
        used = 0
        for pid in processes_of(self.process.pid):
            for tid in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/schedstat" % (pid, tid), encoding="ascii") as file:
                    used += int(file.read().split()[0])
        return used
