"""Core files of every version: the stacks that `dump --core` prints are those that the interpreter itself saw.

    PYSPYC=build/pyspyc python3 test_core.py [INTERPRETER]

Cores are those of the kernel, with its default filter, and of gdb's gcore. PYSPYC_LONG=1 takes all oracle programs.
"""
import glob
import gzip
import json
import os
import re
import resource
import shutil
import signal
import subprocess

import harness
import test_oracle

IS_LONG = os.environ.get("PYSPYC_LONG") == "1"
FAST_PROGRAMS = ["calls.py", "generators.py", "names.py", "small.py"]
PROGRAMS = sorted(test_oracle.TARGETS) if IS_LONG else FAST_PROGRAMS
DEFAULT_FILTER = 0x33  # Linux Documentation/filesystems/proc.rst: bits 0, 1, 4 and 5
CUT = "the core file is cut off"
ALIASES = {"gsignal": "raise", "qsort_r": "qsort", "__qsort_r": "qsort", "__GI___qsort_r": "qsort"}
KNOWN = ["abort", "qsort", "raise", "regcomp", "rewind", "swab"]  # functions of libc that every build of it names
READ = {"aarch64": "63"}.get(os.uname().machine, "0")  # the system call's number
OTHER_BUILD = "is another build than the one in the core file"


def core_pattern():
    with open("/proc/sys/kernel/core_pattern") as file:
        return file.read().strip()


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def system_call_of(pid):
    with open("/proc/%d/syscall" % pid) as file:
        return file.read().split()[0]


def is_known(name, version):
    return test_oracle.TARGETS[name] <= version < test_oracle.GONE.get(name, (4,))


def segments(path):
    """[(kind, where its fields are in the file, offset, address, length in the file, flags)] of an ELF file's segments."""
    with open(path, "rb") as file:
        head = file.read(64)
        start, count = int.from_bytes(head[32:40], "little"), int.from_bytes(head[56:58], "little")
        file.seek(start)
        table = file.read(56 * count)
    rows = [(start + at, table[at:at + 56]) for at in range(0, len(table), 56)]
    return [(int.from_bytes(row[:4], "little"), at, int.from_bytes(row[8:16], "little"),
             int.from_bytes(row[16:24], "little"), int.from_bytes(row[32:40], "little"),
             int.from_bytes(row[4:8], "little")) for at, row in rows]


class TestCore(harness.TestCase):

    def start_crashing(self, name, *arguments, python=None, **options):
        """Starts a program in a folder of its own that can leave a core file there; returns (process, first line)."""
        if core_pattern()[:1] in "|/":
            self.skipTest("the kernel writes core files elsewhere: core_pattern is '%s'" % core_pattern())
        os.mkdir(self.path("there"))
        options.setdefault("env", self.environment())
        process = self.start(python or self.python, harness.program(name), *arguments, cwd=self.path("there"),
                             preexec_fn=allow_cores, **options)
        return process, process.read_line()

    def kernel_core(self, process, number=None):
        """Lets a process crash and returns the path of its core file."""
        if number:
            with open("/proc/%d/coredump_filter" % process.pid) as file:
                self.assertEqual(int(file.read(), 16), DEFAULT_FILTER)
            process.signal(number)
        process.child.wait(harness.DEADLINE)
        cores = glob.glob(self.path("there", "*core*"))
        self.assertEqual(len(cores), 1, "%s left %s" % (process.arguments, cores))
        return cores[0]

    def gcore(self, process):
        self.assertTrue(shutil.which("gcore"), "there is no gcore")
        done = subprocess.run(["gcore", "-o", self.path("gcore"), str(process.pid)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.DEADLINE)
        path = self.path("gcore.%d" % process.pid)
        self.assertTrue(os.path.exists(path), done.stdout)
        return path

    def dump_core(self, path, *options):
        """The threads of a core file, and what was said about it."""
        outcome = self.run_pyspyc("dump", "--core", path, "--json", *options)
        self.assertEqual(outcome.status, 0, outcome)
        return json.loads(outcome.output), outcome.errors

    def assert_like_oracle(self, oracle, dump, title):
        texts = test_oracle.differences(oracle, dump)
        if texts:
            self.fail("%s, %d of %d threads differ:\n%s" % (title, len(texts), len(oracle["threads"]), "\n".join(texts)))

    def small_core(self, **options):
        process, line = self.start_crashing("small.py", **options)
        return json.loads(line), self.kernel_core(process, signal.SIGABRT)

    def test_kernel_cores(self):
        for name in PROGRAMS:
            if not is_known(name, self.version):
                continue
            with self.subTest(program=name):
                process, line = self.start_crashing(name)
                oracle = json.loads(line)
                dump, errors = self.dump_core(self.kernel_core(process, signal.SIGABRT))
                self.assertEqual(errors, "")
                self.assert_like_oracle(oracle, dump, name)
                self.assertEqual({thread["thread_name"]: thread["signal"] for thread in dump if thread["signal"]},
                                 {"MainThread": signal.SIGABRT})
            shutil.rmtree(self.path("there"))

    def test_gcore(self):
        """It leaves out whole mappings, and writes no signal and one word of the command line."""
        target, line = self.start_target("calls.py")
        dump, _ = self.dump_core(self.gcore(target))
        oracle = json.loads(line)
        self.forgive_lost_stacks(oracle, dump)
        self.assert_like_oracle(oracle, dump, "gcore of calls.py")
        self.assertEqual({thread["signal"] for thread in dump}, {0})
        self.assertIn("calls.py", dump[0]["process_info"]["command_line"])
        self.assert_unharmed(target)

    def forgive_lost_stacks(self, oracle, dump):
        """
        Where libc keeps a guard page within a mapping (glibc 2.42), gcore writes zeros for all of it, as it warns: then
        what is further out than the first C frame of a thread is lost, and has to be said so.
        """
        frames = {thread["ident"]: thread["frames"] for thread in oracle["threads"]}
        for thread in dump:
            names = [frame["name"] for frame in thread["frames"]]
            if "<unreadable>" in names:
                lost = names.index("<unreadable>")
                del thread["frames"][lost:], frames.get(thread["thread_id"], [])[lost:]

    def test_crash_in_c_code(self):
        """The thread that got the signal is the one that is marked, whichever it is."""
        process, line = self.start_crashing("crash.py")
        stacks = json.loads(line)
        dump, errors = self.dump_core(self.kernel_core(process))
        self.assertEqual(errors, "")
        found = {thread["thread_name"]: thread for thread in dump}
        self.assertEqual(found["faulty"]["signal"], signal.SIGSEGV)
        self.assertEqual(found["MainThread"]["signal"], 0)
        for name, stack in stacks.items():
            plain = [[frame["name"].rsplit(".", 1)[-1], frame["line"]] for frame in found[name]["frames"]]
            if name == "faulty":
                self.assertEqual(plain.pop(0)[0], "string_at")  # a Python function of ctypes, on the way
            self.assertEqual(plain, stack)

    def crash(self, way):
        """({thread name: thread} of the core file with C frames and variables, what the program said, its path)."""
        process, line = self.start_crashing("crash_in_c.py", way)
        path = self.kernel_core(process)
        dump, errors = self.dump_core(path, "--native", "-l")
        self.assertEqual(errors, "")
        found = {thread["thread_name"]: thread for thread in dump}
        told = json.loads(line)
        for name in ("MainThread", "sleeper"):
            self.check_python(found[name], told[name])
        self.check_sleeper(found["sleeper"])
        return found, told, path

    def check_python(self, thread, told):
        """The Python frames are those that the program had, with the variables that it had, and no C frame has any."""
        frames = [frame for frame in thread["frames"] if frame["kind"] == "python"]
        self.assertEqual([frame["name"].rsplit(".", 1)[-1] for frame in frames], [name for name, _ in told])
        for frame, (name, variables) in zip(frames, told):
            found = {each["name"]: each["repr"] for each in frame["locals"]}
            self.assertEqual({each: found.get(each) for each in variables}, variables, name)
            self.assertFalse(any(each["unsteady"] for each in frame["locals"]))
        self.assertEqual([frame["locals"] for frame in thread["frames"] if frame["kind"] in ("native", "kernel")],
                         [None] * (len(thread["frames"]) - len(frames)))

    def check_sleeper(self, thread):
        self.assertEqual(thread["frames"][0]["kind"], "kernel")
        self.assertIn(thread["frames"][0]["name"], ("clock_nanosleep", "select", "pselect6"))
        inner = [frame["kind"] for frame in thread["frames"]].index("python")
        self.assertGreater(inner, 1)
        self.assertEqual(thread["frames"][inner]["name"], "sleep")

    def known(self, thread):
        """The Python frames, and those of C that are known by name whatever was stripped, in their order."""
        names = []
        for frame in thread["frames"]:
            name = ALIASES.get(frame["name"], frame["name"])
            if frame["kind"] == "python":
                names.append(name.rsplit(".", 1)[-1])
            elif frame["kind"] == "native" and name in KNOWN:
                names.append(name + "()")
        return names

    def test_c_frames_of_a_crash(self):
        """C that called Python that called C that crashed: each has its place, and the innermost one its name."""
        found, _, path = self.crash("callback")
        thread = found["MainThread"]
        self.assertEqual(thread["signal"], signal.SIGSEGV)
        self.assertEqual((thread["frames"][0]["kind"], thread["frames"][0]["name"]), ("native", "swab"))
        self.assertEqual(self.known(thread), ["swab()", "fall", "qsort()", "by_callback"] + ["fail"] * 4 + ["<module>"])
        whole, errors = self.dump_core(path, "--native-all")
        self.assertEqual(errors, "")
        main = next(thread for thread in whole if thread["thread_name"] == "MainThread")
        self.assertEqual(self.known(main), self.known(thread))
        self.assertEqual(main["frames"][-1]["name"], "_start")
        plain, _ = self.dump_core(path)
        self.assertEqual({frame["kind"] for thread in plain for frame in thread["frames"]}, {"python"})
        self.assertEqual({str(frame["locals"]) for thread in plain for frame in thread["frames"]}, {"None"})

    def test_c_frames_below_a_signal_handler(self):
        """faulthandler's handler has a stack of its own: what it interrupted is on another one."""
        if self.version < (3, 3):
            self.skipTest("Python %d.%d has no faulthandler" % self.version[:2])
        found, _, path = self.crash("handler")
        thread = found["MainThread"]
        self.assertEqual(thread["signal"], signal.SIGSEGV)
        self.assertEqual(self.known(thread), ["raise()", "swab()", "fall", "qsort()", "by_callback", "by_handler"] +
                         ["fail"] * 4 + ["<module>"])
        whole, _ = self.dump_core(path, "--native-all")
        main = next(thread for thread in whole if thread["thread_name"] == "MainThread")
        self.assertEqual(self.known(main), self.known(thread))
        self.assertEqual(main["frames"][-1]["name"], "_start")

    def test_c_frames_of_an_abort(self):
        found, _, _ = self.crash("abort")
        self.assertEqual(found["MainThread"]["signal"], signal.SIGABRT)
        names = self.known(found["MainThread"])
        self.assertEqual([name for name in names if name != "raise()"],
                         ["abort()", "by_abort"] + ["fail"] * 4 + ["<module>"])

    def test_c_frames_of_a_stack_that_overflowed(self):
        found, _, _ = self.crash("overflow")
        self.assertEqual(found["MainThread"]["signal"], signal.SIGSEGV)
        kinds = [frame["kind"] for frame in found["MainThread"]["frames"]]
        self.assertGreater(kinds.index("python"), 1000)
        self.assertEqual(set(kinds[:kinds.index("python")]), {"native"})

    def test_crash_in_a_thread_that_python_does_not_know(self):
        """It is shown in any case, as it tells why the process ended."""
        found, _, path = self.crash("unknown")
        self.assertEqual(found[None]["signal"], signal.SIGSEGV)
        self.assertEqual((found[None]["frames"][0]["kind"], found[None]["frames"][0]["name"]), ("native", "rewind"))
        self.assertEqual(found["MainThread"]["signal"], 0)
        plain, _ = self.dump_core(path)
        self.assertEqual([(thread["signal"], thread["frames"]) for thread in plain if thread["thread_name"] is None],
                         [(signal.SIGSEGV, [])])
        self.assertIn("Python knows nothing of the thread", self.run_pyspyc("dump", "-c", path).output)

    def test_c_frames_of_gcore(self):
        target, line = self.start_target("crash_in_c.py", "rest")
        harness.wait_until(lambda: system_call_of(target.pid) == READ, "the program reads its input")
        path = self.gcore(target)
        dump, _ = self.dump_core(path, "--native", "-l")
        found, told = {thread["thread_name"]: thread for thread in dump}, json.loads(line)
        self.assertEqual((found["MainThread"]["frames"][0]["kind"], found["MainThread"]["frames"][0]["name"]),
                         ("kernel", "read"))
        if "<unreadable>" in [frame["name"] for thread in dump for frame in thread["frames"]]:
            return
        for name in told:
            self.check_python(found[name], told[name])
        self.check_sleeper(found["sleeper"])
        names = [frame["name"] for frame in found["MainThread"]["frames"]]
        self.assertTrue({"read", "__read", "__libc_read"} & set(names[1:names.index("by_rest")]), names)
        self.assert_unharmed(target)

    def test_text(self):
        process, line = self.start_crashing("crash.py")
        path = self.kernel_core(process)
        outcome = self.run_pyspyc("dump", "-c", path)
        self.assertEqual((outcome.status, outcome.errors), (0, ""), outcome)
        first, second = outcome.output.splitlines()[:2]
        words = " ".join(process.arguments)
        self.assertEqual(first, "Core file %s of process %d: %s" % (path, process.pid, words))
        self.assertTrue(second.startswith("Python v%d.%d.%d" % self.version), second)
        self.assertRegex(outcome.output, r'Thread %d(?: \(waiting for the GIL\))?: "MainThread"' % process.pid)
        self.assertRegex(outcome.output, r'Thread \d+ \(signal SIGSEGV(\+gil)?\): "faulty"')
        if self.version >= (3, 11):
            self.assertIn("return report(), ctypes.string_at(1)", outcome.output)

    def test_sources_that_changed(self):
        """A line is only shown of a file that is older than the core file."""
        program = self.path("program.py")
        with open(harness.program("crash.py")) as source, open(program, "w") as copy:
            copy.write(source.read())
        process, _ = self.start_crashing(program)
        path = self.kernel_core(process)
        shown = self.run_pyspyc("dump", "-c", path).output
        self.assertIn("ctypes.string_at(1)\n", shown)
        later = os.stat(path).st_mtime + 10
        os.utime(program, (later, later))
        self.assertNotIn("ctypes.string_at(1)\n", self.run_pyspyc("dump", "-c", path).output)

    def test_gzip(self):
        oracle, path = self.small_core()
        whole, _ = self.dump_core(path)
        with open(path, "rb") as core, gzip.open(path + ".gz", "wb", 1) as packed:
            shutil.copyfileobj(core, packed)
        before = set(os.listdir(self.folder))
        dump, errors = self.dump_core(path + ".gz")
        self.assertEqual((dump, errors), (whole, ""))
        self.assertEqual(set(os.listdir(self.folder)), before)
        size = os.stat(path + ".gz").st_size
        os.truncate(path + ".gz", size * 9 // 10)
        outcome = self.run_pyspyc("dump", "--core", path + ".gz", "--json")
        self.assertIn("the compressed core file is damaged", outcome.errors)
        self.assertIn(CUT, outcome.errors)

    def test_no_space_to_unpack(self):
        _, path = self.small_core()
        with open(path, "rb") as core, gzip.open(path + ".gz", "wb", 1) as packed:
            shutil.copyfileobj(core, packed)
        small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        outcome = self.run_pyspyc("dump", "--core", path + ".gz", preexec_fn=small)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertRegex(outcome.errors, "cannot unpack the core file beyond .*TMPDIR.*: File too large")

    def test_truncated(self):
        """One that is cut works for what is there: without its last pages, which the main thread's C stack is in, and at worst says why not."""
        oracle, path = self.small_core()
        parts = [row for row in segments(path) if row[0] == 1 and row[4] > 0]
        size = os.stat(path).st_size
        with open(path, "r+b") as core:
            core.truncate(max(row[2] for row in parts) + 1)
        dump, errors = self.dump_core(path)
        self.assertIn("%s: it has " % CUT, errors)
        self.assert_like_oracle(oracle, dump, "the core file without its last segment")
        for share in (3, 2, 1):
            os.truncate(path, size * share // 16)
            outcome = self.run_pyspyc("dump", "--core", path)
            self.assertIn(outcome.status, (0, 1), outcome)
            self.assertIn(CUT, outcome.errors)

    def own_python(self):
        """A copy of the interpreter that can be replaced."""
        os.mkdir(self.path("bin"))
        copy = shutil.copy(self.python, self.path("bin", "python"))
        question = "import sys; print(sys.prefix)"
        prefix = subprocess.run([self.python, "-c", question], stdout=subprocess.PIPE).stdout.decode().strip()
        home = self.environment(PYTHONHOME=prefix)
        works = subprocess.run([copy, "-c", "import json, ctypes"], env=home, stderr=subprocess.PIPE)
        with open(copy, "rb") as file:
            is_elf = file.read(4) == b"\x7fELF"
        if works.returncode != 0 or not is_elf:
            self.skipTest("a copy of %s does not work: %s" % (self.python, works.stderr.decode()[-200:]))
        return copy, home

    def replace_build(self, path):
        """Writes another build id into a file, as another build would have it."""
        notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, check=True).stdout.decode()
        build_id = bytes.fromhex(re.search("Build ID: ([0-9a-f]+)", notes).group(1))
        with open(path, "rb") as file:
            content = file.read()
        self.assertEqual(content.count(build_id), 1)
        os.remove(path)
        with open(path, "wb") as file:
            file.write(content.replace(build_id, bytes(255 - byte for byte in build_id)))

    def test_replaced_executable(self):
        """Another build is not used, which is said, nor is one that is given; the stacks are there all the same."""
        copy, home = self.own_python()
        oracle, path = self.small_core(python=copy, env=home)
        self.replace_build(copy)
        dump, errors = self.dump_core(path)
        self.assertIn("'%s' %s" % (copy, OTHER_BUILD), errors)
        self.assert_like_oracle(oracle, dump, "the executable is another build")
        dump, errors = self.dump_core(path, "--exe", self.python)
        self.assertEqual(errors, "")
        self.assert_like_oracle(oracle, dump, "the executable was given")
        dump, errors = self.dump_core(path, "--exe", copy)
        self.assertIn("'%s' %s: it is not used" % (copy, OTHER_BUILD), errors)
        os.remove(copy)
        dump, errors = self.dump_core(path)
        self.assertIn("'%s' cannot be opened" % copy, errors)
        self.assert_like_oracle(oracle, dump, "the executable is gone")

    def test_mistakes(self):
        for arguments, words in (
                (["--pid", "1", "--exe", "python"], "--exe goes with --core"),
                (["--core", "core", "--blocking"], "in a core file nothing runs")):
            outcome = self.run_pyspyc("dump", *arguments)
            self.assertEqual(outcome.status, 2, outcome)
            self.assertIn(words, outcome.errors)
        with open(self.path("text"), "w") as file:
            file.write("no core\n" * 100)
        for path, words in (("text", "is not a core file"), ("none", "No such file"), (".", "no regular file"),
                            (harness.pyspyc(), "an ELF file, but not a core file")):
            outcome = self.run_pyspyc("dump", "--core", path)
            self.assertEqual(outcome.status, 1, outcome)
            self.assertIn(words, outcome.errors)

    def test_no_python(self):
        process = self.start("sh", "-c", "echo ready; read line", preexec_fn=allow_cores, cwd=self.folder)
        process.read_line()
        outcome = self.run_pyspyc("dump", "--core", self.gcore(process))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("is not of a Python process", outcome.errors)


if __name__ == "__main__":
    harness.main()
