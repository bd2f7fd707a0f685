"""How the intervals of a recording ended, as each format tells it: what the tests of this folder share.

Each interval that was due is ok, idle, torn, unreadable or missed, and no two formats may say different things.
"""
import gzip
import json
import re
import xml.etree.ElementTree as ElementTree

OUTCOMES = ("ok", "idle", "torn", "unreadable", "missed")
WARNING = re.compile(r"(\d+(?:\.\d+)?) % of the intervals were lost")
#: raw has no place for anything but stacks: readers do not agree on comments. What is lost is said on standard error.
ENDINGS = ("svg", "html", "tree", "speedscope.json", "trace.json", "firefox.json", "jsonl", "pb.gz")


def from_words(text):
    """{"ok": 9, ...} of "9 ok, 1 idle, 0 torn, 0 unreadable, 0 missed"."""
    found = re.search(", ".join(r"(\d+) " + name for name in OUTCOMES), text)
    return dict(zip(OUTCOMES, map(int, found.groups()))) if found else None


def varint(message, at):
    value = shift = 0
    while True:
        value |= (message[at] & 0x7f) << shift
        shift += 7
        at += 1
        if message[at - 1] < 0x80:
            return value, at


def pprof_strings(packed):
    message, at, strings = gzip.decompress(packed), 0, []
    while at < len(message):
        key, at = varint(message, at)
        value, at = varint(message, at)
        if key & 7 == 2:
            if key >> 3 == 6:
                strings.append(message[at:at + value].decode())
            at += value
    return strings


def description(content):
    """What an SVG file, or one in a page, says of itself."""
    svg = re.search(rb"<svg.*</svg>", content, re.S).group()
    root = ElementTree.fromstring(svg)
    return root, next(each.text for each in root.iter() if each.tag.endswith("}desc"))


def intervals_in(ending, content):
    """{"ok": ...} as a file of this format tells it."""
    if ending in ("svg", "html"):
        return from_words(description(content)[1])
    if ending == "tree":
        return from_words(content.decode())
    if ending == "pb.gz":
        return next(filter(None, map(from_words, pprof_strings(content))))
    if ending == "jsonl":
        return json.loads(content.splitlines()[-1])["intervals"]
    if ending == "speedscope.json":
        return json.loads(content)["pyspyc"]["intervals"]
    if ending == "trace.json":
        return next(event for event in json.loads(content) if event["name"] == "pyspyc")["args"]["intervals"]
    if ending == "firefox.json":
        entries = json.loads(content)["meta"]["extra"][0]["entries"]
        labels = {entry["label"]: entry["value"] for entry in entries}
        names = ("Intervals with samples", "Intervals without anybody to sample", "Intervals lost: torn",
                 "Intervals lost: unreadable", "Intervals lost: missed")
        return dict(zip(OUTCOMES, (labels[name] for name in names)))
    raise AssertionError("no place for intervals is known in " + ending)


def warning_in(ending, content):
    """The share of lost intervals that is said where people look first, in percent; 0 when nothing is said."""
    if ending in ("svg", "html"):
        root, _ = description(content)
        texts = [each.text or "" for each in root.iter() if each.tag.endswith("}text") and each.get("class") == "facts"]
        shown = texts[0] if "lossy" in root.get("class").split() else ""
    elif ending == "tree":
        shown = content.decode()
    elif ending == "pb.gz":
        shown = "\n".join(pprof_strings(content))
    elif ending == "speedscope.json":
        shown = json.loads(content)["name"]
    elif ending == "trace.json":
        shown = "".join(event["args"]["labels"] for event in json.loads(content) if event["name"] == "process_labels")
    elif ending == "firefox.json":
        shown = json.loads(content)["meta"]["product"]
    else:
        raise AssertionError("%s is not for looking at" % ending)
    found = WARNING.search(shown)
    return float(found.group(1)) if found else 0.0


def lost_percent(intervals):
    lost = intervals["torn"] + intervals["unreadable"] + intervals["missed"]
    return 100.0 * lost / sum(intervals.values())


def assert_accounted(test, outcome, files, due=None):
    """Every interval is accounted for, by the same numbers everywhere.

    files: {ending: content} of one recording; outcome: the run that made it; due: how many intervals there had to be,
    and how far off that may be.
    """
    said = outcome.counts()
    intervals = {name: said[name] for name in OUTCOMES}
    test.assertEqual(sum(intervals.values()), said["intervals"], outcome)
    if due:
        test.assertLessEqual(abs(said["intervals"] - due[0]), due[1], outcome)
    for ending, content in files.items():
        test.assertEqual(intervals_in(ending, content), intervals, ending)
        if ending != "jsonl":
            warned, lost = warning_in(ending, content), lost_percent(intervals)
            test.assertEqual(warned > 0, lost > 1, "%s: %s %% lost, %s %% said" % (ending, lost, warned))
            test.assertLess(abs(warned - lost) if warned else 0, 0.6, ending)
    return intervals
