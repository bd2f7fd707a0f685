"""What results are written to: whose files, which folders, full and failing disks, pipes.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 -B tests/faults/test_files.py

Wants root: it mounts small file systems, in a mount namespace of its own, and plays other users. strace makes system
calls fail.
"""
import ctypes
import errno
import glob
import json
import os
import re
import resource
import signal
import stat
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import harness

LONG = bool(os.environ.get("PYSPYC_LONG"))
OTHER, THIRD = 12345, 12346  # users
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
KEPT_SHARE = 0.95
RACES = 400 if LONG else 40


def setUpModule():
    """What is mounted here is to be seen by nobody else, and goes with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise AssertionError("no mount namespace of our own: %s" % os.strerror(ctypes.get_errno()))


class FilesCase(harness.TestCase):

    def mount(self, name, options):
        folder = self.path(name)
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder])
        return folder

    def fill(self, folder, left):
        """Leaves so many bytes of a file system, in whole pages."""
        space = os.statvfs(folder)
        with open(os.path.join(folder, "fill"), "wb") as file:
            file.write(b"x" * (space.f_bavail * space.f_frsize - left))

    def pairs(self, **options):
        return self.start_target("pairs.py", **options)[0]

    recorded = None  # bytes: made once

    def recording(self):
        """A recording, to make pictures of."""
        path = self.path("recorded.pyspyc")
        if os.path.exists(path):
            return path
        if not FilesCase.recorded:
            outcome = self.run_pyspyc("record", "-r", "500", "-d", "1", "-p", self.pairs().pid, "-o", path)
            self.assertEqual(outcome.status, 0, outcome)
            with open(path, "rb") as file:
                FilesCase.recorded = file.read()
        with open(path, "wb") as file:
            file.write(FilesCase.recorded)
        return path

    def wait_for_recording(self, pattern):
        """The path of a recording in the making; signals end it well from now on."""
        def begun():
            return [name for name in glob.glob(self.path(pattern)) if os.path.getsize(name) > 0]
        return harness.wait_until(begun, "there is a recording")[0]

    def samples_of(self, recording):
        outcome = self.run_pyspyc("report", recording, "-f", "raw")
        self.assertEqual(outcome.status, 0, outcome)
        return harness.Stacks(outcome.output).total()

    def kept(self, outcome):
        """The recording of which it is said where it is."""
        found = re.search(r"what was recorded is in (.*?): 'pyspyc report'", outcome.errors)
        self.assertTrue(found, outcome)
        return self.path(found.group(1))

    def assert_kept(self, outcome, share=KEPT_SHARE):
        self.assertNotIn(outcome.status, (0, 2), outcome)
        kept, seen = self.samples_of(self.kept(outcome)), outcome.counts()["samples"]
        self.assertGreater(seen, 100, outcome)
        self.assertGreaterEqual(kept, share * seen, outcome)

    def leftovers(self, folder):
        return [name for name in os.listdir(folder) if name.startswith(".pyspyc-")]

    def content(self, path):
        with open(path) as file:
            return file.read()


class TestOwners(FilesCase):
    """Nobody gets us to write what he could not write himself."""

    def victim(self, *names):
        path = self.path(*names or ("victim.svg",))
        with open(path, "w") as file:
            file.write("precious")
        os.chmod(path, 0o600)
        return path

    def make_folder(self, name, mode, owner):
        path = self.path(name)
        os.mkdir(path)
        os.chmod(path, mode)
        os.chown(path, owner, owner)
        return path

    def report_to(self, path, **options):
        return self.run_pyspyc("report", self.recording(), "-o", path, **options)

    def report_as(self, user, path, **variables):
        os.chmod(self.folder, 0o755)
        os.chmod(self.recording(), 0o644)
        return self.run_pyspyc("report", self.recording(), "-o", path, user=user, group=user, extra_groups=[],
                               env=self.environment(**variables))

    def assert_refused(self, outcome, *words):
        self.assertEqual(outcome.status, 1, outcome)
        for word in words:
            self.assertIn(word, outcome.errors)

    def test_new_files_are_for_their_owner_alone(self):
        for mask, mode in ((0o022, 0o600), (0o000, 0o600), (0o277, 0o400)):
            outcome = self.run_pyspyc("report", self.recording(), "-o", "mode.svg", "-o", "mode.txt",
                                      preexec_fn=lambda: os.umask(mask))
            self.assertEqual(outcome.status, 0, outcome)
            for name in ("mode.svg", "mode.txt"):
                self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), mode)
                os.unlink(self.path(name))

    def test_a_recording_in_the_making_is_for_its_owner_alone(self):
        target = self.pairs()
        for output, pattern in (("a.svg", "a.svg.*.pyspyc"), ("-", "state/pyspyc/*.pyspyc")):
            process = self.start_pyspyc("record", "-p", target.pid, "-o", output, "-f", "raw", preexec_fn=lambda: os.umask(0))
            name = self.wait_for_recording(pattern)
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)
            process.signal(signal.SIGINT)
            self.assertEqual(process.finish()[0], 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("state", "pyspyc")).st_mode), 0o700)

    def test_what_replaces_a_file_has_its_mode_but_no_privileges(self):
        path = self.victim("a.svg")
        os.chmod(path, 0o6755)
        self.assertEqual(self.report_to(path).status, 0)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o755)

    def test_as_root_links_of_others_are_not_followed(self):
        victim = self.victim()
        folder = self.make_folder("theirs", 0o755, OTHER)
        elsewhere = self.make_folder("elsewhere", 0o700, 0)
        for name, to in (("x.svg", victim), ("new.svg", self.path("elsewhere", "new.svg")), ("sub", elsewhere)):
            os.symlink(to, os.path.join(folder, name))
            os.chown(os.path.join(folder, name), OTHER, OTHER, follow_symlinks=False)
        for name in ("x.svg", "new.svg", "sub/y.svg"):
            self.assert_refused(self.report_to(os.path.join(folder, name)), "symbolic link of another user (%d)" % OTHER)
        self.assertEqual(self.content(victim), "precious")
        self.assertEqual(os.listdir(elsewhere), [])

    def test_a_file_of_others_is_replaced_not_written_to(self):
        """A hard link to a file that is not theirs, put there in time; and one of theirs, whose mode would let them read."""
        victim = self.victim()
        folder = self.make_folder("theirs", 0o755, OTHER)
        os.link(victim, os.path.join(folder, "hard.svg"))
        theirs = self.victim("theirs", "open.svg")
        os.chown(theirs, OTHER, OTHER)
        os.chmod(theirs, 0o666)
        for name in ("hard.svg", "open.svg"):
            self.assertEqual(self.report_to(os.path.join(folder, name)).status, 0)
            written = os.stat(os.path.join(folder, name))
            self.assertEqual((written.st_uid, stat.S_IMODE(written.st_mode), written.st_nlink), (0, 0o600, 1))
        self.assertEqual(self.content(victim), "precious")

    def test_in_a_folder_of_everybody(self):
        """As the kernel refuses it with fs.protected_*, also where that is off, as it is by default."""
        folder = self.make_folder("tmp", 0o1777, 0)
        victim = self.victim()
        os.chown(victim, THIRD, THIRD)
        os.symlink(victim, os.path.join(folder, "link.svg"))
        os.mkfifo(os.path.join(folder, "fifo.svg"))
        with open(os.path.join(folder, "file.svg"), "w"):
            pass
        for name in ("link.svg", "fifo.svg", "file.svg"):
            os.chown(os.path.join(folder, name), OTHER, OTHER, follow_symlinks=False)
            os.chmod(os.path.join(folder, name), 0o666) if name != "link.svg" else None
            for outcome in (self.report_to(os.path.join(folder, name)), self.report_as(THIRD, os.path.join(folder, name))):
                self.assert_refused(outcome, "another user")
        self.assertEqual(self.content(victim), "precious")
        os.symlink(victim, os.path.join(folder, "own.svg"))
        os.chown(os.path.join(folder, "own.svg"), THIRD, THIRD, follow_symlinks=False)
        os.chown(self.folder, THIRD, THIRD)
        outcome = self.report_as(THIRD, os.path.join(folder, "own.svg"))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertTrue(self.content(victim).startswith("<?xml"))

    def test_a_folder_that_is_exchanged_all_the_time(self):
        """Its owner swaps a folder of his and a link to somebody else's: nothing ever gets there."""
        folder = self.make_folder("theirs", 0o755, OTHER)
        trap = self.make_folder("trap", 0o755, 0)
        os.chmod(self.folder, 0o755)
        program = """if 1:
            import os, sys
            os.chdir(sys.argv[1])
            os.mkdir("real")
            os.symlink(sys.argv[2], "link")
            print("ready", flush=True)
            while os.getppid() == int(sys.argv[3]):
                for name in ("real", "link"):
                    os.rename(name, "sub")
                    os.rename("sub", name)"""
        racer = self.start(self.python, "-c", program, folder, trap, os.getpid(), user=OTHER, group=OTHER, extra_groups=[])
        self.assertEqual(racer.read_line(), "ready")
        statuses = [self.report_to(os.path.join(folder, "sub", "x.svg")).status for _ in range(RACES)]
        self.assertEqual(os.listdir(trap), [])
        self.assertEqual(set(statuses), {0, 1}, "both the folder and the link were met")
        racer.end()

    def test_under_sudo_files_are_the_callers(self):
        target = self.pairs()
        variables = self.environment(SUDO_UID=str(OTHER), SUDO_GID=str(THIRD))
        process = self.start_pyspyc("record", "-p", target.pid, "-o", "a.svg", "-o", "a.txt", env=variables)
        journal = self.wait_for_recording("a.svg.*.pyspyc")
        self.assertEqual((os.stat(journal).st_uid, os.stat(journal).st_gid), (OTHER, THIRD))
        process.signal(signal.SIGINT)
        self.assertEqual(process.finish()[0], 0, process.stderr())
        for name in ("a.svg", "a.txt"):
            file = os.stat(self.path(name))
            self.assertEqual((file.st_uid, file.st_gid, stat.S_IMODE(file.st_mode)), (OTHER, THIRD, 0o600))
        self.make_folder("home", 0o700, OTHER)
        for home, owner in (("home", OTHER), (".", 0)):  # the caller's, and root's
            outcome = self.run_pyspyc("record", "-d", "0.2", "-p", target.pid, "-o", "-",
                                      env=dict(variables, XDG_STATE_HOME=self.path(home, "state")))
            self.assertEqual(outcome.status, 0, outcome)
            for names in (("state",), ("state", "pyspyc")):
                self.assertEqual(os.stat(self.path(home, *names)).st_uid, owner)
        replaced = self.victim("b.svg")
        self.report_to(replaced, env=variables)
        self.assertEqual(os.stat(replaced).st_uid, 0, "what was root's stays root's")

    def test_only_a_real_root_believes_sudo(self):
        folder = self.make_folder("own", 0o755, THIRD)
        outcome = self.report_as(THIRD, os.path.join(folder, "x.svg"), SUDO_UID="0", SUDO_GID="0")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(os.stat(os.path.join(folder, "x.svg")).st_uid, THIRD)

    def test_every_file_is_made_new(self):
        """No file is opened that somebody else may have made: each has O_EXCL, or no name."""
        target = self.pairs()
        trace = self.path("trace")
        with open(self.recording(), "rb") as file:
            recorded = file.read()
        for arguments, given in ((("record", "-d", "0.3", "-p", str(target.pid), "-o", "n.svg", "-o", "n.pyspyc"), b""),
                                 (("record", "-d", "0.3", "-p", str(target.pid), "-o", "-"), b""),
                                 (("report", "-", "-o", "n.txt"), recorded),
                                 (("diff", self.recording(), self.recording(), "-o", "d.svg"), b""),
                                 (("merge", self.recording(), self.recording(), "-o", "m.pyspyc"), b""),
                                 (("record", "--capture", "-o", "c.svg", "--", self.python, "-c", "pass"), b"")):
            done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=open,openat,creat", "-e", "status=successful", "-o", trace,
                                   harness.pyspyc(), *arguments], input=given, cwd=self.folder, env=self.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=harness.DEADLINE)
            made = [line for line in self.content(trace).splitlines() if re.search("O_CREAT|O_TMPFILE|creat\\(", line)]
            self.assertTrue(made, done.stderr)
            self.assertEqual([line for line in made if not re.search("O_EXCL|O_TMPFILE", line)], [], arguments)


class TestFullDisk(FilesCase):
    """What was sampled is kept where there is room, and where that is, is said."""

    def record(self, target, *arguments, **options):
        return self.run_pyspyc("record", "-r", "2000", "-d", "1.2", "-p", target.pid, *arguments, **options)

    def test_the_folder_of_the_result_is_full(self):
        for size, left in (("64k", 4096), ("64k", 0), ("1M", 16384)) if LONG else (("64k", 4096), ("1M", 0)):
            with self.subTest(size=size, left=left):
                folder = self.mount("full-%s-%d" % (size, left), "size=" + size)
                with open(os.path.join(folder, "a.svg"), "w") as old:
                    old.write("old")
                self.fill(folder, left)
                target = self.pairs()
                outcome = self.record(target, "-o", os.path.join(folder, "a.svg"))
                self.assert_kept(outcome)
                self.assertIn("No space left on device", outcome.errors)
                self.assertEqual(self.content(os.path.join(folder, "a.svg")), "old")
                if left <= 4096:  # else it may fit in
                    self.assertTrue(self.kept(outcome).startswith(self.path("state")), outcome)
                    self.assertEqual(sorted(os.listdir(folder)), ["a.svg", "fill"])
                self.assert_unharmed(target)
                target.end()

    def test_only_the_recording_has_no_room(self):
        """The result goes through a pipe, and is whole: nothing has failed."""
        folder = self.mount("full", "size=64k")
        self.fill(folder, 4096)
        outcome = self.record(self.pairs(), "-o", "-", "-f", "raw", env=self.environment(XDG_STATE_HOME=folder))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("it is kept in %s" % self.folder, outcome.errors)
        self.assertEqual(harness.Stacks(outcome.output).total(), outcome.counts()["samples"])
        self.assertEqual(glob.glob(self.path("*.pyspyc")) + glob.glob(os.path.join(folder, "pyspyc", "*")), [])

    def test_there_is_no_room_anywhere(self):
        """The recording ends with what there is room for, and is reported as far as it goes."""
        folder = self.mount("full", "size=64k")
        self.fill(folder, 8192)
        outcome = self.record(self.pairs(), "-d", "60", "-o", "-", "-f", "raw",
                              env=self.environment(XDG_STATE_HOME=folder, TMPDIR=folder))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("No space left on device", outcome.errors)
        seen, reported = outcome.counts()["samples"], harness.Stacks(outcome.output).total()
        self.assertGreaterEqual(reported, KEPT_SHARE * seen, outcome)
        self.assertEqual(self.samples_of(self.kept(outcome)), reported)

    LIMIT = 12288 if LONG else 8192

    def limited(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.LIMIT, self.LIMIT))

    def test_limit_of_size(self):
        """ulimit -f holds everywhere, so the recording ends at it; SIGXFSZ does not end us."""
        target = self.pairs()
        process = self.start_pyspyc("record", "-r", "500", "-d", "60", "-p", target.pid, "-o", "a.svg", preexec_fn=self.limited,
                                    stderr=subprocess.PIPE)
        errors = process.child.stderr.read().decode()
        process.child.stderr.close()
        outcome = harness.Outcome(process.arguments, process.finish()[0], "", errors)
        self.assertIn("File too large", errors)
        self.assert_kept(outcome)
        for verb in (("report",), ("merge", self.kept(outcome))):
            done = self.run_pyspyc(*verb, self.kept(outcome), "-o", "b.svg", preexec_fn=self.limited)
            self.assertEqual(done.status, 1, done)
            self.assertIn("File too large", done.errors)
        self.assertEqual(self.leftovers(self.folder), [])

    def test_numbered_files_go_on_until_one_fails(self):
        folder = self.mount("full", "size=512k")
        target = self.pairs()
        outcome = self.record(target, "-d", "60", "--every", "0.5", "-o", os.path.join(folder, "a.svg"))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertTrue(self.samples_of(self.kept(outcome)) > 0)
        for name in glob.glob(os.path.join(folder, "a-*.svg")):
            ElementTree.parse(name)
        self.assertGreaterEqual(len(glob.glob(os.path.join(folder, "a-*.svg"))), 1)


class TestFailingCalls(FilesCase):
    """Every system call that a result takes fails once: the result is whole, or said to have failed and not there."""

    CALLS = ["write", "fsync", "renameat", "fchmod", "close"]
    MORE_CALLS = ["openat", "fchown", "newfstatat", "fstat", "fcntl", "lseek"]

    def strace(self, injection, *arguments, trace="/dev/null"):
        return subprocess.run(["strace", "-f", "-qq", "-o", trace, "-e", "trace=" + injection.split(":")[0], "-e",
                               "inject=" + injection, harness.pyspyc(), *map(str, arguments)], cwd=self.folder,
                              env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.DEADLINE)

    def test_report(self):
        """The file that was there is as it was, or it is the new one."""
        recorded = self.recording()
        reference = self.path("reference.txt")
        self.assertEqual(self.run_pyspyc("report", recorded, "-o", reference).status, 0)
        whole, failures, tried = self.content(reference), {}, 0
        for call in self.CALLS + (self.MORE_CALLS if LONG else []):
            for error in ("EIO",) if not LONG else ("EIO", "ENOSPC", "EINTR", "ENOMEM"):
                for number in range(1, 200):
                    with open(self.path("a.txt"), "w") as file:
                        file.write("old")
                    done = self.strace("%s:error=%s:when=%d" % (call, error, number), "report", recorded, "-o", "a.txt",
                                       trace=self.path("trace"))
                    if "INJECTED" not in self.content(self.path("trace")):
                        break
                    tried += 1
                    found = self.content(self.path("a.txt"))
                    what = (call, error, number, done.returncode, done.stderr[-300:])
                    if done.returncode == 0:
                        self.assertEqual(found, whole, what)
                    elif done.returncode > 0:
                        self.assertIn(found, ("old", whole), what)
                        failures[call] = failures.get(call, 0) + 1
                    if call not in ("close", "openat", "newfstatat", "fstat") and done.returncode >= 0:
                        self.assertEqual(self.leftovers(self.folder), [], what)
        for call in ("write", "fsync", "renameat", "fchmod"):
            self.assertGreaterEqual(failures.get(call, 0), 1, failures)
        self.assertGreater(tried, 10)

    #: Calls that fail from one number on, on files of which the path has a certain part.
    SHIM = r"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        static int fails(const char *call, const char *path)
        {
            static int count;
            const char *what = getenv("FAIL_CALL");
            if (!what || strcmp(what, call) != 0 || !strstr(path, getenv("FAIL_PATH")))
                return 0;
            errno = atoi(getenv("FAIL_ERRNO"));
            return __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) >= atoi(getenv("FAIL_FROM"));
        }
        static int fails_on(const char *call, int fd)
        {
            char link[64], path[4096] = "";
            snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
            return readlink(link, path, sizeof(path) - 1) > 0 && fails(call, path);
        }
        ssize_t write(int fd, const void *bytes, size_t len)
        {
            ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
            return fails_on("write", fd) ? -1 : next(fd, bytes, len);
        }
        int fsync(int fd)
        {
            int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
            return fails_on("fsync", fd) ? -1 : next(fd);
        }
        int renameat(int from, const char *name, int to, const char *new)
        {
            int (*next)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
            return fails("renameat", new) ? -1 : next(from, name, to, new);
        }
        """

    def record_failing(self, call, path, error, first):
        shim = self.path("shim.so")
        if not os.path.exists(shim):
            subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, "-xc", "-", "-ldl"], input=self.SHIM.encode(), check=True)
        target = self.pairs()
        with open(self.path("a.svg"), "w") as file:
            file.write("old")
        variables = self.environment(LD_PRELOAD=shim, FAIL_CALL=call, FAIL_PATH=path, FAIL_ERRNO=str(error), FAIL_FROM=str(first))
        outcome = self.run_pyspyc("record", "-r", "500", "-d", "1.2", "-p", target.pid, "-o", "a.svg", env=variables)
        self.assert_unharmed(target)
        target.end()
        return outcome

    def test_results_of_a_recording(self):
        """The recording is kept when its picture cannot be."""
        for call, path, error in (("fsync", "/.pyspyc-", errno.EIO), ("renameat", "a.svg", errno.EROFS)):
            with self.subTest(call=call):
                outcome = self.record_failing(call, path, error, 1)
                self.assertIn(os.strerror(error), outcome.errors)
                self.assertEqual(self.content(self.path("a.svg")), "old")
                self.assertIn("/a.svg.", self.kept(outcome))
                self.assert_kept(outcome)
                self.assertEqual(self.leftovers(self.folder), [])

    def test_a_recording_that_fails_in_the_middle(self):
        """A user's quota is used up, or a disk breaks: it goes on elsewhere, nothing is lost, and so nothing has failed."""
        for error, first in ((errno.EDQUOT, 1), (errno.EIO, 3), (errno.EROFS, 2)) if LONG else ((errno.EDQUOT, 3),):
            with self.subTest(error=os.strerror(error), first=first):
                outcome = self.record_failing("write", "a.svg.", error, first)
                self.assertEqual(outcome.status, 0, outcome)
                self.assertIn("%s; it is kept in %s" % (os.strerror(error), self.path("state")), outcome.errors)
                self.assertIn("<desc>Of %d intervals: %d ok" % (outcome.counts()["intervals"], outcome.counts()["ok"]),
                              self.content(self.path("a.svg")))
                self.assertEqual(glob.glob(self.path("a.svg.*")) + os.listdir(self.path("state", "pyspyc")), [])

    def test_a_folder_that_cannot_be_written_to(self):
        folder = self.mount("sealed", "size=64k")
        target = self.pairs()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        outcome = self.run_pyspyc("record", "-d", "1", "-p", target.pid, "-o", os.path.join(folder, "a.svg"))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("Read-only file system", outcome.errors)
        self.assertNotIn("intervals", outcome.errors, "it is known before anything is recorded")


class TestPipes(FilesCase):
    """Who reads slowly, or not at all, does not slow down sampling, and is not waited for for ever."""

    def test_slow_reader(self):
        """Not one interval is missed while the reader sleeps, and all arrives."""
        target = self.pairs()
        script = "exec 3>status; { '%s' record -r 1000 -d 1 -f json -o - -p %d 2>errors; echo $? >&3; } | { sleep 2; cat >got; }"
        subprocess.run(["bash", "-c", script % (harness.pyspyc(), target.pid)], cwd=self.folder, env=self.environment(),
                       timeout=harness.DEADLINE, check=True)
        outcome = harness.Outcome([], int(self.content(self.path("status"))), self.content(self.path("got")),
                                  self.content(self.path("errors")))
        self.assertEqual(outcome.status, 0, outcome)
        end = json.loads(outcome.output.splitlines()[-1])
        self.assertEqual(end["weight"], outcome.counts()["samples"])
        self.assertGreater(sum(end["intervals"].values()), KEPT_SHARE * 1000, outcome)

    def test_sampling_goes_on_behind_a_slow_reader(self):
        """With --every, results are written meanwhile: more than a pipe holds, to somebody who begins to read late."""
        target = self.pairs()
        reading, writing = os.pipe()
        process = self.start_pyspyc("record", "-r", "2000", "-d", "2", "--every", "0.5", "-f", "json", "-o", "-", "-p", target.pid,
                                    stdout=writing)
        os.close(writing)
        time.sleep(1.5)  # it is the fault
        received = b""
        while True:
            piece = os.read(reading, 1 << 20)
            if not piece:
                break
            received += piece
        os.close(reading)
        process.child.stdout = None
        status = process.finish()[0]
        self.assertEqual(status, 0, process.stderr())
        ends = [json.loads(line) for line in received.decode().splitlines() if line.startswith('{"type":"end"')]
        intervals = {name: sum(end["intervals"][name] for end in ends) for name in ends[0]["intervals"]}
        self.assertGreater(sum(intervals.values()), 2000 * 2 * KEPT_SHARE, intervals)
        self.assertGreater(intervals["ok"], 0.5 * sum(intervals.values()), intervals)

    def test_readers_that_have_enough(self):
        """`| head -1`: a failure, said; the recording is kept."""
        target = self.pairs()
        script = "'%s' record -r 1000 -d 1 -f json -o - -p %d 2>errors | head -1 >first; echo ${PIPESTATUS[0]} >status"
        subprocess.run(["bash", "-c", script % (harness.pyspyc(), target.pid)], cwd=self.folder, env=self.environment(),
                       timeout=harness.DEADLINE, check=True)
        outcome = harness.Outcome([], int(self.content(self.path("status"))), "", self.content(self.path("errors")))
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("Broken pipe", outcome.errors)
        self.assertIn('"format":"pyspyc samples"', self.content(self.path("first")))
        self.assert_kept(outcome)

    def test_full_device(self):
        target = self.pairs()
        with open("/dev/full", "w") as full:
            outcome = self.run_pyspyc("record", "-r", "500", "-d", "1", "-f", "raw", "-o", "-", "-p", target.pid, stdout=full)
        self.assert_kept(outcome)
        self.assertIn("No space left on device", outcome.errors)


if __name__ == "__main__":
    harness.main()
