# SPDX-License-Identifier: LGPL-2.1-or-later
"""A display of a test's own, used as a person does: with mouse and keys, and what it shows."""

import contextlib
import os
import subprocess

from checks import DEADLINE


@contextlib.contextmanager
def display(size):
    """An X server that chooses its own number; yields its name."""
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24",
                           "-nolisten", "tcp"], pass_fds=[write], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as number:
            name = ":" + number.readline().strip()
        try:
            yield name
        finally:
            server.terminate()


class Screen:
    """What is on the display, from its upper left corner; and mouse and keys."""

    def __init__(self, environment, size):
        self.environment, self.size = environment, size

    def xdo(self, *words):
        """Runs xdotool."""
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=DEADLINE)

    def key(self, name):
        """Presses a key with the pointer in the middle, which has the focus then."""
        self.xdo("mousemove", self.size[0] // 2, self.size[1] // 2, "key", name)

    def drag(self, begin, end):
        """With the left button, in two steps."""
        self.xdo("mousemove", *begin, "mousedown", 1, "mousemove", (begin[0] + end[0]) // 2,
                 (begin[1] + end[1]) // 2, "mousemove", *end, "mouseup", 1)

    def grey(self):
        """What is shown, as brightness."""
        return subprocess.run(["ffmpeg", "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-video_size",
                               f"{self.size[0]}x{self.size[1]}", "-i", self.environment["DISPLAY"],
                               "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                              env=self.environment, check=True, timeout=DEADLINE,
                              stdout=subprocess.PIPE).stdout


def grey_of(path):
    """The brightness of a picture in a file."""
    return subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                          check=True, timeout=DEADLINE, stdout=subprocess.PIPE).stdout


def difference(one, other):
    """The mean difference of some thousand pixels, in steps of brightness."""
    one, other = one[::37], other[::37]
    return sum(abs(a - b) for a, b in zip(one, other)) / max(len(one), 1)
