# SPDX-License-Identifier: MIT
"""What a reader can choose in a flame graph: order, direction, detail, threads, what is hidden, colours; and the address.

    PYSPYC_RENDER_FOLDED=build/tests/render-folded /usr/bin/python3 tests/browser/test_flamegraph_views.py
"""
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import expected
import page
from page import FINE, SMALL

KINDS = ["own code", "site-packages", "standard library", "import system", "garbage collector", "process, thread"]


def random_fine(seed):
    """Stacks of two processes with recursion, in which lines, first lines and names are shared in all ways."""
    chance = random.Random(seed)
    functions = [("f%d" % (i % 5), "app/m%d.py" % (i % 3), 10 * i) for i in range(9)]
    lines = []
    for _ in range(25):
        process = chance.choice((100, 200))
        groups = ["process %d: app" % process, "thread (%d): T%d" % (process + chance.randrange(2), process)]
        calls = []
        for _ in range(chance.randint(1, 7)):
            name, file, first = chance.choice(functions)
            calls.append("%s (%s:%d/%d)" % (name, file, first + chance.randint(1, 2), first))
        lines.append("%s %d" % (";".join(groups + calls), chance.randint(20, 60)))
    return ("\n".join(lines) + "\n").encode()


class ViewsTest(page.PageTest):
    def assert_shows(self, stacks, **how):
        """The boxes on the screen are those that are expected, at their places, with names where there is room."""
        boxes = expected.boxes(expected.parse(stacks), **how)
        whole = boxes[0][2]
        scale = 1180 / whole
        seen = self.run_js("""
            const all = rects();
            const texts = labels();
            const base = number(all[0], 'y');
            return all.map((rect) => {
                const text = texts.find((label) => number(label, 'y') - 13 === number(rect, 'y') &&
                    Math.abs(number(label, 'x') - 4 - number(rect, 'x')) < 0.1);
                return [Math.abs(number(rect, 'y') - base) / 18, number(rect, 'x') - 10, number(rect, 'width'),
                    text ? text.textContent : ''];
            })""")
        self.assertEqual(len(seen), len(boxes))
        for (depth, left, total, name, times), (row, x, width, label) in zip(boxes, seen):
            self.assertEqual(row, depth, name)
            self.assertAlmostEqual(x, left * scale, delta=0.02, msg=name)
            self.assertAlmostEqual(width, total * scale - 0.5, delta=0.02, msg=name)
            if how.get("folds") and times > 1:
                name += " ×%d" % times
            if max(len(name), 3) * 7.3 < width - 8:
                self.assertTrue(label.startswith(name), (label, name))

    def test_every_combination_shows_the_right_boxes(self):
        for seed in range(2):
            stacks = random_fine(seed)
            self.show(stacks)
            for order, button in (("caller", "Callers first"), ("callee", "Callees first")):
                self.push(button)
                for level, button in (("line", "Lines"), ("function", "Functions"), ("name", "Names")):
                    self.push(button)
                    for threads, option in (("together", "Threads together"), ("threads", "Threads apart"),
                                            ("processes", "Processes apart"), ("apart", "Processes and threads")):
                        self.choose("Threads", option)
                        self.assert_shows(stacks, level=level, threads=threads, order=order)
                        self.push("Fold recursion")
                        self.assert_shows(stacks, level=level, threads=threads, order=order, folds=True)
                        self.push("Fold recursion")

    def test_the_page_begins_as_the_still_picture_is(self):
        for detail, how in (("", {}), ("tp", {"threads": "together"}), ("ftp", {"level": "function", "threads": "together"}),
                            ("np", {"level": "name", "threads": "threads"}), ("t", {"threads": "processes"})):
            self.show(FINE, detail=detail)
            self.assert_shows(FINE, **how)
            self.assertEqual(self.hash(), "")

    def test_icicle_has_the_root_at_the_top(self):
        self.show(SMALL)
        places = "const y = (name) => number(rectOf(name), 'y'); return [y('all'), y('main'), y('work')]"
        flame = self.run_js(places)
        self.assertEqual(flame, sorted(flame, reverse=True))
        self.push("Icicle")
        icicle = self.run_js(places)
        self.assertEqual(icicle, sorted(icicle))
        self.browser.press("i")
        self.assertEqual(self.run_js(places), flame)

    def test_an_icicle_opens_at_its_top(self):
        stack = ";".join("f%d (a.py:%d)" % (i, i) for i in range(200))
        self.show(stack.encode() + b" 3\n", "#direction=icicle")
        self.assertEqual(self.run_js("return window.scrollY"), 0)
        self.assertGreater(self.run_js("return rectOf('all').getBoundingClientRect().top"), 100)

    def test_callees_first_tells_self_time_once(self):
        self.show(FINE)
        self.choose("Threads", "Threads together")
        self.push("Functions")
        self.browser.press("c")
        self.point("decode")
        self.assertEqual(self.tip()[-2:], ["total | 6.600 s | 660 samples | 66.00 % of all",
                                           "self | 6.600 s | 660 samples | 66.00 % of all"])
        self.point("run")
        self.assertEqual(self.tip()[-1], "self | 0.000 s | 0 samples | 0.00 % of all")

    def test_what_ran_most_stands_first_when_callees_do(self):
        self.show(b"a (a.py:1) 10\nb (a.py:2) 50\nc (a.py:3) 20\nb (a.py:2);z (a.py:4) 40\nc (a.py:3);z (a.py:4) 60\n")
        names = lambda: "".join(label[0] for label in self.labels())
        self.assertEqual(names(), "aabzcz")
        self.push("Callees first")
        self.assertEqual(names(), "azcbbca")

    def test_a_narrow_box_of_a_thread_has_its_name(self):
        self.show(b"thread (10019): Worker-2;f (a.py:1) 8\nthread (0x7f12): io;f (a.py:1) 92\n")
        self.assertEqual(self.labels(), ["all", "thread (0x7f12): io", "f (a.py:1)", "Worker-2", "f (a.py:1)"])
        self.show(b"process 10019: /usr/lib/bin/python /home/me/a.py 1/2;f (a.py:1) 15\nprocess 2: b;f (a.py:1) 85\n")
        self.assertEqual(self.labels(), ["all", "python a.py 1/2", "f (a.py:1)", "process 2: b", "f (a.py:1)"])

    def test_one_thread(self):
        self.show(FINE)
        options = self.texts("select[aria-label^=Threads] option")
        self.assertEqual(options, [
            "Threads together", "Threads apart", "Processes apart", "Processes and threads apart",
            "Only process 100: python app.py", "Only thread (100): MainThread", "Only thread (101): Worker",
            "Only process 200: python child.py", "Only thread (200): MainThread"])
        self.choose("Threads", "Only thread (101)")
        self.assert_shows(FINE, threads="together", wants=lambda stack: stack[1]["name"].startswith("thread (101)"))
        self.assertEqual(self.texts(".notes > *"), ["Only thread (101): Worker×", "80.00 % of all samples left out"])
        self.point("decode")
        self.assertIn("total | 2.000 s | 200 samples | 20.00 % of all | 100.00 % of shown", self.tip())
        self.choose("Threads", "Only process 200")
        self.assert_shows(FINE, threads="together", wants=lambda stack: "200" in stack[0]["name"])
        self.push("Undo: Only")
        self.assert_shows(FINE)
        self.assertEqual(self.texts(".notes > *"), [])

    def test_a_profile_without_groups_has_none_to_choose(self):
        self.show(b"main (a.py:1);work (a.py:2) 3\n")
        self.assertEqual(self.texts("select[aria-label^=Threads]"), [])
        self.browser.press("t")
        self.assertEqual(self.labels(), ["all", "main (a.py:1)", "work (a.py:2)"])

    # ---- hide, focus, exclude ----

    def filter_by_menu(self, frame, operation, name):
        self.click(frame, button=2)
        self.push("%s %s" % (operation, name), within=".menu")

    def test_hiding_gives_time_to_the_caller(self):
        self.show(FINE)
        self.filter_by_menu("decode", "Hide", "decode")
        self.assert_shows(FINE, hidden=("decode",))
        self.assertEqual(self.texts(".notes > *"), ["Hidden decode (json/decoder.py)×"])
        self.point("work")
        self.assertIn("self | 3.000 s | 300 samples | 30.00 % of all", self.tip())
        self.browser.press("u")
        self.assert_shows(FINE)

    def test_focus_and_exclusion_choose_stacks(self):
        self.show(FINE)
        has = lambda name: lambda stack: any(frame["name"] == name for frame in stack)
        self.filter_by_menu("decode", "Focus", "decode")
        self.assert_shows(FINE, wants=has("decode"))
        self.assertEqual(self.texts(".notes > *"), [
            "Only stacks with decode (json/decoder.py)×", "34.00 % of all samples left out"])
        self.filter_by_menu("run", "Exclude", "run")
        self.assert_shows(FINE, wants=lambda stack: has("decode")(stack) and not has("run")(stack))
        self.assertIn("54.00 % of all samples left out", self.texts(".notes > *"))
        self.assertIn("54.00 % of all samples left out", self.texts("[role=status]")[0])
        self.push("Undo: Only stacks with decode")
        self.assert_shows(FINE, wants=lambda stack: not has("run")(stack))
        self.push("Undo: Without")
        self.assert_shows(FINE)

    def test_modules_packages_and_kinds_are_hidden_too(self):
        for name, hidden in (("json/decoder.py", ("decode",)), ("json/", ("decode",)),
                             ("standard library", ("decode", "run"))):
            self.show(FINE)
            self.filter_by_menu("decode", "Hide", name)
            self.assert_shows(FINE, hidden=hidden)

    def test_frames_and_modules_are_filtered_by_keys(self):
        has = lambda test: lambda stack: any(test(frame) for frame in stack)
        is_work = lambda frame: frame["name"] == "work"
        is_app = lambda frame: frame["file"].endswith("app/main.py")
        for key, how in (("h", {"hidden": ("work",)}), ("f", {"wants": has(is_work)}),
                         ("x", {"wants": lambda stack: not has(is_work)(stack)}),
                         ("H", {"hidden": ("work", "fib", "<module>")}), ("F", {"wants": has(is_app)}),
                         ("X", {"wants": lambda stack: not has(is_app)(stack)})):
            stacks = FINE.replace(b"app/child.py:9", b"app/main.py:9")
            self.show(stacks)
            self.point("work")
            self.browser.press(key)
            self.assert_shows(stacks, **how)
            self.browser.press("u")
            self.assert_shows(stacks)

    def test_filters_that_leave_nothing_say_so(self):
        self.show(SMALL)
        self.point("main")
        self.browser.press("x")
        self.point("wait")
        self.browser.press("x")
        self.assertEqual(self.labels(), ["all"])
        self.assertIn("100.00 % of all samples left out", self.texts(".notes > *"))
        self.browser.press("u", "u")
        self.assertIn("main (app/main.py:1)", self.labels())

    def test_the_root_cannot_be_hidden(self):
        self.show(SMALL)
        self.point("all")
        self.browser.press("h")
        self.assertEqual(self.texts("[role=status].shown"), ["This frame cannot be hidden"])
        self.assertEqual(self.texts(".notes > *"), [])

    # ---- colours ----

    def test_the_legend_tells_shares_and_shows_where(self):
        self.show(FINE)
        self.assertEqual(self.texts("div.legend button"), [
            "own code18.0 %", "site-packages10.0 %", "standard library66.0 %", "import system", "garbage collector6.0 %",
            "process, thread"])
        self.push("standard library")
        dim = self.run_js("return rects().map((rect) => [rect.getAttribute('class')[0], rect.classList.contains('dim')])")
        self.assertEqual({tuple(pair) for pair in dim},
                         {("s", False), ("o", True), ("p", True), ("i", True), ("g", True), ("r", True)})
        self.assertEqual(self.run_js("return document.activeElement.textContent"), "standard library66.0 %")
        self.push("standard library")
        self.assertEqual(self.run_js("return document.querySelectorAll('.dim').length"), 0)

    def test_colours_by_module(self):
        self.show(FINE)
        self.choose("Colours", "Colours by module")
        legend = self.texts("div.legend button")
        self.assertEqual(legend[:3], ["json66.0 %", "app/main.py18.0 %", "numpy10.0 %"])
        self.assertEqual(legend[-1], "others6.0 %")
        colours = self.run_js("""return ['decode', 'work', 'fib', 'setup', '<GC>'].map(
            (name) => rectOf(name).getAttribute('class'))""")
        self.assertEqual(colours[0], "m0")
        self.assertEqual(colours[1:4], ["m1", "m1", "m2"])
        self.assertEqual(colours[4][0], "r")
        self.browser.press("Escape", "Tab", "Escape")
        self.browser.press("k")
        self.assertEqual(self.run_js("return rectOf('decode').getAttribute('class')[0]"), "s")

    def test_libraries_and_the_kernel_are_modules(self):
        self.show(page.NATIVE)
        self.assertEqual(self.texts("div.legend button"), [
            "own code", "native (C, C++, Rust)70.0 %", "kernel30.0 %", "process, thread"])
        self.choose("Colours", "Colours by module")
        self.assertEqual(self.texts("div.legend button"), [
            "libtorch_cpu.so50.0 %", "kernel30.0 %", "fast.pyx20.0 %", "app/main.py", "libc.so.6", "others"])

    def test_native_code_can_be_hidden(self):
        self.show(page.NATIVE)
        self.filter_by_menu("read (libc", "Hide", "libc.so.6")
        self.assertNotIn("read (libc.so.6)", self.labels())
        self.assertIn("read (kernel)", self.labels())
        self.filter_by_menu("read (kernel", "Exclude", "kernel")
        self.assertNotIn("load", " ".join(self.labels()))
        self.filter_by_menu("conv", "Hide", "native")
        self.assertNotIn("step", " ".join(self.labels()))
        self.assertEqual(self.texts(".notes > *"), [
            "Hidden module libc.so.6×", "Without stacks of kind kernel×", "Hidden kind native (C, C++, Rust)×",
            "30.00 % of all samples left out"])

    def test_lines_of_a_native_function_are_one_function(self):
        self.show(page.NATIVE)
        steps = lambda: [label for label in self.labels() if label.startswith("step")]
        self.assertEqual(steps(), ["step (fast.pyx:31)", "step"])
        self.push("Functions")
        self.assertEqual(steps(), ["step (fast.pyx)"])

    # ---- the address ----

    def state(self):
        return self.run_js("""return [labels().map((text) => text.textContent),
            rects().map((rect) => rect.getAttribute('class')), shown('.notes > *'), shown('output'),
            shown('.trail button'), shown('[aria-pressed=true]')]""")

    def test_a_link_shows_the_same_in_another_window(self):
        self.show(FINE)
        self.push("Icicle")
        self.push("Functions")
        self.push("Fold recursion")
        self.choose("Threads", "Threads apart")
        self.choose("Colours", "Colours by module")
        self.filter_by_menu("<GC>", "Exclude", "<GC>")
        self.click("work")
        self.search("decode|work")
        self.browser.press("Tab")
        self.push("json", within="div.legend")
        address = self.hash()
        for part in ("path=all;MainThread", "search=decode|work", "threads=threads", "direction=icicle", "level=function",
                     "recursion=folded", "colours=module", "kind=json", "exclude=frame:<GC>"):
            self.assertIn(part, address)
        state = self.state()
        url = self.browser.url()
        self.browser.open("about:blank")
        self.browser.open(url)
        self.assertEqual(self.state(), state)

    def test_a_link_survives_another_run_and_another_width(self):
        self.show(FINE)
        self.click("thread (101)")
        self.click("decode")
        address = self.run_js("return location.hash")
        self.assertNotIn("101", address)
        other = FINE.replace(b"101", b"777").replace(b" 200\n", b" 250\n").replace(b"decoder.py:355", b"decoder.py:360")
        self.show(b"process 50: python other.py;thread (50): Zzz;g (b.py:1) 10\n" + other, address)
        self.assertEqual(self.texts(".trail button"),
                         ["all", "process 100: python app.py", "thread (777): Worker", "run", "decode"])
        self.browser.resize(700, 900)
        self.next_frame()
        self.assertAlmostEqual(self.width("decode"), 1, delta=0.01)

    def test_names_that_are_alike_are_told_apart_in_links(self):
        stacks = b"main (a.py:1);f (x.py:1);g (a.py:5) 10\nmain (a.py:1);f (y.py:2);h (a.py:6) 90\n"
        self.show(stacks)
        self.click("g")
        self.assertEqual(self.hash(), "#path=all;main;f+(x.py:1);g")
        self.show(stacks, self.run_js("return location.hash"))
        self.assertEqual(self.texts(".trail button"), ["all", "main", "f", "g"])

    def test_a_path_that_ends_is_followed_as_far_as_it_goes(self):
        self.show(SMALL, "#path=all;MainThread;main;nothing;decode")
        self.assertEqual(self.texts(".trail button"), ["all", "MainThread", "main"])
        self.assertIn("There is no nothing here", self.texts("[role=status]")[0])

    def test_any_address_is_borne(self):
        for address in ("#path=%FF%ZZ;;\\;;&order=x&threads==none&level=9&hide=&hide=a&focus=x:y&kind=q&search=%5B",
                        "#path", "#&&&==", "#search=(&colours=__proto__&order=constructor", "#" + "path=a;" * 3000):
            self.show(SMALL, address)
            self.assertIn("all", self.labels())
            self.assertEqual(self.run_js("return document.querySelectorAll('.dim').length"), 0)

    def test_a_thread_that_is_not_there_is_said(self):
        self.show(FINE, "#threads==Worker+9")
        self.assert_shows(FINE)
        self.assertEqual(self.run_js("return document.querySelector('select[aria-label^=Threads]').value"), "apart")
        self.assertIn("There is no Worker 9 here", self.texts("[role=status]")[0])

    def test_back_undoes_what_was_chosen(self):
        self.show(FINE)
        self.push("Icicle")
        self.push("Callees first")
        self.point("decode")
        self.browser.press("h")
        self.browser.back()
        self.assertEqual(self.texts(".notes > *"), [])
        self.assertEqual(self.texts("[aria-pressed=true]"), ["Icicle", "Callees first", "Lines"])
        self.browser.back()
        self.browser.back()
        self.assertEqual(self.texts("[aria-pressed=true]"), ["Flame", "Callers first", "Lines"])
        self.assert_shows(FINE)

    def test_the_zoom_stays_when_the_view_changes(self):
        self.show(FINE)
        self.click("fib")
        self.push("Functions")
        self.assertEqual(self.texts(".trail button")[-2:], ["<module>", "fib"])
        self.choose("Threads", "Threads together")
        self.assertEqual(self.texts(".trail button"), ["all", "<module>", "fib"])
        self.choose("Threads", "Threads apart")
        self.assertEqual(self.texts(".trail button"), ["all", "thread (100): MainThread", "<module>", "fib"])
        self.push("Callees first")
        self.assertEqual(self.texts(".trail button"), ["all"])


if __name__ == "__main__":
    page.main()
