# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere reframe` and `sphere trim` from file to file against ffmpeg: rows of the benchmark table. Films
are compared by processor time, with the same codec, preset and rate factor on both sides.
"""

import json
import pathlib
import subprocess
import tempfile

from media_rows import ffmpeg, ratios, timed

ROUNDS = 3
PICTURES = 150
PRESET, FACTOR = "veryfast", 20
VIEW = "flat:h_fov=90:v_fov=58.7155:w=1920:h=1080"
TURN = {"format": "gst-sphere-view", "version": 1, "keyframes": [
    {"time": 0, "yaw": -60, "easing": "linear"}, {"time": PICTURES / 30, "yaw": 60}]}


def make_sphere(path, width):
    subprocess.run(["gst-launch-1.0", "-q", *f"spheretestsrc output=equirect num-buffers={PICTURES} ! "
                    f"video/x-raw,format=I420,width={width},height={width // 2},framerate=30/1 ! "
                    f"x264enc speed-preset={PRESET} pass=qual quantizer=18 vbv-buf-capacity=0 "
                    f"key-int-max=30 ! h264parse ! mp4mux ! filesink location={path}".split()], check=True)


def films(folder, sphere, line):
    out, moves, commands = folder / "out.mp4", folder / "moves.json", folder / "moves.cmd"
    moves.write_text(json.dumps(TURN))
    subprocess.run([sphere, "keyframes", moves, commands, "--size", "1920x1080", "--quiet"], check=True)
    moving = f"sendcmd=f={commands},v360=e:{VIEW}:reset_rot=1:interp=linear"
    for width, what, words, filters in (
            (3840, "linear", ("--interpolation", "linear"), f"v360=e:{VIEW}:interp=linear"),
            (3840, "cubic", (), f"v360=e:{VIEW}:interp=cubic"),
            (5760, "linear", ("--interpolation", "linear"), f"v360=e:{VIEW}:interp=linear"),
            (3840, "linear, turning", ("--interpolation", "linear", "--keyframes", str(moves)), moving)):
        source = folder / f"{width}.mp4"
        if not source.exists():
            make_sphere(source, width)
        mine, theirs = [], []
        for _ in range(ROUNDS):
            mine.append(timed(sphere, "reframe", source, out, "--quiet", "--drawer", "cpu", "--size", "1920x1080",
                              "--preset", PRESET, "--quality", str(FACTOR), *words)[1])
            theirs.append(timed("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-vf", filters, "-c:v",
                                "libx264", "-preset", PRESET, "-crf", str(FACTOR), out)[1])
        ratios(line, f"reframe, {width}x{width // 2}, {what} (s)", mine, theirs, "ffmpeg v360, processor time", "")


def trims(folder, sphere, line):
    """Of a film of half a gigabyte; nothing is encoded on either side."""
    clip, source, out = folder / "clip.mp4", folder / "long.mp4", folder / "part.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x960:r=30:d=2,noise=alls=60:allf=t", "-c:v", "libx264", "-preset",
           "ultrafast", "-b:v", "60M", clip)
    ffmpeg("-stream_loop", "-1", "-i", clip, "-c", "copy", "-fs", 500_000_000, source)
    mine, theirs = [], []
    for _ in range(ROUNDS):
        mine.append(timed(sphere, "trim", source, out, "--from", "10", "--to", "50", "--quiet")[0])
        theirs.append(timed("ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", "10", "-to", "50", "-i", source, "-c",
                            "copy", out)[0])
    ratios(line, "trim, 40 s of 1920x960 (s)", mine, theirs, "ffmpeg -c copy, wall time", "")


def measure(sphere, line):
    with tempfile.TemporaryDirectory(prefix="sphere-bench-") as name:
        films(pathlib.Path(name), sphere, line)
        trims(pathlib.Path(name), sphere, line)

