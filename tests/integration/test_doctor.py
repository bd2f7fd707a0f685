"""What `pyspyc doctor` says of this machine, of a process, and of what it recorded itself.

    PYSPYC=build/pyspyc python3 test_doctor.py [INTERPRETER] [TestClass.test_name]
"""
import errno
import os
import re

import harness
import test_where

SHORT = ("-d", "1")


class TestDoctor(test_where.WhereCase):

    def doctor(self, *arguments, **options):
        """Its lines as (mark, sentence) by subject, and its status."""
        process = self.start_pyspyc("doctor", *arguments, **options)
        status, output = process.finish()
        lines = {}
        for line in output.splitlines():
            mark, subject, sentence = re.fullmatch(r"(ok|--|NO)  (.{18}) (.*)", line).groups()
            lines[subject.strip()] = (mark, sentence)
        self.assertEqual(process.stderr(), "")
        return lines, status

    def environment_with(self, python):
        """PATH begins with a folder in which python3 is this one."""
        folder = self.path("bin")
        os.mkdir(folder)
        with open(os.path.join(folder, "python3"), "w") as file:
            file.write('#!/bin/sh\nexec "%s" "$@"\n' % python)
        os.chmod(file.name, 0o755)
        return self.environment(PATH=folder + os.pathsep + os.environ["PATH"])

    def test_self_test(self):
        if self.version < (3,):
            self.skipTest("the self-test is in Python 3")
        lines, status = self.doctor("-d", "2", env=self.environment_with(self.python))
        mark, sentence = lines["self-test"]
        self.assertEqual(mark, "ok", sentence)
        samples = int(re.match(r"0 impossible stacks in (\d+) samples", sentence).group(1))
        self.assertGreater(samples, 200, sentence)
        self.assertIn("Python %d.%d" % self.version[:2], lines["self-test with"][1])
        self.assertEqual(lines["native unwinding"][0], "ok", lines)
        self.assertIn("not stopped", lines["reading mode"][1])
        self.assertEqual(status, 0, lines)

    def test_process(self):
        target, line = self.start_target("threads.py", 1, 4)
        self.assertEqual(line, "ready")
        lines, status = self.doctor("-d", "0", "--pid", target.pid)
        self.assertIn("Python %d.%d" % self.version[:2], lines["process %d" % target.pid][1])
        self.assertEqual(lines["its threads"][0], "ok")
        self.assertNotIn("self-test", lines)
        self.assertEqual(status, 0, lines)
        self.assert_unharmed(target)

    def test_process_that_cannot_be_read(self):
        lines, status = self.doctor("-d", "0", "--pid", 2 ** 22)
        self.assertEqual(lines["process %d" % 2 ** 22], ("NO", "there is no process %d" % 2 ** 22))
        self.assertEqual(status, 1)
        self.need_root()
        self.open_folder()
        target, line = self.start_target("threads.py", 1, 4)
        lines, status = self.doctor("-d", "0", "--pid", target.pid, user=test_where.NOBODY)
        self.assertIn("belongs to root and we are user %d" % test_where.NOBODY, lines["process %d" % target.pid][1])
        self.assertIn("without CAP_SYS_PTRACE", lines["user"][1])
        self.assertEqual(status, 1)

    def test_no_python(self):
        lines, status = self.doctor(*SHORT, env=self.environment(PATH="/nowhere"))
        self.assertEqual(lines["self-test"], ("NO", "not done, as there is no python3 on PATH to test with"))
        self.assertEqual(status, 1)

    def test_python_that_is_none(self):
        """What ends at once is told, and not waited for."""
        lines, status = self.doctor(*SHORT, env=self.environment_with("/bin/false"))
        self.assertEqual(lines["self-test"][0], "NO")
        self.assertEqual(status, 1)

    def test_seccomp(self):
        """It says what is refused, and how it reads all the same."""
        lines, status = self.doctor(*SHORT, env=self.environment_with("/usr/bin/python3"),
                                    preexec_fn=lambda: test_where.refuse(test_where.PROCESS_VM_READV, errno.EPERM))
        self.assertIn("a seccomp filter", lines["process_vm_readv"][1])
        self.assertIn("piece by piece", lines["reading mode"][1])
        self.assertEqual((lines["self-test"][0], status), ("ok", 0), lines)
        lines, _ = self.doctor("-d", "0", preexec_fn=lambda: test_where.refuse(test_where.PTRACE, errno.EPERM))
        self.assertIn("--native do not work", lines["ptrace"][1])
        lines, _ = self.doctor("-d", "0", preexec_fn=lambda: test_where.refuse(test_where.PERF_EVENT_OPEN, errno.EPERM))
        self.assertEqual(lines["perf events"], ("--", "are refused: 'record --native' stops each thread that it samples"))
        if harness.may_have_registers():
            lines, _ = self.doctor("-d", "0")
            self.assertEqual(lines["perf events"][0], "ok")

    def test_one_cpu(self):
        """Where pyspyc may not go, it says so."""
        if os.cpu_count() < 2:
            self.skipTest("there is one CPU only")
        target, line = self.start_target("threads.py", 1, 4)
        lines, _ = self.doctor("-d", "0", "--pid", target.pid, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
        self.assertIn("1 of %d CPUs" % os.cpu_count(), lines["pinning"][1])
        self.assertIn("where pyspyc may not: record it with --blocking", lines["its CPUs"][1])

    def test_usage(self):
        for arguments in (("1234",), ("--pid", "x"), ("-d", "-1"), ("-d", "601")):
            outcome = self.run_pyspyc("doctor", *arguments)
            self.assertEqual((outcome.status, outcome.output), (2, ""), outcome)


if __name__ == "__main__":
    harness.main()
