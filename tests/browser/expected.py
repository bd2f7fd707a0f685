# SPDX-License-Identifier: MIT
"""What a flame graph has to show, worked out from folded stacks in the plainest way: whole stacks, one after the other.

    boxes(parse(FINE), level="function", threads="together", order="callee", folds=True)

gives (depth, samples left of it, samples, name, times folded) for each box, depth first.
"""
import re

PLACE = re.compile(r"^(.*) \((.*?):(\d+)(?:/(\d+))?\)$", re.DOTALL)


def folder_of(file):
    """As render-folded makes folders up."""
    if file.startswith(("/", "<")):
        return ""
    if file.startswith(("app/", "main.py")):
        return "/home/user/"
    if file.startswith(("json/", "re/", "asyncio/", "threading.py", "socket.py", "ssl.py")):
        return "/usr/lib/python3.11/"
    return "/usr/lib/python3.11/site-packages/"


def parse_frame(text):
    for kind in ("process", "thread"):
        if text.startswith(kind + " "):
            return {"kind": kind, "name": text, "file": "", "line": 0, "first": 0}
    place = PLACE.match(text)
    if not place:
        return {"kind": "mark", "name": text, "file": "", "line": 0, "first": 0}
    name, file, line, first = place.groups()
    return {"kind": "python", "name": name, "file": folder_of(file) + file, "line": int(line), "first": int(first or 0)}


def parse(folded):
    stacks = []
    for line in folded.decode().splitlines():
        stack, count = line.rsplit(" ", 1)
        stacks.append(([parse_frame(text) for text in stack.split(";")], int(count)))
    return stacks


def at_level(frame, level):
    line = {"line": frame["line"], "function": frame["first"] or frame["line"], "name": 0}[level]
    return frame["name"], frame["file"], line, frame["kind"]


def fold(stack):
    """Each frame that is in the stack again goes to where it was first."""
    paths, path = {}, []
    for frame in stack:
        path = paths.setdefault(frame, path + [frame])
    return path


def shown(stack, level, threads, order, folds, hidden):
    kinds = {"together": (), "threads": ("thread",), "processes": ("process",), "apart": ("process", "thread")}[threads]
    groups = [at_level(frame, level) for frame in stack if frame["kind"] in kinds]
    calls = [at_level(frame, level) for frame in stack
             if frame["kind"] not in ("process", "thread") and frame["name"] not in hidden]
    times = {frame: calls.count(frame) for frame in calls}
    if folds:
        calls = fold(calls)
        times = {frame: count for frame, count in times.items() if frame in calls}
    return groups + (calls[::-1] if order == "callee" else calls), times


class Node:
    def __init__(self):
        self.children, self.total, self.times = {}, 0, 0


def boxes(stacks, level="line", threads="apart", order="caller", folds=False, hidden=(), wants=lambda stack: True):
    root = Node()
    for stack, count in stacks:
        if not wants(stack):
            continue
        path, times = shown(stack, level, threads, order, folds, hidden)
        node = root
        node.total += count
        for frame in path:
            node = node.children.setdefault(frame, Node())
            node.total += count
            node.times = max(node.times, times.get(frame, 0))
    result = []

    def add(node, name, depth, left):
        result.append((depth, left, node.total, name, node.times))
        left += node.total - sum(child.total for child in node.children.values())
        is_ranked = lambda frame: order == "caller" or frame[3] in ("process", "thread")
        place = lambda frame: (0 if is_ranked(frame) else -node.children[frame].total, frame)
        for frame in sorted(node.children, key=place):
            add(node.children[frame], frame[0], depth + 1, left)
            left += node.children[frame].total

    add(root, "all", 0, 0)
    return result
