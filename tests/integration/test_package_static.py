"""The static build: one file, taken to other roots and into containers, and what belongs to it.

    python3 test_package_static.py [TestClass.test_name]

Needs root, as it makes roots and namespaces. Builds what it tests (scripts/package static).
"""
import glob
import json
import os
import pty
import re
import select
import shutil
import subprocess
import tarfile

import harness
import test_oracle
import test_where

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE_LIMIT = 8 << 20
BUILD_DEADLINE = 600 * harness.SLOWNESS
BUILD = os.path.join(TOP, "build-static")

#: What is mounted into a root that has nothing: $1 is the root, the other words are files and folders of this machine.
EMPTY_ROOT = """
set -e
root=$1
shift
mount -t tmpfs none "$root"
for path; do
    mkdir -p "$root$(dirname "$path")"
    if [ -d "$path" ]; then mkdir "$root$path"; else touch "$root$path"; fi
    mount --bind "$path" "$root$path"
done
mkdir "$root/proc" "$root/tmp"
mount -t proc proc "$root/proc"
"""


def build(kind):
    """Builds a package; returns the path of what was made."""
    outcome = subprocess.run([os.path.join(TOP, "scripts", "package"), kind], stdout=subprocess.PIPE,
                             timeout=BUILD_DEADLINE, check=True)
    return os.path.join(TOP, outcome.stdout.decode().split()[-1])


def libraries_of(program):
    """The files that a program is linked with, and the loader."""
    listing = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return sorted(set(re.findall(r"(/\S+) \(0x", listing)))


class StaticCase(test_where.WhereCase):
    """The archive, unpacked."""

    @classmethod
    def setUpClass(cls):
        cls.archive = build("static")

    def setUp(self):
        super().setUp()
        self.need_root()
        os.mkdir(self.path("unpacked"))
        with tarfile.open(self.archive) as archive:
            archive.extractall(self.path("unpacked"))
        self.tree = glob.glob(self.path("unpacked", "*"))[0]
        self.binary = os.path.join(self.tree, "bin", "pyspyc")

    def run_at(self, process, binary, *arguments, **options):
        """Runs the binary where a process is: in its namespaces, and under its root."""
        wrapper = ["nsenter", "--target", process, "--mount", "--pid", "--root", "--wd"]
        child = self.start(*wrapper, binary, *arguments, **options)
        status, output = child.finish()
        return harness.Outcome(child.arguments, status, output, child.stderr())

    def recorder_at(self, process, binary):
        def run(*arguments):
            outcome = self.run_at(process, binary, "record", "-f", "raw", "-o", "-", *arguments)
            return outcome, harness.Stacks(outcome.output)

        return run

    def assert_text_on_terminal(self, process, binary, *arguments):
        """`top` on a terminal without terminfo: it says so, and writes text."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        top = self.start("nsenter", "--target", process, "--mount", "--pid", "--root", "--wd", binary, "top", "--delay",
                         "0.2", *arguments, stdin=theirs, stdout=theirs, stderr=theirs,
                         env=self.environment(TERM="xterm-256color"))
        os.close(theirs)
        written = b""
        while b"%Own" not in written:
            self.assertTrue(select.select([ours], [], [], harness.DEADLINE)[0], written)
            written += os.read(ours, 1 << 16)
        self.assertIn(b"terminfo does not know this terminal", written)
        self.assertNotIn(b"\x1b", written)
        top.end()


class TestFile(StaticCase):
    """What it is, and what comes with it."""

    def test_is_static_and_small(self):
        self.assertLess(os.path.getsize(self.binary), SIZE_LIMIT)
        listing = subprocess.run(["ldd", self.binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertIn("not a dynamic executable", listing.stdout.decode())
        headers = subprocess.run(["readelf", "--wide", "--program-headers", "--sections", self.binary],
                                 stdout=subprocess.PIPE, check=True).stdout.decode()
        for word in "INTERP", "DYNAMIC", ".symtab", ".debug_info":
            self.assertNotIn(word, headers)

    def test_what_comes_with_it(self):
        for name in ("share/man/man1/pyspyc.1", "share/bash-completion/completions/pyspyc",
                     "share/zsh/site-functions/_pyspyc", "share/fish/vendor_completions.d/pyspyc.fish",
                     "share/pyspyc/pyspyc.py", "share/doc/pyspyc/copyright", "share/doc/pyspyc/NOTICES"):
            self.assertGreater(os.path.getsize(os.path.join(self.tree, name)), 1000, name)
        self.assertEqual(os.stat(self.binary).st_mode & 0o7777, 0o755)

    def linked_members(self):
        """{path of an archive: number of its members} of those that the linker has taken something from."""
        with open(os.path.join(BUILD, "pyspyc.map")) as file:
            taken = file.read().split("\nDiscarded input sections")[0]
        members = re.findall(r"^(/\S+\.a)\(\S+\)", taken, re.MULTILINE)
        return {os.path.realpath(path): members.count(path) for path in members}

    def test_licences(self):
        """Of each package that something was taken from: its licence, and the version of its source."""
        paths = self.linked_members()
        self.assertGreater(len(paths), 10)
        answers = subprocess.run(["dpkg-query", "--search", *paths], stdout=subprocess.PIPE, check=True)
        packages = {line.split(":")[0] for line in answers.stdout.decode().splitlines()}
        folder = os.path.join(self.tree, "share", "doc", "pyspyc", "licences")
        self.assertLessEqual(packages, set(os.listdir(folder)))
        with open(os.path.join(folder, "SOURCES")) as file:
            sources = dict(line.rstrip("\n").split(": ") for line in file)
        for package in packages:
            with open("/usr/share/doc/%s/copyright" % package, "rb") as file:
                expected = file.read()
            with open(os.path.join(folder, package), "rb") as file:
                self.assertEqual(file.read(), expected, package)
            version = subprocess.run(["dpkg-query", "-W", "-f", "${source:Package}=${source:Version}\n", package],
                                     stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[0]
            self.assertEqual(sources[package], version)
        self.assertLessEqual({"LGPL-2.1", "LGPL-3", "GPL-2", "GPL-3"},
                             set(os.listdir(os.path.join(folder, "common-licenses"))))

    def test_notices_name_each_library(self):
        with open(os.path.join(self.tree, "share", "doc", "pyspyc", "NOTICES")) as file:
            notices = file.read()
        names = {"libelf": "libelf", "libdw": "libdw", "libunwind": "libunwind", "libunwind-x86_64": "libunwind",
                 "libiberty": "libiberty", "liblzma": "liblzma", "libz": "zlib", "libpcre2-8": "PCRE2",
                 "libprotobuf-c": "protobuf-c", "libncursesw": "ncurses", "libseccomp": "libseccomp",
                 "libtinfo": "ncurses", "libc": "glibc", "libm-2.36": "glibc", "libgcc": "libgcc", "libgcc_eh": "libgcc"}
        for path in self.linked_members():
            self.assertIn(names[os.path.basename(path)[:-len(".a")]], notices)

    def test_relinking(self):
        """As NOTICES has it: with a library that was changed."""
        def configure(option):
            for command in ["cmake", BUILD, option], ["cmake", "--build", BUILD]:
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=BUILD_DEADLINE)

        library = shutil.copy(subprocess.run(["gcc", "-print-file-name=libiberty.a"], stdout=subprocess.PIPE,
                                             check=True).stdout.decode().strip(), self.folder)
        with open(self.path("change.c"), "w") as file:
            file.write('__attribute__((used)) static const char change[] = "a library that was changed";')
        for command in (["ar", "x", library, "cp-demangle.o"], ["gcc", "-c", "change.c"],
                        ["ld", "-r", "cp-demangle.o", "change.o", "-o", "both.o"], ["mv", "both.o", "cp-demangle.o"],
                        ["ar", "r", library, "cp-demangle.o"]):
            subprocess.run(command, cwd=self.folder, check=True)
        self.addCleanup(configure, "-ULIBIBERTY")
        configure("-DLIBIBERTY=" + library)
        with open(os.path.join(BUILD, "pyspyc"), "rb") as file:
            self.assertIn(b"a library that was changed", file.read())
        self.assertIn(library, self.linked_members())
        version = subprocess.run([os.path.join(BUILD, "pyspyc"), "--version"], stdout=subprocess.PIPE, check=True)
        self.assertIn(b"pyspyc", version.stdout)


class TestElsewhere(StaticCase):
    """Other roots, and containers."""

    pythons = ("3.14", harness.system_python())  # in a root of a newer Debian, and of this one

    def start_container(self, python, *words):
        """A program in namespaces and a root of its own. Returns (wrapper, pid, where the binary is in there)."""
        self.python = harness.find_interpreter(python)
        self.assertTrue(self.python, "Python %s was not tested: there is none" % python)
        process, pid = self.start_in_new_root(*words)
        return process, pid

    def drop_in(self, pid):
        """What `docker cp` does."""
        shutil.copy(self.binary, "/proc/%d/root/tmp/pyspyc" % pid)
        return "/tmp/pyspyc"

    def test_dropped_into_a_container(self):
        for python in self.pythons:
            with self.subTest(python=python):
                process, pid = self.start_container(python, "many_threads.py")
                oracle = json.loads(process.read_line())
                dump = self.run_at(pid, self.drop_in(pid), "dump", "--json", "--pid", oracle["pid"])
                self.assertEqual(dump.status, 0, dump)
                texts = test_oracle.differences(oracle, json.loads(dump.output))
                self.assertFalse(texts, "\n".join(texts))
                self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_recording_in_a_container(self):
        for python in self.pythons:
            with self.subTest(python=python):
                process, pid = self.start_container(python, "threads.py", test_where.BUSY, test_where.IDLE)
                self.assertEqual(process.read_line(), "ready")
                self.assert_busy_recording("--pid", 1, run=self.recorder_at(pid, self.drop_in(pid)))
                self.assert_busy_recording("--native", "--pid", 1, run=self.recorder_at(pid, "/tmp/pyspyc"))
                self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_from_the_host(self):
        """Pids are the host's; the files are found under the container's root."""
        for python in self.pythons:
            with self.subTest(python=python):
                process, pid = self.start_container(python, "many_threads.py")
                line = process.read_line()
                outcome = self.run_at(os.getpid(), self.binary, "dump", "--json", "--pid", pid)
                self.assertEqual(outcome.status, 0, outcome)
                self.assert_oracle(line, pid, json.loads(outcome.output))
                self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_names_of_users(self):
        """By itself, without glibc's services: root has a name, and a number that nobody has stays one."""
        process, _ = self.start_target("threads.py", 0, 1)
        number = os.getuid() + 54321
        stranger = self.start("setpriv", "--reuid", number, self.python, "-c", "print(1, flush=True); input()", cwd="/")
        stranger.read_line()
        listing = self.run_at(os.getpid(), self.binary, "ps")
        self.assertRegex(listing.output, r"(?m)^ *%d  root " % process.pid)
        self.assertRegex(listing.output, r"(?m)^ *%d  %d " % (stranger.pid, number))

    def test_verbs_in_a_newer_root(self):
        """The other verbs, and top without terminfo, where another glibc is."""
        process, pid = self.start_container("3.14", "threads.py", test_where.BUSY, test_where.IDLE)
        self.assertEqual(process.read_line(), "ready")
        self.assertFalse(os.path.exists("/proc/%d/root/usr/share/terminfo" % pid))
        self.assert_verbs(pid, self.drop_in(pid), "/usr/bin/python3.14")
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def assert_verbs(self, pid, binary, python):
        """In a root with threads.py as process 1."""
        listing = self.run_at(pid, binary, "ps")
        self.assertEqual(listing.status, 0, listing)
        self.assertRegex(listing.output, r"(?m)^ +1  (0|root) .*threads\.py")
        outcome = self.run_at(pid, binary, "top", "--once", "--delay", "0.3", "--pid", 1)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"(?m)100.*busy \(threads\.py")
        self.assert_text_on_terminal(pid, binary, "--pid", "1")
        outcome = self.run_at(pid, binary, "record", "-r", "500", "-o", "/tmp/x.svg", "-o", "/tmp/x.pyspyc", "--", python,
                              "/tmp/programs/ending.py", "exit", "7")
        self.assertEqual(outcome.status, 7, outcome)
        outcome = self.run_at(pid, binary, "report", "/tmp/x.pyspyc", "-f", "raw", "-o", "-")
        self.assertGreater(harness.Stacks(outcome.output).total(), 20, outcome)
        outcome = self.run_at(pid, binary, "doctor", "-d", "1")
        self.assertIn("ok  machine", outcome.output, outcome)

    def test_in_a_root_without_a_library(self):
        """Not one file is there but the binary."""
        os.mkdir(self.path("root"))
        shutil.copy(self.binary, self.path("root"))
        for words, expected in (["--version"], "pyspyc "), (["record", "--help"], "--rate"), (["completions", "man"], ".TH"):
            process = self.start("chroot", self.path("root"), "/pyspyc", *words)
            status, output = process.finish()
            self.assertEqual(status, 0, process.stderr())
            self.assertIn(expected, output)

    def test_in_an_empty_root(self):
        """Nothing is there but a Python, its libraries and its modules: no shell, no users, no locales."""
        python = harness.system_python()
        # Python loads this one by itself, when a thread ends.
        libgcc = subprocess.run(["gcc", "-print-file-name=libgcc_s.so.1"], stdout=subprocess.PIPE, check=True)
        library = subprocess.run([python, "-c", "import os; print(os.path.dirname(os.__file__))"],
                                 stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        root = self.path("root")
        os.mkdir(root)
        script = EMPTY_ROOT + 'mkdir "$root/tmp/programs"\nmount --bind "$programs" "$root/tmp/programs"\n' \
            'exec chroot "$root" "$python" /tmp/programs/threads.py 1 4\n'
        process, pid = self.start_inside(
            "--pid", "--mount", "sh", "-c", script, "sh", root, python, library, *libraries_of(python), libgcc.stdout.decode().strip(),
            env=self.environment(programs=harness.PROGRAMS, python=python, TMPDIR="/tmp"))
        self.assertEqual(process.read_line(), "ready")
        self.assertEqual(sorted(os.listdir("/proc/%d/root" % pid)), ["lib", "lib64", "proc", "tmp", "usr"])
        self.assertFalse(os.path.exists("/proc/%d/root/usr/lib/x86_64-linux-gnu/libdw.so.1" % pid))
        binary = self.drop_in(pid)
        self.assert_verbs(pid, binary, python)
        self.assert_busy_recording("--pid", 1, run=self.recorder_at(pid, binary))
        self.assertEqual(process.finish()[0], 0, process.stderr())


if __name__ == "__main__":
    harness.main()
