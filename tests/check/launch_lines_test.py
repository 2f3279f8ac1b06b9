# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every launch line in README.md, docs/ and the elements' own documentation runs, with a few
pictures in place of endless ones and no window. Prints a summary line as gst-check does."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from checks import BUILD, DEADLINE, SANITIZED, SPHERE, check, emulator, finish

SOURCE = pathlib.Path(os.environ["SPHERE_SOURCE"])

# What the lines read, and how it is made.
MADE = "spheretestsrc supersample=1 lens=gear360 num-buffers=4 ! video/x-raw,width=640 ! "
INPUTS = {
    "mp4": MADE + "x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=",
    # Files that a camera recorded, with its own data, have names in capitals.
    "MP4": MADE + "x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=plain && "
           f"{BUILD}/tests/tools/camera-file plain $NAME mi-sphere 4 0 10 20 X && : ",
    "JPG": "spheretestsrc supersample=1 lens=gear360 num-buffers=1 ! video/x-raw,format=I420,width=640 ! jpegenc ! "
           f"filesink location=plain && {BUILD}/tests/tools/camera-file plain with.jpg mi-sphere 1 "
           "0 10 20 X && mv with.jpg $NAME && : ",
    "png": "spheretestsrc supersample=1 lens=gear360 num-buffers=1 ! video/x-raw,format=RGBA,width=640 ! pngenc ! "
           "filesink location=",
}


KEYFRAMES = """{"format": "gst-sphere-view", "version": 1,
    "keyframes": [{"time": 0}, {"time": 1, "yaw": 90, "fov": 60}]}"""


def lines_of(path):
    """The launch lines of a file, continuation lines joined."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".cc":
        text = "\n".join(re.findall(r"^ \* (gst-launch-1\.0 .*)$", text, re.MULTILINE))
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        line = line.strip()
        line = line.removeprefix("./dev run ")
        if line.startswith("gst-launch-1.0 "):
            yield re.sub(r"\s+", " ", line)


def run(line, folder):
    # A ledger of its own, in which nothing was given yet.
    return subprocess.run(["sh", "-c", line], cwd=folder, timeout=DEADLINE, text=True,
                          env=dict(os.environ, XDG_DATA_HOME=folder),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


@contextlib.contextmanager
def camera(card=None):
    """An emulated camera; its URI."""
    words = ["--card", card] if card else []
    with emulator("--size", "640x320", "--sound", *words) as (process, facts):
        try:
            yield facts["uri"]
        finally:
            process.terminate()
            process.wait(DEADLINE)
    check("the emulated camera ends in order", process.returncode == 0, str(process.returncode))


# The URI of a camera or of a file on its card.
CAMERA = re.compile(r"madv://[^/\s]+(/\S*)?")


def local_uri(match, uri):
    """The same at the emulated camera."""
    path = match.group(1) or ""
    return "'" + (uri.replace("/live", path) if path.startswith("/DCIM/") else uri) + "'"


@contextlib.contextmanager
def camera_for(text):
    """The camera that a launch line needs, with its files; an empty URI if it needs none."""
    if not CAMERA.search(text):
        yield ""
        return
    with tempfile.TemporaryDirectory() as card:
        for path in re.findall(r"madv://[^/\s]+/(DCIM/\S+)", text):
            file = pathlib.Path(card, path)
            file.parent.mkdir(parents=True)
            make = INPUTS[file.suffix[1:]].replace("$NAME", str(file))
            made = run(f"gst-launch-1.0 -q {make}{file}", card)
            check(f"the file {path} on the card", made.returncode == 0, made.stdout)
        with camera(card) as uri:
            yield uri


def shortened(line, uri):
    """The line with a few pictures in place of endless ones, without a window or a real camera."""
    line = re.sub(r"num-buffers=\d+ ?", "", line)
    few = 1 if "output=equirect" in line or "jpegenc" in line else 4
    line = line.replace("spheretestsrc", f"spheretestsrc supersample=1 num-buffers={few}")
    line = re.sub(r"\b(audio|video)testsrc\b", r"\1testsrc num-buffers=100", line)
    line = CAMERA.sub(lambda match: local_uri(match, uri), line)
    is_live = "spherecamsrc" in line
    if is_live:
        # On a busy machine, the camera's encoder takes its time to start.
        line = re.sub(r"(location='madv://\S+')", r"\1 timeout=60", line)
    # A live recording ends after a few pictures.
    if is_live and "filesink" in line:
        line = re.sub(r"(location='madv://\S+' timeout=60)", r"\1 ! identity eos-after=20", line)
    line = re.sub(r" interval=\d+", " interval=0.1", line)
    line = line.replace("playbin ", "playbin video-sink=fakesink audio-sink=fakesink ")
    # A live pipeline ends when its sink has received enough.
    return re.sub(r"auto(video|audio)sink\b", "fakesink num-buffers=10" if is_live else "fakesink", line)


def try_line(line, where, uri=""):
    with tempfile.TemporaryDirectory() as folder:
        for name in re.findall(r"keyframes=(\S+\.json)", line):
            pathlib.Path(folder, name).write_text(KEYFRAMES)
        for name in re.findall(r"(?<!sphere)filesrc location=(\S+)", line):
            make = INPUTS[name.rsplit(".", 1)[-1]].replace("$NAME", name)
            made = run(f"gst-launch-1.0 -q {make}{name}", folder)
            check(f"{where}: its input {name}", made.returncode == 0, made.stdout)
        if "ledger=default" in line:
            given = run(f"{SPHERE} consent give audio --purpose live", folder)
            check(f"{where}: sound is given", given.returncode == 0, given.stdout)
        ended = run(shortened(line, uri), folder)
        check(f"{where}: {line}", ended.returncode == 0 and "WARNING" not in ended.stdout
              and "CRITICAL" not in ended.stdout, ended.stdout)
        for name in re.findall(r"filesink location=(\S+)", line):
            path = pathlib.Path(folder, name.replace("%d", "0"))
            check(f"{where}: writes {name}", path.is_file() and path.stat().st_size > 200)


def programs_of(path):
    """The Python programs of a page that have `<!-- test: NAME -->` above them."""
    return re.findall(r"<!-- test: (\S+) -->\n```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def try_photo(program, where):
    """The program that takes a photo prints where the camera saved it."""
    with camera() as uri:
        ended = subprocess.run([sys.executable, "-c", program, uri], timeout=DEADLINE, text=True, check=False,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(f"{where}: the program takes a photo",
          ended.returncode == 0 and re.fullmatch(r"on the camera's card: /\S+\.JPG\n", ended.stdout), ended.stdout)
    with tempfile.TemporaryDirectory() as folder:
        nobody = subprocess.run([sys.executable, "-c", program, "madv://127.0.0.1:1"], timeout=DEADLINE, text=True,
                                cwd=folder, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
    check(f"{where}: without a camera it says why", nobody.returncode == 1 and nobody.stdout.strip(), nobody.stdout)


found = 0
files = [SOURCE / "README.md", *sorted(SOURCE.glob("docs/**/*.md")),
         *sorted(SOURCE.glob("plugins/*/*.cc"))]
for file in files:
    for text in lines_of(file):
        if CAMERA.search(text) and "--no-emulator" in sys.argv:
            print(f"skip: no emulator: {text}")
            continue
        if "glspherestitch" in text and "--no-gl" in sys.argv:
            print(f"skip: no GL: {text}")
            continue
        found += 1
        try:
            with camera_for(text) as uri:
                try_line(text, file.relative_to(SOURCE), uri)
        except subprocess.TimeoutExpired:
            check(f"{text} ends within {DEADLINE} s", False)
if SANITIZED:
    print("skip: programs in Python, which itself is not sanitized, and can't load what is")
elif "--no-emulator" not in sys.argv:
    photos = [text for name, text in programs_of(SOURCE / "README.md") if name == "photo.py"]
    check("README.md has a program that takes a photo", len(photos) == 1)
    for text in photos:
        try_photo(text, "README.md")
check("there are launch lines", found >= 10, f"{found}")

finish()
