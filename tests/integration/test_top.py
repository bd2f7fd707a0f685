"""top: by keys and captured screens under tmux, and as text.

    PYSPYC=build/pyspyc python3 test_top.py [VERSION | PYTHON]

Every terminal is a tmux server of its own, which is killed with the test. What is awaited is what the screen shows.
"""
import json
import os
import re
import shlex
import signal
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

import harness

FAST = ("--delay", "0.2")
WIDE, HIGH = 120, 30


class Terminal:
    """A shell in a tmux of its own."""

    count = 0

    def __init__(self, test, columns=WIDE, rows=HIGH, term="xterm-256color", locale="C.UTF-8"):
        self.test = test
        Terminal.count += 1
        self.socket = test.path("tmux-%d" % Terminal.count)
        environment = test.environment(LC_ALL=locale, SHELL="/bin/sh")
        environment.pop("NO_COLOR", None)
        environment.pop("TMUX", None)
        self.base = ["tmux", "-u", "-f", os.devnull, "-S", self.socket]
        self.environment = environment
        # A shell with job control, that says when it is ready for the next command.
        command = "env TERM=%s PS1='prompt> ' bash --norc --noprofile -i" % term
        test.addCleanup(self.run, "kill-server")
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), command, check=True)
        self.wait_for("^prompt>")

    def run(self, *arguments, check=False):
        outcome = subprocess.run(self.base + list(arguments), env=self.environment, cwd=self.test.folder,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.DEADLINE)
        if check and outcome.returncode != 0:
            raise AssertionError("tmux %s: %s" % (arguments, outcome.stderr.decode()))
        return outcome.stdout.decode()

    def keys(self, *names):
        self.run("send-keys", *names, check=True)

    def type(self, text):
        self.run("send-keys", "-l", text, check=True)

    def screen(self):
        return self.run("capture-pane", "-p")

    def value(self, name):
        return self.run("display-message", "-p", "#{%s}" % name).strip()

    def wait_for(self, pattern, absent=False):
        """Waits until the screen has (or no longer has) what the expression says; returns the screen."""
        expression = re.compile(pattern, re.MULTILINE)
        shown = [""]

        def look():
            shown[0] = self.screen()
            return bool(expression.search(shown[0])) != absent

        try:
            harness.wait_until(look, "shown: " + pattern)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, shown[0])) from None
        return shown[0]

    def command(self, *words):
        self.type(" ".join(shlex.quote(str(word)) for word in words))
        self.keys("Enter")

    def modes(self):
        """What `stty -a` says, but for the size."""
        path = self.test.path("modes")
        self.type("stty -a > %s; mv %s %s.whole" % (path, path, path))
        self.keys("Enter")
        harness.wait_until(lambda: os.path.exists(path + ".whole"), "stty has run")
        with open(path + ".whole") as file:
            text = file.read()
        os.unlink(path + ".whole")
        return re.sub(r"rows \d+; columns \d+;", "", text)

    def assert_whole(self, modes):
        """The terminal is as it was: its modes, the first screen, a cursor, no mouse."""
        self.wait_for("^prompt>")
        self.test.assertEqual(self.modes(), modes)
        self.test.assertEqual(self.value("alternate_on"), "0")
        self.test.assertEqual(self.value("cursor_flag"), "1")
        self.test.assertEqual(self.value("mouse_any_flag"), "0")
        self.test.assertEqual(self.value("keypad_cursor_flag"), "0")


class TestOnScreen(harness.TestCase):

    def setUp(self):
        super().setUp()
        self.target, _ = self.start_target("live.py")

    def pid(self):
        return self.target.pid

    def start_top(self, *arguments, **options):
        terminal = Terminal(self, **options)
        self.modes = terminal.modes()
        terminal.keys("C-l")
        terminal.command(harness.pyspyc(), "top", "-p", self.pid(), *FAST, *arguments)
        terminal.wait_for("leaf")
        return terminal

    def profiler(self):
        """The number of the top that is on the terminal."""
        for name in os.listdir("/proc"):
            if name.isdigit() and harness.command_line(int(name))[:4] == [harness.pyspyc(), "top", "-p", str(self.pid())]:
                return int(name)
        return 0

    def quit(self, terminal):
        terminal.keys("q")
        terminal.assert_whole(self.modes)
        self.assert_unharmed(self.target)

    @staticmethod
    def names(screen):
        """The functions of the rows, from the top."""
        return re.findall(r"^ +[\d.]+%.* ([\w.<>]+) \(", screen, re.MULTILINE)

    def test_sorting(self):
        terminal = self.start_top()
        self.assertEqual(self.names(terminal.screen())[0], "leaf")
        terminal.keys("4")
        terminal.wait_for(r"s  work \(live.py:\d+\)\n(.*\n)*.*s  leaf ")
        terminal.keys("5")
        shown = self.names(terminal.wait_for("<module>(.*\n)*.*leaf"))
        self.assertEqual(shown, sorted(shown))
        terminal.keys("5")
        shown = self.names(terminal.wait_for("leaf(.*\n)*.*<module>"))
        self.assertEqual(shown, sorted(shown, reverse=True))
        terminal.keys("1")
        self.assertEqual(self.names(terminal.wait_for(r"TotalTime.*\n.*leaf"))[0], "leaf")
        self.quit(terminal)

    def test_lines_and_whole_names(self):
        terminal = self.start_top()
        terminal.keys("l")
        terminal.wait_for(r"  Line")
        terminal.wait_for(r"leaf \(live.py:1[0-9]\)")
        terminal.keys("f")
        terminal.wait_for(r"leaf \(%s:1[0-9]\)" % re.escape(harness.program("live.py")))
        self.quit(terminal)

    def test_searching_and_filtering(self):
        terminal = self.start_top()
        terminal.keys("/")
        terminal.type("MIDDLE")
        terminal.wait_for("Search: MIDDLE")
        terminal.keys("Enter")
        terminal.keys("\\")
        terminal.type("eaf")
        self.assertEqual(self.names(terminal.wait_for("middle", absent=True)), ["leaf"])
        terminal.keys("Escape")
        terminal.wait_for("middle")
        terminal.keys("\\")
        terminal.type("no such name")
        terminal.keys("Enter")
        terminal.wait_for("no row has the filter's text")
        terminal.keys("Escape")
        terminal.wait_for("middle")
        self.quit(terminal)

    def test_tree(self):
        terminal = self.start_top()
        terminal.keys("e")
        terminal.wait_for(r"▾ work \(.*\n.*  ▾ middle \(.*\n.*    +leaf \(")
        terminal.keys("Home")
        terminal.wait_for(r"▾ (Thread\.)?(__|_boot|<module>)")
        terminal.keys("Left")
        terminal.wait_for(r"▸ (Thread\.)?(__|_boot|<module>)")
        terminal.keys("*")
        terminal.wait_for(r"▸ (Thread\.)?(__|_boot|<module>)", absent=True)
        terminal.keys("c", "Home", "Right")
        terminal.wait_for(r"▾ leaf \(.*\n.*  ▸ middle \(")
        terminal.keys("*")
        terminal.wait_for(r"▾ leaf \(.*\n.*  ▾ middle \(.*\n.*    ▾ work \(")
        self.quit(terminal)

    def test_threads(self):
        terminal = self.start_top()
        terminal.keys("t")
        if self.version >= (3,):
            terminal.wait_for(r"thread \d+ worker\n(.*\n)* +[\d.]+%.* leaf ")
        terminal.wait_for(r"thread \d+( MainThread)?\n(.*\n)* +[\d.]+%.* leaf ")
        terminal.keys("t")
        terminal.wait_for("thread ", absent=True)
        self.quit(terminal)

    def test_pausing(self):
        terminal = self.start_top()
        terminal.keys("Space")
        terminal.wait_for("PAUSED")
        before = terminal.screen()
        kept = self.save(terminal, "first.pyspyc")
        harness.wait_until(lambda: self.save(terminal, "later.pyspyc") > kept, "more was recorded while paused")
        self.assertEqual(self.rows(before), self.rows(terminal.screen()))
        terminal.keys("p")
        terminal.wait_for("PAUSED", absent=True)
        harness.wait_until(lambda: self.rows(before) != self.rows(terminal.screen()), "something moves again")
        self.quit(terminal)

    @staticmethod
    def rows(screen):
        return screen.splitlines()[:-1]

    def save(self, terminal, name):
        """Saves to a file; returns how many samples it has."""
        path = self.path(name)
        terminal.keys("s")
        terminal.wait_for("Save the last")
        terminal.keys("C-u")
        terminal.type(path)
        terminal.keys("Enter")
        terminal.wait_for("wrote |writes over it")
        if "writes over it" in terminal.screen():
            terminal.keys("y")
            terminal.wait_for("wrote ")
        outcome = self.run_pyspyc("report", path, "-f", "raw")
        self.assertEqual(outcome.status, 0, outcome)
        terminal.keys("Escape")
        return harness.Stacks(outcome.output).total()

    def test_resetting(self):
        terminal = self.start_top()
        terminal.wait_for(r" [2-9]\.\d\ds +[2-9]\.\d\ds  leaf")
        terminal.keys("r")
        terminal.wait_for(r" 0\.\d\ds +0\.\d\ds  leaf")
        self.quit(terminal)

    def test_sizes(self):
        for columns, rows in (40, 10), (200, 60), (20, 4), (WIDE, HIGH):
            with self.subTest(columns=columns, rows=rows):
                if (columns, rows) == (40, 10):
                    terminal = self.start_top()
                terminal.run("resize-window", "-x", str(columns), "-y", str(rows))
                pattern = r"%Own" if rows > 4 else "."
                terminal.wait_for(pattern)
                harness.wait_until(lambda: all(len(line) <= columns for line in terminal.screen().splitlines()),
                                   "no line is too long")
                if rows >= 10:
                    shown = terminal.wait_for(r"(?s)\? help.*\Z")
                    self.assertIn("leaf", shown)
                    # Keys are named whole or not at all.
                    self.assertRegex(shown.rstrip().splitlines()[-1], r"\A\S+ \S+(  \S+ \S+)*\Z")
        self.quit(terminal)

    def test_dump(self):
        terminal = self.start_top()
        terminal.keys("e", "/")
        terminal.type("middle")
        terminal.keys("Enter", "d")
        terminal.wait_for("The thread now")
        terminal.wait_for("remembered: '?.?a value to be seen")
        self.assertEqual(len(re.findall("^Thread ", terminal.screen(), re.MULTILINE)), 1)
        terminal.keys("q")
        terminal.wait_for("%Own")
        terminal.keys("D")
        terminal.wait_for("All threads now")
        terminal.keys("End")
        terminal.wait_for(r"of \d+  q back")
        terminal.keys("Escape")
        terminal.wait_for("%Own")
        self.quit(terminal)

    def test_saving(self):
        terminal = self.start_top()
        self.assertGreater(self.save(terminal, "kept.pyspyc"), 0)
        for name in "flame.svg", "stacks.collapsed":
            terminal.keys("s")
            terminal.wait_for("Save the last")
            terminal.keys("C-u")
            terminal.type(self.path(name))
            terminal.keys("Enter")
            terminal.wait_for("wrote .*" + name)
        root = ElementTree.parse(self.path("flame.svg")).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        terminal.keys("s")
        terminal.wait_for("Save the last")
        terminal.keys("C-u")
        terminal.type(self.path("missing", "flame.svg"))
        terminal.keys("Enter")
        terminal.wait_for("No such file")
        self.quit(terminal)

    def test_help_and_mouse(self):
        terminal = self.start_top()
        self.assertEqual(terminal.value("mouse_any_flag"), "1")
        terminal.keys("?")
        terminal.wait_for("^Keys")
        terminal.keys("x")
        terminal.wait_for("%Own")
        # A click, as xterm tells it: on the head's second column, then on the second row.
        terminal.type("\033[<0;12;4M")
        terminal.type("\033[<0;12;4m")
        terminal.wait_for(r"(work|_bootstrap|<module>).*\n(.*\n)*.*leaf ")
        terminal.keys("m")
        terminal.wait_for("the mouse is the terminal's")
        self.assertEqual(terminal.value("mouse_any_flag"), "0")
        self.quit(terminal)

    def test_terminals(self):
        for term in "xterm-256color", "screen-256color", "tmux-256color", "linux", "vt100":
            with self.subTest(term=term):
                terminal = self.start_top(term=term)
                terminal.keys("e")
                # The font of the kernel's console has no triangles, nor that of a vt100.
                terminal.wait_for("- work" if term in ("linux", "vt100") else "▾ work")
                self.assertEqual(terminal.screen().isascii(), term in ("linux", "vt100"))
                terminal.keys("q")
                terminal.wait_for("^prompt>")
                self.assertEqual(terminal.modes(), self.modes)
                self.assertEqual(terminal.value("alternate_on"), "0")

    def test_plain_letters(self):
        terminal = self.start_top(locale="C")
        terminal.keys("e")
        self.assertTrue(terminal.wait_for("- work").isascii())
        self.quit(terminal)

    def test_no_terminal_that_is_known(self):
        terminal = Terminal(self)
        terminal.command("env", "TERM=no-such-terminal", harness.pyspyc(), "top", "-p", self.pid())
        terminal.wait_for("terminfo does not know this terminal")
        terminal.wait_for("%Own")
        self.assertEqual(terminal.value("alternate_on"), "0")
        terminal.keys("C-c")
        terminal.wait_for(r"\^Cprompt>")

    def test_signals_that_end_it(self):
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT:
            with self.subTest(signal=number):
                terminal = self.start_top()
                os.kill(self.profiler(), number)
                terminal.assert_whole(self.modes)
        self.assert_unharmed(self.target)

    def test_stopping_and_going_on(self):
        terminal = self.start_top()
        terminal.keys("C-z")
        terminal.wait_for("Stopped")
        terminal.assert_whole(self.modes)
        self.assert_unharmed(self.target)
        terminal.command("fg")
        terminal.wait_for("%Own")
        self.assertEqual(terminal.value("alternate_on"), "1")
        self.quit(terminal)

    def test_end_of_the_process(self):
        terminal = self.start_top()
        self.target.close_stdin()
        terminal.wait_for("ENDED")
        self.assertGreater(self.save(terminal, "kept.pyspyc"), 0)
        terminal.keys("q")
        terminal.assert_whole(self.modes)

    def seconds_of(self, terminal, pattern):
        """The CPU time of the top on the terminal, and how long it has watched, once the screen says that."""
        shown = terminal.wait_for(pattern)
        with open("/proc/%d/stat" % self.profiler()) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK"), int(re.search(r" (\d+) s, 100/s", shown).group(1))

    def test_cost(self):
        """At the default rate, and refreshed each second, once it has begun; twice of what it is to take is too much."""
        terminal = Terminal(self)
        self.modes = terminal.modes()
        terminal.keys("C-l")
        terminal.command(harness.pyspyc(), "top", "-p", self.pid())
        cpu_before, before = self.seconds_of(terminal, r" [1-9] s, 100/s")
        cpu_after, after = self.seconds_of(terminal, r" (?:[7-9]|\d\d) s, 100/s")
        self.assertLess((cpu_after - cpu_before) / (after - before), 0.06 * harness.SLOWNESS)
        self.quit(terminal)

    def test_native_frames(self):
        terminal = self.start_top("--native-all")
        terminal.wait_for(r"^ +[\d.]+%.* \(.*(libc|libpython|python[23]|\.c:\d+).*\)$")
        self.quit(terminal)

    def test_hidden_frames(self):
        terminal = Terminal(self)
        self.modes = terminal.modes()
        terminal.keys("C-l")
        terminal.command(harness.pyspyc(), "top", "-p", self.pid(), *FAST, "--hide", "^leaf")
        self.assertEqual(self.names(terminal.wait_for("middle"))[0], "middle")
        self.assertNotIn("leaf", self.names(terminal.screen()))
        self.quit(terminal)

    def test_idle_and_gil(self):
        terminal = self.start_top("-i")
        terminal.wait_for("sleep_on")
        terminal.keys("i")
        terminal.wait_for("sleep_on", absent=True)
        terminal.keys("i")
        terminal.wait_for("sleep_on")
        terminal.keys("g")
        terminal.wait_for("with the GIL")
        terminal.wait_for("sleep_on", absent=True)
        self.quit(terminal)


class TestFiltered(harness.TestCase):

    def test_hidden_frames(self):
        target, _ = self.start_target("live.py")
        outcome = self.run_pyspyc("top", "-p", target.pid, "--once", "--json", "--hide", "leaf")
        rows = {row["name"]: row for row in json.loads(outcome.output)["rows"]}
        self.assertNotIn("leaf", rows)
        self.assertGreater(rows["middle"]["own"], 50, outcome)
        outcome = self.run_pyspyc("top", "-p", target.pid, "--once", "--json", "--thread", "^sleeper$", "-i")
        rows = {row["name"]: row for row in json.loads(outcome.output)["rows"]}
        if self.version >= (3,):
            self.assertIn("sleep_on", rows)
            self.assertNotIn("leaf", rows)
        self.assert_unharmed(target)


class TestStarted(harness.TestCase):
    """A program that top has started."""

    def start_top(self, *arguments):
        terminal = Terminal(self)
        self.modes = terminal.modes()
        terminal.keys("C-l")
        terminal.command(harness.pyspyc(), "top", *FAST, "--", *arguments)
        return terminal

    def start_live(self, *arguments):
        # The program's standard input would be at its end at once.
        script = "import sys, os; sys.stdin = os.fdopen(os.pipe()[0]); __file__ = sys.argv[0] = %r; " \
                 "exec(compile(open(__file__).read(), __file__, 'exec'))" % harness.program("live.py")
        terminal = self.start_top(self.python, "-c", script, *arguments)
        terminal.wait_for("leaf")
        return terminal

    def test_output_and_end(self):
        terminal = self.start_live("output")
        self.assertNotIn("written line", terminal.screen())
        terminal.keys("o")
        terminal.wait_for("What the program has written")
        terminal.wait_for("written line [0-9]+")
        terminal.keys("q")
        terminal.wait_for("%Own")
        terminal.keys("q")
        terminal.wait_for("The program still runs")
        terminal.keys("Escape")
        terminal.wait_for("The program still runs", absent=True)
        terminal.keys("q")
        terminal.wait_for("The program still runs")
        terminal.keys("k")
        terminal.wait_for("written line")
        terminal.assert_whole(self.modes)
        terminal.command("echo", "status")
        terminal.wait_for("^status")

    def test_program_that_is_not_recorded(self):
        """SIGUSR2 pauses the recording; q asks all the same."""
        terminal = self.start_live()
        # Whoever looks after the output of a program that another test has left has no children.
        top = next(pid for pid in self.pids() if harness.command_line(pid)[:2] == [harness.pyspyc(), "top"] and
                   harness.children_of(pid))
        os.kill(top, signal.SIGUSR2)
        terminal.wait_for("SIGUSR2 paused it")
        terminal.keys("q")
        terminal.wait_for("The program still runs")
        terminal.keys("k")
        terminal.assert_whole(self.modes)

    def test_program_that_is_left(self):
        terminal = self.start_live("output")
        # Some interpreters here are scripts that run another program.
        children = [pid for pid in self.pids() if harness.command_line(pid)[-1:] == ["output"] and
                    harness.command_line(pid)[0] != harness.pyspyc()]
        self.assertEqual(len(children), 1)
        self.addCleanup(self.end, children[0])
        terminal.keys("q")
        terminal.wait_for("The program still runs")
        terminal.keys("l")
        terminal.assert_whole(self.modes)
        self.assertIn(harness.status_of(children[0])["State"][0], "RSD")

    def end(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    @staticmethod
    def pids():
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]

    def test_status(self):
        terminal = self.start_top(self.python, "-c", "import time; end = time.time() + 1.5\nwhile time.time() < end: pass\n"
                                                     "print('a last word'); raise SystemExit(7)")
        terminal.wait_for("ENDED")
        terminal.keys("q")
        terminal.wait_for("a last word")
        terminal.command("echo", "status", "again")
        terminal.assert_whole(self.modes)


class TestText(harness.TestCase):

    def test_once(self):
        target, _ = self.start_target("live.py")
        outcome = self.run_pyspyc("top", "-p", target.pid, "--once")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"%Own +%Total +OwnTime +TotalTime +Function\n.*leaf \(live.py:\d+\)\n")
        self.assertEqual(outcome.output.count("%Own"), 1)
        outcome = self.run_pyspyc("top", "-p", target.pid, "--once", "--rows", "1", "--lines", "--sort", "total%")
        self.assertRegex(outcome.output, r"TotalTime +Line\n.*\n\n\Z")
        self.assert_unharmed(target)

    def test_json(self):
        target, _ = self.start_target("live.py")
        top = self.start_pyspyc("top", "-p", target.pid, "--json", "-i", "-t", *FAST)
        lines = [json.loads(top.read_line()) for _ in range(5)]
        top.signal(signal.SIGTERM)
        self.assertEqual(top.finish()[0], 0)
        for before, after in zip(lines, lines[1:]):
            self.assertGreater(after["time"], before["time"])
            self.assertGreater(after["elapsed"], before["elapsed"])
        last = lines[-1]
        self.assertEqual(last["rate"], 100)
        self.assertGreater(last["load"]["active"], 0.5)
        leaves = [row for row in last["rows"] if row["name"] == "leaf"]
        self.assertEqual(len(leaves), 2)  # one a thread
        self.assertEqual({row["pid"] for row in leaves}, {target.pid})
        self.assertGreater(sum(row["own"] for row in leaves), 50)
        # What is at the root of a thread cannot have been seen for longer than there was time.
        for row in last["rows"]:
            self.assertLessEqual(row["own_time"], row["total_time"] + 0.001)
            self.assertLessEqual(row["total_time"], last["elapsed"] * 1.1 + 0.1)
        sleeping = [row for row in last["rows"] if row["name"] == "sleep_on"]
        self.assertEqual(len(sleeping), 1)
        self.assertGreater(sleeping[0]["own"], 50)
        self.assert_unharmed(target)

    def test_lock(self):
        """Two threads compute: one has the lock, never more, and the other waits for it."""
        if self.is_free_threaded:
            return
        target, _ = self.start_target("live.py")
        top = self.start_pyspyc("top", "-p", target.pid, "--json", *FAST)
        loads = [json.loads(top.read_line())["load"] for _ in range(10)]
        top.signal(signal.SIGTERM)
        self.assertEqual(top.finish()[0], 0)
        for load in loads:
            self.assertLessEqual(load["gil"], 1.001)
        self.assertGreater(sum(load["gil"] for load in loads), 3)
        if self.version >= (3, 7):  # before, nothing tells who waits
            self.assertGreater(sum(load["gil_wait"] for load in loads), 0.2)  # less where the machine is busy
            outcome = self.run_pyspyc("record", "-p", target.pid, "-i", "-d", "1", "-f", "json", "-o", "-")
            states = [state for line in outcome.output.splitlines() for state in json.loads(line).get("states", ())]
            self.assertIn("gil_wait", states)
        self.assert_unharmed(target)

    def test_end_of_the_process(self):
        target, _ = self.start_target("live.py")
        top = self.start_pyspyc("top", "-p", target.pid, "--json", *FAST)
        top.read_line()
        target.close_stdin()
        self.assertEqual(top.finish()[0], 0)

    def test_program_that_writes(self):
        outcome = self.run_pyspyc("top", "--json", *FAST, "--", self.python, "-c",
                                  "import time, sys; print('not JSON'); end = time.time() + 1\n"
                                  "while time.time() < end: pass\nsys.exit(5)")
        self.assertEqual(outcome.status, 5, outcome)
        for line in outcome.output.splitlines():
            json.loads(line)
        self.assertIn("not JSON", outcome.errors)

    def test_subprocesses(self):
        target, first = self.start_target("live.py", "children")
        child = int(first.split()[1])
        top = self.start_pyspyc("top", "-p", target.pid, "--json", "-s", "-t", *FAST)

        def find_rows():
            rows = json.loads(top.read_line())["rows"]
            return rows if {row["pid"] for row in rows if row["name"] == "leaf"} == {target.pid, child} else None

        rows = harness.wait_until(find_rows, "both processes are shown")
        self.assertEqual({row["pid"] for row in rows if row["name"] == "child_work"}, {child})
        self.assertEqual({row["pid"] for row in rows if row["name"] == "work"}, {target.pid})

    def test_several_processes(self):
        targets = [self.start_target("live.py")[0] for _ in range(2)]
        pids = {target.pid for target in targets}
        outcome = self.run_pyspyc("top", "-p", targets[0].pid, "-p", targets[1].pid, "--once", "--json", "-t")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual({row["pid"] for row in json.loads(outcome.output)["rows"] if row["name"] == "leaf"}, pids)
        # It ends with the last of them.
        top = self.start_pyspyc("top", "-p", targets[0].pid, "-p", targets[1].pid, "--json", *FAST)
        top.read_line()
        targets[0].close_stdin()
        targets[0].finish()
        for _ in range(3):
            top.read_line()
        targets[1].close_stdin()
        self.assertEqual(top.finish()[0], 0)

    def test_name(self):
        target, _ = self.start_target("live.py", "a-name-to-be-found")
        outcome = self.run_pyspyc("top", "--name", "a-name-to-be-f", "--once")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("leaf (live.py", outcome.output)
        self.assertEqual(self.run_pyspyc("top", "--name", "no such word", "--once").status, 2)
        self.assert_unharmed(target)

    def test_native_frames(self):
        target, _ = self.start_target("live.py")
        outcome = self.run_pyspyc("top", "-p", target.pid, "--once", "--json", "--native-all")
        kinds = {row["kind"] for row in json.loads(outcome.output)["rows"]}
        self.assertIn("native", kinds, outcome)
        self.assert_unharmed(target)

    def test_mistakes(self):
        for arguments, sentence in (
                ((), "needs a process"), (("-p", "1", "--", "true"), "not both"), (("-p", "1", "--sort", "tital"), "total"),
                (("-p", "1", "--tree", "--callers"), "exclude each other"), (("-p", "1", "--focus", "("), "")):
            outcome = self.run_pyspyc("top", *arguments)
            self.assertEqual(outcome.status, 2, outcome)
            self.assertIn(sentence, outcome.errors)
        self.assertEqual(self.run_pyspyc("top", "--once", "--", "/no/such/program").status, 127)
        self.assertEqual(self.run_pyspyc("top", "--once", "--", "true").status, 125)

    def test_reader_that_has_enough(self):
        target, _ = self.start_target("live.py")
        command = '"$0" top -p %d --json --delay 0.1 | head -1; echo ${PIPESTATUS[0]}' % target.pid
        outcome = self.start("bash", "-c", command, harness.pyspyc())
        status, output = outcome.finish()
        line, rest = output.split("\n", 1)
        json.loads(line)
        self.assertEqual((status, rest, outcome.stderr()), (0, "0\n", ""))

    def test_full_output(self):
        target, _ = self.start_target("live.py")
        with open("/dev/full", "w") as full:
            top = self.start_pyspyc("top", "-p", target.pid, "--once", stdout=full)
            self.assertEqual(top.finish()[0], 1)
        self.assertIn("standard output", top.stderr())


if __name__ == "__main__":
    harness.main()
