"""Arguments and locals in `pyspyc dump -l`, against what the interpreter itself says of them.

    PYSPYC=build/pyspyc PYSPYC_BREAK_VALUES=build/tests/tools/break-values python3 test_locals.py [INTERPRETER] [TestLocals.test_name]
"""
import json
import os
import re
import sys
import time

import harness

#: Long enough for everything in values.py: 128 characters each.
ALL = "-" + "l" * 100
#: Seconds that reading the worst values may take.
LIMIT = 1.0 * harness.SLOWNESS
DUMPS = 30
#: Of these, so many may show the list with one item of before, as the thread that is at it was taken off its CPU (or
#: stopped) between the two: one of 200 dumps, in which `-n` shows it in list_ass_slice of Objects/listobject.c.
MIXED_LIMIT = 2
BREAKS = 40


def locals_of(thread):
    """{function: {variable: (is it an argument, text)}} of a thread of a dump."""
    return {frame["name"].rsplit(".", 1)[-1]: {each["name"]: (each["arg"], each["repr"]) for each in frame["locals"] or ()}
            for frame in thread["frames"]}


class TestLocals(harness.TestCase):

    def dump_locals(self, target, *options):
        outcome = self.run_pyspyc("dump", "--pid", target.pid, "--json", *(options or ("-l",)))
        self.assertEqual(outcome.status, 0, outcome)
        threads = json.loads(outcome.output)
        if not self.is_free_threaded:
            self.assertEqual(outcome.errors, "")
        return threads

    def test_values_are_what_the_interpreter_says(self):
        target, line = self.start_target("values.py")
        expected, threads = json.loads(line), self.dump_locals(target, ALL)
        found = locals_of(threads[0])
        self.assertGreater(len(expected), 14)
        for function, variables in expected.items():
            with self.subTest(function):
                found[function].pop("texts", None)
                self.assertEqual(found[function], {name: tuple(value) for name, value in variables.items()})
        steady = [each["unsteady"] for frame in threads[0]["frames"] for each in frame["locals"]]
        self.assertFalse(any(steady))
        self.assertEqual(target.finish()[0], 0, target.stderr())

    def test_a_text_is_as_long_as_is_asked_for(self):
        target, line = self.start_target("values.py")
        whole = json.loads(line)["numbers"]["thousand_digits"][1]
        for option, length in (("-l", 128), ("-ll", 256), ("-llll", 512)):
            text = locals_of(self.dump_locals(target, option)[0])["numbers"]["thousand_digits"][1]
            self.assertEqual(text, whole[:length - 3] + "...")
        self.assertIsNone(self.dump(target.pid)[0]["frames"][0]["locals"])

    def test_the_text_has_arguments_and_locals_under_their_frame(self):
        target, _ = self.start_target("values.py")
        outcome = self.run_pyspyc("dump", "--pid", target.pid, "--locals")
        self.assertEqual(outcome.status, 0, outcome)
        lines = outcome.output.splitlines()
        frame = next(index for index, line in enumerate(lines) if re.match(r"    (\S+\.)?inner \(.*values.py:\d+\)$", line))
        start = lines.index("        Arguments:", frame)
        self.assertEqual(lines[start:start + 3], ["        Arguments:", "            own: 'o'", "        Locals:"])
        self.assertIn("            local: ('captured', 5)", lines[start:start + 12])
        self.assertTrue(all(line.startswith("        ") for line in lines[frame + 1:start]), lines[frame:start])

    def test_hostile_values_are_inert_and_take_no_time(self):
        target, line = self.start_target("hostile_values.py")
        self.assertEqual(line, "ready")
        for option, length in (("-l", 128), (ALL, 12800)):
            began = time.monotonic()
            found = locals_of(self.dump_locals(target, option)[0])["hold"]
            self.assertLess(time.monotonic() - began, LIMIT, option)
            for name, (_, text) in found.items():
                self.assertLessEqual(len(text), length, name)
            self.check_hostile(found)
        target.child.stdin.write(b"go\n")
        target.child.stdin.flush()
        self.assertEqual(json.loads(target.read_line()), [])

    def check_hostile(self, found):
        text = {name: text for name, (_, text) in found.items()}
        self.assertRegex(text["trap"], r"^<__main__\.Trap object at 0x[0-9a-f]+>$")
        self.assertEqual(text["trap_dict"], "<__main__.TrapDict {'a': 1}>")
        self.assertTrue(text["numbers"].startswith("[0, 1, 2, 3") and text["numbers"].endswith("..."), text["numbers"])
        self.assertTrue(text["row"].startswith("(0, 1, 2, 3") and text["row"].endswith("..."))
        self.assertRegex(text["text"], r"^'x+\.\.\.$")
        self.assertRegex(text["big"], r"^<int of 10000001 bits>L?$")
        self.assertEqual(text["deep"], "[" * 32 + "..." + "]" * 32)
        self.assertEqual(text["emptied_mapping"], "{...}")
        self.assertIn(text["circle"], ("{'self': {...}, 'list': [{...}]}", "{'list': [{...}], 'self': {...}}"))
        self.assertRegex(text["loner"], r"^<__main__\.Loner self=<__main__\.Loner object at 0x[0-9a-f]+>>$")
        self.assertRegex(text["full"], r"^<__main__\.Full a\d+=\d+, .*\.\.\.$")
        self.assertRegex(text["not_a_list"], r"^<__main__\.list object at 0x[0-9a-f]+>$")

    def test_nothing_of_a_value_reaches_the_terminal(self):
        target, _ = self.start_target("hostile_values.py")
        outcome = self.run_pyspyc("dump", "--pid", target.pid, "-l")
        self.assertIn("\\x1b[31m", outcome.output)
        self.assertNotIn("\x1b", outcome.output)

    def test_broken_memory_is_read_to_an_end(self):
        """The values of a real interpreter, with words of them wrong; see tests/tools/break-values.c."""
        target, _ = self.start_target("values.py")
        breaker = self.start(os.environ["PYSPYC_BREAK_VALUES"], target.pid, BREAKS, 2000)
        status, output = breaker.finish()
        self.assertEqual(status, 0, output + breaker.stderr())
        self.assert_unharmed(target)

    def test_all_values_are_of_one_moment(self):
        """Those of one thread without a GIL; of all threads with one that tells who has it."""
        self.check_one_moment()

    def test_all_values_are_of_one_moment_with_c_frames(self):
        self.check_one_moment("-n")

    def check_one_moment(self, *options):
        target, _ = self.start_target("linked_values.py")
        unsteady = compared = mixed = 0
        for _ in range(DUMPS):
            threads = self.dump_locals(target, "-l", *options)
            self.assertEqual(len(threads), 2, threads)  # also who fell asleep while it was tried again
            if any(each["unsteady"] for thread in threads for frame in thread["frames"] for each in frame["locals"] or ()):
                unsteady += 1
                continue
            of_threads = [locals_of(thread) for thread in threads]
            for found in of_threads:
                compared += self.check_step(found)
            mixed += self.is_shared_mixed(of_threads)
        print("%d of %d dumps unsteady, %d with a list of two moments" % (unsteady, DUMPS, mixed), file=sys.stderr)
        self.assertLessEqual(mixed, MIXED_LIMIT)
        self.assertLess(unsteady, DUMPS / 2)
        self.assertGreater(compared, 0)
        self.assert_unharmed(target)

    def check_step(self, found):
        """Whether the thread was in step()."""
        if "step" not in found:
            return False
        step, number = found["step"], found["count"]["number"]
        self.assertEqual(step["first"], step["second"])
        self.assertEqual(step["first"][1], number[1])
        self.assertEqual(found["count"]["both"][1], "(%s, '%s')" % (number[1], number[1].rstrip("L")))
        return True

    def is_shared_mixed(self, of_threads):
        """With a GIL, the list changes at once; to 3.6 who has it is not known for sure, and without one nobody has it."""
        if self.is_free_threaded or self.version < (3, 7):
            return False
        lists = {found["count"]["shared"][1] for found in of_threads if "count" in found}
        self.assertEqual(len(lists), 1, lists)
        first, second = re.fullmatch(r"\[(\d+), '(\d+)'\]", lists.pop()).groups()
        return first != second


if __name__ == "__main__":
    harness.main()
