"""What `pyspyc dump` says of what threads wait for, compared with what the program itself knows of that.

    PYSPYC=build/pyspyc python3 test_waits.py [INTERPRETER]
"""
import json
import os
import re
import subprocess
import unittest

import harness

LONG = 10000


def can_unshare():
    return subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], stderr=subprocess.DEVNULL).returncode == 0


class TestWaits(harness.TestCase):

    def waits(self, pid):
        """{thread's name: what it waits for}"""
        return {thread["thread_name"]: thread["wait"] for thread in self.dump(pid)}

    def start_waits(self):
        target, line = self.start_target("waits.py", self.folder)
        return target, json.loads(line)

    def expected(self, facts):
        """{thread's name: the part of what is said of its wait that is known before}; owners are names."""
        lock = {"kind": "lock", "system_call": "futex", "owner": None}
        expected = {
            "sleep": {"kind": "sleep"},
            "lock": dict(lock, **facts["lock"]),
            "lock-with": dict(lock, **facts["lock"]),
            "rlock": dict(lock, owner="holder", **facts["rlock"]),
            "rlock-with": dict(lock, owner="holder", **facts["rlock"]),
            "condition": dict(lock, owner="holder", **facts["condition"]),
            "mutex": dict(lock, kind="futex", owner="holder", **facts["mutex"]),
            "pipe": {"action": "read", "system_call": "read"},
            "write": {"action": "write", "system_call": "write"},
            "accept": {"action": "accept"},
            "recv": {"action": "read", "remaining": None, "limit": None},
            "recv-timed": {"action": "read", "limit": LONG},
            "unix": {"action": "accept"},
            "select": {"action": "read", "epoll": None, "limit": LONG},
            "poll": {"action": "read", "limit": LONG},
            "epoll": {"action": "events", "limit": LONG},
            "open": {"action": "open"},
            "flock": {"action": "lock"},
            "child": {"kind": "child"},
        }
        for name in ("pipe", "write", "accept", "recv", "recv-timed", "unix", "select", "poll", "epoll", "open", "flock", "child"):
            expected[name].setdefault("kind", "io")
            expected[name].update(facts[name])
        if self.version >= (3,):
            expected.update({
                "lock-timed": dict(lock, **facts["lock"]),
                "join": {"kind": "thread", "owner": "joined"},
                "signal": {"kind": "syscall", "system_call": "rt_sigtimedwait"},
                "queue": dict(lock, target="_thread.lock"),
            })
        return expected

    def simplify(self, wait, names):
        """The same fields as expected() has: one file beside the rest, and the owner's name."""
        if not wait:
            return {}
        wait = dict(wait, owner=names.get(wait["owner"], wait["owner"]))
        if wait["files"]:
            wait["fds"] = sorted(file["fd"] for file in wait["files"])
        if len(wait["files"]) == 1:
            wait.update(fd=wait["files"][0]["fd"], target=wait["files"][0]["target"])
        return wait

    def mistakes(self, pid, expected):
        threads = self.dump(pid)
        names = {thread["thread_id"]: thread["thread_name"] for thread in threads}
        waits = {thread["thread_name"]: self.simplify(thread["wait"], names) for thread in threads}
        return {(name, field): (waits.get(name, {}).get(field, "nothing"), value)
                for name, fields in expected.items() for field, value in fields.items()
                if waits.get(name, {}).get(field, "nothing") != value}

    def test_each_wait_is_told(self):
        target, facts = self.start_waits()
        expected, found = self.expected(facts), []

        def is_right():
            found[:] = [self.mistakes(target.pid, expected)]
            return not found[0]

        try:
            harness.wait_until(is_right, "all waits are told", 20 * harness.SLOWNESS)
        except AssertionError:
            self.fail("found, but expected: %s" % found)
        self.assert_unharmed(target)

    def test_waits_beside_native_frames(self):
        """Although to stop the threads wakes them up."""
        target, facts = self.start_waits()
        threads = {thread["thread_name"]: thread for thread in self.dump(target.pid, "--native")}
        for name, wait in self.expected(facts).items():
            if name in ("sleep", "lock", "rlock", "pipe", "accept"):
                self.assertEqual(threads[name]["wait"]["kind"], wait.get("kind", "io"), name)
                self.assertTrue(any(frame["kind"] != "python" for frame in threads[name]["frames"]), name)
        names = {thread["thread_id"]: thread["thread_name"] for thread in self.dump(target.pid)}
        self.assertEqual(names[threads["rlock"]["wait"]["owner"]], "holder")
        self.assert_unharmed(target)

    def test_what_remains_of_a_time(self):
        """It is at most what was left when the program had begun to wait, and gets less with time."""
        target, _ = self.start_waits()
        names = ["lock-timed", "queue"] if self.version >= (3,) else []
        # Of a time that is no point in time, only such a kernel tells when it began.
        names += ["sleep", "poll", "select"] if os.path.exists("/proc/self/sched") else []

        def remaining():
            waits = self.waits(target.pid)
            times = [waits.get(name) and waits[name]["remaining"] for name in names]
            return None not in times and times

        first = harness.wait_until(remaining, "it is told what remains")
        second = harness.wait_until(remaining, "it is told what remains, again")
        for name, before, after in zip(names, first, second):
            self.assertTrue(LONG - harness.DEADLINE < after < before <= LONG, (name, before, after))

    def test_the_text(self):
        target, facts = self.start_waits()
        holder = next(thread["os_thread_id"] for thread in self.dump(target.pid) if thread["thread_name"] == "holder")
        wanted = [
            r'"sleep"\n    sleeps, \d+\.\d\d s remain\n',
            r'"rlock"\n    waits for the R?[lL]ock 0x[0-9a-f]+, held by thread %d "holder"\n' % holder,
            r'"recv"\n    reads from file %d: %s\n' % (facts["recv"]["fd"], re.escape(facts["recv"]["target"])),
            r'"accept"\n    accepts at file %d: %s\n' % (facts["accept"]["fd"], re.escape(facts["accept"]["target"])),
            r'"child"\n    waits for child %d: cat -\n' % facts["child"]["pid"],
            r'"flock"\n    waits for a lock of file %d: %s\n' % (facts["flock"]["fd"], re.escape(facts["flock"]["target"])),
            r'"open"\n    opens %s\n' % re.escape(facts["open"]["target"]),
        ]

        def has_all():
            text = self.run_pyspyc("dump", "--pid", target.pid).output
            return all(re.search(pattern, text) for pattern in wanted)

        harness.wait_until(has_all, "the text has it")

    def test_who_waits_for_the_interpreter_lock_knows_who_has_it(self):
        target, _ = self.start_target("threads.py", "3", "0")

        def find():
            threads = self.dump(target.pid)
            owners = {thread["thread_id"] for thread in threads if thread["owns_gil"]}
            waiting = [thread for thread in threads if thread["waits_for_gil"]]
            self.assertTrue(all(thread["wait"]["kind"] == "gil" for thread in waiting), threads)
            self.assertTrue({thread["wait"]["owner"] for thread in waiting} <= owners | {None}, threads)
            return any(thread["wait"]["owner"] in owners for thread in waiting if owners)

        if self.version >= (3, 7) and not self.is_free_threaded:
            harness.wait_until(find, "one waits for another")
        else:
            self.assertFalse(find(), "it is said who waits for the lock, which nothing tells")

    @unittest.skipUnless(can_unshare(), "a pid namespace of its own takes root")
    def test_a_child_has_the_number_that_we_see(self):
        """In another pid namespace, the program knows its child by another one."""
        outer = self.start("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", self.python,
                           harness.program("waits.py"), self.folder)
        facts = json.loads(outer.read_line())
        inner, = harness.children_of(outer.pid)
        child = harness.wait_until(lambda: self.waits(inner)["child"], "it is told what is waited for")
        self.assertNotEqual(child["pid"], facts["child"]["pid"])
        self.assertEqual(harness.command_line(child["pid"]), ["cat", "-"])
        self.assertEqual(child["target"], "cat -")

    def test_a_busy_thread_waits_for_nothing(self):
        target, _ = self.start_target("threads.py", "1", "1")
        for thread in self.dump(target.pid):
            if thread["active"]:
                self.assertIsNone(thread["wait"], thread)


if __name__ == "__main__":
    harness.main()
