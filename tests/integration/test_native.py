"""C, C++, Cython and Rust functions in stacks, with `--native` and `--native-all`: what the programs say themselves.

    PYSPYC=build/pyspyc python3 test_native.py [INTERPRETER] [TestClass.test_name]

What is in C is built by the system's compiler, into the test's folder. What cannot be built here is said by name.
PYSPYC_LONG=1 records all, and for longer.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

import harness
import test_record
import test_where

#: Of the library of nest.c: no function of it becomes a part of another one, or is left by a jump.
PLAIN = ("-g", "-O1", "-fno-inline", "-fno-optimize-sibling-calls")
LOSSES = re.compile(r"pyspyc: (?:in )?(\d+) samples (have no C frames|not all C frames are shown)")


IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
SECONDS = 1 if IS_LONG else 0.5
LEAST = 10  # samples, on a machine that has better things to do
#: Variants of nest.py that are recorded in the fast run; of the others there is a dump.
RECORDED = (("gil", "spin", "thread"), ("free", "sleep", "main"))


class Symbols:
    """What binutils read in debugging information of files' addresses: the functions there, innermost first."""

    def __init__(self):
        self.known = {}

    def look_up(self, pairs):
        """[(file, address)] to a list of lists of names; an empty list where nothing is known."""
        by_file = {}
        for file, address in pairs:
            if (file, address) not in self.known:
                by_file.setdefault(file, set()).add(address)
        for file, addresses in by_file.items():
            self._ask(file, sorted(addresses))
        return [self.known[pair] for pair in pairs]

    def _ask(self, file, addresses):
        command = ["addr2line", "-f", "-i", "-a", "-e", file] + ["%#x" % address for address in addresses]
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=harness.DEADLINE)
        parts = re.split(r"^0x([0-9a-f]+)\n", answer.stdout.decode(), flags=re.MULTILINE)[1:]
        answers = {int(number, 16): text.splitlines() for number, text in zip(parts[::2], parts[1::2])}
        for address in addresses:
            lines = answers.get(address, [])
            # Names without a source are those of the nearest symbols.
            self.known[file, address] = [plain(name) for name, place in zip(lines[::2], lines[1::2])
                                         if name != "??" and not place.startswith("??")]


def plain(name):
    return name[:1] + name[1:].split(".")[0]


def losses_of(outcome):
    """How many samples lack C frames, and how many have not all of them."""
    counts = {"have no C frames": 0, "not all C frames are shown": 0}
    counts.update((what, int(count)) for count, what in LOSSES.findall(outcome.errors))
    return tuple(counts.values())


class NativeCase(test_record.RecordCase):
    """Steps that several tests share."""

    def source(self, name):
        return os.path.join(harness.PROGRAMS, "native", name)

    def build(self, source, *options, compiler="cc"):
        """Makes a shared library of a source; returns its path."""
        path = self.path(os.path.splitext(os.path.basename(source))[0] + ".so")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", path, self.source(source), *options, "-pthread"], check=True,
                       timeout=harness.DEADLINE)
        return path

    def start_native(self, name, *arguments, **options):
        """Starts tests/programs/native/NAME; returns (process, its first line)."""
        return self.start_target(os.path.join("native", name), *arguments, **options)

    def dump_native(self, pid, *options):
        """Each thread's frames, outermost first, by the thread's name."""
        outcome = self.run_pyspyc("dump", "--json", "--pid", pid, *(options or ("--native",)))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.errors, "", outcome)
        return {thread["thread_name"]: thread["frames"][::-1] for thread in json.loads(outcome.output)}

    def record_native(self, pid, *options):
        outcome, stacks = self.record("-r", "500", "-d", SECONDS, "--pid", pid, *(options or ("--native",)))
        self.assertEqual(outcome.status, 0, outcome)
        return outcome, stacks


def frame_of_text(text):
    """A frame of a raw stack, as dump would have it."""
    match = re.fullmatch(r"(.*) \((.*?)(?::(\d+))?\)", text)
    return {"name": match.group(1), "filename": match.group(2)} if match else {"name": text, "filename": ""}


def trail_of(frames):
    """The functions of nest.c and nest.py in a stack, from where they begin."""
    def is_ours(frame):
        return frame["name"].startswith("nest_") or frame["filename"].endswith("nest.py")

    names = [frame["name"].split(".")[-1] for frame in frames if is_ours(frame)]
    return names[names.index("alpha"):] if "alpha" in names else names


class OrderCase(NativeCase):
    """nest.py's stack: C and Python functions in the order in which they have called each other."""

    @classmethod
    def setUpClass(cls):
        cls.symbols = Symbols()

    def start_nest(self, lock, ending, place):
        library = self.build("nest.c", *PLAIN)
        target, line = self.start_native("nest.py", library, lock, ending, place)
        if ending == "sleep":
            harness.wait_until(lambda: harness.status_of(target.pid)["State"][0] == "S", "the target sleeps")
        return target, json.loads(line)

    def find_nested(self, threads, place):
        return next(frames for name, frames in threads.items() if (name == "MainThread") == (place == "main"))

    def check(self, lock, ending, place):
        target, truth = self.start_nest(lock, ending, place)
        frames = self.find_nested(self.dump_native(target.pid), place)
        self.assertEqual(trail_of(frames), truth["python"])
        self.check_all(self.find_nested(self.dump_native(target.pid, "--native-all"), place), truth)
        if IS_LONG or (lock, ending, place) in RECORDED:
            self.check_recording(target, truth, ("--native",))
            self.check_recording(target, truth, ("--native-all",))
        self.assert_unharmed(target)
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def check_recording(self, target, truth, options):
        outcome, stacks = self.record_native(target.pid, "-i", *options)
        found = {}
        for stack, count in stacks.counts.items():
            trail = tuple(trail_of([frame_of_text(text) for text in stack]))
            if "alpha" in trail:
                found[trail] = found.get(trail, 0) + count
        whole = tuple(truth["python"])
        without_c = tuple(name for name in whole if not name.startswith("nest_"))
        missing, unmatched = losses_of(outcome)
        self.assertLessEqual(set(found), {whole, without_c}, outcome)
        self.assertLessEqual(found.get(without_c, 0), missing, outcome)
        self.assertGreater(found[whole], LEAST, outcome)
        self.assertEqual(unmatched, 0, outcome)

    def check_all(self, frames, truth):
        """All of the C stack, with the names that binutils know, up to where the innermost function waits."""
        python = trail_of(frames)
        self.assertEqual(python, truth["python"])
        found = [plain(frame["name"]) for frame in reversed(frames) if frame["kind"] == "native"]
        leaf = truth["python"][-1]
        self.assertIn(leaf, found)
        del found[:found.index(leaf)]
        expected = self.expected_names(truth["c"])
        table = "\n".join("%s | %s" % pair for pair in zip(found, expected))
        self.assertEqual(len(found), len(expected), table)
        for name, wanted in zip(found, expected):
            self.assertTrue(not wanted or name in wanted, "%s is no %s\n%s" % (name, wanted, table))

    def expected_names(self, c_frames):
        """Names of functions, innermost first, each of which can have several; none: nobody knows."""
        names = []
        places = [(file, address) for file, address, _ in c_frames]
        for (_, _, exported), looked_up in zip(c_frames, self.symbols.look_up(places)):
            outermost = {name for name in (looked_up[-1:] + [plain(exported)]) if name}
            names += [{name} for name in looked_up[:-1]] + [outermost]
        return names


class TestOrder(OrderCase):
    pass


def add_order_tests():
    for lock in ("gil", "free"):
        for ending in ("spin", "sleep"):
            for place in ("main", "thread"):
                def test(self, words=(lock, ending, place)):
                    self.check(*words)

                setattr(TestOrder, "test_%s_%s_%s" % (lock, ending, place), test)


add_order_tests()


class TestOrderByStopping(OrderCase):
    """Where the kernel does not write the registers of a thread down."""
    prefix = harness.BY_STOPPING

    def test_recordings(self):
        for words in RECORDED:
            with self.subTest(words=words):
                self.check(*words)


def is_stripped(python):
    """Whether the interpreter's file, or its library, has lost the names of functions that are not exported."""
    question = "import ctypes; print(open('/proc/self/maps').read())"
    maps = subprocess.run([python, "-c", question], stdout=subprocess.PIPE, check=True, timeout=harness.DEADLINE)
    names = set(re.findall(r"r-xp .* (/\S+)", maps.stdout.decode()))
    files = [name for name in names if re.search(r"/(lib)?python[^/]*$", name)]
    sections = subprocess.run(["readelf", "-SW", *files], stdout=subprocess.PIPE, check=True, timeout=harness.DEADLINE)
    return b".symtab" not in sections.stdout


#: Programs of leafs.py, and what is to be found under them: always, and where the interpreter's functions have names.
LEAFS = {
    "compress": (r"^deflate \(libz", r"^(PyZlib_|zlib_)compress"),
    "sort": (r"^python3[^ ]*\+0x|sort", r"^list_?sort"),
    "sort_by_key": (r"^python3[^ ]*\+0x|sort", r"^list_?sort"),
    "match": (r"^python3[^ ]*\+0x|sre_", r"^sre_(ucs1_)?(search|match)"),
    "digest": (r"SHA|sha|libcrypto|EVP", r"(?i)sha"),
    "add": (r"^python3[^ ]*\+0x|sum", r"^builtin_sum"),
    "parse": (r"^_json\.|^python3[^ ]*\+0x|scan_once", r"scan_once"),
    "sleep": (r"^(pselect6|select|clock_nanosleep) \(kernel\)", r"^(time_|py)sleep"),
    "wait": (r"^futex \(kernel\)", r"^(PyThread_acquire_lock|_PyMutex_LockTimed|PyMutex_LockTimed|_PySemaphore_)"),
}


class TestLeafs(NativeCase):
    """The C function in which the time goes is named."""

    def shares_of(self, process, function, patterns, *options):
        """Of the samples of a Python function that have C frames: the shares that have frames like these."""
        outcome, stacks = self.record_native(process.pid, "--native", "-i", *options)
        in_function = stacks.with_function(function)
        missing, unmatched = losses_of(outcome)
        self.assertEqual(unmatched, 0, outcome)
        whole = stacks.total(in_function) - missing
        self.assertGreater(whole, LEAST, outcome)
        shares = []
        for pattern in patterns:
            def has_it(stack, pattern=pattern):
                return in_function(stack) and any(re.search(pattern, frame) for frame in stack)
            shares.append(stacks.total(has_it) / whole)
        self.assert_unharmed(process)
        return shares, "\n".join(sorted({";".join(stack) for stack in stacks.counts if in_function(stack)})) + str(outcome)

    def test_leafs(self):
        stripped = is_stripped(self.python)
        for name, (always, named) in LEAFS.items():
            with self.subTest(leaf=name):
                target, line = self.start_native("leafs.py", name)
                self.assertEqual(line, "ready")
                patterns = (always,) if stripped else (always, named)
                shares, message = self.shares_of(target, name, patterns)
                self.assertGreater(min(shares), 0.7, message)  # the rest is what leads there, and frees what came of it
                target.end()

    def test_numpy(self):
        self.check_of_system("numpy", ("leafs.py", "multiply"), "multiply", r"gemm")

    def test_torch(self):
        self.check_of_system("torch", ("convolve.py",), "convolve", r"^at::native::conv2d",
                             r"gemm|mkldnn|dnnl|im2col|thnn_conv2d")

    def check_of_system(self, module, words, function, *patterns):
        """With a module that Debian's python3 has; others need not."""
        if subprocess.run([self.python, "-c", "import " + module], stderr=subprocess.DEVNULL).returncode != 0:
            self.assertNotEqual(self.python, harness.system_python() if os.environ.get("PYSPYC_REQUIRE_TORCH") else "")
            self.skipTest("%s has no %s" % (self.python, module))
        target, line = self.start_native(*words)
        self.assertEqual(line, "ready")
        shares, message = self.shares_of(target, function, patterns)
        self.assertGreater(min(shares), 0.6, message)


class TestOtherLanguages(NativeCase):
    """C++, Rust, Cython, and code that was made in memory."""

    def forget_names(self, process):
        """Removes the file with the names of code made in memory, of whose end nobody but us knows for sure."""
        path = "/tmp/perf-%d.map" % process.pid
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))

    def stacks_under(self, function, process, *options):
        """What stands under a Python function: {names, outermost first, with files and lines: samples}."""
        outcome, stacks = self.record_native(process.pid, *(options or ("--native",)))
        found = {}
        for stack, count in stacks.counts.items():
            names = [harness.function_name(frame) for frame in stack]
            if function in names:
                inner = stack[len(names) - names[::-1].index(function):]
                found[inner] = found.get(inner, 0) + count
        self.assertGreater(sum(found.values()), LEAST, outcome)
        self.assert_unharmed(process)
        return found

    def assert_chain(self, found, *patterns):
        """Nearly all stacks that have C frames at all have frames like these, in this order."""
        def has_chain(stack):
            frames = iter(stack)
            return all(any(re.search(pattern, frame) for frame in frames) for pattern in patterns)

        whole = sum(count for stack, count in found.items() if stack)
        message = "\n".join(";".join(stack) for stack in found)
        self.assertGreater(sum(count for stack, count in found.items() if has_chain(stack)), 0.9 * whole, message)

    def place(self, name, function):
        """A pattern for the lines that say they are in a function, and for what begins a loop around them."""
        with open(self.source(name), encoding="utf-8") as source:
            lines = source.read().splitlines()
        numbers = [number for number, line in enumerate(lines, 1) if "in %s()" % function in line]
        return r"\(.*%s:(%s)\)" % (re.escape(name), "|".join(map(str, [min(numbers) - 1] + numbers)))

    def test_cpp(self):
        """Names are demangled, and what was inlined is there."""
        library = self.build("mill.cc", "-g", "-O2", compiler="c++")
        target, _ = self.start_native("loop_library.py", library)
        found = self.stacks_under("repeat", target)
        self.assert_chain(found, r"^work \(.*mill\.cc:\d+\)", r"^mill::run " + self.place("mill.cc", "run"),
                          r"^mill::Stone<unsigned long>::grind " + self.place("mill.cc", "grind"))
        self.assertTrue(any("mill::Stone<unsigned long>::turn" in stack[-1] for stack in found if stack), found)

    def test_rust(self):
        if not shutil.which("rustc"):
            self.skipTest("there is no rustc: Rust was not tested")
        library = self.path("crate.so")
        subprocess.run(["rustc", "--crate-type", "cdylib", "-C", "opt-level=2", "-g", "-o", library,
                        self.source("crate.rs")], check=True, timeout=harness.DEADLINE, cwd=self.folder)
        target, _ = self.start_native("loop_library.py", library)
        found = self.stacks_under("repeat", target)
        self.assert_chain(found, r"^work " + self.place("crate.rs", "work"), r"^crate::Wheel<u64>::roll \(.*crate\.rs:1\d\)")

    def build_cython(self):
        """Makes the extension module of grinder.pyx; skips the test where that cannot be."""
        if not shutil.which("cython3"):
            self.skipTest("there is no cython3: Cython was not tested")
        if self.version >= (3, 12) or self.is_free_threaded:
            self.skipTest("Debian's Cython does not know this version")
        headers = subprocess.run([self.python, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"],
                                 stdout=subprocess.PIPE, check=True, timeout=harness.DEADLINE).stdout.decode().strip()
        if not os.path.exists(os.path.join(headers, "Python.h")):
            self.skipTest("%s has no headers: Cython was not tested" % self.python)
        pyx = self.path("grinder.pyx")
        shutil.copy(self.source("grinder.pyx"), pyx)
        subprocess.run(["cython3", "-3", pyx], check=True, timeout=harness.DEADLINE)
        subprocess.run(["cc", "-shared", "-fPIC", "-g", "-O2", "-w", "-I", headers, "-o", self.path("grinder.so"),
                        self.path("grinder.c")], check=True, timeout=harness.DEADLINE)
        return self.path("grinder")

    def test_cython(self):
        """Functions and lines are those of the .pyx file."""
        target, _ = self.start_native("loop_library.py", self.build_cython())
        found = self.stacks_under("repeat", target)
        self.assert_chain(found, r"^grinder\.work " + self.place("grinder.pyx", "work"),
                          r"^grinder\.Grinder\.grind " + self.place("grinder.pyx", "grind"),
                          r"^grinder\.turn " + self.place("grinder.pyx", "turn"))

    def test_code_made_in_memory(self):
        target, line = self.start_native("jit.py", "jitted")
        self.forget_names(target)
        self.assertEqual(line, "ready")
        found = self.stacks_under("spin", target)
        self.assert_chain(found, r"^ffi_call\b", r"^jitted outer\(int, long\)", r"^jitted_inner")
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_code_of_pythons_own_compiler(self):
        """It takes the place of the evaluation loop, and is no more to be seen than that."""
        environment = dict(self.environment(), PYTHON_JIT="1")
        compiles = "import sys; sys.exit(not sys._jit.is_enabled())"
        if self.version < (3, 15) or subprocess.run([self.python, "-c", compiles], env=environment).returncode != 0:
            self.skipTest("this interpreter compiles nothing, or not so that its callers could be found")
        target = self.start(self.python, "-c", HOT, env=environment)
        self.assertEqual(target.read_line(), "ready")
        outcome, stacks = self.record("--native", "-r", "500", "-d", "2", "--pid", target.pid)
        self.assertEqual(losses_of(outcome)[1], 0, outcome)
        in_memory = stacks.total(lambda stack: any("[anonymous]" in frame for frame in stack))
        self.assertLess(in_memory, 0.05 * stacks.total(), outcome)
        outcome, stacks = self.record("--native-all", "-r", "500", "-d", "2", "--pid", target.pid)
        in_memory = stacks.total(lambda stack: any("[anonymous]" in frame for frame in stack))
        self.assertGreater(in_memory, 0.2 * stacks.total(), outcome)
        target.end()

    def test_perf_trampolines(self):
        """Python's own code in memory: it calls the evaluation loop."""
        if self.version < (3, 12):
            self.skipTest("there is no -X perf before 3.12")
        target = self.start(self.python, "-X", "perf", harness.program("native/callbacks_in_c.py"))
        self.forget_names(target)
        self.assertEqual(target.read_line(), "ready")
        trail = [r"^outer \(", r"^inner \("]
        self.assert_chain(self.stacks_under("repeat", target), *trail)
        trail = [r"^py::outer", r"^outer \(", r"^py::inner", r"^inner \("]
        self.assert_chain(self.stacks_under("py::repeat", target, "--native-all"), *trail)
        self.assertEqual(target.finish()[0], 0, target.stderr())


#: What CPython's own just-in-time compiler takes up at once.
HOT = """
import sys
sys.stdout.write("ready\\n")
sys.stdout.flush()
def work():
    x = 0
    while True:
        for i in range(1000):
            x = (x + i * i) % 7
work()
"""


class TestThreadsWithoutPython(NativeCase):
    """nest.c's own thread, which waits for the end of standard input."""

    def stops_of(self, target):
        """How often each thread has gone to sleep, by its number."""
        counts = {}
        for tid in os.listdir("/proc/%d/task" % target.pid):
            with open("/proc/%d/task/%s/status" % (target.pid, tid)) as status:
                counts[int(tid)] = int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", status.read()).group(1))
        return counts

    def test_not_without_being_asked(self):
        library = self.build("nest.c", *PLAIN)
        target, _ = self.start_native("nest.py", library, "free", "sleep", "main")
        bare = max(self.stops_of(target))
        harness.wait_until(lambda: self.stops_of(target)[bare] > 0, "nest.c's thread waits")
        before = self.stops_of(target)
        outcome, stacks = self.record_native(target.pid, "-i", "--native")
        self.assertFalse([stack for stack in stacks.counts if any("nest_watch" in frame for frame in stack)])
        self.assertEqual(self.stops_of(target)[bare], before[bare], outcome)
        self.assertEqual(len(self.dump_native(target.pid)), 1)
        self.assert_unharmed(target)

    def test_when_asked(self):
        library = self.build("nest.c", *PLAIN)
        target, _ = self.start_native("nest.py", library, "free", "sleep", "main")
        outcome, stacks = self.record_native(target.pid, "-i", "--native-all")
        bare = {stack: count for stack, count in stacks.counts.items() if any("nest_watch" in frame for frame in stack)}
        self.assertGreater(sum(bare.values()), LEAST, outcome)
        for stack in bare:
            names = [frame.split(" (")[0] for frame in stack]
            self.assertEqual(names[-1], "read", stack)
            self.assertEqual(stack[-1], "read (kernel)")
        threads = self.dump_native(target.pid, "--native-all")
        self.assertEqual(len(threads), 2, threads)
        names = [[frame["name"] for frame in frames] for frames in threads.values()]
        self.assertEqual(sum("nest_watch" in words for words in names), 1, names)
        self.assert_unharmed(target)
        self.assertEqual(target.finish()[0], 0, target.stderr())


class TestElsewhere(NativeCase, test_where.WhereCase):
    """Files with code that are not, or no more, where their names say."""

    def setUp(self):
        super().setUp()
        self.need_root()
        self.built = self.build("nest.c", *PLAIN)

    def assert_nested(self, threads, line):
        self.assertEqual(trail_of(threads["MainThread"]), json.loads(line)["python"])

    def nested_words(self, folder):
        return [os.path.join(folder, "nest.py"), os.path.join(folder, "nest.so"), "free", "sleep", "main"]

    def copy_programs(self):
        """A folder with nest.py and its library, for any user."""
        self.open_folder()
        folder = self.path("programs")
        os.mkdir(folder)
        for file in (self.source("nest.py"), self.built):
            shutil.copy(file, folder)
        return folder

    def start_in_other_root(self):
        home = test_where.Home(self.python)
        root = tempfile.mkdtemp(prefix="root-", dir=self.folder)
        environment = dict(self.environment(**home.variables), TMPDIR="/tmp")
        return self.start_inside("--pid", "--mount", "sh", "-c", test_where.PIVOT, "sh", root, home.folder, home.kind,
                                 self.copy_programs(), home.python, *self.nested_words("/tmp/programs"),
                                 env=environment)

    def test_another_root(self):
        """Also where the kernel does not follow map_files for us."""
        process, pid = self.start_in_other_root()
        line = process.read_line()
        self.assert_nested(self.dump_native(pid), line)
        outcome, stacks = self.record_native(pid, "-i", "--native")
        trails = {tuple(trail_of([frame_of_text(text) for text in stack])) for stack in stacks.counts}
        self.assertIn(tuple(json.loads(line)["python"]), trails, outcome)
        wrapper = ["setpriv", "--bounding-set", "-all,+sys_ptrace"]
        outcome = self.run_wrapped(wrapper, "dump", "--json", "--native", "--pid", pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_nested({thread["thread_name"]: thread["frames"][::-1] for thread in json.loads(outcome.output)}, line)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_user_namespace(self):
        process, pid = self.start_inside("--user", "--map-root-user", "--pid", "--mount", "--mount-proc", self.python,
                                         *self.nested_words(self.copy_programs()))
        line = process.read_line()
        self.assert_nested(self.dump_native(pid), line)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_file_that_was_deleted_or_replaced(self):
        for is_replaced in (False, True):
            target, line = self.start_native("nest.py", self.built, "free", "sleep", "main")
            os.remove(self.built)
            if is_replaced:
                self.build("signals.c")
                os.rename(self.path("signals.so"), self.built)
            self.assert_nested(self.dump_native(target.pid), line)
            self.assertEqual(target.finish()[0], 0, target.stderr())
            self.build("nest.c", *PLAIN)


if __name__ == "__main__":
    harness.main()
