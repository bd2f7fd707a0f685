"""Processes that are elsewhere: in namespaces, under another root, another user's, stopped, traced, half ended.

    PYSPYC=build/pyspyc python3 test_where.py [INTERPRETER] [TestClass.test_name]

Most cases need root, and fail without it: what could not be looked at is not tested.
"""
import ctypes
import errno
import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile

import harness
import test_oracle
import test_record

NOBODY = 65534
BUSY, IDLE = 1, 4
FAST = ("-r", "500", "-d", "1")

#: Makes another root of mounts in the folder $1 and runs the rest of the words in it. $2 is a whole root if $3 is
#: "whole"; else it is "/usr", or a folder that becomes /opt/python beside the host's /usr. $4 holds the programs.
#: Nothing of it outlives the mount namespace that it runs in. The old root stays in /tmp/old, as a root may have no
#: umount.
NEW_ROOT = """
set -e
root=$1 python=$2 kind=$3 programs=$4
shift 4
if [ "$kind" = whole ]; then
    mount --bind "$python" "$root"
else
    mount -t tmpfs none "$root"
    mkdir "$root/usr" "$root/tmp" "$root/proc" "$root/opt" "$root/opt/python"
    mount --bind /usr "$root/usr"
    ln -s usr/bin usr/lib usr/lib64 "$root"
    [ "$python" = /usr ] || mount --bind "$python" "$root/opt/python"
fi
mount -t tmpfs none "$root/tmp"
mkdir "$root/tmp/programs" "$root/tmp/old"
mount --bind "$programs" "$root/tmp/programs"
mount -t proc proc "$root/proc"
cd "$root"
"""
PIVOT = NEW_ROOT + """
pivot_root . tmp/old
exec "$@"
"""
CHROOT = NEW_ROOT + """
exec chroot . "$@"
"""


class Home:
    """How an interpreter is brought into another root."""

    def __init__(self, python):
        beside = os.path.dirname(os.path.dirname(python))
        name = os.path.basename(python)
        if os.path.exists(os.path.join(beside, "usr", "bin", name)):
            self.folder, self.kind = beside, "whole"
            self.python = "/usr/bin/" + name
        elif beside == "/usr":
            self.folder, self.kind, self.python = "/usr", "parts", python
        else:
            self.folder, self.kind, self.python = beside, "parts", "/opt/python/bin/" + name
        self.variables = self.variables_at("/opt/python")

    def command_at(self, place):
        """The command that starts the interpreter when its folder is mounted at `place`, for any user."""
        program = os.path.join(place, "bin", os.path.basename(self.python))
        if self.kind != "whole":
            return [program]
        libraries = os.path.join(place, "usr", "lib", os.uname().machine + "-linux-gnu")
        linker = glob.glob(os.path.join(self.folder, "usr", "lib", "*", "ld-linux-*"))[0]
        return [os.path.join(libraries, os.path.basename(linker)), "--argv0", program, "--library-path", libraries,
                os.path.join(place, "usr", "bin", os.path.basename(self.python))]

    def variables_at(self, place):
        is_apart = self.kind == "parts" and self.folder != "/usr"
        return {"LD_LIBRARY_PATH": os.path.join(place, "lib")} if is_apart else {}


def numbers_of(pid):
    """The numbers of a process or thread, from our pid namespace inwards."""
    return [int(word) for word in harness.status_of(pid)["NSpid"].split()]


def thread_ids(pid):
    return sorted(int(name) for name in os.listdir("/proc/%d/task" % pid))


class WhereCase(test_record.RecordCase):
    """Steps that several tests share."""

    def need_root(self):
        if os.geteuid() != 0:
            self.fail("this case was not tested: it needs root")

    def open_folder(self):
        """Lets other users into the test's folder."""
        os.chmod(self.folder, 0o755)

    def only_child(self, process):
        """The one child of a wrapper such as unshare."""
        return harness.wait_until(lambda: harness.children_of(process.pid), "the wrapper has a child")[0]

    def start_inside(self, *command, **options):
        """Starts a command in namespaces of its own by unshare's options; returns (wrapper, pid as we see it)."""
        process = self.start("unshare", "--fork", "--kill-child", *command, **options)
        return process, self.only_child(process)

    def start_in_new_root(self, *words, **options):
        """Starts a program under the interpreter in another root, pid and mount namespace."""
        home = Home(self.python)
        root = tempfile.mkdtemp(prefix="root-", dir=self.folder)
        environment = self.environment(**home.variables)
        environment["TMPDIR"] = "/tmp"
        return self.start_inside("--pid", "--mount", "sh", "-c", PIVOT, "sh", root, home.folder, home.kind,
                                 harness.PROGRAMS, home.python, "/tmp/programs/" + words[0], *words[1:],
                                 env=environment, **options)

    def oracle_as_we_see_it(self, line, pid):
        """An oracle's report, with our numbers for the process and its threads."""
        oracle = json.loads(line)
        self.assertEqual(oracle["pid"], numbers_of(pid)[-1])
        ours = {numbers_of(tid)[-1]: tid for tid in thread_ids(pid)}
        oracle["pid"] = pid
        for thread in oracle["threads"]:
            thread["native_id"] = ours.get(thread["native_id"])
        return oracle

    def assert_oracle(self, line, pid, dump=None):
        oracle = self.oracle_as_we_see_it(line, pid)
        texts = test_oracle.differences(oracle, dump or self.dump(pid))
        self.assertFalse(texts, "\n".join(texts))

    def assert_threads(self, threads, tids):
        """The dump of threads.py: the busy one runs and has the GIL, if any; the others rest, and each has its number."""
        states = {thread["thread_name"]: (thread["active"], thread["owns_gil"]) for thread in threads}
        expected = {"MainThread": (False, False), "busy-0": (True, not self.is_free_threaded)}
        expected.update({"idle-%d" % number: (False, False) for number in range(IDLE)})
        self.assertEqual(states, expected)
        self.assertEqual(sorted(thread["os_thread_id"] for thread in threads), tids)

    def assert_busy_recording(self, *arguments, run=None):
        """A recording of threads.py holds the busy thread only."""
        outcome, stacks = (run or self.record)(*FAST, *arguments)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(), 50, outcome)
        self.assertEqual(stacks.total(), stacks.total(stacks.with_function("busy")), outcome)

    def has_gil(self, pid, name):
        return any(thread["thread_name"] == name and thread["owns_gil"] for thread in self.dump(pid))

    def assert_threads_program(self, pid):
        # The main thread has the GIL while it says that all is ready.
        if not self.is_free_threaded:
            harness.wait_until(lambda: self.has_gil(pid, "busy-0"), "the busy thread has the GIL")
        self.assert_threads(self.dump(pid), thread_ids(pid))
        self.assert_busy_recording("--pid", pid)

    def run_wrapped(self, wrapper, *arguments, **options):
        """Runs the profiler behind a wrapper such as nsenter; returns its outcome."""
        options.setdefault("cwd", self.folder)
        process = self.start(*wrapper, harness.pyspyc(), *arguments, **options)
        status, output = process.finish()
        return harness.Outcome(process.arguments, status, output, process.stderr())

    def dump_wrapped(self, wrapper, pid, **options):
        outcome = self.run_wrapped(wrapper, "dump", "--json", "--pid", pid, **options)
        self.assertEqual(outcome.status, 0, outcome)
        return json.loads(outcome.output)

    def record_wrapped(self, wrapper):
        """A record() that runs behind a wrapper; the recording comes on standard output."""
        def run(*arguments):
            outcome = self.run_wrapped(wrapper, "record", "-f", "raw", "-o", "-", *arguments)
            return outcome, harness.Stacks(outcome.output)

        return run


class TestNamespaces(WhereCase):
    """Pid and mount namespaces, from outside, inside and between."""

    def setUp(self):
        super().setUp()
        self.need_root()

    def start_threads(self, *options):
        process, pid = self.start_inside(*options, self.python, harness.program("threads.py"), BUSY, IDLE)
        self.assertEqual(process.read_line(), "ready")
        return process, pid

    def test_pid_namespace(self):
        process, pid = self.start_threads("--pid", "--mount", "--mount-proc")
        self.assertEqual(numbers_of(pid)[-1], 1)
        self.assert_threads_program(pid)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_nested_pid_namespaces(self):
        outer = self.start("unshare", "--fork", "--kill-child", "--pid", "unshare", "--fork", "--kill-child", "--pid",
                           "--mount", "--mount-proc", self.python, harness.program("threads.py"), BUSY, IDLE)
        self.assertEqual(outer.read_line(), "ready")
        pid = harness.children_of(self.only_child(outer))[0]
        self.assertEqual(len(numbers_of(pid)), len(numbers_of(os.getpid())) + 2)
        self.assert_threads_program(pid)
        self.assertEqual(outer.finish()[0], 0, outer.stderr())

    def test_stacks_in_another_root(self):
        """Files, numbers, names, lines: what the interpreter in there says of itself."""
        for name in ("many_threads.py", "calls.py", "names.py"):
            with self.subTest(program=name):
                process, pid = self.start_in_new_root(name)
                self.assert_oracle(process.read_line(), pid)
                self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_states_in_another_root(self):
        process, pid = self.start_in_new_root("threads.py", BUSY, IDLE)
        self.assertEqual(process.read_line(), "ready")
        self.assert_threads_program(pid)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_another_root_with_no_more_than_ptrace(self):
        """What `docker run --cap-add SYS_PTRACE` gives: the kernel does not follow map_files for it."""
        process, pid = self.start_in_new_root("threads.py", BUSY, IDLE)
        self.assertEqual(process.read_line(), "ready")
        wrapper = ["setpriv", "--bounding-set", "-all,+sys_ptrace"]
        self.assert_threads(self.dump_wrapped(wrapper, pid), thread_ids(pid))

    def test_inside_of_the_container(self):
        """The profiler watches a neighbour: numbers are those in there."""
        process, pid = self.start_threads("--pid", "--mount", "--mount-proc")
        wrapper = ["nsenter", "--target", pid, "--pid", "--mount"]
        inner = sorted(numbers_of(tid)[-1] for tid in thread_ids(pid))
        self.assert_threads(self.dump_wrapped(wrapper, 1), inner)
        self.assert_busy_recording("--pid", 1, run=self.record_wrapped(wrapper))
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_procfs_of_an_outer_namespace(self):
        """The profiler is in the pid namespace, but sees the host's procfs: --pid is what ps(1) says there."""
        process, pid = self.start_threads("--pid", "--mount", "--mount-proc")
        wrapper = ["nsenter", "--target", pid, "--pid"]
        self.assert_threads(self.dump_wrapped(wrapper, pid), thread_ids(pid))
        self.assert_busy_recording("--pid", pid, run=self.record_wrapped(wrapper))
        other, line = self.start_target("threads.py", BUSY, IDLE)
        self.assertEqual(line, "ready")
        self.assert_threads(self.dump_wrapped(wrapper, other.pid), thread_ids(other.pid))

    def test_procfs_of_an_inner_namespace(self):
        """The profiler is in the host's pid namespace, but sees the container's procfs."""
        process, pid = self.start_threads("--pid", "--mount", "--mount-proc")
        wrapper = ["nsenter", "--target", pid, "--mount"]
        inner = sorted(numbers_of(tid)[-1] for tid in thread_ids(pid))
        self.assert_threads(self.dump_wrapped(wrapper, 1), inner)
        outcome = self.run_wrapped(wrapper, "dump", "--pid", os.getpid())
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("another pid namespace", outcome.errors)

    def test_procfs_of_a_neighbouring_namespace(self):
        """At the same depth, but none of ours: our numbers mean other processes."""
        beside, pid_beside = self.start_threads("--pid", "--mount", "--mount-proc")
        process, pid = self.start_threads("--pid", "--mount", "--mount-proc")
        wrapper = ["nsenter", "--target", pid, "--pid", "nsenter", "--mount=/proc/%d/ns/mnt" % pid_beside]
        inner = sorted(numbers_of(tid)[-1] for tid in thread_ids(pid_beside))
        self.assert_threads(self.dump_wrapped(wrapper, 1), inner)

    def test_program_started_under_procfs_of_an_outer_namespace(self):
        wrapper = ["unshare", "--fork", "--kill-child", "--pid"]
        outcome, stacks = self.record_wrapped(wrapper)("-r", "500", "--", self.python, harness.program("ending.py"),
                                                       "exit", "7")
        self.assertEqual(outcome.status, 7, outcome)
        self.assertGreater(stacks.total(stacks.with_function("work")), 20, outcome)

    def test_threads_that_come_and_go(self):
        """In a namespace, each new thread has to be looked up."""
        process, pid = self.start_inside("--pid", "--mount", "--mount-proc", self.python,
                                         harness.program("thread_churn.py"))
        self.assertEqual(process.read_line(), "ready")
        outcome, stacks = self.record("-r", "500", "-d", "2", "--pid", pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(stacks.with_function("short_life")), 100, outcome)
        self.assertEqual(stacks.total(stacks.with_function("rest")), 0, outcome)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_chroot(self):
        """Only another root: paths in maps begin with the place of that root."""
        home = Home(self.python)
        root = self.path("root")
        os.mkdir(root)
        process = self.start("unshare", "--mount", "sh", "-c", CHROOT, "sh", root, home.folder, home.kind,
                             harness.PROGRAMS, home.python, "/tmp/programs/many_threads.py",
                             env=self.environment(**home.variables))
        line = process.read_line()
        self.assert_oracle(line, process.pid)
        wrapper = ["nsenter", "--target", process.pid, "--mount", "setpriv", "--bounding-set", "-all,+sys_ptrace"]
        self.assert_oracle(line, process.pid, self.dump_wrapped(wrapper, process.pid))
        self.assertEqual(process.finish()[0], 0, process.stderr())


class TestUsers(WhereCase):
    """Who may look at whom."""

    AS_NOBODY = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]

    def setUp(self):
        super().setUp()
        self.need_root()
        self.open_folder()
        self.holder = self.start_shared_folder()
        self.in_folder = ["nsenter", "--target", self.holder.pid, "--mount"]

    def start_shared_folder(self):
        """A mount namespace in which any user can reach the interpreter, the programs and the profiler."""
        home = Home(self.python)
        os.mkdir(self.path("home"))
        os.mkdir(self.path("programs"))
        with open(self.path("pyspyc"), "w"):
            pass
        script = ('set -e; mount --bind "$1" home; mount --bind "$2" programs; mount --bind "$3" pyspyc; '
                  'echo ready; read end')
        holder = self.start("unshare", "--mount", "sh", "-c", script, "sh", home.folder, harness.PROGRAMS,
                            harness.pyspyc(), cwd=self.folder)
        self.assertEqual(holder.read_line(), "ready")
        return holder

    def environment_for_all(self, **more):
        return self.environment(**Home(self.python).variables_at(self.path("home")), **more)

    def start_threads(self, *wrapper, python=None, **options):
        options.setdefault("env", self.environment_for_all())
        python = [python] if python else Home(self.python).command_at(self.path("home"))
        process = self.start(*self.in_folder, *wrapper, *python, self.path("programs", "threads.py"), BUSY, IDLE,
                             cwd=self.folder, **options)
        self.assertEqual(process.read_line(), "ready")
        return process

    def run_as_nobody(self, *arguments):
        process = self.start(*self.in_folder, *self.AS_NOBODY, self.path("pyspyc"), *arguments, cwd=self.folder)
        status, output = process.finish()
        return harness.Outcome(process.arguments, status, output, process.stderr())

    def dump_as_nobody(self, pid):
        outcome = self.run_as_nobody("dump", "--json", "--pid", pid)
        self.assertEqual(outcome.status, 0, outcome)
        return json.loads(outcome.output)

    def test_another_users_process_as_root(self):
        process = self.start_threads(*self.AS_NOBODY)
        self.assertEqual(harness.status_of(process.pid)["Uid"].split()[0], str(NOBODY))
        self.assert_threads_program(process.pid)
        self.assertEqual(process.finish()[0], 0, process.stderr())

    def test_own_process_without_root(self):
        process = self.start_threads(*self.AS_NOBODY)
        self.assert_threads(self.dump_as_nobody(process.pid), thread_ids(process.pid))

    def test_own_process_whose_executable_was_deleted(self):
        """Without root only /proc/PID/exe leads to it."""
        home = Home(self.python)
        if home.kind == "whole":
            self.skipTest("this interpreter is started by its own linker")
        copy = self.path("a python")
        shutil.copy(self.python, copy)
        process = self.start_threads(*self.AS_NOBODY, python=copy,
                                     env=self.environment_for_all(PYTHONHOME=self.path("home")))
        os.unlink(copy)
        self.assertIn("(deleted)", os.readlink("/proc/%d/exe" % process.pid))
        self.assert_threads(self.dump_as_nobody(process.pid), thread_ids(process.pid))

    def test_roots_process_without_root(self):
        process = self.start_threads()
        outcome = self.run_as_nobody("dump", "--pid", process.pid)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("belongs to root and we are user %d" % NOBODY, outcome.errors)

    def test_procfs_with_hidepid(self):
        """What is our own is there; what is not is said to be hidden, not to be missing."""
        others = self.start_threads()
        own = self.start_threads(*self.AS_NOBODY)
        for mode in (1, 2):
            with self.subTest(hidepid=mode):
                subprocess.run([*map(str, self.in_folder), "mount", "-t", "proc", "-o", "hidepid=%d" % mode, "proc",
                                "/proc"], check=True)
                self.assert_threads(self.dump_as_nobody(own.pid), thread_ids(own.pid))
                outcome = self.run_as_nobody("dump", "--pid", others.pid)
                self.assertEqual(outcome.status, 1, outcome)
                self.assertIn("hidepid", outcome.errors)

    def test_user_namespace(self):
        """Root in there is nobody out here: readable for the host's root, for its owner, and for itself."""
        process = self.start_threads(*self.AS_NOBODY, "unshare", "--user", "--map-root-user")
        self.assertNotEqual(os.readlink("/proc/%d/ns/user" % process.pid), os.readlink("/proc/self/ns/user"))
        self.assert_threads_program(process.pid)
        self.assert_threads(self.dump_as_nobody(process.pid), thread_ids(process.pid))
        inside = ["nsenter", "--target", process.pid, "--user", "--mount"]
        outcome = self.start(*inside, self.path("pyspyc"), "dump", "--json", "--pid", process.pid)
        status, output = outcome.finish()
        self.assertEqual(status, 0, outcome.stderr())
        self.assert_threads(json.loads(output), thread_ids(process.pid))

    def test_from_inside_of_a_user_namespace(self):
        target = self.start_threads()
        for wrapper in (), self.AS_NOBODY:
            process = self.start(*self.in_folder, *wrapper, "unshare", "--user", "--map-root-user", self.path("pyspyc"), "dump",
                                 "--pid", target.pid, cwd=self.folder)
            self.assertEqual(process.finish()[0], 1)
            self.assertIn("is in a user namespace outside of ours", process.stderr())

    def test_container_without_root(self):
        """A whole container of an ordinary user: user, pid and mount namespace."""
        process = self.start_threads(*self.AS_NOBODY, "unshare", "--user", "--map-root-user", "--pid", "--mount",
                                     "--mount-proc", "--fork", "--kill-child")
        pid = self.only_child(process)
        self.assertEqual(numbers_of(pid)[-1], 1)
        self.assert_threads(self.dump(pid), thread_ids(pid))
        self.assert_threads(self.dump_as_nobody(pid), thread_ids(pid))


#: Runs a function, and on the first line of its standard input execs the program that its arguments say.
BECOME_ANOTHER = """
import os, sys, threading
def spin_before():
    while not told: pass
told = []
def wait():
    sys.stdin.readline()
    told.append(True)
threading.Thread(target=wait, daemon=True).start()
print("ready", flush=True)
spin_before()
os.execv(sys.argv[1], sys.argv[1:])
"""
SPIN_AFTER = """
import os, time
def spin_after():
    end = time.time() + 3
    while time.time() < end: pass
print("another", os.geteuid(), flush=True)
spin_after()
"""


class TestInstalled(WhereCase):
    """Privileges that the file of the profiler has: it is called by nobody."""

    AS_NOBODY = TestUsers.AS_NOBODY
    #: The system's own interpreter, which every user can reach.
    PYTHON = "/usr/bin/python3"

    def setUp(self):
        super().setUp()
        self.need_root()
        self.open_folder()
        self.profiler = self.path("pyspyc")
        shutil.copy(harness.pyspyc(), self.profiler)

    def lend(self, capabilities="cap_sys_ptrace+ep"):
        subprocess.run(["setcap", capabilities, self.profiler], check=True)

    def run_as_nobody(self, *arguments):
        process = self.start(*self.AS_NOBODY, self.profiler, *arguments, cwd="/tmp")
        status, output = process.finish()
        return harness.Outcome(process.arguments, status, output, process.stderr())

    def start_program(self, text, *arguments, wrapper=AS_NOBODY):
        process = self.start(*wrapper, self.PYTHON, "-c", text, *arguments, cwd="/tmp")
        process.first_line = process.read_line()
        return process

    def start_sleeper(self, wrapper=AS_NOBODY, before=""):
        return self.start_program(before + "\nprint('ready', flush=True)\nimport time; time.sleep(1000)",
                                  wrapper=wrapper)

    def assert_refused(self, outcome, *words):
        self.assertEqual(outcome.status, 1, outcome)
        self.assertEqual(outcome.output, "", outcome)
        for word in words:
            self.assertIn(word, outcome.errors)

    def test_setuid_and_setgid(self):
        """Refused whatever is asked for; root himself gets nothing from such a file."""
        for mode, letter in ((0o4755, "u"), (0o2755, "g")):
            os.chmod(self.profiler, mode)
            for arguments in (("--version",), ("dump", "--pid", os.getpid())):
                self.assert_refused(self.run_as_nobody(*arguments), "refuses to", "sudo chmod %s-s %s" % (letter, self.profiler))
            self.assertEqual(self.start(self.profiler, "--version").finish()[0], 0)

    def test_capability_lifts_what_only_it_lifts(self):
        """Nobody's process that has a capability more than the profiler."""
        target = self.start_sleeper([*self.AS_NOBODY, "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"])
        self.assertEqual(int(harness.status_of(target.pid)["CapPrm"], 16), 1 << 13)
        self.assert_refused(self.run_as_nobody("dump", "--pid", target.pid), "capabilities that pyspyc has not (0x2000)",
                            "sudo")
        self.lend()
        outcome = self.run_as_nobody("dump", "--pid", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("<module>", outcome.output)

    def test_permitted_set_alone(self):
        target = self.start_sleeper(())
        self.lend("cap_sys_ptrace+p")
        self.assert_refused(self.run_as_nobody("dump", "--pid", target.pid), "is for one's own processes only")

    def test_processes_of_others(self):
        """With the capability the kernel would let us read all of them."""
        self.lend()
        change_group = ["setpriv", "--reuid", str(NOBODY), "--regid", "12345", "--clear-groups"]
        for wrapper in ((), change_group, ["setpriv", "--ruid", str(NOBODY)], ["setpriv", "--euid", str(NOBODY)]):
            with self.subTest(wrapper=wrapper):
                target = self.start_sleeper(wrapper)
                for arguments in (("dump",), ("record", "-d", "1", "-f", "raw", "-o", "-")):
                    self.assert_refused(self.run_as_nobody(*arguments, "--pid", target.pid), "belongs to",
                                        "is for one's own processes only")

    def test_list_of_processes(self):
        """It has those of others, too, with the reason why they cannot be profiled, and nothing that one may not know."""
        self.lend()
        own, others = self.start_sleeper(), self.start_sleeper(())
        locked = self.start_sleeper(before="import ctypes; ctypes.CDLL(None).prctl(4, 0)")
        outcome = self.run_as_nobody("ps")
        allowed, refused = outcome.output.split("These cannot be profiled:\n")
        self.assertRegex(allowed, r"(?m)^ *%d .* 3\.\d+\.\d+ " % own.pid)
        self.assertRegex(refused, r"(?m)^ *%d .*\[another user's: use sudo\]" % others.pid)
        self.assertRegex(refused, r"(?m)^ *%d .*\[it forbids it \(not dumpable\): use sudo\]" % locked.pid)

    def test_process_that_is_not_dumpable(self):
        self.lend()
        target = self.start_sleeper(before="import ctypes; ctypes.CDLL(None).prctl(4, 0)")
        self.assert_refused(self.run_as_nobody("dump", "--pid", target.pid), "not dumpable")

    def test_what_is_kept(self):
        """Of all that the file gives, one capability, and nothing for the program."""
        self.lend("cap_sys_ptrace,cap_dac_override,cap_net_raw+eip")
        text = "import time; print('ready', flush=True); time.sleep(1000)"
        process = self.start(*self.AS_NOBODY, self.profiler, "record", "-f", "raw", "-o", "/dev/null", "--", self.PYTHON,
                             "-c", text, cwd="/tmp")
        self.assertEqual(process.read_line(), "ready")
        program = self.only_child(process)
        ours, theirs = harness.status_of(process.pid), harness.status_of(program)
        self.assertEqual([int(ours[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")],
                         [1 << 19, 1 << 19, 0, 0])
        self.assertEqual([int(theirs[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")], [0, 0, 0, 0])
        self.addCleanup(os.kill, program, signal.SIGKILL)

    def test_doctor(self):
        """It says where the capability is from, and that stacks are true when they are read as it takes then."""
        self.lend()
        process = self.start(*self.AS_NOBODY, self.profiler, "doctor", "-d", "1", cwd="/tmp",
                             env=self.environment(PATH="/usr/bin"))
        status, output = process.finish()
        self.assertEqual(status, 0, output)
        self.assertIn("with CAP_SYS_PTRACE from pyspyc's file", output)
        self.assertIn("piece by piece", output)
        self.assertIn("0 impossible stacks", output)

    def test_exec_of_a_setuid_program(self):
        """The process was nobody's when it was attached to, and is root's then: nothing of that is seen."""
        self.lend()
        another = self.path("another")
        shutil.copy(self.PYTHON, another)
        os.chmod(another, 0o4755)
        target = self.start_program(BECOME_ANOTHER, another, "-c", SPIN_AFTER)
        self.assertEqual(target.first_line, "ready")
        profiler = self.start(*self.AS_NOBODY, self.profiler, "record", "-r", "1000", "-f", "raw", "-o", "-", "--pid",
                              target.pid, cwd="/tmp")
        self.wait_until_sampling(profiler)
        target.child.stdin.write(b"go\n")
        target.child.stdin.flush()
        self.assertEqual(target.read_line(), "another 0")
        self.assert_refused(self.run_as_nobody("dump", "--pid", target.pid), "is for one's own processes only")
        status, output = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())
        self.assertIn("spin_before", output)
        self.assertNotIn("spin_after", output)


#: Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
PROCESS_VM_READV = {"x86_64": 310, "aarch64": 270}
PTRACE = {"x86_64": 101, "aarch64": 117}
SCHED_SETAFFINITY = {"x86_64": 203, "aarch64": 122}
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}


def refuse(numbers, error):
    """For preexec_fn: a seccomp filter as containers have it, that answers a system call with an error."""
    load_number, jump_if_equal, give_back = 0x20, 0x15, 0x06  # Linux include/uapi/linux/filter.h, bpf_common.h
    allow, refuse = 0x7FFF0000, 0x00050000 | error  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
    number = numbers[os.uname().machine]
    program = b"".join(struct.pack("HBBI", *row) for row in (
        (load_number, 0, 0, 0), (jump_if_equal, 0, 1, number), (give_back, 0, 0, refuse), (give_back, 0, 0, allow)))
    text = ctypes.create_string_buffer(program, len(program))
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(text)))
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2  # Linux include/uapi/linux/prctl.h, seccomp.h
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0 or libc.prctl(set_seccomp, filter_mode, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class TestStates(WhereCase):
    """Processes that are not simply running."""

    def start_threads(self):
        target, line = self.start_target("threads.py", BUSY, IDLE)
        self.assertEqual(line, "ready")
        return target

    def wait_for_state(self, pid, letters):
        harness.wait_until(lambda: harness.status_of(pid)["State"][0] in letters, "process %d is %s" % (pid, letters))

    def wait_until_stopped(self, pid, letter):
        """Each thread comes to its stop by itself, when it gets a CPU for that."""
        harness.wait_until(lambda: all(harness.status_of(tid)["State"][0] == letter for tid in thread_ids(pid)),
                           "all threads of process %d are %s" % (pid, letter))

    def test_stopped(self):
        """A stopped process can be read, says so, and stays stopped."""
        target = self.start_threads()
        target.signal(signal.SIGSTOP)
        self.addCleanup(target.signal, signal.SIGCONT)
        self.wait_until_stopped(target.pid, "T")
        outcome = self.run_pyspyc("dump", "--pid", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.output.count("(stopped"), BUSY + IDLE + 1, outcome)
        self.assertIn("busy (threads.py", outcome.output)  # it need not be in spin() just then
        self.assertFalse(any(thread["active"] for thread in self.dump(target.pid)))
        outcome, stacks = self.record(*FAST, "--pid", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(stacks.total(), 0, outcome)
        self.assertIn("idle", outcome.errors)
        self.wait_until_stopped(target.pid, "T")
        target.signal(signal.SIGCONT)
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_stopped_while_recorded(self):
        """Samples begin again when it goes on."""
        target = self.start_threads()
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", self.path("x.raw"), "-r", "200", "--pid", target.pid)
        self.wait_until_sampling(profiler)
        target.signal(signal.SIGSTOP)
        self.addCleanup(target.signal, signal.SIGCONT)
        self.wait_until_stopped(target.pid, "T")
        self.wait_until_sampling(profiler, wakeups=300)
        target.signal(signal.SIGCONT)
        target.finish()
        status, _ = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())

    def wait_for_tracer(self, pid, tracer):
        def traced():
            self.assertTrue(tracer.alive(), tracer.stderr())
            return all(harness.status_of(tid).get("TracerPid", "0") != "0" for tid in thread_ids(pid))

        harness.wait_until(traced, "every thread is traced")

    def test_traced_by_strace(self):
        """It has its tracer; reading needs none."""
        target = self.start_threads()
        tracer = self.start("strace", "-f", "-o", "/dev/null", "-p", target.pid)
        self.wait_for_tracer(target.pid, tracer)
        self.assert_threads_program(target.pid)
        self.wait_for_tracer(target.pid, tracer)
        tracer.signal(signal.SIGINT)
        tracer.finish()
        self.assert_unharmed(target)

    def test_stopped_in_gdb(self):
        """gdb holds all threads, and goes on to do so."""
        target = self.start_threads()
        debugger = self.start("gdb", "--quiet", "--nx", "--pid", target.pid, "-ex", "set debuginfod enabled off",
                              "-ex", "echo attached\\n")
        while debugger.read_line() != "attached":
            pass
        self.wait_until_stopped(target.pid, "t")
        outcome = self.run_pyspyc("dump", "--pid", target.pid)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.output.count("(stopped"), BUSY + IDLE + 1, outcome)
        self.assertEqual(harness.status_of(target.pid)["TracerPid"], str(debugger.pid))
        debugger.finish()
        self.wait_for_state(target.pid, "RS")
        self.assert_unharmed(target)

    def say(self, process, word):
        process.child.stdin.write(word.encode() + b"\n")
        process.child.stdin.flush()

    def start_zombie_leader(self):
        target, line = self.start_target("main_thread_ends.py")
        self.assertEqual(line, "ready")
        self.say(target, "end")
        self.wait_for_state(target.pid, "Z")
        return target

    def assert_threads_without_main(self, pid):
        """main_thread_ends.py: who works works, and the main thread's last stack is still there."""
        threads = {thread["thread_name"]: thread for thread in self.dump(pid)}
        self.assertEqual(set(threads), {"MainThread", "worker", "sleeper", "obey"})
        self.assertEqual([name for name in threads if threads[name]["active"]], ["worker"])
        numbers = {name: thread["os_thread_id"] for name, thread in threads.items()}
        # libc forgets the number of a thread that ends, and before 3.11 nobody else has kept it.
        self.assertEqual(numbers.pop("MainThread"), pid if self.version >= (3, 11) else None)
        self.assertEqual(sorted(numbers.values()), sorted(set(thread_ids(pid)) - {pid}))
        self.assertIn("end_main_thread", [frame["name"] for frame in threads["MainThread"]["frames"]])

    def test_main_thread_has_ended(self):
        target = self.start_zombie_leader()
        self.assert_threads_without_main(target.pid)
        self.assert_work_only(*self.record(*FAST, "--pid", target.pid))

    def assert_work_only(self, outcome, stacks):
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(stacks.total(), 50, outcome)
        self.assertEqual(stacks.total(), stacks.total(stacks.with_function("work")), outcome)

    def test_main_thread_ends_while_recorded(self):
        """The recording goes on through another thread, until the process ends."""
        target, line = self.start_target("main_thread_ends.py")
        self.assertEqual(line, "ready")
        output = self.path("x.raw")
        profiler = self.start_pyspyc("record", "-f", "raw", "-o", output, "-r", "500", "-t", "--pid", target.pid)
        self.wait_until_sampling(profiler)
        self.say(target, "end")
        self.wait_for_state(target.pid, "Z")
        self.say(target, "mark")
        self.assertEqual(target.read_line(), "marked")
        harness.wait_until(lambda: self.has_worked(target), "the worker has worked on")
        target.finish()
        status, _ = profiler.finish()
        self.assertEqual(status, 0, profiler.stderr())
        with open(output, encoding="utf-8") as file:
            stacks = harness.Stacks(file.read())
        self.assertGreater(stacks.total(stacks.with_function("work_on")), 20, profiler.stderr())

    def has_worked(self, target):
        self.say(target, "rounds")
        return int(target.read_line()) >= 100

    def test_main_thread_has_ended_in_a_namespace(self):
        self.need_root()
        process, pid = self.start_inside("--pid", "--mount", "--mount-proc", self.python,
                                         harness.program("main_thread_ends.py"))
        self.assertEqual(process.read_line(), "ready")
        self.say(process, "end")
        self.wait_for_state(pid, "Z")
        self.assert_threads_without_main(pid)

    def test_process_that_waits_to_be_collected(self):
        """A zombie without threads has ended."""
        target = self.start_threads()
        target.close_stdin()
        self.wait_for_state(target.pid, "Z")
        outcome = self.run_pyspyc("dump", "--pid", target.pid)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("has ended", outcome.errors)

    def test_seccomp_refuses_process_vm_readv(self):
        target = self.start_threads()
        process = self.start_pyspyc("dump", "--json", "--pid", target.pid,
                                    preexec_fn=lambda: refuse(PROCESS_VM_READV, errno.ENOSYS))
        status, output = process.finish()
        self.assertEqual(status, 0, process.stderr())
        self.assert_threads(json.loads(output), thread_ids(target.pid))

    def test_seccomp_refuses_to_choose_a_cpu(self):
        target = self.start_threads()
        process = self.start_pyspyc("record", "-d", "1", "-o", "out.svg", "--pid", target.pid,
                                    preexec_fn=lambda: refuse(SCHED_SETAFFINITY, errno.EPERM))
        self.assertEqual(process.finish()[0], 1)
        self.assertIn("something forbids sched_setaffinity", process.stderr())

    def test_seccomp_refuses_ptrace(self):
        """Reading needs none; who asks for stops is told who refuses them."""
        target = self.start_threads()
        for options, wanted in (("--json",), 0), (("--blocking",), 1):
            process = self.start_pyspyc("dump", *options, "--pid", target.pid,
                                        preexec_fn=lambda: refuse(PTRACE, errno.EPERM))
            status, _ = process.finish()
            self.assertEqual(status, wanted, process.stderr())
        self.assertIn("a seccomp filter forbids ptrace", process.stderr())
        self.assertIn("without --blocking", process.stderr())

    def test_more_threads_than_descriptors(self):
        """The soft limit of descriptors does not limit the threads whose state is told."""
        target, line = self.start_target("threads.py", 0, 100)
        self.assertEqual(line, "ready")
        process = self.start("sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh", harness.pyspyc(), "dump", "--json",
                             "--pid", target.pid)
        status, output = process.finish()
        self.assertEqual(status, 0, process.stderr())
        self.assertEqual({thread["os_thread_id"]: thread["active"] for thread in json.loads(output)},
                         dict.fromkeys(thread_ids(target.pid), False))


if __name__ == "__main__":
    harness.main()
