"""Programs that forge their own memory, their files and their core files: whoever reads them comes to an end.

    PYSPYC=build/pyspyc PYSPYC_BREAK_CORE=build/tests/tools/break-core PYTHONPATH=tests/integration \\
        python3 test_hostile.py [TestClass.test_name]

tests/programs/hostile.py says what is forged. After each forgery every kind of reading ends in bounded time and memory,
the threads of which nothing was forged are reported as they are, what is missing of the others can be seen, and the
program runs on and is not held.

PYSPYC_LONG=1 reads each forgery of each version in each way, the heaviest in two ways each, and takes half an hour and 20 GB;
otherwise some versions and some ways take turns. PYSPYC_MORE_PYTHONS names more interpreters, with colons between them.

Not here: recorded memory with wrong words (unit/test_images.c), values with wrong words (tools/break-values.c,
integration/test_locals.py), files that were deleted or replaced (integration/test_finding.py, test_native.py), real deep
stacks (integration/test_depth.py).
"""
import concurrent.futures
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

import harness
import test_core

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
FAST_VERSIONS = ("2.7", "3.11", "3.15")
SECONDS = 0.5 if IS_LONG else 0.3
WORKERS = 2
DUMPS = 80
BREAKS = 100000 if IS_LONG else 200
MEBIBYTE = 1 << 20
#: What a reading may take: seconds beyond the duration of a recording (the longest take 10 where nobody else wants the
#: CPUs), and memory, most of it and while values are read.
TIME_LIMIT = 60 * harness.SLOWNESS
MEMORY_LIMIT, VALUES_MEMORY_LIMIT, ADDRESS_LIMIT = 200 * MEBIBYTE, 420 * MEBIBYTE, 1024 * MEBIBYTE

UNREADABLE, DEEPER, ELLIPSIS = "<unreadable>", "<deeper frames>", "\u2026"
MORE_THREADS = "there may be more threads, which cannot be listed"
CONTROL = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"

RECORD = ("record", "-f", "raw")
#: Ways to read a program. Where nobody is idle, only the thread that runs has to be there.
WAYS = {
    "dump": ("dump", "--json"),
    "values": ("dump", "--json", "--locals", "--native"),
    "record": RECORD,
    "gil": RECORD + ("--gil",),
    "idle": RECORD + ("--idle",),
    "native": RECORD + ("--idle", "--native"),
    "blocking": RECORD + ("--idle", "--blocking"),
    "subprocesses": RECORD + ("--idle", "--subprocesses"),
}

#: What has to be seen of the victim, or to be said: a name, the end of one, or a part of a message. None: all is there.
SIGNS = {
    "cycle": UNREADABLE, "cycle_of_one": UNREADABLE, "nameless_cycle": UNREADABLE, "unreadable_cycle": UNREADABLE,
    "frame_to_nowhere": UNREADABLE, "frame_into_the_kernel": UNREADABLE, "frame_at_odd_address": UNREADABLE,
    "state_without_frames": UNREADABLE, "deep": DEEPER, "deep_with_long_names": ELLIPSIS, "many_long_names": UNREADABLE,
    "many_busy_tables": UNREADABLE, "table_of_a_gigabyte": UNREADABLE, "huge_table": UNREADABLE,
    "negative_table": UNREADABLE, "huge_filename": ELLIPSIS, "huge_name": ELLIPSIS, "negative_name": ELLIPSIS,
    "code_in_itself": UNREADABLE, "wrong_types": UNREADABLE, "threads_cycle": MORE_THREADS,
    "thread_leads_to_itself": MORE_THREADS, "threads_to_nowhere": MORE_THREADS,
    "thread_of_another_interpreter": MORE_THREADS, "a_million_threads": MORE_THREADS,
    "a_million_deep_threads": MORE_THREADS, "interpreters_cycle": MORE_THREADS, "interpreters_to_nowhere": MORE_THREADS,
    "interpreters_of_zeros": MORE_THREADS, "cookie": None, "offsets": None, "shifted_offsets": None, "deep_values": None,
    "circular_values": None, "wrong_values": None, "control_characters": None, "flickering_memory": None,
    "elf_header": None,
}
#: These take seconds, and each is read in one version only when time is short.
HEAVY = ["deep", "deep_with_long_names", "many_long_names", "many_busy_tables", "a_million_threads",
         "a_million_deep_threads"]
#: And each of them is read in so many versions in other ways.
HEAVY_TURNS = 4
#: A program that is being attached to is refused, with a sentence; from 3.13 on.
REFUSED = {"cookie": "debug offsets are not there, or were overwritten", "offsets": "debug offset at 40 is out of range",
           "shifted_offsets": "debug offset"}
#: The others' innermost function.
OTHERS = {"elder": "rest", "younger": "rest", "beating": "beat", "MainThread": "main"}


def versions():
    """[(version, path)]: what is read."""
    found = harness.interpreters()
    for path in filter(None, os.environ.get("PYSPYC_MORE_PYTHONS", "").split(":")):
        numbers, is_free_threaded = harness.describe(path)
        found.append((".".join(map(str, numbers)) + "t" * is_free_threaded, path))
    if IS_LONG:
        return found
    chosen = {}
    for version, path in found:
        chosen[re.match(r"\d+\.\d+", version).group()] = version, path
    return [chosen[minor] for minor in FAST_VERSIONS if minor in chosen]


class Watched:
    """A run of the profiler, with what it took."""

    def __init__(self, case, *arguments, address_limit=ADDRESS_LIMIT):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (address_limit, address_limit))
        self.peak = 0
        began = time.monotonic()
        with tempfile.TemporaryFile(dir=case.folder) as output, tempfile.TemporaryFile(dir=case.folder) as errors:
            child = subprocess.Popen([harness.pyspyc()] + [str(argument) for argument in arguments], stdout=output,
                                     stderr=errors, stdin=subprocess.DEVNULL, cwd=case.folder,
                                     env=case.environment(), preexec_fn=limit)
            try:
                while child.poll() is None:
                    if time.monotonic() - began > 3 * TIME_LIMIT:
                        raise AssertionError("%s does not end" % (arguments,))
                    self.peak = max(self.peak, self.memory_of(child.pid))
                    time.sleep(harness.POLL)
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            self.seconds = time.monotonic() - began
            self.status = child.returncode
            output.seek(0)
            errors.seek(0)
            self.output, self.errors = output.read().decode(errors="replace"), errors.read().decode(errors="replace")

    @staticmethod
    def memory_of(pid):
        """The most that it has had, in bytes."""
        fields = harness.status_of(pid)
        return int(fields.get("VmHWM", "0 kB").split()[0]) * 1024

    def __str__(self):
        return "status %d after %.1f s and with %d MiB\n%s\n%s" % (
            self.status, self.seconds, self.peak // MEBIBYTE, self.output[:2000], self.errors[:2000])


class Hostile:
    """A hostile.py: what is asked of it, and whether it runs."""

    def __init__(self, case, python, version):
        self.case, self.version = case, version
        folder = tempfile.mkdtemp(dir=case.folder)
        self.counter = os.path.join(folder, "counter")
        with open(self.counter, "wb") as file:
            file.write(bytes(8))
        self.process = case.start(python, harness.program("hostile.py"), self.counter, "10" if IS_LONG else "1")
        case.assertEqual(self.process.read_line(), "ready")
        self.names = json.loads(self.ask("names"))

    def ask(self, word):
        self.process.child.stdin.write(word.encode() + b"\n")
        self.process.child.stdin.flush()
        return self.process.read_line()

    def forge(self, name):
        self.case.assertEqual(self.ask(name), name)

    def undo(self):
        self.case.assertEqual(self.ask("undo"), "undo")

    def beats(self):
        with open(self.counter, "rb") as file:
            return struct.unpack("Q", file.read())[0]

    def check_alive(self):
        """The thread that counts goes on counting, and nobody holds the program."""
        before = self.beats()
        harness.wait_until(lambda: self.beats() != before, "the heart beats")
        self.case.assert_unharmed(self.process)


class HostileCase(harness.TestCase):

    def read(self, target, forgery, way):
        """One reading of a program: what holds for all of them."""
        # The first look at what is heavy takes a while.
        seconds = 0 if "dump" in WAYS[way] else 2 if forgery in HEAVY else SECONDS
        more = ("-d", seconds, "-o", "-") if seconds else ()
        result = Watched(self, *WAYS[way], "-p", target.process.pid, *more)
        self.assertLess(result.seconds, TIME_LIMIT + seconds, result)
        self.assertLess(result.peak, VALUES_MEMORY_LIMIT if way == "values" else MEMORY_LIMIT, result)
        target.check_alive()
        if forgery in REFUSED and target.version[:4] >= "3.13" and target.version[0] == "3" and target.version[3] != ".":
            self.assertEqual(result.status, 1, result)
            self.assertIn(REFUSED[forgery], result.errors, result)
            return None
        self.assertEqual(result.status, 0, result)
        return result

    def check_dump(self, target, forgery, way):
        result = self.read(target, forgery, way)
        if not result:
            return
        threads = json.loads(result.output)
        by_name = {}
        for thread in threads:
            by_name.setdefault(thread["thread_name"], thread)
        for name, function in OTHERS.items():
            self.assertIn(name, by_name, result)
            functions = [harness.function_name(frame["name"]) for frame in by_name[name]["frames"]]
            self.assertIn(function, functions, result)
        self.check_signs(forgery, threads, result)

    def check_signs(self, forgery, threads, result):
        sign = SIGNS[forgery]
        if sign == MORE_THREADS:
            self.assertIn(MORE_THREADS, result.errors, result)
            return
        self.assertNotIn(MORE_THREADS, "" if forgery == "flickering_memory" else result.errors, result)
        victims = [thread for thread in threads if thread["thread_name"] == "victim"]
        self.assertTrue(victims, result)
        if not sign:
            return
        frames = victims[0]["frames"]
        texts = [text or "" for frame in frames for text in (frame["name"], frame["filename"])]
        is_seen = any(text.endswith(sign) for text in texts)
        self.assertTrue(is_seen, texts[:20])

    def check_record(self, target, forgery, way):
        result = self.read(target, forgery, way)
        if not result:
            return
        stacks = harness.Stacks(result.output)
        wanted = {"record": (), "gil": ()}.get(way, ("rest", "main"))
        for function in wanted:
            self.assertGreater(stacks.total(stacks.with_function(function)), 0, "%s: %s" % (function, result))
        counted = re.search(r"of (\d+) intervals: (\d+) ok, (\d+) idle, (\d+) torn, (\d+) unreadable, (\d+) missed",
                            result.errors)
        self.assertTrue(counted, result)
        numbers = [int(number) for number in counted.groups()]
        self.assertEqual(numbers[0], sum(numbers[1:]), result)
        if SIGNS[forgery] == MORE_THREADS:
            self.assertRegex(result.errors, "have gaps: .*(broken thread list|memory not mapped)", result)

    def check(self, target, forgery, way):
        target.forge(forgery)
        try:
            (self.check_dump if "dump" in WAYS[way] else self.check_record)(target, forgery, way)
        except AssertionError as failure:
            raise AssertionError("%s, %s, %s: %s" % (target.version, forgery, way, failure)) from failure
        finally:
            target.undo()


class TestForgeries(HostileCase):
    """What a program may do to its own memory."""

    def choose(self, number):
        """[(forgery, way)] for one of the versions: all, or some so that all have their turn, as heavy ones always have."""
        if IS_LONG:
            return [(forgery, way) for forgery in SIGNS for place, way in enumerate(WAYS)
                    if forgery not in HEAVY or place % HEAVY_TURNS == number % HEAVY_TURNS]
        chosen = []
        others = [way for way in WAYS if way != "dump"]
        for place, forgery in enumerate(SIGNS):
            is_turn = place % len(FAST_VERSIONS) == number
            if forgery not in HEAVY or is_turn:
                chosen.append((forgery, "dump"))
            if is_turn:
                chosen.append((forgery, others[place // len(FAST_VERSIONS) % len(others)]))
        return chosen

    def check_version(self, number, version, python):
        target = Hostile(self, python, version)
        self.assertEqual(sorted(SIGNS), target.names)
        failures = []
        for forgery, way in self.choose(number):
            try:
                self.check(target, forgery, way)
            except AssertionError as failure:
                failures.append(str(failure)[:3000])
                if not target.process.alive():
                    target = Hostile(self, python, version)
        try:  # the program itself was not changed by any of it, and works on
            target.check_alive()
        except AssertionError as failure:
            failures.append("%s, at the end: %s, %s" % (version, failure, target.process.stderr()))
        target.process.end()  # it has up to 8 GB
        print("%s: %d readings, %d went wrong" % (version, len(self.choose(number)), len(failures)), file=sys.stderr, flush=True)
        return failures

    def test_all(self):
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(self.check_version, number, *row) for number, row in enumerate(versions())]
            failures = [failure for job in jobs for failure in job.result()]
        if failures:
            self.fail("%d readings went wrong\n%s" % (len(failures), "\n".join(failures)))

    def test_threads_that_fall_asleep_between_readings(self):
        """While a list can seldom be read whole, it is read again and again: each thread is shown, whatever it does then."""
        version, python = versions()[-1]
        target = Hostile(self, python, version)
        target.forge("flickering_memory")
        for number in range(DUMPS):
            more = ("--locals", "--native") if number % 2 else ()
            threads = json.loads(Watched(self, "dump", "--json", *more, "-p", target.process.pid).output)
            self.assertEqual({"victim", "flickering", "MainThread", *OTHERS} - {each["thread_name"] for each in threads}, set())
        target.undo()
        target.check_alive()

    def test_names(self):
        """Every control character: none of them reaches a terminal, and JSON has each as it is."""
        for version, python in versions():
            target = Hostile(self, python, version)
            target.forge("control_characters")
            text = Watched(self, "dump", "-l", "-p", target.process.pid)
            self.assertEqual(text.status, 0, text)
            self.assertIsNone(re.search(CONTROL, text.output), repr(text.output))
            self.assertIn("\\x1b", text.output)
            threads = json.loads(Watched(self, "dump", "--json", "-p", target.process.pid).output)
            frame = next(thread for thread in threads if thread["thread_name"] == "victim")["frames"][0]
            every = "".join(map(chr, range(128)))
            self.assertTrue(frame["name"].startswith(every), repr(frame["name"]))
            if version[0] == "3":
                self.assertTrue(frame["name"].startswith("".join(map(chr, range(256)))), repr(frame["name"]))
                self.assertEqual(frame["filename"], "".join(map(chr, range(256))))
            outcome, stacks = self.record("-d", "0.3", "-i", "-p", target.process.pid)
            self.assertEqual(outcome.status, 0, outcome)
            names = {frame for stack in stacks.counts for frame in stack}
            self.assertFalse([name for name in names if re.search(CONTROL, name)])
            # A semicolon or a line's end in a name makes no frame and no stack of its own.
            victims = [stack for stack in stacks.counts if any("hold (" in frame for frame in stack)]
            self.assertEqual(len({len(stack) for stack in victims}), 1, victims)
            target.undo()
            target.check_alive()


class TestFiles(HostileCase):
    """Files that change while they are read."""

    def scribble(self, path, is_over):
        """Cuts a file, and makes it whole again, as often as that goes."""
        with open(path, "rb") as file:
            whole = file.read()
        length = len(whole)
        step = 0
        while not is_over.is_set():
            step += 1
            cut = length * (step * 37 % 100) // 100
            os.truncate(path, cut)
            time.sleep(0.002)
            with open(path, "r+b") as file:
                file.write(whole if step % 3 else bytes(cut) + whole[cut:])
            time.sleep(0.002)
        with open(path, "r+b") as file:
            file.write(whole)

    def test_truncated_while_read(self):
        """A library of which a thread waits in a function is cut and rewritten all the time, debugging information and all."""
        library = self.path("parked.so")
        with open(self.path("parked.c"), "w") as file:
            file.write(PARKED_IN_C)
        subprocess.run(["cc", "-shared", "-fPIC", "-g", "-O1", "-o", library, file.name], check=True)
        target = self.start(self.python, "-c", PARKED, library)
        self.assertEqual(target.read_line(), "ready")
        is_over = threading.Event()
        scribbler = threading.Thread(target=self.scribble, args=(library, is_over))
        scribbler.start()
        try:
            for turn in range(60 if IS_LONG else 6):
                for options in (("dump", "--native", "--json"), ("dump", "--native-all", "--locals")):
                    result = Watched(self, *options, "-p", target.pid)
                    self.assertEqual(result.status, 0, result)
                    self.assertLess(result.seconds, TIME_LIMIT, result)
                    self.assertIn("wait", result.output)
                result = Watched(self, "record", "-d", "0.3", "-f", "raw", "-o", "-", "-i", "--native", "-p", target.pid)
                self.assertEqual(result.status, 0, result)
                self.assertIn("wait", result.output)
        finally:
            is_over.set()
            scribbler.join()
        self.assert_unharmed(target)

    def test_interpreter_cut_behind_what_is_loaded(self):
        """The interpreter's own file loses its tables of sections and symbols, and is then another file."""
        copy = shutil.copy(self.python, self.path("python"))
        question = "import sys; print(sys.prefix)"
        prefix = subprocess.run([self.python, "-c", question], stdout=subprocess.PIPE).stdout.decode().strip()
        target = self.start(copy, harness.program("plain.py"), env=self.environment(PYTHONHOME=prefix))
        self.assertEqual(target.read_line(), "ready")
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", "-", "-i", "--native", "-d", "3", "-p", target.pid)
        time.sleep(0.5)  # any time will do
        # The kernel does not let anybody write to a program that runs: what can be done is to put another in its place.
        with open(copy, "rb") as file:
            content = file.read()
        for cut in (len(content) - 100, len(content) // 2, 4096, 64, 0):
            other = self.path("other")
            with open(other, "wb") as file:
                file.write(content[:cut])
            os.rename(other, copy)
            result = Watched(self, "dump", "--native", "--json", "-p", target.pid)
            self.assertEqual(result.status, 0, result)
            self.assertIn("inner", result.output)
            self.assertLess(result.seconds, TIME_LIMIT, result)
        status, output = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())
        self.assertIn("inner", output)
        self.assert_unharmed(target)


#: Waits in a library for what never comes, so that it runs nothing of its file any more.
PARKED_IN_C = """
#include <unistd.h>
int stay(int file) { char c; return read(file, &c, 1) < 0; }
int park(int file) { return stay(file) + 1; }
"""
PARKED = """
import ctypes, os, sys, threading, time
library = ctypes.CDLL(sys.argv[1])
def wait(file):
    library.park(file)
threading.Thread(target=wait, args=(os.pipe()[0],), daemon=True).start()
while open("/proc/self/task/%s/syscall" % max(os.listdir("/proc/self/task"), key=int)).read().split()[0] == "running":
    time.sleep(0.01)
print("ready"); sys.stdout.flush()
sys.stdin.read()
os._exit(0)
"""


class TestCores(test_core.TestCore):
    """A core file that is cut anywhere, or of which a page is another: it is read as far as it goes, or refused."""

    STEP = 64 * 1024

    def check_core(self, path, *options):
        result = Watched(self, "dump", "--core", path, *options)
        self.assertIn(result.status, (0, 1), result)
        self.assertLess(result.seconds, TIME_LIMIT, result)
        self.assertLess(result.peak, MEMORY_LIMIT, result)
        if result.status == 1:
            self.assertTrue(result.errors.startswith("pyspyc: "), result)
        return result

    def test_cut_anywhere(self):
        _, path = self.small_core()
        size = os.stat(path).st_size
        places = list(range(size - size % self.STEP, -1, -self.STEP))
        if not IS_LONG:
            places = places[::max(1, len(places) // 24)]
        read = 0
        for number, place in enumerate(places):
            os.truncate(path, place)
            result = self.check_core(path, *(("--native", "--locals") if number % 2 else ()))
            self.assertTrue(result.status == 1 or test_core.CUT in result.errors, result)
            read += result.status == 0
        # What Python needs stands all over the file, but not in its last part.
        self.assertGreater(read, 0)
        self.assertLess(read, len(places))


    def test_broken(self):
        """With a few words of it wrong; see tests/tools/break-core.c, which a crash of it or a minute's silence ends."""
        _, path = self.small_core()
        shares = [(BREAKS // WORKERS, 1 + number * (BREAKS // WORKERS)) for number in range(WORKERS)]
        runs = [self.start(os.environ["PYSPYC_BREAK_CORE"], path, count, first) for count, first in shares]
        for run in runs:
            status, output = run.finish(BREAKS * TIME_LIMIT / 100)
            self.assertEqual(status, 0, output + run.stderr())
            self.assertRegex(output, r"break-core: \d{2,} of \d+ could be read")


# What it has inherited is tested there.
for name in dir(test_core.TestCore):
    if name.startswith("test_"):
        setattr(TestCores, name, None)
del name


if __name__ == "__main__":
    harness.main()
