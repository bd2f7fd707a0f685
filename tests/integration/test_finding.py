"""The interpreter is found wherever it hides: each way on a program that leaves no other one.

    PYSPYC=build/pyspyc python3 test_finding.py [INTERPRETER] [TestStatic]

Programs with CPython inside are built by the tests, from the static library that the interpreter was installed with. An
interpreter that came without it cannot be tried so; its tests say that they are skipped for this reason.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

import harness

#: What the dump of tests/programs/plain.py has to show: the functions of its two threads, outermost first.
PLAIN = "plain.py"
COMPUTING = ["<module>", "main", "outer", "inner"]
WAITING = ["wait"]
#: Fewer samples in a second at 200 Hz would not show that the recording works; on a busy machine they are few.
LEAST_SAMPLES = 3
EMBEDDING = harness.program("embedding")


def lines_of_plain():
    """{function: the line that it is in while the program runs}."""
    with open(harness.program(PLAIN)) as file:
        lines = [line.rstrip("\n") for line in file]
    texts = {"<module>": "main()", "main": "    outer()", "outer": "    inner()", "inner": "    while running: pass",
             "wait": "    waiting.release(); sys.stdin.readline()"}
    return {name: lines.index(text) + 1 for name, text in texts.items()}


def frames_of(thread):
    """[(function, line)] of a dumped thread, outermost first."""
    return [(harness.function_name(frame["name"]), frame["line"]) for frame in reversed(thread["frames"])]


#: What was compiled already: {options: path in BUILDS}, as most tests begin with the same programs.
BUILDS = tempfile.TemporaryDirectory(prefix="pyspyc-test-")
built = {}


def tearDownModule():
    BUILDS.cleanup()


class FindingTestCase(harness.TestCase):

    def start_plain(self, *command, **options):
        """Starts an interpreter with tests/programs/plain.py; returns the process when it is ready."""
        process = self.start(*command, harness.program(PLAIN), **options)
        self.assertEqual(process.read_line(), "ready")
        return process

    def check_dump(self, process, above=()):
        """The dump is exact. Above <module> there may be the frames of what started the program."""
        lines = lines_of_plain()
        expected = sorted([(name, lines[name]) for name in stack] for stack in (COMPUTING, WAITING))
        stacks = [[frame for frame in frames_of(thread) if frame[0] not in above] for thread in self.dump(process.pid)]
        self.assertEqual(sorted(stacks), expected)

    def check_record(self, process):
        outcome, stacks = self.record("-d", "1", "-r", "200", "-p", process.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("inner")), LEAST_SAMPLES, outcome)

    def check(self, process, above=()):
        self.check_dump(process, above)
        self.check_record(process)
        self.assert_unharmed(process)

    def run_tool(self, *command):
        """Runs a tool that builds or changes a file."""
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=harness.DEADLINE)
        self.assertEqual(done.returncode, 0, "%s\n%s" % (command, done.stdout.decode(errors="replace")))

    def home(self):
        """The environment of a program in which the interpreter's library cannot be found by the program's place."""
        return self.environment(PYTHONHOME=self.config()["prefix"])

    def config(self):
        """Where the interpreter has its header files and libraries."""
        names = ["LIBPL", "LIBRARY", "LIBDIR", "LIBS", "SYSLIBS", "MODLIBS", "INCLUDEPY", "Py_ENABLE_SHARED"]
        question = ("import json, sys, sysconfig; names = %r; "
                    "print(json.dumps(dict(zip(names, sysconfig.get_config_vars(*names)), prefix=sys.prefix)))" % names)
        return json.loads(subprocess.check_output([self.python, "-c", question]).decode())

    def static_library(self, is_for_plugin):
        """The words that link the interpreter's library. Debian has one for plugins and one for fixed addresses."""
        config = self.config()
        library = os.path.join(config["LIBPL"] or "", config["LIBRARY"] or "")
        for_plugin = library.replace(".a", "-pic.a")
        if not os.path.isfile(library) or not os.path.isfile(os.path.join(config["INCLUDEPY"], "Python.h")):
            self.skipTest("%s has no static library or no header files" % self.python)
        if os.path.exists(for_plugin):
            return [for_plugin] if is_for_plugin else ["-no-pie", library]
        if is_for_plugin and not config["Py_ENABLE_SHARED"]:
            self.skipTest("the static library of %s cannot be linked into a plugin" % self.python)
        return [library]

    def needs_binary(self):
        """Some interpreters are started by a script, which starts them through an ld.so of their own."""
        with open(self.python, "rb") as file:
            if file.read(2) == b"#!":
                self.skipTest("%s is a script that starts the interpreter" % self.python)

    def compile(self, name, *options):
        """Compiles embed.c to the file NAME with the interpreter's library; returns its path."""
        if options not in built:
            config = self.config()
            path = os.path.join(BUILDS.name, str(len(built)))
            library = self.static_library("-shared" in options)
            libraries = " ".join(config[key] or "" for key in ("LIBS", "SYSLIBS", "MODLIBS")).split()
            self.run_tool("gcc", "-w", "-O1", *options, "-I", config["INCLUDEPY"], os.path.join(EMBEDDING, "embed.c"),
                          *library, *libraries, "-lpthread", "-ldl", "-lutil", "-lm", "-Wl,--build-id", "-o", path)
            built[options] = path
        return shutil.copy(built[options], self.path(name))

    def compile_host(self):
        path = self.path("host")
        self.run_tool("gcc", os.path.join(EMBEDDING, "host.c"), "-ldl", "-o", path)
        return path

    def hide_names(self, path):
        """Takes every name of CPython out of a program: symbols, and that of the section."""
        self.run_tool("strip", path)
        self.run_tool("objcopy", "--rename-section", ".PyRuntime=.unknown", path)
        names = subprocess.check_output(["readelf", "-sSW", path]).decode()
        self.assertNotRegex(names, r"Py_|_Py|PyRuntime|interp_head")


class TestSymbols(FindingTestCase):
    """The names of CPython are there, in a file that need not be called after Python."""

    def test_interpreter(self):
        self.check(self.start_plain(self.python))

    def test_static_renamed_stripped(self):
        """As conda and Debian build theirs: what is exported stays."""
        application = self.compile("application", "-rdynamic")
        self.run_tool("strip", application)
        self.check(self.start_plain(application, "-S", env=self.home()))

    def test_static_with_symbols(self):
        """Nothing is exported, but .symtab is there."""
        self.check(self.start_plain(self.compile("application"), "-S", env=self.home()))

    def test_section_only(self):
        if self.version < (3, 10):
            self.skipTest("there is no section .PyRuntime before Python 3.10")
        application = self.compile("application")
        self.run_tool("strip", application)
        self.check(self.start_plain(application, "-S", env=self.home()))

    def test_initialised_in_a_second_thread(self):
        self.check(self.start_plain(self.compile("server", "-DSECOND_THREAD"), env=self.home()))

    def test_plugin(self):
        """The program has no Python; a library that it loads has."""
        plugin = self.compile("plugin.so", "-shared", "-fPIC", "-DPLUGIN")
        self.check(self.start_plain(self.compile_host(), plugin, env=self.home()))

    def test_stub_beside_the_real_one(self):
        """Libraries called libpython that have no interpreter, or one that nobody uses, hide nothing."""
        stub = self.path("libpython3.so")
        self.run_tool("gcc", "-w", "-shared", "-fPIC", "-DPY_VERSION_OF_STUB=0x%02x%02x00f0" % self.version[:2],
                      os.path.join(EMBEDDING, "stub.c"), "-o", stub)
        environment = dict(self.home(), PYSPYC_TEST_STUB=stub)
        self.check(self.start_plain(self.compile("application"), "-S", env=environment))

    def test_preloaded_stable_library(self):
        """PEP 384's libpython3.so has no symbols of its own."""
        stub = os.path.join(self.config()["LIBDIR"], "libpython3.so")
        if not os.path.exists(stub):
            self.skipTest("the interpreter has no libpython3.so")
        self.check(self.start_plain(self.python, env=self.environment(LD_PRELOAD=stub)))

    def test_through_the_dynamic_linker(self):
        """/proc/PID/exe is ld.so, and the interpreter only a mapped file."""
        self.needs_binary()
        linker = "/lib64/ld-linux-x86-64.so.2"
        self.check(self.start_plain(linker, "--argv0", self.python, self.python))


class TestWithoutSymbols(FindingTestCase):
    """No name of CPython is in any file that is mapped."""

    def test_static(self):
        application = self.compile("application")
        self.hide_names(application)
        self.check(self.start_plain(application, "-S", env=self.home()))

    def test_plugin(self):
        host = self.compile_host()
        plugin = self.compile("plugin.so", "-shared", "-fPIC", "-DPLUGIN", "-Wl,--exclude-libs,ALL")
        self.hide_names(plugin)
        self.check(self.start_plain(host, plugin, env=self.home()))

    def test_deleted_for_a_user(self):
        """Without root a deleted library cannot be opened. Its memory can still be read."""
        if os.geteuid() != 0:
            self.skipTest("needs root to become somebody else")
        # What is needed must be readable by anybody, wherever the interpreter lies.
        os.chmod(self.folder, 0o777)
        profiler = shutil.copy(harness.pyspyc(), self.path("profiler"))
        shutil.copy(harness.program(PLAIN), self.path(PLAIN))
        plugin = self.compile("plugin.so", "-shared", "-fPIC", "-DPLUGIN")
        host = self.compile_host()
        library = self.path("lib", "python%d.%d" % self.version[:2])
        source = os.path.dirname(os.__file__) if self.python == harness.system_python() else os.path.join(
            self.config()["prefix"], "lib", os.path.basename(library))
        shutil.copytree(source, library, ignore=shutil.ignore_patterns(
            "test*", "site-packages", "dist-packages", "config-*", "idlelib", "lib2to3", "ensurepip", "__pycache__"))
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        process = self.start(host, plugin, self.path(PLAIN), env=self.environment(PYTHONHOME=self.folder), **nobody)
        self.assertEqual(process.read_line(), "ready")
        for path in (host, plugin):
            os.unlink(path)
        dumper = self.start(profiler, "dump", "--json", "--pid", process.pid, **nobody)
        status, output = dumper.finish()
        self.assertEqual(status, 0, dumper.stderr())
        lines = lines_of_plain()
        expected = sorted([(name, lines[name]) for name in stack] for stack in (COMPUTING, WAITING))
        self.assertEqual(sorted(frames_of(thread) for thread in json.loads(output)), expected)


class TestDebugFile(FindingTestCase):
    """The symbols were taken out and lie in a file of their own."""

    def split(self, application, debug_file):
        self.run_tool("objcopy", "--only-keep-debug", application, debug_file)
        self.hide_names(application)

    def test_build_id(self):
        application = self.compile("application")
        notes = subprocess.check_output(["readelf", "-n", application]).decode()
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
        folder = os.path.join("/usr/lib/debug/.build-id", build_id[:2])
        if not os.access("/usr/lib", os.W_OK):
            self.skipTest("needs to write into /usr/lib/debug")
        os.makedirs(folder, exist_ok=True)
        debug_file = os.path.join(folder, build_id[2:] + ".debug")
        self.addCleanup(lambda: os.path.exists(debug_file) and os.unlink(debug_file))
        self.split(application, debug_file)
        self.check(self.start_plain(application, "-S", env=self.home()))

    def test_link(self):
        for name, place in (("beside", "."), ("below", ".debug")):
            with self.subTest(place=place):
                application = self.compile(name)
                os.makedirs(self.path(place), exist_ok=True)
                debug_file = self.path(place, "application.debug")
                self.split(application, debug_file)
                self.run_tool("objcopy", "--remove-section", ".note.gnu.build-id", application)
                self.run_tool("objcopy", "--add-gnu-debuglink=" + debug_file, application)
                self.check(self.start_plain(application, "-S", env=self.home()))
                os.unlink(debug_file)


class TestStarters(FindingTestCase):
    """Ways in which people start programs."""

    def test_venv(self):
        if self.version < (3, 3):
            self.skipTest("there is no venv before Python 3.3")
        self.run_tool(self.python, "-m", "venv", "--without-pip", self.path("venv"))
        self.check(self.start_plain(self.path("venv", "bin", "python")))

    def test_zipapp(self):
        if self.version < (3, 5):
            self.skipTest("there is no zipapp before Python 3.5")
        os.mkdir(self.path("app"))
        shutil.copy(harness.program(PLAIN), self.path("app", "__main__.py"))
        self.run_tool(self.python, "-m", "zipapp", self.path("app"), "-o", self.path("app.pyz"))
        process = self.start(self.python, self.path("app.pyz"))
        self.assertEqual(process.read_line(), "ready")
        self.check(process, above=("_run_module_as_main", "_run_code"))

    def test_exec_of_another_version(self):
        """A program that is watched becomes one of another interpreter, and back."""
        others = [path for version, path in harness.interpreters()
                  if not version.startswith("%d.%d." % self.version[:2])]
        if not others:
            self.skipTest("there is only one interpreter here")
        work = "import time\ndef %s():\n    end = time.time() + 1\n    while time.time() < end: pass\n%s()\n"
        then = "import os\nos.execv(%r, %r)\n"
        last = [self.python, "-c", work % ("third", "third")]
        middle = [others[0], "-c", work % ("second", "second") + then % (self.python, last)]
        first = [self.python, "-c", work % ("first", "first") + then % (others[0], middle)]
        outcome, stacks = self.record("-r", "200", "--", *first)
        self.assertEqual(outcome.status, 0, outcome)
        for name in ("first", "second", "third"):
            self.assertGreater(stacks.total(stacks.with_function(name)), LEAST_SAMPLES, outcome)


class TestDeleted(FindingTestCase):
    """An upgrade, or an application that unpacks itself and tidies up: the files are not what runs any more."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root may open files that were deleted")
        self.needs_binary()
        self.copies = [shutil.copy(self.python, self.path("bundle"))]
        mapped = subprocess.check_output([self.python, "-c", "print(open('/proc/self/maps').read())"]).decode()
        for path in set(re.findall(r"/\S*/libpython\S*", mapped)):
            self.copies.append(shutil.copy(path, self.folder))
        self.variables = dict(self.home(), LD_LIBRARY_PATH=self.folder)

    def start_copy(self):
        process = self.start_plain(self.copies[0], env=self.variables)
        with open("/proc/%d/maps" % process.pid) as maps:
            text = maps.read()
        for path in self.copies:
            self.assertIn(path, text)
        return process

    def test_deleted(self):
        process = self.start_copy()
        for path in self.copies:
            os.unlink(path)
        self.check(process)

    def test_replaced(self):
        process = self.start_copy()
        for path in self.copies:
            other = self.path("other")
            shutil.copy("/bin/true", other)
            os.rename(other, path)
        self.check(process)


if __name__ == "__main__":
    harness.main()
