# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere view` in a display of the test's own, driven as a person does: with mouse and keys."""

import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from checks import DEADLINE, SPHERE, attempt, check, finish
import gst_checks
from media_checks import Case

SIZE = (640, 360)

for program in ("Xvfb", "xdotool", "ffmpeg"):
    if not shutil.which(program):
        print(f"skip: sphere view: {program} is absent")
        sys.exit(77)


def wait_for(what, found):
    """Asks again and again until it is there."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    check(what, False, "not within the deadline")
    return None


@contextlib.contextmanager
def display():
    """An X server that chooses its own number."""
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24",
                           "-nolisten", "tcp"], pass_fds=[write], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as number:
            name = ":" + number.readline().strip()
        try:
            yield name
        finally:
            server.terminate()


class Window:
    """The command with its window."""

    def __init__(self, case, name, *words):
        self.case = case
        self.environment = {**case.environment, "DISPLAY": name}
        self.process = subprocess.Popen(
            [SPHERE, "view", "--sink", "ximagesink", "--size", f"{SIZE[0]}x{SIZE[1]}", "--no-audio",
             *map(str, words)], cwd=case.folder, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        # The window fills the display, so that a point in it is the same point of the display.
        wait_for("there is a picture", lambda: self.process.poll() is not None or max(self.screen()) > 100)

    def read(self):
        """Keeps what the command says; an empty line is the end of it."""
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put("")

    def xdo(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=DEADLINE)

    def key(self, name):
        self.xdo("mousemove", SIZE[0] // 2, SIZE[1] // 2, "key", name)

    def drag(self, begin, end):
        self.xdo("mousemove", *begin, "mousedown", 1, "mousemove", (begin[0] + end[0]) // 2,
                 (begin[1] + end[1]) // 2, "mousemove", *end, "mouseup", 1)

    def said(self, words):
        """The next line that has these words."""
        with contextlib.suppress(queue.Empty):
            while line := self.lines.get(timeout=DEADLINE):
                if words in line:
                    return line
        check(f"it says '{words}'", False)
        return ""

    def screen(self):
        """What the display shows, as grey."""
        return subprocess.run(["ffmpeg", "-v", "error", "-f", "x11grab", "-video_size", f"{SIZE[0]}x{SIZE[1]}",
                               "-i", self.environment["DISPLAY"], "-frames:v", "1", "-f", "rawvideo", "-pix_fmt",
                               "gray", "-"], env=self.environment, check=True, timeout=DEADLINE,
                              stdout=subprocess.PIPE).stdout

    def end(self):
        self.key("q")
        return self.process.wait(timeout=DEADLINE)


def launch(case, line):
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE, env=case.environment)


def grey(case, name):
    return subprocess.run(["ffmpeg", "-v", "error", "-i", case.path(name), "-f", "rawvideo", "-pix_fmt", "gray",
                           "-"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE).stdout


def difference(one, other):
    """The mean difference of some thousand pixels, in steps of brightness."""
    one, other = one[::37], other[::37]
    return sum(abs(a - b) for a, b in zip(one, other)) / max(len(one), 1)


def test_photo(case, name):
    launch(case, "spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width=1280,height=640 ! "
                 f"pngenc ! filesink location={case.path('in.png')}")
    window = Window(case, name, case.path("in.png"))
    window.said("Escape")
    for yaw, act in ((0, lambda: None),
                     # As the pointer goes half of the picture to the right, an eighth of a turn passes.
                     (-44.91, lambda: window.drag((SIZE[0] // 2, SIZE[1] // 2), (SIZE[0] - 1, SIZE[1] // 2))),
                     (-39.91, lambda: window.key("Right")),
                     (0, lambda: window.key("Home"))):
        act()
        launch(case, f"filesrc location={case.path('in.png')} ! pngdec ! videoconvert ! sphereview yaw={yaw} ! "
                     f"video/x-raw,width={SIZE[0]},height={SIZE[1]} ! videoconvert ! pngenc ! "
                     f"filesink location={case.path('wanted.png')}")
        wanted = grey(case, "wanted.png")
        shown = wait_for(f"the window looks {yaw} degrees to the right",
                         lambda w=wanted: difference(window.screen(), w) < 4)
        check(f"it looks {yaw} degrees to the right", shown)
    window.key("s")
    window.said("is saved")
    check("the still is what was shown", difference(grey(case, "in.view.png"), wanted) < 1)
    check("the end", window.end() == 0)


def test_recording(case, name):
    launch(case, "spheretestsrc num-buffers=90 output=equirect ! video/x-raw,format=I420,width=640,height=320,"
                 f"framerate=30/1 ! x264enc speed-preset=ultrafast ! mp4mux ! filesink location={case.path('in.mp4')}")
    window = Window(case, name, case.path("in.mp4"), "-o", "moves.json")
    # From the beginning, which a slow machine may have missed.
    window.said("the end")
    window.key("r")
    window.said("recording")
    last = window.screen()
    window.key("space")
    wait_for("it plays again", lambda: window.screen() != last)
    window.key("Right")
    window.key("Right")
    window.said("the end")
    window.key("r")
    said = window.said("keyframes")
    check("few keyframes", "moves.json" in said and int(said.split(": ")[1].split()[0]) < 20, said)
    check("the end", window.end() == 0)
    moves = json.loads(case.path("moves.json").read_text())
    check("the last one looks where the keys turned", abs(moves["keyframes"][-1]["yaw"] - 10) < 1e-6, moves)
    case.done("a film of it", "reframe", case.path("in.mp4"), case.path("film.mp4"), "--keyframes",
              case.path("moves.json"), "--size", "320x180")


def test_signals_and_errors(case, name):
    case.environment["DISPLAY"] = name
    case.refused("no file", 1, "nothing.mp4", "view", case.path("nothing.mp4"))
    case.refused("no words", 2, "IN is missing", "view")
    case.refused("an odd size", 2, "even", "view", "x.mp4", "--size", "65x65")
    case.refused("no such sink", 1, "nosuchsink", "view", "--sink", "nosuchsink", case.path("in.png"))
    window = Window(case, name, case.path("in.png"))
    window.said("Escape")
    window.process.send_signal(signal.SIGINT)
    check("Ctrl-C ends it", window.process.wait(timeout=DEADLINE) == 0)


with tempfile.TemporaryDirectory() as temporary, display() as display_name:
    place = Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT)
    for test in (test_photo, test_recording, test_signals_and_errors):
        attempt(test, place, display_name)
finish()
