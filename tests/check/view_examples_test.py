# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples in C and in Python that look around, in a display of the test's own: a drag turns the
view by the right angle. Prints a summary line as gst-check does."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import DEADLINE, attempt, check, finish, launch_ours, run, wait_for
from window_checks import Screen, difference, display, grey_of

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"
SIZE = (640, 360)
# The window has a row of buttons below the picture.
DISPLAY_SIZE = (640, 480)

for program in ("Xvfb", "xdotool", "ffmpeg", "gst-inspect-1.0"):
    if not shutil.which(program):
        print(f"skip: the examples that look around: {program} is absent")
        sys.exit(77)
if run("gst-inspect-1.0", "--exists", "gtksink").returncode:
    print("skip: the examples that look around: gtksink is absent")
    sys.exit(77)


def flags():
    """What pkg-config says of GTK; nothing where it is not installed."""
    told = run("pkg-config", "--cflags", "--libs", "gtk+-3.0", "gstreamer-1.0")
    return told.stdout.split() if told.returncode == 0 else None


def has_bindings():
    """Whether Python can show a GTK window here."""
    return run(sys.executable, "-c", "import gi; gi.require_version('Gtk', '3.0'); "
               "from gi.repository import Gtk").returncode == 0


def make_pictures(folder):
    """A video of the scene that stands still, and what is seen at two angles in it."""
    launch_ours("spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width=1280,height=640 ! "
                f"pngenc ! filesink location={folder}/in.png")
    subprocess.run(["ffmpeg", "-v", "error", "-loop", "1", "-framerate", "30", "-i", f"{folder}/in.png", "-t", "8",
                    "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", f"{folder}/in.mp4"],
                   check=True, timeout=DEADLINE)
    wanted = {}
    # As the pointer goes half of the picture to the right, an eighth of a turn passes.
    for yaw in (0, -44.91):
        launch_ours(f"filesrc location={folder}/in.png ! pngdec ! videoconvert ! sphereview yaw={yaw} ! "
                    f"video/x-raw,width={SIZE[0]},height={SIZE[1]} ! videoconvert ! pngenc ! "
                    f"filesink location={folder}/view.png")
        wanted[yaw] = grey_of(f"{folder}/view.png")
    return wanted


def look_around(name, words, video, wanted):
    """Starts an example, drags, and goes back with a key."""
    with display(DISPLAY_SIZE) as number:
        environment = {**os.environ, "DISPLAY": number, "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11"}
        screen = Screen(environment, SIZE)
        with subprocess.Popen([*words, video], env=environment, stderr=subprocess.PIPE, text=True) as example:
            def shows(yaw):
                return example.poll() is not None or difference(screen.grey(), wanted[yaw]) < 5
            try:
                check(f"{name}: the window looks forward", wait_for("forward", lambda: shows(0)))
                screen.drag((SIZE[0] // 2, SIZE[1] // 2), (SIZE[0] - 1, SIZE[1] // 2))
                check(f"{name}: a drag to the right looks left by the right angle",
                      wait_for("turned", lambda: shows(-44.91)))
                check(f"{name}: it is another view", difference(wanted[0], wanted[-44.91]) > 10)
                screen.key("Home")
                check(f"{name}: Home looks forward", wait_for("forward again", lambda: shows(0)))
                check(f"{name}: it runs", example.poll() is None,
                      example.stderr.read() if example.poll() is not None else "")
            finally:
                example.terminate()
        broken = subprocess.run([*words, f"{video}.nothing"], env=environment, timeout=DEADLINE, text=True,
                                check=False, stderr=subprocess.PIPE)
        check(f"{name}: a file that is absent is told", broken.returncode == 1 and broken.stderr, broken.stderr)
        check(f"{name}: without a file it says how to use it",
              subprocess.run(words, env=environment, timeout=DEADLINE, check=False,
                             stderr=subprocess.DEVNULL).returncode != 0)


def test_examples(folder):
    """Both."""
    wanted = make_pictures(folder)
    of_gtk = flags()
    if of_gtk is None:
        print("skip: the example in C: libgtk-3-dev is absent")
    else:
        built = run("cc", "-Wall", "-Werror", EXAMPLES / "look.c", "-o", f"{folder}/look", *of_gtk)
        check("the example in C is built", built.returncode == 0, built.stderr)
        look_around("c", [f"{folder}/look"], f"{folder}/in.mp4", wanted)
    if not has_bindings():
        print("skip: the example in Python: gir1.2-gtk-3.0 is absent")
    else:
        look_around("py", [sys.executable, str(EXAMPLES / "look.py")], f"{folder}/in.mp4", wanted)


with tempfile.TemporaryDirectory() as place:
    attempt(test_examples, place)
finish()
