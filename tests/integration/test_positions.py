"""Positions, source lines and names of methods in `pyspyc dump`, against what the interpreter says of itself.

    PYSPYC=build/pyspyc python3 test_positions.py [INTERPRETER] [TestPositions.test_name]
"""
import json
import os
import re
import shutil
import time
import zipfile

import harness

FIRST_WITH_POSITIONS = (3, 11)
CLOCK_REALTIME_COARSE = 5  # Linux include/uapi/linux/time.h; Python has no name for it
INDENT = " " * 8
FRAME = re.compile(r"    (?! )(.*?)(?: \((.*):(-?\d+)\))?")
# What a traceback shows otherwise, or as it is: tabs, wide letters, terminal escapes, long lines.
OWN = {
    "wide": ['text = u"名前é"; return text + u"字" + comprehend() + text', " " * 39 + "^" * 12],
    "with_tabs": ["return    (1,    wide(),    2)", " " * 17 + "^" * 6],
    "hostile": ['return "\\x1b[31m" + with_tabs() + "\\u{202e}"', " " * 20 + "^" * 11],
    "long_line": ["…" + "x" * 57 + '", hostile(), 1]', " " * 61 + "^" * 9],
}
HOLD = """
import sys
def hold():
    print("ready"); sys.stdin.read()
hold()
"""


def frames_of_text(output):
    """(name, place, line, shown lines) of each frame of a dump of one thread."""
    frames = []
    for line in output.split("\n\n", 1)[1].splitlines()[1:]:
        if line.startswith(INDENT):
            frames[-1][3].append(line[len(INDENT):])
        else:
            name, place, number = FRAME.fullmatch(line).groups()
            frames.append((name, place, number and int(number), []))
    return frames


def columns(text):
    """The cells of a terminal that a text takes, as far as this file goes."""
    return sum(2 if ord(character) > 0x2e80 else 1 for character in text)


def marks(shown):
    return shown[1].replace("~", "^") if len(shown) > 1 else None


class TestPositions(harness.TestCase):
    def dump_text(self, pid):
        outcome = self.run_pyspyc("dump", "--pid", pid)
        self.assertEqual(outcome.status, 0, outcome)
        return frames_of_text(outcome.output)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def hold(self, *arguments, **options):
        target = self.start(self.python, *arguments, **options)
        self.assertEqual(target.read_line(), "ready")
        self.wait_for_file_times()
        return target

    @staticmethod
    def wait_for_file_times():
        """
        The times of files are those of the last timer tick, which on a virtual machine can be long ago: a file that is
        changed now must not seem to have been changed before the program began. (Once it did; this is the likely cause.)
        """
        now = time.time()
        harness.wait_until(lambda: time.clock_gettime(CLOCK_REALTIME_COARSE) > now, "the times of files go on")

    def shown(self, target):
        """The source lines of a dump, innermost first; () for a frame without."""
        return [tuple(shown) for *_, shown in self.dump_text(target.pid)]

    def expected_shown(self, frame):
        """What is to be shown under a frame of positions.py."""
        shown, name = frame["shown"], frame["name"]
        with_columns = self.version >= FIRST_WITH_POSITIONS
        if name in OWN:
            line, underline = OWN[name]
            return [line, underline] if with_columns else [OWN[name][0]] if name != "long_line" else None
        if len(shown) > 2:
            return [shown[0], marks(shown)]
        return [shown[0], marks(shown)] if marks(shown) else shown

    def test_every_frame_is_shown_as_the_interpreter_shows_it(self):
        target, line = self.start_target("positions.py")
        expected = json.loads(line)["frames"][1:]
        text, dumped = self.dump_text(target.pid), self.dump(target.pid)[0]["frames"]
        text, dumped = text[-len(expected):], dumped[-len(expected):]
        for frame, shown, json_frame in zip(expected, text, dumped):
            with self.subTest(frame["name"]):
                end_line, column, end_column = frame["position"] or (None, None, None)
                self.assertEqual((json_frame["line"], json_frame["end_line"]), (frame["line"], end_line))
                self.assertEqual((json_frame["column"], json_frame["end_column"]), (column, end_column))
                self.assertEqual((shown[0], shown[2]), (json_frame["name"], json_frame["line"]))
                self.check_shown(frame, shown[3])
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def check_shown(self, frame, shown):
        expected = self.expected_shown(frame)
        if expected is None:
            self.assertLessEqual(columns(shown[0]), 200)
            return
        # From 3.13 on, a traceback marks whole lines here and leaves out marks there: what is evaluated is the same.
        if self.version >= (3, 13) and frame["name"] not in OWN and frame["shown"]:
            self.assertEqual(shown[0], expected[0])
            if len(frame["shown"]) == 2 and marks(frame["shown"]).strip() != shown[0] and len(shown) == 2:
                self.assertEqual(shown[1], marks(frame["shown"]))
            return
        self.assertEqual(shown, expected)

    def test_names_of_methods_have_their_classes(self):
        """On every version: from co_qualname, or by way of self and cls."""
        target, line = self.start_target("positions.py")
        expected = [frame["name"] for frame in json.loads(line)["frames"][1:]]
        if self.version < (3,):
            # Classes do not know what they are defined in, and methods not their names.
            expected = [re.sub(r"^Outer\.", "", name) for name in expected]
        names = [name for name, *_ in self.dump_text(target.pid)]
        self.assertEqual(names[-len(expected):], expected)

    def test_a_file_that_was_changed_is_not_shown(self):
        path = self.write("changed.py", HOLD)
        target = self.hold(path)
        self.assertEqual([bool(shown) for shown in self.shown(target)[-2:]], [True, True])
        with open(path, "a", encoding="utf-8") as file:
            file.write("# more\n")
        self.assertEqual(self.shown(target)[-2:], [(), ()])

    def test_a_file_that_was_replaced_by_an_older_one_is_not_shown(self):
        path = self.write("replaced.py", HOLD)
        target = self.hold(path)
        other = self.write("other.py", "# another\n" + HOLD)
        os.utime(other, (1, 1))
        os.rename(other, path)
        self.assertEqual(self.shown(target)[-2:], [(), ()])

    def test_a_forked_process_shows_what_its_program_was_read_from(self):
        """The child is younger than the change of the file, but not the code that it runs."""
        path = self.write("forking.py", "import os, sys\n"
                          "print('ready'); sys.stdout.flush(); sys.stdin.readline()\n"
                          "reader, writer = os.pipe()\n"
                          "child = os.fork()\n"
                          "if child:\n"
                          "    print(child); sys.stdout.flush(); sys.stdin.read(); os.close(writer)\n"
                          "else:\n"
                          "    os.close(writer); os.read(reader, 1)\n")
        target = self.hold("-u", path)
        self.assertTrue(self.shown(target)[-1])
        with open(path, "a", encoding="utf-8") as file:
            file.write("# more\n")
        changed = os.stat(path).st_ctime
        harness.wait_until(lambda: harness.time.time() > changed + 0.1, "the clock has moved on")
        target.child.stdin.write(b"go\n")
        target.child.stdin.flush()
        child = int(target.read_line())
        frames = harness.wait_until(lambda: self.dump_text(child), "the child has frames")
        self.assertEqual(frames[-1][3], [])
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_a_relative_path_is_looked_for_where_the_process_is(self):
        os.mkdir(self.path("work"))
        self.write("work/program.py", HOLD)
        target = self.hold("program.py", cwd=self.path("work"))
        self.assertTrue(all(self.shown(target)[-2:]))
        os.rename(self.path("work"), self.path("moved"))
        self.assertTrue(all(self.shown(target)[-2:]) or self.version >= (3, 9))

    def test_what_is_in_no_file_is_not_shown(self):
        with zipfile.ZipFile(self.path("program.zip"), "w") as archive:
            archive.writestr("__main__.py", HOLD)
        for arguments in (["-c", HOLD], [self.path("program.zip")]):
            with self.subTest(arguments):
                self.assertEqual(self.shown(self.hold("-u", *arguments))[:2], [(), ()])

    def test_code_with_the_name_of_another_file_is_not_shown(self):
        """Its functions do not begin where that file defines them."""
        other = self.write("other.py", "x = 1\n" * 10)
        path = self.write("named.py", "exec(compile(%r, %r, 'exec'))\n" % (HOLD, other))
        shown = self.shown(self.hold("-u", path))
        self.assertEqual(shown[-3], ())
        self.assertTrue(shown[-1])

    def test_a_fifo_in_place_of_the_source_does_not_block(self):
        path = self.write("program.py", HOLD)
        target = self.hold(path)
        os.unlink(path)
        os.mkfifo(path)
        self.assertEqual(self.shown(target)[-2:], [(), ()])

    def test_a_copy_of_the_program_elsewhere_is_not_taken_for_it(self):
        shutil.copy(harness.program("positions.py"), self.path("positions.py"))
        target = self.start(self.python, self.path("positions.py"))
        target.read_line()
        os.unlink(self.path("positions.py"))
        self.assertFalse(any(self.shown(target)[-3:]))


if __name__ == "__main__":
    harness.main()
