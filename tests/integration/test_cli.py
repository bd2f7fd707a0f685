"""The command line: that of py-spy 0.4.2, and help, manual and completions, which say what the tables of options say."""
import concurrent.futures
import itertools
import json
import os
import pty
import re
import resource
import shlex
import signal
import subprocess
import termios
import time
import unittest

import harness

#: How many command lines are tried at once.
WORKERS = 4

#: How often one is tried that recorded nothing in its moment, as the machine was busy.
TURNS = 5

#: py-spy 0.4.2, src/config.rs: each option in each way to write it. A value stands behind the name.
RECORD_OPTIONS = (
    ("-o OUT", "--output OUT", "--output=OUT", "-o=OUT", "-oOUT"),
    ("-f raw", "--format speedscope", "--format=chrometrace", "-f FLAMEGRAPH", "-f=Raw"),
    ("-d 1", "--duration 1", "-d=1"),
    ("-r 200", "--rate 200", "-r=200", "-r200"),
    ("-s", "--subprocesses"),
    ("-F", "--function"),
    ("--nolineno",),
    ("-t", "--threads"),
    ("-g", "--gil"),
    ("-i", "--idle"),
    ("-n", "--native"),
    ("--nonblocking",),
    ("--full-filenames",),
    ("--capture",),
    ("--hideprogress",),
)
TOP_OPTIONS = (
    ("--delay 0.2", "--delay=0.2"),
    ("-r 200", "--rate 200", "-r=200"),
    ("-s", "--subprocesses"),
    ("--full-filenames",),
    ("-g", "--gil"),
    ("-i", "--idle"),
    ("-n", "--native"),
    ("--nonblocking",),
)
DUMP_OPTIONS = (
    ("--full-filenames",),
    ("-l", "--locals", "-ll"),
    ("-j", "--json"),
    ("-s", "--subprocesses"),
    ("-n", "--native"),
    ("--nonblocking",),
)
#: Pairs that py-spy refuses.
EXCLUSIVE = ({"--function", "--nolineno"}, {"--native", "--nonblocking"})


def long_name(ways):
    return next(way for way in ways if way.startswith("--")).split("=")[0].split(" ")[0]


def alone(options):
    """Every option in every way."""
    return [way.split(" ") for ways in options for way in ways]


def pairs(options):
    """Every pair of options, the first one in its first way and the second one in its last."""
    return [one[0].split(" ") + other[-1].split(" ") for one, other in itertools.combinations(options, 2)
            if {long_name(one), long_name(other)} not in EXCLUSIVE]


class CliCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        # Under the name that callers of py-spy have.
        self.py_spy = self.path("py-spy")
        os.symlink(harness.pyspyc(), self.py_spy)

    def run_as_py_spy(self, *words, folder=None):
        folder = folder or self.folder
        return subprocess.run([self.py_spy, *map(str, words)], cwd=folder, env=self.environment(), timeout=harness.DEADLINE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)

    def run_all(self, lines):
        """Runs command lines, each in a folder of its own; returns [(words, folder, what came of it)]."""
        def run(numbered):
            number, words = numbered
            for turn in range(TURNS):
                folder = self.path("run-%d-%d" % (number, turn))
                os.mkdir(folder)
                done = self.run_as_py_spy(*words, folder=folder)
                if "no samples" not in done.stderr:
                    break
            return words, folder, done
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(run, enumerate(lines)))


class TestPySpy(CliCase):
    """py-spy's command lines work."""

    def check_output(self, words, folder):
        names = [name for name in os.listdir(folder) if not name.endswith(".pyspyc")]
        self.assertEqual(len(names), 1, (words, names))
        with open(os.path.join(folder, names[0])) as file:
            text = file.read()
        words = [word.split("=")[-1].lower() for word in words]
        if "raw" in words:
            self.assertRegex(text, r"\A([^\n]+ \d+\n)+\Z", words)
        elif "speedscope" in words or "chrometrace" in words:
            json.loads(text)
        else:
            self.assertIn("<svg", text, words)

    def test_record(self):
        # Busy, so that -g has something to show.
        target, _ = self.start_target("threads.py", "1", "1")
        tries = alone(RECORD_OPTIONS) + pairs(RECORD_OPTIONS)
        lines = [["record", "-p", target.pid, *words] + ["-d", "0.2"] * (not re.search(r"-d", " ".join(words)))
                 for words in tries]
        for words, folder, done in self.run_all(lines):
            with self.subTest(words=words):
                self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
                self.check_output([str(word) for word in words], folder)
        self.assert_unharmed(target)

    def test_top(self):
        """Without a terminal: --once ends it, which py-spy does not know."""
        target, _ = self.start_target("threads.py", "1", "1")
        for words, _, done in self.run_all(["top", "-p", target.pid, *words, "--once"] + ["--delay", "0.2"] * ("elay" not in str(words))
                                           for words in alone(TOP_OPTIONS) + pairs(TOP_OPTIONS)):
            with self.subTest(words=words):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("%Own", done.stdout)
        self.assert_unharmed(target)

    def test_dump(self):
        target, _ = self.start_target("sleeper.py")
        lines = [["dump", "--pid", hex(target.pid), *words] for words in alone(DUMP_OPTIONS) + pairs(DUMP_OPTIONS)]
        for words, _, done in self.run_all(lines):
            with self.subTest(words=words):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("nap", done.stdout)
        self.assert_unharmed(target)

    def test_dump_of_core(self):
        """That there is no such file says that the line was understood."""
        options = DUMP_OPTIONS + (("-p 1", "--pid 1"),)
        for words, _, done in self.run_all(["dump", "-c", "core.1", *words] for words in alone(options) + pairs(options)):
            with self.subTest(words=words):
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertIn("core.1", done.stderr)

    def test_exclusive_options(self):
        for words in EXCLUSIVE:
            for verb in ["record"] + ["top", "dump"] * ("--native" in words):
                done = self.run_as_py_spy(verb, "-p", "1", *sorted(words))
                self.assertNotEqual(done.returncode, 0, words)
                self.assertIn("exclude each other", done.stderr)

    def test_lines_of_callers(self):
        """Ray's dashboard and gProfiler have fixed command lines."""
        target, _ = self.start_target("threads.py", "1", "1")
        pid = str(target.pid)
        lines = [["dump", "-p", pid], ["dump", "-p", pid, "--native"],
                 ["record", "-r", "11", "-d", "1", "--nonblocking", "--format", "raw", "-F", "-o", "out", "-p", pid,
                  "--full-filenames", "--gil"]]
        for form, more in (("flamegraph", []), ("raw", ["--native"]), ("speedscope", ["--idle"]),
                           ("flamegraph", ["--subprocesses"]), ("raw", ["--native", "--idle", "--subprocesses"])):
            lines.append(["record", "-o", "out", "-p", pid, "-d", "1", "-f", form, *more])
        for words, folder, done in self.run_all(lines):
            with self.subTest(words=words):
                self.assertEqual(done.returncode, 0, done.stderr)
                if words[0] == "record":
                    self.check_output(words, folder)
                else:
                    self.assertIn("busy (threads.py", done.stdout)  # which calls spin() again and again
        self.assert_unharmed(target)

    def test_abbreviated_verbs(self):
        """py-spy's verbs come first where a word could begin another one, too."""
        for word, verb in (("r", "record"), ("rec", "record"), ("d", "dump"), ("du", "dump"), ("c", "completions"), ("t", "top"),
                           ("rep", "report"), ("di", "diff"), ("do", "doctor"), ("m", "merge")):
            done = self.run_as_py_spy(word, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("pyspyc %s [OPTION...]" % verb, done.stdout)

    def test_help_and_version(self):
        for words in (["help"], ["--help"], ["-h"]):
            self.assertIn("record", self.run_as_py_spy(*words).stdout)
        self.assertEqual(self.run_as_py_spy("record", "--help").stdout, self.run_as_py_spy("rec", "-h").stdout)
        self.assertRegex(self.run_as_py_spy("-V").stdout, r"\Apyspyc \d+\.\d+\.\d+\n\Z")
        self.assertEqual(self.run_as_py_spy("-V").stdout, self.run_as_py_spy("--version").stdout)
        self.assertEqual(self.run_as_py_spy().returncode, 2)

    def test_unlimited(self):
        done = self.run_as_py_spy("record", "-d", "unlimited", "-o", "out.svg", "--", self.python, "-c", "print('mine')")
        self.assertEqual((done.returncode, done.stdout), (0, "mine\n"), done.stderr)

    def test_rate_beyond_ours(self):
        done = self.run_as_py_spy("record", "-r", "1000000", "-d", "0.2", "-o", "out.svg", "--", self.python, "-c", "pass")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("100000 times a second", done.stderr)

    def test_capture(self):
        program = "import sys; print('out'); print('err', file=sys.stderr); sys.stdin.read(); sys.exit(%d)"
        for status in (0, 3):
            done = self.run_as_py_spy("record", "--capture", "-o", "out.svg", "--", self.python, "-c", program % status)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertEqual("out" in done.stderr.split(), status != 0, done.stderr)
            self.assertEqual("err" in done.stderr.split(), status != 0, done.stderr)


#: Makes as many processes as its argument says, which end with standard input.
FORKS = """
import os, sys
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        break
else:
    print("ready", flush=True)
sys.stdin.read()
"""


class TestProcesses(CliCase):
    """ps, --name, and --pid given several times."""

    def start_named(self, word):
        process = self.start(self.python, "-c", "import sys; print('ready', flush=True)\ndef nap(): sys.stdin.read()\nnap()", word)
        process.read_line()
        return process

    def rows(self, text):
        """{pid: (version, threads, state, rest)} of a table."""
        found = re.findall(r"^ *(\d+)  \S+ +(\S+) +(\d+)  (\w+) +(.*)$", text, re.M)
        return {int(pid): tuple(rest) for pid, *rest in found}

    def test_ps(self):
        sleeper = self.start_named("sleepy-\x1b[31m")
        busy, _ = self.start_target("threads.py", "3", "1")
        done = self.run_as_py_spy("ps")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = self.rows(done.stdout)
        version, threads, state, command = rows[sleeper.pid]
        self.assertEqual((version, threads, state), (".".join(map(str, self.version)), "1", "sleeping"))
        self.assertIn("sleepy-", command)
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(rows[busy.pid][1:3], (harness.status_of(busy.pid)["Threads"], "running"))

    def test_ps_is_quick(self):
        forks = self.start(self.python, "-c", FORKS, 300)
        forks.read_line()
        times = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = self.run_as_py_spy("ps")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            self.assertGreaterEqual(len(self.rows(done.stdout)), 301)
        self.assertLess(min(times), 0.5 * harness.SLOWNESS)

    @unittest.skipIf(os.getuid() != 0, "only root can become somebody else")
    def test_ps_of_somebody_else(self):
        sleeper = self.start_named("guarded")
        binary = os.open(harness.pyspyc(), os.O_RDONLY)
        self.addCleanup(os.close, binary)
        done = subprocess.run(["/proc/self/fd/%d" % binary, "ps"], pass_fds=[binary], user=65534, group=65534, extra_groups=[],
                              cwd="/", stdout=subprocess.PIPE, universal_newlines=True, timeout=harness.DEADLINE)
        part = done.stdout.split("These cannot be profiled:\n")[1]
        self.assertRegex(part, r"(?m)^ *%d .*\[another user's: use sudo\].*guarded" % sleeper.pid)

    def test_name(self):
        one, other = self.start_named("word-one"), self.start_named("word-two")
        done = self.run_as_py_spy("dump", "--name", r"word-\w*e$")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Process %d:" % one.pid, done.stdout)
        done = self.run_as_py_spy("record", "--name", "word-two", "-i", "-d", "0.3", "-f", "raw", "-o", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nap", done.stdout)
        for verb in ("dump", "record"):
            done = self.run_as_py_spy(verb, "--name", "word-(one|two)")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(set(self.rows(done.stderr)), {one.pid, other.pid})
            done = self.run_as_py_spy(verb, "--name", "no such word")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("no such word", done.stderr)
            done = self.run_as_py_spy(verb, "--name", "word-(")
            self.assertEqual(done.returncode, 2)
            self.assertIn("not a regular expression", done.stderr)

    def test_name_of_a_family(self):
        """With -s, those that another of them has started are no other ones."""
        forks = self.start(self.python, "-c", FORKS, 2)
        forks.read_line()
        name = ("--name", re.escape(FORKS.splitlines()[2]))
        for verb, words in (("dump", ()), ("record", ("-d", "0.3", "-o", "o.svg")), ("top", ("--once",))):
            done = self.run_as_py_spy(verb, *name, *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (verb, done.stderr))
            self.assertEqual(len(self.rows(done.stderr)), 3)
            self.assertIn("3 processes have a command line like", done.stderr)
            self.assertIn("or take all with --subprocesses", done.stderr)
        done = self.run_as_py_spy("dump", "-s", *name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(map(int, re.findall(r"^Process (\d+)[,:]", done.stdout, re.M))),
                         {forks.pid, *harness.children_of(forks.pid)})
        done = self.run_as_py_spy("record", "-s", "-i", "-d", "0.5", "-f", "raw", "-o", "-", *name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(set(re.findall(r";process (\d+): ", done.stdout))), 3)
        done = self.run_as_py_spy("top", "-s", "--once", "--idle", "--delay", "0.3", *name)
        self.assertEqual(done.returncode, 0, done.stderr)
        other = self.start(self.python, "-c", FORKS, 0)
        other.read_line()
        done = self.run_as_py_spy("dump", "-s", *name)
        self.assertEqual((done.returncode, len(self.rows(done.stderr))), (2, 4))
        self.assertNotIn("--subprocesses", done.stderr)

    def test_several_processes(self):
        """They have roots of their own, and the recording ends with the last of them."""
        targets = [self.start_target("sleeper.py")[0] for _ in range(3)]
        names = [word for target in targets for word in ("-p", str(target.pid))]
        done = self.run_as_py_spy("record", "-i", "-d", "0.5", "-f", "raw", "-o", "-", *names, *names[:2])
        self.assertEqual(done.returncode, 0, done.stderr)
        for target in targets:
            self.assertIn(";process %d: " % target.pid, done.stdout)
        profiler = self.start(self.py_spy, "record", "-o", self.path("out.svg"), "--ready-fd", "1", *names)
        self.assertEqual(profiler.read_line(), "")
        for target in targets:
            self.assertTrue(profiler.alive(), profiler.stderr())
            target.close_stdin()
            target.finish()
        self.assertEqual(profiler.finish()[0], 0, profiler.stderr())

    def test_several_processes_of_which_one_is_no_python(self):
        target, _ = self.start_target("sleeper.py")
        other = self.start("cat")
        for pids in ((target.pid, other.pid), (other.pid, target.pid)):
            done = self.run_as_py_spy("record", "-o", "out.svg", "-d", "1", "-p", pids[0], "-p", pids[1])
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("process %d is not a Python process" % other.pid, done.stderr)
        self.assert_unharmed(target)


class TestOutputs(CliCase):
    """Where results go, and what is said of them."""

    def record_some(self, *words):
        done = self.run_as_py_spy("record", "-r", "500", *words, "--", self.python, harness.program("small.py"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_patterns(self):
        target, _ = self.start_target("sleeper.py")
        done = self.run_as_py_spy("record", "-d", "0.2", "-p", target.pid, "-o", "a-%p-%h-%n-%%-%x-100%.svg", "-o", "%t.txt")
        self.assertEqual(done.returncode, 0, done.stderr)
        host = os.uname().nodename
        names = sorted(name for name in os.listdir(self.folder) if name != "py-spy")
        self.assertIn("a-%d-%s-1-%%-%%x-100%%.svg" % (target.pid, host), names)
        self.assertTrue(any(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.txt", name) for name in names), names)
        for name in names:
            if name.endswith((".svg", ".txt")):
                self.assertIn("wrote " + name, done.stderr)

    def test_pattern_of_a_started_program(self):
        program = "import os; print(os.environ['PYSPYC_PID'])"
        done = self.run_as_py_spy("record", "-o", "%p.svg", "--", self.python, "-c", program)
        self.assertTrue(os.path.exists(self.path(done.stdout.strip() + ".svg")), os.listdir(self.folder))

    def test_two_patterns_for_one_file(self):
        done = self.run_as_py_spy("record", "-o", "%n.svg", "-o", "1.svg", "--", self.python, "-c", "pass")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("two outputs", done.stderr)

    def test_colour(self):
        self.record_some("-o", "run.pyspyc", "-i")
        for force, refuse, expected in (("", "", False), ("1", "", True), ("0", "", False), ("1", "1", False)):
            done = subprocess.run([self.py_spy, "report", "run.pyspyc"], cwd=self.folder, stdout=subprocess.PIPE,
                                  env=self.environment(CLICOLOR_FORCE=force, NO_COLOR=refuse), timeout=harness.DEADLINE)
            self.assertEqual(b"\x1b[" in done.stdout, expected, (force, refuse))
        # A file is plain.
        subprocess.run([self.py_spy, "report", "run.pyspyc", "-o", "out.tree"], cwd=self.folder, check=True,
                       env=self.environment(CLICOLOR_FORCE="1"), timeout=harness.DEADLINE)
        with open(self.path("out.tree")) as file:
            self.assertNotIn("\x1b", file.read())

    def run_on_terminal(self, *words, term="xterm", **environment):
        """Everything that is said on a terminal as standard error."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        termios.tcsetwinsize(theirs, (24, 200))
        process = self.start(self.py_spy, *words, stderr=theirs, cwd=self.folder, env=self.environment(TERM=term, **environment))
        os.close(theirs)
        text = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
        self.assertEqual(process.finish()[0], 0, text)
        return text.decode()

    def test_progress_and_summary(self):
        target, _ = self.start_target("threads.py", "1", "1")
        text = self.run_on_terminal("record", "-d", "1", "-p", target.pid, "-o", "out.svg")
        self.assertRegex(text, r"recording: 0\.\d s, \d+ samples \(\d+/s\), \d+ lost, 0\.\d s left")
        self.assertIn("wrote out.svg", text)
        self.assertIn("spin", text.split("wrote out.svg")[1])
        self.assertNotIn("recording:", self.run_on_terminal("record", "-d", "1", "-p", target.pid, "-o", "o.svg", "--hideprogress"))
        text = self.run_on_terminal("record", "-d", "1", "-p", target.pid, "-o", "out.pyspyc")
        self.assertIn("Next: pyspyc report out.pyspyc", text)

    def test_next_step(self):
        """What is told to be typed next is what a shell takes for the file, and an option of nothing."""
        target, _ = self.start_target("threads.py", "1", "1")
        for name, words in (("it's one.raw", ["pyspyc", "report", "it's one.raw"]), ("-x.tree", ["less", "./-x.tree"]),
                            ("a.trace.json", ["open", "a.trace.json", "at", "https://ui.perfetto.dev"])):
            text = self.run_on_terminal("record", "-d", "0.3", "-p", target.pid, "-o", name)
            self.assertEqual(shlex.split(re.search(r"Next: (.*)", text)[1]), words, text)

    def test_a_tree_goes_to_standard_output(self):
        target, _ = self.start_target("threads.py", "1", "1")
        done = self.run_as_py_spy("record", "-d", "0.5", "-p", target.pid, "-f", "tree")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("spin", done.stdout)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".tree")], [])

    def test_summary_without_terminal(self):
        """A log of a job has it, too: the file, the five functions, and what to type next."""
        target, _ = self.start_target("threads.py", "1", "1")
        done = self.run_as_py_spy("record", "-d", "0.5", "-p", target.pid, "-o", "it's a picture.svg")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertRegex(done.stderr, r"(?s)wrote it's a picture\.svg\n.* spin .*\nNext: xdg-open 'it'\\''s a picture\.svg'\n")
        for name, command in (("o.pyspyc", "pyspyc report o.pyspyc"),
                              ("o.firefox.json", "open o.firefox.json at https://profiler.firefox.com")):
            done = self.run_as_py_spy("record", "-d", "0.2", "-p", target.pid, "-o", name)
            self.assertIn("Next: %s\n" % command, done.stderr)
        done = self.run_as_py_spy("record", "-d", "0.5", "-p", target.pid, "-o", "out.svg", "-o", "-")
        self.assertNotIn("Next:", done.stderr)
        self.assertIn("spin", done.stdout)

    def test_losses_have_a_cause(self):
        target, _ = self.start_target("threads.py", "1", "1")
        profiler = self.start(self.py_spy, "record", "-p", target.pid, "-o", self.path("out.svg"), "-d", "1.5", "--ready-fd", "1")
        self.assertEqual(profiler.read_line(), "")
        profiler.signal(signal.SIGSTOP)
        harness.wait_until(lambda: harness.status_of(profiler.pid)["State"][0] == "T", "it is stopped")
        until = time.monotonic() + 0.5
        harness.wait_until(lambda: time.monotonic() > until, "intervals have passed")
        profiler.signal(signal.SIGCONT)
        self.assertEqual(profiler.finish()[0], 0)
        self.assertRegex(profiler.stderr(), r"lost \d+ of \d+ intervals: .*\d+ missed \(pyspyc did not get a CPU\)")

    def test_progress_without_colour(self):
        target, _ = self.start_target("threads.py", "1", "1")
        words = ("record", "-d", "1", "-p", target.pid, "-o", "out.svg")
        text = self.run_on_terminal(*words, NO_COLOR="1")
        self.assertIn("recording: ", text)
        self.assertEqual(re.findall("\x1b.[0-9;]*m", text), [])
        self.assertNotIn("recording: ", self.run_on_terminal(*words, term="dumb"))

    def samples(self, name):
        """The lines of a recording's samples, and what stands before them."""
        done = self.run_as_py_spy("report", name, "-f", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def parts(self, *words):
        """Records a busy thread in parts; returns the names of files by ending."""
        target, _ = self.start_target("threads.py", "1", "1")
        done = self.run_as_py_spy("record", "-i", "-p", target.pid, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done, sorted(name for name in os.listdir(self.folder) if "." in name)

    def test_every(self):
        """Parts follow each other without a gap, and each tells its own time."""
        done, names = self.parts("-d", "2.2", "--every", "0.5", "-o", "run.pyspyc", "-o", "all.trace.json", "-o", "-", "-o", "%n.svg")
        numbers = range(1, len([name for name in names if name.startswith("run-")]) + 1)
        self.assertIn(len(numbers), (4, 5), names)
        self.assertEqual(names, sorted(form % number for number in numbers
                                       for form in ("run-%d.pyspyc", "all-%d.trace.json", "%d.svg")))
        self.assertEqual(done.stdout.count("Duration"), len(numbers))
        intervals = 0
        for number in numbers:
            head, *samples, end = self.samples("run-%d.pyspyc" % number)
            self.assertLess(head["duration_ns"], 1e9)
            intervals += sum(end["intervals"].values())
            self.assertTrue(all(0 <= sample["time_ns"] <= head["duration_ns"] + head["interval_ns"]
                                for sample in samples if "time_ns" in sample), head)
        self.assertAlmostEqual(intervals, 220, delta=12)

    def test_every_with_default_name(self):
        done, names = self.parts("-d", "1.2", "--every", "0.5")
        self.assertIn(len(names), (2, 3), names)
        self.assertTrue(all(re.fullmatch(r"\d+-[-0-9T]+-\d\.svg", name) for name in names), names)

    def test_every_of_nothing(self):
        for value in ("0", "0.01", "often"):
            self.assertEqual(self.run_as_py_spy("record", "-p", "1", "--every", value).returncode, 2)

    def open_as(self, user):
        """What --open of a recording does as a user: what it says, and what its xdg-open was told."""
        os.makedirs(self.path("bin"), exist_ok=True)
        with open(self.path("bin", "xdg-open"), "w") as file:
            file.write('#!/bin/sh\necho "$@" >%s\n' % self.path("opened"))
        os.chmod(self.path("bin", "xdg-open"), 0o755)
        os.chmod(self.folder, 0o777)
        os.chmod(self.path("run.pyspyc"), 0o644)
        binary = os.open(harness.pyspyc(), os.O_RDONLY)
        self.addCleanup(os.close, binary)
        return subprocess.run(["/proc/self/fd/%d" % binary, "report", "run.pyspyc", "-o", "-", "-o", "%d.svg" % user, "--open"],
                              user=user, pass_fds=[binary], cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              env=self.environment(PATH=self.path("bin") + ":/usr/bin:/bin"), universal_newlines=True,
                              timeout=harness.DEADLINE, check=True).stderr

    @unittest.skipIf(os.getuid() != 0, "only root can become somebody else")
    def test_open(self):
        self.record_some("-o", "run.pyspyc", "-i")
        self.assertIn("not done as root", self.open_as(0))
        self.open_as(65534)
        harness.wait_until(lambda: os.path.exists(self.path("opened")) and os.path.getsize(self.path("opened")), "it is opened")
        with open(self.path("opened")) as file:
            self.assertEqual(file.read(), self.path("65534.svg") + "\n")


class TestMistakes(CliCase):
    """What a newcomer gets wrong, and what he is told then."""

    def check(self, words, status, *sentences):
        done = self.run_as_py_spy(*words)
        self.assertEqual((done.returncode, done.stdout), (status, ""), (words, done.stderr))
        for sentence in sentences:
            self.assertIn(sentence, done.stderr, words)

    def test_no_verb(self):
        self.assertEqual(self.run_as_py_spy().stderr, self.run_as_py_spy("--help").stdout)
        self.check([], 2)

    def test_what_a_verb_takes_instead_of_a_verb(self):
        self.check(["1234"], 2, "'pyspyc record --pid 1234' records that process", "'pyspyc dump --pid 1234' shows")
        self.check(["app.py"], 2, "'pyspyc record -- python3 app.py' records a program")
        self.check(["recrod"], 2, "did you mean 'record'?")
        self.check(["version"], 2, "did you mean '--version'?")
        self.check(["--hlep"], 2, "unknown option '--hlep': did you mean '--help'?")
        self.check(["-p", "1234"], 2, "unknown option '-p': a verb comes first")
        self.check(["something"], 2, "unknown verb 'something' (see 'pyspyc --help')")

    def test_what_is_no_program(self):
        for verb in "record", "top":
            self.check([verb, "1234"], 127, "cannot start '1234': ", "; --pid 1234 attaches to process 1234")
            self.check([verb, "--", "app.py"], 127, "cannot start 'app.py'", "; a script is started by its interpreter: -- python3 app.py")
            self.check([verb, "nosuchprogram"], 127, "cannot start 'nosuchprogram': No such file or directory\n")

    def test_unknown_ending(self):
        self.check(["record", "-p", "1", "-o", "out.png"], 2, "end in '.png', but for .svg, ", ".pyspyc", "--format")

    def test_names_of_files_are_as_they_were_given(self):
        done = self.run_as_py_spy("record", "-o", "run.pyspyc", "-o", "out.svg", "--", self.python, "-c", "pass")
        self.assertIn("wrote out.svg\n", done.stderr)
        for _ in range(2):  # also when there is such a file
            done = self.run_as_py_spy("diff", "run.pyspyc", "run.pyspyc", "-o", "change.svg")
            self.assertIn("wrote change.svg\n", done.stderr)
        os.symlink("out.svg", self.path("link.svg"))
        done = self.run_as_py_spy("report", "run.pyspyc", "-o", "link.svg")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.islink(self.path("link.svg")))


class TestWords(CliCase):
    """Help, manual and completions say the same."""

    def help_of(self, *verb):
        done = self.run_as_py_spy(*verb, "--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verbs(self):
        return re.findall(r"^  ([a-z]+) ", self.help_of().split("\n\n", 2)[2], re.M)

    def options(self, verb):
        """{long name: (letter or "", value or "")}, as the whole help has it."""
        done = self.run_as_py_spy("help", verb)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = re.findall(r"^  (?:-(.), |    )--([a-z-]+)(?: ([A-Z|]+))?", done.stdout, re.M)
        return {name: (letter, value) for letter, name, value in found}

    def words(self, kind):
        done = self.run_as_py_spy("completions", kind)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_help_fits_a_screen(self):
        """With the next prompt below it. Three examples come first."""
        for verb in [()] + [(verb,) for verb in self.verbs()] + [("completions",)]:
            lines = self.help_of(*verb).splitlines()
            self.assertLessEqual(len(lines), 23, verb)
            self.assertLessEqual(max(map(len, lines)), 80, verb)
            self.assertTrue(all(re.search(r"\bpyspyc ", line) for line in lines[:3]), lines[:3])
            self.assertEqual(lines[3], "")

    def test_help_names_every_option(self):
        for verb in self.verbs():
            names = re.findall(r"(?<!\S)--([a-z-]+)(?!\S)", self.help_of(verb).split("Usage:")[1])
            self.assertEqual(sorted(set(names)), sorted(self.options(verb)), verb)

    def test_options_that_exist(self):
        """What the help says is what the parser takes: an option without its value, or with one too many, is a mistake."""
        for verb in self.verbs():
            for name, (letter, value) in self.options(verb).items():
                if name == "help":
                    continue
                line = ["--" + name] if value else ["--%s=x" % name]
                errors = self.run_as_py_spy(verb, *line).stderr
                self.assertIn("needs a value: " + value if value else "takes no value", errors, line)
                if letter:
                    errors = self.run_as_py_spy(verb, "-" + letter).stderr
                    self.assertEqual("needs a value" in errors, bool(value), errors)

    def test_manual(self):
        page = self.words("man").replace("\\-", "-")
        verbs = dict(zip(*[iter(re.split(r"^\.SS (.*)\n", page.split(".SH VERBS\n")[1].split(".SH ")[0], flags=re.M)[1:])] * 2))
        self.assertLessEqual(set(self.verbs()), set(verbs))
        for verb in self.verbs():
            found = re.findall(r"^\.TP\n(?:\\fB-(.)\\fR, )?\\fB--([a-z-]+)\\fR(?: \\fI([A-Z|]+)\\fR)?$", verbs[verb], re.M)
            options = {name: (letter, value) for letter, name, value in found if name not in ("capture", "hideprogress")}
            self.assertEqual(options, self.options(verb), verb)
        for head in ("FILES", "EXIT STATUS", "SIGNALS", "ENVIRONMENT", "EXAMPLES"):
            self.assertIn("\n.SH %s\n" % head, page)

    def test_manual_is_clean(self):
        """What mandoc has to say of it, whatever it is."""
        with open(self.path("pyspyc.1"), "w") as file:
            file.write(self.words("man"))
        done = subprocess.run(["mandoc", "-Tlint", self.path("pyspyc.1")], stdout=subprocess.PIPE, timeout=harness.DEADLINE,
                              universal_newlines=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def complete(self, *words):
        """What bash offers for the last of the words."""
        with open(self.path("completions"), "w") as file:
            file.write(self.words("bash"))
        line = 'source completions; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pyspyc; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "--norc", "-c", line, "bash", "pyspyc", *words], cwd=self.folder, timeout=harness.DEADLINE,
                              stdout=subprocess.PIPE, universal_newlines=True, check=True)
        return set(done.stdout.splitlines()) - {""}

    def test_bash(self):
        self.assertEqual(self.complete(""), set(self.verbs()) | {"--help", "--version"})
        files = {"py-spy", "completions"}
        arguments = {"ps": set(), "dump": set(), "doctor": set(), "help": set(self.verbs())}
        for verb in self.verbs():
            options = self.options(verb)
            self.assertEqual(self.complete(verb, "--"), {"--" + name for name in options}, verb)
            for name, (letter, value) in options.items():
                for way in ["--" + name] + ["-" + letter] * bool(letter):
                    expected = {"FILE": files, "": arguments.get(verb, files)}.get(value, set())
                    if value not in ("FORMAT", "HOW", "COLUMN", "PID"):
                        self.assertEqual(self.complete(verb, way, ""), expected, (verb, way))
        self.assertIn("flamegraph", self.complete("record", "-f", ""))
        # Each word that is offered is taken: only the files are not there.
        for verb, option, words in (("diff", "--normalize", ("none", "none")), ("top", "--sort", ("--", "nosuchprogram"))):
            for word in self.complete(verb, option, ""):
                self.assertNotEqual(self.run_as_py_spy(verb, option, word, *words).returncode, 2, word)
        self.assertEqual(self.complete("record", "--format", "=", "fl"), {"flamegraph"})
        self.assertIn("flamegraph", self.complete("record", "--format", "="))
        with open(self.path("a name with spaces"), "w"):
            self.assertEqual(self.complete("report", "a n"), {"a name with spaces"})
        self.assertIn("python3", self.complete("record", "--", "pyth"))

    def test_zsh(self):
        text = self.words("zsh")
        for verb in self.verbs():
            block = re.search(r"^    %s\)\n(.*?);;" % verb, text, re.M | re.S).group(1)
            found = re.findall(r"'\*'(?:{-(.)\+?,--([a-z-]+)=?}'|'--([a-z-]+)=?)\[(?:[^]\\]|\\.)*\](?::([A-Z|]+))?", block)
            options = {one or other: (letter, value) for letter, one, other, value in found}
            self.assertEqual(options, self.options(verb), verb)

    def test_zsh_understands_it(self):
        with open(self.path("_pyspyc"), "w") as file:
            file.write(self.words("zsh"))
        done = subprocess.run(["zsh", "-n", self.path("_pyspyc")], stderr=subprocess.PIPE, timeout=harness.DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def ask_fish(self, line):
        with open(self.path("pyspyc.fish"), "w") as file:
            file.write(self.words("fish"))
        done = subprocess.run(["fish", "--no-config", "-c", "source pyspyc.fish; complete -C '%s'" % line], cwd=self.folder,
                              env=self.environment(HOME=self.folder), stdout=subprocess.PIPE, universal_newlines=True,
                              timeout=harness.DEADLINE, check=True)
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def test_fish_offers_it(self):
        self.assertEqual(self.ask_fish("pyspyc "), set(self.verbs()))
        self.assertEqual(self.ask_fish("pyspyc top --"), {"--" + name for name in self.options("top")})
        self.assertEqual(self.ask_fish("py-spy record -f fl"), {"flamegraph"})

    def test_fish(self):
        text = self.words("fish")
        for verb in self.verbs():
            found = re.findall(r"^complete -c pyspyc -n '__pyspyc_verb %s' -l ([a-z-]+)(?: -s (.))?(.*?) -d " % verb,
                               text, re.M)
            self.assertEqual({name: (letter, bool(value)) for name, letter, value in found},
                             {name: (letter, bool(value)) for name, (letter, value) in self.options(verb).items()}, verb)

    def test_mistakes(self):
        for words, sentence in (
                (["--versoin"], "did you mean '--version'?"), (["-p", "1"], "a verb comes first"),
                (["recrod"], "did you mean 'record'?"), (["record", "--ratte", "5"], "did you mean '--rate'?"),
                (["record", "--natives", "-p", "1"], "did you mean '--native'?"), (["record", "--s", "-p", "1"], "can mean"),
                (["record", "-p", "1", "-d", "0"], "more than 0"), (["record", "-p", "1", "-o", ""], "an output needs a name"),
                (["record", "-f", "flamgraph"], "did you mean 'flamegraph'?"), (["record"], "pyspyc ps"), (["dump"], "pyspyc ps")):
            done = self.run_as_py_spy(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_unknown_shell(self):
        done = self.run_as_py_spy("completions", "fis")
        self.assertEqual(done.returncode, 2)
        self.assertIn("fish", done.stderr)


if __name__ == "__main__":
    harness.main()
