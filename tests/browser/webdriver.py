# SPDX-License-Identifier: MIT
"""A small WebDriver client for Debian's chromium and chromedriver; standard library only.

    with Browser() as browser:
        browser.open("file:///tmp/flame.svg")
        browser.run("return document.title")

The driver and the browser run in a process group of their own, which is killed on leaving, whatever happened.
"""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 12.2: the key of an element's reference
SECONDS = 60

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--allow-file-access-from-files",
]

KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
        "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Shift": "\ue008", "Control": "\ue009", "Alt": "\ue00a",
        "F10": "\ue03a", "Backspace": "\ue003"}


class WebDriverError(Exception):
    pass


class Browser:
    def __init__(self, width=1200, height=800):
        self.folder = tempfile.mkdtemp(prefix="pyspyc-browser-")
        self.size = (width, height)
        self.driver = None
        self.session = None

    def __enter__(self):
        try:
            self._start_driver()
            self._start_session()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self._request("DELETE", "")
        except (OSError, WebDriverError, http.client.HTTPException):
            pass
        if self.driver:
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
            self.driver.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_driver(self):
        environment = dict(os.environ, HOME=self.folder, TMPDIR=self.folder)
        self.driver = subprocess.Popen(["/usr/bin/chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, env=environment,
                                       start_new_session=True)
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                return
        raise WebDriverError("chromedriver did not start")

    def _start_session(self):
        arguments = ARGUMENTS + ["--user-data-dir=" + os.path.join(self.folder, "profile"),
                                 "--window-size=%d,%d" % self.size]
        options = {"binary": "/usr/bin/chromium", "args": arguments}
        answer = self._request("POST", None, {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = answer["sessionId"]

    def _request(self, method, path, body=None):
        url = "/session" if path is None else "/session/%s%s" % (self.session, path)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, url, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError("%s: %s" % (value["error"], value["message"]))
        return value

    def open(self, url):
        self._request("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """Runs a function body in the page; `arguments` is visible in it."""
        return self._request("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """The same, until the script calls the last of its arguments; that value is returned."""
        return self._request("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find(self, selector):
        """The reference of the first element that a CSS selector finds."""
        return self._request("POST", "/element", {"using": "css selector", "value": selector})

    def click(self, element):
        self._request("POST", "/element/%s/click" % element[ELEMENT], {})

    def type(self, element, text):
        """Clicks and types. WebDriver's own way, Element Send Keys, does not give focus inside of SVG documents."""
        self.click(element)
        self.press(*text)

    def point(self, x, y, click=False, button=0):
        """Moves the mouse to a point of the window, and clicks there; button 2 is the right one."""
        moves = [{"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}]
        if click:
            moves += [{"type": "pointerDown", "button": button}, {"type": "pointerUp", "button": button}]
        self._request("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves}]})

    def press(self, *keys):
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self._request("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def press_with(self, modifier, key):
        """Presses a key while another one is held."""
        held, value = KEYS[modifier], KEYS.get(key, key)
        self._request("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": held}, {"type": "keyDown", "value": value},
            {"type": "keyUp", "value": value}, {"type": "keyUp", "value": held}]}]})

    def back(self):
        """The browser's back button."""
        self._request("POST", "/back", {})

    def forward(self):
        self._request("POST", "/forward", {})

    def url(self):
        return self._request("GET", "/url")

    def prefer_colours(self, scheme):
        """Makes pages see "dark" or "light" as the person's preference."""
        self._request("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def resize(self, width, height):
        self._request("POST", "/window/rect", {"width": width, "height": height})

    def screenshot(self):
        """The window as the bytes of a PNG file."""
        return base64.b64decode(self._request("GET", "/screenshot"))

    def messages(self):
        """What was written to the console since the last call, errors of the page included."""
        return self._request("POST", "/se/log", {"type": "browser"})
