"""What pyspyc.py promises to the program that imports it: recordings of blocks and functions, and nothing left running.

    PYSPYC=build/pyspyc python3 test_client.py [INTERPRETER] [TestClass.test_name]
"""
import os
import re
import shutil
import signal
import stat
import xml.etree.ElementTree

import harness

CLIENT = os.path.join(os.path.dirname(os.path.dirname(harness.HERE)), "src", "client", "pyspyc.py")
NOWHERE = "/nonexistent"

# What each script begins with. Work is as long as it is, whatever the CPU is busy with.
PRELUDE = '''# -*- coding: utf-8 -*-
from __future__ import print_function
import os, signal, sys, threading, time
import pyspyc

clock = getattr(time, "process_time", time.clock if sys.version_info < (3,) else None)

def spin(seconds):
    end = clock() + seconds
    while clock() < end:
        pass

def before(): spin(0.2)
def inside(): spin(0.3)
def after(): spin(0.2)

def say(*words):
    print(*words)
    sys.stdout.flush()

'''

# Takes the profiler's place: it attaches to nobody, notes what it was asked for, says that it is ready, waits for the
# signal, and ends as the variables tell it.
STAND_IN = '''#!/bin/sh
echo "$@" > "$STAND_IN_NOTES"
trap 'printf "%s" "$STAND_IN_OUTPUT"; printf "%s" "$STAND_IN_ERRORS" >&2; exit "$STAND_IN_STATUS"' INT
echo >&0
while :; do sleep 0.01; done
'''


class ClientCase(harness.TestCase):
    """Steps that the tests share."""

    def environment(self, **more):
        variables = super().environment(PYSPYC=harness.pyspyc())
        variables["PYTHONPATH"] = os.path.dirname(CLIENT)
        variables.update(more)
        return {name: value for name, value in variables.items() if value is not None}

    def start_script(self, source, options=(), **variables):
        """Starts a program that ends with the test."""
        path = self.path("script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PRELUDE + source)
        return self.start(self.python, *options, path, cwd=self.folder, env=self.environment(**variables),
                          start_new_session=True)

    def run_script(self, source, **variables):
        process = self.start_script(source, **variables)
        status, output = process.finish()
        return harness.Outcome(process.arguments, status, output, process.stderr())

    def run_well(self, source, **variables):
        outcome = self.run_script(source, **variables)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def stacks(self, name="out.txt"):
        with open(self.path(name), encoding="utf-8") as file:
            return harness.Stacks(file.read())

    def samples_of(self, function, name="out.txt"):
        stacks = self.stacks(name)
        return stacks.total(stacks.with_function(function))

    def profiler_of(self, process):
        """The number of the profiler that a program has started."""
        children = harness.wait_until(lambda: harness.children_of(process.pid), "the program has a child")
        self.assertEqual(len(children), 1)
        self.assertEqual(os.path.basename(harness.command_line(children[0])[0]), "pyspyc")
        return children[0]

    def assert_gone(self, pid):
        harness.wait_until(lambda: harness.status_of(pid).get("State", "Z")[0] == "Z", "process %d is gone" % pid)


class TestBlock(ClientCase):
    """`with pyspyc.record(...)`."""

    def test_only_the_block_is_recorded(self):
        outcome = self.run_well('''
before()
with pyspyc.record("out.txt", rate=1000):
    inside()
after()
''')
        stacks = self.stacks()
        self.assertGreater(stacks.total(stacks.with_function("inside")), 150, outcome)
        self.assertEqual(stacks.total(stacks.with_function("before")), 0, outcome)
        self.assertEqual(stacks.total(stacks.with_function("after")), 0, outcome)
        self.assertRegex(outcome.errors, r"(?s)\npyspyc: \d+ samples in .*\npyspyc: wrote out\.txt\n\Z")
        self.assertEqual(outcome.output, "")

    def test_a_picture(self):
        self.run_well('''
with pyspyc.record("out.svg"):
    inside()
''')
        with open(self.path("out.svg"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(xml.etree.ElementTree.fromstring(text).tag, "{http://www.w3.org/2000/svg}svg")
        self.assertIn("inside (script.py:", text)

    def test_options(self):
        self.run_well('''
with pyspyc.record("out.x", "raw", 1000, threads=True, function=True, full_filenames=True, quiet=True):
    inside()
''')
        stacks = self.stacks("out.x")
        line = 1 + PRELUDE[:PRELUDE.index("def spin")].count("\n")
        self.assertTrue(any(frame.endswith("/script.py:%d)" % line) for stack in stacks.counts for frame in stack))
        self.assertTrue(all(stack[1].startswith("thread (") for stack in stacks.counts))

    def test_quiet(self):
        outcome = self.run_well('''
with pyspyc.record("out.txt", quiet=True):
    pass
''')
        self.assertEqual(outcome.errors, "")
        self.assertTrue(os.path.exists(self.path("out.txt")))

    def test_standard_output(self):
        outcome = self.run_well('''
with pyspyc.record("-", "raw", rate=1000):
    inside()
''')
        stacks = harness.Stacks(outcome.output)
        self.assertGreater(stacks.total(stacks.with_function("inside")), 100, outcome)

    def test_a_folder_that_is_left_meanwhile(self):
        self.run_well('''
with pyspyc.record("out.txt"):
    os.chdir("/")
''')
        self.assertTrue(os.path.exists(self.path("out.txt")))

    def test_names_of_files(self):
        names = '[u"gr\\u00fc\\u00df.txt", u"b.txt".encode("ascii")]'
        if self.version >= (3, 6):
            names += ' + [__import__("pathlib").Path("p.txt")]'
        self.run_well('''
for name in %s:
    with pyspyc.record(name): pass
''' % names, LC_ALL="C.UTF-8")
        self.assertTrue({"grüß.txt", "b.txt"} <= set(os.listdir(self.folder)))
        self.assertEqual(os.path.exists(self.path("p.txt")), self.version >= (3, 6))

    def test_one_recording_after_another(self):
        self.run_well('''
recording = pyspyc.record("a.txt")
with recording: pass
with pyspyc.record("b.txt"): pass
os.remove("a.txt")
with recording: pass
''')
        self.assertTrue(os.path.exists(self.path("a.txt")) and os.path.exists(self.path("b.txt")))

    def test_all_threads_are_recorded(self):
        self.run_well('''
def other(): inside()
with pyspyc.record("out.txt", rate=1000):
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
''')
        self.assertGreater(self.samples_of("other"), 100)

    def test_the_profiler_is_not_one_of_the_subprocesses(self):
        outcome = self.run_well('''
import subprocess
with pyspyc.record("out.txt", rate=1000, subprocesses=True):
    subprocess.check_call([sys.executable, "-c", "def child():\\n  for i in range(10000000): pass\\nchild()"])
''')
        self.assertGreater(self.samples_of("child"), 50)
        self.assertIn("of 2 processes", outcome.errors)
        self.assertNotIn("not in the recording", outcome.errors)

    def test_blocking(self):
        self.run_well('''
with pyspyc.record("out.txt", rate=1000, blocking=True):
    inside()
''')
        self.assertGreater(self.samples_of("inside"), 100)

    def test_no_standard_streams(self):
        self.run_well('''
os.close(0)
os.close(1)
os.close(2)
with pyspyc.record("out.txt", quiet=True): inside()
''')
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs

    def test_warnings_are_errors(self):
        """No resource is left open, and nothing that is used is deprecated."""
        process = self.start_script('''
import gc
with pyspyc.record("out.txt", quiet=True): inside()
gc.collect()
''', options=["-bb", "-W", "error"])
        self.assertEqual(process.finish()[0], 0, process.stderr())
        self.assertEqual(process.stderr(), "")

    def test_import_takes_nothing_along(self):
        outcome = self.run_well('''
import subprocess
code = "import sys, os; old = set(sys.modules); import pyspyc; print(sorted(set(sys.modules) - old))"
sys.stdout.write(subprocess.check_output([sys.executable, "-c", code]).decode())
''')
        self.assertEqual(outcome.output, "['pyspyc']\n")


class TestTree(ClientCase):
    """What is printed at the end, with a stand-in for the profiler, which says what it was asked for."""

    def setUp(self):
        super().setUp()
        with open(self.path("stand-in"), "w") as file:
            file.write(STAND_IN)
        os.chmod(self.path("stand-in"), stat.S_IRWXU)

    def run_with_stand_in(self, source, output="", errors="", status=0, **variables):
        variables.update(PYSPYC=self.path("stand-in"), STAND_IN_NOTES=self.path("notes"), STAND_IN_OUTPUT=output,
                         STAND_IN_ERRORS=errors, STAND_IN_STATUS=str(status))
        outcome = self.run_script(source, **variables)
        with open(self.path("notes")) as file:
            return outcome, re.sub(r"^record --pid \d+ --ready-fd 0 ?", "", file.read().strip())

    def test_without_an_output_the_tree_is_printed(self):
        outcome, asked = self.run_with_stand_in("with pyspyc.record(): say('inside')", "└─ main\n", "pyspyc: words\n",
                                                LC_ALL="C.UTF-8")
        self.assertEqual(asked, "--output -")
        self.assertEqual(outcome.output, "inside\n")
        self.assertEqual(outcome.errors, "└─ main\npyspyc: words\n")

    def test_a_stream_that_cannot_draw(self):
        outcome, _ = self.run_with_stand_in("with pyspyc.record(): pass", "└─ main\n", PYTHONIOENCODING="ascii")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn(" main\n", outcome.errors)

    def test_it_is_printed_unless_it_is_not_wanted(self):
        _, asked = self.run_with_stand_in("with pyspyc.record('a.svg', rate=7): pass")
        self.assertEqual(asked, "--output a.svg --output - --rate 7")
        for option in ("tree=False", "quiet=True"):
            _, asked = self.run_with_stand_in("with pyspyc.record('a.svg', rate=7, %s): pass" % option)
            self.assertEqual(asked, "--output a.svg --rate 7")
        _, asked = self.run_with_stand_in("with pyspyc.record('-', rate=7): pass")
        self.assertEqual(asked, "--output - --rate 7")

    def test_a_real_tree(self):
        outcome = self.run_script("def inside():\n    end = time.time() + 0.5\n    while time.time() < end: pass\n"
                                  "import time\nwith pyspyc.record('out.svg', rate=500): inside()")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.errors, r"\d\.\d+s +\d+% .*\binside\b")
        self.assertTrue(os.path.exists(self.path("out.svg")))

    def test_it_goes_with_a_format(self):
        _, asked = self.run_with_stand_in("with pyspyc.record('a', format='raw', tree=True, idle=True): pass")
        self.assertEqual(asked, "--output a --format raw --output - --idle")
        _, asked = self.run_with_stand_in("with pyspyc.record(tree=False): pass")
        self.assertEqual(asked, "")

    def test_streams_of_the_program_that_were_replaced(self):
        outcome, _ = self.run_with_stand_in('''
import io
sys.stderr = (io.StringIO if str is not bytes else io.BytesIO)()
with pyspyc.record(): pass
text = sys.stderr.getvalue()
sys.stderr = sys.__stderr__
say(repr(text))
''', "tree")
        self.assertEqual(outcome.output, "'tree'\n")

    def test_status_and_words_of_a_failure_are_raised(self):
        outcome, _ = self.run_with_stand_in('''
try:
    with pyspyc.record("x"): say("inside")
except pyspyc.Error as error:
    say("Error: %s" % error)
''', errors="pyspyc: no space\nleft\n", status=1)
        self.assertEqual(outcome.output, "inside\nError: no space\nleft\n", outcome)
        outcome, _ = self.run_with_stand_in('''
try:
    with pyspyc.record("x"): pass
except pyspyc.Error as error:
    say("Error: %s" % error)
''', status=9)
        self.assertEqual(outcome.output, "Error: the profiler ended with status 9\n", outcome)


class TestEnds(ClientCase):
    """However the block ends, what was recorded is written, and nothing is left running."""

    def test_nothing_is_left_running(self):
        process = self.start_script('''
with pyspyc.record("out.txt"): say("in")
say("out")
sys.stdin.read()
''')
        self.assertEqual([process.read_line(), process.read_line()], ["in", "out"])
        self.assertEqual(harness.children_of(process.pid), [])
        self.assertTrue(os.path.exists(self.path("out.txt")))
        self.assert_unharmed(process)
        self.assertEqual(sorted(os.listdir(self.folder)), ["out.txt", "script.py"])

    def test_exception_goes_on(self):
        outcome = self.run_script('''
with pyspyc.record("out.txt", rate=1000):
    inside()
    raise KeyError("mine")
''')
        self.assertEqual(outcome.status, 1)
        self.assertIn("KeyError: 'mine'", outcome.errors)
        self.assertGreater(self.samples_of("inside"), 100)

    def test_exception_goes_on_when_the_profiler_has_failed_too(self):
        outcome = self.run_script('''
try:
    with pyspyc.record("out.txt") as recording:
        os.kill(recording._profiler.child.pid, signal.SIGKILL)
        raise KeyError("mine")
except KeyError as error:
    say("caught", error)
''')
        self.assertEqual((outcome.status, outcome.output), (0, "caught 'mine'\n"), outcome)
        self.assertEqual(outcome.errors, "pyspyc: signal 9 ended the profiler\n")

    def test_exit(self):
        outcome = self.run_script('''
with pyspyc.record("out.txt"):
    inside()
    sys.exit(7)
''')
        self.assertEqual(outcome.status, 7, outcome)
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs

    def assert_ends_with_the_program(self, last_line, status):
        process = self.start_script('''
with pyspyc.record("out.txt"):
    inside()
    say("in")
    sys.stdin.readline()
    %s
''' % last_line)
        process.read_line()
        profiler = self.profiler_of(process)
        self.assertEqual(process.finish()[0], status)
        self.assert_gone(profiler)
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs

    def test_exit_without_ado(self):
        self.assert_ends_with_the_program("os._exit(3)", 3)

    def test_killed_program(self):
        self.assert_ends_with_the_program("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL)

    def test_thread_that_the_end_does_not_wait_for(self):
        outcome = self.run_well('''
ready = threading.Event()
def record():
    with pyspyc.record("out.txt"):
        inside()
        ready.set()
        time.sleep(3600)
thread = threading.Thread(target=record)
thread.daemon = True
thread.start()
ready.wait()
''')
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs
        self.assertIn("pyspyc: wrote ", outcome.errors)

    def test_interrupt_is_for_the_program_alone(self):
        process = self.start_script('''
with pyspyc.record("out.txt"):
    try:
        say("in")
        time.sleep(3600)
    except KeyboardInterrupt:
        inside()
''')
        process.read_line()
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.finish()[0], 0, process.stderr())
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs

    def test_signals_that_the_program_ignores(self):
        self.run_well('''
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with pyspyc.record("out.txt"): pass
signal.signal(signal.SIGHUP, signal.SIG_IGN)
try:
    with pyspyc.record("no.txt"): pass
except pyspyc.Error as error:
    assert "SIGHUP" in str(error), error
''')
        self.assertTrue(os.path.exists(self.path("out.txt")))
        self.assertFalse(os.path.exists(self.path("no.txt")))

    def test_program_that_gives_up_its_rights(self):
        """It cannot end a profiler that runs as root any more, and must not wait for it."""
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        process = self.start_script('''
try:
    with pyspyc.record("out.txt", quiet=True):
        os.setuid(65534)
except pyspyc.Error as error:
    say(error)
sys.stdin.read()
''')
        self.assertIn("cannot end the profiler", process.read_line())
        profiler = self.profiler_of(process)
        self.assertEqual(process.finish()[0], 0)
        self.assert_gone(profiler)

    def test_program_that_has_its_children_collected(self):
        self.run_well('''
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with pyspyc.record("out.txt"): inside()
''')
        self.assertGreater(self.samples_of("inside"), 2)  # of 30, where nothing else wants the CPUs

    def test_forked_child_does_not_end_the_recording(self):
        outcome = self.run_well('''
with pyspyc.record("out.txt", rate=1000, quiet=True):
    child = os.fork()
    if child != 0:
        say(os.waitpid(child, 0)[1])
        inside()
if child == 0:
    with pyspyc.record("child.txt", rate=1000, quiet=True):
        after()
''', PYTHONWARNINGS="ignore")
        self.assertEqual(outcome.output, "0\n", outcome)
        self.assertGreater(self.samples_of("inside"), 100)
        self.assertEqual(self.samples_of("after"), 0)
        self.assertGreater(self.samples_of("after", "child.txt"), 50)

    def test_process_that_holds_the_pipe(self):
        """A process that was forked while the profiler started has the profiler's end of the pipe, too."""
        self.run_well('''
original_pipe, original_close, told, children, owner = os.pipe, os.close, [], [], os.getpid()
def pipe():
    ends = original_pipe()
    told.append(ends[1])
    return ends
def close(fd):
    if told[:1] == [fd] and not children and os.getpid() == owner:
        children.append(os.fork())
        if children[0] == 0:
            signal.pause()
    original_close(fd)
os.pipe, os.close = pipe, close
try:
    with pyspyc.record("/nonexistent/out.txt"): pass
except pyspyc.Error as error:
    assert "/nonexistent/out.txt" in str(error), error
finally:
    os.kill(children[0], signal.SIGKILL)
''', PYTHONWARNINGS="ignore")


class TestMistakes(ClientCase):
    """Errors that say what is wrong."""

    def error_of(self, source, **variables):
        outcome = self.run_well('''
try:
    %s
except (pyspyc.Error, TypeError) as error:
    say("%%s: %%s" %% (type(error).__name__, error))
''' % source, **variables)
        return outcome.output

    def test_missing_binary(self):
        said = self.error_of("with pyspyc.record('x.svg'): say('in')", PYSPYC=None, PATH=NOWHERE + ":/also/not")
        beside = os.path.normpath(os.path.join(os.path.dirname(CLIENT), "../../bin/pyspyc"))
        self.assertEqual(said, "Error: the profiler's binary was not found: the environment variable PYSPYC is not set, "
                               "there is no %s, and no pyspyc in the folders of PATH (/nonexistent:/also/not)\n" % beside)

    def test_variable_that_names_no_binary(self):
        for wrong in (NOWHERE, self.folder, CLIENT):
            said = self.error_of("with pyspyc.record('x.svg'): say('in')", PYSPYC=wrong)
            self.assertEqual(
                said, "Error: the environment variable PYSPYC names %r, which is not an executable file\n" % wrong)

    def test_binary_that_cannot_run(self):
        path = self.path("empty")
        with open(path, "w") as file:
            file.write("#!/nonexistent/interpreter\n")
        os.chmod(path, stat.S_IRWXU)
        said = self.error_of("with pyspyc.record('x.svg'): say('in')", PYSPYC=path)
        self.assertRegex(said, r"\AError: cannot start %s: No such file" % re.escape(path))

    def test_failure_at_the_start(self):
        said = self.error_of("with pyspyc.record('/nonexistent/x.svg'): say('in')")
        self.assertEqual(said, "Error: cannot write '/nonexistent/x.svg': No such file or directory\n")
        said = self.error_of("with pyspyc.record('x.svg', rate=0): say('in')")
        self.assertIn("'0' is not a rate", said)
        said = self.error_of("with pyspyc.record('x.svg', format='nothing'): say('in')")
        self.assertIn("unknown format 'nothing'", said)

    def test_failure_at_the_end(self):
        said = self.error_of('''
    os.mkdir("folder")
    with pyspyc.record('folder/x.svg'):
        for name in os.listdir("folder"): os.remove("folder/" + name)
        os.rmdir("folder")
        say("in")'''.strip())
        self.assertRegex(said, r"\Ain\nError: cannot write '\S*folder/x\.svg': No such file or directory\n\Z")

    def test_killed_profiler(self):
        said = self.error_of("""
    with pyspyc.record('x.svg') as recording:
        os.kill(recording._profiler.child.pid, signal.SIGKILL)""".strip())
        self.assertEqual(said, "Error: signal 9 ended the profiler\n")

    def test_recordings_exclude_each_other(self):
        said = self.error_of('''
    recording = pyspyc.record("out.txt", rate=1000, quiet=True)
    with recording:
        for inner in (recording, pyspyc.record("inner.txt")):
            def other():
                try:
                    with inner: say("in")
                except pyspyc.Error as error:
                    say("refused")
            other()
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        inside()'''.strip())
        self.assertEqual(said, "refused\n" * 4)
        self.assertGreater(self.samples_of("inside"), 100)
        self.assertFalse(os.path.exists(self.path("inner.txt")))

    def test_after_a_failure_there_can_be_another(self):
        self.run_well('''
for name in ("/nonexistent/x.svg", "out.txt"):
    try:
        with pyspyc.record(name): pass
    except pyspyc.Error:
        assert name != "out.txt"
''')
        self.assertTrue(os.path.exists(self.path("out.txt")))

    def test_options_that_do_not_exist(self):
        self.assertIn("speed", self.error_of("pyspyc.record('x', speed=3)"))
        self.assertIn("speed", self.error_of("pyspyc.profiled('x', speed=3)"))
        self.assertIn("TypeError", self.error_of("pyspyc.record(3)"))

    def test_generators_are_refused(self):
        self.assertIn("generator", self.error_of('''
    @pyspyc.profiled("x")
    def numbers(): yield 1'''.strip()))


class TestPlaces(ClientCase):
    """Where the binary is found."""

    def assert_works(self, **variables):
        self.run_well('''
with pyspyc.record("out.txt"): pass
os.remove("out.txt")
''', **variables)

    def test_on_path(self):
        os.mkdir(self.path("bin"))
        os.symlink(harness.pyspyc(), self.path("bin", "pyspyc"))
        self.assert_works(PYSPYC=None, PATH=NOWHERE + "::" + self.path("bin"))

    def test_beside_the_installed_file(self):
        for folder in ("bin", "share", "share/pyspyc"):
            os.mkdir(self.path(folder))
        shutil.copy(harness.pyspyc(), self.path("bin", "pyspyc"))
        shutil.copy(CLIENT, self.path("share", "pyspyc", "pyspyc.py"))
        self.assert_works(PYSPYC=None, PATH=NOWHERE, PYTHONPATH=self.path("share", "pyspyc"))

    def test_variable_with_a_relative_path(self):
        self.assert_works(PYSPYC=os.path.relpath(harness.pyspyc(), self.folder))


class TestYama(ClientCase):
    """Where Yama lets only ancestors read a process. What the kernel is asked for is seen by a stand-in for ctypes."""

    SCRIPT = '''
import types
class Libc(object):
    def __init__(self, *arguments, **more): pass
    def prctl(self, option, pid, *more):
        asked.append((option, pid))
        return status
asked, status = [], %d
ctypes = types.ModuleType("ctypes")
ctypes.CDLL, ctypes.c_ulong, ctypes.get_errno = Libc, int, lambda: 22
sys.modules["ctypes"] = ctypes
pyspyc.YAMA_SCOPE = "scope"
try:
    with pyspyc.record("out.txt", quiet=True) as recording:
        child = recording._profiler.child.pid
    assert asked == [(0x59616d61, os.getpid()), (0x59616d61, child), (0x59616d61, 0)] * %d, asked
except pyspyc.Error as error:
    say(error)
'''

    def run_with_scope(self, scope, source):
        with open(self.path("scope"), "w") as file:
            file.write("%s\n" % scope)
        return self.run_well(source).output

    def test_the_profiler_is_let_in_for_the_block(self):
        self.assertEqual(self.run_with_scope(1, self.SCRIPT % (0, 1)), "")

    def test_nobody_is_let_in_where_it_is_not_needed(self):
        for scope in (0, 2, 3, ""):
            self.assertEqual(self.run_with_scope(scope, self.SCRIPT % (0, 0)), "")

    def test_refusal(self):
        said = self.run_with_scope(1, self.SCRIPT % (-1, 0))
        self.assertEqual(said, "cannot allow the profiler to read this program: Invalid argument\n")

    def test_the_kernel_itself(self):
        """It either knows the request or says that it has no Yama."""
        said = self.run_with_scope(1, '''
pyspyc.YAMA_SCOPE = "scope"
try:
    with pyspyc.record("out.txt", quiet=True): pass
except pyspyc.Error as error:
    say(error)
''')
        has_yama = os.path.exists("/proc/sys/kernel/yama/ptrace_scope")
        self.assertEqual(said, "" if has_yama else "cannot allow the profiler to read this program: Invalid argument\n")

    def test_python_without_ctypes(self):
        said = self.run_with_scope(1, '''
sys.modules["ctypes"] = None
pyspyc.YAMA_SCOPE = "scope"
try:
    with pyspyc.record("out.txt", quiet=True): pass
except pyspyc.Error as error:
    say(error)
''')
        self.assertIn("ctypes", said)


class TestDecorator(ClientCase):
    """`@pyspyc.profiled`."""

    def test_a_function_stays_what_it_is(self):
        outcome = self.run_well('''
@pyspyc.profiled("out.txt", rate=1000, quiet=True)
def work(a, b=2, *c, **d):
    """Works."""
    inside()
    return a, b, c, d
work.attribute = 1
assert work(1, 3, 4, x=5) == (1, 3, (4,), {"x": 5})
assert (work.__name__, work.__doc__, work.__module__) == ("work", "Works.", "__main__")
assert work.__wrapped__(1) == (1, 2, (), {})
if sys.version_info >= (3,):
    import inspect
    say(inspect.signature(work))
else:
    say("(a, b=2, *c, **d)")
''')
        self.assertEqual(outcome.output, "(a, b=2, *c, **d)\n")
        self.assertGreater(self.samples_of("work"), 100)

    def test_bare(self):
        """Without an output it prints a tree, and nothing else."""
        with open(self.path("stand-in"), "w") as file:
            file.write(STAND_IN)
        os.chmod(self.path("stand-in"), stat.S_IRWXU)
        outcome = self.run_well('''
@pyspyc.profiled
def work(a): return a + 1
say(work.__name__, work(1))
@pyspyc.profiled()
def work(a): return a + 1
say(work.__name__, work(2))
''', PYSPYC=self.path("stand-in"), STAND_IN_NOTES="/dev/null", STAND_IN_OUTPUT="tree\n", STAND_IN_ERRORS="",
                                STAND_IN_STATUS="0")
        self.assertEqual((outcome.output, outcome.errors), ("work 2\nwork 3\n", "tree\ntree\n"))

    def test_method_and_exception(self):
        outcome = self.run_well('''
class Worker(object):
    @pyspyc.profiled("out.txt", rate=1000, quiet=True)
    def work(self):
        inside()
        raise KeyError("mine")
    @staticmethod
    @pyspyc.profiled("static.txt", quiet=True)
    def still(): return 1
try:
    Worker().work()
except KeyError as error:
    say(error, Worker.still())
''')
        self.assertEqual(outcome.output, "'mine' 1\n")
        self.assertGreater(self.samples_of("inside"), 100)
        self.assertTrue(os.path.exists(self.path("static.txt")))

    def test_calls_in_calls_are_in_one_recording(self):
        self.run_well('''
@pyspyc.profiled("inner.txt", quiet=True)
def inner(): inside()
@pyspyc.profiled("out.txt", rate=1000, quiet=True)
def outer(depth):
    if depth:
        outer(depth - 1)
    else:
        inner()
        thread = threading.Thread(target=inner)
        thread.start()
        thread.join()
outer(3)
''')
        self.assertGreater(self.samples_of("outer"), 100)
        self.assertGreater(self.samples_of("inner"), 200)
        self.assertFalse(os.path.exists(self.path("inner.txt")))

    def test_coroutine(self):
        if self.version < (3, 5):
            return
        outcome = self.run_well('''
import asyncio, inspect
@pyspyc.profiled("out.txt", rate=1000, quiet=True)
async def work(a):
    inside()
    await asyncio.sleep(0)
    return a + 1
say(inspect.iscoroutinefunction(work), work.__name__)
async def several(): return await asyncio.gather(*[work(i) for i in range(3)])
loop = asyncio.new_event_loop()
say(loop.run_until_complete(work(1)), loop.run_until_complete(several()))
loop.close()
''')
        self.assertEqual(outcome.output, "True work\n2 [1, 2, 3]\n")
        self.assertGreater(self.samples_of("work"), 100)

    def test_asynchronous_generators_are_refused(self):
        if self.version < (3, 6):
            return
        outcome = self.run_well('''
try:
    @pyspyc.profiled("x")
    async def numbers(): yield 1
except TypeError as error:
    say(error)
''')
        self.assertIn("generator", outcome.output)

    def test_callables_of_other_kinds(self):
        self.run_well('''
import functools
assert pyspyc.profiled("a.txt", quiet=True)(functools.partial(int, "7"))() == 7
assert pyspyc.profiled("b.txt", quiet=True)(len)([1, 2]) == 2
''')
        self.assertTrue(os.path.exists(self.path("a.txt")) and os.path.exists(self.path("b.txt")))


if __name__ == "__main__":
    harness.main()
