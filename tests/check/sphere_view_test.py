# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere view` in a display of the test's own, driven as a person does: with mouse and keys."""

import contextlib
import json
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from checks import DEADLINE, SPHERE, attempt, check, finish, wait_for
import gst_checks
from media_checks import Case
from window_checks import Screen, difference, display, grey_of

SIZE = (640, 360)

for program in ("Xvfb", "xdotool", "ffmpeg", "exiftool"):
    if not shutil.which(program):
        print(f"skip: sphere view: {program} is absent")
        sys.exit(77)


class Window(Screen):
    """The command with its window."""

    def __init__(self, case, name, *words, screen=SIZE):
        super().__init__({**case.environment, "DISPLAY": name}, screen)
        self.case = case
        self.process = subprocess.Popen(
            [SPHERE, "view", "--sink", "ximagesink", "--size", f"{SIZE[0]}x{SIZE[1]}", "--no-audio",
             *map(str, words)], cwd=case.folder, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        # The window fills the display, so that a point in it is the same point of the display.
        wait_for("there is a picture", lambda: self.process.poll() is not None or max(self.grey()) > 100)

    def read(self):
        """Keeps what the command says; an empty line is the end of it."""
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put("")

    def key(self, name):
        """The pointer stays in the part of the display that a small window fills."""
        self.xdo("mousemove", SIZE[0] // 2, SIZE[1] // 2, "key", name)

    def said(self, words):
        """The next line that has these words."""
        with contextlib.suppress(queue.Empty):
            while line := self.lines.get(timeout=DEADLINE):
                if words in line:
                    return line
        check(f"it says '{words}'", False)
        return ""

    def end(self):
        self.key("q")
        return self.process.wait(timeout=DEADLINE)


def launch(case, line):
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE, env=case.environment)


def view_of(case, name, options, size=SIZE):
    """What the element draws of a file, as grey."""
    decoder = "jpegdec" if name.endswith(".jpg") else "pngdec"
    launch(case, f"filesrc location={case.path(name)} ! {decoder} ! videoconvert ! sphereview {options} ! "
                 f"video/x-raw,width={size[0]},height={size[1]} ! videoconvert ! pngenc ! "
                 f"filesink location={case.path('wanted.png')}")
    return grey_of(case.path("wanted.png"))


def greys_of(case, name):
    """The pictures of a film, as grey, by the colours that a window shows."""
    launch(case, f"filesrc location={case.path(name)} ! decodebin ! videoconvert ! video/x-raw,format=RGB ! "
                 f"filesink location={case.path('film.rgb')}")
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
                          f"{SIZE[0]}x{SIZE[1]}", "-i", case.path("film.rgb"), "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                         check=True, stdout=subprocess.PIPE, timeout=DEADLINE).stdout
    size = SIZE[0] * SIZE[1]
    return [raw[i:i + size] for i in range(0, len(raw), size)]


def test_screen(case, _):
    """The window fills the screen, and goes back; what is drawn has its size."""
    large = (960, 540)
    with display(large) as name:
        window = Window(case, name, case.path("in.png"), screen=large)
        window.said("Escape")
        wanted = view_of(case, "in.png", "", large)
        window.key("f")
        check("f fills the screen", wait_for("the screen is full",
                                             lambda: difference(window.grey(), wanted) < 4))
        # Half of the picture is half of the screen now.
        window.drag((large[0] // 2, large[1] // 2), (large[0] - 1, large[1] // 2))
        wanted = view_of(case, "in.png", "yaw=-44.94", large)
        check("a drag turns by the same angle", wait_for("it looks to the left",
                                                         lambda: difference(window.grey(), wanted) < 4))
        window.key("Escape")
        rest = (SIZE[1] + 20) * large[0]  # below the small window
        check("Escape leaves it", wait_for("the window is small", lambda: max(window.grey()[rest:]) < 16))
        check("and q ends", window.end() == 0)


def test_inputs(case, name):
    """Cubemaps, and where north is."""
    launch(case, "spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width=1280,height=640 ! "
                 "cpusphereview projection=cubemap ! video/x-raw,width=960,height=640 ! pngenc ! "
                 f"filesink location={case.path('cube.png')}")
    window = Window(case, name, case.path("cube.png"), "--input", "cubemap")
    wanted = view_of(case, "cube.png", "input=cubemap")
    check("a cubemap", wait_for("its view", lambda: difference(window.grey(), wanted) < 4))
    window.key("n")
    check("it says that north is not known", "north" in window.said("north"))
    window.end()
    launch(case, f"filesrc location={case.path('in.png')} ! pngdec ! videoconvert ! jpegenc quality=95 ! "
                 f"filesink location={case.path('north.jpg')}")
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-GPano:PoseHeadingDegrees=90",
                    "-XMP-GPano:ProjectionType=equirectangular", case.path("north.jpg")], check=True,
                   timeout=DEADLINE)
    window = Window(case, name, case.path("north.jpg"))
    wanted = view_of(case, "north.jpg", "")
    check("it begins in the middle", wait_for("its view", lambda: difference(window.grey(), wanted) < 4))
    window.key("n")
    wanted = view_of(case, "north.jpg", "yaw=-90")
    check("n looks north", wait_for("north", lambda: difference(window.grey(), wanted) < 4))
    window.end()


def test_pause(case, name):
    """Who looks around in a paused video sees it."""
    launch(case, "spheretestsrc num-buffers=200 output=equirect ! video/x-raw,format=I420,width=320,"
                 "height=160,framerate=10/1 ! x264enc speed-preset=ultrafast key-int-max=15 ! mp4mux ! "
                 f"filesink location={case.path('long.mp4')}")
    window = Window(case, name, case.path("long.mp4"))
    window.said("Escape")
    window.key("space")

    def rests():
        one = window.grey()
        return one == window.grey() and one
    before = wait_for("it is paused", rests)
    window.key("s")
    first = window.said("is saved").split(" is saved")[0]
    for _ in range(3):
        window.key("Right")
    check("a paused video turns", wait_for("it turns", lambda: difference(window.grey(), before) > 2))
    wait_for("it rests", rests)
    window.key("s")
    second = window.said("is saved").split(" is saved")[0]
    check("the picture is the same one", second == first.replace(".view.png", ".view-1.png"), (first, second))
    window.key("Page_Down")
    wait_for("it jumps", lambda: window.key("s") or "0001" in window.said("is saved"))
    window.end()


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
        wanted = view_of(case, "in.png", f"yaw={yaw}")
        shown = wait_for(f"the window looks {yaw} degrees to the right",
                         lambda w=wanted: difference(window.grey(), w) < 4)
        check(f"it looks {yaw} degrees to the right", shown)
    window.key("s")
    window.said("is saved")
    check("the still is what was shown", difference(grey_of(case.path("in.view.png")), wanted) < 1)
    check("the end", window.end() == 0)


def test_recording(case, name):
    launch(case, "spheretestsrc num-buffers=90 output=equirect ! video/x-raw,format=I420,width=640,height=320,"
                 f"framerate=30/1 ! x264enc speed-preset=ultrafast ! mp4mux ! filesink location={case.path('in.mp4')}")
    window = Window(case, name, case.path("in.mp4"), "-o", "moves.json")
    # From the beginning, which a slow machine may have missed.
    window.said("the end")
    window.key("r")
    window.said("recording")
    last = window.grey()
    window.key("space")
    wait_for("it plays again", lambda: window.grey() != last)
    for _ in range(4):
        window.key("Right")
    # A still tells the time of what is seen.
    window.key("space")
    window.key("s")
    still = window.said("is saved").split()[0]
    window.key("space")
    window.said("the end")
    seen_last = window.grey()
    window.key("r")
    said = window.said("keyframes")
    check("few keyframes", "moves.json" in said and int(said.split(": ")[1].split()[0]) < 20, said)
    check("the end", window.end() == 0)
    moves = json.loads(case.path("moves.json").read_text())
    check("the last one looks where the keys turned", abs(moves["keyframes"][-1]["yaw"] - 20) < 1e-6, moves)
    case.done("a film of it", "reframe", case.path("in.mp4"), case.path("film.mp4"), "--keyframes",
              case.path("moves.json"), "--size", f"{SIZE[0]}x{SIZE[1]}", "--quality", "10")
    film = greys_of(case, "film.mp4")
    check("each picture has become one", len(film) == 90, len(film))
    check("the last one is what the window showed", difference(film[-1], seen_last) < 4,
          difference(film[-1], seen_last))
    digits = still.split("-")[-1].split(".view")[0]
    index = round((int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + float(digits[4:])) * 30)
    seen = grey_of(case.path(still))
    near, far = difference(film[index], seen), max(difference(each, seen) for each in film)
    # The last key may have turned the still after its picture was recorded, by five degrees.
    check("the one in the middle is what the still shows", near < far / 4, (still, near, far))


def test_signals_and_errors(case, name):
    case.environment |= {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    case.refused("no screen", 1, "no screen", "view", case.path("in.png"))
    case.environment["DISPLAY"] = name
    case.refused("no file", 1, "nothing.mp4", "view", case.path("nothing.mp4"))
    case.refused("no words", 2, "IN is missing", "view")
    case.refused("an unknown input", 2, "cubemap", "view", "x.mp4", "--input", "cube")
    case.refused("an unknown lens", 2, "gear360", "view", "x.mp4", "--lens", "gear36")
    case.refused("no lens", 2, "empty", "view", "x.mp4", "--lens", "")
    case.refused("an odd size", 2, "even", "view", "x.mp4", "--size", "65x65")
    case.refused("no such sink", 2, "--sink: GStreamer has no element 'nosuchsink'", "view", "--sink", "nosuchsink",
                 case.path("in.png"))
    launch(case, "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=320,height=160 ! "
                 "capssetter caps=video/x-raw,multiview-mode=top-bottom ! x264enc ! matroskamux ! "
                 f"filesink location={case.path('stereo.mkv')}")
    case.refused("a stereo video", 1, "stereo", "view", "--sink", "fakesink", case.path("stereo.mkv"))
    # GStreamer tells nothing of the mark of an MP4.
    launch(case, "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=320,height=160 ! x264enc ! mp4mux ! "
                 f"filesink location={case.path('mono.mp4')}")
    for mode in ("top-bottom", "left-right"):
        marked = case.path(f"{mode}.mp4")
        case.done(f"it is marked as {mode}", "mark", case.path("mono.mp4"), marked, "--stereo", mode)
        case.refused(f"an MP4 that is marked as {mode}", 1, "stereo", "view", "--sink", "fakesink", marked)
    launch(case, "spheretestsrc num-buffers=1 ! video/x-raw,format=I420,width=1280,height=640 ! jpegenc ! "
                 f"filesink location={case.path('fish.jpg')}")
    window = Window(case, name, case.path("fish.jpg"))
    check("fisheyes without lenses are told", "fisheyes" in window.said("--lens"))
    check("and shown", window.end() == 0)
    window = Window(case, name, case.path("in.png"))
    window.said("Escape")
    window.process.send_signal(signal.SIGINT)
    check("Ctrl-C ends it", window.process.wait(timeout=DEADLINE) == 0)


with tempfile.TemporaryDirectory() as temporary, display(SIZE) as display_name:
    place = Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT)
    for test in (test_photo, test_screen, test_inputs, test_pause, test_recording, test_signals_and_errors):
        attempt(test, place, display_name)
finish()
