"""Formats that show samples over time: that their readers take them, that all of them tell the same, and that it is true.

What a reader takes is asked its publisher where there is something to ask: speedscope's JSON schema, which
scripts/get-schemas fetches. The other forms have rules here, each with its source.
"""
import json
import os
import re
import subprocess
import time

import harness
import jsonschema

ROOT = os.path.dirname(os.path.dirname(harness.HERE))
GET_SCHEMAS = os.path.join(ROOT, "scripts", "get-schemas")
JSON_PAGE = os.path.join(ROOT, "src", "formats", "JSON.md")
ENDINGS = {"speedscope": ".speedscope.json", "chrometrace": ".trace.json", "firefox": ".firefox.json", "json": ".jsonl",
           "raw": ".txt"}
RATE = 200
INTERVAL_NS = 10 ** 9 // RATE
TRIES = 5
THREAD_NAME = "b\u00e9tween <\"'>;\\\n\u202e"


def speedscope_schema():
    """The schema's path; fails by name where it cannot be had."""
    subprocess.run([GET_SCHEMAS], check=True, stdout=subprocess.DEVNULL, timeout=harness.DEADLINE)
    folder = subprocess.run([GET_SCHEMAS, "--folder"], check=True, stdout=subprocess.PIPE, timeout=harness.DEADLINE)
    return os.path.join(folder.stdout.decode().strip(), "speedscope", "dist", "release", "file-format-schema.json")


def read_json(path):
    """Parses strictly: NaN and the like are no JSON, a key stands once, and numbers have no exponent."""
    def refuse(word):
        raise AssertionError("%s in %s" % (word, path))

    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            refuse("a key that stands twice")
        return dict(pairs)

    def decimal(word):
        return float(word) if "e" not in word.lower() else refuse(word)

    with open(path, encoding="utf-8") as file:
        text = file.read()
    return json.loads(text, parse_constant=refuse, parse_float=decimal, object_pairs_hook=unique)


def spans(pieces):
    """[(start, end)] of pieces that touch put together."""
    joined = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end])
    return joined


class TimelineFormats(harness.TestCase):
    """One recording of timed_phases.py, in all formats."""

    @classmethod
    def setUpClass(cls):
        cls.made = None

    def setUp(self):
        super().setUp()
        if TimelineFormats.made is None:
            TimelineFormats.made = self.make()
        self.truth, self.files, self.outcome, self.wall = TimelineFormats.made

    def make(self):
        """Records. Where others want the CPUs all the time, what is told of them is not exact: some tries, then."""
        for _ in range(TRIES):
            made = self.record_all()
            counts = made[2].counts()
            if counts["late"] + counts["missed"] < 0.1 * counts["intervals"]:
                break
        return made

    def record_all(self):
        """Records once, and reads all files into memory, as the test's folder goes with it."""
        paths = {name: self.path("run" + ending) for name, ending in ENDINGS.items()}
        outputs = [word for path in paths.values() for word in ("-o", path)]
        wall = [time.time()]
        outcome = self.run_pyspyc("record", "-r", RATE, *outputs, "--", self.python, harness.program("timed_phases.py"))
        wall.append(time.time())
        self.assertEqual(outcome.status, 0, outcome)
        truth = json.loads(outcome.output.splitlines()[1])
        files = {name: read_json(paths[name]) for name in ("speedscope", "chrometrace", "firefox")}
        with open(paths["json"], encoding="utf-8") as file:
            files["json"] = [json.loads(line) for line in file]
        with open(paths["raw"], encoding="utf-8") as file:
            files["raw"] = harness.Stacks(file.read())
        with open(paths["chrometrace"], encoding="utf-8") as file:
            files["trace text"] = file.read()
        return truth, files, outcome, wall

    # --- what the phases are in each format, in seconds ---

    def assert_phases(self, is_in):
        """is_in[function]: the pieces of time in which it was seen. They follow each other, and are as long as they were."""
        slack = 0.2  # of what takes 0.7 each
        whole = {name: (min(start for start, _ in pieces), max(end for _, end in pieces))
                 for name, pieces in is_in.items()}
        for name, truth in (("first", "first"), ("between", "between"), ("second", "second"), ("third", "third")):
            start, end = whole[name]
            self.assertAlmostEqual(end - start, self.truth[truth], delta=slack, msg=name)
            seen = sum(end - start for start, end in spans(is_in[name]))
            self.assertGreater(seen, 0.25 * (end - start), name)  # others may want the CPUs
        for earlier, later in (("first", "between"), ("between", "second"), ("second", "third")):
            self.assertAlmostEqual(whole[earlier][1], whole[later][0], delta=slack)

    # --- json: what the others are compared with ---

    def lines(self, kind):
        return [line for line in self.files["json"] if line["type"] == kind]

    def stack_of(self, sample):
        """The frames of a sample, root first."""
        frames, number = [], sample["stack"]
        while number is not None:
            stack = self.stacks()[number]
            frames.append(self.frames()[stack["frame"]])
            number = stack["parent"]
        return frames[::-1]

    def stacks(self):
        return {line["id"]: line for line in self.lines("stack")}

    def frames(self):
        return {line["id"]: line for line in self.lines("frame")}

    def test_json_is_what_its_page_says(self):
        documented, kind = {}, None
        with open(JSON_PAGE, encoding="utf-8") as page:
            for line in page:
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if line.startswith("|") and len(cells) == 4 and cells[2].startswith("`"):
                    kind = cells[0].strip("`") or kind
                    documented.setdefault(kind, []).append(cells[2].strip("`"))
        lines = self.files["json"]
        self.assertEqual({line["type"] for line in lines}, set(documented))
        for line in lines:
            self.assertEqual(list(line), ["type"] + documented[line["type"]])
        self.assertEqual([lines[0]["type"], lines[-1]["type"]], ["head", "end"])

    def test_json_refers_to_lines_before(self):
        known = {kind: [] for kind in ("head", "process", "thread", "frame", "stack", "sample", "end")}
        for line in self.files["json"]:
            kind = line["type"]
            for key, other in (("process", "process"), ("thread", "thread"), ("frame", "frame"), ("stack", "stack"),
                               ("parent", "stack")):
                if line.get(key) is not None:
                    self.assertIn(line[key], known[other], line)
            if "id" in line:
                self.assertEqual(line["id"], len(known[kind]))
                known[kind].append(line["id"])
        end = self.lines("end")[0]
        samples = self.lines("sample")
        self.assertEqual(end["samples"], len(samples))
        self.assertEqual(end["weight"], sum(sample["weight"] for sample in samples))
        # The interval in which the recording ends can have samples, and not be in the books.
        self.assertAlmostEqual(end["weight"], self.outcome.counts()["samples"], delta=2)
        self.assertEqual(end["intervals"]["ok"], self.outcome.counts()["ok"])

    def test_json_has_the_stacks_of_raw(self):
        counts = {}
        for sample in self.lines("sample"):
            stack = tuple(frame["name"] for frame in self.stack_of(sample))
            counts[stack] = counts.get(stack, 0) + sample["weight"]
        raw = {}
        for stack, count in self.files["raw"].counts.items():
            names = tuple(re.sub(r" \([^()]*\)$", "", frame) for frame in stack[1:])
            raw[names] = raw.get(names, 0) + count
        self.assertEqual(counts, raw)

    def test_json_tells_who_and_when(self):
        head, threads = self.lines("head")[0], self.lines("thread")
        self.assertEqual(head["interval_ns"], INTERVAL_NS)
        self.assertTrue(self.wall[0] <= head["start_unix_us"] / 1e6 <= self.truth["began"])
        self.assertEqual([thread["os_id"] for thread in threads], [self.truth["pid"], self.truth["tid"]])
        self.assertEqual([thread["name"] for thread in threads], ["MainThread", THREAD_NAME])
        self.assertEqual([thread["is_main"] for thread in threads], [True, False])
        self.assertEqual([process["pid"] for process in self.lines("process")], [self.truth["pid"]])

    # --- speedscope ---

    def test_speedscope_is_what_its_schema_asks_for(self):
        with open(speedscope_schema(), encoding="utf-8") as file:
            schema = json.load(file)
        validator = jsonschema.Draft7Validator(schema)
        validator.check_schema(schema)
        validator.validate(self.files["speedscope"])
        # The schema has no word on other keys: these are all that src/lib/file-format-spec.ts of 1.25.0 knows, and one of
        # our own, which it passes over.
        self.assertEqual(set(self.files["speedscope"]),
                         {"$schema", "shared", "profiles", "name", "activeProfileIndex", "exporter", "pyspyc"})
        # A schema that takes anything would say nothing.
        broken = dict(self.files["speedscope"], profiles=[dict(self.files["speedscope"]["profiles"][0], weights="no")])
        with self.assertRaises(jsonschema.ValidationError):
            validator.validate(broken)

    def test_speedscope_has_all_threads_and_each_thread(self):
        profiles, frames = self.files["speedscope"]["profiles"], self.files["speedscope"]["shared"]["frames"]
        self.assertEqual(profiles[0]["name"], "All threads")
        self.assertEqual([re.sub(r"\(.*?\)", "()", profile["name"]) for profile in profiles[1:]],
                         ["thread (): MainThread", "thread (): " + THREAD_NAME])
        for profile in profiles:
            self.assertEqual(len(profile["samples"]), len(profile["weights"]))
            self.assertEqual(sum(profile["weights"]), profile["endValue"] - profile["startValue"])
            self.assertTrue(all(0 <= frame < len(frames) for stack in profile["samples"] for frame in stack))
            self.assertTrue(all(weight > 0 for weight in profile["weights"]))
        weights = [sum(sample["weight"] for sample in self.lines("sample") if sample["thread"] == thread) * INTERVAL_NS
                   for thread in (0, 1)]
        self.assertEqual(profiles[0]["endValue"], sum(weights))
        self.assertEqual({profile["endValue"] for profile in profiles[1:]}, {profiles[1]["endValue"]})
        self.assertGreaterEqual(profiles[1]["endValue"], self.lines("head")[0]["duration_ns"])
        for profile, weight in zip(profiles[1:], weights):
            seen = sum(length for stack, length in zip(profile["samples"], profile["weights"]) if stack)
            self.assertLessEqual(seen, weight)
            self.assertGreaterEqual(seen, 0.75 * weight)  # late looks can have no room
            for before, after in zip(profile["samples"], profile["samples"][1:]):
                self.assertNotEqual(before, after, "equal neighbours are not put together")

    def test_speedscope_tells_the_phases(self):
        frames = self.files["speedscope"]["shared"]["frames"]
        is_in = {}
        for profile in self.files["speedscope"]["profiles"][1:]:
            at = profile["startValue"]
            for stack, length in zip(profile["samples"], profile["weights"]):
                for name in {frames[frame]["name"] for frame in stack}:
                    is_in.setdefault(name, []).append((at / 1e9, (at + length) / 1e9))
                at += length
        self.assert_phases({name: is_in[name] for name in ("first", "between", "second", "third")})

    # --- chrometrace: "Trace Event Format", Duca and Sinclair ---

    def check_events(self, events):
        """Replays the events of each thread, and returns [(name, start, end)] of all frames, in microseconds."""
        open_frames, at, closed = {}, {}, []
        for event in events:
            self.assertEqual(set(event), {"ph", "pid", "tid", "name", "args" if event["ph"] == "M" else "ts"})
            self.assertIsInstance(event["pid"], int)
            self.assertIsInstance(event["tid"], int)
            if event["ph"] == "M":
                continue
            track = (event["pid"], event["tid"])
            frames = open_frames.setdefault(track, [])
            self.assertGreaterEqual(event["ts"], at.get(track, 0))
            at[track] = event["ts"]
            if event["ph"] == "B":
                frames.append(event)
                continue
            self.assertEqual(event["ph"], "E")
            begin = frames.pop()
            self.assertEqual(begin["name"], event["name"])
            closed.append((event["name"], begin["ts"], event["ts"]))
        return closed, open_frames

    def test_chrometrace_nests(self):
        closed, open_frames = self.check_events(self.files["chrometrace"])
        self.assertFalse(any(open_frames.values()), "frames that do not end")
        self.assertEqual(set(open_frames), {(self.truth["pid"], self.truth["pid"]), (self.truth["pid"], self.truth["tid"])})
        self.assert_phases({name: [(start / 1e6, end / 1e6) for label, start, end in closed
                                   if label.startswith(name + " (")]
                            for name in ("first", "between", "second", "third")})

    def test_chrometrace_names_threads(self):
        names = {(event["tid"], event["name"]): event["args"] for event in self.files["chrometrace"] if event["ph"] == "M"}
        self.assertEqual(names[self.truth["pid"], "thread_name"], {"name": "MainThread"})
        self.assertEqual(names[self.truth["tid"], "thread_name"], {"name": THREAD_NAME})
        self.assertEqual(names[self.truth["pid"], "thread_sort_index"], {"sort_index": 0})
        self.assertIn("timed_phases.py", names[self.truth["pid"], "process_name"]["name"])

    def test_chrometrace_can_be_cut_off(self):
        lines = self.files["trace text"].splitlines()
        for count in (2, len(lines) // 2, len(lines) - 2):
            events = json.loads("\n".join(lines[:count]).rstrip(",") + "]")
            self.check_events(events)

    def test_chrometrace_shows_the_samples(self):
        """At the middle of each sample's interval, the frames that are open are those of the sample."""
        closed, _ = self.check_events([event for event in self.files["chrometrace"]
                                       if event["tid"] == self.truth["pid"]])
        checked, right = 0, 0
        for sample in self.lines("sample")[::10]:
            if sample["thread"] != 0:
                continue
            at = (sample["time_ns"] // INTERVAL_NS + 0.5) * INTERVAL_NS / 1000
            labels = [re.sub(r" \([^()]*\)$", "", label) for label, start, end in closed if start <= at < end]
            checked += 1
            right += sorted(labels) == sorted(frame["name"] for frame in self.stack_of(sample))
        self.assertGreater(checked, 20)
        self.assertGreaterEqual(right, 0.95 * checked)  # of a late sample others may have the place

    # --- firefox: src/types/profile.ts of firefox-devtools/profiler, processed version 60 ---

    def assert_table(self, table, columns, name):
        self.assertEqual(set(table), set(columns) | {"length"}, name)
        for column in columns:
            self.assertEqual(len(table[column]), table["length"], name + "." + column)

    def assert_indexes(self, column, length, nullable=False):
        for index in column:
            self.assertTrue((nullable and index is None) or (type(index) is int and 0 <= index < length), index)

    def test_firefox_tables_hold_together(self):
        profile = self.files["firefox"]
        self.assertEqual(set(profile), {"meta", "libs", "shared", "threads"})
        shared, categories = profile["shared"], profile["meta"]["categories"]
        stacks, frames, functions = shared["stackTable"], shared["frameTable"], shared["funcTable"]
        strings, sources = shared["stringArray"], shared["sources"]
        self.assert_table(stacks, ["frame", "prefix"], "stackTable")
        self.assert_indexes(stacks["frame"], frames["length"])
        for stack, prefix in enumerate(stacks["prefix"]):
            self.assertTrue(prefix is None or 0 <= prefix < stack, "a caller has to stand before who it calls")
        self.assert_table(frames, ["address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol",
                                   "innerWindowID", "line", "column"], "frameTable")
        self.assert_indexes(frames["func"], functions["length"])
        self.assert_indexes(frames["category"], len(categories))
        self.assertEqual(set(frames["address"]), {-1})
        self.assert_table(functions, ["name", "isJS", "relevantForJS", "resource", "source", "lineNumber", "columnNumber"],
                          "funcTable")
        self.assert_indexes(functions["name"], len(strings))
        self.assert_indexes(functions["source"], sources["length"], nullable=True)
        self.assertEqual(set(functions["resource"]), {-1})
        self.assert_table(sources, ["uuid", "filename"], "sources")
        self.assert_indexes(sources["filename"], len(strings))
        self.assert_table(shared["resourceTable"], ["lib", "name", "host", "type"], "resourceTable")
        self.assert_table(shared["nativeSymbols"], ["libIndex", "address", "name", "functionSize"], "nativeSymbols")
        self.assertTrue(all(isinstance(string, str) for string in strings))

    def test_firefox_threads_hold_together(self):
        profile = self.files["firefox"]
        shared = profile["shared"]
        schemas = {schema["name"]: schema for schema in profile["meta"]["markerSchema"]}
        for thread in profile["threads"]:
            samples, markers = thread["samples"], thread["markers"]
            self.assertEqual(samples.pop("weightType"), "samples")
            self.assert_table(samples, ["stack", "time", "weight", "threadCPUDelta"], "samples")
            samples["weightType"] = "samples"
            self.assert_indexes(samples["stack"], shared["stackTable"]["length"], nullable=True)
            self.assertEqual(samples["time"], sorted(samples["time"]))
            self.assert_table(markers, ["name", "startTime", "endTime", "phase", "category", "data"], "markers")
            self.assert_indexes(markers["name"], len(shared["stringArray"]))
            self.assert_indexes(markers["category"], len(profile["meta"]["categories"]))
            self.assertTrue(all(start < end for start, end in zip(markers["startTime"], markers["endTime"])))
            self.assertTrue(set(markers["phase"]) <= {1})
            self.assertTrue(all(data["type"] in schemas for data in markers["data"]))
        self.assertEqual([(thread["name"], thread["pid"], thread["tid"], thread["isMainThread"])
                          for thread in profile["threads"]],
                         [("MainThread", str(self.truth["pid"]), self.truth["pid"], True),
                          (THREAD_NAME, str(self.truth["pid"]), self.truth["tid"], False)])
        weights = sum(sum(thread["samples"]["weight"]) for thread in profile["threads"])
        self.assertGreaterEqual(weights, 0.75 * self.lines("end")[0]["weight"])
        self.assertLessEqual(weights, self.lines("end")[0]["weight"])

    def test_firefox_says_what_it_is(self):
        meta = self.files["firefox"]["meta"]
        self.assertEqual(meta["preprocessedProfileVersion"], 60)
        self.assertEqual(meta["interval"], 1000 / RATE)
        self.assertTrue(self.wall[0] <= meta["startTime"] / 1000 <= self.truth["began"])
        self.assertTrue(meta["startTime"] <= meta["endTime"] <= self.wall[1] * 1000 + 100)
        self.assertEqual(meta["sampleUnits"], {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"})
        self.assertEqual([category["color"] for category in meta["categories"]].count("grey"), 1)
        # CategoryColor, GraphColor and MarkerFormatType of the same source.
        colours = {"transparent", "purple", "green", "orange", "yellow", "lightblue", "blue", "brown", "magenta", "red",
                   "lightred", "darkgrey", "grey"}
        self.assertTrue({category["color"] for category in meta["categories"]} <= colours)
        self.assertTrue(all(category["subcategories"] == ["Other"] for category in meta["categories"]))

    def firefox_names(self, thread):
        """[(set of the functions' names, start, end)] of each sample, in ms."""
        shared, samples = self.files["firefox"]["shared"], thread["samples"]
        stacks, frames, functions = shared["stackTable"], shared["frameTable"], shared["funcTable"]
        for index in range(samples["length"] - 1):
            names, stack = set(), samples["stack"][index]
            while stack is not None:
                names.add(shared["stringArray"][functions["name"][frames["func"][stacks["frame"][stack]]]])
                stack = stacks["prefix"][stack]
            yield names, samples["time"][index], samples["time"][index + 1]

    def test_firefox_tells_the_phases(self):
        is_in = {name: [] for name in ("first", "between", "second", "third")}
        for thread in self.files["firefox"]["threads"]:
            for names, start, end in self.firefox_names(thread):
                for name in names & set(is_in):
                    is_in[name].append((start / 1000, end / 1000))
        self.assert_phases(is_in)

    def test_firefox_marks_collections_and_the_gil(self):
        thread = self.files["firefox"]["threads"][0]
        strings, markers = self.files["firefox"]["shared"]["stringArray"], thread["markers"]
        marked = {}
        for name, start, end in zip(markers["name"], markers["startTime"], markers["endTime"]):
            marked.setdefault(strings[name], []).append((start, end))
        collected = sum(end - start for start, end in marked["GC"]) / 1000
        self.assertLess(collected, self.truth["collected"] + 0.15)
        self.assertGreater(collected, 0.4 * self.truth["collected"])  # others may want the CPUs
        seen = sum(sample["weight"] for sample in self.lines("sample")
                   if any(frame["name"] == "<GC>" for frame in self.stack_of(sample)))
        self.assertAlmostEqual(collected, seen * INTERVAL_NS / 1e9, delta=0.2 * collected)
        for kind in marked:
            for before, after in zip(marked[kind], marked[kind][1:]):
                self.assertLess(before[1], after[0], "markers that touch are not put together")
        held = sum(end - start for start, end in marked["GIL held"]) / 1000
        self.assertGreater(held, 0.4 * (self.truth["first"] + self.truth["second"] + self.truth["third"]))

    def test_firefox_tells_whose_code_it_is(self):
        shared, categories = self.files["firefox"]["shared"], self.files["firefox"]["meta"]["categories"]
        found = {}
        for category, function in zip(shared["frameTable"]["category"], shared["frameTable"]["func"]):
            name = shared["stringArray"][shared["funcTable"]["name"][function]]
            found.setdefault(name, set()).add(categories[category]["name"])
        self.assertEqual(found["first"], {"Own code"})
        self.assertEqual(found["<GC>"], {"Garbage collection"})
        self.assertEqual(found["Thread.run"], {"Standard library"})
        self.assertEqual(found["_find_and_load"], {"Import"})


if __name__ == "__main__":
    harness.main()
