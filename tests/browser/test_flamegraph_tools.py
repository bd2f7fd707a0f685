# SPDX-License-Identifier: MIT
"""Keys, screen readers, the frame's menu, copying and the editor in a flame graph.

    PYSPYC_RENDER_FOLDED=build/tests/render-folded /usr/bin/python3 tests/browser/test_flamegraph_tools.py
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import page
from page import FINE, SMALL

class ToolsTest(page.PageTest):
    def focused(self):
        return self.run_js("return document.activeElement.getAttribute('aria-label') || ''").split(",")[0]

    def pasted(self):
        """What is in the clipboard, as somebody gets it out: pasted into a field."""
        self.browser.run("""
            const area = document.createElementNS('http://www.w3.org/1999/xhtml', 'textarea');
            document.querySelector('.controls').appendChild(area).focus()""")
        self.browser.press_with("Control", "v")
        return self.browser.run("""
            const area = document.querySelector('.controls textarea');
            area.remove();
            return area.value""")

    def wait_for_message(self, text):
        """The clipboard takes its time. The message is wiped out, so that the next one can be told from it."""
        said = self.browser.run_async("""
            const [text, done] = arguments;
            const region = document.querySelector('[role=status]');
            const look = () => {
                if (!region.classList.contains('shown') || region.textContent !== text)
                    return requestAnimationFrame(look);
                region.classList.remove('shown');
                return done(text);
            };
            look()""", text)
        self.assertEqual(said, text)

    # ---- keyboard ----

    def test_frames_are_reached_by_keys(self):
        self.show(SMALL)
        self.browser.run("document.querySelector('.boxes rect[tabindex]').focus()")
        for key, name in (("ArrowUp", "MainThread"), ("ArrowRight", "Thread-1"), ("ArrowUp", "wait"),
                          ("ArrowDown", "Thread-1"), ("ArrowLeft", "MainThread"), ("ArrowUp", "main"),
                          ("ArrowUp", "work"), ("ArrowLeft", "fit_transform"), ("ArrowLeft", "fit_transform")):
            self.browser.press(key)
            self.assertEqual(self.focused(), name)
        self.assertEqual(self.tip()[0], "fit_transform")
        self.browser.press("Enter")
        self.assertEqual(self.width("fit_transform"), 1)
        self.assertEqual(self.focused(), "fit_transform")
        self.browser.press("Escape")
        self.assertLess(self.width("fit_transform"), 0.3)

    def test_arrows_go_where_they_point_in_an_icicle(self):
        self.show(SMALL, "#direction=icicle")
        self.browser.run("document.querySelector('.boxes rect[tabindex]').focus()")
        for key, name in (("ArrowDown", "MainThread"), ("ArrowDown", "main"), ("ArrowUp", "MainThread")):
            self.browser.press(key)
            self.assertEqual(self.focused(), name)

    def test_a_frame_that_the_keys_go_to_comes_into_view(self):
        stack = ";".join("f%d (a.py:%d)" % (i, i) for i in range(200))
        self.show(stack.encode() + b" 3\n")
        self.browser.run("document.querySelector('.boxes rect[tabindex]').focus()")
        for _ in range(120):
            self.browser.press("ArrowUp")
        # On a busy machine the browser may have scrolls left to work off; this ends with an error if it is never so.
        self.browser.run_async("""
            const done = arguments[0];
            const look = () => {
                const area = document.activeElement.getBoundingClientRect();
                const head = document.querySelector('.head-content').getBoundingClientRect();
                const isInView = area.top >= head.bottom && area.bottom <= innerHeight;
                return isInView ? done(true) : requestAnimationFrame(look);
            };
            look()""")

    def test_tab_reaches_everything(self):
        self.show(FINE, "#hide=frame:work (app/main.py)")
        seen = set()
        for _ in range(40):
            self.browser.press("Tab")
            seen.add(self.run_js("""const at = document.activeElement;
                return at ? at.getAttribute('aria-label')?.split(',')[0] || at.textContent : ''"""))
        wanted = {"all", "Search frames", "Flame", "Icicle", "Callers first", "Callees first", "Lines", "Functions", "Names",
                  "Fold recursion", "Threads and processes (t)", "Colours (k)", "own code36.0 %", "Keys",
                  "Undo: Hidden work (app/main.py)"}
        seen = {text.replace("own code18.0 %", "own code36.0 %") for text in seen}
        self.assertLessEqual(wanted, seen)
        self.assertEqual(self.run_js("return document.querySelectorAll('rect[tabindex]').length"), 1)

    def test_letters_do_what_the_buttons_do(self):
        self.show(FINE)
        pressed = lambda: self.texts("[aria-pressed=true]")
        for key, now in (("i", ["Icicle", "Callers first", "Lines"]), ("c", ["Icicle", "Callees first", "Lines"]),
                         ("l", ["Icicle", "Callees first", "Functions"]),
                         ("r", ["Icicle", "Callees first", "Functions", "Fold recursion"]),
                         ("l", ["Icicle", "Callees first", "Names", "Fold recursion"]),
                         ("l", ["Icicle", "Callees first", "Lines", "Fold recursion"])):
            self.browser.press(key)
            self.assertEqual(pressed(), now)
        threads = lambda: self.run_js("return document.querySelector('select[aria-label^=Threads]').value")
        before = threads()
        self.browser.press("t")
        self.assertNotEqual(threads(), before)
        self.browser.press("/")
        self.browser.press(*"icl")
        self.assertEqual(self.run_js("return document.querySelector('.search input').value"), "icl")
        self.assertEqual(pressed(), ["Icicle", "Callees first", "Lines", "Fold recursion"])

    def test_the_help_lists_the_keys_and_goes(self):
        self.show(SMALL)
        self.browser.press("?")
        self.assertIn("flame or icicle", " ".join(self.texts(".help td")))
        self.browser.press("Escape")
        hidden = "return document.querySelector('.help-panel').getAttribute('display')"
        self.assertEqual(self.run_js(hidden), "none")
        self.push("Keys")
        self.assertEqual(self.run_js(hidden), "inline")
        self.browser.point(600, 600, click=True)
        self.assertEqual(self.run_js(hidden), "none")

    # ---- screen readers ----

    def test_roles_and_names(self):
        self.show(FINE)
        self.assertEqual(self.run_js("return document.querySelector('title').textContent"), "python app.py - flame graph")
        self.assertEqual(self.run_js("return document.documentElement.getAttribute('aria-label')"),
                         "Flame graph of python app.py")
        unnamed = self.run_js("""
            return Array.from(document.querySelectorAll('button, input, select, a[href], [role=group], [role=toolbar], nav'))
                .filter((element) => !element.getAttribute('aria-label') && !element.textContent.trim())
                .map((element) => element.outerHTML)""")
        self.assertEqual(unnamed, [])
        self.browser.run("document.querySelector('.boxes rect[tabindex]').focus()")
        self.browser.press("ArrowUp")
        current = self.run_js("""const at = document.activeElement;
            return ['role', 'aria-level', 'aria-label'].map((name) => at.getAttribute(name))""")
        self.assertEqual(current, ["treeitem", "2", "process 100: python app.py, process, thread, total 8.400 s "
                                   "840 samples 84.00 % of all, self 0.000 s 0 samples 0.00 % of all"])
        self.assertEqual(self.run_js("return document.activeElement.parentNode.getAttribute('role')"), "tree")

    def test_the_live_region_tells_what_changed(self):
        self.show(SMALL)
        said = lambda: self.texts("[role=status]")[0]
        self.click("work")
        self.assertTrue(said().startswith("Zoomed to work, /home/user/app/main.py:10, own code, total 4.000 s"), said())
        self.browser.press("Escape")
        self.browser.press("c")
        self.assertEqual(said(), "12 frames shown")
        self.search("decode")
        self.browser.press("Enter")
        self.assertTrue(said().startswith("Match 1 of 1: decode"), said())

    # ---- the menu ----

    def menu(self):
        return self.run_js("return document.querySelector('.menu-panel').getAttribute('display') !== 'none'")

    def test_the_menu_opens_by_mouse_and_keys(self):
        self.show(SMALL)
        self.click("work", button=2)
        self.assertTrue(self.menu())
        self.assertEqual(self.texts(".menu > .name"), ["work"])
        self.browser.press("Escape")
        self.assertFalse(self.menu())
        self.assertEqual(self.focused(), "work")
        for keys in (lambda: self.browser.press("m"), lambda: self.browser.press_with("Shift", "F10")):
            self.browser.press("ArrowDown")
            keys()
            self.assertTrue(self.menu())
            self.browser.press("Escape")
            self.assertFalse(self.menu())

    def test_arrows_go_through_the_menu(self):
        self.show(SMALL)
        self.click("decode", button=2)
        names = []
        for _ in range(4):
            names.append(self.run_js("return document.activeElement.firstChild.textContent"))
            self.browser.press("ArrowDown")
        self.assertEqual(names, ["Zoom", "Copy name", "Copy stack", "Copy folded line"])
        self.browser.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp")
        self.browser.press("Enter")
        self.assertFalse(self.menu())
        self.assertEqual(self.width("decode"), 1)

    def test_the_menu_stays_in_the_window(self):
        self.show(SMALL)
        for width, height in ((1200, 900), (600, 700)):
            self.browser.resize(width, height)
            self.next_frame()
            for name in ("wait", "all", "score"):
                self.click(name, button=2)
                area = self.run_js("""const area = document.querySelector('.menu').getBoundingClientRect();
                    return [area.left, area.top, innerWidth - area.right, innerHeight - area.bottom]""")
                self.assertGreaterEqual(min(area), 0)
                self.browser.press("Escape")

    # ---- copying ----

    def test_name_stack_and_folded_line_are_copied(self):
        self.show(SMALL)
        stack = ["MainThread", "main (app/main.py:1)", "work (app/main.py:10)", "decode (json/decoder.py:20)"]
        for name, key, text in (("Copy name", "y", "decode"), ("Copy stack", "s", "\n".join(stack)),
                                ("Copy folded line", "d", ";".join(stack) + " 300")):
            self.click("decode", button=2)
            self.push(name, within=".menu")
            self.wait_for_message(name.replace("Copy", "Copied the"))
            self.assertEqual(self.pasted(), text)
            self.browser.press("/")
            self.browser.press_with("Control", "a")
            self.browser.press("w", "o", "r", "k")
            self.browser.press_with("Control", "a")
            self.browser.press_with("Control", "c")
            self.browser.press("Escape")
            self.assertEqual(self.pasted(), "work")
            self.point("decode")
            self.browser.press(key)
            self.wait_for_message(name.replace("Copy", "Copied the"))
            self.assertEqual(self.pasted(), text)

    def test_a_stack_is_copied_root_first_also_when_callees_are(self):
        self.show(SMALL, "#order=callee")
        self.point("main (app")
        self.browser.press("d")
        self.wait_for_message("Copied the folded line")
        self.assertEqual(self.pasted(), "MainThread;main (app/main.py:1);work (app/main.py:10);decode (json/decoder.py:20) 300")

    def test_a_text_that_cannot_be_copied_is_offered(self):
        self.show(SMALL)
        self.browser.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        self.point("decode")
        self.browser.press("y")
        self.assertEqual(self.run_js("return document.activeElement.value"), "decode")
        self.browser.press_with("Control", "c")
        self.browser.press("Escape")
        self.assertEqual(self.pasted(), "decode")

    # ---- the editor ----

    def link(self, frame):
        self.click(frame, button=2)
        link = self.run_js("return document.querySelector('.menu a').getAttribute('href')")
        self.browser.press("Escape")
        return link

    def choose_editor(self, frame, name):
        self.click(frame, button=2)
        self.choose("Editor", name)

    def test_sources_open_in_an_editor(self):
        self.show(SMALL)
        self.browser.run("localStorage.clear()")
        self.show(SMALL)
        self.assertEqual(self.link("work"), "vscode://file/home/user/app/main.py:10")
        self.choose_editor("work", "PyCharm")
        self.browser.press("Escape")
        self.assertEqual(self.link("work"), "pycharm://open?file=%2Fhome%2Fuser%2Fapp%2Fmain.py&line=10")
        self.show(SMALL)
        self.assertEqual(self.link("work"), "pycharm://open?file=%2Fhome%2Fuser%2Fapp%2Fmain.py&line=10")
        self.choose_editor("work", "own template")
        self.browser.type(self.browser.find(".menu .editor input"), "editor://{file}#{line}")
        self.browser.press("Escape")
        self.assertEqual(self.link("work"), "editor:///home/user/app/main.py#10")
        self.browser.run("localStorage.clear()")

    def test_no_template_runs_a_script(self):
        self.show(SMALL)
        for template in ("javascript:document.title='owned'//{file}", " JavaScript:alert(1)", "data:text/html,x", "nothing"):
            self.browser.run("localStorage.setItem('pyspyc-editor', JSON.stringify({name: 'other', template: arguments[0]}))",
                             template)
            self.show(SMALL)
            self.assertIsNone(self.link("work"))
        for stored in ("{", "null", "[1]", '{"name": "constructor", "template": {"a": 1}}'):
            self.browser.run("localStorage.setItem('pyspyc-editor', arguments[0])", stored)
            self.show(SMALL)
            self.assertTrue(self.link("work").startswith("vscode://"))
        self.browser.run("localStorage.clear()")

    def test_a_library_is_no_source(self):
        self.show(page.NATIVE)
        self.browser.run("localStorage.clear()")
        self.show(page.NATIVE)
        self.assertEqual(self.link("step"), "vscode://file/home/user/src/fast.pyx:31")
        for frame in ("conv", "read (libc", "read (kernel"):
            self.assertIsNone(self.link(frame))
        self.push("Names")
        self.assertIsNone(self.link("conv"))
        self.assertEqual(self.link("step"), "vscode://file/home/user/src/fast.pyx:1")

    def test_a_frame_without_a_file_has_no_source(self):
        self.show(FINE)
        self.browser.run("localStorage.clear()")
        self.assertIsNone(self.link("_find_and_load"))
        self.point("_find_and_load")
        self.browser.press("o")
        self.assertEqual(self.texts("[role=status].shown"), ["This frame has no source file to open"])

    def test_paths_cannot_break_out_of_the_link(self):
        self.show(b"f (/a b/?x=1&y#z/\"'<>.py:7) 10\n")
        self.browser.run("localStorage.clear()")
        self.show(b"f (/a b/?x=1&y#z/\"'<>.py:7) 10\n")
        self.assertEqual(self.link("f"), "vscode://file/a%20b/%3Fx%3D1%26y%23z/%22'%3C%3E.py:7")


if __name__ == "__main__":
    page.main()
