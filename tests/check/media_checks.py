# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder for the files of a test, and what ffmpeg and ffprobe say about them."""

import functools
import hashlib
import json
import os
import pathlib
import subprocess

from checks import DEADLINE, SPHERE, check, run


def ffmpeg(*words):
    """Runs ffmpeg, which may overwrite files; what it writes to its output."""
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True,
                          timeout=DEADLINE, stdout=subprocess.PIPE).stdout


def told_once(function):
    """What a program tells of a file is asked for once, as long as the file has the same content."""
    answers = {}

    @functools.wraps(function)
    def ask(path, *words):
        key = hashlib.sha256(pathlib.Path(path).read_bytes()).digest(), pathlib.Path(path).suffix, words
        if key not in answers:
            answers[key] = function(path, *words)
        return answers[key]
    return ask


@told_once
def pictures(path):
    """A hash of each decoded picture."""
    return ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")


@told_once
def probe(path, *words):
    """What ffprobe tells of a file; `words` choose what, by default the streams and the format."""
    words = words or ("-show_streams", "-show_format")
    answer = subprocess.run(["ffprobe", "-v", "error", *words, "-of", "json", path], check=True,
                            timeout=DEADLINE, stdout=subprocess.PIPE).stdout
    return json.loads(answer)


def is_spherical(path):
    """Whether ffprobe finds the marking of a 360 picture."""
    data = [one for stream in probe(path)["streams"] for one in stream.get("side_data_list", [])]
    return any(one.get("projection") == "equirectangular" for one in data)


class Case:
    """A folder of its own, and the command with a ledger of its own."""

    def __init__(self, folder, environment=os.environ):
        self.folder = pathlib.Path(folder)
        home = self.folder / "home"
        # Not HOME, which is the tests' own already: some plugins look there for files, and GStreamer
        # scans them anew whenever it changes.
        self.environment = {**environment, "XDG_DATA_HOME": str(home / "data"),
                            "XDG_CONFIG_HOME": str(home / "config"),
                            "XDG_CACHE_HOME": str(home / "cache")}

    def path(self, name):
        return self.folder / name

    def sphere(self, *words, **options):
        return run(SPHERE, *words, env=self.environment, **options)

    def done(self, what, *words):
        result = self.sphere(*words)
        check(what, result.returncode == 0, f"exit {result.returncode}: {result.stderr}")
        return result.stdout

    def refused(self, what, status, word, *words):
        """The command fails with this status and a message that contains this word."""
        result = self.sphere(*words)
        return check(what, result.returncode == status and word in result.stderr,
                     f"exit {result.returncode}: {result.stderr}")
