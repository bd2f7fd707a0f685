"""The binary is built so that a mistake in it is hard to use for whoever is watched.

    PYSPYC=build/pyspyc python3 test_hardening.py
"""
import platform
import re
import subprocess

import harness


def readelf(*options):
    command = ["readelf", "--wide", *options, harness.pyspyc()]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=harness.DEADLINE).stdout.decode()


class TestHardening(harness.TestCase):

    def test_it_is_loaded_at_an_address_that_nobody_knows(self):
        self.assertRegex(readelf("--file-header"), r"Type:\s+DYN \(Position-Independent Executable file\)")

    def test_what_the_linker_fills_in_is_read_only(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"FLAGS_1\).*\bNOW\b")

    def test_no_memory_is_both_written_and_executed(self):
        headers = readelf("--program-headers")
        self.assertRegex(headers, r"GNU_STACK\s.* RW\s")
        self.assertNotIn(" RWE ", headers)

    def test_stacks_and_buffers_are_guarded(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        guarded = set(re.findall(r"__(\w+)_chk@", symbols))
        self.assertGreaterEqual(len(guarded), 3, guarded)

    def test_functions_are_marked_as_places_to_jump_to(self):
        """The mark of the whole file takes a C library with marks, which Debian's is not."""
        mark = {"x86_64": "endbr64", "aarch64": "bti"}[platform.machine()]
        command = ["objdump", "--disassemble", "--no-show-raw-insn", harness.pyspyc()]
        code = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=harness.DEADLINE).stdout.decode()
        self.assertGreater(code.count(mark), 500)

    def test_no_library_is_looked_for_where_others_can_write(self):
        self.assertNotRegex(readelf("--dynamic"), r"\((RPATH|RUNPATH)\)")


if __name__ == "__main__":
    harness.main()
