# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live examples in C and in Python run, and a window shows the stream. Prints a summary line as
gst-check does."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import BUILD, DEADLINE, attempt, check, finish, run
from live_checks import SMALL, check_video, probe, streaming

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"


def flags():
    """What pkg-config says of this build, without installing it."""
    of_gst = subprocess.check_output(["pkg-config", "--cflags", "--libs", "gstreamer-1.0"], text=True)
    return [f"-I{EXAMPLES.parents[1]}", *of_gst.split(), f"-L{BUILD}/gst/sphere", "-lgstsphere-1.0"]


def test_examples(folder):
    program = f"{folder}/live"
    built = run("cc", "-Wall", "-Werror", EXAMPLES / "live.c", "-o", program, *flags())
    check("the example in C is built", built.returncode == 0, built.stderr)
    for name, words in (("c", [program]), ("py", [sys.executable, EXAMPLES / "live.py"])):
        told = run(*words, "test:", f"file:{folder}/{name}.mp4", "3")
        check(f"the example in {name} runs", told.returncode == 0 and "running" in told.stdout,
              told.stdout + told.stderr)
        check_video(name, probe(f"{folder}/{name}.mp4"), size=(640, 320))
        wrong = run(*words, "test:", "ftp://x", "3")
        check(f"the example in {name} says what is wrong",
              wrong.returncode == 1 and "ftp" in wrong.stderr, wrong.stderr)


def test_window(_folder):
    if not shutil.which("Xvfb"):
        print("skip: window: Xvfb is not installed")
        return
    out, into = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(into), "-screen", "0", "640x480x24"],
                          pass_fds=[into], stderr=subprocess.DEVNULL) as screen:
        try:
            os.close(into)
            with open(out, encoding="ascii") as number:
                display = ":" + number.readline().strip()
            with streaming("test:", *SMALL, "--show", env={**os.environ, "DISPLAY": display}) as live:
                check("a window shows the pictures",
                      live.wait_output(0, lambda one: one["state"] == "running" and one["frames"] > 30))
                status, errors = live.end()
            check("it ends in order", status == 0, errors)
        finally:
            screen.terminate()
            screen.wait(timeout=DEADLINE)
    with streaming("test:", *SMALL, "--show", "--for", "2s") as live:
        status, errors = live.result()
    check("without a screen it says so", status == 1 and "screen" in errors, errors)


for test in (test_examples, test_window):
    with tempfile.TemporaryDirectory() as place:
        attempt(test, place)
finish()
