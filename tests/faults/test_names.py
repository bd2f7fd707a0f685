"""Names that try to get out of wherever they are written: every format, the terminal, and a browser.

    PYSPYC=build/pyspyc PYTHONPATH=tests/integration python3 -B tests/faults/test_names.py

The names are those of tests/programs/hostile_names.py, of functions, files and threads; script and arguments of the
program have others. What a format writes is read back by a strict reader of that format, and has to give the names
again, as far as the format can. The spelling of what cannot be seen is told by include/base/escape.h, and said again here.
"""
import base64
import fcntl
import gzip
import hashlib
import html.parser
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unittest
import xml.etree.ElementTree as ElementTree

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, harness.PROGRAMS)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "browser"))

from hostile_names import NAMES

LONGEST = 8192  # characters of a name that are kept; behind them stands an ellipsis
SCRIPT = b"run \x1b]0;owned\x07<b onload=alert(5)>;\n\xff 12.py"
ARGUMENTS = (b"\x1b[31m;\n", b"<script>alert(6)</script>", b"\xff\xfe", b"\xed\xb2\x80", b"")
UNSEEN = "\u061c\u200b\u2028\u2029\u202e\u2066\ufeff\U000e0041\ufffe\uffff"  # of those that are used here
FORMATS = {"flamegraph": "svg", "html": "html", "raw": "txt", "tree": "tree", "speedscope": "speedscope.json",
           "chrometrace": "trace.json", "firefox": "firefox.json", "json": "jsonl", "pprof": "pb.gz", "pyspyc": "pyspyc"}
ENDINGS = tuple(FORMATS.values())
#: Not one byte of these may reach a terminal: they are what the names try.
ATTACKS = ("\x1b[31mred", "red\x1b[", "\x1b]0;", "\x07", "\x9b", "\x85", "\x90", "\x9c", "\x7f", "\0", "\u202e", "\u2066",
           "\u061c", "\u200b", "\ufeff", "\U000e0041", "\u2028")


def kept(name):
    return name if len(name) <= LONGEST else name[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def spelled(name):
    """Lone surrogates in plain letters, as in all formats, since UTF-8 does not have them."""
    return "".join("\\u%04x" % ord(c) if 0xd800 <= ord(c) <= 0xdfff else c for c in kept(name))


def visible(name):
    """As text for eyes shows it."""
    def show(c):
        if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0:
            return "\\x%02x" % ord(c)
        return "\\u{%x}" % ord(c) if c in UNSEEN else c
    return "".join(map(show, spelled(name)))


def collapsed(label):
    """As raw has it, but for its ends."""
    def show(c):
        if c in "\u2028\u2029" or ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0:
            return " "
        return ":" if c == ";" else "\\u{%x}" % ord(c) if c in UNSEEN else c
    return "".join(map(show, "".join("\\u%04x" % ord(c) if 0xd800 <= ord(c) <= 0xdfff else c for c in label)))


def fields(message):
    """(number, value) of each field of a protobuf message."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            length = number()
            yield key >> 3, message[at:at + length]
            at += length
        else:
            raise AssertionError("a field of type %d" % (key & 7))


class Page(html.parser.HTMLParser):
    """What a parser of HTML finds: elements, their attributes, and texts of elements with data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.strings, self.inside, self.title = [], set(), "", None, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes.update(name for name, _ in attributes)
        self.inside = (tag, dict(attributes).get("data-pyspyc"))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.inside = None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == ("metadata", "strings"):
            self.strings += data


class NamesCase(harness.TestCase):

    recorded = None  # once for all tests: {ending: bytes}, and what was said

    def setUp(self):
        super().setUp()
        self.script = os.path.join(os.fsencode(self.folder), SCRIPT)
        with open(harness.program("hostile_names.py"), "rb") as source, open(self.script, "wb") as file:
            file.write(source.read())

    def start_hostile(self):
        """Not as text, as neither the words nor the script's name are."""
        target = harness.Process([self.python, self.script, *ARGUMENTS], self.folder, env=self.environment())
        self.addCleanup(target.end)
        self.assertEqual(target.read_line(), "ready")
        return target

    def files(self):
        """One recording of the program in every format."""
        if NamesCase.recorded:
            return NamesCase.recorded
        target = self.start_hostile()
        outputs = [word for ending in ENDINGS for word in ("-o", self.path("a." + ending))]
        outcome = self.run_pyspyc("record", "-i", "-t", "-s", "--command-lines", "--full-filenames", "-r", "20", "-d", "1",
                                  "--min-percent", "0", "-p", target.pid, *outputs)
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_harmless(outcome.errors.encode())
        target.finish()
        NamesCase.recorded = {}
        for ending in ENDINGS:
            with open(self.path("a." + ending), "rb") as file:
                NamesCase.recorded[ending] = file.read()
        return NamesCase.recorded

    def assert_harmless(self, written):
        text = written.decode("utf-8")  # strictly
        for attack in ATTACKS:
            self.assertNotIn(attack, text)


class TestFormats(NamesCase):
    """Every format gives the names back."""

    def text(self, ending):
        return self.files()[ending].decode("utf-8")

    def assert_all(self, found, expected, what):
        """All names are there, and nothing else that looks like one of ours."""
        missing = [name for name in expected if name not in found]
        self.assertEqual([name[:80] for name in missing], [], what)

    def command(self):
        """The process's command line as JSON says it."""
        shown = os.fsdecode(b" ".join([os.fsencode(self.python), self.script, *ARGUMENTS]))
        return re.sub("[\udc80-\udcff]", lambda match: "\\x%02x" % (ord(match.group()) - 0xdc00), shown)

    def test_every_format_is_tried(self):
        listed = self.run_pyspyc("help", "record").output
        formats = re.search(r"^Formats: (.*?)\n(?! )", listed, re.S | re.M).group(1).replace(",", " ").split()
        self.assertEqual(sorted(formats), sorted(FORMATS))

    def test_json(self):
        lines = [json.loads(line) for line in self.text("jsonl").splitlines()]
        by_type = {}
        for line in lines:
            by_type.setdefault(line["type"], []).append(line)
        expected = [spelled(name) for name in NAMES.values()]
        self.assert_all({frame["name"] for frame in by_type["frame"]}, expected, "functions")
        self.assert_all({frame["file"] for frame in by_type["frame"]}, expected, "files")
        self.assert_all({thread["name"] for thread in by_type["thread"]}, expected, "threads")
        self.assertTrue(by_type["process"][0]["command_line"].startswith(self.python + " "))
        self.assertIn("\x1b]0;owned\x07<b onload=alert(5)>;\n\\xff 12.py \x1b[31m;\n <script>alert(6)</script> \\xff\\xfe",
                      by_type["process"][0]["command_line"])
        self.assertEqual(len(by_type["thread"]), len(NAMES) + 1)

    def test_speedscope(self):
        profile = json.loads(self.text("speedscope.json"))
        expected = [spelled(name) for name in NAMES.values()]
        self.assert_all({frame["name"] for frame in profile["shared"]["frames"]}, expected, "functions")
        self.assert_all({frame.get("file") for frame in profile["shared"]["frames"]}, expected, "files")
        threads = {re.sub(r"^thread \(\d+\): ", "", each["name"], flags=re.S) for each in profile["profiles"]}
        self.assert_all(threads, expected, "threads")
        self.assertEqual(len(profile["profiles"]), len(NAMES) + 2)

    def test_chrometrace(self):
        events = json.loads(self.text("trace.json"))
        expected = [spelled(name) for name in NAMES.values()]
        self.assert_all({event["args"]["name"] for event in events if event["name"] == "thread_name"}, expected, "threads")
        labels = {re.sub(r":\d+\)$", "", event["name"]) for event in events if event["ph"] == "B"}
        self.assert_all(labels, ["%s (%s" % (name, name) for name in expected], "functions")

    def test_firefox(self):
        profile = json.loads(self.text("firefox.json"))
        expected = [spelled(name) for name in NAMES.values()]
        self.assert_all({thread["name"] for thread in profile["threads"]}, expected, "threads")
        self.assert_all(set(profile["shared"]["stringArray"]), expected, "functions and files")

    def test_pprof(self):
        strings = [value.decode("utf-8") for number, value in fields(gzip.decompress(self.files()["pb.gz"])) if number == 6]
        self.assert_all(set(strings), map(visible, NAMES.values()), "functions, files and threads")
        for string in strings:
            self.assert_harmless(string.encode())

    def test_raw(self):
        """No stack is forged: as many threads as there are, each with its own function."""
        stacks = harness.Stacks(self.text("txt"))
        self.assertEqual(len(stacks.counts), len(NAMES) + 1)
        for name in NAMES.values():
            frame = collapsed("%s (%s:3)" % (kept(name), kept(name))).strip(" ")
            frame = "_" + frame if frame.startswith("#") else frame
            self.assertGreater(stacks.total(lambda stack: frame in stack), 0, name[:80])
        self.assert_harmless(self.files()["txt"])

    def test_tree(self):
        text = self.text("tree")
        for name in NAMES.values():
            self.assertIn("\u2500 " + visible(name), text)
        self.assert_harmless(self.files()["tree"])

    def assert_strings(self, strings):
        self.assert_all(set(strings), map(visible, NAMES.values()), "functions and files")
        threads = {re.sub(r"^thread \(\d+\): ", "", string) for string in strings}
        self.assert_all(threads, map(visible, NAMES.values()), "threads")

    def test_svg(self):
        """A strict parser finds the elements that there always are, one script, and no attribute that is code."""
        root = ElementTree.fromstring(self.files()["svg"])
        name_of = lambda element: element.tag.split("}")[-1]
        self.assertEqual({name_of(each) for each in root.iter()},
                         {"svg", "title", "desc", "style", "rect", "g", "text", "metadata", "script"})
        self.assertEqual(sum(name_of(each) == "script" for each in root.iter()), 1)
        attributes = {name for each in root.iter() for name in each.attrib}
        self.assertEqual([name for name in attributes if name.startswith("on") or "href" in name], [])
        self.assert_strings([string for each in root.iter() if each.get("data-pyspyc") == "strings"
                             for string in json.loads(each.text)])

    def test_html(self):
        page = Page(self.text("html"))
        self.assertEqual(page.elements.count("script"), 1)
        self.assertEqual(set(page.elements) & {"img", "b", "iframe", "a", "object", "link"}, set())
        self.assertEqual([name for name in page.attributes if name.startswith("on") or name in ("href", "src")], [])
        self.assert_strings(json.loads(page.strings))

    def test_recording(self):
        """What it holds is told by what is made of it."""
        with open(self.path("b.pyspyc"), "wb") as file:
            file.write(self.files()["pyspyc"])
        for ending in ("svg", "jsonl", "txt", "trace.json"):
            outcome = self.run_pyspyc("report", "b.pyspyc", "-t", "-s", "--full-filenames", "-o", "b." + ending)
            self.assertEqual(outcome.status, 0, outcome)
            with open(self.path("b." + ending), "rb") as file:
                self.assertEqual(file.read(), self.files()[ending], ending)

    def test_collapsed_and_pprof_are_read_again(self):
        """As far as each can tell names: no sample is lost, and none gets into another stack."""
        for ending in ("txt", "pb.gz"):
            with open(self.path("c." + ending), "wb") as file:
                file.write(self.files()[ending])
            outcome = self.run_pyspyc("report", "c." + ending, "-f", "raw", "-t", "-s", "--full-filenames")
            self.assertEqual(outcome.status, 0, outcome)
            before, after = harness.Stacks(self.text("txt")), harness.Stacks(outcome.output)
            self.assertEqual(sorted(after.counts.values()), sorted(before.counts.values()), ending)

    def test_dump(self):
        target = self.start_hostile()
        expected = [spelled(name) for name in NAMES.values()]
        threads = self.dump(target.pid)
        self.assert_all({thread["thread_name"] for thread in threads}, expected, "threads")
        functions = {(frame["name"], frame["filename"]) for thread in threads for frame in thread["frames"]}
        self.assert_all(functions, [(name, name) for name in expected], "functions")
        outcome = self.run_pyspyc("dump", "-p", target.pid, "-l", "--full-filenames")
        self.assert_harmless(outcome.output.encode())
        for name in NAMES.values():
            self.assertIn("    %s (%s:3)" % (visible(name), visible(name)), outcome.output)

    def test_top(self):
        target = self.start_hostile()
        outcome = self.run_pyspyc("top", "--once", "--json", "-i", "-t", "-p", target.pid)
        rows = json.loads(outcome.output)["rows"]
        functions = {(row["name"], row["file"]) for row in rows}
        self.assert_all(functions, [(visible(name), spelled(name)) for name in NAMES.values() if name == kept(name)],
                        "functions, as the screen shows them, and files")


class Pty:
    """A terminal, and all that was written to it."""

    def __init__(self, arguments, folder, environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 250, 200, 0, 0))  # rows and columns
        self.process = subprocess.Popen([harness.pyspyc(), *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        cwd=folder, env=environment, start_new_session=True)
        os.close(slave)
        self.written = b""

    def read_until(self, condition):
        """Reads on; condition(): the text so far is enough. Also ends with the program."""
        end = time.monotonic() + harness.DEADLINE
        while not condition(self.written):
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("waited in vain: %r" % self.written[-2000:])
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:  # EIO: nobody has the other side any more
                break
            self.written += piece
            if not piece:
                break
        return self.written

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class TestTerminal(NamesCase):
    """No byte of a name acts on the terminal that shows it."""

    OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-Z]|\x1b[=>78]|\x1b\[!p|[\r\n\b\x0e\x0f\t]")

    def start_pty(self, *arguments):
        environment = self.environment(TERM="xterm-256color", LC_ALL="C.UTF-8")
        environment.pop("NO_COLOR", None)
        terminal = Pty([str(word) if isinstance(word, int) else word for word in arguments], self.folder, environment)
        self.addCleanup(terminal.end)
        return terminal

    def assert_inert(self, written):
        self.assert_harmless(written)
        rest = self.OWN.sub("", written.decode("utf-8"))
        self.assertEqual([c for c in rest if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0], [])

    def run_on_pty(self, *arguments):
        terminal = self.start_pty(*arguments)
        written = terminal.read_until(lambda text: False)
        terminal.process.wait(harness.DEADLINE)
        self.assert_inert(written)
        return written

    def test_text(self):
        target = self.start_hostile()
        with open(self.path("a.pyspyc"), "wb") as file:
            file.write(self.files()["pyspyc"])
        for arguments in (("dump", "-p", target.pid, "-l"), ("ps",), ("report", "a.pyspyc", "-t", "-s"),
                          ("report", "a.pyspyc", "--self"), ("report", "a.pyspyc", "-f", "raw"),
                          ("diff", "a.pyspyc", "a.pyspyc", "--noise"), ("top", "--once", "-i", "-p", target.pid),
                          ("doctor", "-d", "0", "-p", target.pid)):
            written = self.run_on_pty(*arguments)
            if "-l" in arguments or "-t" in arguments:
                self.assertIn(b"\\x1b[31mred", written, arguments)

    def test_progress_and_messages(self):
        target = self.start_hostile()
        written = self.run_on_pty("record", "-i", "-d", "0.7", "-p", target.pid, "-o", b"out\x1b[31m\xc2\x9b;\n.svg")
        self.assertIn(b"recording: ", written)
        self.assertIn(b"out\\x1b[31m\\x9b;\\x0a.svg", written)

    def test_errors(self):
        hostile = b"no\x1b[31mred\x07\xc2\x9b\xff\n"
        for arguments in (("report", hostile), ("record", "-o", b"missing\x1b[2J/x.svg", "--", "true"), (hostile,),
                          ("record", "--", hostile), ("record", b"--" + hostile), ("dump", "-p", hostile),
                          ("record", "-f", hostile, "-p", "1"), ("record", "-p", "1", "-o", b"x." + hostile),
                          ("record", "-p", "1", "--focus", b"(" + hostile), ("dump", "--core", hostile),
                          ("record", "--name", hostile), ("top", "--name", hostile), ("help", hostile),
                          ("merge", hostile, "-o", "x.svg"), ("diff", hostile, hostile)):
            with self.subTest(arguments=arguments):
                self.run_on_pty(*arguments)

    def test_screen_of_top(self):
        """Functions, threads and the pages of `d`; the names stand there in plain letters."""
        target = self.start_hostile()
        terminal = self.start_pty("top", "-i", "-t", "-p", target.pid)
        terminal.read_until(lambda text: b"a\\x00b" in text)
        for key, awaited in ((b"D", b"waits for the lock"), (b"q", b"%Own")):
            before = len(terminal.written)
            os.write(terminal.master, key)
            terminal.read_until(lambda text: awaited in text[before:])
        os.write(terminal.master, b"q")
        terminal.read_until(lambda text: False)
        terminal.process.wait(harness.DEADLINE)
        self.assert_inert(terminal.written)


@unittest.skipUnless(os.environ.get("PYSPYC_NO_BROWSER") is None, "PYSPYC_NO_BROWSER is set")
class TestBrowser(NamesCase):
    """Chromium shows the picture and the page, whose own script is the only one that a strict policy lets run."""

    #: How many dialogs came, what was loaded besides the document, and what elements there are that could act.
    LOOK = """
        const all = Array.from(document.querySelectorAll('*'));
        return {
            scripts: document.querySelectorAll('script').length,
            loaded: performance.getEntriesByType('resource').map((entry) => entry.name),
            handlers: all.flatMap((each) => Array.from(each.attributes, (attribute) => attribute.name)).filter((name) => /^on/.test(name)),
            foreign: document.querySelectorAll('img, iframe, object, embed, link').length,
            title: document.title,
            labels: Array.from(document.querySelectorAll('.labels text'), (text) => text.textContent),
        }"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        import webdriver
        cls.browser = webdriver.Browser(1200, 900)
        cls.browser.__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    @staticmethod
    def policy(document):
        """The document's own script by its hash, and nothing else; styles stand in it."""
        script = re.search(rb"<script>(.*?)</script>", document, re.S).group(1)
        as_xml = script.replace(b"<![CDATA[", b"").replace(b"]]>", b"")
        hashes = " ".join("'sha256-%s'" % base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (script, as_xml))
        return "default-src 'none'; style-src 'unsafe-inline'; script-src " + hashes

    def check(self, ending, content_type):
        import server
        document = self.files()[ending]
        self.browser.open("about:blank")
        self.browser.messages()
        with server.serve(document, content_type, {"Content-Security-Policy": self.policy(document)}) as url:
            self.browser.open(url)
            found = self.browser.run(self.LOOK)  # fails when a dialog is open
        self.assertEqual((found["scripts"], found["foreign"], found["handlers"]), (1, 0, []))
        self.assertEqual([name for name in found["loaded"] if not name.endswith("/favicon.ico")], [])
        self.assertNotIn("owned", (found["title"] or "")[:5])
        self.assertTrue(any("\\x1b]0;owned" in label for label in found["labels"]), found["labels"][:5])
        refused = [message["message"] for message in self.browser.messages() if "favicon" not in message["message"]]
        self.assertEqual(refused, [])

    def test_svg(self):
        self.check("svg", "image/svg+xml")

    def test_html(self):
        self.check("html", "text/html; charset=utf-8")


if __name__ == "__main__":
    harness.main()
