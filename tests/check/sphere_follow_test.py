# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere reframe --follow` and `--level`: against the scene, in which the true places are known."""

import json
import math
import pathlib
import re
import shutil
import subprocess
import tempfile

from checks import DEADLINE, attempt, check, finish
import gst_checks
from media_checks import Case, pictures

gst_checks.load("sphere reframe --follow")
SIZE = (1280, 640)
RATE = 10
# The scene for some seconds; several tests read it, and it is made once.
SCENE = pathlib.Path(tempfile.mkdtemp()) / "scene.mp4"


def launch(line):
    """A launch line in a process of its own."""
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=DEADLINE,
                   env=gst_checks.ENVIRONMENT)


def make_video(path, source, count, rate=RATE, view=""):
    """Of the scene."""
    launch(f"spheretestsrc num-buffers={count} {source} ! video/x-raw,format=I420,width={SIZE[0]},height={SIZE[1]},"
           f"framerate={rate}/1 ! {view} x264enc speed-preset=ultrafast pass=quant quantizer=14 ! "
           f"mp4mux ! filesink location={path}")


def sign_at(time):
    """Where the sign of the scene is: yaw and pitch."""
    return 90 + 22 * math.sin(0.9 * time), -16


def multiplied(a, b):
    """Two matrices, by rows."""
    return [[sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def rotation(yaw, pitch, roll):
    """As docs/conventions.md has it."""
    (cy, sy), (cp, sp), (cr, sr) = ((math.cos(math.radians(a)), math.sin(math.radians(a)))
                                    for a in (yaw, pitch, roll))
    about_y, about_x = [[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]], [[1, 0, 0], [0, cp, -sp], [0, sp, cp]]
    return multiplied(multiplied(about_y, about_x), [[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])


def keyframes(case, name):
    """Those that were saved."""
    return json.loads(case.path(name).read_text())["keyframes"]


def check_follows(what, keys, tolerance):
    """At each keyframe the view looks at the sign."""
    off = max(math.hypot(*(is_ - should for is_, should in zip((key["yaw"], key["pitch"]), sign_at(key["time"]))))
              for key in keys)
    check(f"{what}: it looks at the sign", off < tolerance, f"{off} degrees off: {keys}")
    check(f"{what}: with few keyframes", 3 < len(keys) < 15, len(keys))


def test_follow(case):
    small = ("--size", "320x180", "--drawer", "cpu", "--quality", "0", "--preset", "ultrafast", "--fov", "60")
    case.done("it follows the sign", "reframe", SCENE, case.path("out.mp4"), "--follow", "90deg,-16deg@0",
              "--follow-size", "12", "--save-keyframes", case.path("keys.json"), *small)
    keys = keyframes(case, "keys.json")
    check_follows("degrees", keys, 1)
    check("the field of view is as it was asked for", all(key["fov"] == 60 for key in keys), keys)
    case.done("a film of the keyframes", "reframe", SCENE, case.path("again.mp4"), "--keyframes",
              case.path("keys.json"), *small[:-2])
    check("is the same", pictures(case.path("out.mp4")) == pictures(case.path("again.mp4")))
    # The same place in pixels, one second later.
    yaw, pitch = sign_at(1)
    place = f"{(yaw / 360 + 0.5) * SIZE[0]:.1f},{(0.5 - pitch / 180) * SIZE[1]:.1f}@0:01"
    case.done("pixels", "reframe", SCENE, case.path("out.mp4"), "--follow", place, "--follow-size", "12", "--to", "3",
              "--save-keyframes", case.path("later.json"), *small)
    later = keyframes(case, "later.json")
    check("it begins there", abs(later[0]["time"] - 1) < 0.01, later)
    check_follows("pixels", later, 1)
    case.done("up to a time", "reframe", SCENE, case.path("out.mp4"), "--follow", "90deg,-16deg@0",
              "--follow-size", "12", "--to", "2", "--save-keyframes", case.path("part.json"), *small)
    check("it ends there", abs(keyframes(case, "part.json")[-1]["time"] - 2) < 0.11, keyframes(case, "part.json"))

    make_video(case.path("fish.mp4"), "lens=dual-190", 2 * RATE)
    case.done("fisheyes", "reframe", case.path("fish.mp4"), case.path("out.mp4"), "--lens", "dual-190", "--follow",
              "90deg,-16deg@0", "--follow-size", "12", "--save-keyframes", case.path("fish.json"), *small)
    check_follows("fisheyes", keyframes(case, "fish.json"), 1.5)
    case.refused("a pixel of fisheyes", 1, "30deg", "reframe", case.path("fish.mp4"), case.path("none.mp4"), "--lens",
                 "dual-190", "--follow", "100,100@0")


def test_lost(case):
    small = ("--size", "320x180", "--drawer", "cpu", "--preset", "ultrafast")
    # A grey board hides the sign for a second.
    subprocess.run(["ffmpeg", "-v", "error", "-i", SCENE, "-vf",
                    "drawbox=x=800:y=300:w=400:h=160:color=gray:t=fill:enable='between(t,1.4,2.39)'", "-c:v", "libx264",
                    "-preset", "ultrafast", case.path("in.mp4")], check=True, timeout=DEADLINE)
    result = case.sphere("reframe", case.path("in.mp4"), case.path("out.mp4"), "--follow", "90deg,-16deg@0",
                         "--follow-size", "12", *small, "--json")
    check("a film of what was lost", result.returncode == 0, result.stderr)
    told = re.search(r"lost at ([\d.]+) s and found again at ([\d.]+) s", result.stderr)
    check("it tells when it was lost and found", told, result.stderr)
    if told:
        check("the times are right", abs(float(told[1]) - 1.4) < 0.2 and abs(float(told[2]) - 2.4) < 0.3, told[0])
    check("programs are told, too", any("lost" in one for one in json.loads(result.stdout)["warnings"]), result.stdout)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", SCENE, "-vf",
                    "drawbox=x=800:y=300:w=400:h=160:color=gray:t=fill:enable='gte(t,1.4)'", "-c:v", "libx264",
                    "-preset", "ultrafast", case.path("in.mp4")], check=True, timeout=DEADLINE)
    result = case.sphere("reframe", case.path("in.mp4"), case.path("out.mp4"), "--follow", "90deg,-16deg@0",
                         "--follow-size", "12", *small)
    check("it says that it rests to the end", result.returncode == 0 and "until the end" in result.stderr, result.stderr)


def test_wrong_words(case):
    launch(f"spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width=640,height=320 ! pngenc ! "
           f"filesink location={case.path('in.png')}")
    film, out = SCENE, case.path("none.mp4")
    case.path("moves.json").write_text(json.dumps(
        {"format": "gst-sphere-view", "version": 1, "keyframes": [{"time": 0}]}))
    for what, status, word, words in (
            ("no place", 2, "X,Y@TIME", ("--follow", "hello")),
            ("no time", 2, "X,Y@TIME", ("--follow", "10,20")),
            ("a strange time", 2, "--follow", ("--follow", "10,20@1:99")),
            ("degrees and pixels", 2, "X,Y@TIME", ("--follow", "10deg,20@1")),
            ("no number", 2, "X,Y@TIME", ("--follow", "nan,20@1")),
            ("too high", 2, "pitch", ("--follow", "0deg,91deg@1")),
            ("outside", 1, "1280x640", ("--follow", "1281,10@0")),
            ("too late", 1, "ends before", ("--follow", "10,10@100")),
            ("with keyframes", 2, "--keyframes", ("--follow", "10,10@0", "--keyframes", case.path("moves.json"))),
            ("with a direction", 2, "--yaw", ("--follow", "10,10@0", "--yaw", "5")),
            ("the whole sphere", 2, "projection", ("--follow", "10,10@0", "--projection", "cubemap")),
            ("a huge thing", 2, "--follow-size", ("--follow", "10,10@0", "--follow-size", "90")),
            ("a size of nothing", 2, "--follow", ("--follow-size", "9")),
            ("keyframes of nothing", 2, "--follow", ("--save-keyframes", case.path("k.json"))),
            ("the direction of a 360 video", 1, "--level horizon", ("--level", "full"))):
        case.refused(what, status, word, "reframe", film, out, *words)
    case.refused("a picture", 2, "video", "reframe", case.path("in.png"), case.path("out.png"), "--follow", "1,1@0")
    check("there is no OUT", not out.exists() and not case.path("k.json").exists())


TILT = (20, 12, 8)


def test_level_photo(case):
    """A tilted picture becomes what it was before, with the heading of its middle."""
    yaw, pitch, roll = TILT
    launch(f"spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=RGBA,width={SIZE[0]},height={SIZE[1]} ! "
           f"pngenc ! filesink location={case.path('true.png')}")
    for name, view in (("tilted", f"yaw={yaw} pitch={pitch} roll={roll}"), ("wanted", f"yaw={yaw}")):
        launch(f"filesrc location={case.path('true.png')} ! pngdec ! videoconvert ! video/x-raw,format=RGBA ! "
               f"cpusphereview projection=equirect interpolation=cubic {view} ! "
               f"video/x-raw,width={SIZE[0]},height={SIZE[1]} ! pngenc ! "
               f"filesink location={case.path(name + '.png')}")
    size = f"{SIZE[0]}x{SIZE[1]}"
    whole = ("--projection", "equirect", "--size", size, "--drawer", "cpu")
    result = case.sphere("reframe", case.path("tilted.png"), case.path("level.png"), "--level", "horizon", "--verbose",
                         *whole)
    check("a tilted photo", result.returncode == 0, result.stderr)
    told = re.search(r"tilted by ([\d.]+) degrees \(confidence ([\d.]+)", result.stderr)
    wanted = math.degrees(math.acos(rotation(*TILT)[1][1]))
    check("it tells by how much it was tilted", told and abs(float(told[1]) - wanted) < 0.5, result.stderr)
    case.done("as it is", "reframe", case.path("tilted.png"), case.path("off.png"), *whole)

    def off(name):
        """The mean difference to what is wanted."""
        one, other = (subprocess.run(["ffmpeg", "-v", "error", "-i", case.path(each), "-f", "rawvideo", "-pix_fmt",
                                      "gray", "-"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE).stdout
                      for each in (name, "wanted.png"))
        return sum(abs(a - b) for a, b in zip(one[::17], other[::17])) / len(one[::17])
    check("it is level", off("level.png") < 5 < 12 < off("off.png"), (off("level.png"), off("off.png")))
    launch(f"spheretestsrc num-buffers=1 ! video/x-raw,format=RGBA,width={SIZE[0]},height={SIZE[1]} ! pngenc ! "
           f"filesink location={case.path('lenses.png')}")
    result = case.sphere("reframe", case.path("lenses.png"), case.path("stitched.png"), "--lens", "dual-190",
                         "--level", "horizon", "--verbose", "--drawer", "cpu", "--size", "320x180")
    check("of two lenses, it tells that it is level",
          result.returncode == 0 and "level: horizon" in result.stderr and "level: off" not in result.stderr,
          result.stderr)
    launch(f"videotestsrc num-buffers=1 pattern=snow ! video/x-raw,format=RGBA,width=640,height=320 ! pngenc ! "
           f"filesink location={case.path('snow.png')}")
    case.refused("where nothing can be told", 1, "can't tell where up is", "reframe", case.path("snow.png"),
                 case.path("none.png"), "--level", "horizon", "--force")
    check("there is no picture", not case.path("none.png").exists())


def check_level(what, keys, tilt_at, tolerance, heading=None):
    """Each keyframe, in the world from which the video was tilted, has a level horizon."""
    for key in keys:
        world = multiplied(rotation(*tilt_at(key["time"])), rotation(key["yaw"], key["pitch"], key["roll"]))
        rolled, pitched = (math.degrees(math.asin(max(-1, min(1, world[1][column])))) for column in (0, 2))
        check(f"{what}: level at {key['time']:.2f} s", abs(rolled) < tolerance and abs(pitched) < tolerance,
              f"{rolled}, {pitched}")
        if heading is not None:
            now = math.degrees(math.atan2(world[0][2], world[2][2]))
            check(f"{what}: it looks where it should", abs((now - heading + 180) % 360 - 180) < 1.5, now)


def test_level_video(case):
    yaw, pitch, roll = TILT
    tilted = (f"cpusphereview projection=equirect yaw={yaw} pitch={pitch} roll={roll} ! "
              f"video/x-raw,width={SIZE[0]},height={SIZE[1]} !")
    small = ("--level", "horizon", "--size", "320x180", "--drawer", "cpu", "--preset", "ultrafast")
    make_video(case.path("still.mp4"), "output=equirect", 10, 10, tilted)
    case.done("a tilted video", "reframe", case.path("still.mp4"), case.path("out.mp4"), "--yaw", "90",
              "--save-keyframes", case.path("still.json"), *small)
    check_level("a camera that stands still", keyframes(case, "still.json"), lambda time: TILT, 1, 110)
    # It sways by some degrees a second.
    moves = {"format": "gst-sphere-view", "version": 1, "keyframes": [
        {"time": 0, "projection": "equirect", "roll": -12, "easing": "linear"}, {"time": 4, "roll": 12}]}
    case.path("sway.json").write_text(json.dumps(moves))
    sways = (f"cpusphereview projection=equirect keyframes={case.path('sway.json')} ! "
             f"video/x-raw,width={SIZE[0]},height={SIZE[1]} !")
    make_video(case.path("sways.mp4"), "output=equirect", 20, 10, sways)
    result = case.sphere("reframe", case.path("sways.mp4"), case.path("out.mp4"), "--verbose", "--save-keyframes",
                         case.path("sways.json"), *small)
    check("a video that sways", result.returncode == 0 and "changes" in result.stderr, result.stderr)
    keys = [key for key in keyframes(case, "sways.json") if key["time"] <= 1.9]
    check("a camera that sways: it has keyframes", len(keys) > 5, keys)
    check_level("a camera that sways", keys, lambda time: (0, 0, -12 + 6 * time), 1.5)


make_video(SCENE, "output=equirect", 4 * RATE)
for test in (test_follow, test_lost, test_wrong_words, test_level_photo, test_level_video):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(pathlib.Path(temporary), gst_checks.ENVIRONMENT))
shutil.rmtree(SCENE.parent)
finish()
