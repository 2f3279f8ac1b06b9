# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser without a screen, driven by Chrome's DevTools protocol over a pipe: no port, and nothing
beside Python."""

import atexit
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

from checks import DEADLINE

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
WINDOW = (800, 600)
FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--mute-audio",
         "--hide-scrollbars", "--force-device-scale-factor=1",
         f"--window-size={WINDOW[0]},{WINDOW[1]}",
         "--enable-unsafe-swiftshader", "--use-angle=swiftshader", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
         "--disable-extensions", "--no-default-browser-check", "--no-proxy-server",
         "--allow-loopback-in-peer-connection", "--lang=en-US", "--disable-dev-shm-usage")


def program():
    """The browser's path; ends the process as skipped where there is none."""
    for name in (os.environ.get("SPHERE_BROWSER"), *NAMES):
        found = name and shutil.which(name)
        if found:
            return found
    print("skip: there is no Chromium; ./dev test installs it")
    sys.exit(77)


class Program:
    """A browser's processes. Several pages of it know nothing of each other."""

    running = {}  # by their flags

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory(prefix="sphere-browser-",
                                                  ignore_cleanup_errors=True)
        from_us, self.to = os.pipe()
        self.come, to_us = os.pipe()

        def keep():
            # The browser reads from 3 and writes to 4. Both are moved away first, because one of
            # the ends may have the other's number.
            ends = [os.dup(from_us), os.dup(to_us)]
            while min(ends) < 5:
                ends = [os.dup(end) for end in ends]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self.log = open(pathlib.Path(self.folder.name) / "log", "wb")
        self.process = subprocess.Popen(
            [program(), *FLAGS, *sandbox, *flags, f"--user-data-dir={self.folder.name}/profile",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, close_fds=False,
            preexec_fn=keep, start_new_session=True,
            env={key: value for key, value in os.environ.items() if key != "G_DEBUG"})
        os.close(from_us)
        os.close(to_us)
        os.set_blocking(self.come, False)
        self.buffer = b""
        self.number = 0

    @classmethod
    def with_flags(cls, *flags):
        """One that runs already, or a new one, which ends with this process."""
        found = cls.running.get(flags)
        if not found or found.process.poll() is not None:
            found = cls.running[flags] = cls(*flags)
            atexit.register(found.close)
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.come)
        self.log.close()
        self.folder.cleanup()

    def words(self):
        """What the browser printed."""
        return (pathlib.Path(self.folder.name) / "log").read_text(errors="replace")[-2000:]

    def read(self, end):
        """The next message; an error after the deadline."""
        while b"\0" not in self.buffer:
            if not select.select([self.come], [], [], max(end - time.monotonic(), 0))[0]:
                raise RuntimeError(f"the browser does not answer: {self.words()}")
            part = os.read(self.come, 1 << 20)
            if not part:
                raise RuntimeError(f"the browser ended: {self.words()}")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, parameters, session=None, events=None):
        """The answer; events that come before it are added to a list."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + DEADLINE
        while True:
            answer = self.read(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if events is not None and answer.get("sessionId") == session:
                events.append(answer)


class Browser:
    """A browser with one page, and with nothing from earlier ones."""

    def __init__(self, *flags):
        self.program = Program.with_flags(*flags)
        self.events = []
        self.context = self.program.call("Target.createBrowserContext", {})["browserContextId"]
        page = self.program.call("Target.createTarget", {
            "url": "about:blank", "browserContextId": self.context, "width": WINDOW[0],
            "height": WINDOW[1]})["targetId"]
        self.session = self.program.call("Target.attachToTarget",
                                         {"targetId": page, "flatten": True})["sessionId"]
        self.call("Page.bringToFront")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.program.process.poll() is None:
            self.program.call("Target.disposeBrowserContext", {"browserContextId": self.context})

    def call(self, method, **parameters):
        return self.program.call(method, parameters, self.session, self.events)

    def run(self, words):
        """The value of an expression in the page, of a promise too."""
        result = self.call("Runtime.evaluate", expression=words, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{words}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def open(self, link):
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=link)
        self.until("document.readyState === 'complete'")

    def until(self, words, seconds=DEADLINE):
        """Waits until an expression in the page is true; its value, or nothing."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                value = self.run(words)
            except RuntimeError:
                # The page is being replaced by another one.
                if self.program.process.poll() is not None:
                    raise
                value = None
            if value:
                return value
            time.sleep(0.02)
        return None

    def picture(self, **clip):
        """A picture of the page as PNG."""
        options = {"clip": {"scale": 1, **clip}} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png",
                                          **options)["data"])

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", **more)

    def key(self, key, code=None):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      text=key if kind == "keyDown" and len(key) == 1 else "")

    def problems(self):
        """What went wrong in the page: exceptions, and what a policy forbade."""
        found = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"])
            if event.get("method") == "Log.entryAdded" and \
                    event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"])
        return found

    def asked_for(self):
        """The addresses that pages asked for."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
