# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ffmpeg and ffprobe say about files that the tests have written."""

import json
import subprocess

from checks import DEADLINE


def ffmpeg(*words):
    """Runs ffmpeg, which may overwrite files; what it writes to its output."""
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True,
                          timeout=DEADLINE, stdout=subprocess.PIPE).stdout


def pictures(path):
    """A hash of each decoded picture."""
    return ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")


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
