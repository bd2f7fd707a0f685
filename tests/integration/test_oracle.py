"""Every frame of every thread, as the interpreter itself sees it, must be what `pyspyc dump --json` prints.

    PYSPYC=build/pyspyc python3 test_oracle.py [INTERPRETER] [TestOracle.test_calls]
"""
import json
import os

import harness

#: The oracle programs, and the version from which on their syntax is known.
TARGETS = {
    "assignment_expressions.py": (3, 8),
    "blocks.py": (2, 7),
    "blocks_of_python3.py": (3,),
    "callbacks.py": (2, 7),
    "calls.py": (2, 7),
    "comprehensions.py": (2, 7),
    "coroutines.py": (3, 6),
    "dataclass_methods.py": (3, 7),
    "definitions.py": (3, 6),
    "delegation.py": (3,),
    "dynamic_code.py": (2, 7),
    "except_star.py": (3, 11),
    "f_strings.py": (3, 6),
    "generators.py": (2, 7),
    "import_search.py": (2, 7),
    "imports.py": (3,),
    "long_function.py": (2, 7),
    "many_threads.py": (2, 7),
    "match_statement.py": (3, 10),
    "names.py": (2, 7),
    "python2.py": (2, 7),
    "python314.py": (3, 14),
    "python315.py": (3, 15),
    "recursion.py": (2, 7),
    "signatures.py": (3,),
    "small.py": (2, 7),
    "subinterpreters.py": (3, 8),
    "type_parameters.py": (3, 12),
    "warm_code.py": (3,),
}
#: Those whose syntax is gone again, and since when.
GONE = {"python2.py": (3,)}
#: The piece of a line that is not known, and one of which the oracle cannot say it.
UNKNOWN = [None, None, None]
OTHER = "other"
#: Where a collection of garbage began, as a frame of the dump.
MARK = ("", "<GC>")
WIDTH = 66
CONTEXT = 3


def frame_text(frame):
    """A frame as one line for a message; control characters and the like are shown as escapes."""
    if frame is None:
        return "-"
    filename, name, line, piece = frame
    place = "%s %s" % (line, piece) if piece != UNKNOWN else line
    return ascii("%s (%s:%s)" % (shorten(name, 44), shorten(filename, 34, tail=True), place))[1:-1]


def shorten(text, width, tail=False):
    if len(text) <= width:
        return text
    return "..." + text[3 - width:] if tail else text[:width - 3] + "..."


def side_by_side(expected, found):
    """Both stacks beside each other, innermost first; equal frames far from a difference are left out."""
    rows = []
    count = max(len(expected), len(found))
    pairs = [(expected[i] if i < len(expected) else None, found[i] if i < len(found) else None) for i in range(count)]
    different = [i for i, (left, right) in enumerate(pairs) if left != right]
    shown = {near for i in different[:20] for near in range(i - CONTEXT, i + CONTEXT + 1)}
    previous = -1
    for i, (left, right) in enumerate(pairs):
        if i in shown:
            if i != previous + 1:
                rows.append("      ...")
            rows.append("%s %4d %-*s %s" % ("!" if left != right else " ", i, WIDTH, frame_text(left), frame_text(right)))
            previous = i
    return "\n".join(rows)


def dumped_stack(thread):
    """The frames of a thread of the dump, in the oracle's form. Marks are none; test_collecting.py is about them."""
    return [[frame["filename"], frame["name"], frame["line"],
             [frame["end_line"], frame["column"], frame["end_column"]]]
            for frame in thread["frames"] if (frame["filename"], frame["name"]) != MARK]


def expected_stack(thread):
    """The oracle's frames; a position without a line is line 0 in the dump."""
    return [[filename, method or name, line or 0, piece or UNKNOWN]
            for filename, name, line, method, piece in thread["frames"]]


def differences(oracle, dump):
    """What the dump says otherwise than the oracle, as a list of texts."""
    found = {(thread["thread_id"], thread["interpreter"]): thread for thread in dump}
    expected = {(thread["ident"], thread.get("interpreter", 0)): thread for thread in oracle["threads"]}
    texts = []
    for key in sorted(set(found) - set(expected) - {(oracle["reporter"], 0)}):
        texts.append("thread %#x (%s) does not exist in interpreter %d" % (key[0], found[key]["thread_name"], key[1]))
    for key, thread in expected.items():
        if key not in found:
            texts.append("thread %#x (%s) is missing in interpreter %d" % (key[0], thread["name"], key[1]))
        else:
            texts.extend(thread_differences(thread, found[key], oracle["pid"]))
    return texts + order_differences(dump)


def order_differences(dump):
    """A thread that is known to several interpreters stands in the newest one first."""
    interpreters = {}
    for thread in dump:
        interpreters.setdefault(thread["thread_id"], []).append(thread["interpreter"])
    return ["thread %#x: interpreters in the order %s" % (ident, numbers)
            for ident, numbers in interpreters.items() if numbers != sorted(numbers, reverse=True)]


def thread_differences(expected, found, pid):
    title = "thread %s" % ascii(shorten(expected["name"] or "(unnamed)", 60))
    if found["pid"] != pid:
        yield "%s: pid %s, not %s" % (title, found["pid"], pid)
    if (found["thread_name"] or None) != expected["name"]:
        yield "%s: name %s" % (title, ascii(found["thread_name"]))
    if found["os_thread_id"] != expected["native_id"]:
        yield "%s: native id %s, not %s" % (title, found["os_thread_id"], expected["native_id"])
    for state in ("active", "owns_gil"):
        if found[state]:
            yield "%s: %s, but it is at rest" % (title, state)
    left, right = expected_stack(expected), dumped_stack(found)
    for frame, same in zip(left, right):
        frame[3] = same[3] if frame[3] == OTHER else frame[3]
    if left != right:
        yield "%s:\n       %-*s %s\n%s" % (title, WIDTH, "EXPECTED", "FOUND", side_by_side(left, right))


class TestOracle(harness.TestCase):
    """One test for each program."""

    def compare(self, name):
        if not TARGETS[name] <= self.version < GONE.get(name, (4,)):
            self.skipTest("Python %d.%d does not know the syntax of %s" % (self.version[:2] + (name,)))
        target, line = self.start_target(name)
        oracle = json.loads(line)
        self.assertGreater(len(oracle["threads"]), 0)
        for attempt in ("first", "second"):
            texts = differences(oracle, self.dump(target.pid))
            if texts:
                self.fail("%s dump of %s, %d of %d threads differ:\n%s" % (
                    attempt, name, len(texts), len(oracle["threads"]), "\n".join(texts)))
        self.assert_unharmed(target)
        status, _ = target.finish()
        self.assertEqual(status, 0, target.stderr())

    def test_every_program_is_listed(self):
        """A new oracle program cannot be forgotten here."""
        programs = set()
        for name in os.listdir(harness.PROGRAMS):
            if name.endswith(".py"):
                with open(harness.program(name), encoding="utf-8") as source:
                    if "oracle.main(" in source.read():
                        programs.add(name)
        self.assertLessEqual(programs - {"oracle.py", "deep.py"}, set(TARGETS))


def add_test(name):
    def test(self):
        self.compare(name)

    test.__doc__ = "The stacks of tests/programs/%s." % name
    setattr(TestOracle, "test_" + name[:-len(".py")], test)


for each in TARGETS:
    add_test(each)


if __name__ == "__main__":
    harness.main()
