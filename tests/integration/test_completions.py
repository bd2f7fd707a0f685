"""Completions: bash, zsh and fish are asked, as they run on a terminal, what they make of what is typed.

    PYSPYC=build/pyspyc python3 test_completions.py

Each shell writes all that it would offer into its own command line, and that is read.
"""
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

import harness

SHELLS = ("bash", "zsh", "fish")

#: Each has a key, Ctrl-T, that puts all completions of the last word in its place, and one, Ctrl-G, that shows the line.
BASH = r"""
PS1= PS2=
source completions
bind 'set enable-bracketed-paste off'
bind '"\C-t": insert-completions'
bind -x '"\C-g": printf "<%s>\n" "$READLINE_LINE"'
printf "<ready>\n"
"""
ZSH = r"""
PS1= PS2= RPS1=
setopt no_beep no_list_beep
unset zle_bracketed_paste
fpath=($PWD $fpath)
autoload -Uz compinit
compinit -u -D
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
zle -C all-matches complete-word _generic
bindkey '^T' all-matches
show-line() { print -r -- "<$BUFFER>" }
zle -N show-line
bindkey '^G' show-line
printf "<ready>\n"
"""


class Terminal:
    """An interactive shell."""

    def __init__(self, test, command):
        ours, theirs = pty.openpty()
        test.addCleanup(os.close, ours)
        self.shown = ours
        self.process = test.start(*command, cwd=test.folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                  env=test.shell_environment())
        os.close(theirs)
        self.read("<ready>")

    def read(self, mark):
        """What is shown, from the last `<` on, when the mark has come."""
        text, end = "", time.monotonic() + harness.DEADLINE
        while not re.search(mark, text):
            if not select.select([self.shown], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("no %s in time: %r" % (mark, text))
            text += os.read(self.shown, 65536).decode()
        return text

    def complete(self, line):
        os.write(self.shown, b"\x15" + line.encode() + b"\x14\x07")
        found = re.search(r"<([^<>]*)>", self.read(r"<[^<>]*>"))
        return found.group(1).replace("\r\n", "")


class TestCompletions(harness.TestCase):

    def setUp(self):
        super().setUp()
        missing = [shell for shell in SHELLS if not shutil.which(shell)]
        self.assertEqual(missing, [], "scripts/packages test installs them")
        os.mkdir(self.path("bin"))
        os.symlink(harness.pyspyc(), self.path("bin", "pyspyc"))
        for name in "one.pyspyc", "two.pyspyc":
            open(self.path(name), "w").close()
        for shell, name in (("bash", "completions"), ("zsh", "_pyspyc"), ("fish", "completions.fish")):
            with open(self.path(name), "wb") as file:
                subprocess.run([harness.pyspyc(), "completions", shell], stdout=file, check=True, timeout=harness.DEADLINE)
        self.terminals = {}

    def shell_environment(self):
        return self.environment(HOME=self.folder, ZDOTDIR=self.folder, TERM="dumb", PATH=self.path("bin") + ":" + os.environ["PATH"],
                                XDG_CONFIG_HOME=self.path("config"), XDG_DATA_HOME=self.path("data"), LC_ALL="C.UTF-8",
                                HISTFILE="/dev/null", COLUMNS="1000")

    def in_fish(self, line):
        words = subprocess.run(["fish", "--no-config", "-c", "source completions.fish; complete -C $argv[1]", "--", line],
                               cwd=self.folder, env=self.shell_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               universal_newlines=True, timeout=harness.DEADLINE)
        self.assertEqual((words.returncode, words.stderr), (0, ""))
        return {word.split("\t")[0] for word in words.stdout.splitlines()}

    def on_terminal(self, shell, line):
        if shell not in self.terminals:
            with open(self.path("bashrc"), "w") as file:
                file.write(BASH)
            with open(self.path(".zshrc"), "w") as file:
                file.write(ZSH)
            command = {"bash": ["bash", "--noprofile", "--rcfile", self.path("bashrc"), "-i"], "zsh": ["zsh", "-d", "-i"]}[shell]
            self.terminals[shell] = Terminal(self, command)
        whole = self.terminals[shell].complete(line)
        typed = line.rpartition(" ")[0] + " "
        self.assertTrue(whole.startswith(typed), (line, whole))
        words = whole[len(typed):].split()
        return set(words) - {line.rpartition(" ")[2]} if len(words) < 2 else set(words)

    def complete(self, shell, line):
        """What the shell offers for the last word of the line."""
        words = self.in_fish(line) if shell == "fish" else self.on_terminal(shell, line)
        # Of a long option with its value, zsh and fish complete the word as a whole, bash what follows the equals sign.
        return {word.rpartition("=")[2] or word.rstrip("=") for word in words}

    def check(self, line, expected, shells=SHELLS):
        for shell in shells:
            with self.subTest(shell, line=line):
                self.assertEqual(self.complete(shell, line), set(expected))

    def test_all(self):
        self.check("pyspyc rec", ["record"])
        self.check("pyspyc re", ["record", "report"])
        self.check("pyspyc record --nat", ["--native", "--native-all"])
        self.check("pyspyc diff --fail", ["--fail-over"])
        self.check("pyspyc record -f fi", ["firefox"])
        self.check("pyspyc record -f f", ["flamegraph", "firefox"])
        self.check("pyspyc diff --format=", ["table", "flamegraph"])
        self.check("pyspyc diff --format=t", ["table"])
        self.check("pyspyc diff --normalize ", ["share", "none"])
        self.check("pyspyc report on", ["one.pyspyc"])
        self.check("pyspyc diff one.pyspyc t", ["two.pyspyc"])
        self.check("pyspyc record -o on", ["one.pyspyc"])
        self.check("pyspyc help rep", ["report"])
        self.check("pyspyc completions z", ["zsh"])
        self.check("pyspyc ps on", [])
        self.check("pyspyc record -- pyspy", ["pyspyc"])
        # The first word says which verb it is, and behind -- options are the program's.
        self.check("pyspyc report record --normal", [])
        self.check("pyspyc record -- pyspyc --nat", [])
        self.check("pyspyc record -- pyspyc rep", ["report"], ["zsh", "fish"])

    def test_processes(self):
        target, _ = self.start_target("sleeper.py")
        for verb in "record", "top", "dump", "doctor":
            self.assertIn(str(target.pid), self.complete("bash", "pyspyc %s --pid " % verb))
        for shell in SHELLS:
            words = self.complete(shell, "pyspyc dump -p ")
            self.assertIn(str(target.pid), words)
            self.assertTrue(all(word.isdigit() for word in words), (shell, words))


if __name__ == "__main__":
    harness.main()
